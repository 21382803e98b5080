"""May a window close while a run goes?"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget


def ask_to_close(
    parent: QWidget, stop_and_close: Callable[[], object], *, lost: bool = False
) -> None:
    """Asks without blocking; `stop_and_close` is called where the answer is yes. A run may be
    `lost` with it: it is at its end, and could not be saved."""
    box = QMessageBox(parent)
    box.setObjectName("closeQuestion")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("flowergui")
    if lost:
        box.setText("This run could not be saved. Close, and lose it?")
        box.setInformativeText("What it has learned since it was saved last is gone then.")
    else:
        box.setText("A run is going on. Stop it and close?")
        box.setInformativeText("It is saved first, and can be resumed where it stops.")
    box.setStandardButtons(QMessageBox.StandardButton.Close | QMessageBox.StandardButton.Cancel)
    close = box.button(QMessageBox.StandardButton.Close)
    close.setText("Close without saving" if lost else "Stop, save and close")
    for button in box.buttons():
        button.setIcon(QIcon())  # the platform's say the same of both
    close.clicked.connect(stop_and_close)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.open()
