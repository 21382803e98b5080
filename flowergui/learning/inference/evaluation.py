"""Checkpoint + photos whose classes are known -> accuracy, confusion matrix, errors."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.nn import functional

from flowergui.confusion_matrix import ConfusionMatrix, by_confidence
from flowergui.errors import FlowerError
from flowergui.events import Evaluated, Event, PhotoEvaluated, Preparing, Warned
from flowergui.facts import Problem
from flowergui.learning.data import leakage
from flowergui.learning.data.leakage import Row
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.scan import list_folder
from flowergui.learning.inference.batch_inference import BatchInference
from flowergui.learning.inference.predictor import (
    Predictor,
    checkpoint_of,
    device_for,
    load,
    probabilities,
)
from flowergui.store.run_folder import RunFolder
from flowergui.text import one_line, shortened, tr
from flowergui.wording import left_out_text

MAX_CONFIDENT_ERRORS = 10
"""Most single errors in the result."""

TOP_K = 5


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The photos to evaluate on, with labels as the network has them, and what was left out: how
    many it was `trained_on` (None if that is unknown), and the `unknown_classes`."""

    folder: Path
    photos: tuple[Photo, ...]
    trained_on: int | None
    unknown_classes: tuple[str, ...]


def evaluate(source: Path, folder: Path | None, device: str = "") -> Iterator[Event]:
    """Evaluates a checkpoint, or a run folder's best, on photos that it was not trained on.

    The photos are those in `folder`, by default those of its run; if that has a split for
    validation or test, those in it. Yields Warned for what is left out, PhotoEvaluated for each
    photo, Preparing between them, and at last Evaluated. `device` is as in `device_for`.

    No random numbers are drawn, so that a run that trains beside it is not affected. Raises
    FlowerError if the checkpoint can't be used, if there are no photos to evaluate on, and if
    memory is short.
    """
    path = checkpoint_of(source)
    predictor = load(path)
    chosen = yield from _evaluation_set(path, folder, predictor.classes)
    inference = BatchInference(predictor, device_for(predictor, device))
    matrix, problems, loss, in_top_k = ConfusionMatrix(), list[Problem](), 0.0, 0
    errors: list[PhotoEvaluated] = []
    total = len(chosen.photos)
    for _, batch, logits in inference.iterate(chosen.folder, chosen.photos):
        problems += batch.failed
        if batch.indices:
            labels = batch.labels
            loss += functional.cross_entropy(logits, labels, reduction="sum").item()
            top = logits.topk(min(TOP_K, len(predictor.classes))).indices
            in_top_k += int((top == labels[:, None]).any(1).sum())
            for photo in _evaluated(predictor, chosen, batch.indices, logits, path):
                matrix.add(photo)
                if not photo.correct:
                    errors.append(photo)
                yield photo
            errors = by_confidence(errors)[:MAX_CONFIDENT_ERRORS]
        yield Preparing(tr("Evaluating images"), matrix.photos + len(problems), total)
    if not matrix.photos:
        raise FlowerError(
            tr(
                "No image in {folder} can be read ({path}: {reason}).",
                folder=chosen.folder,
                path=one_line(problems[0].path),
                reason=problems[0].reason.rstrip("."),
            )
        )
    yield Evaluated(
        checkpoint=str(path),
        epoch=predictor.epoch,
        folder=str(chosen.folder),
        photos=matrix.photos,
        accuracy=matrix.accuracy,
        top5=in_top_k / matrix.photos if len(predictor.classes) > 2 * TOP_K else None,
        loss=loss / matrix.photos,
        classes=tuple(matrix.score(name) for name in predictor.classes),
        confusions=matrix.confusions(),
        most_confident_errors=tuple(errors),
        problems=tuple(problems),
        trained_on=chosen.trained_on,
        unknown_classes=chosen.unknown_classes,
    )


# --- which photos -----------------------------------------------------------------------------


def _evaluation_set(
    path: Path, folder: Path | None, classes: tuple[str, ...]
) -> Generator[Preparing | Warned, None, EvaluationSet]:
    """Raises FlowerError if there are none."""
    run = RunFolder(path.parent)
    if folder is None:
        if not run.exists():
            raise FlowerError(
                tr(
                    "{checkpoint} is not in a run folder, so its validation set is unknown.",
                    checkpoint=path.name,
                ),
                hint=tr("Name a folder of images, one subfolder a class."),
            )
        folder = Path(run.recipe().photos)
        split = yield from leakage.validation_photos(run, folder)
        if not split.unseen:
            raise FlowerError(
                tr("This run has no validation set."),
                hint=tr("Name a folder of images that it was not trained on."),
            )
        return _of_known_classes(folder, split.unseen, classes, split.trained_on)
    found = yield from list_folder(folder, classes)
    for problem in found.problems:
        yield Warned(tr("Left out: {problem}.", problem=left_out_text(problem)))
    listed = found.rows()
    if not listed:
        raise FlowerError(
            tr("There are no images in {folder}.", folder=folder),
            hint=tr("Put the images of each class into a subfolder with the name of the class."),
        )
    validation = [row[:2] for row in listed if row[2] == "validation"]
    rows = validation or [row[:2] for row in listed]
    if not run.exists():
        return _of_known_classes(folder, rows, classes, None)
    split = yield from leakage.unseen_photos(run, folder, rows)
    if not split.unseen:
        raise FlowerError(
            tr("The network was trained on every image in {folder}.", folder=folder),
            hint=tr("Name a folder of images that are new to it."),
        )
    return _of_known_classes(folder, split.unseen, classes, split.trained_on)


def _of_known_classes(
    folder: Path, rows: list[Row], classes: tuple[str, ...], trained_on: int | None
) -> EvaluationSet:
    """The photos of classes that the network knows. Raises FlowerError if there are none."""
    index = {name: label for label, name in enumerate(classes)}
    unknown = tuple(sorted({name for _, name in rows} - set(classes)))
    known = tuple(Photo(path, index[name]) for path, name in rows if name in index)
    if not known:
        raise FlowerError(
            tr(
                "The network knows none of the classes in {folder}: {classes}.",
                folder=folder,
                classes=shortened(unknown),
            ),
            hint=tr("It knows {classes}.", classes=shortened(classes)),
        )
    return EvaluationSet(folder, known, trained_on, unknown)


# --- predictions ------------------------------------------------------------------------------


def _evaluated(
    predictor: Predictor,
    chosen: EvaluationSet,
    indices: tuple[int, ...],
    logits: Tensor,
    path: Path,
) -> Iterator[PhotoEvaluated]:
    shares = probabilities(logits, path)
    best, labels = shares.max(1)
    for row, (index, probability, label) in enumerate(
        zip(indices, best.tolist(), labels.tolist(), strict=True)
    ):
        photo = chosen.photos[index]
        yield PhotoEvaluated(
            path=str(chosen.folder / photo.path),
            label=predictor.classes[photo.label],
            predicted=predictor.classes[label],
            probability=probability,
            label_probability=shares[row, photo.label].item(),
        )
