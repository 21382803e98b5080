"""A small text that floats over a plot, beside the pointer."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from flowergui.desktop.style import theme

APART = 16
"""Pixels between it and the pointer."""


class PlotTooltip(QLabel):
    """Hidden until it has something to say."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setMargin(6)
        self.hide()
        theme.style(self, card=True, role="readout")
        theme.tabular(self)

    def say(self, text: str) -> None:
        """Shows this; "" hides it."""
        self.setVisible(bool(text))
        if text:
            self.setText(text)
            self.adjustSize()
            self.raise_()

    def stand_beside(self, pointer: QPoint) -> None:
        """Moves beside the pointer, in its parent's coordinates, and stays within the parent."""
        room = self._over.size()
        left = pointer.x() + APART
        if left + self.width() > room.width() - theme.SPACE:
            left = max(0, pointer.x() - APART - self.width())
        top = min(pointer.y() - self.height() // 2, room.height() - self.height())
        self.move(left, max(0, top))
