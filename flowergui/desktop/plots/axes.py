"""Axes, fonts and limits that all plots have in common."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QWidget

from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.style import theme

MAX_THICK_POINTS = 250
"""Points of a line that is thicker than a pixel or antialiased; longer ones are downsampled, as Qt
takes long to draw them."""
MAX_LOSS_RATIO = 30
"""Validation losses are kept in sight up to this multiple of the largest training loss (or of 1);
overfitting stays below it."""

Ticks = list[list[tuple[float, str]]] | None
"""The ticks of an axis: a list of (value, text) for each level. None: pyqtgraph chooses them."""


def empty_plot(sides: Sequence[str], parent: QWidget) -> pg.PlotWidget:
    """A plot with axes on these sides ("left" among them) and horizontal grid lines, without
    pyqtgraph's menus, buttons, automatic ranges and SI prefixes."""
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
    """Applies the theme's current colours, and this font."""
    colors = theme.current()
    plot.setBackground(colors.card)
    for side in sides:
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(colors.border))
        axis.setTickPen(pg.mkPen(colors.grid))
        axis.setTextPen(colors.muted)
        axis.setTickFont(font)
    plot.getAxis("left").setWidth(metrics.horizontalAdvance("00.00") + 10)


def name_axis(plot: pg.PlotWidget, side: str, title: str, font: QFont) -> None:
    """Writes the title of an axis beside it, in this font."""
    points = font.pointSizeF()
    size = f"{points:.1f}pt" if points > 0 else f"{font.pixelSize()}px"
    plot.getAxis(side).setLabel(title, color=theme.current().muted, **{"font-size": size})


def small_font(widget: QWidget) -> QFont:
    """The widget's font, a little smaller."""
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
