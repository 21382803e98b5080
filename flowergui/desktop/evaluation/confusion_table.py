"""A confusion matrix as a table, whose cells can be chosen."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFocusEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from flowergui.confusion_matrix import ConfusionMatrix
from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.evaluation.confusion_model import ConfusionModel
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ModelIndex
from flowergui.text import tr

MIN_CELL_PX, MAX_CELL_PX = 30, 76
"""The sides of a cell, as small as it may be, and as large if there is room."""
MAX_NAME_PX = 120
"""The most of a class's name beside its row, or above its column."""


class ConfusionTable(QTableView):
    """Shows it, with cells as large as there is room. A click or the arrow keys choose a cell, a
    click on its name a class."""

    chosen = Signal(object)
    """The user wants to see the photos of this Choice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusions")
        self.setAccessibleName(tr("Confusion matrix"))
        self._cells = ConfusionModel(self)
        self.setModel(self._cells)
        self.setItemDelegate(_CellDelegate(self._cells, self))
        self._names = [_ClassHeader(way, self) for way in Qt.Orientation]
        self.setHorizontalHeader(self._names[0])
        self.setVerticalHeader(self._names[1])
        self.setCornerButtonEnabled(False)
        self.setShowGrid(False)
        self.setStyleSheet("QTableCornerButton::section { border: none; background: transparent; }")
        theme.style(self, flat=True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header, clicked in (
            (self.horizontalHeader(), self._column_clicked),
            (self.verticalHeader(), self._row_clicked),
        ):
            header.setSectionsClickable(True)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
            header.sectionClicked.connect(clicked)
        self.selectionModel().currentChanged.connect(self._moved)
        TableActions(self, "confusions.csv", rows=False, exact=self._cells.exact_rows)

    def show_matrix(self, classes: Sequence[str], matrix: ConfusionMatrix) -> None:
        """Shows a matrix, which may grow: see `grown`."""
        chosen = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        with QSignalBlocker(self.selectionModel()):  # what is chosen stays chosen
            self._cells.show_matrix(classes, matrix)
            if chosen is not None:
                self._select(self._cells.place(chosen))
        for header in self._names:
            header.measure()
        self._fit()

    def grown(self) -> None:
        """The matrix counts more photos now."""
        self._cells.grown()

    def clear_choice(self) -> None:
        """Chooses no cell."""
        self.selectionModel().clear()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Moving through with the Tab key chooses nothing."""
        QAbstractScrollArea.focusInEvent(self, event)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        over = self._cells.rowCount() - 1
        if over < 1:
            return
        metrics = self.fontMetrics()
        least = max(MIN_CELL_PX, metrics.height() + 10, metrics.horizontalAdvance("888k") + 4)
        size = self.maximumViewportSize()
        across = max(least, min(MAX_CELL_PX, size.width() // (over + 1)))
        self.horizontalHeader().setDefaultSectionSize(across)
        down = max(least, min(MAX_CELL_PX * 2 // 3, size.height() // (over + 1)))
        self.verticalHeader().setDefaultSectionSize(down)

    @Slot(QModelIndex, QModelIndex)
    def _moved(self, now: QModelIndex, before: QModelIndex) -> None:
        choice = now.data(Qt.ItemDataRole.UserRole) if now.isValid() else None
        if choice is not None:
            self.chosen.emit(choice)

    @Slot(int)
    def _row_clicked(self, row: int) -> None:
        self._choose(row, self._cells.columnCount() - 1)

    @Slot(int)
    def _column_clicked(self, column: int) -> None:
        self._choose(self._cells.rowCount() - 1, column)

    def _choose(self, row: int, column: int) -> None:
        self._select(self._cells.index(row, column))

    def _select(self, where: QModelIndex) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(where, flags)


class _CellDelegate(QStyledItemDelegate):
    """A number on as much colour as its share of the row: green for correct predictions, red for
    errors. Recall and precision have no colour."""

    def __init__(self, cells: ConfusionModel, parent: QObject) -> None:
        super().__init__(parent)
        self._cells = cells

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        look = theme.current()
        over = self._cells.rowCount() - 1
        is_figure = over in (index.row(), index.column())
        cell = QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if not is_figure:
            painter.setBrush(look.color("sunken"))
            painter.drawRoundedRect(cell, 4, 4)
            if share := self._cells.share(index):
                token = "success" if index.row() == index.column() else "error"
                painter.setBrush(look.color(token, 0.12 + 0.43 * share))
                painter.drawRoundedRect(cell, 4, 4)
        painter.setPen(look.color("muted" if is_figure else "text"))
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        painter.drawText(cell, int(Qt.AlignmentFlag.AlignCenter), text)
        chosen = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus
        if option.state & chosen:
            painter.setPen(QPen(look.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(cell, 4, 4)
        painter.restore()


class _ClassHeader(QHeaderView):
    """The names of the classes; those above the columns are rotated if they are too long."""

    def __init__(self, way: Qt.Orientation, parent: QWidget) -> None:
        super().__init__(way, parent)
        self.setHighlightSections(False)
        self._longest = 0

    def measure(self) -> None:
        """Measures the names again, but not all of thousands: each takes time."""
        self._longest = 0
        for section in range(self.count()):
            name = str(self.model().headerData(section, self.orientation()))
            self._longest = max(self._longest, self.fontMetrics().horizontalAdvance(name))
            if self._longest >= MAX_NAME_PX:
                self._longest = MAX_NAME_PX
                return

    def sizeHint(self) -> QSize:
        longest = self._longest + 12
        if self.orientation() == Qt.Orientation.Vertical:
            return QSize(longest, 0)
        lying = longest <= self.defaultSectionSize()
        return QSize(0, self.fontMetrics().height() + 10 if lying else longest)

    def paintSection(self, painter: QPainter, where: QRect, section: int) -> None:
        look = theme.current()
        upright = self.orientation() == Qt.Orientation.Horizontal and self._upright()
        last = section == self.count() - 1
        name = str(self.model().headerData(section, self.orientation()))
        painter.save()
        painter.setPen(look.color("muted" if last else "text"))
        room = QRectF(where).adjusted(4, 4, -4, -4)
        sides = Qt.AlignmentFlag.AlignHCenter
        if upright:
            painter.translate(room.center())
            painter.rotate(-90)
            room = QRectF(-room.height() / 2, -room.width() / 2, room.height(), room.width())
            sides = Qt.AlignmentFlag.AlignLeft
        elif self.orientation() == Qt.Orientation.Vertical:
            sides = Qt.AlignmentFlag.AlignRight
        text = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(room.width()))
        painter.drawText(room, int(sides | Qt.AlignmentFlag.AlignVCenter), text)
        painter.restore()

    def _upright(self) -> bool:
        return self._longest + 12 > self.defaultSectionSize()
