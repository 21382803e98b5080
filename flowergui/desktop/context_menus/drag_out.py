"""Dragging an image out of the window: into a mail, a document or a folder."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QDrag, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from flowergui.store.archives import archive_of


def is_own_drag(event: QDropEvent, widget: QWidget) -> bool:
    """Whether what is dragged comes from the window of this widget: it has it already."""
    source = event.source()
    return isinstance(source, QWidget) and source.window() is widget.window()


class DragOut(QObject):
    """Starts a drag of the file of an image, where one is pressed and pulled. It is copied: what
    takes it can't move it."""

    def __init__(self, widget: QWidget, path_at: Callable[[QPoint], str]) -> None:
        """`path_at` gives the image at a place in the widget; "" for none."""
        seen = widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget
        super().__init__(widget)
        self._widget, self._path_at = seen, path_at
        self._pressed: QPoint | None = None
        self._path = ""
        seen.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            place = event.position().toPoint()
            if event.type() == QEvent.Type.MouseButtonPress:
                is_left = event.button() == Qt.MouseButton.LeftButton
                self._pressed = place if is_left else None
                self._path = self._path_at(place) if is_left else ""
                if archive_of(self._path):
                    self._path = ""  # it is no file
            elif event.type() == QEvent.Type.MouseButtonRelease:
                self._pressed = None
            elif event.type() == QEvent.Type.MouseMove and self._is_pulled(place):
                self._pressed = None
                self._drag()
                return True
        return False

    def _is_pulled(self, place: QPoint) -> bool:
        if self._pressed is None or not self._path:
            return False
        distance = (place - self._pressed).manhattanLength()
        return distance >= QApplication.startDragDistance()

    def _drag(self) -> None:
        drag, mime = QDrag(self._widget), QMimeData()
        # Not fromLocalFile: a name that is no UTF-8 would lose bytes.
        mime.setUrls([QUrl.fromEncoded(Path(self._path).absolute().as_uri().encode())])
        drag.setMimeData(mime)
        drag.exec(Qt.DropAction.CopyAction)
