"""Evaluated photos, by true and predicted class."""

from collections.abc import Iterable

from flowergui.confusion_matrix import ConfusionMatrix, by_confidence
from flowergui.events import PhotoEvaluated
from flowergui.text import percent, tr, trn

Choice = tuple[str | None, str | None]
"""A true and a predicted class; None stands for all others."""

ERRORS: Choice = (None, None)
"""All photos whose prediction is wrong."""


class EvaluatedPhotos:
    """All photos that were evaluated so far, in their order, and their confusion matrix."""

    def __init__(self) -> None:
        self.all: list[PhotoEvaluated] = []
        self.confusion_matrix = ConfusionMatrix()
        self._by_pair: dict[tuple[str, str], list[PhotoEvaluated]] = {}

    def add(self, photos: Iterable[PhotoEvaluated]) -> None:
        """Adds more of them."""
        for photo in photos:
            self.all.append(photo)
            self.confusion_matrix.add(photo)
            self._by_pair.setdefault((photo.label, photo.predicted), []).append(photo)

    def replace_all(self, photos: Iterable[PhotoEvaluated]) -> None:
        """These photos instead of those before."""
        self.all, self.confusion_matrix, self._by_pair = [], ConfusionMatrix(), {}
        self.add(photos)

    def chosen(self, choice: Choice) -> list[PhotoEvaluated]:
        """The photos of a choice: errors with the most confident first, correct predictions with
        the least confident first."""
        label, predicted = choice
        if label is not None and predicted is not None:
            pairs = [(label, predicted)] if (label, predicted) in self._by_pair else []
        else:
            pairs = [
                pair
                for pair in self._by_pair
                if pair[0] != pair[1] and label in (None, pair[0]) and predicted in (None, pair[1])
            ]
        photos = by_confidence(each for pair in pairs for each in self._by_pair[pair])
        return photos[::-1] if are_correct(choice) else photos


def are_correct(choice: Choice) -> bool:
    """Whether the predictions of a choice are correct."""
    label, predicted = choice
    return label is not None and label == predicted


def title(choice: Choice) -> str:
    """What is chosen: "rose predicted as tulip"."""
    label, predicted = choice
    if are_correct(choice):
        return tr("{label} predicted correctly", label=label)
    if label is not None and predicted is not None:
        return tr("{label} predicted as {predicted}", label=label, predicted=predicted)
    if label is not None:
        return tr("{label} predicted as another class", label=label)
    if predicted is not None:
        return tr("Other classes predicted as {predicted}", predicted=predicted)
    return tr("Errors")


def title_with_count(choice: Choice, count: int) -> str:
    """What is chosen, and how many photos that is: "Errors: 3 photos"."""
    return trn("{title}: {count} image", "{title}: {count} images", count, title=title(choice))


def prediction_text(photo: PhotoEvaluated) -> str:
    """What was predicted for a photo: "predicted tulip (91%), actual rose (5%)"."""
    if photo.correct:
        return tr(
            "predicted {label} ({probability}), which is correct",
            label=photo.predicted,
            probability=percent(photo.probability),
        )
    if photo.label_probability is None:
        return tr(
            "predicted {predicted} ({probability}), actual {label}",
            predicted=photo.predicted,
            probability=percent(photo.probability),
            label=photo.label,
        )
    return tr(
        "predicted {predicted} ({probability}), actual {label} ({label_probability})",
        predicted=photo.predicted,
        probability=percent(photo.probability),
        label=photo.label,
        label_probability=percent(photo.label_probability),
    )
