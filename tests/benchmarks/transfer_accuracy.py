"""How accurate transfer is after a minute, five and twenty, beside other ways to do it.

    python tests/benchmarks/transfer_accuracy.py FOLDER... [--minutes 1 5 20] [--splits 3]
        [--judged 0.333] [--ways tutorial fastai flowergui]

Of each folder (one subfolder per class) a share of every class judges and is not seen in training;
the rest is the dataset that each way gets, validation included. All ways start from the same
weights, those of efficientnet_lite0, and each runs in a process of its own, in turns:

- tutorial: all but the last layer frozen, Adam at 0.001, StepLR, batches of 32, 224 px, no
  augmentation, torchvision's transforms on PIL; as many epochs as fit, 30 at most.
- fastai: `fine_tune` with its own defaults (a frozen epoch, then all layers at one-cycle), the head
  and the augmentation of vision_learner's tutorial (RandomResizedCrop 224, aug_transforms); as many
  epochs as fit by a timed epoch, the last one at least by half. Left out if it is not installed.
- flowergui: transfer, preset recommended, with --minutes.

It prints, for each way and time, the accuracy on the judged images of what the way would hand over
at the end (flowergui: best.pth; the others: the last epoch) as mean and range over the splits, with
the 95% interval (Wilson) of all judged images together, the seconds it took, and after how many
seconds it first had 85, 88 and 90%. The clock stands still while it is judged.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MODEL = "efficientnet_lite0"
LEVELS = (0.85, 0.88, 0.90)
SIZE, BATCH = 224, 32


@dataclass(frozen=True)
class Result:
    """The course of one way on one split: (seconds, accuracy), and the seconds in all."""

    points: tuple[tuple[float, float], ...]
    seconds: float

    @property
    def accuracy(self) -> float:
        return self.points[-1][1] if self.points else 0.0

    def until(self, level: float) -> float | None:
        return next((at for at, accuracy in self.points if accuracy >= level), None)


# --- splits -----------------------------------------------------------------------------------


def divided(folder: Path, seed: int, share: float, into: Path) -> list[tuple[str, str]]:
    """Links the images that train below `into`; returns those that judge, as (path, class)."""
    judged = []
    for label in sorted(each for each in folder.iterdir() if each.is_dir()):
        photos = sorted(path for path in label.iterdir() if path.is_file())
        random.Random(f"{seed} {label.name}").shuffle(photos)
        count = round(share * len(photos))
        judged += [(str(path), label.name) for path in photos[:count]]
        (into / label.name).mkdir(parents=True)
        for path in photos[count:]:
            try:
                os.link(path, into / label.name / path.name)
            except OSError:  # another file system
                shutil.copyfile(path, into / label.name / path.name)
    return judged


# --- ways: each yields (seconds, accuracy) and is run in a process of its own --------------------


def flowergui(folder: Path, judged: list[tuple[str, str]], minutes: float) -> Iterator[Any]:
    from flowergui import tasks
    from flowergui.config.presets import with_preset
    from flowergui.config.recipe import Recipe
    from flowergui.events import Predicted, Saved

    recipe = with_preset(Recipe(mode="transfer", model=MODEL, photos=str(folder)), "recommended")
    recipe = Recipe.from_dict({**recipe.as_dict(), "minutes": minutes})
    kept: list[tuple[float, Path]] = []
    with tempfile.TemporaryDirectory() as models:
        began = time.perf_counter()
        for event in tasks.train(recipe, models=Path(models)):
            if isinstance(event, Saved) and Path(event.path).name == "best.pth":
                at = time.perf_counter() - began
                copy = Path(models) / f"{len(kept)}" / "best.pth"
                copy.parent.mkdir()
                shutil.copyfile(event.path, copy)
                kept.append((at, copy))
                began += time.perf_counter() - began - at
        seconds = time.perf_counter() - began
        for at, copy in kept:
            right = 0
            told = tasks.predict(copy, [path for path, _ in judged])
            for event, (_, label) in zip(told, judged, strict=True):
                right += isinstance(event, Predicted) and event.predictions[0].name == label
            yield at, right / len(judged)
    yield seconds


def network(classes: int) -> Any:
    """efficientnet_lite0 with its ImageNet weights and a new head."""
    from flowergui.learning.models import weights
    from flowergui.learning.models.build import build

    loading = weights.load(MODEL, "imagenet")
    try:
        while True:
            next(loading)
    except StopIteration as end:
        pretrained = end.value
    net = build(MODEL, classes, SIZE)
    weights.load_pretrained(net, pretrained, MODEL)
    return net, pretrained.mean, pretrained.std


def tutorial(folder: Path, judged: list[tuple[str, str]], minutes: float) -> Iterator[Any]:
    import torch
    from PIL import Image
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    began = time.perf_counter()
    data = ImageFolder(str(folder))
    net, mean, std = network(len(data.classes))
    look = transforms.Compose(
        [transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), transforms.Normalize(mean, std)]
    )
    data.transform = look
    for name, parameter in net.named_parameters():
        parameter.requires_grad = name.startswith("fc.")
    optimizer = torch.optim.Adam(net.fc.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)
    epoch_seconds = 0.0
    for _ in range(30):
        at = time.perf_counter()
        if at - began + epoch_seconds > 60 * minutes:
            break
        net.train()
        for images, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()
        schedule.step()
        epoch_seconds = time.perf_counter() - at
        seconds = time.perf_counter() - began
        net.eval()
        right = 0
        with torch.inference_mode():
            for path, label in judged:
                with Image.open(path) as picture:
                    logits = net(look(picture.convert("RGB"))[None])
                right += data.classes[int(logits.argmax())] == label
        yield seconds, right / len(judged)
        began += time.perf_counter() - began - seconds
    yield time.perf_counter() - began


def fastai(folder: Path, judged: list[tuple[str, str]], minutes: float) -> Iterator[Any]:
    from fastai.vision.all import (
        Callback,
        CrossEntropyLossFlat,
        ImageDataLoaders,
        Learner,
        Normalize,
        RandomResizedCrop,
        accuracy,
        aug_transforms,
        create_head,
        nn,
        params,
        torch,
    )

    began = time.perf_counter()
    classes = len(list(folder.iterdir()))
    net, mean, std = network(classes)
    body = nn.Sequential(net.stem, net.stages, net.last_conv)
    dls = ImageDataLoaders.from_folder(
        folder, valid_pct=0.2, seed=0, bs=BATCH, num_workers=0,
        item_tfms=RandomResizedCrop(SIZE, min_scale=0.5),
        batch_tfms=[*aug_transforms(), Normalize.from_stats(mean, std)],
    )  # fmt: skip

    def learner() -> Any:
        model = nn.Sequential(body, create_head(1280, classes))
        made = Learner(
            dls, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy,
            splitter=lambda m: [params(m[0]), params(m[1])],
        )  # fmt: skip
        made.freeze()
        return made

    images, labels = (each.as_subclass(torch.Tensor) for each in dls.train.one_batch())
    model = nn.Sequential(body, create_head(1280, classes))
    times = []
    for _ in range(3):  # how long an epoch takes, on steps that are forgotten
        at = time.perf_counter()
        nn.functional.cross_entropy(model(images), labels).backward()
        dls.train.one_batch()
        times.append(time.perf_counter() - at)
    weights, _, _ = network(classes)
    net.load_state_dict(weights.state_dict())
    net.zero_grad()
    epoch = min(times) * len(dls.train) * 1.15  # and its validation
    epochs = max(round((60 * minutes - (time.perf_counter() - began)) / epoch) - 1, 1)
    points: list[tuple[float, float]] = []
    clock = {"began": began}

    class Judge(Callback):  # type: ignore[misc]
        def after_epoch(self) -> None:
            at = time.perf_counter()
            test = dls.test_dl([Path(path) for path, _ in judged])
            self.model.eval()
            right = place = 0
            with torch.inference_mode():
                for (batch,) in test:
                    for answer in self.model(batch).argmax(1).tolist():
                        right += dls.vocab[answer] == judged[place][1]
                        place += 1
            points.append((at - clock["began"], right / len(judged)))
            clock["began"] += time.perf_counter() - at

    with_judge = learner()
    with_judge.add_cb(Judge())
    with with_judge.no_bar(), with_judge.no_logging():
        with_judge.fine_tune(epochs)
    yield from points
    yield time.perf_counter() - clock["began"]


WAYS: dict[str, Callable[[Path, list[tuple[str, str]], float], Iterator[Any]]] = {
    "tutorial": tutorial,
    "fastai": fastai,
    "flowergui": flowergui,
}


# --- all of them ------------------------------------------------------------------------------


def measured(way: str, folder: Path, seed: int, share: float, minutes: float) -> Result:
    """Runs a way in a process of its own."""
    with tempfile.TemporaryDirectory() as here:
        judged = divided(folder, seed, share, Path(here) / "photos")
        (Path(here) / "judged.json").write_text(json.dumps(judged), "utf-8")
        command = [sys.executable, __file__, str(here), "--once", way, "--minutes", str(minutes)]
        cache = {"FLOWERGUI_CACHE": str(Path(here) / "cache")}
        run = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **cache}
        )
    if run.returncode:
        sys.exit(run.stderr)
    *points, seconds = json.loads(run.stdout.splitlines()[-1])
    return Result(tuple((at, accuracy) for at, accuracy in points), seconds)


def interval(share: float, count: int) -> tuple[float, float]:
    """The 95% interval of an observed share (Wilson)."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count**2)) ** 0.5
    return middle - half, middle + half


def report(way: str, minutes: float, results: list[Result], judged: int) -> None:
    """A line of the table."""
    accuracies = [each.accuracy for each in results]
    mean = statistics.mean(accuracies)
    low, high = interval(mean, judged * len(results))
    reached = []
    for level in LEVELS:
        times = [each.until(level) for each in results]
        known = [each for each in times if each is not None]
        text = f"{statistics.median(known):.0f} s" if len(known) == len(times) else "-"
        reached.append(f"{level:.0%} {text}")
    print(
        f"  {way:<10} {minutes:>4g} min  {mean:6.1%} ({min(accuracies):.1%} to "
        f"{max(accuracies):.1%}; 95%: {low:.1%} to {high:.1%})  "
        f"{statistics.median(each.seconds for each in results):5.0f} s   {', '.join(reached)}",
        flush=True,
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--minutes", nargs="+", type=float, default=[1, 5, 20])
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--judged", type=float, default=1 / 3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[*WAYS])
    parser.add_argument("--once", choices=WAYS, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.once:
        (here,) = wanted.folders
        judged = [tuple(each) for each in json.loads((here / "judged.json").read_text("utf-8"))]
        print(json.dumps(list(WAYS[wanted.once](here / "photos", judged, *wanted.minutes))))
        return
    ways = [way for way in wanted.ways if way != "fastai" or find_spec("fastai")]
    if "fastai" in wanted.ways and "fastai" not in ways:
        print("fastai is not installed, and is left out")
    for folder in wanted.folders:
        with tempfile.TemporaryDirectory() as here:
            count = len(divided(folder, 0, wanted.judged, Path(here) / "photos"))
        print(f"{folder.name}: {count} images judge, {wanted.splits} splits")
        for minutes in wanted.minutes:
            results: dict[str, list[Result]] = {way: [] for way in ways}
            for seed in range(wanted.splits):
                for way in ways:
                    results[way].append(measured(way, folder, seed, wanted.judged, minutes))
            for way in ways:
                report(way, minutes, results[way], count)


if __name__ == "__main__":
    main()
