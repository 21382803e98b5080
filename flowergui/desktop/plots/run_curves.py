"""The curves of several runs in one plot: accuracy or loss, by epochs or by minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from flowergui.desktop.context_menus.plot_picture import Heading
from flowergui.desktop.plots import axes
from flowergui.desktop.plots.axes import MAX_LOSS_RATIO, MAX_THICK_POINTS, Ticks, stride
from flowergui.desktop.plots.chart_frame import PlotFrame
from flowergui.desktop.plots.column_buffer import Numbers, downsample_minmax, robust_range
from flowergui.desktop.plots.curve_table import CurveTable
from flowergui.desktop.plots.metric import ACCURACY, Metric
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.plots.plot_menu import PlotMenu
from flowergui.desktop.plots.plot_tooltip import PlotTooltip
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.events import EpochDone
from flowergui.text import N_, clock, sentences, tr, trn

SIDES = ("left", "bottom")
TRAINING_OPACITY = 0.4
"""The opacity of the curve of the training set."""
MAX_NAMED_RUNS = 10
"""Runs that the text beside the pointer names at most."""
MIN_LABEL_PX = 50
"""Least distance of labelled epochs."""
EPOCHS, MINUTES = "epochs", "minutes"
"""The horizontal axis."""
TITLES = {
    "loss": (N_("Training loss"), N_("Validation loss")),
    "accuracy": (N_("Training accuracy"), N_("Validation accuracy")),
}


@dataclass(frozen=True, eq=False)
class RunCurve:
    """A run to draw: its name, the number of its colour, its epochs, and the number of the best
    epoch (0: none)."""

    name: str
    slot: int
    epochs: tuple[EpochDone, ...]
    best: int = 0

    def across(self, by: str) -> Numbers:
        """The x of each epoch: its number, or the minutes of training until its end."""
        return self._columns[by]

    def values(self, metric: Metric, kind: str) -> Numbers:
        """The values on the `kind` set, "train" or "val"; NaN where there is no finite one."""
        return self._columns[f"{kind}_{metric.name}"]

    @cached_property
    def _columns(self) -> dict[str, Numbers]:
        columns = {
            EPOCHS: np.array([each.epoch for each in self.epochs], float),
            MINUTES: np.cumsum([each.seconds for each in self.epochs]) / 60,
        }
        for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
            found = (getattr(each, name) for each in self.epochs)
            numbers = np.array([np.nan if each is None else each for each in found], float)
            numbers[~np.isfinite(numbers)] = np.nan
            columns[name] = numbers
        return columns


class RunCurves(PlotFrame):
    """Draws the curves of runs: strong on the validation set, with the best epoch ringed, and faint
    on the training set."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: Sequence[RunCurve] = ()
        self._highlighted: int | None = None
        self._pointer: QPointF | None = None
        self._metric, self._x_axis = ACCURACY, EPOCHS
        self.adopt(axes.empty_plot(SIDES, self), tr("Curves of the runs"))
        self.plot.setObjectName("runsPlot")
        self.plot.getPlotItem().setMouseEnabled(x=False, y=False)
        self._crosshair = pg.InfiniteLine(angle=90)
        self._crosshair.setZValue(30)
        self._readout = PlotTooltip("runsReadout", self)
        self._hint = QLabel(tr("Tick runs above to draw their curves."), self)
        theme.style(self._hint, role="caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)  # the frame is that of the focus
        layout.addWidget(self.plot)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.viewport().installEventFilter(self)
        menu = PlotMenu(self.plot, "runs", self.rows, self.heading)
        menu.add(tr("&Numbers as a table…"), "curveTableAction", self.request_table)
        self.menu_requested.connect(menu.open_in_the_middle)
        self.table_requested.connect(self.show_table)
        self._draw()

    def show_curves(self, curves: Sequence[RunCurve], highlighted: int | None = None) -> None:
        """Draws these curves; the one with colour number `highlighted` is thicker, and on top."""
        self._curves, self._highlighted = curves, highlighted
        self._draw()

    def show_metric(self, metric: Metric) -> None:
        """Draws another metric: ACCURACY or LOSS."""
        self._metric = metric
        self.show_all()
        self._draw()

    def set_x_axis(self, by: str) -> None:
        """Sets the horizontal axis: EPOCHS or MINUTES."""
        self._x_axis = by
        self.show_all()
        self._draw()

    def rows(self) -> list[list[Any]]:
        """The numbers behind the curves: a row for each epoch of each run."""
        name = self._metric.name
        heads = ["run", "epoch", "minutes", f"train_{name}", f"val_{name}"]
        kinds = EPOCHS, MINUTES
        return [
            heads,
            *(
                [curve.name, *cells]
                for curve in self._curves
                for cells in zip(
                    *(curve.across(kind).tolist() for kind in kinds),
                    *(curve.values(self._metric, kind).tolist() for kind in ("train", "val")),
                    strict=True,
                )
            ),
        ]

    def heading(self) -> Heading:
        """What stands above the plot in a picture of it."""
        look = theme.current()
        curves = [(each.name, look.serial(each.slot).name()) for each in self._curves]
        return Heading(tr(self._metric.title_with_unit), curves)

    @Slot()
    def recolor(self) -> None:
        """Applies the theme's current colours."""
        self._draw()

    # --- how ------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.plot.clear()
        font = axes.small_font(self)
        axes.recolor(self.plot, SIDES, font, self.fontMetrics())
        title = tr("epoch") if self._x_axis == EPOCHS else tr("minutes of training")
        axes.name_axis(self.plot, "bottom", title, font)
        self._crosshair.setPen(pg.mkPen(theme.current().muted, width=1))
        self.plot.addItem(self._crosshair, ignoreBounds=True)
        drawn = [curve for curve in self._curves if curve.epochs]
        self._hint.setVisible(not drawn)
        self.plot.getAxis("left").setTicks(None if drawn else [])
        self.plot.getAxis("left").setScale(self._metric.scale)
        # The last one drawn is on top.
        for curve in sorted(drawn, key=lambda each: each.slot == self._highlighted):
            self._draw_curve(curve)
        self._fit(drawn)
        self._point()
        self._tell(drawn)

    def _draw_curve(self, curve: RunCurve) -> None:
        look, x = theme.current(), curve.across(self._x_axis)
        strong, faint = look.serial(curve.slot), look.serial(curve.slot, TRAINING_OPACITY)
        validated = curve.values(self._metric, "val")
        trained = curve.values(self._metric, "train")
        highlighted = curve.slot == self._highlighted
        width = 2.6 if highlighted else 1.6
        # Those that have used up the colours are told from the others by their dashes.
        again = curve.slot >= len(look.series)
        style = Qt.PenStyle.DashLine if again else Qt.PenStyle.SolidLine
        for y, color, wanted in ((trained, faint, 1.0), (validated, strong, width)):
            if not np.isfinite(y).any():
                continue  # pyqtgraph warns of symbols that are nowhere
            points = downsample_minmax(x, y, -np.inf, np.inf, MAX_THICK_POINTS)
            few = len(points[0]) <= MAX_THICK_POINTS
            line = pg.PlotDataItem(
                *points,
                pen=pg.mkPen(color, width=wanted if few else 1, style=style),
                connect="finite",
                antialias=few,
                symbol="o" if len(points[0]) == 1 else None,
                symbolSize=5,
                symbolBrush=color,
                symbolPen=None,
            )
            line.setZValue(20 if highlighted else 10)
            self.plot.addItem(line)
        best = np.flatnonzero(curve.across(EPOCHS) == curve.best)
        if best.size and np.isfinite(validated[best[0]]):
            ring = pg.ScatterPlotItem(
                x[best],
                validated[best],
                size=10,
                pen=pg.mkPen(strong, width=2),
                brush=look.card,
                antialias=True,
            )
            ring.setZValue(25)
            self.plot.addItem(ring)

    def _fit(self, curves: Sequence[RunCurve]) -> None:
        metric = self._metric
        trained = [curve.values(metric, "train") for curve in curves]
        validated = [curve.values(metric, "val") for curve in curves]
        spans = [span for span in map(robust_range, trained) if span is not None]
        if np.isinf(metric.high):
            # A validation loss that exploded would flatten all other curves.
            most = MAX_LOSS_RATIO * max(1.0, *(span[1] for span in spans)) if spans else np.inf
            validated = [values[values <= most] for values in validated]
        spans += [span for span in map(robust_range, validated) if span is not None]
        low = min((span[0] for span in spans), default=0.0)
        high = max((span[1] for span in spans), default=1.0)
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.1
        last = max((float(curve.across(self._x_axis)[-1]) for curve in curves), default=1.0)
        ticks: Ticks = None if curves else []
        if curves and self._x_axis == EPOCHS:  # which pyqtgraph would split
            apart = stride(last * MIN_LABEL_PX / max(1, self.width()))
            ticks = [[(n, f"{n:,}") for n in range(0, int(last) + 1, apart)]]
        self.plot.getAxis("bottom").setTicks(ticks)
        self.fit(
            (0.0, 1.02 * last),
            (max(low - margin, metric.low), min(high + margin, metric.high + margin)),
        )

    # --- in words and numbers -------------------------------------------------------------

    def _tell(self, curves: Sequence[RunCurve]) -> None:
        """Tells what the plot shows to who does not see it."""
        lines = [self._summary(curve) for curve in curves[:MAX_NAMED_RUNS]]
        more = tr("Return shows the numbers as a table.") if lines else self._hint.text()
        self.tell(sentences(tr("{title}.", title=tr(self._metric.title)), *lines, more))
        if table := self.findChild(CurveTable):
            table.show_table(self._table())

    def _summary(self, curve: RunCurve) -> str:
        """How many epochs a run has done, and how good its best one was."""
        count, validated = len(curve.epochs), curve.values(self._metric, "val")
        best = np.flatnonzero(curve.across(EPOCHS) == curve.best)
        if not (best.size and np.isfinite(validated[best[0]])):
            return trn("{run}: {count} epoch.", "{run}: {count} epochs.", count, run=curve.name)
        return trn(
            "{run}: {count} epoch, validation {value} in the best one, epoch {epoch}.",
            "{run}: {count} epochs, validation {value} in the best one, epoch {epoch}.",
            count,
            run=curve.name,
            value=self._metric.text(float(validated[best[0]])),
            epoch=f"{curve.best:,}",
        )

    @Slot()
    def show_table(self) -> None:
        """Opens the window with the numbers behind the curves."""
        table = self.findChild(CurveTable) or CurveTable(tr("Curves of the runs"), self)
        table.show_table(self._table())
        bring_to_front(table)

    def _table(self) -> list[list[str]]:
        """`rows` as people read them."""
        titles = (tr("Run"), tr("Epoch"), tr("Minutes"))
        return [
            [*titles, *map(tr, TITLES[self._metric.name])],
            *(
                [run, f"{epoch:,.0f}", f"{minutes:,.1f}", *map(self._cell, values)]
                for run, epoch, minutes, *values in self.rows()[1:]
            ),
        ]

    def _cell(self, value: float) -> str:
        return self._metric.text(value) if np.isfinite(value) else "–"

    # --- the read-out ---------------------------------------------------------------------

    def read_out(self, at: float) -> str:
        """The text beside the pointer at an epoch or minute, as HTML; "" if no run got there."""
        rows = []
        at = max(round(at), 1) if self._x_axis == EPOCHS else at
        for curve in self._curves:
            x = curve.across(self._x_axis)
            index = int(np.searchsorted(x, at, "right")) - 1  # the epoch that was done last
            if index < 0 or at > x[-1]:
                continue
            cells = (curve.values(self._metric, kind)[index] for kind in ("val", "train"))
            texts = ("–" if np.isnan(cell) else self._metric.text(float(cell)) for cell in cells)
            values = "".join(f'<td align="right">&nbsp;&nbsp;{text}</td>' for text in texts)
            color = theme.current().serial(curve.slot).name()
            dot = f'<td style="color:{color}">●</td>'
            rows.append(f"<tr>{dot}<td>&nbsp;{escape(curve.name)}</td>{values}</tr>")
        if not rows:
            return ""
        if len(rows) > MAX_NAMED_RUNS:
            more = trn("and {count} more run", "and {count} more runs", len(rows) - MAX_NAMED_RUNS)
            rows[MAX_NAMED_RUNS:] = [f"<tr><td></td><td>&nbsp;{more}</td></tr>"]
        by_epoch = self._x_axis == EPOCHS
        where = (
            tr("Epoch {number}", number=f"{at:,}")
            if by_epoch
            else tr("After {time}", time=clock(60 * at))
        )
        muted = theme.current().muted
        heads = ("", "", tr("validation"), tr("training"))
        head = "".join(f'<td align="right">&nbsp;&nbsp;{name}</td>' for name in heads)
        return (
            f"<b>{where}</b>"
            f'<table cellspacing="1"><tr style="color:{muted}">{head}</tr>{"".join(rows)}</table>'
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._pointer = None
            self._point()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint.adjustSize()
        self._hint.move(self.rect().center() - self._hint.rect().center())

    @Slot(object)
    def _hover(self, position: QPointF) -> None:
        self._pointer = position
        self._point()

    def _point(self) -> None:
        """Updates the text beside the pointer, which may rest while the curves grow."""
        view, position, text, at = self.plot.getViewBox(), self._pointer, "", 0.0
        if position is not None and view.sceneBoundingRect().contains(position):
            at = float(view.mapSceneToView(position).x())
            text = self.read_out(at)
        self._readout.show_text(text)
        self._crosshair.setVisible(bool(text))
        if position is None or not text:
            return
        self._crosshair.setPos(max(round(at), 1) if self._x_axis == EPOCHS else at)
        self._readout.stand_beside(self.plot.mapTo(self, self.plot.mapFromScene(position)))
