"""The confusion matrix, held against scikit-learn's."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from flowergui.errors import FlowerError
from flowergui.events import Confusion, Judged
from flowergui.tally import Tally, by_certainty, write_csv

NAMES = ("daisy", "iris", "rose", "tulip")


def judged(label: str, guess: str, probability: float = 0.5, path: str = "a.jpg") -> Judged:
    return Judged(path, label, guess, probability, probability if guess == label else 0.1)


@pytest.fixture
def many() -> list[Judged]:
    """Of each class other shares are right; no iris is called so, and no photo shows a tulip."""
    chance = random.Random(3)
    return [
        judged(label, chance.choices(("daisy", "rose", "tulip"), weights=(5, 3, 1))[0])
        for label in chance.choices(("daisy", "iris", "rose"), k=200)
    ]


def test_scores_are_those_of_scikit_learn(many: list[Judged]) -> None:
    labels, guesses = [each.label for each in many], [each.guess for each in many]
    tally = Tally(many)
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


def test_what_would_divide_by_nothing_is_none() -> None:
    tally = Tally([judged("iris", "rose")])
    assert tally.score("iris").recall == 0.0
    assert tally.score("iris").precision is None
    assert tally.score("rose").recall is None
    assert tally.score("tulip").f1 is None
    assert Tally().accuracy == 0.0


def test_mistakes_come_by_their_number() -> None:
    pairs = [("rose", "tulip"), ("iris", "rose"), ("rose", "tulip"), ("rose", "rose")]
    pairs += [("daisy", "iris")]
    assert Tally(judged(*pair) for pair in pairs).confusions() == (
        Confusion("rose", "tulip", 2),
        Confusion("daisy", "iris", 1),
        Confusion("iris", "rose", 1),
    )


def test_the_surest_come_first() -> None:
    one, two = judged("rose", "iris", 0.6, "b.jpg"), judged("rose", "iris", 0.6, "a.jpg")
    three = judged("rose", "rose", 0.9, "c.jpg")
    assert by_certainty([one, two, three]) == [three, two, one]


def test_a_table_for_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    odd = b"rose/\xff.jpg".decode("utf-8", "surrogateescape")  # a name that is no UTF-8
    write_csv(
        path, [judged("rose", "réséda, jaune", 0.75, "a.jpg"), judged("iris", "iris", 1, odd)]
    )
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # so that Excel reads UTF-8
    assert b"rose/\xff.jpg" in raw
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["label"], first["guess"], first["right"]) == ("rose", "réséda, jaune", "0")
    assert (float(first["probability"]), float(first["label_probability"])) == (0.75, 0.1)
    assert (second["path"], second["right"]) == (odd, "1")


def test_a_table_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=r"table\.csv can't be written: No such file"):
        write_csv(tmp_path / "none" / "table.csv", [])
