"""The photos that were dropped together, as thumbnails to choose from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem, QWidget

from flowergui.desktop.context_menus.photo_menu import add_photo_menu
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.painting import paint_tile
from flowergui.desktop.widgets.tile_list import TileDelegate, TileListView
from flowergui.text import tr

TILE_PX = 40


class PhotoStrip(TileListView):
    """One row of photos; hidden while there are fewer than two. `chosen` has a PhotoAnswer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._photos = _StripModel()
        super().__init__(self._photos, _StripDelegate, 3 * TILE_PX, parent, flat=True)
        self.setObjectName("photoStrip")
        self.setAccessibleName(tr("Images"))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(TILE_PX + 8 + self.horizontalScrollBar().sizeHint().height())
        self.hide()
        add_photo_menu(self, lambda shown: shown.path)

    @property
    def current(self) -> PhotoAnswer | None:
        """The photo that is chosen; None while there is none."""
        return self._photos.shown(self.currentIndex().row())

    def show_photos(self, paths: Sequence[str]) -> None:
        """Shows these instead of those before, and chooses the first. Files are read anew."""
        self.thumbnails.forget()
        self._photos.show_rows(PhotoAnswer(path) for path in dict.fromkeys(paths))
        self.setVisible(self._photos.rowCount() > 1)
        self.choose(0)

    def photos(self) -> list[PhotoAnswer]:
        """All of them."""
        return list(self._photos.rows)

    def row_of(self, path: str) -> int:
        """The row of a photo, from 0; -1 if it is not there."""
        return self._photos.row_of(path)

    def put(self, shown: PhotoAnswer) -> None:
        """Replaces what is known of a photo that is there."""
        self._photos.put(shown)


class _StripModel(ListModel):
    def __init__(self) -> None:
        super().__init__()
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

    def text_of(self, row: PhotoAnswer, role: int) -> str | None:
        name = Path(row.path).name
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.summary
        return None


class _StripDelegate(TileDelegate):
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
        paint_tile(painter, tile, self.thumbnails.picture(shown.path), name)
        painter.setOpacity(1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(tile.adjusted(-1, -1, 1, 1), 6, 6)
        painter.restore()
