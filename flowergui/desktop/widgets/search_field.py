"""Fields that filter what is shown, or a long list."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

MIN_ROWS = 12
"""A list with no more rows than this is seen at a glance: it has no field."""


class FilterField(QLineEdit):
    """The first Escape empties it. Files that are dropped on it go to the window."""

    def __init__(self, name: str, text: str, parent: QWidget | None = None) -> None:
        """`name` is its object name, `text` what it says while it is empty."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setPlaceholderText(text)
        self.setAccessibleName(text)
        self.setClearButtonEnabled(True)
        self.setAcceptDrops(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)


class SearchField(FilterField):
    """Hidden while the list is short."""

    searched = Signal(str)
    """The user looks for this; "" for everything."""

    def __init__(self, name: str, text: str, parent: QWidget | None = None) -> None:
        """See FilterField."""
        super().__init__(name, text, parent)
        self.textChanged.connect(self.searched)
        self.hide()

    def show_for(self, rows: int) -> None:
        """The whole list has so many rows now."""
        self.setVisible(rows > MIN_ROWS)
        if rows <= MIN_ROWS:
            self.clear()

    def finds(self, *texts: str) -> bool:
        """Whether one of these has what is looked for, in upper or lower case."""
        wanted = self.text().strip().casefold()
        return any(wanted in text.casefold() for text in texts)
