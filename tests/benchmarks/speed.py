"""How fast we train, held against other ways to train the same networks on the same machine.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/speed.py
        [frozen] [views] [all] [growing] [stage] [scratch]
        [--models resnet18 resnet50] [--rounds 3] [--batches 6]

- frozen: only the head trains, 30 epochs without augmentation: the whole job from Start to
  best.pth, validation included.
- views: the same with light augmentation and four cached views.
- all: every layer trains, light augmentation: photos a second; beside it forward and backward
  alone, and what the processor's matrix product would allow.
- growing: every layer trains, light augmentation, on squares that grow as the window offers it for
  this size (96 to 160 px, looked at in 224): an epoch with its validation (the mean of ten).
- stage: the last stage and the head train on what the others gave once, against computing it
  in every epoch: photos a second.
- scratch: every layer trains with the values that are recommended from scratch, on squares that
  grow from 64 to 128 px: an epoch with its validation (the mean of five, from the first size to the
  last). How good they become, and when: scratch_accuracy.py.

In each round all take their turns, so that ratios hold on a machine whose speed changes; medians
are printed. The others' loops are written as their sources have them, on the same photos, split and
batch size (32) at 224 px: the tutorial's (torchvision's transforms on PIL, no workers, float32),
torchvision's references/classification (RandomResizedCrop, two workers, SGD), and fastai's
vision_learner where fastai is installed. Each runs for so many `--batches` a round; what 30 epochs
would take is computed from that. Ours runs the whole job.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision import transforms
from torchvision.models import get_model

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, EpochDone
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.scan import scan
from flowergui.learning.data.split import Split, split_photos
from flowergui.learning.device import hardware
from flowergui.learning.estimate import speedups
from flowergui.learning.models.build import build
from flowergui.system import tuning

EPOCHS, BATCH, SIZE = 30, 32, 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Rate:
    """Photos a second, in training and in validation."""

    train: float
    validate: float

    def job(self, split: Split) -> float:
        """Seconds of 30 epochs."""
        return EPOCHS * (len(split.train) / self.train + len(split.validation) / self.validate)


class Files(Dataset[tuple[torch.Tensor, int]]):
    """What torchvision's ImageFolder is, over our split."""

    def __init__(self, folder: Path, listed: tuple[Photo, ...], transform: Any) -> None:
        self.folder, self.listed, self.transform = folder, listed, transform

    def __len__(self) -> int:
        return len(self.listed)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.folder / self.listed[index].path) as picture:
            return self.transform(picture.convert("RGB")), self.listed[index].label


def fresh(model: str, classes: int, head_only: bool) -> nn.Module:
    """A network with a new head, all but that frozen where `head_only`."""
    net = get_model(model, weights=None)
    if head_only:
        for parameter in net.parameters():
            parameter.requires_grad = False
    *_, (name, head) = [each for each in net.named_modules() if isinstance(each[1], nn.Linear)]
    net.set_submodule(name, nn.Linear(head.in_features, classes))
    return net


def run(
    net: nn.Module, optimizer: torch.optim.Optimizer, loader: Any, held_back: Any, batches: int
) -> Rate:
    """The loop that both have: zero_grad, forward, loss, backward, step, the loss read."""
    criterion = nn.CrossEntropyLoss()
    net.train()
    began = time.perf_counter()
    for number, (images, labels) in enumerate(loader):
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        if number == 0:  # the first one warms up
            began = time.perf_counter()
        elif number == batches:
            break
    train = batches * BATCH / (time.perf_counter() - began)
    net.eval()
    with torch.no_grad():
        for number, (images, labels) in enumerate(held_back):
            outputs = net(images)
            criterion(outputs, labels).item()
            (outputs.argmax(1) == labels).sum().item()
            if number == 0:
                began = time.perf_counter()
            elif number == batches // 2:
                break
    return Rate(train, (batches // 2) * BATCH / (time.perf_counter() - began))


def tutorial(model: str, split: Split, head_only: bool, batches: int) -> Rate:
    """Resize, ToTensor, Normalize on PIL; DataLoader as it comes; Adam over what trains."""
    look = transforms.Compose(
        [transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    net = fresh(model, len(split.classes), head_only)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    loader = DataLoader(
        Files(split.folder, split.train, look), batch_size=BATCH, shuffle=True, drop_last=True
    )
    held_back = DataLoader(Files(split.folder, split.validation, look), batch_size=BATCH)
    return run(net, torch.optim.Adam(trained, lr=1e-3), loader, held_back, batches)


def reference(model: str, split: Split, head_only: bool, batches: int) -> Rate:
    """torchvision's references/classification, with two workers."""
    normalize = [transforms.PILToTensor(), transforms.ConvertImageDtype(torch.float)]
    normalize += [transforms.Normalize(MEAN, STD)]
    look = transforms.Compose(
        [transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip(), *normalize]
    )
    middle = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(SIZE), *normalize])
    net = fresh(model, len(split.classes), head_only)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    loader = DataLoader(
        Files(split.folder, split.train, look), batch_size=BATCH, shuffle=True, num_workers=2
    )
    held_back = DataLoader(
        Files(split.folder, split.validation, middle), batch_size=BATCH, num_workers=2
    )
    sgd = torch.optim.SGD(trained, lr=0.1, momentum=0.9, weight_decay=1e-4)
    return run(net, sgd, loader, held_back, batches)


def vision_learner(model: str, split: Split, head_only: bool, batches: int) -> Rate:
    """vision_learner as fastai's own examples have it."""
    from fastai.callback.core import Callback, CancelEpochException, CancelFitException
    from fastai.data.block import CategoryBlock, DataBlock
    from fastai.vision import learner as learners
    from fastai.vision import models
    from fastai.vision.augment import Resize, aug_transforms
    from fastai.vision.data import ImageBlock

    held = {photo.path for photo in split.validation}
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=lambda listed: list(listed),
        get_x=lambda photo: split.folder / photo.path,
        get_y=lambda photo: split.classes[photo.label],
        splitter=lambda listed: (
            [i for i, photo in enumerate(listed) if photo.path not in held],
            [i for i, photo in enumerate(listed) if photo.path in held],
        ),
        item_tfms=Resize(460 if SIZE > 128 else SIZE),
        batch_tfms=aug_transforms(size=SIZE),
    )
    loaders = block.dataloaders([*split.train, *split.validation], bs=BATCH, num_workers=0)
    learner = learners.vision_learner(loaders, getattr(models, model), pretrained=False)
    (learner.freeze if head_only else learner.unfreeze)()
    spent: dict[str, float] = {}

    class Clock(Callback):  # type: ignore[misc]
        def after_batch(self) -> None:
            part, limit = ("train", batches) if self.training else ("validate", batches // 2)
            if self.iter == 0:
                spent[part] = -time.perf_counter()
            elif self.iter == limit:
                spent[part] += time.perf_counter()
                raise CancelEpochException if self.training else CancelFitException

        def after_cancel_epoch(self) -> None:
            self.learn._do_epoch_validate()

    learner.fit(1, cbs=[Clock()])
    return Rate(batches * BATCH / spent["train"], (batches // 2) * BATCH / spent["validate"])


def ceiling(model: str, classes: int) -> float:
    """Photos a second of forward and backward alone, on a batch that is there already, in the
    precision and layout that are fastest here."""
    dtype = hardware.precision("auto", torch.device("cpu"))
    net = build(model, classes, SIZE).to(memory_format=torch.channels_last)
    images = torch.randn(BATCH, 3, SIZE, SIZE).to(memory_format=torch.channels_last)
    labels = torch.zeros(BATCH, dtype=torch.int64)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            logits = net(images)
        nn.functional.cross_entropy(logits.float(), labels).backward()
        times.append(time.perf_counter() - began)
        net.zero_grad()
    return BATCH / min(times)


def allowed(model: str, classes: int) -> float:
    """Photos a second if everything were as fast as the processor multiplies large matrices (4096 x
    4096) in the precision that is fastest here: what convolutions and matrix products alone would
    take, forward and backward."""
    dtype = hardware.precision("auto", torch.device("cpu"))
    net = build(model, classes, SIZE)
    with FlopCounterMode(display=False) as counter:
        nn.functional.cross_entropy(
            net(torch.zeros(2, 3, SIZE, SIZE)), torch.zeros(2).long()
        ).backward()
    matrix = torch.ones(4096, 4096, dtype=dtype)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - began)
    return 2 * 4096**3 / min(times) / (counter.get_total_flops() / 2)


def ours(recipe: Recipe) -> Iterator[tuple[float, Any]]:
    """The events of a run of ours, with the seconds since Start. As in the window, the folder is
    open by then; of its photos it is known whether they can be read, and nothing is kept."""
    last(scan(Path(recipe.photos)))
    hardware.release()
    with tempfile.TemporaryDirectory() as models:
        os.environ["FLOWERGUI_CACHE"] = models
        began = time.perf_counter()
        going = tasks.train(recipe, models=Path(models))
        for event in going:
            yield time.perf_counter() - began, event


def whole_job(recipe: Recipe) -> float:
    """Seconds from Start to best.pth."""
    *_, (seconds, _) = ours(recipe)
    return seconds


def pace(recipe: Recipe, batches: int, *, skip_epochs: int = 0) -> float:
    """Photos a second of ours, over `batches` after the first one of an epoch."""
    began = 0.0
    for seconds, event in ours(recipe):
        if isinstance(event, BatchDone) and event.epoch == 1 + skip_epochs:
            if event.batch == 1:
                began = seconds
            elif event.batch == batches + 1:
                return batches * BATCH / (seconds - began)
    raise AssertionError("too few photos")


def weights_of(model: str, folder: Path) -> str:
    """Random weights in a file, as nothing can be told of speed from what they have learned."""
    path = folder / f"{model}.pth"
    torch.save(get_model(model, weights=None).state_dict(), path)
    return str(path)


Others = dict[str, Callable[[str, Split, bool, int], Rate]]


def table(title: str, rounds: list[dict[str, float]], unit: str) -> None:
    """Medians, and medians of the rounds' ratios to the first column."""
    print(f"\n{title}")
    base = next(iter(rounds[0]))
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        ratios = [
            each[base] / each[name] if unit == "s" else each[name] / each[base] for each in rounds
        ]
        print(
            f"  {name:<44} {statistics.median(values):>9,.1f} {unit:<9} "
            f"{statistics.median(ratios):>7.2f}x  ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def main() -> None:
    """Measures what was asked for and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[*MEASURE])
    parser.add_argument("--models", nargs="+", default=["resnet18", "resnet50"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=6)
    wishes = parser.parse_args()
    folder = Path(os.environ["FLOWERGUI_PHOTOS"])
    tuning.tune_malloc()
    found = last(scan(folder))
    split = split_photos(found, 0.2, 0)
    others: Others = {"the tutorial's loop": tutorial, "torchvision's reference": reference}
    if find_spec("fastai"):
        others["fastai's vision_learner"] = vision_learner
    else:
        print("fastai is not installed, and is left out")
    dtype = hardware.precision("auto", torch.device("cpu"))
    print(f"{processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {dtype}")
    with tempfile.TemporaryDirectory() as here:
        for model in wishes.models:
            weights = weights_of(model, Path(here))
            plain = replace(
                with_preset(Recipe(mode="transfer"), "tutorial"),
                photos=str(folder), model=model, weights=weights, epochs=EPOCHS,
            )  # fmt: skip
            for what in wishes.what:
                measured = [
                    MEASURE[what](model, split, plain, others, wishes.batches)
                    for _ in range(wishes.rounds)
                ]
                table(f"{model}: {TITLES[what]}", measured, UNITS.get(what, "s"))


def frozen(
    model: str, split: Split, plain: Recipe, others: Others, batches: int
) -> dict[str, float]:
    jobs = {name: loop(model, split, True, batches).job(split) for name, loop in others.items()}
    return {**jobs, "flowergui": whole_job(plain)}


def views(
    model: str, split: Split, plain: Recipe, others: Others, batches: int
) -> dict[str, float]:
    return {
        "the tutorial's loop": tutorial(model, split, True, batches).job(split),
        "flowergui": whole_job(replace(plain, augmentation="light", cached_views=4)),
    }


def all_layers(
    model: str, split: Split, plain: Recipe, others: Others, batches: int
) -> dict[str, float]:
    rates = {name: loop(model, split, False, batches).train for name, loop in others.items()}
    recipe = replace(plain, mode="scratch", frozen=(), augmentation="light", image_size=SIZE)
    rates["flowergui"] = pace(recipe, batches)
    rates["forward and backward alone"] = ceiling(model, len(split.classes))
    rates["what its matrix product allows"] = allowed(model, len(split.classes))
    return rates


def epoch(recipe: Recipe) -> float:
    """Seconds of an epoch of ours with its validation: the mean."""
    seconds = [event.seconds for _, event in ours(recipe) if isinstance(event, EpochDone)]
    return sum(seconds) / len(seconds)


def growing(
    model: str, split: Split, plain: Recipe, others: Others, batches: int
) -> dict[str, float]:
    recipe = replace(plain, mode="scratch", frozen=(), augmentation="light", image_size=SIZE)
    _, values = next(speedups.suggestions(recipe, SIZE, frozen=False), ("", ()))
    return {
        "the tutorial's loop": tutorial(model, split, False, batches).job(split) / EPOCHS,
        "flowergui": epoch(replace(recipe, epochs=10, **dict[str, Any](values))),
    }


def scratch(
    model: str, split: Split, plain: Recipe, others: Others, batches: int
) -> dict[str, float]:
    jobs = {
        name: loop(model, split, False, batches).job(split) / EPOCHS
        for name, loop in others.items()
    }
    recommended = with_preset(
        Recipe(photos=plain.photos, mode="scratch", model=model), "recommended"
    )
    return {**jobs, "flowergui, recommended": epoch(replace(recommended, epochs=5))}


def stage(
    model: str, split: Split, plain: Recipe, others: Others, batches: int
) -> dict[str, float]:
    recipe = replace(plain, frozen=("all-but-last-stage",), epochs=3)
    return {
        "flowergui, computed in every epoch": pace(replace(recipe, feature_cache=False), batches),
        "flowergui, computed once": pace(recipe, 20, skip_epochs=1),
    }


MEASURE = {
    "frozen": frozen,
    "views": views,
    "all": all_layers,
    "growing": growing,
    "stage": stage,
    "scratch": scratch,
}
TITLES = {
    "frozen": f"the head alone, {EPOCHS} epochs, from Start to best.pth",
    "views": f"the head alone, four augmented views, {EPOCHS} epochs, from Start to best.pth",
    "all": "all layers, light augmentation",
    "growing": "all layers, light augmentation, growing squares, an epoch with its validation",
    "stage": "the last stage and the head",
    "scratch": "all layers from scratch, an epoch with its validation",
}
UNITS = {"all": "photos/s", "stage": "photos/s"}
"""Seconds where there is none."""


def last(generator: Any) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def processor() -> str:
    """Its name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
