"""How runs went, drawn over each other: accuracy or loss, by epochs or by minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from flowergui.desktop.plots import axes
from flowergui.desktop.plots.axes import RUNAWAY, THICK, Ticks, stride
from flowergui.desktop.plots.column_buffer import Numbers, downsample_minmax, robust_range
from flowergui.desktop.plots.metric import ACCURACY, Metric
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.plot_tooltip import PlotTooltip
from flowergui.events import EpochDone
from flowergui.text import clock, tr, trn

SIDES = ("left", "bottom")
FAINT = 0.4
"""How much of its colour the curve of training has."""
READ_OUT = 10
"""Most runs that the read-out names."""
NAME_ROOM = 50
"""Least pixels between epochs that are named."""
EPOCHS, MINUTES = "epochs", "minutes"
"""What runs across."""


@dataclass(frozen=True, eq=False)
class RunCurve:
    """A run to draw: what it is called, the number of its colour, its epochs, and the number of
    the best one (0: none)."""

    name: str
    slot: int
    epochs: tuple[EpochDone, ...]
    best: int = 0

    def across(self, by: str) -> Numbers:
        """Where each epoch ended: its number, or minutes since the run began, pauses left out."""
        return self._columns[by]

    def values(self, quantity: Metric, kind: str) -> Numbers:
        """Those of `kind` (train or val), NaN where there is none or none that is finite."""
        return self._columns[f"{kind}_{quantity.name}"]

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


class RunCurves(QWidget):
    """Draws the curves of runs: strong on the validation set, with the best epoch ringed, and faint
    on the training set."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._courses: Sequence[RunCurve] = ()
        self._looked_at: int | None = None
        self._pointer: QPointF | None = None
        self._quantity, self._by = ACCURACY, EPOCHS
        self.plot = axes.empty_plot(SIDES, self)
        self.plot.setObjectName("runsPlot")
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.getPlotItem().setMouseEnabled(x=False, y=False)
        self._crosshair = pg.InfiniteLine(angle=90)
        self._crosshair.setZValue(30)
        self._readout = PlotTooltip("runsReadout", self)
        self._hint = QLabel(tr("Tick runs above to draw their curves."), self)
        theme.style(self._hint, role="caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.viewport().installEventFilter(self)
        self._draw()

    def show_courses(self, courses: Sequence[RunCurve], looked_at: int | None = None) -> None:
        """Draws these; that with colour number `looked_at` stronger than the others."""
        self._courses, self._looked_at = courses, looked_at
        self._draw()

    def show_quantity(self, quantity: Metric) -> None:
        """Draws accuracy, or loss."""
        self._quantity = quantity
        self._draw()

    def run_by(self, by: str) -> None:
        """What runs across: EPOCHS or MINUTES."""
        self._by = by
        self._draw()

    @Slot()
    def recolor(self) -> None:
        """Takes the theme's colours that hold now."""
        self._draw()

    # --- how ------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.plot.clear()
        axes.recolor(self.plot, SIDES, axes.small_font(self), self.fontMetrics())
        self._crosshair.setPen(pg.mkPen(theme.current().muted, width=1))
        self.plot.addItem(self._crosshair, ignoreBounds=True)
        drawn = [course for course in self._courses if course.epochs]
        self._hint.setVisible(not drawn)
        self.plot.getAxis("left").setTicks(None if drawn else [])
        self.plot.getAxis("left").setScale(self._quantity.scale)
        # What is last is on top.
        for course in sorted(drawn, key=lambda each: each.slot == self._looked_at):
            self._draw_course(course)
        self._fit(drawn)
        self._point()

    def _draw_course(self, course: RunCurve) -> None:
        look, x = theme.current(), course.across(self._by)
        strong, faint = look.serial(course.slot), look.serial(course.slot, FAINT)
        validated = course.values(self._quantity, "val")
        trained = course.values(self._quantity, "train")
        looked_at = course.slot == self._looked_at
        width = 2.6 if looked_at else 1.6
        # Those that have used up the colours are told from the others by their dashes.
        again = course.slot >= len(look.series)
        style = Qt.PenStyle.DashLine if again else Qt.PenStyle.SolidLine
        for y, color, wanted in ((trained, faint, 1.0), (validated, strong, width)):
            if not np.isfinite(y).any():
                continue  # pyqtgraph warns of symbols that are nowhere
            points = downsample_minmax(x, y, -np.inf, np.inf, THICK)
            few = len(points[0]) <= THICK
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
            line.setZValue(20 if looked_at else 10)
            self.plot.addItem(line)
        best = np.flatnonzero(course.across(EPOCHS) == course.best)
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

    def _fit(self, courses: Sequence[RunCurve]) -> None:
        quantity = self._quantity
        trained = [course.values(quantity, "train") for course in courses]
        validated = [course.values(quantity, "val") for course in courses]
        spans = [span for span in map(robust_range, trained) if span is not None]
        if np.isinf(quantity.high):
            # Validations that went wrong would make a line of all the rest.
            most = RUNAWAY * max(1.0, *(span[1] for span in spans)) if spans else np.inf
            validated = [values[values <= most] for values in validated]
        spans += [span for span in map(robust_range, validated) if span is not None]
        low = min((span[0] for span in spans), default=0.0)
        high = max((span[1] for span in spans), default=1.0)
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.1
        last = max((float(course.across(self._by)[-1]) for course in courses), default=1.0)
        ticks: Ticks = None if courses else []
        if courses and self._by == EPOCHS:  # which pyqtgraph would split
            apart = stride(last * NAME_ROOM / max(1, self.width()))
            ticks = [[(n, f"{n:,}") for n in range(0, int(last) + 1, apart)]]
        self.plot.getAxis("bottom").setTicks(ticks)
        self.plot.setRange(
            xRange=(0.0, 1.02 * last),
            yRange=(max(low - margin, quantity.low), min(high + margin, quantity.high + margin)),
            padding=0,
        )

    # --- the read-out ---------------------------------------------------------------------

    def read_out(self, at: float) -> str:
        """What the small text beside the pointer says where it points `at` this epoch or minute;
        "" where nothing is there."""
        rows = []
        at = max(round(at), 1) if self._by == EPOCHS else at
        for course in self._courses:
            x = course.across(self._by)
            index = int(np.searchsorted(x, at, "right")) - 1  # the epoch that was done last
            if index < 0 or at > x[-1]:
                continue
            cells = (course.values(self._quantity, kind)[index] for kind in ("val", "train"))
            texts = ("–" if np.isnan(cell) else self._quantity.text(float(cell)) for cell in cells)
            values = "".join(f'<td align="right">&nbsp;&nbsp;{text}</td>' for text in texts)
            color = theme.current().serial(course.slot).name()
            dot = f'<td style="color:{color}">●</td>'
            rows.append(f"<tr>{dot}<td>&nbsp;{escape(course.name)}</td>{values}</tr>")
        if not rows:
            return ""
        if len(rows) > READ_OUT:
            more = trn("and {count} more run", "and {count} more runs", len(rows) - READ_OUT)
            rows[READ_OUT:] = [f"<tr><td></td><td>&nbsp;{more}</td></tr>"]
        by_epoch = self._by == EPOCHS
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
        """Says what is under the pointer, also where the pointer is still and the curves grow."""
        view, position, text, at = self.plot.getViewBox(), self._pointer, "", 0.0
        if position is not None and view.sceneBoundingRect().contains(position):
            at = float(view.mapSceneToView(position).x())
            text = self.read_out(at)
        self._readout.show_text(text)
        self._crosshair.setVisible(bool(text))
        if position is None or not text:
            return
        self._crosshair.setPos(max(round(at), 1) if self._by == EPOCHS else at)
        self._readout.stand_beside(self.plot.mapTo(self, self.plot.mapFromScene(position)))
