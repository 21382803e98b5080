"""The key of a plot: the names of its curves in their colours, with their newest values."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from flowergui.desktop.style import theme

GAP_SPACES = 4
"""Spaces between two entries."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A curve's name, the short form of it for narrow plots, its colour (#rrggbb) and a value."""

    name: str
    short: str
    color: str
    value: str


class PlotKey(QLabel):
    """Shows entries in one line at the right, with short names where there is no room for the full
    ones, and without the last ones where there is still none; then the tooltip has them all.

    It paints its text itself: with setText, a QLabel would lay out the plot and everything around
    it anew with each value, ten times a second.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[KeyEntry, ...] = ()
        # The plot, not its key, decides how narrow it may be.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.style(self, role="caption")
        theme.tabular(self)

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """All entries."""
        return self._entries

    @property
    def entries_text(self) -> str:
        """All entries with their full names and values, as a screen reader has them."""
        return "  ".join(f"{each.name} {each.value}" for each in self._entries)

    def show_entries(self, entries: Sequence[KeyEntry]) -> None:
        """Shows these entries instead of those before."""
        if self._entries != tuple(entries):
            self._entries = tuple(entries)
            self.setAccessibleName(self.entries_text)
            self._show_tip()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_tip()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
        super().changeEvent(event)

    def shown_names(self) -> list[str]:
        """The names that there is room for: the full ones, or in their short form all, or the
        first ones."""
        names = [each.name for each in self._entries]
        if self.text_width(names) <= self.width():
            return names
        names = [each.short for each in self._entries]
        while len(names) > 1 and self.text_width(names) > self.width():
            names.pop()
        return names

    def text_width(self, names: Sequence[str]) -> int:
        """Pixels that the first entries take with these names."""
        metrics, bold = self.fontMetrics(), QFontMetrics(self._bold())
        space = metrics.horizontalAdvance(" ")
        widths = (
            metrics.horizontalAdvance(name) + space + bold.horizontalAdvance(each.value)
            for name, each in zip(names, self._entries, strict=False)
        )
        return sum(widths) + GAP_SPACES * space * max(0, len(names) - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        names, bold, metrics = self.shown_names(), self._bold(), self.fontMetrics()
        space, value_metrics = metrics.horizontalAdvance(" "), QFontMetrics(bold)
        left = self.width() - self.text_width(names)
        baseline = (self.height() + metrics.ascent() - metrics.descent()) // 2
        painter = QPainter(self)
        for name, each in zip(names, self._entries, strict=False):
            painter.setPen(QColor(each.color))
            painter.setFont(self.font())
            painter.drawText(left, baseline, name)
            left += metrics.horizontalAdvance(name) + space
            painter.setFont(bold)
            painter.drawText(left, baseline, each.value)
            left += value_metrics.horizontalAdvance(each.value) + GAP_SPACES * space
        painter.end()

    def _show_tip(self) -> None:
        whole = self.shown_names() == [each.name for each in self._entries]
        tip = "" if whole else self.entries_text
        if self.toolTip() != tip:
            self.setToolTip(tip)

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setBold(True)
        return font
