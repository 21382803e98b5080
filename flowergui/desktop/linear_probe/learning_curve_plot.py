"""The plot of a learning curve: accuracy by the number of images."""

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowergui.desktop.plots import axes
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.style import theme
from flowergui.events import LearningCurveEstimated
from flowergui.facts import CurvePoint
from flowergui.text import tr

SIDES = ("left", "bottom")
DASHED = Qt.PenStyle.DashLine

MARGIN = 0.12
"""Room beside the outermost points, as a share of the distance of two."""

ROOM = 0.01
"""Room above and below all points, as a share."""

MIN_SPAN = 0.05
"""The least range of accuracies that the vertical axis shows."""


class LearningCurvePlot(QWidget):
    """Draws the points with their 95% intervals, and the one that is extrapolated hollow, behind a
    dashed line. Each doubling of the images is as far from the last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: LearningCurveEstimated | None = None
        self._class: int | None = None
        self.plot = axes.empty_plot(SIDES, self)
        self.plot.setObjectName("learningCurvePlot")
        self.plot.setAccessibleName(tr("Accuracy by the number of images"))
        self.plot.getPlotItem().setMouseEnabled(x=False, y=False)
        self.plot.getAxis("left").setScale(100)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.plot)
        self.recolor()

    def show_curve(self, event: LearningCurveEstimated | None, chosen: int | None = None) -> None:
        """Draws this curve, None for none; and that of the class with the index `chosen`, if any,
        beside it."""
        self._event, self._class = event, chosen
        self.recolor()

    def recolor(self) -> None:
        """Draws it in the theme's current colours."""
        self.plot.clear()
        axes.recolor(self.plot, SIDES, axes.small_font(self), self.fontMetrics())
        event = self._event
        for side in SIDES:
            self.plot.getAxis(side).setTicks(None if event and side == "left" else [])
        if event is None:
            return
        points = (*event.points, event.twice)
        x = [math.log2(each.photos) for each in points]
        look = theme.current()
        shown = self._class_accuracy(points)
        if shown is not None:
            self._draw(x, shown, look.validation)
        for place, each in zip(x, points, strict=True):
            bar = pg.PlotDataItem(
                [place, place],
                [each.low, each.high],
                pen=pg.mkPen(look.over_card("train", 0.35), width=2),
            )
            self.plot.addItem(bar)
        self._draw(x, [each.accuracy for each in points], look.train)
        self.plot.getAxis("bottom").setTicks(
            [[(place, f"{each.photos:,}") for place, each in zip(x, points, strict=True)]]
        )
        bounds = [bound for each in points for bound in (each.low, each.high)] + (shown or [])
        high = min(max(bounds), 1.0) + ROOM
        low = max(min(min(bounds), high - MIN_SPAN) - ROOM, -ROOM)
        high = max(high, low + MIN_SPAN)
        self.plot.setRange(xRange=(x[0] - MARGIN, x[-1] + MARGIN), yRange=(low, high), padding=0)

    def _draw(self, x: list[float], y: list[float], color: str) -> None:
        """The measured part, and the extrapolated last point."""
        pen, dashed = pg.mkPen(color, width=2), pg.mkPen(color, width=2, style=DASHED)
        self.plot.addItem(pg.PlotDataItem(x[-2:], y[-2:], pen=dashed, antialias=True))
        self.plot.addItem(
            pg.PlotDataItem(
                x[:-1],
                y[:-1],
                pen=pen,
                antialias=True,
                symbol="o",
                symbolSize=8,
                symbolBrush=color,
                symbolPen=None,
            )
        )
        hollow = pg.ScatterPlotItem(
            x[-1:], y[-1:], size=9, pen=pen, brush=theme.current().card, antialias=True
        )
        hollow.setZValue(10)
        self.plot.addItem(hollow)

    def _class_accuracy(self, points: tuple[CurvePoint, ...]) -> list[float] | None:
        """That of the chosen class, at all points; None if there is none."""
        if self._class is None:
            return None
        shares = [each.class_accuracy[self._class] for each in points]
        known = [share for share in shares if share is not None]
        return known if len(known) == len(shares) else None
