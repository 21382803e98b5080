"""Loss and accuracy of a run, drawn live.

Slots only append to columns; a timer draws, at most ten times a second and only after a change, so
that thousands of batches a second and a million points do not block the window.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from flowergui.desktop.plots.batch_columns import BatchColumns, finite
from flowergui.desktop.plots.column_buffer import ColumnBuffer
from flowergui.desktop.plots.curve_summary import curve_summary
from flowergui.desktop.plots.draw_timer import DrawTimer
from flowergui.desktop.plots.epochs_window import EpochsWindow
from flowergui.desktop.plots.metric import ACCURACY, LOSS
from flowergui.desktop.plots.plot_menu import PlotMenu
from flowergui.desktop.plots.plot_pane import PlotPane
from flowergui.desktop.plots.plot_tooltip import PlotTooltip
from flowergui.desktop.plots.zoom_windows import ALL_STEPS, ZoomWindows
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.events import BatchDone, EpochDone
from flowergui.text import number, sentences, tr

LONG = 4
"""A run is seen in its whole length when what is done is no less than one part in so many."""
TELL_MS = 1_000
"""Milliseconds between two texts for screen readers."""
BUSY_BATCHES = 24
"""Batches between two drawings above which the plots are drawn less often."""


class LivePlot(QWidget):
    """Two plots over the same steps: loss with the learning rate, and accuracy.

    Faint: every batch. Strong: the moving average over about half an epoch. Points: validation,
    once an epoch, with a ring around the best accuracy. The wheel and keys zoom, dragging and keys
    pan; then the plots no longer follow the newest step, until a zoom window is chosen. The
    vertical axes always fit the data in sight.
    """

    def __init__(self, lead: Iterable[QWidget] = (), parent: QWidget | None = None) -> None:
        """`lead` are widgets that stand before the buttons of the zoom windows."""
        super().__init__(parent)
        self.setObjectName("livePlot")
        self._batches = ColumnBuffer(
            ["step"], ["epoch", "loss", "accuracy", "rate", "loss_smooth", "accuracy_smooth"]
        )
        self._epochs = ColumnBuffer(
            ["step", "epoch", "best_epoch", "val_loss", "val_accuracy"],
            ["train_loss", "train_accuracy"],
        )
        self._span = 0.0
        self._expected = 0
        self._window = ALL_STEPS
        self._following = True
        self._drawn = 0  # how many batches there were in the last drawing

        self._loss = PlotPane(LOSS, rate=True)
        self._accuracy = PlotPane(ACCURACY)
        self._panes = (self._loss, self._accuracy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACE)
        self._zoom = ZoomWindows(lead)
        self._zoom.chosen.connect(self.follow)
        layout.addWidget(self._zoom)
        for pane in self._panes:
            layout.addWidget(pane, 1)
        self._accuracy.plot.setXLink(self._loss.plot)
        for pane in self._panes:
            name = pane.quantity.name
            menu = PlotMenu(pane.plot, name, partial(self.rows, name), pane.heading)
            menu.add(tr("&Epochs as a table…"), "epochsTableAction", pane.request_table)
            pane.menu_requested.connect(menu.open_in_the_middle)
            pane.plot.scene().sigMouseMoved.connect(self._hover)
            pane.plot.getViewBox().sigRangeChangedManually.connect(self._moved_by_hand)
            pane.plot.viewport().installEventFilter(self)
            pane.table_requested.connect(self.show_epochs)
            pane.moved_by_keys.connect(self._moved_by_hand)
            pane.all_requested.connect(self.show_all)

        self._hint = QLabel(tr("Curves of the run appear here."), self._loss)
        theme.style(self._hint, role="caption")
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout = PlotTooltip("readout", self)

        self._drawing = DrawTimer(self, self._panes, self._draw)
        self._telling = single_shot_timer(self, TELL_MS, self._tell)
        self._tell()
        theme.signals.changed.connect(self._recolor)

    # --- data -----------------------------------------------------------------------------

    def append(self, batches: Sequence[BatchDone]) -> None:
        """Adds batches, in their order. If they begin at an earlier step (of a resumed run), they
        replace the points from there on."""
        if not batches:
            return
        if self._batches.length and batches[0].step <= self._batches["step"][-1]:
            self.rewind(batches[0].step - 1)
        before = self._batches["loss_smooth"], self._batches["accuracy_smooth"]
        self._add(BatchColumns.of(batches, self._span, *before))

    def _add(self, points: BatchColumns) -> None:
        self._span = points.span
        self._batches.append(**points.columns())
        self._drawing.request()

    @Slot(object)
    def epoch_done(self, done: EpochDone) -> None:
        """Adds the end of an epoch, with its validation point if it has one."""
        if self._epochs.length and done.step <= self._epochs["step"][-1]:
            self.rewind(done.step - 1, batches=False)
        self._epochs.append(
            step=[done.step],
            epoch=[done.epoch],
            best_epoch=[done.best_epoch],
            val_loss=finite([_or_nan(done.val_loss)]),
            val_accuracy=finite([_or_nan(done.val_accuracy)]),
            train_loss=finite([done.train_loss]),
            train_accuracy=finite([done.train_accuracy]),
        )
        self._drawing.request()

    def expect(self, steps: int) -> None:
        """The run will have so many steps in all: from a quarter of them on, all are in sight, so
        that one sees how far it is."""
        self._expected = steps
        self._drawing.request()

    def mark(self, step: int, text: str) -> None:
        """Adds a dashed line where something was changed: frozen layers, learning rate."""
        self._loss.mark(step, text)
        self._accuracy.mark(step, "")

    @property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """Step and text of every mark, in the order in which they were added."""
        return tuple((mark.step, mark.text) for mark in self._loss.marks.all)

    def load(self, points: BatchColumns, epochs: Sequence[EpochDone]) -> None:
        """Replaces the data by those that a resumed run had before."""
        self.clear()
        self._add(points)
        for done in epochs:
            self.epoch_done(done)

    @property
    def zoom_window(self) -> int:
        """How many steps `follow` shows, ALL_STEPS for all."""
        return self._window

    @property
    def points(self) -> BatchColumns:
        """A copy of the data of all batches."""
        columns = {name: self._batches[name].copy() for name in self._batches.names}
        return BatchColumns(self._span, **columns)

    def rewind(self, step: int, *, batches: bool = True) -> None:
        """Removes everything after `step`."""
        if batches:
            self._batches.cut(int(np.searchsorted(self._batches["step"], step, side="right")))
            for pane in self._panes:
                pane.marks.remove_after(step)
        self._epochs.cut(int(np.searchsorted(self._epochs["step"], step, side="right")))
        self._drawing.request()

    @Slot()
    def clear(self) -> None:
        """Empties both plots and follows again."""
        self._drawing.cancel()
        self._batches.cut(0)
        self._epochs.cut(0)
        self._span, self._expected = 0.0, 0
        self.follow(self._window)
        for pane in self._panes:
            pane.clear()
        self._readout.hide()
        self._hint.show()
        self._telling.start()

    def rows(self, name: str) -> list[list[Any]]:
        """The numbers behind the plot of this metric: a row for each batch, with the validation of
        its epoch in the row of the epoch's last batch."""
        batches, epochs = self._batches, self._epochs
        own = ("step", "epoch", name, f"{name}_smooth", "rate")
        columns = [batches[column].tolist() for column in own]
        validated = dict(zip(epochs["step"].tolist(), epochs[f"val_{name}"].tolist(), strict=True))
        heads = ["step", "epoch", name, f"{name}_smoothed", "learning_rate", f"val_{name}"]
        cells = zip(*columns, strict=True)
        return [heads, *([*row, validated.get(row[0], math.nan)] for row in cells)]

    # --- what is in sight -----------------------------------------------------------------

    def follow(self, window: int) -> None:
        """Shows the last `window` steps, ALL_STEPS for all, and follows the newest."""
        self._window = window
        self._set_following(True)
        self._drawing.request()

    @Slot()
    def show_all(self) -> None:
        """Shows all steps, and follows the newest."""
        self.follow(ALL_STEPS)

    def hurry(self) -> None:
        """Draws what is new without waiting for its turn: for now nothing comes after it."""
        self._drawing.hurry()

    def draw(self) -> None:
        """Draws everything now: what is moved by hand follows the hand."""
        self._drawing.draw_now()

    def _draw(self) -> Iterator[PlotPane | None]:
        """Draws both plots; yields after each part, and a pane when it is complete."""
        self._drawing.pending = False
        self._drawing.busy = self._batches.length - self._drawn > BUSY_BATCHES
        self._drawn = self._batches.length
        if not self._telling.isActive():
            self._telling.start()
        if self._batches.length or self._epochs.length:
            self._hint.hide()
            sight = self._sight()
            for pane in self._panes:
                yield from pane.draw(self._batches, self._epochs, *sight)
                yield pane

    def _range(self) -> tuple[float, float]:
        """The first and last step in sight; they are linked."""
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
        if last <= self._expected < LONG * (last - first):
            return first, self._expected + 0.03 * (self._expected - first)
        # It grows in steps of 12%, so that the axes are not drawn again with every batch.
        room = 20.0
        while room < last - first:
            room *= 1.12
        return first, first + room

    def _set_following(self, following: bool) -> None:
        self._zoom.show_window(self._window if following else None)
        self._following = following

    @Slot()
    def _moved_by_hand(self) -> None:
        self._set_following(False)
        self.draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._drawing.pending:
            self._drawing.request()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for pane in self._panes:
            pane.settle()
        self._drawing.request()

    @Slot(object)
    def _recolor(self, colors: Theme) -> None:
        for pane in self._panes:
            pane.recolor()
        self._drawing.request()

    # --- in words and numbers -------------------------------------------------------------

    @Slot()
    def show_epochs(self) -> None:
        """Opens the window with the numbers of all epochs."""
        bring_to_front(self.findChild(EpochsWindow) or EpochsWindow(self))
        self._tell()

    @Slot()
    def _tell(self) -> None:
        """Tells what the plots show to who does not see them."""
        more = tr("Return shows the epochs as a table.")
        for pane in self._panes:
            seen = curve_summary(pane.quantity, self._batches, self._epochs, self._expected)
            pane.tell(sentences(seen or self._hint.text(), more))
        table = self.findChild(EpochsWindow)
        if table is not None and table.isVisible():
            table.show_epochs(self._epochs)

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
        """The text beside the pointer for the batch at `index`, as HTML."""
        row = {name: float(self._batches[name][index]) for name in self._batches.names}
        epoch = np.flatnonzero(self._epochs["epoch"] == row["epoch"])
        # The loss of a validation may be no number, its accuracy always is one.
        validated = np.isfinite(self._epochs["val_accuracy"][epoch[-1:]]).all()
        lines = []
        for pane in self._panes:
            quantity = pane.quantity
            names = quantity.name, f"{quantity.name}_smooth"
            texts = [quantity.text(row[name]) for name in names]
            if epoch.size:
                value = float(self._epochs[f"val_{quantity.name}"][epoch[-1]])
                texts.append(quantity.text(value) if validated else "–")
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
