"""The plot of a learning curve: accuracy by the number of images."""

import math
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowergui.desktop.context_menus.plot_picture import Heading
from flowergui.desktop.plots import axes
from flowergui.desktop.plots.chart_frame import PlotFrame
from flowergui.desktop.plots.curve_table import CurveTable
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.plots.plot_menu import PlotMenu
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.events import LearningCurveEstimated
from flowergui.facts import CurvePoint
from flowergui.text import fine_percent, sentences, tr, trn

SIDES = ("left", "bottom")
DASHED = Qt.PenStyle.DashLine

MARGIN = 0.12
"""Room beside the outermost points, as a share of the distance of two."""

ROOM = 0.01
"""Room above and below all points, as a share."""

MIN_SPAN = 0.05
"""The least range of accuracies that the vertical axis shows."""


class LearningCurvePlot(PlotFrame):
    """Draws the points with their 95% intervals, and the one that is extrapolated hollow, behind a
    dashed line. Each doubling of the images is as far from the last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: LearningCurveEstimated | None = None
        self._class: int | None = None
        self.adopt(axes.empty_plot(SIDES, self), tr("Accuracy by the number of images"))
        self.plot.setObjectName("learningCurvePlot")
        self.plot.getPlotItem().setMouseEnabled(x=False, y=False)
        self.plot.getAxis("left").setScale(100)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(4, 4, 4, 4)  # the frame is that of the focus
        rows.addWidget(self.plot)
        menu = PlotMenu(self.plot, "learning-curve", self.rows, self.heading)
        menu.add(tr("&Numbers as a table…"), "curveTableAction", self.request_table)
        self.menu_requested.connect(menu.open_in_the_middle)
        self.table_requested.connect(self.show_table)
        self.recolor()

    def show_curve(self, event: LearningCurveEstimated | None, chosen: int | None = None) -> None:
        """Draws this curve, None for none; and that of the class with the index `chosen`, if any,
        beside it."""
        if event is not self._event:
            self.show_all()
        self._event, self._class = event, chosen
        self.recolor()
        self._tell()

    # --- in words and numbers -------------------------------------------------------------

    def rows(self) -> list[list[Any]]:
        """The numbers behind the curve: a row for each number of images, the extrapolated last."""
        event = self._event
        heads = ["images", "accuracy", "low", "high", *(event.classes if event else ())]
        return [
            heads,
            *(
                [
                    each.photos,
                    each.accuracy,
                    each.low,
                    each.high,
                    *map(_or_nan, each.class_accuracy),
                ]
                for each in _points(event)
            ),
        ]

    def heading(self) -> Heading:
        """What stands above the plot in a picture of it."""
        title, look = tr("Accuracy by the number of images"), theme.current()
        if self._event is None or self._class is None:
            return Heading(title)
        chosen = self._event.classes[self._class]
        return Heading(title, [(tr("all classes"), look.train), (chosen, look.validation)])

    def _tell(self) -> None:
        """Tells what the plot shows to who does not see it."""
        points = _points(self._event)
        lines = [
            trn(
                "With {count} image: {accuracy}, between {low} and {high}.",
                "With {count} images: {accuracy}, between {low} and {high}.",
                each.photos,
                accuracy=fine_percent(each.accuracy),
                low=fine_percent(each.low),
                high=fine_percent(min(each.high, 1.0)),
            )
            for each in points
        ]
        if lines:
            lines += [
                tr("The last one is extrapolated."),
                tr("Return shows the numbers as a table."),
            ]
        self.tell(sentences(*lines))
        if table := self.findChild(CurveTable):
            table.show_table(self._table())

    @Slot()
    def show_table(self) -> None:
        """Opens the window with the numbers behind the curve."""
        title = tr("Accuracy by the number of images")
        table = self.findChild(CurveTable) or CurveTable(title, self)
        table.show_table(self._table())
        bring_to_front(table)

    def _table(self) -> list[list[str]]:
        """`rows` as people read them."""
        heads, *rows = self.rows()
        titles = tr("Images"), tr("Accuracy"), tr("95% from"), tr("95% to")
        return [
            [*titles, *heads[len(titles) :]],
            *([f"{photos:,}", *map(_cell, values)] for photos, *values in rows),
        ]

    # --- how ------------------------------------------------------------------------------

    def recolor(self) -> None:
        """Draws it in the theme's current colours."""
        self.plot.clear()
        axes.recolor(self.plot, SIDES, axes.small_font(self), self.fontMetrics())
        event = self._event
        for side in SIDES:
            self.plot.getAxis(side).setTicks(None if event and side == "left" else [])
        if event is None:
            return
        points = _points(event)
        x = [math.log2(each.photos) for each in points]
        look = theme.current()
        shown = self._class_accuracy(points)
        if shown is not None:
            self._draw(x, shown, look.validation)
        for place, each in zip(x, points, strict=True):
            bar = pg.PlotDataItem(
                [place, place],
                [each.low, min(each.high, 1.0)],
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
        self.fit((x[0] - MARGIN, x[-1] + MARGIN), (low, high))

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


def _points(event: LearningCurveEstimated | None) -> tuple[CurvePoint, ...]:
    return (*event.points, event.twice) if event else ()


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _cell(value: float) -> str:
    """A share as people read it; an interval of an extrapolation may lie beyond 0 and 1."""
    return "–" if math.isnan(value) else fine_percent(min(max(value, 0.0), 1.0))
