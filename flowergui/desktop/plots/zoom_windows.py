"""The buttons that choose how many of the newest steps the plots show."""

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from flowergui.desktop.accessibility import radio_group
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import WrappingRow
from flowergui.text import N_, tr

ALL_STEPS = 0
WINDOWS = ((200, N_("Last 200")), (1_000, N_("Last 1,000")), (ALL_STEPS, N_("All")))
"""Zoom windows in steps."""
LEAST_WIDTH = 410
"""Pixels to which plots may become narrow before the buttons above them need a second line."""


class ZoomWindows(WrappingRow):
    """A row of buttons, of which one is checked while the plots follow the newest step."""

    chosen = Signal(int)
    """The user wants to see this many of the newest steps, ALL_STEPS for all."""

    def __init__(self, lead: Iterable[QWidget] = (), parent: QWidget | None = None) -> None:
        """`lead` are widgets that stand before the buttons."""
        super().__init__(spacing=2, least_width=LEAST_WIDTH, parent=parent)
        self._by_hand = QLabel(
            tr("Zoomed by hand. Press Last 200, Last 1,000 or All to follow the run again.")
        )
        self._by_hand.setWordWrap(True)
        theme.style(self._by_hand, role="caption")
        self._by_hand.hide()
        buttons = []
        for window, text in WINDOWS:
            button = QPushButton(tr(text))
            button.setObjectName(f"window{window or 'All'}")
            button.setToolTip(
                tr("Shows this many steps and follows the newest. The wheel zooms, dragging pans.")
            )
            theme.style(button, role="segment")
            buttons.append(button)
        self.add((*lead, self._by_hand), buttons)
        self._buttons = radio_group(buttons, self)
        for (window, _), button in zip(WINDOWS, buttons, strict=True):
            self._buttons.setId(button, window)
            button.setChecked(window == ALL_STEPS)
        self._buttons.idClicked.connect(self.chosen)

    def show_window(self, window: int | None) -> None:
        """Shows which window the plots follow; None if the user has zoomed by hand."""
        self._buttons.setExclusive(False)  # an exclusive group cannot have none checked
        for button in self._buttons.buttons():
            button.setChecked(self._buttons.id(button) == window)
        self._buttons.setExclusive(window is not None)
        self._by_hand.setVisible(window is None)
