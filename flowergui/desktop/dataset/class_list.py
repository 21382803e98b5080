"""The classes of a folder, each with a picture and its number of photos."""

from PySide6.QtCore import QObject, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.thumbnails import Thumbnails
from flowergui.facts import (
    ClassCount,
)
from flowergui.text import (
    plural,
)

TILE = 30
ROWS = 5
"""Rows that are seen without scrolling."""

BATCH = 500
"""Rows that are laid out at a time."""


class ClassModel(ListModel):
    """ClassCounts."""

    def said(self, row: ClassCount, role: int) -> str | None:
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {plural(row.train + row.validation, 'photo')}"
        if role == Qt.ItemDataRole.ToolTipRole:
            text = f"{row.name}: {plural(row.train + row.validation, 'photo')}"
            if row.validation:
                text += f", {row.train:,} to train and {row.validation:,} to validate"
            return text
        return None


class ClassList(QListView):
    """Shows the classes; pictures are read only for the rows that are seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classList")
        self.setAccessibleName("Classes")
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)  # each row takes a call into Python
        self.setBatchSize(BATCH)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._classes = ClassModel(self)
        self._thumbnails = Thumbnails(3 * TILE, 1_000, self)
        self._thumbnails.ready.connect(self.viewport().update)
        self.setModel(self._classes)
        self.setItemDelegate(_ClassDelegate(self._thumbnails, self))

    def show_classes(self, classes: tuple[ClassCount, ...]) -> None:
        """Shows these instead of those before; tall enough for up to ROWS of them."""
        self._thumbnails.forget()
        self._classes.show_rows(classes)
        rows = min(len(classes), ROWS)
        # Half a row more tells that there is something to scroll to.
        more = 0.5 if len(classes) > ROWS else 0
        self.setFixedHeight(int((rows + more) * self._row_height()) + 2 * self.frameWidth() + 2)

    def _row_height(self) -> int:
        return _row_height(self.fontMetrics().height())


class _ClassDelegate(QStyledItemDelegate):
    def __init__(self, thumbnails: Thumbnails, parent: QObject) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(120, _row_height(option.fontMetrics.height()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        each: ClassCount = index.data(Qt.ItemDataRole.UserRole)
        look = theme.current()
        widget = option.widget
        widget.style().drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, widget
        )
        area = QRectF(option.rect).adjusted(6, 0, -8, 0)
        tile = QRectF(area.left(), area.center().y() - TILE / 2, TILE, TILE)
        picture = self._thumbnails.picture(each.examples[0]) if each.examples else None
        paint_tile(painter, tile, picture, each.name)
        painter.save()
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        count = f"{each.train + each.validation:,}"
        painter.setPen(look.color("muted"))
        painter.drawText(area, middle | int(Qt.AlignmentFlag.AlignRight), count)
        width = option.fontMetrics.horizontalAdvance(count) + theme.SPACE
        name = area.adjusted(TILE + theme.SPACE, 0, -width, 0)
        painter.setPen(look.color("text"))
        painter.drawText(
            name,
            middle,
            option.fontMetrics.elidedText(
                each.name, Qt.TextElideMode.ElideMiddle, int(name.width())
            ),
        )
        painter.restore()


def _row_height(text_height: int) -> int:
    return max(TILE, text_height) + 8
