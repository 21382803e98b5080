"""The images of a class, in a window of its own."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QDialog,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.context_menus.photo_menu import add_photo_menu
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.labels import small_label
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.tile_list import TileDelegate, TileListView
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.text import tr, trn

TILE_PX = 112


class ClassWindow(QDialog):
    """Shows the images of one class; a double click opens one in full size."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classWindow")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setWindowTitle(name)
        self.name = name
        """The class that is shown."""
        self._count = small_label(text=tr("Looking for images…"))
        self._count.setObjectName("classCount")
        self._paths = _PathModel(self)
        self._grid = TileListView(self._paths, _PathDelegate, 2 * theme.zoomed(TILE_PX), self)
        self._grid.setObjectName("classPhotos")
        self._grid.setAccessibleName(tr("Images of {label}", label=name))
        self._grid.setViewMode(QListView.ViewMode.IconMode)
        self._grid.setResizeMode(QListView.ResizeMode.Adjust)
        self._grid.setMovement(QListView.Movement.Static)
        add_photo_menu(self._grid, str)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self._count)
        rows.addWidget(self._grid, 1)
        line = self.fontMetrics().height()
        resize_within_screen(self, 48 * line, 38 * line)

    def show_paths(self, paths: Sequence[str]) -> None:
        """Shows these images."""
        self._count.setText(trn("{count} image", "{count} images", len(paths)))
        self._paths.show_rows(paths)

    def show_problem(self, text: str) -> None:
        """Says why there are no images to be shown."""
        self._count.setText(text)
        theme.style(self._count, role="error")


class _PathModel(ListModel):
    def text_of(self, row: str, role: int) -> str | None:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return Path(row).name
        return row if role == Qt.ItemDataRole.ToolTipRole else None


class _PathDelegate(TileDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        side = theme.zoomed(TILE_PX)
        return QSize(side + 8, side + option.fontMetrics.height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        path: str = index.data(Qt.ItemDataRole.UserRole)
        look, name = theme.current(), Path(path).name
        area = QRectF(option.rect).adjusted(2, 2, -2, -2)
        side = theme.zoomed(TILE_PX)
        tile = QRectF(area.left() + 2, area.top() + 2, side, side)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(look.color("accent"), 1.5))
            painter.setBrush(look.color("accent_soft"))
            painter.drawRoundedRect(area, 6, 6)
        paint_tile(painter, tile, self.thumbnails.picture(path), name)
        painter.setPen(look.color("muted"))
        text = QRectF(tile.left(), tile.bottom() + 3, side, option.fontMetrics.height())
        elide = Qt.TextElideMode.ElideMiddle
        shown = option.fontMetrics.elidedText(name, elide, int(text.width()))
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), shown)
        painter.restore()
