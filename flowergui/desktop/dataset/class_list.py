"""The classes of a dataset, each with a picture and its number of images."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.tile_list import TileDelegate, TileListView
from flowergui.facts import ClassCount
from flowergui.text import tr, trn

TILE_PX = 30
VISIBLE_ROWS = 5
"""Rows that are seen without scrolling; one more, where that shows all of them."""


class ClassModel(ListModel):
    """ClassCounts."""

    def text_of(self, row: ClassCount, role: int) -> str | None:
        count = row.train + row.validation
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole and row.validation:
            return trn(
                "{name}: {count} image, {train} for training and {validation} for validation",
                "{name}: {count} images, {train} for training and {validation} for validation",
                count,
                name=row.name,
                train=f"{row.train:,}",
                validation=f"{row.validation:,}",
            )
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return trn("{name}: {count} image", "{name}: {count} images", count, name=row.name)
        return None


class ClassList(TileListView):
    """Shows the classes, each with a picture and its number of images."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._classes = ClassModel()
        super().__init__(self._classes, _ClassDelegate, 3 * TILE_PX, parent)
        self.setObjectName("classList")
        self.setAccessibleName(tr("Classes"))

    def show_classes(self, classes: tuple[ClassCount, ...]) -> None:
        """Shows these classes instead of those before; the list is tall enough for VISIBLE_ROWS."""
        self.thumbnails.forget()
        self._classes.show_rows(classes)
        rows: float = len(classes)
        if rows > VISIBLE_ROWS + 1:
            rows = VISIBLE_ROWS + 0.5  # half a row tells that there is something to scroll to
        height = rows * _row_height(self.fontMetrics().height())
        self.setFixedHeight(int(height) + 2 * self.frameWidth() + 2)


class _ClassDelegate(TileDelegate):
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
        tile = QRectF(area.left(), area.center().y() - TILE_PX / 2, TILE_PX, TILE_PX)
        picture = self.thumbnails.picture(each.examples[0]) if each.examples else None
        paint_tile(painter, tile, picture, each.name)
        painter.save()
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        count = f"{each.train + each.validation:,}"
        painter.setPen(look.color("muted"))
        painter.drawText(area, middle | int(Qt.AlignmentFlag.AlignRight), count)
        width = option.fontMetrics.horizontalAdvance(count) + theme.SPACE
        name = area.adjusted(TILE_PX + theme.SPACE, 0, -width, 0)
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
    return max(TILE_PX, text_height) + 8
