"""The predictions for a photo: classes and probabilities, as bars, the likeliest first."""

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.facts import Prediction
from flowergui.text import percent, tr

MAX_ROWS = 5
"""Predictions that a photo has at most."""
MIN_ROWS = 3
"""Rows that are visible in the lowest window."""
ROW_PADDING_PX = 12


class PredictionModel(QAbstractTableModel):
    """Column 0 is the class, column 1 its probability. UserRole gives the float in column 1, and
    the name in column 0."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._predictions: tuple[Prediction, ...] = ()

    def show_predictions(self, predictions: tuple[Prediction, ...]) -> None:
        self.beginResetModel()
        self._predictions = predictions
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._predictions)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else 2

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        prediction = self._predictions[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return percent(prediction.probability) if index.column() else prediction.name
        if role == Qt.ItemDataRole.UserRole:
            return prediction.probability if index.column() else prediction.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape_tooltip(
                tr(
                    "{label}: {percent:.2f}%",
                    label=prediction.name,
                    percent=100 * prediction.probability,
                )
            )
        return None


class PredictionTable(QTableView):
    """Shows up to MAX_ROWS predictions, and is always as tall as for all of them, so that nothing
    jumps. In a low window the last ones have to be scrolled to."""

    chosen = Signal(int)
    """The user wants to know more about the prediction in this row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Predictions"))
        self.marked: int | None = None
        self._predictions = PredictionModel(self)
        self.setModel(self._predictions)
        self.setItemDelegate(_PredictionDelegate(self))
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme.style(self, flat=True)
        self.setTabKeyNavigation(False)
        self.clicked.connect(self._clicked)
        self.activated.connect(self._clicked)  # by Return
        self.verticalHeader().hide()
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().setMinimumSectionSize(1)
        self._fit()
        TableActions(self, "predictions.csv", rows=False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        height = self.fontMetrics().height() + ROW_PADDING_PX
        self.verticalHeader().setDefaultSectionSize(height)
        self.setMinimumHeight(MIN_ROWS * height)
        self.setMaximumHeight(MAX_ROWS * height)

    def mark(self, row: int | None) -> None:
        """Shows which prediction the heatmap explains; None for none."""
        if row != self.marked:
            self.marked = row
            self.viewport().update()

    def currentChanged(self, current: ModelIndex, previous: ModelIndex) -> None:
        super().currentChanged(current, previous)
        self.viewport().update()  # all of both rows

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        row = self.currentIndex().row()
        if self.hasFocus() and row >= 0:
            ends = (self.visualRect(self._predictions.index(row, column)) for column in (0, 1))
            first, last = ends
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(theme.current().color("accent"))
            whole = QRectF(first.united(last)).adjusted(0.5, 1.5, -0.5, -1.5)
            painter.drawRoundedRect(whole, 4, 4)
            painter.end()

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        self.chosen.emit(index.row())

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.maximumHeight())

    def show_predictions(self, predictions: tuple[Prediction, ...]) -> None:
        """Replaces the predictions."""
        self._predictions.show_predictions(predictions)


class _PredictionDelegate(QStyledItemDelegate):
    """The name; a bar as long as the probability, and its number. The first in the accent, the one
    that is explained on a tinted ground."""

    def __init__(self, table: PredictionTable) -> None:
        super().__init__(table)
        self._table = table

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(60, option.fontMetrics.height() + ROW_PADDING_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        look = theme.current()
        likeliest = index.row() == 0
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        area = QRectF(option.rect)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.save()
        if index.row() == self._table.marked:
            painter.fillRect(option.rect, look.color("hover"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setBold(likeliest)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        if index.column() == 0:
            painter.setPen(look.color("text" if likeliest else "muted"))
            area.adjust(2, 0, -theme.SPACE, 0)
            name = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(area.width()))
            painter.drawText(area, middle, name)
        else:
            painter.setPen(look.color("text" if likeliest else "muted"))
            painter.drawText(area, middle | int(Qt.AlignmentFlag.AlignRight), text)
            room = area.adjusted(0, 0, -metrics.horizontalAdvance("> 100%") - 4, 0)
            self._paint_bar(painter, room, index.data(Qt.ItemDataRole.UserRole), likeliest)
        painter.restore()

    def _paint_bar(self, painter: QPainter, room: QRectF, share: float, likeliest: bool) -> None:
        look = theme.current()
        height = 8.0
        track = QRectF(room.left(), room.center().y() - height / 2, room.width(), height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("hover"))
        painter.drawRoundedRect(track, height / 2, height / 2)
        track.setWidth(max(height, track.width() * share))
        painter.setBrush(look.color("accent" if likeliest else "faint"))
        painter.drawRoundedRect(track, height / 2, height / 2)
