"""The confusion matrix, compared with that of scikit-learn."""

import random

import numpy as np
import pytest
from sklearn import metrics

from flowergui.confusion_matrix import ConfusionMatrix, by_confidence
from flowergui.events import PhotoEvaluated
from flowergui.facts import Confusion
from flowergui.text import shortened

NAMES = ("daisy", "iris", "rose", "tulip")


def judged(label: str, guess: str, probability: float = 0.5, path: str = "a.jpg") -> PhotoEvaluated:
    return PhotoEvaluated(path, label, guess, probability, probability if guess == label else 0.1)


@pytest.fixture
def many() -> list[PhotoEvaluated]:
    """Of each class other shares are right; no iris is called so, and no photo shows a tulip."""
    chance = random.Random(3)
    return [
        judged(label, chance.choices(("daisy", "rose", "tulip"), weights=(5, 3, 1))[0])
        for label in chance.choices(("daisy", "iris", "rose"), k=200)
    ]


def test_scores_are_those_of_scikit_learn(many: list[PhotoEvaluated]) -> None:
    labels, guesses = [each.label for each in many], [each.predicted for each in many]
    tally = ConfusionMatrix(many)
    theirs = metrics.precision_recall_fscore_support(
        labels, guesses, labels=NAMES, zero_division=np.nan
    )
    ours = [tally.score(name) for name in NAMES]
    for measure, expected in zip(("precision", "recall", "f1"), theirs[:3], strict=True):
        values = [getattr(score, measure) for score in ours]
        shares = [np.nan if value is None else value for value in values]
        assert shares == pytest.approx(list(expected), nan_ok=True), measure
    assert [score.photos for score in ours] == list(theirs[3])
    assert tally.accuracy == pytest.approx(metrics.accuracy_score(labels, guesses))
    matrix = [[tally.count(label, guess) for guess in NAMES] for label in NAMES]
    assert matrix == metrics.confusion_matrix(labels, guesses, labels=NAMES).tolist()


def test_a_division_by_zero_gives_none() -> None:
    tally = ConfusionMatrix([judged("iris", "rose")])
    assert tally.score("iris").recall == 0.0
    assert tally.score("iris").precision is None
    assert tally.score("rose").recall is None
    assert tally.score("tulip").f1 is None
    assert ConfusionMatrix().accuracy == 0.0


def test_confusions_are_sorted_by_their_number() -> None:
    pairs = [("rose", "tulip"), ("iris", "rose"), ("rose", "tulip"), ("rose", "rose")]
    pairs += [("daisy", "iris")]
    assert ConfusionMatrix(judged(*pair) for pair in pairs).confusions() == (
        Confusion("rose", "tulip", 2),
        Confusion("daisy", "iris", 1),
        Confusion("iris", "rose", 1),
    )


def test_the_most_confident_come_first() -> None:
    one, two = judged("rose", "iris", 0.6, "b.jpg"), judged("rose", "iris", 0.6, "a.jpg")
    three = judged("rose", "rose", 0.9, "c.jpg")
    assert by_confidence([one, two, three]) == [three, two, one]


def test_a_long_list_of_names_is_shortened() -> None:
    assert shortened(("a", "b")) == "a, b"
    assert shortened(tuple("abcdefghij")) == "a, b, c, d, e, f, g, h and 2 more"
