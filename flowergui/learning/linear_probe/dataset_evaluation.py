"""How sure is an accuracy on all images of a folder, and would more images raise it?"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.confusion_matrix import ConfusionMatrix, by_confidence
from flowergui.errors import FlowerError
from flowergui.events import (
    CrossValidated,
    Event,
    LearningCurveEstimated,
    PhotoEvaluated,
    Warned,
)
from flowergui.learning.data.photos import Photo
from flowergui.learning.linear_probe import learning_curve
from flowergui.learning.linear_probe.backbone import (
    Backbone,
    load_backbone,
    report_out_of_memory,
)
from flowergui.learning.linear_probe.cross_validation import FOLDS, CrossValidation, cross_validate
from flowergui.learning.linear_probe.features import (
    PhotoFeatures,
    compute_features,
    cross_validated_photos,
    photo_dataset,
    sample_photos,
    scan_all,
)
from flowergui.learning.linear_probe.linear_classifier import PrincipalAxes
from flowergui.text import tr

MAX_CONFIDENT_ERRORS = 10
"""Most single errors in a result."""


def evaluate_dataset(
    folder: Path, model: str, weights: str, folds: int, device: str
) -> Iterator[Event]:
    """Cross-validates a logistic regression on the features of a network, on all images in
    `folder`, or with Warned on a sample of them, if memory limits it. Yields the events of a scan,
    Preparing, PhotoEvaluated for each image, and at last CrossValidated. Raises FlowerError."""
    if folds < 2:
        raise FlowerError(tr("At least two folds are needed."))
    probe = yield from _probe(folder, model, weights, folds, device)
    matrix, errors = ConfusionMatrix(), list[PhotoEvaluated]()
    for photo in _evaluated(probe):
        matrix.add(photo)
        if not photo.correct:
            errors.append(photo)
        yield photo
    low, high = probe.validation.interval
    yield CrossValidated(
        folder=str(folder),
        model=probe.backbone.model,
        weights=probe.backbone.weights,
        folds=probe.validation.folds,
        photos=matrix.photos,
        accuracy=matrix.accuracy,
        low=low,
        high=high,
        loss=probe.validation.loss,
        classes=tuple(matrix.score(name) for name in probe.classes),
        confusions=matrix.confusions(),
        most_confident_errors=tuple(by_confidence(errors)[:MAX_CONFIDENT_ERRORS]),
        problems=probe.known.problems,
    )


def estimate_learning_curve(folder: Path, model: str, weights: str, device: str) -> Iterator[Event]:
    """Estimates the learning curve of a logistic regression on the features of a network, on all
    images in `folder`, or with Warned on a sample of them, if memory limits it. Yields the events
    of a scan, Preparing, and LearningCurveEstimated. Raises FlowerError."""
    probe = yield from _probe(folder, model, weights, FOLDS, device)
    with report_out_of_memory(probe.backbone.model):
        curve = yield from learning_curve.estimate(
            probe.axes, probe.known.labels, len(probe.classes), probe.validation.c
        )
    yield LearningCurveEstimated(
        folder=str(folder),
        model=probe.backbone.model,
        weights=probe.backbone.weights,
        classes=probe.classes,
        points=curve.points,
        twice=curve.twice,
        gain_low=curve.gain_interval[0],
        gain_high=curve.gain_interval[1],
        problems=probe.known.problems,
    )


@dataclass(frozen=True, slots=True)
class _Probe:
    """A dataset with its features by a network, and a cross-validation on them."""

    folder: Path
    classes: tuple[str, ...]
    backbone: Backbone
    known: PhotoFeatures
    axes: PrincipalAxes
    validation: CrossValidation


def _probe(
    folder: Path, model: str, weights: str, folds: int, device: str
) -> Generator[Event, None, _Probe]:
    found, photos = yield from scan_all(folder)
    backbone = yield from load_backbone(model, weights, device)
    backbone.refuse_leakage(folder)
    class_count = len(found.classes)
    photos = yield from _sample_for_memory(photos, class_count, backbone, folds)
    dataset = photo_dataset(folder, photos, backbone.image_size)
    known = yield from compute_features(backbone, dataset)
    with report_out_of_memory(backbone.model):
        axes = PrincipalAxes.of(known.features)
        validation = yield from cross_validate(axes, known.labels, class_count, folds)
    return _Probe(folder, found.classes, backbone, known, axes, validation)


def _sample_for_memory(
    photos: Sequence[Photo], class_count: int, backbone: Backbone, folds: int
) -> Generator[Warned, None, tuple[Photo, ...]]:
    """Those of the photos that a cross-validation has memory for, and Warned if these are not all.
    Raises FlowerError if there is no memory for two of each class."""
    with report_out_of_memory(backbone.model):
        columns = backbone.columns()
    most = cross_validated_photos(photos, class_count, columns, folds)
    if len(photos) <= most:
        return tuple(photos)
    sample = sample_photos(photos, class_count, most)
    yield Warned(
        tr(
            "Cross-validating all {count} images would take too much memory: {used} of them are "
            "used, the same share of each class.",
            count=f"{len(photos):,}",
            used=f"{len(sample):,}",
        )
    )
    return sample


def _evaluated(probe: _Probe) -> Iterator[PhotoEvaluated]:
    best, predicted = probe.validation.probabilities.max(1)
    own = probe.validation.probabilities.gather(1, probe.known.labels[:, None])[:, 0]
    for photo, label, probability, label_probability in zip(
        probe.known.photos, predicted.tolist(), best.tolist(), own.tolist(), strict=True
    ):
        yield PhotoEvaluated(
            path=str(probe.folder / photo.path),
            label=probe.classes[photo.label],
            predicted=probe.classes[label],
            probability=probability,
            label_probability=label_probability,
        )
