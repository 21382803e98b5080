"""One plot of a run: its batches, their moving average, validation points, epochs and marks."""

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPicture
from PySide6.QtWidgets import QGraphicsView, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from flowergui.desktop.context_menus.plot_picture import Heading
from flowergui.desktop.plots import axes
from flowergui.desktop.plots.axes import MAX_LOSS_RATIO, MAX_THICK_POINTS, Ticks, stride
from flowergui.desktop.plots.chart_frame import ChartFrame
from flowergui.desktop.plots.column_buffer import (
    ColumnBuffer,
    Numbers,
    downsample_mean,
    downsample_minmax,
    robust_range,
)
from flowergui.desktop.plots.metric import ACCURACY, Metric
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.plots.plot_key import KeyEntry, PlotKey
from flowergui.desktop.plots.step_marks import StepMarks
from flowergui.desktop.style import theme
from flowergui.text import number, tr

SYMBOLS = 200
"""With more validation points in sight than this, they have no symbols."""
SIDES = ("left", "bottom", "top", "right")
RING_ROOM = 10
"""Pixels between the plot's edge and the middle of the ring around the best epoch."""
LABEL_ROOM, LINE_ROOM = 76, 14
"""Least pixels between the epochs that are named, and between those that have a line."""


class PlotPane(ChartFrame):
    """A card with a title, a key with the newest values and the best, and a pyqtgraph PlotWidget.

    `plot` is named `<quantity>Plot`. With `rate`, the learning rate is drawn on a right axis
    of its own; without, the same room is left free, so that panes above each other align.
    """

    def __init__(
        self, quantity: Metric, *, rate: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.quantity = quantity
        self.rate = rate
        theme.style(self, card=True)
        self.adopt(axes.empty_plot(SIDES, self), tr(quantity.title), vertical=False)
        self.plot.setObjectName(f"{quantity.name}Plot")
        self.plot.setMinimumHeight(90)
        self._title = QLabel(tr(quantity.title_with_unit))
        theme.style(self._title, role="heading")
        self._key = PlotKey()
        head = QHBoxLayout()
        head.setContentsMargins(8, 0, 8, 0)
        head.addWidget(self._title)
        head.addWidget(self._key, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 8, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)

        self.marks = StepMarks(self.plot)
        self._range = (0.0, 1.0)
        self._ticks: dict[str, Ticks] = {}
        self._prepare_axes()
        self._show_values(False)
        self._batch = self._line("every batch")
        self._rate = self._line("learning rate")
        self._validation = self._line("validation")
        self._smooth = self._line("training")
        self._best = pg.ScatterPlotItem(size=13, antialias=True)
        self._best_value = np.nan
        self._crosshair = pg.InfiniteLine(angle=90)
        for item, depth in ((self._best, 20), (self._crosshair, 30)):
            item.setZValue(depth)
            item.hide()
            self.plot.addItem(item, ignoreBounds=True)
        self.recolor()

    # --- what it shows --------------------------------------------------------------------

    def draw(
        self, batches: ColumnBuffer, epochs: ColumnBuffer, low: float, high: float
    ) -> Iterator[None]:
        """Shows steps `low` to `high`; the range of the vertical axis follows the data in sight.
        Yields after each part, as each takes time."""
        steps, name = batches["step"], self.quantity.name
        self.plot.setXRange(low, high, padding=0)
        self._show_values(True)
        raw = downsample_minmax(steps, batches[name], low, high)
        smooth = downsample_mean(steps, batches[f"{name}_smooth"], low, high, MAX_THICK_POINTS)
        points = downsample_minmax(
            epochs["step"], epochs[f"val_{name}"], low, high, MAX_THICK_POINTS
        )
        self._batch.setData(*raw)
        self._smooth.setData(*smooth)
        if not np.isfinite(points[1]).any():  # no validation set, or none of it could be read
            points = points[0][:0], points[1][:0]  # pyqtgraph warns of symbols at NaN
        few = len(points[0]) <= SYMBOLS
        self._validation.setPen(self._thick if few else self._thin)
        self._validation.setData(*points, symbol="o" if few else None)
        yield
        self._fit_height(raw[1], points[1])
        self._mark_best(epochs)
        self.marks.place_labels(low, high)
        if self.rate:
            self._draw_rate(*downsample_minmax(steps, batches["rate"], low, high, MAX_THICK_POINTS))
        self._name_epochs(epochs, low, high)
        self._show_latest(batches, epochs)
        self.settle()
        yield
        # pyqtgraph keeps axes as pictures, made when they are painted first: half of that time.
        unseen = QPicture()
        painter = QPainter(unseen)
        for side in SIDES:
            self.plot.getAxis(side).paint(painter, None, None)
        painter.end()
        yield

    def settle(self) -> None:
        """Applies a new range or size now. pyqtgraph would do it while it paints, and then paint
        everything twice."""
        self.plot.scene().prepareForPaint()

    def hold(self, held: bool) -> None:
        """While it is held, the plot is not painted when its data change; on release, it is painted
        once."""
        if held:
            self.plot.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        elif self.held:
            self.plot.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
            self.plot.viewport().update()

    @property
    def held(self) -> bool:
        """Whether painting is held, see `hold`."""
        mode = self.plot.viewportUpdateMode()
        return bool(mode == QGraphicsView.ViewportUpdateMode.NoViewportUpdate)

    def clear(self) -> None:
        """Removes all data and marks."""
        for line in (self._batch, self._smooth, self._validation, self._rate):
            line.setData([], [])
        for item in (self._best, self._crosshair):
            item.hide()
        self.marks.remove_after(-1)
        self._set_ticks("top", [])
        self._set_ticks("right", [])
        self._range = (0.0, 1.0)
        self.plot.setYRange(0, 1, padding=0)
        self._show_values(False)
        self._key.clear()

    def mark(self, step: int, text: str) -> None:
        """Adds a dashed line at `step`; `text` stands beside it, "" for none."""
        self.marks.add(step, text, theme.current(), axes.small_font(self))

    def point_at(self, step: float | None) -> None:
        """Shows the crosshair at `step`; None hides it."""
        self._crosshair.setVisible(step is not None)
        if step is not None:
            self._crosshair.setPos(step)

    def recolor(self) -> None:
        """Applies the theme's current colours, and the font."""
        colors = theme.current()
        font = axes.small_font(self)
        metrics = self.fontMetrics()
        axes.recolor(self.plot, SIDES, font, metrics)
        self.plot.getAxis("right").setTextPen(colors.rate)
        self.plot.getAxis("right").setWidth(metrics.horizontalAdvance("0.0000") + 8)
        if self.rate:
            self.plot.getAxis("top").setHeight(metrics.height() + 2)
        else:  # the lower of two panes that share their steps
            axes.name_axis(self.plot, "bottom", tr("training step"), font)
        self._batch.setPen(pg.mkPen(colors.over_card("train", 0.28), width=1))
        self._smooth.setPen(pg.mkPen(colors.train, width=1.8))
        self._thick = pg.mkPen(colors.validation, width=1.4)
        self._thin = pg.mkPen(colors.validation, width=1)
        self._validation.setPen(self._thick)
        self._validation.setSymbolSize(6)
        self._validation.setSymbolBrush(colors.validation)
        self._validation.setSymbolPen(pg.mkPen(colors.card, width=1))
        self._rate.setPen(
            pg.mkPen(colors.over_card("rate", 0.8), width=1, style=Qt.PenStyle.DashLine)
        )
        self._best.setPen(pg.mkPen(colors.validation, width=2))
        self._best.setBrush(pg.mkBrush(colors.card))
        self._crosshair.setPen(pg.mkPen(colors.muted, width=1))
        self.marks.recolor(colors, font)

    def heading(self) -> Heading:
        """What stands above the plot."""
        entries = self._key.entries
        curves = [(f"{each.name} {each.value}", each.color) for each in entries]
        return Heading(self._title.text(), curves)

    # --- how ------------------------------------------------------------------------------

    def _line(self, name: str) -> pg.PlotDataItem:
        line = pg.PlotDataItem(
            name=name, connect="finite", antialias=name in ("training", "validation")
        )
        self.plot.addItem(line)
        return line

    def _prepare_axes(self) -> None:
        item = self.plot.getPlotItem()
        item.setMouseEnabled(x=True, y=False)
        item.getAxis("left").setScale(self.quantity.scale)
        item.getAxis("top").setGrid(255)
        item.getAxis("top").setStyle(maxTickLevel=1)
        self._set_ticks("top", [])
        if not self.rate:
            item.getAxis("top").setHeight(2)
        self._set_ticks("right", [])
        item.setRange(xRange=(0, 20), yRange=(0, 1), padding=0)

    def _show_values(self, shown: bool) -> None:
        for side in ("left", "bottom"):
            self._set_ticks(side, None if shown else [])

    def _pixels_per_step(self) -> float:
        view = self.plot.getViewBox()
        low, high = view.viewRange()[0]
        return float(view.width()) / max(float(high - low), 1e-9)

    def _fit_height(self, trained: Numbers, validated: Numbers) -> None:
        ours = robust_range(trained)
        if ours is not None and np.isinf(self.quantity.high):
            # A validation loss that exploded would flatten all other curves.
            validated = validated[validated <= MAX_LOSS_RATIO * max(ours[1], 1.0)]
        spans = [span for span in (ours, robust_range(validated)) if span is not None]
        if not spans:
            return
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.1
        # Beyond the bounds of the quantity there is only room for the ring of the best epoch.
        room = (
            RING_ROOM / max(1.0, float(self.plot.getViewBox().height())) * (high - low + 2 * margin)
        )
        low = max(low - max(margin, room), min(self.quantity.low, low - room))
        high = min(high + max(margin, room), max(self.quantity.high, high + room))
        old_low, old_high = self._range
        inside = old_low <= low and high <= old_high
        # A range that still fits is kept: an axis that trembles with every batch tires the eye.
        if not (inside and old_high - old_low <= 1.3 * (high - low)):
            self._range = (low, high)
            self.plot.setYRange(low, high, padding=0)

    def _mark_best(self, epochs: ColumnBuffer) -> None:
        """Rings the best epoch. Its value stands in the key, where it hides no curve."""
        self._best_value = np.nan
        # The run says which epoch: after changes of the dataset, its search starts again.
        place = np.flatnonzero(epochs["epoch"] == epochs["best_epoch"][-1:])[-1:]
        known = bool(place.size and np.isfinite(epochs["val_accuracy"][place[0]]))
        self._best.setVisible(known)
        if not known:
            return
        index = int(place[0])
        x, y = float(epochs["step"][index]), float(epochs[f"val_{self.quantity.name}"][index])
        self._best.setData(*(([x], [y]) if np.isfinite(y) else ([], [])))
        self._best_value = y

    def _draw_rate(self, x: Numbers, y: Numbers) -> None:
        top = float(np.nanmax(y)) if len(y) else 0.0
        if not top > 0:
            self._set_ticks("right", [])
            return
        # The rate is scaled to the left axis, whose range only we set; the right axis is a label.
        low, high = self._range
        unit = 0.9 * (high - low)
        self._rate.setData(x, low + y / top * unit)
        self._set_ticks("right", [[(low + unit, number(float(f"{top:.2g}")))]])

    def _name_epochs(self, epochs: ColumnBuffer, low: float, high: float) -> None:
        steps = epochs["step"]
        first, last = np.searchsorted(steps, (low, high))
        seen, names = steps[first:last], epochs["epoch"][first:last]
        if not len(seen):
            self._set_ticks("top", [])
            return
        pixels = self._pixels_per_step()
        apart = pixels * (high - low if len(seen) < 2 else (seen[-1] - seen[0]) / (len(seen) - 1))
        named, lined = (stride(room / max(apart, 1e-9)) for room in (LABEL_ROOM, LINE_ROOM))
        labels = [
            (step, tr("epoch {number}", number=f"{name:.0f}") if self.rate else "")
            for step, name in zip(seen.tolist(), names.tolist(), strict=True)
            if name % named == 0 and (step - low) * pixels > 30 and (high - step) * pixels > 30
        ]
        lines = [(step, "") for step in seen[names % lined == 0].tolist()]
        self._set_ticks("top", [labels, lines])

    def _set_ticks(self, side: str, ticks: Ticks) -> None:
        """Sets the ticks of an axis, which is only drawn again if they changed."""
        if self._ticks.get(side) != ticks:
            self._ticks[side] = ticks
            self.plot.getAxis(side).setTicks(ticks)

    def _show_latest(self, batches: ColumnBuffer, epochs: ColumnBuffer) -> None:
        """Writes the newest values, and the best, into the key."""
        colors, quantity = theme.current(), self.quantity
        entries = []
        if batches.length:
            value = quantity.text(float(batches[f"{quantity.name}_smooth"][-1]))
            entries.append(KeyEntry(tr("training"), tr("train"), colors.train, value))
        measured = epochs[f"val_{quantity.name}"]
        measured = measured[np.isfinite(measured)]
        if len(measured):
            value = quantity.text(float(measured[-1]))
            entries.append(KeyEntry(tr("validation"), tr("val"), colors.validation, value))
        if quantity is ACCURACY and np.isfinite(self._best_value):
            value = quantity.text(self._best_value)
            entries.append(KeyEntry(tr("best"), tr("best"), colors.validation, value))
        if self.rate and batches.length:
            value = number(float(f"{batches['rate'][-1]:.2g}"))
            entries.append(KeyEntry(tr("learning rate now"), tr("rate now"), colors.rate, value))
        self._key.show_entries(entries)
