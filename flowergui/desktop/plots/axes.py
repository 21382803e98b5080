"""What all plots have in common: how their axes look and behave."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QWidget

from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.style import theme

THICK = 250
"""Points or pairs above which a line is thinned that is thicker than a pixel, or antialiased: the
more it goes up and down, the longer Qt takes for it."""
RUNAWAY = 30
"""How many times as large as the largest loss in training (or as 1) one in validation may be to be
kept in sight: overfitting stays below."""

Ticks = list[list[tuple[float, str]]] | None
"""Of an axis, level by level: where each stands, and its text. None: pyqtgraph finds them."""


def empty_plot(sides: Sequence[str], parent: QWidget) -> pg.PlotWidget:
    """A plot with axes on these sides ("left" among them) and grid lines across, and without what
    pyqtgraph offers beside: menus, buttons, ranges of its own, prefixes."""
    plot = pg.PlotWidget(parent, enableMenu=False)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
    item = plot.getPlotItem()
    item.hideButtons()
    item.disableAutoRange()
    item.layout.setContentsMargins(0, 0, 0, 0)
    for side in sides:
        item.showAxis(side)
        axis = item.getAxis(side)
        axis.enableAutoSIPrefix(False)
        axis.setStyle(tickLength=0, tickAlpha=255, maxTickLevel=0)
        axis.setZValue(-1)  # grids lie behind the curves
    item.getAxis("left").setGrid(255)
    return plot


def recolor(plot: pg.PlotWidget, sides: Sequence[str], font: QFont, metrics: QFontMetrics) -> None:
    """Gives them the theme's colours that hold now, and this font."""
    colors = theme.current()
    plot.setBackground(colors.card)
    for side in sides:
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(colors.border))
        axis.setTickPen(pg.mkPen(colors.grid))
        axis.setTextPen(colors.muted)
        axis.setTickFont(font)
    plot.getAxis("left").setWidth(metrics.horizontalAdvance("00.00") + 10)


def small_font(widget: QWidget) -> QFont:
    """The widget's, a little smaller."""
    font = QFont(widget.font())
    if font.pointSizeF() > 0:
        font.setPointSizeF(font.pointSizeF() * 0.85)
    return font


def stride(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is not below `least`."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10
