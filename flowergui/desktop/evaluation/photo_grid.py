"""Photos whose class is known, each with what the network takes it for."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter, QPen
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
from flowergui.events import PhotoEvaluated
from flowergui.text import (
    percent,
)

TILE = 96
BATCH = 500
"""Photos that are laid out at a time."""


class _PhotoModel(ListModel):
    def said(self, row: PhotoEvaluated, role: int) -> str | None:
        name = Path(row.path).name
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{name}: {in_words(row)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.path}\n{in_words(row)}"
        return None


def in_words(judged: PhotoEvaluated) -> str:
    """taken for tulip (91%), is rose (5%)."""
    if judged.correct:
        return f"rightly taken for {judged.predicted} ({percent(judged.probability)})"
    return (
        f"taken for {judged.predicted} ({percent(judged.probability)}), "
        f"is {judged.label} ({percent(judged.label_probability)})"
    )


class PhotoGrid(QListView):
    """Shows them as tiles; pictures are read only for those that are seen."""

    chosen = Signal(object)
    """The PhotoEvaluated that the user wants to look at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("judgedGrid")
        self.setAccessibleName("Photos")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(BATCH)
        self.setFrameShape(QListView.Shape.NoFrame)
        theme.style(self, flat=True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._photos = _PhotoModel(self)
        self._thumbnails = Thumbnails(2 * TILE, 1_000, self)
        self._thumbnails.ready.connect(self.viewport().update)
        self.setModel(self._photos)
        self.setItemDelegate(_PhotoDelegate(self._thumbnails, self))
        self.selectionModel().currentChanged.connect(self._moved)

    def show_photos(self, judged: Sequence[PhotoEvaluated], path: str = "") -> None:
        """Shows these instead of those before, and chooses the one of this path, else the first."""
        self._photos.show_rows(judged)
        if judged:
            row = next((row for row, each in enumerate(judged) if each.path == path), 0)
            self.selectionModel().setCurrentIndex(
                self._photos.index(row), QItemSelectionModel.SelectionFlag.ClearAndSelect
            )

    @Slot(QModelIndex, QModelIndex)
    def _moved(self, now: QModelIndex, before: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(now.data(Qt.ItemDataRole.UserRole))


class _PhotoDelegate(QStyledItemDelegate):
    def __init__(self, thumbnails: Thumbnails, parent: QObject) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(TILE + 14, TILE + 2 * option.fontMetrics.height() + 16)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        judged: PhotoEvaluated = index.data(Qt.ItemDataRole.UserRole)
        look = theme.current()
        area = QRectF(option.rect).adjusted(3, 3, -3, -3)
        tile = QRectF(area.left() + 4, area.top() + 4, TILE, TILE)
        line = option.fontMetrics.height()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(look.color("accent"), 1.5))
            painter.setBrush(look.color("accent_soft"))
            painter.drawRoundedRect(area, 6, 6)
        paint_tile(painter, tile, self._thumbnails.picture(judged.path), judged.label)
        share = percent(judged.probability)
        text = QRectF(tile.left(), tile.bottom() + 3, TILE, line)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.color("muted"))
        painter.drawText(text, int(right), share)
        name = text.adjusted(0, 0, -option.fontMetrics.horizontalAdvance(share) - 6, 0)
        painter.setPen(look.color("success" if judged.correct else "error"))
        self._draw(painter, option, name, judged.predicted)
        if not judged.correct:
            painter.setPen(look.color("muted"))
            self._draw(painter, option, text.translated(0, line), f"is {judged.label}")
        painter.restore()

    def _draw(
        self, painter: QPainter, option: QStyleOptionViewItem, where: QRectF, text: str
    ) -> None:
        shown = option.fontMetrics.elidedText(
            text, Qt.TextElideMode.ElideMiddle, int(where.width())
        )
        painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter), shown)
