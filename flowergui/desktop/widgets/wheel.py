"""What the mouse wheel does over editors in a panel that scrolls."""

from typing import TYPE_CHECKING

from PySide6.QtGui import QWheelEvent

if TYPE_CHECKING:  # a mixin stands before the Qt class that it extends
    from PySide6.QtWidgets import QWidget as _Widget
else:
    _Widget = object


class WheelScrollsPanel(_Widget):
    """A mixin of editors: unless it has the focus, the wheel scrolls the panel, and does not change
    the value. To be used with a focus policy that the wheel does not give the focus by."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
