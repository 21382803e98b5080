"""When plots are drawn: at intervals, in parts, and seldom enough to leave time for training."""

import time
from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from flowergui.desktop.plots.plot_pane import PlotPane
from flowergui.desktop.threads.timers import single_shot_timer

MIN_INTERVAL_MS = 100
"""Least time between two drawings of new points."""
MAX_INTERVAL_MS = 1_000
"""Most time between two drawings: one that seems to take very long may be a computer that slept."""
MAX_SHARE = 0.05
"""The share of its time that the window draws at most while it is `busy`: drawing takes time from
a run that needs Python for every batch, and no eye follows them one by one."""
PART_PAUSE_MS = 5
"""Time between two parts of a drawing, in which the window handles its events."""


class DrawTimer(QObject):
    """Draws a widget's plots when something has changed and the widget is visible."""

    def __init__(
        self,
        widget: QWidget,
        panes: Sequence[PlotPane],
        draw: Callable[[], Iterator[PlotPane | None]],
    ) -> None:
        """`draw` draws everything; it yields after each part, and a pane when that is complete."""
        super().__init__(widget)
        self._widget, self._panes, self._draw = widget, panes, draw
        self._parts: Iterator[None] = iter(())
        self.pending = False
        """Whether something has changed that is not drawn."""
        self.busy = False
        """Whether batches come by the dozen, so that drawing has to be rare."""
        # Not QTimer.singleShot: that would call widgets that are deleted.
        self.interval_timer = single_shot_timer(self, MIN_INTERVAL_MS, self.start)
        self.pause_timer = single_shot_timer(self, PART_PAUSE_MS, self.draw_part)

    def request(self) -> None:
        """Something has changed: it is drawn when the interval is over."""
        self.pending = True
        if self._widget.isVisible() and not self.interval_timer.isActive():
            self.interval_timer.start()

    def hurry(self) -> None:
        """Draws what has changed without waiting for the interval: nothing comes after it for
        now."""
        if self.pending and self._widget.isVisible():
            self.interval_timer.start(0)

    def draw_now(self) -> None:
        """Draws everything before it returns."""
        self.cancel()
        for _ in self._draw():
            pass

    def cancel(self) -> None:
        """Ends a drawing that is under way; the plots keep what they showed before it."""
        self._parts = iter(())
        self._release()

    @Slot()
    def start(self) -> None:
        """Begins to draw, unless a drawing is under way."""
        if self.pause_timer.isActive():
            self.interval_timer.start()
        elif self.pending and self._widget.isVisible():
            self._parts = self._in_parts()
            self.draw_part()

    @Slot()
    def draw_part(self) -> None:
        """Draws the next part."""
        if next(self._parts, True) is None:
            self.pause_timer.start()

    def _in_parts(self) -> Iterator[None]:
        """Draws everything, with a pause after each part.

        A pane is painted some pauses after it has changed, as each takes half the time that a
        window may be blocked. Painting is held until then: the panes' steps are linked, so the
        other one would be painted at once with its old curves, and again with the new ones.
        """
        began = time.perf_counter()
        for pane in self._panes:
            pane.hold(True)
        for drawn in self._draw():
            if drawn is not None:
                drawn.hold(False)
            yield
            began += PART_PAUSE_MS / 1000
        self._release()
        fair_ms = round(1000 * (time.perf_counter() - began) / MAX_SHARE)
        interval_ms = min(max(fair_ms, MIN_INTERVAL_MS), MAX_INTERVAL_MS)
        self.interval_timer.setInterval(interval_ms if self.busy else MIN_INTERVAL_MS)

    def _release(self) -> None:
        for pane in self._panes:
            pane.hold(False)
