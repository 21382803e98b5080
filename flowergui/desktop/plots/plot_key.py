"""The key of a plot: the names of its curves in their colours, with their newest values."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QLabel, QWidget

from flowergui.desktop.style import theme

GAP = "\N{NO-BREAK SPACE}" * 3 + " "
"""Between two entries."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A curve's name, the short form of it for narrow plots, its colour (#rrggbb) and a value."""

    name: str
    short: str
    color: str
    value: str


class PlotKey(QLabel):
    """Shows entries in one line, with short names where there is no room for the full ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setMinimumWidth(1)  # the plot, not its key, decides how narrow it may be
        theme.style(self, role="caption")
        theme.tabular(self)

    def show_entries(self, entries: Sequence[KeyEntry], room: int) -> None:
        """Shows these entries in at most `room` pixels, if that can be."""
        full = GAP.join(f"{each.name} {each.value}" for each in entries)
        bold = QFont(self.font())
        bold.setBold(True)
        fits = QFontMetrics(bold).horizontalAdvance(full) <= room
        self.setText(
            GAP.join(
                f'<span style="color:{each.color}">{each.name if fits else each.short} '
                f"<b>{each.value}</b></span>"
                for each in entries
            )
        )
        self.setAccessibleName(full)
