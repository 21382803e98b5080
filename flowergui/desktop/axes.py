"""What all plots have in common: how their axes look and behave."""

from collections.abc import Sequence

from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QWidget

from flowergui.desktop import theme
from flowergui.desktop.lean import pyqtgraph as pg


def prepare(plot: pg.PlotWidget, sides: Sequence[str]) -> None:
    """Shows axes on these sides and grid lines across, and takes away what pyqtgraph offers
    beside: menus, buttons, ranges of its own, prefixes."""
    item = plot.getPlotItem()
    item.setMenuEnabled(False)
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
