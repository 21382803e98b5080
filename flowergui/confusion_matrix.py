"""Right and wrong guesses, counted by class."""

from collections import Counter
from collections.abc import Iterable

from flowergui.events import (
    PhotoEvaluated,
)
from flowergui.facts import (
    ClassScore,
    Confusion,
)


class ConfusionMatrix:
    """A confusion matrix that grows with every photo. Only what was seen takes room, so that
    thousands of classes do too."""

    def __init__(self, judged: Iterable[PhotoEvaluated] = ()) -> None:
        self.photos = self.correct = 0
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._labels: Counter[str] = Counter()
        self._guesses: Counter[str] = Counter()
        for each in judged:
            self.add(each)

    def add(self, judged: PhotoEvaluated) -> None:
        """Counts one more."""
        self.photos += 1
        self.correct += judged.correct
        self._pairs[judged.label, judged.predicted] += 1
        self._labels[judged.label] += 1
        self._guesses[judged.predicted] += 1

    @property
    def accuracy(self) -> float:
        """The share that is right; 0 of nothing."""
        return self.correct / self.photos if self.photos else 0.0

    def count(self, label: str, guess: str) -> int:
        """Photos of the class `label` that were taken for `guess`."""
        return self._pairs[label, guess]

    @property
    def class_count(self) -> int:
        """How many classes photos show or are taken for."""
        return len(self._labels.keys() | self._guesses.keys())

    def names(self) -> tuple[str, ...]:
        """The classes that photos show or are taken for, by name."""
        return tuple(sorted(self._labels.keys() | self._guesses.keys()))

    def score(self, name: str) -> ClassScore:
        """How a class fared."""
        photos, guessed, right = self._labels[name], self._guesses[name], self._pairs[name, name]
        return ClassScore(
            name=name,
            photos=photos,
            correct=right,
            predicted=guessed,
            recall=right / photos if photos else None,
            precision=right / guessed if guessed else None,
            f1=2 * right / (photos + guessed) if photos + guessed else None,
        )

    def confusions(self) -> tuple[Confusion, ...]:
        """The mistakes by classes, the most frequent first."""
        wrong = [
            Confusion(label, guess, photos)
            for (label, guess), photos in self._pairs.items()
            if guess != label
        ]
        return tuple(sorted(wrong, key=lambda each: (-each.photos, each.label, each.predicted)))


def by_confidence(judged: Iterable[PhotoEvaluated]) -> list[PhotoEvaluated]:
    """The surest first; those that are equally sure by their paths."""
    return sorted(judged, key=lambda each: (-each.probability, each.path))
