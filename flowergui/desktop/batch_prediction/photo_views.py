"""Two views of many photos: a grid of tiles, and a table."""

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from flowergui.desktop.batch_prediction.photo_filter import PhotoGroup
from flowergui.desktop.batch_prediction.photo_model import PhotoColumn, PhotoModel
from flowergui.desktop.context_menus.photo_menu import add_photo_menu
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ModelIndex
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.thumbnails import Thumbnails
from flowergui.desktop.widgets.tile_list import TileDelegate, TileListView
from flowergui.text import percent, tr

TILE_PX = 104
ROW_TILE_PX = 34
"""The side of a picture in the table."""


class PhotoGrid(TileListView):
    """Photos as tiles. `chosen` has the PhotoAnswer that the user wants to look at."""

    def __init__(self, photos: PhotoModel, parent: QWidget | None = None) -> None:
        super().__init__(photos, _TileDelegate, 2 * theme.zoomed(TILE_PX), parent, flat=True)
        self.setObjectName("batchGrid")
        self.setAccessibleName(tr("Images"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        add_photo_menu(self, lambda photo: photo.path)


class _TileDelegate(TileDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        side = theme.zoomed(TILE_PX)
        return QSize(side + 14, side + 2 * option.fontMetrics.height() + 18)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        photo: PhotoAnswer = index.data(Qt.ItemDataRole.UserRole)
        model = index.model()
        assert isinstance(model, PhotoModel)
        group, look = model.filter.group_of(photo)[0], theme.current()
        area = QRectF(option.rect).adjusted(3, 3, -3, -3)
        side = theme.zoomed(TILE_PX)
        tile = QRectF(area.left() + 4, area.top() + 4, side, side)
        metrics, line = option.fontMetrics, option.fontMetrics.height()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(look.color("accent"), 1.5))
            painter.setBrush(look.color("accent_soft"))
            painter.drawRoundedRect(area, 6, 6)
        painter.setOpacity(0.5 if group == PhotoGroup.WAITING else 1.0)
        name = "!" if group == PhotoGroup.UNREADABLE else Path(photo.path).name
        paint_tile(painter, tile, self.thumbnails.picture(photo.path), name)
        painter.setOpacity(1.0)
        text = QRectF(tile.left(), tile.bottom() + 4, side, line)
        middle = Qt.AlignmentFlag.AlignVCenter
        room = text
        if photo.predicted:
            share = percent(photo.predicted.best.probability)
            painter.setPen(look.color("muted"))
            painter.drawText(text, int(Qt.AlignmentFlag.AlignRight | middle), share)
            room = text.adjusted(0, 0, -metrics.horizontalAdvance(share) - 6, 0)
        colors = {PhotoGroup.UNSURE: "warning", PhotoGroup.UNREADABLE: "error"}
        for token, what, where in (
            (colors.get(group, "text"), model.answer_text(photo), room),
            ("muted", Path(photo.path).name, text.translated(0, line)),
        ):
            shown = metrics.elidedText(what, Qt.TextElideMode.ElideMiddle, int(where.width()))
            painter.setPen(look.color(token))
            painter.drawText(where, int(middle), shown)
        painter.restore()


class PhotoTable(QTreeView):
    """Photos as rows; a click on a column's head sorts."""

    chosen = Signal(object)
    """The PhotoAnswer that the user wants to look at."""

    def __init__(
        self, photos: PhotoModel, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("batchTable")
        self.setAccessibleName(tr("Images"))
        self._photos = photos
        thumbnails.ready.connect(self.viewport().update)
        self.setModel(photos)
        self.setItemDelegateForColumn(PhotoColumn.PHOTO, _NameDelegate(thumbnails, self))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        theme.style(self, flat=True)
        theme.tabular(self)
        head = self.header()
        head.setSectionsMovable(False)
        head.setStretchLastSection(True)
        head.setSortIndicatorClearable(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)  # by path, as they come
        self.setSortingEnabled(True)
        line = self.fontMetrics().height()
        widths = {PhotoColumn.PHOTO: 17, PhotoColumn.PREDICTED: 11, PhotoColumn.PROBABILITY: 8}
        for column, lines in widths.items():
            self.setColumnWidth(column, lines * line)
        self.selectionModel().currentChanged.connect(self._current_changed)
        add_photo_menu(self, lambda photo: photo.path)

    def choose(self, row: int) -> None:
        """Makes a row, counted from 0, the current one."""
        flag = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(
            self._photos.index(row, 0), flag.ClearAndSelect | flag.Rows
        )

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.data(Qt.ItemDataRole.UserRole))


class _NameDelegate(TileDelegate):
    """A small picture before the name of a photo."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(thumbnails, parent)
        blank = QPixmap(ROW_TILE_PX, ROW_TILE_PX)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)

    def initStyleOption(self, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        super().initStyleOption(option, index)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        option.decorationSize = QSize(ROW_TILE_PX, ROW_TILE_PX)
        option.icon = self._blank

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return super().sizeHint(option, index).expandedTo(QSize(0, ROW_TILE_PX + 6))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        super().paint(painter, option, index)
        self.initStyleOption(option, index)
        style = option.widget.style()
        where = style.subElementRect(
            QStyle.SubElement.SE_ItemViewItemDecoration, option, option.widget
        )
        photo: PhotoAnswer = index.data(Qt.ItemDataRole.UserRole)
        name = "!" if photo.failure else Path(photo.path).name
        paint_tile(painter, QRectF(where), self.thumbnails.picture(photo.path), name)
