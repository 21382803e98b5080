"""The accuracy of each class, and what more images would bring it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.events import LearningCurveEstimated
from flowergui.text import N_, fine_percent, tr

SORT_ROLE = Qt.ItemDataRole.UserRole + 1


class GainColumn(IntEnum):
    """The columns of the table."""

    CLASS = 0
    NOW = 1
    TWICE = 2


_HEADS = {
    GainColumn.CLASS: N_("Class"),
    GainColumn.NOW: N_("Accuracy"),
    GainColumn.TWICE: N_("Twice as many"),
}


@dataclass(frozen=True, slots=True)
class ClassGain:
    """A class, its place among the classes, and its accuracy with all images and with twice as
    many; None without images."""

    name: str
    place: int
    now: float | None
    twice: float | None


class GainsModel(QAbstractTableModel):
    """A row for each class. UserRole gives its ClassGain."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ClassGain, ...] = ()

    def show_curve(self, event: LearningCurveEstimated | None) -> None:
        """Shows the classes of this curve; None for none."""
        self.beginResetModel()
        self._rows = ()
        if event is not None:
            now, twice = event.points[-1].class_accuracy, event.twice.class_accuracy
            self._rows = tuple(
                ClassGain(name, place, now[place], twice[place])
                for place, name in enumerate(event.classes)
            )
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(GainColumn)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(_HEADS[GainColumn(section)])
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._rows[index.row()], GainColumn(index.column())
        value = _VALUES[column](row)
        match role:
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.DisplayRole if isinstance(value, float):
                return fine_percent(value)
            case Qt.ItemDataRole.DisplayRole:
                return "–" if value is None else value
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
        if role == SORT_ROLE:
            return -1.0 if value is None else value
        return None


def _alignment(column: int) -> Qt.AlignmentFlag:
    left = column == GainColumn.CLASS
    side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


_VALUES: dict[GainColumn, Callable[[ClassGain], str | float | None]] = {
    GainColumn.CLASS: lambda row: row.name,
    GainColumn.NOW: lambda row: row.now,
    GainColumn.TWICE: lambda row: row.twice,
}


class GainsTable(QTreeView):
    """Shows the classes; a click on a column's head sorts. One can be chosen."""

    class_chosen = Signal()
    """Another class is the current one, or none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classGains")
        self.setAccessibleName(tr("Classes"))
        self._model = GainsModel(self)
        proxy = QSortFilterProxyModel(self)
        proxy.setSourceModel(self._model)
        proxy.setSortRole(SORT_ROLE)
        self.setModel(proxy)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        theme.style(self, flat=True)
        theme.tabular(self)
        head = self.header()
        head.setSectionsMovable(False)
        head.setStretchLastSection(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(GainColumn.CLASS, QHeaderView.ResizeMode.Stretch)
        self.setSortingEnabled(True)
        self.sortByColumn(GainColumn.NOW, Qt.SortOrder.AscendingOrder)
        head.setSortIndicatorShown(False)  # it would hide a part of the narrow heads
        self.selectionModel().selectionChanged.connect(self.class_chosen)
        TableActions(self, "classes.csv")

    def show_curve(self, event: LearningCurveEstimated | None) -> None:
        """Shows the classes of this curve, the least accurate first; None for none."""
        self._model.show_curve(event)

    @property
    def current(self) -> ClassGain | None:
        """The chosen class."""
        rows = self.selectionModel().selectedRows()
        gain: ClassGain | None = rows[0].data(Qt.ItemDataRole.UserRole) if rows else None
        return gain
