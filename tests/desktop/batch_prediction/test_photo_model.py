"""Many photos as rows: filtered, sorted, and filled while they are predicted."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from flowergui.desktop.batch_prediction.photo_filter import ALL, PhotoFilter, PhotoGroup
from flowergui.desktop.batch_prediction.photo_model import _SORT_KEYS, PhotoColumn, PhotoModel
from flowergui.events import Predicted, PredictionFailed
from flowergui.facts import Prediction

UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
PATHS = ("/m/b.jpg", "/m/c.jpg", "/t/A.jpg", "/t/torn.jpg")


def predicted(path: str, label: str, probability: float) -> Predicted:
    predictions = (Prediction(label, probability), Prediction("other", 1 - probability))
    return Predicted(path, predictions, "best.pth", 1)


EVENTS = (
    predicted(PATHS[0], "tulip", 0.9),
    predicted(PATHS[1], "rose", 0.5),
    predicted(PATHS[2], "rose", 0.95),
    PredictionFailed(PATHS[3], "torn.jpg can't be read: it is damaged."),
)


@pytest.fixture
def model(qapp) -> PhotoModel:
    made = PhotoModel()
    made.tester = QAbstractItemModelTester(  # type: ignore[attr-defined]
        made, QAbstractItemModelTester.FailureReportingMode.Warning
    )
    made.show_photos(PATHS)
    return made


def shown(model: PhotoModel) -> list[str]:
    return [model.index(row, PhotoColumn.PHOTO).data() for row in range(model.rowCount())]


def row_texts(model: PhotoModel, row: int) -> list[str]:
    return [model.index(row, column).data() for column in PhotoColumn]


def test_photos_are_there_before_they_are_predicted(model: PhotoModel) -> None:
    assert shown(model) == ["b.jpg", "c.jpg", "A.jpg", "torn.jpg"]
    assert row_texts(model, 0) == ["b.jpg", "…", "", ""]
    model.put(EVENTS)
    assert row_texts(model, 0) == ["b.jpg", "tulip", "90%", "other, 10%"]
    assert row_texts(model, 1) == ["c.jpg", "rose ?", "50%", "other, 50%"]
    assert row_texts(model, 3) == [
        *("torn.jpg", "can't be read", "", "torn.jpg can't be read: it is damaged."),
    ]
    assert model.predicted_rows == 3


def test_each_photo_is_in_one_group(model: PhotoModel) -> None:
    model.put(EVENTS[:2])
    wanted = {
        (PhotoGroup.CLASS, "tulip"): 1,
        (PhotoGroup.UNSURE, ""): 1,
        (PhotoGroup.WAITING, ""): 2,
    }
    assert +model.counts == wanted
    model.put(EVENTS[2:])
    assert +model.counts == PhotoFilter().counts(model.photos)
    model.set_filter(PhotoFilter(unsure_below=0.96))
    assert +model.counts == {(PhotoGroup.UNSURE, ""): 3, (PhotoGroup.UNREADABLE, ""): 1}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (PhotoFilter((PhotoGroup.CLASS, "rose")), ["A.jpg"]),
        (PhotoFilter((PhotoGroup.CLASS, "rose"), unsure_below=0.5), ["c.jpg", "A.jpg"]),
        (PhotoFilter((PhotoGroup.UNSURE, "")), ["c.jpg"]),
        (PhotoFilter((PhotoGroup.UNREADABLE, "")), ["torn.jpg"]),
        (PhotoFilter(name="a."), ["A.jpg"]),
        (PhotoFilter(ALL, "m/"), []),
    ],
)
def test_a_filter(model: PhotoModel, wanted: PhotoFilter, names: list[str]) -> None:
    model.put(EVENTS)
    model.set_filter(wanted)
    assert shown(model) == names
    model.set_filter(PhotoFilter())
    assert len(shown(model)) == 4


def test_photos_that_a_filter_accepts_come_while_they_are_predicted(model: PhotoModel) -> None:
    model.set_filter(PhotoFilter((PhotoGroup.CLASS, "rose"), unsure_below=0.1))
    assert shown(model) == []
    model.put(EVENTS[2:])
    model.put(EVENTS[:2])
    assert shown(model) == ["A.jpg", "c.jpg"]  # none moves
    assert model.predicted_rows == 2
    assert [model.row_of(path) for path in PATHS] == [-1, 1, 0, -1]
    model.rearrange()
    assert shown(model) == ["c.jpg", "A.jpg"]


@pytest.mark.parametrize(
    ("column", "order", "names"),
    [
        (PhotoColumn.PHOTO, UP, ["A.jpg", "b.jpg", "c.jpg", "torn.jpg"]),
        (PhotoColumn.PHOTO, DOWN, ["torn.jpg", "c.jpg", "b.jpg", "A.jpg"]),
        (PhotoColumn.PREDICTED, UP, ["A.jpg", "c.jpg", "b.jpg", "torn.jpg"]),
        (PhotoColumn.PROBABILITY, UP, ["c.jpg", "b.jpg", "A.jpg", "torn.jpg"]),
        (PhotoColumn.PROBABILITY, DOWN, ["A.jpg", "b.jpg", "c.jpg", "torn.jpg"]),
    ],
)
def test_a_column_sorts(
    model: PhotoModel, column: PhotoColumn, order: Qt.SortOrder, names: list[str]
) -> None:
    """What has no prediction comes last, whichever way."""
    model.put(EVENTS)
    model.sort(column, order)
    assert shown(model) == names
    model.sort(-1, UP)
    assert shown(model) == ["b.jpg", "c.jpg", "A.jpg", "torn.jpg"]


def test_heatmaps_stay_until_another_network_predicts(model: PhotoModel) -> None:
    model.put(EVENTS)
    model.put_not_explained(PATHS[0], "no heatmaps")
    model.put(EVENTS[:1])
    photo = model.photo(PATHS[0])
    assert photo is not None
    assert photo.why_not == "no heatmaps"
    model.put([predicted(PATHS[0], "rose", 0.7)])
    photo = model.photo(PATHS[0])
    assert photo is not None
    assert photo.why_not == ""
    assert model.predicted_rows == 3


def test_second_classes_sort_by_name_then_by_probability() -> None:
    events = [
        Predicted(path, (Prediction("rose", 0.5), Prediction(name, share)), "best.pth", 1)
        for path, name, share in (("a", "tulip", 0.1), ("b", "tulip", 0.12), ("c", "daisy", 0.2))
    ]
    key = _SORT_KEYS[PhotoColumn.SECOND]
    assert [event.path for event in sorted(events, key=key)] == ["c", "b", "a"]
