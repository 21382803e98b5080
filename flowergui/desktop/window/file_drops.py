"""Files that are dropped anywhere on the window."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from flowergui.desktop.context_menus.drag_out import is_own_drag
from flowergui.desktop.prediction.path_sorter import PathSorter


class FileDrops(PathSorter):
    """Sorts what is dropped on a window; a folder is meant for the dataset."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, to_predict=False)
        self._window = window
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.DragEnter:
            if event.mimeData().urls() and not is_own_drag(event, self._window):
                event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            event.acceptProposedAction()
            self.take(event.mimeData())
            return True
        return super().eventFilter(watched, event)
