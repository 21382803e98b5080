"""Start, pause, go on, stop: what a person may do to a run, and the state that it is in."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from flowergui import tasks
from flowergui.desktop.plots.batch_columns import BatchColumns
from flowergui.desktop.session import RunState, Session, Store, frozen_problem, is_idle
from flowergui.desktop.threads.worker import Worker
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    FinalSaveFailed,
    FrozenChanged,
    LearningRateChanged,
    RolledBack,
    RunStarted,
    Saved,
    SaveFailed,
    TrainingSizeChanged,
)
from flowergui.requests import LiveRequests

SHOWN = 30
"""Milliseconds for the window to show that a run begins: beside a busy thread it takes three
times as long to paint, and nobody is answered meanwhile."""


PAINTED = 0.1
"""Seconds in which the window shows what a run is, before its past is gone through."""
ROWS, BREATH = 100, 5e-5
"""After so many rows of it a breath of so many seconds: a thread that never rests leaves the window
no more than turns of 5 ms, and what takes it 60 ms else takes 270."""


Row = TypeVar("Row")
Change = FrozenChanged | LearningRateChanged | RolledBack | TrainingSizeChanged


@dataclass(frozen=True, slots=True)
class HistoryLoaded:
    """What a resumed run has done before; comes right after its RunStarted."""

    points: BatchColumns
    epochs: tuple[EpochDone, ...]
    changes: tuple[Change, ...] = ()
    """What was changed while it went, in the order of its steps."""


class TrainingController(QObject):
    """One run at a time, in a thread of its own."""

    changed = Signal(str)
    """The state is another: a RunState."""
    produced = Signal(object)
    """A tuple of events, and HistoryLoaded."""
    failed = Signal(object)
    """The exception that ended the run."""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.live = LiveRequests()
        self._store = store
        self._in_force: tuple[float, tuple[str, ...]] | None = None
        self._worker: Worker | None = None
        store.changed.connect(self._follow)

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self._store.session.run

    def begin(self, job: Callable[[LiveRequests], Iterator[Event]]) -> None:
        """Starts a run: `job` makes its generator from the live requests. Only while idle."""
        self.live = live = LiveRequests()
        self._in_force = _live_settings(self._store.session)
        worker = Worker(lambda: _history_chunks(job(live)), always_rests_at=_is_lost)
        worker.produced.connect(self.produced)
        worker.produced.connect(self._produced)
        worker.paused.connect(self._rests)
        worker.failed.connect(self.failed)
        worker.ended.connect(self._ended)
        self._worker = worker
        self._store.update(run_started=None)
        self._enter(RunState.RUNNING)
        QTimer.singleShot(SHOWN, worker, worker.start)

    @Slot()
    def pause(self) -> None:
        """Saves, and rests within a batch."""
        if self._worker is not None and self.state == RunState.RUNNING:
            self._enter(RunState.PAUSING)
            self._worker.pause(at=lambda event: _last_is_written(event) and not self.live.save)
            self.live.save = True

    @Slot()
    def go_on(self) -> None:
        """Takes a paused run up again."""
        if self._worker is not None and self.state in (RunState.PAUSING, RunState.PAUSED):
            self._enter(RunState.RUNNING)
            self._worker.go_on()

    @Slot()
    def save_now(self) -> None:
        """Has the run save a checkpoint within a batch, and go on."""
        if self.state == RunState.RUNNING:
            self.live.save = True

    @Slot()
    def save_again(self) -> None:
        """Tries once more to save a run that could not be saved at its end."""
        if self._worker is not None and self.state == RunState.UNSAVED:
            self.live.save = True
            self._enter(RunState.STOPPING)
            self._worker.go_on()

    @Slot()
    def stop(self) -> None:
        """Saves and ends the run within a batch; a resting one wakes for it, and one that could
        not be saved is given up."""
        if self._worker is not None and self.state != RunState.STOPPING:
            rests = self.state != RunState.RUNNING
            # One that is pausing may rest at its end already, unsaved: that is no wish to lose it.
            self.live.save = self.state == RunState.PAUSING
            self.live.stop = True
            self._enter(RunState.STOPPING)
            if rests:  # else it would not rest either where it can't be saved
                self._worker.go_on()

    def adopt(self, changes: dict[str, Any]) -> None:
        """Takes changes that the run itself has made into the session."""
        self._in_force = _live_settings(replace(self._store.session, **changes))
        self._store.update(**changes)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        """What the user changes of the recipe while a run goes, the run follows."""
        session = self._store.session
        settings = _live_settings(session)
        if is_idle(session) or self._in_force is None or settings == self._in_force:
            return
        if session.recipe.problems() or frozen_problem(session):
            return
        (rate, names), self._in_force = self._in_force, settings
        if settings[0] != rate:
            self.live.learning_rate = settings[0]
        if settings[1] != names:
            self.live.frozen = settings[1]

    @Slot(object)
    def _produced(self, events: tuple[Any, ...]) -> None:
        if _is_lost(events[-1]):  # it rests there
            self._enter(RunState.UNSAVED)

    @Slot()
    def _rests(self) -> None:
        if self.state == RunState.PAUSING:
            self._enter(RunState.PAUSED)

    @Slot()
    def _ended(self) -> None:
        self._worker = None
        self._enter(RunState.IDLE)

    def _enter(self, state: RunState) -> None:
        self._store.update(run=state)
        self.changed.emit(state)


def _live_settings(session: Session) -> tuple[float, tuple[str, ...]]:
    """What of the recipe a run follows while it goes: the learning rate and the frozen layers."""
    return session.recipe.learning_rate, session.recipe.frozen


def _last_is_written(event: Any) -> bool:
    """Whether a run that rests at this event rests where last.pth is (or could not be)."""
    return isinstance(event, Saved | SaveFailed) and Path(event.path).name == "last.pth"


def _is_lost(event: Any) -> bool:
    return isinstance(event, FinalSaveFailed)


def _history_chunks(events: Iterator[Event]) -> Iterator[Any]:
    """The events, and after RunStarted of a resumed run what it had told before."""
    for event in events:
        yield event
        if isinstance(event, RunStarted) and event.resumed:
            yield load_history(throttled(tasks.history(event.run)))


def throttled(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, so that the window lives on beside the thread that goes through them."""
    time.sleep(PAINTED)
    for number, row in enumerate(rows):
        if number % ROWS == 0:
            time.sleep(BREATH)
        yield row


def load_history(rows: Iterable[BatchDone | EpochDone | Change]) -> HistoryLoaded:
    """The history of a run, gone through once."""
    epochs: list[EpochDone] = []
    changes: list[Change] = []

    def batches() -> Iterator[BatchDone]:
        for row in rows:
            if isinstance(row, BatchDone):
                yield row
            elif isinstance(row, EpochDone):
                epochs.append(row)
            else:
                changes.append(row)

    points = BatchColumns.of(batches())
    changes.sort(key=lambda change: change.step)
    return HistoryLoaded(points, tuple(epochs), tuple(changes))
