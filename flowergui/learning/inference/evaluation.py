"""Checkpoint + photos whose classes are known -> how often it is right, and where it is not."""

from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from flowergui.confusion_matrix import (
    ConfusionMatrix,
    by_confidence,
)
from flowergui.errors import FlowerError
from flowergui.events import (
    Evaluated,
    Event,
    PhotoEvaluated,
    Preparing,
)
from flowergui.facts import (
    Problem,
)
from flowergui.learning.data import augmentation, batches, leakage, photos
from flowergui.learning.data.batches import ImageDataset
from flowergui.learning.data.leakage import Row
from flowergui.learning.data.photos import Photo
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.inference import predictor
from flowergui.learning.inference.predictor import Predictor
from flowergui.store.run_folder import RunFolder
from flowergui.text import (
    shortened,
)

AT_A_TIME = 32
"""Photos that go through the network together: few, for a training may go on beside it."""

MAX_CONFIDENT_ERRORS = 10
"""Most single mistakes that are told at the end."""

TOP_K = 5


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The photos to judge, their classes as the network knows them, and what was left out: how
    many it has `learned` from, and the classes that are `strangers` to it."""

    folder: Path
    photos: tuple[Photo, ...]
    learned: int | None
    strangers: tuple[str, ...]


def evaluate(source: Path, folder: Path | None) -> Iterator[Event]:
    """Evaluates a checkpoint, or a run folder's best, on photos that it was not trained on.

    The photos are those in `folder`, by default those of its run. Yields PhotoEvaluated for each
    photo, Preparing between them, and at last Evaluated. Of a folder that has a part for
    validation or test, that part is taken.

    The network computes in the precision in which it was validated, and is as good on the same
    photos. Nothing is drawn at random, so a training beside it goes on the same. Raises FlowerError
    where the checkpoint can't answer, where there are no photos to ask it for, and where there is
    not enough memory.
    """
    path = RunFolder(source).checkpoint_to_use() if source.is_dir() else source
    asked_one = predictor.load(path)
    asked = yield from _asked(path, folder, asked_one.classes)
    tally, problems, loss, among = ConfusionMatrix(), list[Problem](), 0.0, 0
    surest: list[PhotoEvaluated] = []
    total = len(asked.photos)
    for batch, logits in _answers(asked_one, asked):
        problems += batch.failed
        if batch.indices:
            labels = batch.labels
            loss += functional.cross_entropy(logits, labels, reduction="sum").item()
            top = logits.topk(min(TOP_K, len(asked_one.classes))).indices
            among += int((top == labels[:, None]).any(1).sum())
            told = list(_evaluated(asked_one, asked, batch.indices, logits, path))
            for judged in told:
                tally.add(judged)
                yield judged
            mistakes = [judged for judged in told if not judged.correct]
            surest = by_confidence([*surest, *mistakes])[:MAX_CONFIDENT_ERRORS]
        yield Preparing("Judging photos", tally.photos + len(problems), total)
    if not tally.photos:
        raise FlowerError(
            f"No photo in {asked.folder} can be read ({problems[0].path}: {problems[0].reason})."
        )
    yield Evaluated(
        checkpoint=str(path),
        epoch=asked_one.epoch,
        folder=str(asked.folder),
        photos=tally.photos,
        accuracy=tally.accuracy,
        top5=among / tally.photos if len(asked_one.classes) > 2 * TOP_K else None,
        loss=loss / tally.photos,
        classes=tuple(tally.score(name) for name in asked_one.classes),
        confusions=tally.confusions(),
        most_confident_errors=tuple(surest),
        problems=tuple(problems),
        trained_on=asked.learned,
        unknown_classes=asked.strangers,
    )


# --- which photos -----------------------------------------------------------------------------


def _asked(
    path: Path, folder: Path | None, classes: tuple[str, ...]
) -> Generator[Preparing, None, EvaluationSet]:
    """Raises FlowerError where there are none."""
    run = RunFolder(path.parent)
    if folder is None:
        if not run.exists():
            raise FlowerError(
                f"{path.name} is in no run's folder: nobody knows what it has not learned from.",
                hint="Name a folder of photos, one subfolder a class.",
            )
        folder = Path(run.recipe().photos)
        apart = yield from leakage.validation_photos(run, folder)
        if not apart.unseen:
            raise FlowerError(
                "This run has held back no photos.",
                hint="Name a folder of photos that it has not learned from.",
            )
        return _known(folder, apart.unseen, classes, apart.trained_on)
    listed = yield from photos.listing(folder)
    if not listed:
        raise FlowerError(
            f"There are no photos in {folder}.",
            hint="Put the photos of each class into a subfolder with the name of the class.",
        )
    validation = [row[:2] for row in listed if row[2] == "validation"]
    rows = validation or [row[:2] for row in listed]
    if not run.exists():
        return _known(folder, rows, classes, None)
    apart = yield from leakage.unseen_photos(run, folder, rows)
    if not apart.unseen:
        raise FlowerError(
            f"The network has learned from every photo in {folder}.",
            hint="Name a folder of photos that are new to it.",
        )
    return _known(folder, apart.unseen, classes, apart.trained_on)


def _known(
    folder: Path, rows: list[Row], classes: tuple[str, ...], learned: int | None
) -> EvaluationSet:
    """The photos of classes that the network knows."""
    index = {name: label for label, name in enumerate(classes)}
    strangers = tuple(sorted({name for _, name in rows} - set(classes)))
    known = tuple(Photo(path, index[name]) for path, name in rows if name in index)
    if not known:
        raise FlowerError(
            f"The network knows none of the classes in {folder}: {shortened(strangers)}.",
            hint=f"It knows {shortened(classes)}.",
        )
    return EvaluationSet(folder, known, learned, strangers)


# --- what the network says of them ------------------------------------------------------------


def _answers(one: Predictor, asked: EvaluationSet) -> Iterator[tuple[batches.Batch, Tensor]]:
    """Batches, and the logits (B, classes) float32 of their photos, on the CPU."""
    device = hardware.device("auto")
    dtype = one.dtype if device.type == one.device else hardware.precision("auto", device)
    # A network of its own, as another thread may be asking that one. torch's overloads of `to`
    # leave out memory_format beside a device.
    net = deepcopy(one.net).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    album = ImageDataset(
        asked.folder, asked.photos, batches.eval_transform(one.image_size), budget=0
    )
    waiting = batches.sequential_batches(len(asked.photos), AT_A_TIME)
    workers = batches.worker_count(0, device)
    for batch in batches.iterate_batches(album, waiting, lambda pixels, _: pixels, workers, device):
        logits = torch.empty(0, len(one.classes))
        if batch.indices:
            views = transfers.send(batch.images, device)
            images = augmentation.normalize(views, one.mean, one.std)
            try:
                with torch.inference_mode(), autocast(device, dtype):
                    logits = net(images).float().cpu()
            except (RuntimeError, MemoryError) as error:
                if not hardware.out_of_memory(error):
                    raise
                raise FlowerError(
                    "There is not enough memory to judge photos now.",
                    hint="Wait until the run is over, or close other programs.",
                ) from error
        yield batch, logits


def _evaluated(
    one: Predictor, asked: EvaluationSet, indices: tuple[int, ...], logits: Tensor, path: Path
) -> Iterator[PhotoEvaluated]:
    probabilities = predictor.probabilities(logits, path)
    shares, guesses = probabilities.max(1)
    for row, (index, share, guess) in enumerate(
        zip(indices, shares.tolist(), guesses.tolist(), strict=True)
    ):
        photo = asked.photos[index]
        yield PhotoEvaluated(
            path=str(asked.folder / photo.path),
            label=one.classes[photo.label],
            predicted=one.classes[guess],
            probability=share,
            label_probability=probabilities[row, photo.label].item(),
        )
