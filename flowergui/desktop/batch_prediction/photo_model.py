"""Many photos as rows: those that a filter accepts, in the order that the user wants."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from flowergui.desktop.batch_prediction.photo_filter import Group, PhotoFilter, PhotoGroup
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.events import Explained, Predicted, PredictionFailed
from flowergui.text import N_, percent, tr


class PhotoColumn(IntEnum):
    """The columns of the table."""

    PHOTO = 0
    PREDICTED = 1
    PROBABILITY = 2
    SECOND = 3


_HEADS = {
    PhotoColumn.PHOTO: N_("Image"),
    PhotoColumn.PREDICTED: N_("Predicted class"),
    PhotoColumn.PROBABILITY: N_("Probability"),
    PhotoColumn.SECOND: N_("Second class"),
}

_SORT_KEYS: dict[PhotoColumn, Callable[[Predicted], Any]] = {
    PhotoColumn.PREDICTED: lambda event: (event.best.name.casefold(), -event.best.probability),
    PhotoColumn.PROBABILITY: lambda event: event.best.probability,
    PhotoColumn.SECOND: lambda event: [
        (each.name.casefold(), -each.probability) for each in event.predictions[1:2]
    ],
}


class PhotoModel(QAbstractTableModel):
    """A row for each photo that is shown. UserRole gives its PhotoAnswer.

    Photos that are predicted while a filter holds come last, and none moves: the order is made anew
    by `rearrange`.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.photos: list[PhotoAnswer] = []
        """All photos, in the order of their paths."""
        self.filter = PhotoFilter()
        """Which of them are shown."""
        self.counts: Counter[Group] = Counter()
        """How many of all photos there are in each group."""
        self.predicted_rows = 0
        """How many of the photos that are shown are predicted."""
        self._index: dict[str, int] = {}  # path -> place in `photos`
        self._rows: list[int] = []  # places in `photos`
        self._row_of: dict[int, int] = {}  # place in `photos` -> row
        self._column: int = -1
        self._order = Qt.SortOrder.AscendingOrder

    # --- what is shown --------------------------------------------------------------------

    def show_photos(self, paths: Sequence[str]) -> None:
        """Replaces all photos; nothing is known of them yet."""
        self.photos = [PhotoAnswer(path) for path in paths]
        self._index = {path: place for place, path in enumerate(paths)}
        self.counts = self.filter.counts(self.photos)
        self.rearrange()

    def put(self, events: Iterable[Predicted | PredictionFailed]) -> None:
        """More photos are predicted, or can't be read."""
        places = []
        for event in events:
            place = self._index.get(event.path)
            if place is None or self.photos[place].predicted == event:
                continue
            failure = event.reason if isinstance(event, PredictionFailed) else ""
            predicted = event if isinstance(event, Predicted) else None
            before, now = self.photos[place], PhotoAnswer(event.path, predicted, failure)
            self.photos[place] = now
            self.counts[self.filter.group_of(before)] -= 1
            self.counts[self.filter.group_of(now)] += 1
            if place in self._row_of:
                self.predicted_rows += bool(now.predicted) - bool(before.predicted)
            places.append(place)
        self._show_changed(places)

    def put_explained(self, event: Explained) -> None:
        """The heatmaps of a photo are computed, or it can have none."""
        self._replace(event.path, lambda photo: photo.with_explanation(event))

    def put_not_explained(self, path: str, why_not: str) -> None:
        """A photo that was predicted can have no heatmaps, and why."""
        self._replace(path, lambda photo: replace(photo, why_not=why_not))

    def set_filter(self, wanted: PhotoFilter) -> None:
        """Shows the photos that this filter accepts."""
        if wanted != self.filter:
            self.filter = wanted
            self.counts = wanted.counts(self.photos)
            self.rearrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts by a column; -1 for the order of the paths. What is not predicted comes last."""
        if (column, order) != (self._column, self._order):
            self._column, self._order = column, order
            self.rearrange()

    def rearrange(self) -> None:
        """Brings the photos into their order, as the filter and the column want it."""
        accepts = self.filter.accepts
        rows = self._sorted([place for place, photo in enumerate(self.photos) if accepts(photo)])
        self.beginResetModel()
        self._rows, self._row_of, self.predicted_rows = [], {}, 0
        self._append(rows)
        self.endResetModel()

    def needs_rearranging(self) -> bool:
        """Whether photos that came last belong elsewhere."""
        return self._column >= 0 or self._rows != sorted(self._rows)

    def photo(self, path: str) -> PhotoAnswer | None:
        """What is known of a photo; None if there is none of this path."""
        place = self._index.get(path)
        return None if place is None else self.photos[place]

    def row_of(self, path: str) -> int:
        """The row of a photo, from 0; -1 if it is not shown."""
        return self._row_of.get(self._index.get(path, -1), -1)

    def shown(self) -> list[PhotoAnswer]:
        """The photos of all rows, in their order."""
        return [self.photos[place] for place in self._rows]

    def _replace(self, path: str, change: Callable[[PhotoAnswer], PhotoAnswer]) -> None:
        if (place := self._index.get(path)) is not None:
            self.photos[place] = change(self.photos[place])
            self._show_changed([place])

    def _show_changed(self, places: Sequence[int]) -> None:
        known = [row for place in places if (row := self._row_of.get(place)) is not None]
        if known:
            last = len(PhotoColumn) - 1
            self.dataChanged.emit(self.index(min(known), 0), self.index(max(known), last))
        new = [
            place
            for place in places
            if place not in self._row_of and self.filter.accepts(self.photos[place])
        ]
        if new:
            start = len(self._rows)
            self.beginInsertRows(QModelIndex(), start, start + len(new) - 1)
            self._append(new)
            self.endInsertRows()

    def _append(self, places: Sequence[int]) -> None:
        self._row_of.update((place, row) for row, place in enumerate(places, len(self._rows)))
        self._rows += places
        self.predicted_rows += sum(self.photos[place].predicted is not None for place in places)

    def _sorted(self, rows: list[int]) -> list[int]:
        descending = self._order == Qt.SortOrder.DescendingOrder
        if self._column == PhotoColumn.PHOTO:
            names = {place: Path(self.photos[place].path).name.casefold() for place in rows}
            return sorted(rows, key=names.__getitem__, reverse=descending)
        key = _SORT_KEYS.get(PhotoColumn(self._column)) if self._column >= 0 else None
        if key is None:
            return rows
        predicted = [(place, self.photos[place].predicted) for place in rows]
        keys = {place: key(event) for place, event in predicted if event is not None}
        others = [place for place, event in predicted if event is None]
        return [*sorted(keys, key=keys.__getitem__, reverse=descending), *others]

    # --- what Qt asks ---------------------------------------------------------------------

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(PhotoColumn)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(_HEADS[PhotoColumn(section)])
        if role == Qt.ItemDataRole.TextAlignmentRole:  # the mark of the order is at the right
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        photo, column = self.photos[self._rows[index.row()]], PhotoColumn(index.column())
        match role:
            case Qt.ItemDataRole.UserRole:
                return photo
            case Qt.ItemDataRole.DisplayRole:
                return self._text(photo, column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return photo.summary if column == PhotoColumn.PHOTO else self._text(photo, column)
            case Qt.ItemDataRole.ToolTipRole:
                return escape_tooltip(f"{photo.path}\n{photo.failure or photo.summary}")
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
        return None

    def answer_text(self, photo: PhotoAnswer) -> str:
        """The predicted class of a photo, with a question mark where it is unsure."""
        if photo.failure:
            return tr("can't be read")
        if not photo.predicted:
            return "…"
        label = photo.predicted.best.name
        unsure = self.filter.group_of(photo)[0] == PhotoGroup.UNSURE
        return tr("{label} ?", label=label) if unsure else label

    def _text(self, photo: PhotoAnswer, column: PhotoColumn) -> str:
        if column == PhotoColumn.PHOTO:
            return Path(photo.path).name
        if column == PhotoColumn.PREDICTED:
            return self.answer_text(photo)
        if not photo.predicted:
            return photo.failure if column == PhotoColumn.SECOND else ""
        if column == PhotoColumn.PROBABILITY:
            return percent(photo.predicted.best.probability)
        return _second(photo.predicted)


def _second(event: Predicted) -> str:
    """The second class and its probability: "tulip, 7%"."""
    if len(event.predictions) < 2:
        return ""
    second = event.predictions[1]
    return tr("{label}, {probability}", label=second.name, probability=percent(second.probability))


def _alignment(column: int) -> Qt.AlignmentFlag:
    right = column == PhotoColumn.PROBABILITY
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
