"""The runs on disk, what each came to, and which of them are compared."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QGuiApplication, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeView,
    QWidget,
)

from flowergui.desktop.plots.metric import LOSS
from flowergui.desktop.run_names import when
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.events import RunListed
from flowergui.text import (
    clock,
    file_size,
    fine_percent,
)

DOT = 10
"""Pixels across."""
SORT_ROLE: Final = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Column:
    """`text` is what is read, `key` what is sorted by: text, or a number that a C++ int or double
    can hold."""

    title: str
    help: str
    text: Callable[[RunListed], str]
    key: Callable[[RunListed], Any]
    number: bool = True


def name_of(listed: RunListed) -> str:
    """A run in its own words: when it began, or what somebody has called its folder."""
    name = Path(listed.run.path).name
    return when(name) or name


def _accuracy(listed: RunListed) -> float:
    best = listed.best
    return -1.0 if best is None or best.val_accuracy is None else best.val_accuracy


def _loss(listed: RunListed) -> float:
    best = listed.best
    loss = None if best is None else best.val_loss
    return math.inf if loss is None or not math.isfinite(loss) else loss


def _finite(value: float, text: str) -> str:
    return text if 0 <= value < math.inf else "–"


COLUMNS = (
    Column("Network", "", lambda r: r.run.recipe.model, lambda r: r.run.recipe.model, number=False),
    Column("Mode", "", lambda r: r.run.recipe.mode, lambda r: r.run.recipe.mode, number=False),
    Column("Began", "", name_of, lambda r: r.began, number=False),
    Column(
        "Photos",
        "",
        lambda r: Path(r.run.recipe.photos).name,
        lambda r: r.run.recipe.photos,
        number=False,
    ),
    Column(
        "Note",
        "What you want to remember of it: double-click, or press F2, to write one",
        lambda r: r.run.note,
        lambda r: r.run.note,
        number=False,
    ),
    Column(
        "Epochs",
        "Done, of those that were asked for",
        lambda r: f"{r.run.epochs_done:,} of {r.run.recipe.epochs:,}",
        lambda r: r.run.epochs_done,
    ),
    Column(
        "Best",
        "The best accuracy on photos held back",
        lambda r: _finite(_accuracy(r), fine_percent(_accuracy(r))),
        _accuracy,
    ),
    Column(
        "Its loss",
        "The loss on photos held back in the epoch of the best accuracy",
        lambda r: _finite(_loss(r), LOSS.text(_loss(r))),
        _loss,
    ),
    Column("Time", "How long its epochs took", lambda r: clock(r.seconds), lambda r: r.seconds),
    Column("Size", "What it takes on disk", lambda r: file_size(r.size), lambda r: float(r.size)),
)
PHOTOS, NOTE = ([each.title for each in COLUMNS].index(title) for title in ("Photos", "Note"))
"""The latter takes the room that the others leave."""
FOLDER_SHARE = 1 / 8
"""Of the table's width: a folder's name that is longer is in the tip."""


class RunsModel(QAbstractTableModel):
    """A row for each run; the first column has a check box, and the colour of what is checked.
    UserRole gives the RunListed, SORT_ROLE what a column is sorted by."""

    compared = Signal()
    """Others are checked, or one of those has come further."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: list[RunListed] = []
        self._slots: dict[str, int] = {}

    @property
    def runs(self) -> Sequence[RunListed]:
        """All of them, newest first."""
        return self._runs

    def checked(self) -> list[tuple[RunListed, int]]:
        """Those that are compared, in the order in which they were checked, each with the number
        of its colour."""
        known = {each.run.path: each for each in self._runs}
        return [(known[path], slot) for path, slot in self._slots.items()]

    def show_runs(self, runs: Iterable[RunListed]) -> None:
        """Shows these instead of those before. What was checked stays so; rows that stay keep
        their place in the views."""
        wanted = list(runs)
        paths = {each.run.path for each in wanted}
        self._slots = {path: slot for path, slot in self._slots.items() if path in paths}
        for row in reversed(range(len(self._runs))):
            if self._runs[row].run.path not in paths:
                self.beginRemoveRows(ROOT_INDEX, row, row)
                del self._runs[row]
                self.endRemoveRows()
        known = [each.run.path for each in self._runs]
        if known != [each.run.path for each in wanted if each.run.path in set(known)]:
            self.beginResetModel()  # somebody has renamed folders: their order is another
            self._runs = wanted
            self.endResetModel()
        for row, listed in enumerate(wanted):
            if row == len(self._runs) or self._runs[row].run.path != listed.run.path:
                self.beginInsertRows(ROOT_INDEX, row, row)
                self._runs.insert(row, listed)
                self.endInsertRows()
            elif self._runs[row] != listed:
                self._set(row, listed)
        self.compared.emit()

    def update(self, listed: RunListed) -> bool:
        """A run has come further; where it was not known yet (True), it is the newest."""
        path = listed.run.path
        row = next((n for n, each in enumerate(self._runs) if each.run.path == path), None)
        if row is None:
            self.beginInsertRows(ROOT_INDEX, 0, 0)
            self._runs.insert(0, listed)
            self.endInsertRows()
            return True
        self._set(row, listed)
        if path in self._slots:
            self.compared.emit()
        return False

    def _set(self, row: int, listed: RunListed) -> None:
        self._runs[row] = listed
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def check(self, paths: Iterable[str], on: bool = True) -> None:
        """These are compared (too), or no longer."""
        for path in paths:
            if on and path not in self._slots:
                taken = set(self._slots.values())
                self._slots[path] = next(n for n in range(len(taken) + 1) if n not in taken)
            elif not on:
                self._slots.pop(path, None)
        if self._runs:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._runs) - 1, 0))
        self.compared.emit()

    # --- for Qt ---------------------------------------------------------------------------

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: ModelIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags if index.column() else flags | Qt.ItemFlag.ItemIsUserCheckable

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if way != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.help or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        listed, column = self._runs[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(listed)
        if role == Qt.ItemDataRole.UserRole:
            return listed
        if role == SORT_ROLE:
            return column.key(listed)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            note = f"\n{listed.run.note}" if listed.run.note else ""
            return escape_tooltip(f"{listed.run.path}\nPhotos: {listed.run.recipe.photos}{note}")
        if index.column():
            return None
        slot = self._slots.get(listed.run.path)
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Unchecked if slot is None else Qt.CheckState.Checked
        if role == Qt.ItemDataRole.DecorationRole:
            return dot(slot)
        return None

    def setData(self, index: ModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or index.column():
            return False
        path = self._runs[index.row()].run.path
        self.check([path], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


def dot(slot: int | None) -> QIcon:
    """A dot in the colour of what is compared as number `slot`; an empty place for None."""
    app = QGuiApplication.instance()
    ratio = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    picture = QPixmap(QSize(DOT, DOT) * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    if slot is not None:
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().serial(slot))
        painter.drawEllipse(0, 0, DOT, DOT)
        painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # else it would be tinted
    return icon


class RunTable(QTreeView):
    """Shows them; a click on a head sorts. Space checks the run that is looked at."""

    current_run_changed = Signal()
    """Another run is the one that buttons are for."""
    note_requested = Signal()
    """The user wants to write a note on the run that is looked at."""

    def __init__(self, runs: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runTable")
        self.setAccessibleName("Runs")
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(runs)
        self._sorted.setSortRole(SORT_ROLE)
        self._sorted.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setModel(self._sorted)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        theme.style(self, flat=True)
        theme.tabular(self)
        head = self.header()
        head.setStretchLastSection(False)
        head.setSectionsMovable(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setResizeContentsPrecision(0)  # what is in sight: each cell takes a call into Python
        head.setSectionResizeMode(NOTE, QHeaderView.ResizeMode.Stretch)
        head.setSortIndicatorClearable(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)  # newest first, as they come
        self.setSortingEnabled(True)
        self.selectionModel().selectionChanged.connect(self.current_run_changed)
        self.doubleClicked.connect(self._double_clicked)

    @property
    def current(self) -> RunListed | None:
        """The run that is looked at."""
        rows = self.selectionModel().selectedRows()
        return rows[0].data(Qt.ItemDataRole.UserRole) if rows else None

    def look_at(self, path: str) -> None:
        """Makes the run in this folder the one that buttons are for; the first, where it is not
        there."""
        rows = [self._sorted.index(row, 0) for row in range(self._sorted.rowCount())]
        wanted = (index for index in rows if index.data(Qt.ItemDataRole.UserRole).run.path == path)
        if index := next(wanted, next(iter(rows), None)):
            self.selectionModel().setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect
                | QItemSelectionModel.SelectionFlag.Rows,
            )

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() == NOTE:
            self.note_requested.emit()

    def sizeHintForColumn(self, column: int) -> int:
        hint = super().sizeHintForColumn(column)
        if column == PHOTOS:
            return min(hint, round(FOLDER_SHARE * self.viewport().width()))
        # Qt takes the check box for smaller than the stylesheet makes it in large fonts.
        return hint + (0 if column else self.fontMetrics().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            box = self.currentIndex().siblingAtColumn(0)
            on = box.data(Qt.ItemDataRole.CheckStateRole) != Qt.CheckState.Checked
            state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            self._sorted.setData(box, state, Qt.ItemDataRole.CheckStateRole)
        elif event.key() == Qt.Key.Key_F2:
            self.note_requested.emit()
        else:
            super().keyPressEvent(event)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
