"""The table of compared networks."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.events import NetworkCompared
from flowergui.text import N_, fine_percent, tr

MIN_INTERVAL_EMS = 12
"""Width of the column of intervals, in heights of a line."""


class NetworkColumn(IntEnum):
    """The columns of the table."""

    NETWORK = 0
    ACCURACY = 1
    INTERVAL = 2
    MILLISECONDS = 3
    MEGABYTES = 4
    WEIGHTS = 5


_HEADS = {
    NetworkColumn.NETWORK: (N_("Network"), ""),
    NetworkColumn.ACCURACY: (
        N_("Accuracy"),
        N_(
            "Of a linear classifier on the features of this network, on images that it was not "
            "fitted to (cross-validation)."
        ),
    ),
    NetworkColumn.INTERVAL: (
        N_("95% interval"),
        N_("How precisely this number of images tells the accuracy."),
    ),
    NetworkColumn.MILLISECONDS: (
        N_("ms per image"),
        N_("The time that the network takes for an image on this machine, without decoding."),
    ),
    NetworkColumn.MEGABYTES: (N_("MB"), N_("The size of its weights.")),
    NetworkColumn.WEIGHTS: (N_("Weights"), ""),
}


class NetworksModel(QAbstractTableModel):
    """A row for each compared network. UserRole gives its NetworkCompared."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[NetworkCompared] = []
        self._best: NetworkCompared | None = None

    def clear(self) -> None:
        """Removes all rows."""
        self.show_ranked(())
        self._best = None

    def add(self, network: NetworkCompared) -> None:
        """Adds a row at the end."""
        place = len(self._rows)
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.append(network)
        self.endInsertRows()
        # The intervals have a common scale.
        self.dataChanged.emit(self.index(0, 0), self.index(place, len(NetworkColumn) - 1))

    def show_ranked(self, networks: Sequence[NetworkCompared]) -> None:
        """Shows these, the best first, which is marked."""
        self.beginResetModel()
        self._rows = list(networks)
        self._best = self._rows[0] if self._rows else None
        self.endResetModel()

    @property
    def networks(self) -> tuple[NetworkCompared, ...]:
        """All rows, in their order."""
        return tuple(self._rows)

    def scale(self) -> tuple[float, float]:
        """The lowest and the highest bound of all intervals."""
        lows, highs = [each.low for each in self._rows], [each.high for each in self._rows]
        return min(lows, default=0.0), max(highs, default=1.0)

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(NetworkColumn)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if way != Qt.Orientation.Horizontal:
            return None
        head, help_text = _HEADS[NetworkColumn(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(head)
        if role == Qt.ItemDataRole.ToolTipRole and help_text:
            return f"<qt>{tr(help_text)}</qt>"
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._rows[index.row()], NetworkColumn(index.column())
        match role:
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return _TEXTS[column](row)
            case Qt.ItemDataRole.ToolTipRole if column == NetworkColumn.WEIGHTS:
                return escape_tooltip(row.weights)
            case Qt.ItemDataRole.ToolTipRole if column == NetworkColumn.INTERVAL:
                return _TEXTS[column](row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.FontRole if row is self._best:
                font = QFont()
                font.setBold(True)
                return font
        return None


def _alignment(column: int) -> Qt.AlignmentFlag:
    left = column in (NetworkColumn.NETWORK, NetworkColumn.WEIGHTS)
    side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


_TEXTS: dict[NetworkColumn, Callable[[NetworkCompared], str]] = {
    NetworkColumn.NETWORK: lambda row: row.model,
    NetworkColumn.ACCURACY: lambda row: fine_percent(row.accuracy),
    NetworkColumn.INTERVAL: lambda row: tr(
        "{low} to {high}", low=fine_percent(row.low), high=fine_percent(row.high)
    ),
    NetworkColumn.MILLISECONDS: lambda row: f"{row.milliseconds:,.1f}",
    NetworkColumn.MEGABYTES: lambda row: f"{row.megabytes:,.1f}",
    NetworkColumn.WEIGHTS: lambda row: Path(row.weights).name,
}


class IntervalDelegate(QStyledItemDelegate):
    """Draws the intervals as lines on a common scale, with a dot at the accuracy."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        model, row = index.model(), index.data(Qt.ItemDataRole.UserRole)
        assert isinstance(model, NetworksModel)
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        low, high = model.scale()
        area = QRectF(option.rect).adjusted(10, 0, -10, 0)
        unit = area.width() / max(high - low, 1e-6)

        def across(share: float) -> float:
            return area.left() + (share - low) * unit

        colors, middle = theme.current(), area.center().y()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(colors.over_card("accent", 0.45), 3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(across(row.low), middle), QPointF(across(row.high), middle))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.color("accent"))
        painter.drawEllipse(QPointF(across(row.accuracy), middle), 4, 4)
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        hint = super().sizeHint(option, index)
        return hint.expandedTo(QSize(MIN_INTERVAL_EMS * option.fontMetrics.height(), 0))


class NetworksTable(QTreeView):
    """Shows the compared networks; one of them can be chosen."""

    current_network_changed = Signal()
    """Another network is the current one."""

    def __init__(self, networks: NetworksModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("networksTable")
        self.setAccessibleName(tr("Networks"))
        self.setModel(networks)
        self.setItemDelegateForColumn(NetworkColumn.INTERVAL, IntervalDelegate(self))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        theme.style(self, flat=True)
        theme.tabular(self)
        head = self.header()
        head.setSectionsMovable(False)
        head.setStretchLastSection(True)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.selectionModel().selectionChanged.connect(self.current_network_changed)
        TableActions(self, "networks.csv")

    @property
    def current(self) -> NetworkCompared | None:
        """The chosen network."""
        rows = self.selectionModel().selectedRows()
        network: NetworkCompared | None = rows[0].data(Qt.ItemDataRole.UserRole) if rows else None
        return network

    def choose_first(self) -> None:
        """Makes the network in the first row the current one."""
        index = self.model().index(0, 0)
        if index.isValid():
            flag = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
