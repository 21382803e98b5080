"""Keeps the window of all runs up to date."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from flowergui.desktop.runs import runs_jobs
from flowergui.desktop.runs.run_actions import RunActions
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.session import Session, Store, is_idle
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.events import RunListed

LIST, UPDATE = "list runs", "update a run"

UPDATE_INTERVAL_MS = 1_000
"""At least so long between two looks at the run that trains."""


class RunsController(QObject):
    """Keeps a window of all runs up to date while it is open."""

    resume_requested = Signal(str)
    """The user wants to resume this checkpoint."""
    settings_requested = Signal(object)
    """The user wants a new run with this Recipe."""
    watch_requested = Signal(str)
    """The user wants to watch the run in this folder."""
    other_watch_requested = Signal()
    """The user wants to watch a run in another folder."""
    evaluation_requested = Signal(str)
    """The user wants to evaluate this checkpoint."""
    list_requested = Signal()
    """The runs on disk have changed: the session has to list them again."""
    removed = Signal()
    """A run is gone: what was said of it is outdated."""
    noted = Signal(str)
    """Something was done after its window was closed: in a sentence."""

    def __init__(self, store: Store, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._parent = store, jobs, parent
        self._window: RunsWindow | None = None
        self._actions = RunActions(store, jobs, self)
        for name in (
            "resume_requested", "settings_requested", "evaluation_requested", "list_requested",
            "removed", "noted", "watch_requested", "other_watch_requested",
        ):  # fmt: skip
            getattr(self._actions, name).connect(getattr(self, name))
        self._actions.close_requested.connect(self._close_window)
        self._actions.outdated.connect(self._list)
        self._actions.removed.connect(self._list)
        self._soon = single_shot_timer(self, UPDATE_INTERVAL_MS, self._update_training_run)
        store.changed.connect(self._changed)

    @Slot()
    def open(self) -> None:
        """Shows all runs."""
        if self._window is None:
            self._window = self._make_window()
            self._show_state()
            self._list()
        bring_to_front(self._window)

    def _make_window(self) -> RunsWindow:
        window = RunsWindow(self._parent)
        self._actions.attach(window)
        window.finished.connect(self._closed)
        return window

    # --- which runs there are -------------------------------------------------------------

    @Slot(object, object)
    def _changed(self, before: Session, after: Session) -> None:
        if _training(before) != _training(after):
            self._actions.training = _training(after)
            self._update_soon()
        if is_idle(before) != is_idle(after) or _training(before) != _training(after):
            self._show_state()
        if before.runs != after.runs:
            if is_idle(after) or _folders(before) != _folders(after):
                self._list()
            else:
                self._update_soon()
        elif is_idle(after) and not is_idle(before):
            self._list()

    def _show_state(self) -> None:
        if self._window is not None:
            idle = is_idle(self._store.session)
            self._window.set_state(idle=idle, training=self._actions.training)

    @Slot()
    def _list(self) -> None:
        if self._window is not None:
            self._jobs.do(LIST, runs_jobs.list_runs, self._show_runs)

    @Slot(object)
    def _show_runs(self, lists: Sequence[Sequence[RunListed]]) -> None:
        if self._window is not None:
            self._window.show_runs(lists[-1])

    def _update_soon(self) -> None:
        if self._window is not None and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _update_training_run(self) -> None:
        run = self._actions.training
        if self._window is not None and run:
            self._jobs.do(UPDATE, lambda: runs_jobs.list_run(run), self._update_run)

    @Slot(object)
    def _update_run(self, events: Sequence[RunListed]) -> None:
        for event in events:
            if self._window is not None:
                if self._actions.training:  # it may be over by now
                    # As the list has it, whatever links led there.
                    self._actions.training = event.run.path
                self._window.update_run(event)
        self._show_state()

    # --- its window -----------------------------------------------------------------------

    @Slot()
    def _close_window(self) -> None:
        if self._window is not None:
            self._window.close()

    @Slot()
    def _closed(self) -> None:
        for job in (LIST, UPDATE):
            self._jobs.cancel(job)
        self._actions.detach()
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _training(session: Session) -> str:
    """The folder of the run that trains; "" for none, and until it is known."""
    started = session.run_started
    return started.run if started and not is_idle(session) else ""


def _folders(session: Session) -> set[str]:
    return {run.path for run in session.runs}
