"""Photos that are judged, by what they show and what they are taken for."""

from collections.abc import Iterable

from flowergui.confusion_matrix import ConfusionMatrix, by_confidence
from flowergui.events import PhotoEvaluated

Choice = tuple[str | None, str | None]
"""A label and a guess; None for all of them, right ones not among them."""

ERRORS: Choice = (None, None)


class EvaluatedPhotos:
    """All that were judged so far, in their order (`all`), and counted (`tally`)."""

    def __init__(self) -> None:
        self.all: list[PhotoEvaluated] = []
        self.confusion_matrix = ConfusionMatrix()
        self._by_pair: dict[tuple[str, str], list[PhotoEvaluated]] = {}

    def add(self, judged: Iterable[PhotoEvaluated]) -> None:
        """There are more."""
        for each in judged:
            self.all.append(each)
            self.confusion_matrix.add(each)
            self._by_pair.setdefault((each.label, each.predicted), []).append(each)

    def chosen(self, choice: Choice) -> list[PhotoEvaluated]:
        """Those that are meant: mistakes the surest first, right ones the least sure."""
        label, guess = choice
        if label is not None and guess is not None:
            pairs = [(label, guess)] if (label, guess) in self._by_pair else []
        else:
            pairs = [
                pair
                for pair in self._by_pair
                if pair[0] != pair[1] and label in (None, pair[0]) and guess in (None, pair[1])
            ]
        photos = by_confidence(each for pair in pairs for each in self._by_pair[pair])
        return photos[::-1] if are_correct(choice) else photos


def are_correct(choice: Choice) -> bool:
    """Whether photos are meant that are taken for what they are."""
    label, guess = choice
    return label is not None and label == guess


def title(choice: Choice) -> str:
    """What is chosen, in words."""
    label, guess = choice
    if choice == ERRORS:
        return "Mistakes"
    if are_correct(choice):
        return f"{label}, recognised"
    return f"{label or 'Others'} taken for {guess or 'others'}"
