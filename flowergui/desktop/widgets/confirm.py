"""A question that the user answers with a button."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget

Button = QMessageBox.StandardButton


def confirm(
    parent: QWidget | None,
    name: str,
    text: str,
    more: str,
    yes: tuple[Button, str],
    then: Callable[[], object],
) -> None:
    """Asks `text`, with `more` below it, and does not block: `then` is called where the answer is
    `yes`, a button and what stands on it. The other button cancels, and so does Return. The box
    is called `name`."""
    box = QMessageBox(parent)
    box.setObjectName(name)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("flowergui")
    box.setTextFormat(Qt.TextFormat.PlainText)  # names of folders may hold anything
    box.setText(text)
    box.setInformativeText(more)
    box.setStandardButtons(yes[0] | Button.Cancel)
    box.button(yes[0]).setText(yes[1])
    for button in box.buttons():
        button.setIcon(QIcon())  # the platform's say the same of both
    box.button(yes[0]).clicked.connect(then)
    box.setDefaultButton(Button.Cancel)
    box.open()
