"""Starts, pauses, continues and stops the one run of the window."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QDeadlineTimer, QObject, QTimer, Signal, Slot

from flowergui.desktop.session import RunState, Session, Store, frozen_problem, is_idle
from flowergui.desktop.threads.worker import Worker
from flowergui.desktop.training.run_history import with_history
from flowergui.desktop.transitions import with_run_begun
from flowergui.events import Event, FinalSaveFailed, Saved, SaveFailed
from flowergui.requests import LiveRequests

SHOW_MS = 30
"""Milliseconds in which the window shows that a run begins: beside a busy thread it takes three
times as long to paint, and answers nobody meanwhile."""


class _LiveSettings(NamedTuple):
    """What of the recipe a run follows while it goes."""

    learning_rate: float
    frozen: tuple[str, ...]
    unfreeze_schedule: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OngoingRun:
    """A run between two controllers: its `worker` is held, and goes on training."""

    worker: Worker
    live: LiveRequests
    in_force: _LiveSettings | None
    state: RunState

    def stop(self, milliseconds: int) -> None:
        """Has the run save and end, and waits for that, at most so long."""
        self.live.stop = True
        self.worker.unpause()
        self.worker.wait(QDeadlineTimer(milliseconds))


class TrainingController(QObject):
    """Runs one run at a time, in a thread of its own; keeps `Session.run` at its state."""

    begun = Signal()
    """A run begins; one that another window began does not."""
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
        self._in_force: _LiveSettings | None = None
        self._worker: Worker | None = None
        store.changed.connect(self._follow)

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self._store.session.run

    @property
    def has_run(self) -> bool:
        """Whether a run goes that this controller has not handed over."""
        return self._worker is not None

    @property
    def handed_over(self) -> bool:
        """Whether a run goes that is another controller's now."""
        return self.state != RunState.IDLE and not self.has_run

    def begin(self, job: Callable[[LiveRequests], Iterator[Event]]) -> None:
        """Starts a run: `job` makes its generator from the live requests. Does nothing
        while another run goes."""
        if not is_idle(self._store.session):
            return
        self.live = live = LiveRequests()
        self._in_force = _live_settings(self._store.session)
        worker = Worker(lambda: with_history(job(live)), always_pauses_at=_is_unsaved)
        self._listen(worker)
        self._enter(RunState.RUNNING, **with_run_begun(self._store.session))
        self.begun.emit()
        QTimer.singleShot(SHOW_MS, worker, worker.start)

    def hand_over(self) -> OngoingRun | None:
        """Leaves the run that goes to the controller of another window, and hears no more of it;
        None if none goes. The session still says that it goes."""
        worker, self._worker = self._worker, None
        if worker is None:
            return None
        worker.hold()
        for signal in (worker.produced, worker.paused, worker.failed, worker.ended):
            signal.disconnect()
        return OngoingRun(worker, self.live, self._in_force, self.state)

    def take_over(self, run: OngoingRun) -> None:
        """Goes on with a run of another window. Its events come after `release` of its worker."""
        self.live, self._in_force = run.live, run.in_force
        self._listen(run.worker)
        self._enter(run.state)

    def _listen(self, worker: Worker) -> None:
        worker.produced.connect(self.produced)
        worker.produced.connect(self._produced)
        worker.paused.connect(self._paused)
        worker.failed.connect(self.failed)
        worker.ended.connect(self._ended)
        self._worker = worker

    @Slot()
    def pause(self) -> None:
        """Saves, and pauses within a batch."""
        if self._worker is not None and self.state == RunState.RUNNING:
            self._enter(RunState.PAUSING)
            self._worker.pause(at=lambda event: _last_is_written(event) and not self.live.save)
            self.live.save = True

    @Slot()
    def unpause(self) -> None:
        """Continues a paused run, or one that is about to pause."""
        if self._worker is not None and self.state in (RunState.PAUSING, RunState.PAUSED):
            self._enter(RunState.RUNNING)
            self._worker.unpause()

    @Slot()
    def pause_or_continue(self) -> None:
        """Does what the button beside Start would do now."""
        if self.state in (RunState.PAUSING, RunState.PAUSED):
            self.unpause()
        elif self.state == RunState.UNSAVED:
            self.save_again()
        else:
            self.pause()

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
            self._worker.unpause()

    @Slot()
    def stop(self) -> None:
        """Saves and ends the run within a batch, also while it is paused; one that could not be
        saved is discarded."""
        if self._worker is not None and self.state != RunState.STOPPING:
            paused = self.state != RunState.RUNNING
            # One that is pausing may wait at its end already, unsaved: it is not to be discarded.
            self.live.save = self.state == RunState.PAUSING
            self.live.stop = True
            self._enter(RunState.STOPPING)
            if paused:  # else it would not wait either if it can't be saved
                self._worker.unpause()

    def wait(self, milliseconds: int) -> None:
        """Waits until the run has ended, at most so long; the window is blocked meanwhile."""
        if self._worker is not None:
            self._worker.wait(QDeadlineTimer(milliseconds))

    def adopt(self, changes: dict[str, Any]) -> None:
        """Takes changes that the run itself has made into the session."""
        self._in_force = _live_settings(replace(self._store.session, **changes))
        self._store.update(**changes)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        """What the user changes of the recipe while a run goes, the run follows."""
        session = self._store.session
        settings = _live_settings(session)
        if self._worker is None or self._in_force is None or settings == self._in_force:
            return
        if session.recipe.problems() or frozen_problem(session):
            return
        known, self._in_force = self._in_force, settings
        if settings.learning_rate != known.learning_rate:
            self.live.learning_rate = settings.learning_rate
        if settings.frozen != known.frozen:
            self.live.frozen = settings.frozen
        if settings[1:] != known[1:]:  # after it: what is asked to be frozen has no schedule
            self.live.unfreeze_schedule = settings.unfreeze_schedule

    @Slot(object)
    def _produced(self, events: tuple[Any, ...]) -> None:
        if _is_unsaved(events[-1]):  # it pauses there
            self._enter(RunState.UNSAVED)

    @Slot()
    def _paused(self) -> None:
        if self.state == RunState.PAUSING:
            self._enter(RunState.PAUSED)

    @Slot()
    def _ended(self) -> None:
        self._worker = None
        self._enter(RunState.IDLE)

    def _enter(self, state: RunState, **changes: Any) -> None:
        self._store.update(run=state, **changes)
        self.changed.emit(state)


def _live_settings(session: Session) -> _LiveSettings:
    recipe = session.recipe
    return _LiveSettings(recipe.learning_rate, recipe.frozen, recipe.unfreeze_schedule)


def _last_is_written(event: Any) -> bool:
    """Whether last.pth was written before this event, or could not be."""
    return isinstance(event, Saved | SaveFailed) and Path(event.path).name == "last.pth"


def _is_unsaved(event: Any) -> bool:
    return isinstance(event, FinalSaveFailed)
