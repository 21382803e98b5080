"""A question that the user answers with a button."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui.desktop.widgets.windows import DISPLAY_NAME
from flowergui.text import tr

Button = QMessageBox.StandardButton


def confirm(
    parent: QWidget | None,
    name: str,
    text: str,
    more: str,
    yes: tuple[Button, str],
    then: Callable[[], object],
) -> None:
    """Asks a question without blocking the window, and calls `then` if the user confirms.

    `text` is the question and `more` stands below it; `yes` is the button that confirms, and its
    text. The other button cancels, and so does Return. `name` is the dialog's objectName.
    """
    box = QMessageBox(parent)
    box.setObjectName(name)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(DISPLAY_NAME)
    box.setTextFormat(Qt.TextFormat.PlainText)  # names of folders may hold anything
    box.setText(text)
    box.setInformativeText(more)
    box.setStandardButtons(yes[0] | Button.Cancel)
    box.button(yes[0]).setText(yes[1])
    box.button(Button.Cancel).setText(tr("Cancel"))
    box.button(yes[0]).clicked.connect(then)
    box.setDefaultButton(Button.Cancel)
    box.open()
