"""Files that are dropped anywhere on the window."""

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from flowergui.desktop.prediction.drop_zone import local_paths, sorted_paths, why_not_taken


class FileDrops(QObject):
    """Sorts what is dropped on a window, by what it is."""

    folder_dropped = Signal(str)
    checkpoint_dropped = Signal(str)
    images_dropped = Signal(list)
    refused = Signal(str)
    """Nothing of what was dropped can be used; a sentence says why."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.DragEnter:
            if event.mimeData().urls():
                event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self.take(event)
            return True
        return super().eventFilter(watched, event)

    def take(self, event: QDropEvent) -> None:
        """Takes a drop: the first folder, the first checkpoint, and all images."""
        dropped = sorted_paths(local_paths(event.mimeData()))
        event.acceptProposedAction()
        if not dropped:
            self.refused.emit(why_not_taken(event.mimeData()))
        if dropped.folders:
            self.folder_dropped.emit(dropped.folders[0])
        if dropped.checkpoints:
            self.checkpoint_dropped.emit(dropped.checkpoints[0])
        if dropped.images:
            self.images_dropped.emit(list(dropped.images))
