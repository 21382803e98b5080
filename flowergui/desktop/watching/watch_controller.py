"""Follows a run that another process or machine trains."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui import tasks
from flowergui.desktop.session import Store, is_idle
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.watched_run import WatchState
from flowergui.desktop.watching import watch_jobs
from flowergui.desktop.watching.watch_transitions import (
    with_stop_asked,
    with_unreachable,
    with_watch_begun,
    with_watch_left,
    with_watched,
)
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.confirm import confirm
from flowergui.desktop.widgets.file_dialogs import choose_folder
from flowergui.errors import FlowerError
from flowergui.events import Finished, RunAsked, RunWatched
from flowergui.requests import RunRequest
from flowergui.store import paths
from flowergui.store.watching.run_watch import RunWatch
from flowergui.text import tr

LOOK, ASK = "look at the watched run", "ask the watched run"
POLL_MS = 5_000
"""Milliseconds between two looks at the folder: network drives tell of no changes."""
HANG_MS = 20_000
"""Milliseconds after which a folder counts as unreachable that has not answered."""


class WatchController(QObject):
    """Looks at the folder of a run every POLL_MS, in a thread: a drive that hangs holds up nothing
    but the curves. No second look begins before the one before has ended."""

    produced = Signal(object)
    """A tuple of events of the run, and HistoryLoaded; as those of a run of this window."""
    checkpoint_saved = Signal(str)
    """The run has written this checkpoint."""

    def __init__(self, store: Store, jobs: Jobs, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self._store, self._jobs, self._banner, self._window = store, jobs, banner, window
        self._watch: RunWatch | None = None
        self._saved_at_ns = 0
        self._count = 0
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)
        self._hang = single_shot_timer(self, HANG_MS, self._does_not_answer)

    # --- what the user wants --------------------------------------------------------------

    @Slot()
    def ask_for_run(self) -> None:
        """Asks for the folder of a run, and watches it."""
        if self._may_begin():
            title = tr("Choose the folder of a run, or of runs")
            choose_folder(self._window, title, str(paths.models_folder()), self.open)

    @Slot(str)
    def open(self, path: str) -> None:
        """Watches the run in a folder, or the one that trains in a folder of runs."""
        if self._may_begin():
            self._banner.clear()
            self._watch, self._saved_at_ns = None, 0
            self._count += 1  # a look at the folder before may still hang
            self._store.update(**with_watch_begun(self._store.session, path))
            self._timer.start()
            self._look()

    @Slot()
    def leave(self) -> None:
        """Stops watching; the run goes on."""
        if self._store.session.watched is not None:
            self._end()
            self._store.update(**with_watch_left(self._store.session))

    @Slot()
    def watch_or_leave(self) -> None:
        """Does what the item of the menu would do now."""
        if self._store.session.watched is None:
            self.ask_for_run()
        else:
            self.leave()

    @Slot()
    def save(self) -> None:
        """Asks the watched run, if there is one, to save a checkpoint and go on."""
        self._ask(RunRequest(save=True))

    @Slot()
    def stop(self) -> None:
        """Asks the user whether the watched run, if there is one, is to stop."""
        watched = self._store.session.watched
        if watched is None or not watched.can_be_asked:
            return
        run = Path(watched.path).name
        if watched.host:
            text = tr("Stop {run} on {host}?", run=run, host=watched.host)
        else:
            text = tr("Stop {run}?", run=run)
        more = tr("It is saved first, and can be resumed where it stops.")
        yes = QMessageBox.StandardButton.Yes, tr("Stop the run")
        confirm(self._window, "stopWatchedQuestion", text, more, yes, self._stop)

    def _may_begin(self) -> bool:
        if not is_idle(self._store.session):
            self._banner.refuse(tr("Stop the run here first, then watch another."))
            return False
        return True

    @Slot()
    def _stop(self) -> None:
        self._ask(RunRequest(stop=True))

    def _ask(self, request: RunRequest) -> None:
        watched = self._store.session.watched
        if watched is not None and watched.can_be_asked:
            folder = watched.path
            self._jobs.do(ASK, lambda: tasks.ask(folder, request), self._asked)

    @Slot(object)
    def _asked(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, RunAsked) and event.stop:
                self._store.update(**with_stop_asked(self._store.session))
            elif isinstance(event, RunAsked):
                self._banner.show_note(tr("The run was asked to save."))

    # --- looking --------------------------------------------------------------------------

    @property
    def _job(self) -> str:
        return f"{LOOK} {self._count}"

    @Slot()
    def _look(self) -> None:
        watched, watch = self._store.session.watched, self._watch
        if watched is not None and not self._jobs.is_running(self._job):
            folder = watched.path
            self._hang.start()
            self._jobs.do(
                self._job, lambda: watch_jobs.look(folder, watch), self._take, self._failed
            )

    @Slot(object)
    def _take(self, events: tuple[Any, ...]) -> None:
        self._hang.start()  # it answers; more is to come
        shown = []
        for event in events:
            if isinstance(event, RunWatch):
                self._watch = event
            elif isinstance(event, RunWatched):
                self._hang.stop()
                self._store.update(**with_watched(self._store.session, event))
            else:
                shown.append(event)
        if shown:
            self.produced.emit(tuple(shown))
        for event in events:
            if isinstance(event, RunWatched):
                self._note_checkpoint(event)
            elif isinstance(event, Finished):
                self._end()
                self._store.update(**with_watch_left(self._store.session, finished=True))

    def _note_checkpoint(self, event: RunWatched) -> None:
        if event.saved_at_ns != self._saved_at_ns:
            self._saved_at_ns = event.saved_at_ns
            if path := event.run.best or event.run.last:
                self.checkpoint_saved.emit(path)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self._hang.stop()
        known = self._watch is not None and self._watch.has_begun
        if not (known and isinstance(error, FlowerError)):
            self._jobs.report(error)
        if known:
            self._lost(str(error))
        else:
            self.leave()

    @Slot()
    def _does_not_answer(self) -> None:
        self._lost(tr("The folder does not answer."))

    def _lost(self, problem: str) -> None:
        watched = self._store.session.watched
        if watched is None or watched.state is WatchState.UNREACHABLE:
            return
        self._store.update(**with_unreachable(self._store.session, problem))

    def _end(self) -> None:
        self._watch = None
        self._timer.stop()
        self._hang.stop()
        self._jobs.cancel(self._job)
