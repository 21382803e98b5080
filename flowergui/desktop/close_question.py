"""May a window close while a run goes?"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask_to_close(parent: QWidget, stop_and_close: Callable[[], object]) -> None:
    """Asks without blocking; `stop_and_close` is called where the answer is yes."""
    box = QMessageBox(parent)
    box.setObjectName("closeQuestion")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("flowergui")
    box.setText("A run is going on. Stop it and close?")
    box.setInformativeText("It is saved first, and can be resumed where it stops.")
    box.setStandardButtons(QMessageBox.StandardButton.Close | QMessageBox.StandardButton.Cancel)
    close = box.button(QMessageBox.StandardButton.Close)
    close.setText("Stop, save and close")
    close.clicked.connect(stop_and_close)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.open()
