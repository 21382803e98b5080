"""A small text that floats over a plot, beside the pointer."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from flowergui.desktop.style import theme

POINTER_GAP_PX = 16


class PlotTooltip(QLabel):
    """Hidden while it has no text."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._plot = parent
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setMargin(6)
        self.hide()
        theme.style(self, card=True, role="readout")
        theme.tabular(self)

    def show_text(self, text: str) -> None:
        """Shows this; "" hides it."""
        self.setVisible(bool(text))
        if text:
            self.setText(text)
            self.adjustSize()
            self.raise_()

    def stand_beside(self, pointer: QPoint) -> None:
        """Moves beside the pointer, in its parent's coordinates, and stays within the parent."""
        room = self._plot.size()
        left = pointer.x() + POINTER_GAP_PX
        if left + self.width() > room.width() - theme.SPACE:
            left = max(0, pointer.x() - POINTER_GAP_PX - self.width())
        top = min(pointer.y() - self.height() // 2, room.height() - self.height())
        self.move(left, max(0, top))
