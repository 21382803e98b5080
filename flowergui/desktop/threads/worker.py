"""A thread that runs one job: any generator of events becomes signals.

The generator is pulled in the thread, and its events wait in a deque. The thread notifies the
window's thread once when the deque is no longer empty; that emits `produced` with all that waits,
at most every CHUNK_INTERVAL_MS. So slow batches come one by one and at once, fast ones in bounded
chunks at a rate that a screen can show, always in order, and Qt's queue never holds more than one
notification. If the window falls far behind, the generator waits for it (back-pressure).
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any

from PySide6.QtCore import QDeadlineTimer, QElapsedTimer, QObject, QThread, QTimer, Signal, Slot

from flowergui.errors import FlowerError

log = logging.getLogger(__name__)

Job = Callable[[], Iterator[Any]]

CHUNK_INTERVAL_MS = 50
"""Least milliseconds between two chunks: 20 a second are more than an eye can read."""
MAX_CHUNK_EVENTS = 5_000
"""Most events in a chunk; at 20 a second, 100,000 events a second get through."""
MAX_WAITING_EVENTS = 4 * MAX_CHUNK_EVENTS
"""Events that may wait before the generator has to."""
STACK_BYTES = 16 * 2**20
"""Size of the thread's stack; macOS would give a thread 512 KiB, too little for torch."""

_PAUSED = object()

_running: set["Worker"] = set()  # a QThread destroyed while it runs aborts the process


class Worker(QThread):
    """Runs `job`, a function that makes a generator, when `start` is called.

    The job is called in the thread, and its generator is pulled and closed there. Nothing
    escapes it, not even SystemExit: an escape would abort the process. A worker keeps itself
    alive until `ended`.
    """

    produced = Signal(object)
    """A tuple of events in their order, at least one and at most MAX_CHUNK_EVENTS."""
    paused = Signal()
    """The generator is paused, and all its events before have been produced."""
    failed = Signal(object)
    """The exception that ended the job; comes after its last event and before `ended`."""
    ended = Signal()
    """The job is over and the thread too. Always comes, and comes last."""

    _queued = Signal()

    def __init__(
        self,
        job: Job,
        parent: QObject | None = None,
        *,
        always_pauses_at: Callable[[Any], bool] | None = None,
    ) -> None:
        """At an event for which `always_pauses_at` holds (it is called in the thread) the generator
        pauses until `unpause` is called."""
        super().__init__(parent)
        self.setStackSize(STACK_BYTES)
        self._job = job
        self._waiting: deque[Any] = deque()
        self._notified = False
        self._room = threading.Event()
        self._unpaused = threading.Event()
        self._unpaused.set()
        self._deciding = threading.Lock()
        self._pauses_at: Callable[[Any], bool] | None = None
        self._always_pauses_at = always_pauses_at
        self._cancelled = threading.Event()
        self._held = False
        self._is_over = False  # and nobody has heard of it: it was held
        self._error: BaseException | None = None
        self._since_chunk = QElapsedTimer()
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self._produce)
        self._queued.connect(self._take_queue)
        self.finished.connect(self._wind_up)

    # --- for the window's thread ----------------------------------------------------------

    def start(self, priority: QThread.Priority = QThread.Priority.InheritPriority) -> None:
        """Begins the job; a worker runs once."""
        _running.add(self)
        super().start(priority)

    def pause(self, at: Callable[[Any], bool] | None = None) -> None:
        """Stops asking for events: at once, or at the first event for which `at` holds (it is
        called in the thread). `paused` is emitted when the generator has paused.
        """
        self._pauses_at = at
        if at is None:
            self._unpaused.clear()

    def unpause(self) -> None:
        """Asks for events again; cancels a pause that has not happened yet."""
        with self._deciding:
            self._pauses_at = None
            self._unpaused.set()

    def cancel(self) -> None:
        """Closes the generator at its next event. From now on only `ended` is emitted."""
        self._cancelled.set()
        self._room.set()
        self._unpaused.set()

    def hold(self) -> None:
        """Emits nothing until `release`: those who listen go, and others will come. The thread goes
        on, until MAX_WAITING_EVENTS wait. `end_all` leaves it alone."""
        self._held = True
        self._clock.stop()

    def release(self) -> None:
        """Emits what has waited since `hold`, and all that comes."""
        self._held = False
        if self._waiting:
            self._take_queue()
        if self._is_over:
            self._wind_up()

    @property
    def held(self) -> bool:
        """Whether it emits nothing, see `hold`."""
        return self._held

    # --- in the thread --------------------------------------------------------------------

    def run(self) -> None:
        """Pulls the generator to its end. Called by `start`."""
        try:
            events = self._job()
            try:
                self._pull(events)
            finally:
                if isinstance(events, Generator):
                    events.close()
        except BaseException as error:
            self._error = error

    def _pull(self, events: Iterator[Any]) -> None:
        for event in events:
            if self._cancelled.is_set():
                return
            with self._deciding:  # before it is queued: whoever takes it may call unpause
                if self._pauses(event):
                    self._unpaused.clear()
            self._queue(event)
            if not self._unpaused.is_set():
                self._queue(_PAUSED)
                self._unpaused.wait()
            if len(self._waiting) >= MAX_WAITING_EVENTS:
                self._wait_for_room()
            if self._cancelled.is_set():
                return

    def _pauses(self, event: Any) -> bool:
        asked, always = self._pauses_at, self._always_pauses_at
        return (asked is not None and asked(event)) or (always is not None and always(event))

    def _queue(self, event: Any) -> None:
        self._waiting.append(event)
        if not self._notified:
            self._notified = True
            self._queued.emit()

    def _wait_for_room(self) -> None:
        self._room.clear()
        # Looked at again after clearing: the window may have made room in between.
        if len(self._waiting) >= MAX_WAITING_EVENTS and not self._cancelled.is_set():
            self._room.wait()

    # --- in the window's thread again -----------------------------------------------------

    @Slot()
    def _take_queue(self) -> None:
        if self._held:
            return
        passed = self._since_chunk.elapsed() if self._since_chunk.isValid() else CHUNK_INTERVAL_MS
        if passed >= CHUNK_INTERVAL_MS:
            self._produce()
        elif not self._clock.isActive():
            self._clock.start(CHUNK_INTERVAL_MS - passed)

    @Slot()
    def _produce(self) -> None:
        if self._held:
            return
        self._notified = False  # before looking: what comes after this notifies again
        self._since_chunk.start()
        self._produce_chunk()
        if self._waiting:
            self._clock.start(CHUNK_INTERVAL_MS)

    def _produce_chunk(self) -> None:
        chunk: list[Any] = []
        paused = False
        for _ in range(min(MAX_CHUNK_EVENTS, len(self._waiting))):
            event = self._waiting.popleft()
            if paused := event is _PAUSED:
                break
            chunk.append(event)
        self._room.set()
        if chunk and not self._cancelled.is_set():
            self.produced.emit(tuple(chunk))
        if paused and not self._cancelled.is_set() and not self._unpaused.is_set():
            self.paused.emit()

    @Slot()
    def _wind_up(self) -> None:
        if self._held:
            self._is_over = True
            return
        self.wait()  # `finished` comes a moment before the thread is gone
        self._clock.stop()
        while self._waiting:
            self._produce_chunk()
        error, self._error = self._error, None
        if error is not None:
            if not self._cancelled.is_set():
                self.failed.emit(error)
            elif not isinstance(error, FlowerError):  # what is refused, nobody waits for
                log.warning("A cancelled job failed.", exc_info=error)
        self.ended.emit()
        _running.discard(self)


def end_all(milliseconds: int) -> bool:
    """Cancels every running worker that is not held and waits for their threads; says whether all
    are gone.

    For the very end of the program: a thread that still runs then would abort the process.
    """
    deadline = QDeadlineTimer(milliseconds)
    workers = [each for each in _running if not each.held]
    for worker in workers:
        worker.cancel()
    return all(worker.wait(deadline) for worker in workers)
