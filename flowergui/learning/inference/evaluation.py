"""Checkpoint + photos whose classes are known -> how often it is right, and where it is not."""

from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from flowergui.confusion_matrix import Tally, by_certainty, few
from flowergui.errors import FlowerError
from flowergui.events import Evaluated, Event, Judged, Preparing, Problem
from flowergui.learning.data import augmentation, batches, leakage, photos
from flowergui.learning.data.batches import Album
from flowergui.learning.data.leakage import Row
from flowergui.learning.data.photos import Photo
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.inference import predictor
from flowergui.learning.inference.predictor import Predictor
from flowergui.store.run_folder import RunFolder

AT_A_TIME = 32
"""Photos that go through the network together: few, for a training may go on beside it."""

SUREST = 10
"""Most single mistakes that are told at the end."""

TOP = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """The photos to judge, their classes as the network knows them, and what was left out: how
    many it has `learned` from, and the classes that are `strangers` to it."""

    folder: Path
    photos: tuple[Photo, ...]
    learned: int | None
    strangers: tuple[str, ...]


def evaluate(source: Path, folder: Path | None) -> Iterator[Event]:
    """Judged for each photo, Preparing between them, and at last Evaluated: by a checkpoint of
    ours, or by a run folder's best, on the photos in `folder` (by default, those of its run) that
    it has not learned from. A folder with a part for validation or test is asked for that part.

    The network computes in the precision in which it was validated, and is as good on the same
    photos. Nothing is drawn at random, so a training beside it goes on the same. Raises FlowerError
    where the checkpoint can't answer, where there are no photos to ask it for, and where there is
    not enough memory.
    """
    path = RunFolder(source).answering() if source.is_dir() else source
    asked_one = predictor.load(path)
    asked = yield from _asked(path, folder, asked_one.classes)
    tally, problems, loss, among = Tally(), list[Problem](), 0.0, 0
    surest: list[Judged] = []
    total = len(asked.photos)
    for batch, logits in _answers(asked_one, asked):
        problems += batch.lost
        if batch.indices:
            labels = batch.labels
            loss += functional.cross_entropy(logits, labels, reduction="sum").item()
            top = logits.topk(min(TOP, len(asked_one.classes))).indices
            among += int((top == labels[:, None]).any(1).sum())
            told = list(_judged(asked_one, asked, batch.indices, logits, path))
            for judged in told:
                tally.add(judged)
                yield judged
            mistakes = [judged for judged in told if not judged.right]
            surest = by_certainty([*surest, *mistakes])[:SUREST]
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
        top5=among / tally.photos if len(asked_one.classes) > 2 * TOP else None,
        loss=loss / tally.photos,
        classes=tuple(tally.score(name) for name in asked_one.classes),
        confusions=tally.confusions(),
        surest=tuple(surest),
        problems=tuple(problems),
        learned=asked.learned,
        strangers=asked.strangers,
    )


# --- which photos -----------------------------------------------------------------------------


def _asked(
    path: Path, folder: Path | None, classes: tuple[str, ...]
) -> Generator[Preparing, None, Asked]:
    """Raises FlowerError where there are none."""
    run = RunFolder(path.parent)
    if folder is None:
        if not run.is_one():
            raise FlowerError(
                f"{path.name} is in no run's folder: nobody knows what it has not learned from.",
                hint="Name a folder of photos, one subfolder a class.",
            )
        folder = Path(run.recipe().photos)
        apart = yield from leakage.held_back(run, folder)
        if not apart.new:
            raise FlowerError(
                "This run has held back no photos.",
                hint="Name a folder of photos that it has not learned from.",
            )
        return _known(folder, apart.new, classes, apart.learned)
    listed = yield from photos.listing(folder)
    if not listed:
        raise FlowerError(
            f"There are no photos in {folder}.",
            hint="Put the photos of each class into a subfolder with the name of the class.",
        )
    validation = [row[:2] for row in listed if row[2] == "validation"]
    rows = validation or [row[:2] for row in listed]
    if not run.is_one():
        return _known(folder, rows, classes, None)
    apart = yield from leakage.new_among(run, folder, rows)
    if not apart.new:
        raise FlowerError(
            f"The network has learned from every photo in {folder}.",
            hint="Name a folder of photos that are new to it.",
        )
    return _known(folder, apart.new, classes, apart.learned)


def _known(folder: Path, rows: list[Row], classes: tuple[str, ...], learned: int | None) -> Asked:
    """The photos of classes that the network knows."""
    index = {name: label for label, name in enumerate(classes)}
    strangers = tuple(sorted({name for _, name in rows} - set(classes)))
    known = tuple(Photo(path, index[name]) for path, name in rows if name in index)
    if not known:
        raise FlowerError(
            f"The network knows none of the classes in {folder}: {few(strangers)}.",
            hint=f"It knows {few(classes)}.",
        )
    return Asked(folder, known, learned, strangers)


# --- what the network says of them ------------------------------------------------------------


def _answers(one: Predictor, asked: Asked) -> Iterator[tuple[batches.Batch, Tensor]]:
    """Batches, and the logits (B, classes) float32 of their photos, on the CPU."""
    device = hardware.device("auto")
    dtype = one.dtype if device.type == one.device else hardware.precision("auto", device)
    # A network of its own, as another thread may be asking that one. torch's overloads of `to`
    # leave out memory_format beside a device.
    net = deepcopy(one.net).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    album = Album(asked.folder, asked.photos, batches.for_looking(one.image_size), budget=0)
    waiting = batches.in_order(len(asked.photos), AT_A_TIME)
    workers = batches.workers(0, device)
    for batch in batches.load(album, waiting, lambda pixels, _: pixels, workers, device):
        logits = torch.empty(0, len(one.classes))
        if batch.indices:
            views = transfers.send(batch.views, device)
            images = augmentation.normalise(views, one.mean, one.std)
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


def _judged(
    one: Predictor, asked: Asked, indices: tuple[int, ...], logits: Tensor, path: Path
) -> Iterator[Judged]:
    probabilities = predictor.probabilities(logits, path)
    shares, guesses = probabilities.max(1)
    for row, (index, share, guess) in enumerate(
        zip(indices, shares.tolist(), guesses.tolist(), strict=True)
    ):
        photo = asked.photos[index]
        yield Judged(
            path=str(asked.folder / photo.path),
            label=one.classes[photo.label],
            guess=one.classes[guess],
            probability=share,
            label_probability=probabilities[row, photo.label].item(),
        )
