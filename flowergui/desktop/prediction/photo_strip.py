"""The photos that were dropped together, as thumbnails to choose from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import (
    QItemSelectionModel,
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

from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.thumbnails import Thumbnails
from flowergui.text import tr

TILE_PX = 40
MAX_THUMBNAILS = 500


class PhotoStrip(QListView):
    """One row of photos; hidden while there are fewer than two."""

    chosen = Signal(object)
    """The user wants to see this PhotoAnswer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("photoStrip")
        self.setAccessibleName(tr("Images"))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        theme.style(self, flat=True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._photos = _StripModel(self)
        self._thumbnails = Thumbnails(3 * TILE_PX, MAX_THUMBNAILS, self)
        self._thumbnails.ready.connect(self.viewport().update)
        self.setModel(self._photos)
        self.setItemDelegate(_StripDelegate(self._thumbnails, self))
        self.setFixedHeight(TILE_PX + 8 + self.horizontalScrollBar().sizeHint().height())
        self.selectionModel().currentChanged.connect(self._selected)
        self.hide()

    @property
    def current(self) -> PhotoAnswer | None:
        """The photo that is chosen; None while there is none."""
        return self._photos.shown(self.currentIndex().row())

    def show_photos(self, paths: Sequence[str]) -> None:
        """Shows these instead of those before, and chooses the first."""
        self._photos.show_rows(PhotoAnswer(path) for path in dict.fromkeys(paths))
        self.setVisible(self._photos.rowCount() > 1)
        self.selectionModel().setCurrentIndex(
            self._photos.index(0), QItemSelectionModel.SelectionFlag.ClearAndSelect
        )

    def photos(self) -> list[PhotoAnswer]:
        """All of them."""
        return list(self._photos.rows)

    def row_of(self, path: str) -> int:
        """The row of a photo, from 0; -1 if it is not there."""
        return self._photos.row_of(path)

    def put(self, shown: PhotoAnswer) -> None:
        """Replaces what is known of a photo that is there."""
        self._photos.put(shown)

    @Slot()
    def _selected(self) -> None:
        if self.current:
            self.chosen.emit(self.current)


class _StripModel(ListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._row_of: dict[str, int] = {}

    def show_rows(self, rows: Iterable[PhotoAnswer]) -> None:
        shown = list(rows)
        self._row_of = {each.path: row for row, each in enumerate(shown)}
        super().show_rows(shown)

    def put(self, shown: PhotoAnswer) -> None:
        row = self._row_of[shown.path]
        self.rows[row] = shown
        self.dataChanged.emit(self.index(row), self.index(row))

    def shown(self, row: int) -> PhotoAnswer | None:
        return self.rows[row] if 0 <= row < len(self.rows) else None

    def row_of(self, path: str) -> int:
        return self._row_of.get(path, -1)

    def said(self, row: PhotoAnswer, role: int) -> str | None:
        name = Path(row.path).name
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.summary
        return None


class _StripDelegate(QStyledItemDelegate):
    def __init__(self, thumbnails: Thumbnails, parent: QObject) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(TILE_PX + 6, TILE_PX + 6)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        shown: PhotoAnswer = index.data(Qt.ItemDataRole.UserRole)
        look = theme.current()
        tile = QRectF(option.rect).adjusted(3, 3, -3, -3)
        name = "!" if shown.failure else Path(shown.path).name
        painter.save()
        if not shown.predicted and not shown.failure:
            painter.setOpacity(0.5)
        paint_tile(painter, tile, self._thumbnails.picture(shown.path), name)
        painter.setOpacity(1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(tile.adjusted(-1, -1, 1, 1), 6, 6)
        painter.restore()
