"""Correct and wrong predictions, counted by class."""

from collections import Counter
from collections.abc import Iterable

from flowergui.events import PhotoEvaluated
from flowergui.facts import ClassScore, Confusion


class ConfusionMatrix:
    """A confusion matrix that grows with every image. It stores only pairs of classes that occur,
    so thousands of classes fit."""

    def __init__(self, photos: Iterable[PhotoEvaluated] = ()) -> None:
        self.photos = self.correct = 0
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._labels: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        for each in photos:
            self.add(each)

    def add(self, photo: PhotoEvaluated) -> None:
        """Counts one more image."""
        self.photos += 1
        self.correct += photo.correct
        self._pairs[photo.label, photo.predicted] += 1
        self._labels[photo.label] += 1
        self._predicted[photo.predicted] += 1

    @property
    def accuracy(self) -> float:
        """The share of correct predictions; 0 without images."""
        return self.correct / self.photos if self.photos else 0.0

    def count(self, label: str, predicted: str) -> int:
        """The number of images of the class `label` that were predicted as `predicted`."""
        return self._pairs[label, predicted]

    @property
    def class_count(self) -> int:
        """The number of classes that occur as a label or as a prediction."""
        return len(self._labels.keys() | self._predicted.keys())

    def names(self) -> tuple[str, ...]:
        """The classes that occur as a label or as a prediction, in alphabetical order."""
        return tuple(sorted(self._labels.keys() | self._predicted.keys()))

    def score(self, name: str) -> ClassScore:
        """Recall, precision and F1 of a class."""
        photos, predicted, correct = (
            self._labels[name],
            self._predicted[name],
            self._pairs[name, name],
        )
        return ClassScore(
            name=name,
            photos=photos,
            correct=correct,
            predicted=predicted,
            recall=correct / photos if photos else None,
            precision=correct / predicted if predicted else None,
            f1=2 * correct / (photos + predicted) if photos + predicted else None,
        )

    def confusions(self) -> tuple[Confusion, ...]:
        """The pairs of classes that were confused, the most frequent first."""
        wrong = [
            Confusion(label, predicted, photos)
            for (label, predicted), photos in self._pairs.items()
            if predicted != label
        ]
        return tuple(sorted(wrong, key=lambda each: (-each.photos, each.label, each.predicted)))


def by_confidence(photos: Iterable[PhotoEvaluated]) -> list[PhotoEvaluated]:
    """Sorts by the probability of the predicted class, the highest first, then by path."""
    return sorted(photos, key=lambda each: (-each.probability, each.path))
