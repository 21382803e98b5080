"""Saving what is on screen: a thread writes the file, and a dialog says why it could not."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget
from shiboken6 import isValid

from flowergui.desktop.threads.worker import Worker
from flowergui.desktop.widgets.windows import DISPLAY_NAME


def save_in_background(parent: QWidget, write: Callable[[], object]) -> None:
    """Calls `write` in a thread. What it raises is shown over the window of `parent`."""

    def job() -> Iterator[object]:
        write()
        yield None

    window = parent.window()
    worker = Worker(job)
    worker.failed.connect(lambda error: say(window if isValid(window) else None, str(error)))
    worker.start()


def say(parent: QWidget | None, text: str) -> None:
    """Says what went wrong, without blocking the window; over no window where it has gone."""
    box = QMessageBox(parent)
    box.setObjectName("savingProblem")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(DISPLAY_NAME)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    _shown.add(box)
    box.finished.connect(lambda: _shown.discard(box))
    box.open()


_shown: set[QMessageBox] = set()  # those of no window would go at once
