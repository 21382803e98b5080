"""The question for a note on a run."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QInputDialog, QPushButton, QWidget

from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.desktop.widgets.windows import DISPLAY_NAME
from flowergui.facts import RunFacts
from flowergui.text import tr

MIN_SIZE_PX = QSize(440, 0)


def ask_for_note(parent: QWidget | None, run: RunFacts, then: Callable[[str], object]) -> None:
    """Asks for a note on a run, and does not block: `then` is called with the text."""
    box = QInputDialog(parent)
    box.setObjectName("noteQuestion")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(DISPLAY_NAME)
    box.setLabelText(escape_tooltip(tr("Your note on {run}:", run=Path(run.path).name)))
    box.setTextValue(run.note)
    box.setOkButtonText(tr("Save"))
    box.resize(box.sizeHint().expandedTo(MIN_SIZE_PX))  # which makes its buttons
    for button in box.findChildren(QPushButton):
        button.setIcon(QIcon())
    box.textValueSelected.connect(then)
    box.open()
