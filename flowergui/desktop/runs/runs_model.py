"""The runs on disk as a table model: their results, and which of them are compared."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QObject, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap

from flowergui.desktop.plots.metric import LOSS
from flowergui.desktop.run_names import MODES, when
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.events import RunListed
from flowergui.text import N_, clock, file_size, fine_percent, tr

DOT_PX = 10
"""Diameter."""
SORT_ROLE: Final = Qt.ItemDataRole.UserRole + 1


class RunColumn(IntEnum):
    """The columns of the table, from the left."""

    NETWORK = 0
    MODE = 1
    STARTED = 2
    DATASET = 3
    NOTE = 4
    EPOCHS = 5
    BEST = 6
    LOSS = 7
    TIME = 8
    SIZE = 9


@dataclass(frozen=True, slots=True)
class Column:
    """`text` is what is shown, `key` what is sorted by: text, or a number that a C++ int or double
    can hold. `title` and `help` are messages to translate."""

    title: str
    help: str
    text: Callable[[RunListed], str]
    key: Callable[[RunListed], Any]
    number: bool = True


def name_of(listed: RunListed) -> str:
    """When a run began, or what somebody has named its folder."""
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


COLUMNS: dict[RunColumn, Column] = {
    RunColumn.NETWORK: Column(
        N_("Network"), "", lambda r: r.run.recipe.model, lambda r: r.run.recipe.model, number=False
    ),
    RunColumn.MODE: Column(
        N_("Mode"),
        "",
        lambda r: tr(MODES[r.run.recipe.mode]),
        lambda r: r.run.recipe.mode,
        number=False,
    ),
    RunColumn.STARTED: Column(N_("Started"), "", name_of, lambda r: r.began, number=False),
    RunColumn.DATASET: Column(
        N_("Dataset"),
        N_("The folder of the images"),
        lambda r: Path(r.run.recipe.photos).name,
        lambda r: f"{Path(r.run.recipe.photos).name.casefold()}\n{r.run.recipe.photos}",
        number=False,
    ),
    RunColumn.NOTE: Column(
        N_("Note"),
        N_("Your own note: double-click, or press F2, to write one"),
        lambda r: r.run.note,
        lambda r: r.run.note,
        number=False,
    ),
    RunColumn.EPOCHS: Column(
        N_("Epochs"),
        N_("Epochs done, of those planned"),
        lambda r: tr(
            "{done} of {planned}",
            done=f"{r.run.epochs_done:,}",
            planned=f"{r.run.recipe.epochs:,}",
        ),
        lambda r: r.run.epochs_done,
    ),
    RunColumn.BEST: Column(
        N_("Best"),
        N_("The best validation accuracy"),
        lambda r: _finite(_accuracy(r), fine_percent(_accuracy(r))),
        _accuracy,
    ),
    RunColumn.LOSS: Column(
        N_("Loss"),
        N_("The validation loss in the epoch of the best accuracy"),
        lambda r: _finite(_loss(r), LOSS.text(_loss(r))),
        _loss,
    ),
    RunColumn.TIME: Column(
        N_("Time"), N_("How long its epochs took"), lambda r: clock(r.seconds), lambda r: r.seconds
    ),
    RunColumn.SIZE: Column(
        N_("Size"), N_("Bytes on disk"), lambda r: file_size(r.size), lambda r: float(r.size)
    ),
}


class RunsModel(QAbstractTableModel):
    """A row for each run; the first column has a check box, and the colour of what is checked.
    UserRole gives the RunListed, SORT_ROLE what a column is sorted by."""

    compared = Signal()
    """Other runs are checked, or a checked one has done more epochs."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: list[RunListed] = []
        self._slots: dict[str, int] = {}

    @property
    def runs(self) -> Sequence[RunListed]:
        """All of them, newest first."""
        return self._runs

    def checked(self) -> list[tuple[RunListed, int]]:
        """The runs to compare, in the order in which they were checked, each with the number of its
        colour."""
        known = {each.run.path: each for each in self._runs}
        return [(known[path], slot) for path, slot in self._slots.items()]

    def show_runs(self, runs: Iterable[RunListed]) -> None:
        """Replaces the runs. Checked ones stay checked; rows that stay keep their place in the
        views."""
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
            self.beginResetModel()  # folders were renamed, so that their order changed
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
        """Replaces what is known of a run. A new one (True) becomes the first."""
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
        """Checks the runs in these folders, or unchecks them."""
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
        column = COLUMNS[RunColumn(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(column.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr(column.help) if column.help else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        listed, column = self._runs[index.row()], COLUMNS[RunColumn(index.column())]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(listed)
        if role == Qt.ItemDataRole.UserRole:
            return listed
        if role == SORT_ROLE:
            return column.key(listed)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            dataset = tr("Dataset: {folder}", folder=listed.run.recipe.photos)
            lines = (listed.run.path, dataset, listed.run.note)
            return escape_tooltip("\n".join(filter(None, lines)))
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
    """A dot in the colour number `slot`; an empty icon for None."""
    app = QGuiApplication.instance()
    ratio = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    picture = QPixmap(QSize(DOT_PX, DOT_PX) * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    if slot is not None:
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().serial(slot))
        painter.drawEllipse(0, 0, DOT_PX, DOT_PX)
        painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # else it would be tinted
    return icon


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
