"""Evaluated photos as tiles, each with its predicted and its true class."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem, QWidget

from flowergui.desktop.context_menus.photo_menu import add_photo_menu
from flowergui.desktop.evaluation.evaluated_photos import prediction_text
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.tile_list import TileDelegate, TileListView
from flowergui.events import PhotoEvaluated
from flowergui.text import percent, tr

TILE_PX = 96
TILE_MARGINS_PX = 16
"""Pixels above and below a photo and its two lines."""


class _PhotoModel(ListModel):
    def text_of(self, row: PhotoEvaluated, role: int) -> str | None:
        name = Path(row.path).name
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return tr("{photo}: {prediction}", photo=name, prediction=prediction_text(row))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.path}\n{prediction_text(row)}"
        return None


class PhotoGrid(TileListView):
    """Shows evaluated photos. `chosen` has the PhotoEvaluated that the user wants to look at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._photos = _PhotoModel()
        super().__init__(self._photos, _PhotoDelegate, 2 * theme.zoomed(TILE_PX), parent, flat=True)
        self.setObjectName("evaluatedPhotos")
        self.setAccessibleName(tr("Images"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        add_photo_menu(self, lambda photo: photo.path)

    def photos(self) -> Sequence[PhotoEvaluated]:
        """All photos, in their order."""
        return self._photos.rows

    def row_height(self) -> int:
        """Pixels of a row of photos with their captions."""
        return theme.zoomed(TILE_PX) + 2 * self.fontMetrics().height() + TILE_MARGINS_PX

    def show_photos(self, photos: Sequence[PhotoEvaluated], path: str = "") -> None:
        """Replaces the photos, and chooses the one with this path, else the first."""
        self._photos.show_rows(photos)
        if photos:
            row = next((row for row, each in enumerate(photos) if each.path == path), 0)
            self.choose(row)


class _PhotoDelegate(TileDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        side = theme.zoomed(TILE_PX)
        return QSize(side + 14, side + 2 * option.fontMetrics.height() + TILE_MARGINS_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        photo: PhotoEvaluated = index.data(Qt.ItemDataRole.UserRole)
        look = theme.current()
        area = QRectF(option.rect).adjusted(3, 3, -3, -3)
        side = theme.zoomed(TILE_PX)
        tile = QRectF(area.left() + 4, area.top() + 4, side, side)
        line = option.fontMetrics.height()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(look.color("accent"), 1.5))
            painter.setBrush(look.color("accent_soft"))
            painter.drawRoundedRect(area, 6, 6)
        paint_tile(painter, tile, self.thumbnails.picture(photo.path), photo.label)
        share = percent(photo.probability)
        text = QRectF(tile.left(), tile.bottom() + 3, side, line)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.color("muted"))
        painter.drawText(text, int(right), share)
        name = text.adjusted(0, 0, -option.fontMetrics.horizontalAdvance(share) - 6, 0)
        painter.setPen(look.color("success" if photo.correct else "error"))
        self._draw(painter, option, name, photo.predicted)
        if not photo.correct:
            painter.setPen(look.color("muted"))
            actual = tr("actual: {label}", label=photo.label)
            self._draw(painter, option, text.translated(0, line), actual)
        painter.restore()

    def _draw(
        self, painter: QPainter, option: QStyleOptionViewItem, where: QRectF, text: str
    ) -> None:
        shown = option.fontMetrics.elidedText(
            text, Qt.TextElideMode.ElideMiddle, int(where.width())
        )
        painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter), shown)
