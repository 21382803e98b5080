"""Dashed lines at steps where something was changed: frozen layers, learning rate, image size."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont

from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.style.colors import Theme

MARK_DEPTH = 10
"""Z value: above the curves, below the ring around the best epoch."""
LABEL_ROWS = 3
"""Labels of neighbouring marks stand in so many rows below each other."""


@dataclass(frozen=True, eq=False)
class StepMark:
    """A line at a step; `text` stands beside it, "" for none."""

    step: float
    text: str
    line: pg.InfiniteLine


class StepMarks:
    """The marks of one plot."""

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot = plot
        self._marks: list[StepMark] = []

    @property
    def all(self) -> tuple[StepMark, ...]:
        """The marks, in the order in which they were added."""
        return tuple(self._marks)

    def add(self, step: float, text: str, colors: Theme, font: QFont) -> None:
        """Adds a mark in these colours."""
        line = pg.InfiniteLine(pos=step, angle=90, label=text or None)
        line.setZValue(MARK_DEPTH)
        self._plot.addItem(line, ignoreBounds=True)
        self._marks.append(StepMark(step, text, line))
        self.recolor(colors, font)

    def remove_after(self, step: float) -> None:
        """Removes the marks after `step`."""
        for mark in [mark for mark in self._marks if mark.step > step]:
            self._marks.remove(mark)
            self._plot.removeItem(mark.line)

    def place_labels(self, low: float, high: float) -> None:
        """Puts the labels of the steps from `low` to `high`, which the plot shows, where they are
        not cut: to the left of their lines, and at the plot's left edge to their right."""
        view = self._plot.getViewBox()
        pixels_per_step = float(view.width()) / max(high - low, 1e-9)
        height = max(1.0, float(view.height()))
        for index, mark in enumerate(self._marks):
            if mark.text and low <= mark.step <= high:
                label = mark.line.label
                size = label.boundingRect()
                left = (mark.step - low) * pixels_per_step > size.width()
                anchor = (1.0 if left else 0.0, 0.5)
                # setAnchor alone would not last: pyqtgraph chooses one of `anchors` by the half of
                # the plot whenever the range changes.
                label.anchors = [anchor, anchor]
                label.setPosition(1.0 - (0.6 + index % LABEL_ROWS) * size.height() / height)

    def recolor(self, colors: Theme, font: QFont) -> None:
        """Gives all marks these colours and this font."""
        for mark in self._marks:
            mark.line.setPen(pg.mkPen(colors.muted, width=1, style=Qt.PenStyle.DashLine))
            if mark.text:
                mark.line.label.setColor(colors.muted)
                mark.line.label.setFont(font)
                mark.line.label.fill = pg.mkBrush(colors.color("card", 0.8))
