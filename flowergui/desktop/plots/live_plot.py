"""Loss and accuracy of a run, drawn live.

Slots only append to columns; a timer draws, at most ten times a second and only after a change,
so that a run of thousands of batches a second and a million points still leave the window free.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.plots.batch_columns import BatchColumns, finite
from flowergui.desktop.plots.column_buffer import ColumnBuffer
from flowergui.desktop.plots.metric import ACCURACY, LOSS
from flowergui.desktop.plots.plot_pane import PlotPane
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.widgets.plot_tooltip import PlotTooltip
from flowergui.events import BatchDone, EpochDone
from flowergui.text import N_, number, tr

PERIOD = 100
"""Least milliseconds between two drawings of new points."""
SHARE = 0.05
"""The share of its time that the window draws at most while batches come by the dozen: no eye
follows them one by one, and drawing takes time from a run that needs Python for every batch."""
BREATH = 5
"""Milliseconds between two parts of a drawing, in which the window answers."""
LONGEST = 1_000
"""Most milliseconds between two drawings: what looks like drawing may be a computer that slept."""
DOZENS = 24
"""Batches between two drawings above which that holds."""
WINDOWS = ((200, N_("Last 200")), (1_000, N_("Last 1,000")), (0, N_("All")))
"""Zoom windows in steps; 0 stands for all."""


class LivePlot(QWidget):
    """Two plots over the same steps: loss with the learning rate, and accuracy.

    Faint: every batch. Strong: its moving average over about half an epoch. Points: validation,
    once an epoch, with the best accuracy ringed. The wheel zooms and dragging pans, which ends
    following; a zoom window's button takes it up again. The height always fits what is in sight.
    """

    following_changed = Signal(bool)
    """Whether the plots follow the newest step."""

    def __init__(self, lead: Iterable[QWidget] = (), parent: QWidget | None = None) -> None:
        """`lead` stands before the zoom windows' buttons."""
        super().__init__(parent)
        self.setObjectName("livePlot")
        self._batches = ColumnBuffer(
            ["step"], ["epoch", "loss", "accuracy", "rate", "loss_smooth", "accuracy_smooth"]
        )
        self._epochs = ColumnBuffer(["step", "epoch", "best_epoch", "val_loss", "val_accuracy"])
        self._span = 0.0
        self._window = 0
        self._following = True
        self._changed = False
        self._drawn = 0  # how many batches there were when it was drawn last
        self._many = False  # whether they came by the dozen then

        self._loss = PlotPane(LOSS, rate=True)
        self._accuracy = PlotPane(ACCURACY)
        self._panes = (self._loss, self._accuracy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACE)
        layout.addLayout(self._controls(lead))
        for pane in self._panes:
            layout.addWidget(pane, 1)
        self._accuracy.plot.setXLink(self._loss.plot)
        for pane in self._panes:
            pane.plot.scene().sigMouseMoved.connect(self._hover)
            pane.plot.getViewBox().sigRangeChangedManually.connect(self._moved_by_hand)
            pane.plot.viewport().installEventFilter(self)

        self._hint = QLabel(tr("Curves of the run appear here."), self._loss)
        theme.style(self._hint, role="caption")
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout = PlotTooltip("readout", self)

        # Timers of its own: QTimer.singleShot would come to plots that are deleted.
        self._clock = self._timer(PERIOD, self._tick)
        self._next = self._timer(BREATH, self._go_on)
        self._parts: Iterator[None] = iter(())
        theme.signals.changed.connect(self._recolor)

    # --- what a run tells -----------------------------------------------------------------

    def append(self, batches: Sequence[BatchDone]) -> None:
        """Adds batches, in their order. Where they begin again at an earlier step (a resumed
        run), the points from there on are replaced."""
        if not batches:
            return
        if self._batches.length and batches[0].step <= self._batches["step"][-1]:
            self.rewind(batches[0].step - 1)
        before = self._batches["loss_smooth"], self._batches["accuracy_smooth"]
        self._add(BatchColumns.of(batches, self._span, *before))

    def _add(self, points: BatchColumns) -> None:
        self._span = points.span
        self._batches.append(**points.columns())
        self._soon()

    @Slot(object)
    def epoch_done(self, done: EpochDone) -> None:
        """Adds an epoch's validation point, where it has one, and its line."""
        if self._epochs.length and done.step <= self._epochs["step"][-1]:
            self.rewind(done.step - 1, batches=False)
        self._epochs.append(
            step=[done.step],
            epoch=[done.epoch],
            best_epoch=[done.best_epoch],
            val_loss=finite([_or_nan(done.val_loss)]),
            val_accuracy=finite([_or_nan(done.val_accuracy)]),
        )
        self._soon()

    def mark(self, step: int, text: str) -> None:
        """A dashed line where something was changed by hand: frozen layers, learning rate."""
        self._loss.mark(step, text)
        self._accuracy.mark(step, "")

    @property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """Step and text of every mark, in the order in which they were added."""
        return tuple((mark.step, mark.text) for mark in self._loss.marks.all)

    def load(self, points: BatchColumns, epochs: Sequence[EpochDone]) -> None:
        """Shows the points that a resumed run made before."""
        self.clear()
        self._add(points)
        for done in epochs:
            self.epoch_done(done)

    def rewind(self, step: int, *, batches: bool = True) -> None:
        """Forgets what came after `step`."""
        if batches:
            self._batches.cut(int(np.searchsorted(self._batches["step"], step, side="right")))
            for pane in self._panes:
                pane.marks.remove_after(step)
        self._epochs.cut(int(np.searchsorted(self._epochs["step"], step, side="right")))
        self._soon()

    @Slot()
    def clear(self) -> None:
        """Empties both plots and follows again."""
        self._end_parts()
        self._batches.cut(0)
        self._epochs.cut(0)
        self._span = 0.0
        self.follow(self._window)
        for pane in self._panes:
            pane.clear()
        self._readout.hide()
        self._hint.show()

    # --- what is in sight -----------------------------------------------------------------

    def follow(self, window: int) -> None:
        """Shows the last `window` steps (0: all), and goes on doing so."""
        self._window = window
        self._set_following(True)
        self._soon()

    def hurry(self) -> None:
        """Draws what is new without waiting for its turn: for now nothing comes after it."""
        if self._changed and self.isVisible():
            self._clock.start(0)

    def draw(self) -> None:
        """Draws now and at once: what was moved by hand follows the hand."""
        self._end_parts()
        for _ in self._draw():
            pass

    def _draw(self) -> Iterator[PlotPane | None]:
        """Draws both plots; stops after each part, and gives a plot when all of it is drawn."""
        self._changed = False
        self._many = self._batches.length - self._drawn > DOZENS
        self._drawn = self._batches.length
        if self._batches.length or self._epochs.length:
            self._hint.hide()
            sight = self._sight()
            for pane in self._panes:
                yield from pane.draw(self._batches, self._epochs, *sight)
                yield pane

    def _range(self) -> tuple[float, float]:
        """What the plots, whose steps are linked, show now."""
        low, high = self._loss.plot.getViewBox().viewRange()[0]
        return low, high

    def _sight(self) -> tuple[float, float]:
        if not self._following:
            return self._range()
        ends = [columns["step"] for columns in (self._batches, self._epochs) if columns.length]
        first = min(float(steps[0]) for steps in ends) - 1
        last = max(float(steps[-1]) for steps in ends)
        if self._window:
            low = max(first, last - self._window)
            return low, low + 1.03 * self._window
        # Grows in leaps, so that axes need not be drawn anew with every batch.
        room = 20.0
        while room < last - first:
            room *= 1.12
        return first, first + room

    def _set_following(self, following: bool) -> None:
        self._windows.setExclusive(False)  # an exclusive group cannot have none checked
        for button in self._windows.buttons():
            button.setChecked(following and self._windows.id(button) == self._window)
        self._windows.setExclusive(following)
        self._by_hand.setVisible(not following)
        if following != self._following:
            self._following = following
            self.following_changed.emit(following)

    @Slot()
    def _moved_by_hand(self) -> None:
        self._set_following(False)
        self.draw()

    def _controls(self, lead: Iterable[QWidget]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._windows = QButtonGroup(self)
        self._by_hand = QLabel(
            tr("Zoomed by hand. Press Last 200, Last 1,000 or All to follow the run again.")
        )
        self._by_hand.setWordWrap(True)
        theme.style(self._by_hand, role="caption")
        self._by_hand.hide()
        for widget in lead:
            row.addWidget(widget)
        row.addWidget(self._by_hand)
        row.addStretch(1)
        for window, text in WINDOWS:
            button = QPushButton(tr(text))
            button.setObjectName(f"window{window or 'All'}")
            button.setCheckable(True)
            button.setChecked(not window)
            button.setToolTip(
                tr("Shows this many steps and follows the newest. The wheel zooms, dragging pans.")
            )
            theme.style(button, role="segment")
            self._windows.addButton(button, window)
            row.addWidget(button)
        self._windows.idClicked.connect(self.follow)
        return row

    # --- when it is drawn -----------------------------------------------------------------

    def _timer(self, milliseconds: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(then)
        return timer

    def _soon(self) -> None:
        self._changed = True
        if self.isVisible() and not self._clock.isActive():
            self._clock.start()

    @Slot()
    def _tick(self) -> None:
        if self._next.isActive():
            self._clock.start()
        elif self._changed and self.isVisible():
            self._parts = self._in_parts()
            self._go_on()

    @Slot()
    def _go_on(self) -> None:
        if next(self._parts, True) is None:
            self._next.start()

    def _in_parts(self) -> Iterator[None]:
        """Draws; at each stop the window can answer. What changes in a plot is painted stops later,
        not right after it: either takes half the time that a window may hold still. Their steps
        are linked: the other one would be painted at once with its old curves, and again."""
        began = time.perf_counter()
        for pane in self._panes:
            pane.hold(True)
        for drawn in self._draw():
            if drawn is not None:
                drawn.hold(False)
            yield
            began += BREATH / 1000
        self._release()
        fair = round(1000 * (time.perf_counter() - began) / SHARE)
        self._clock.setInterval(min(max(fair, PERIOD), LONGEST) if self._many else PERIOD)

    def _end_parts(self) -> None:
        """Does no more of a drawing that is under way: it shows what was before."""
        self._parts = iter(())
        self._release()

    def _release(self) -> None:
        for pane in self._panes:
            pane.hold(False)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._changed:
            self._clock.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for pane in self._panes:
            pane.settle()
        self._soon()

    @Slot(object)
    def _recolor(self, colors: Theme) -> None:
        for pane in self._panes:
            pane.recolor()
        self._soon()

    # --- the read-out ---------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._point_at(None)
        elif event.type() == QEvent.Type.Resize:
            self._place_hint()
        return super().eventFilter(watched, event)

    def _place_hint(self) -> None:
        self._hint.adjustSize()
        plot = self._loss.plot
        self._hint.move(plot.geometry().center() - self._hint.rect().center())

    @Slot(object)
    def _hover(self, position: QPointF) -> None:
        pane = next(each for each in self._panes if each.plot.scene() is self.sender())
        view = pane.plot.getViewBox()
        if not (self._batches.length and view.sceneBoundingRect().contains(position)):
            self._point_at(None)
            return
        steps = self._batches["step"]
        wanted = view.mapSceneToView(position).x()
        index = (
            int(np.clip(np.searchsorted(steps, wanted), 1, len(steps) - 1)) if steps[1:].size else 0
        )
        if index and wanted - steps[index - 1] < steps[index] - wanted:
            index -= 1
        self._point_at(index)
        self._readout.stand_beside(pane.plot.mapTo(self, pane.plot.mapFromScene(position)))

    def _point_at(self, index: int | None) -> None:
        self._readout.show_text("" if index is None else self.read_out(index))
        for pane in self._panes:
            pane.point_at(None if index is None else float(self._batches["step"][index]))

    def read_out(self, index: int) -> str:
        """What the small text beside the pointer says of the batch at `index`."""
        row = {name: float(self._batches[name][index]) for name in self._batches.names}
        epoch = np.flatnonzero(self._epochs["epoch"] == row["epoch"])
        lines = []
        for pane in self._panes:
            quantity = pane.quantity
            cells = [row[quantity.name], row[f"{quantity.name}_smooth"]]
            if epoch.size:
                cells.append(float(self._epochs[f"val_{quantity.name}"][epoch[-1]]))
            texts = (quantity.text(cell) for cell in cells)
            values = "".join(f'<td align="right">&nbsp;&nbsp;{text}</td>' for text in texts)
            lines.append(f"<tr><td>{tr(quantity.title).lower()}</td>{values}</tr>")
        heads = ("", tr("batch"), tr("smoothed"), *((tr("validation"),) if epoch.size else ()))
        head = "".join(f'<td align="right">&nbsp;&nbsp;{name}</td>' for name in heads)
        muted = theme.current().muted
        place = tr(
            "<b>Step {step}</b>, epoch {epoch}",
            step=f"{row['step']:,.0f}",
            epoch=f"{row['epoch']:,.0f}",
        )
        rate = tr("learning rate {rate}", rate=number(float(f"{row['rate']:.3g}")))
        rows = f'<tr style="color:{muted}">{head}</tr>{"".join(lines)}'
        return f'{place}<table cellspacing="1">{rows}</table>{rate}'


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
