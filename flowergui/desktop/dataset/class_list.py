"""The classes of a dataset, each with a picture and its number of images."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.file_manager import folder_of
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

    images_requested = Signal(str)
    """The user wants to see the images of this class."""
    folder_requested = Signal(str)
    """The user wants to see this folder in the file manager."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._rows = ClassModel()
        super().__init__(self._rows, _ClassDelegate, 3 * TILE_PX, parent)
        self.setObjectName("classList")
        self.setAccessibleName(tr("Classes"))
        self._classes: tuple[ClassCount, ...] = ()
        self.doubleClicked.connect(self._open)
        for text, name, act in (
            (tr("Show its &images"), "showClassImages", self._open_current),
            (tr("&Open its folder"), "openClassFolder", self._open_folder),
        ):
            action = QAction(text, self)
            action.setObjectName(name)
            action.triggered.connect(act)
            self.addAction(action)
        self.actions()[0].setShortcut(Qt.Key.Key_Return)
        self.actions()[0].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    @Slot(QModelIndex)
    def _open(self, index: QModelIndex) -> None:
        self.images_requested.emit(index.data(Qt.ItemDataRole.UserRole).name)

    @Slot()
    def _open_current(self) -> None:
        if self.currentIndex().isValid():
            self._open(self.currentIndex())

    @Slot()
    def _open_folder(self) -> None:
        each: ClassCount | None = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        if each is not None and each.examples:
            self.folder_requested.emit(folder_of(each.examples[0]))

    def show_classes(self, classes: tuple[ClassCount, ...]) -> None:
        """Shows these classes instead of those before; the list is tall enough for VISIBLE_ROWS."""
        self.thumbnails.forget()
        self._classes = classes
        self._rows.show_rows(classes)
        self._fit()

    def show_found(self, found: Callable[[str], bool]) -> None:
        """Shows only the classes whose name is `found`; the list stays as tall."""
        self._rows.show_rows(each for each in self._classes if found(each.name))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        rows: float = len(self._classes)
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
