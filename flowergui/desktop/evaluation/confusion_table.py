"""Which classes are taken for which: a confusion matrix to choose from."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
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
from flowergui.desktop.evaluation.evaluated_photos import Choice
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.text import (
    percent_digits,
    plural,
    tiny_count,
)

LEAST, MOST = 30, 76
"""Pixels: the sides of a cell, as small as it may be, and as large where there is room."""
NAMES = 120
"""Most pixels of a class's name beside its row, or above its column."""

RECALL, PRECISION = "recall, %", "precision, %"
TIPS = {
    RECALL: "Of the photos of a class, the share that is recognised",
    PRECISION: "Of the photos that are taken for a class, the share that is of it",
}


class ConfusionModel(QAbstractTableModel):
    """A row for each class that photos show, a column for each that they are taken for; a last
    column has the recall, a last row the precision. UserRole gives the Choice that a cell means, or
    None in the corner."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[str, ...] = ()
        self._tally = ConfusionMatrix()

    def show_matrix(self, classes: Sequence[str], tally: ConfusionMatrix) -> None:
        """Shows these figures, which may grow: see `grown`."""
        self.beginResetModel()
        self._classes, self._tally = tuple(classes), tally
        self.endResetModel()

    def grown(self) -> None:
        """The tally counts more by now."""
        if self._classes:
            last = len(self._classes)
            self.dataChanged.emit(self.index(0, 0), self.index(last, last))

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() or not self._classes else len(self._classes) + 1

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return self.rowCount(parent)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        across = way == Qt.Orientation.Horizontal
        over = RECALL if across else PRECISION
        name = self._classes[section] if section < len(self._classes) else over
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Qt.ItemDataRole.ToolTipRole:
            if section == len(self._classes):
                return TIPS[over]
            return escape_tooltip(f"Taken for {name}" if across else f"Photos of {name}")
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column, over = index.row(), index.column(), len(self._classes)
        if role == Qt.ItemDataRole.UserRole:
            return self._choice(row, column)
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return None
        if row == column == over:
            return None
        if over in (row, column):
            score = self._tally.score(self._classes[min(row, column)])
            share = score.recall if column == over else score.precision
            count, of = score.correct, score.photos if column == over else score.predicted
            what = f"of {score.name} recognised" if column == over else f"taken for {score.name} "
            what += "" if column == over else "are of it"
            brief = "" if share is None else percent_digits(share)
        else:
            label, guess = self._classes[row], self._classes[column]
            count, of = self._tally.count(label, guess), self._tally.score(label).photos
            what = f"of {label} " + ("recognised" if row == column else f"taken for {guess}")
            brief = tiny_count(count) if count else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return brief
        words = f"{count:,} of {plural(of, 'photo')} {what}"
        return escape_tooltip(words) if role == Qt.ItemDataRole.ToolTipRole else words

    def share(self, index: ModelIndex) -> float:
        """What part of its row a cell holds; 0 for those that hold no photos."""
        if max(index.row(), index.column()) >= len(self._classes):
            return 0.0
        label, guess = self._classes[index.row()], self._classes[index.column()]
        count = self._tally.count(label, guess)
        return count / self._tally.score(label).photos if count else 0.0

    def place(self, choice: Choice) -> QModelIndex:
        """The cell that means it; none where there is none."""
        over = len(self._classes)
        at = {name: number for number, name in enumerate(self._classes)} | {None: over}
        row, column = (at.get(name, -1) for name in choice)
        known = min(row, column) >= 0 and row + column < 2 * over
        return self.index(row, column) if known else QModelIndex()

    def _choice(self, row: int, column: int) -> Choice | None:
        over = len(self._classes)
        if row == column == over:
            return None
        return (
            self._classes[row] if row < over else None,
            self._classes[column] if column < over else None,
        )


class ConfusionTable(QTableView):
    """Shows it; cells are as large as there is room. A cell is chosen by a click or by the arrow
    keys, a class by its name."""

    chosen = Signal(object)
    """The Choice that the user wants to see the photos of."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusions")
        self.setAccessibleName("Which classes are taken for which")
        self._cells = ConfusionModel(self)
        self.setModel(self._cells)
        self.setItemDelegate(_CellDelegate(self._cells, self))
        self._names = [_Names(way, self) for way in Qt.Orientation]
        self.setHorizontalHeader(self._names[0])
        self.setVerticalHeader(self._names[1])
        self.setCornerButtonEnabled(False)
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setStyleSheet(
            "QTableView, QTableCornerButton::section { border: none; background: transparent; }"
        )
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

    def show_matrix(self, classes: Sequence[str], tally: ConfusionMatrix) -> None:
        """Shows these figures, which may grow: see `grown`."""
        chosen = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        with QSignalBlocker(self.selectionModel()):  # what is chosen stays chosen
            self._cells.show_matrix(classes, tally)
            if chosen is not None:
                self._select(self._cells.place(chosen))
        for header in self._names:
            header.measure()
        self._fit()

    def grown(self) -> None:
        """The tally counts more by now."""
        self._cells.grown()

    def let_go(self) -> None:
        """No cell is chosen any more."""
        self.selectionModel().clear()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who passes by with the Tab key chooses nothing."""
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
        least = max(LEAST, metrics.height() + 10, metrics.horizontalAdvance("888k") + 4)
        size = self.maximumViewportSize()
        across = max(least, min(MOST, size.width() // (over + 1)))
        self.horizontalHeader().setDefaultSectionSize(across)
        down = max(least, min(MOST * 2 // 3, size.height() // (over + 1)))
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
    """A number on as much colour as its share of the row: green where it is right, red where it is
    not. The figures of a class stand beside it without."""

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


class _Names(QHeaderView):
    """The names of the classes; those above the columns stand upright where they are too long to
    lie."""

    def __init__(self, way: Qt.Orientation, parent: QWidget) -> None:
        super().__init__(way, parent)
        self.setHighlightSections(False)
        self._longest = 0

    def measure(self) -> None:
        """There are other names now. Of thousands, each takes its time."""
        self._longest = 0
        for section in range(self.count()):
            name = str(self.model().headerData(section, self.orientation()))
            self._longest = max(self._longest, self.fontMetrics().horizontalAdvance(name))
            if self._longest >= NAMES:
                self._longest = NAMES
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
