"""What a right click on an image offers, wherever it is shown."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QMenu, QWidget
from shiboken6 import isValid

from flowergui.desktop.context_menus.drag_out import DragOut
from flowergui.desktop.context_menus.photo_window import PhotoWindow
from flowergui.desktop.context_menus.saving import say
from flowergui.desktop.threads.worker import Worker
from flowergui.desktop.widgets.file_manager import folder_of, show_folder
from flowergui.desktop.widgets.thumbnails import read_picture
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.text import tr

MAX_COPIED_PX = 4_096
"""The longer side of an image on the clipboard."""


class PhotoMenu(QObject):
    """The context menu of a widget that shows images. It opens by a right click and by the menu
    key, where there is an image, which can be dragged out of the window, too."""

    def __init__(self, widget: QWidget, path_at: Callable[[QPoint], str]) -> None:
        """`path_at` gives the image at a place in the widget; "" for none."""
        super().__init__(widget)
        self._widget, self._path_at = widget, path_at
        self.menu = QMenu(widget)
        self.menu.setObjectName("photoMenu")
        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        widget.customContextMenuRequested.connect(self._open)
        DragOut(widget, path_at)

    @Slot(QPoint)
    def _open(self, place: QPoint) -> None:
        if path := self._path_at(place):
            self.menu.clear()
            for text, name, act in (
                (tr("&Open in full size"), "openPhoto", open_photo),
                (tr("&Copy image"), "copyPhoto", _copy),
                (tr("&Show in folder"), "showPhoto", _show_in_folder),
            ):
                action = self.menu.addAction(text)
                action.setObjectName(name)
                action.triggered.connect(lambda _=False, act=act: act(path, self._widget))
            self.menu.popup(self._widget.mapToGlobal(place))


def add_photo_menu(view: QAbstractItemView, path_of: Callable[[Any], str]) -> PhotoMenu:
    """Adds the menu to a list of images; `path_of` gives the image of a row (its UserRole). A
    double click, or Return, opens one in full size."""

    def path(index: QModelIndex) -> str:
        return path_of(index.data(Qt.ItemDataRole.UserRole)) if index.isValid() else ""

    def open_row(index: QModelIndex) -> None:
        if found := path(index):
            open_photo(found, view)

    view.doubleClicked.connect(open_row)
    keys = QShortcut(QKeySequence(Qt.Key.Key_Return), view)
    keys.setContext(Qt.ShortcutContext.WidgetShortcut)
    keys.activated.connect(lambda: open_row(view.currentIndex()))
    return PhotoMenu(view, lambda place: path(view.indexAt(place)))


def open_photo(path: str, parent: QWidget) -> None:
    """Shows an image in a window of its own."""
    bring_to_front(PhotoWindow(path, parent.window()))


def _show_in_folder(path: str, parent: QWidget) -> None:
    if problem := show_folder(folder_of(path)):
        say(parent.window(), problem)


def _copy(path: str, parent: QWidget) -> None:
    window = parent.window()
    worker = Worker(lambda: _read(path))
    worker.produced.connect(lambda read: _put_on_clipboard(read, path, window))
    worker.start()


def _read(path: str) -> Iterator[QImage]:
    yield read_picture(path, MAX_COPIED_PX)


def _put_on_clipboard(read: Sequence[QImage], path: str, window: QWidget) -> None:
    if read[-1].isNull():
        text = tr("{name} can't be read, so it was not copied.", name=Path(path).name)
        say(window if isValid(window) else None, text)
    else:
        QGuiApplication.clipboard().setImage(read[-1])
