"""What can be done with a run: resume, evaluate, predict, export, note, remove."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMessageBox

from flowergui import tasks
from flowergui.desktop.run_names import run_label
from flowergui.desktop.runs import runs_jobs
from flowergui.desktop.runs.note_dialog import ask_for_note
from flowergui.desktop.runs.runs_jobs import Removal, Removed
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.session import Store, is_idle
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import without_run
from flowergui.desktop.widgets.confirm import confirm
from flowergui.errors import FlowerError
from flowergui.events import Exported
from flowergui.facts import RunFacts
from flowergui.requests import ExportOptions
from flowergui.text import tr

FIND, WRITE_NOTE = "is a run still there", "write a note"
REMOVE, PUT_BACK = "remove a run", "put a run back"
EXPORT, SAVE_TABLE = "export", "save the table of runs"


class RunActions(QObject):
    """Does what a window of runs asks for. An export continues after the window has closed."""

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
    outdated = Signal()
    """The list of runs that is shown is outdated."""
    close_requested = Signal()
    """The user has left the window for the main one."""
    removed = Signal()
    """A run is gone: what was said of it is outdated."""
    noted = Signal(str)
    """Something was done after the window was closed: in a sentence."""

    def __init__(self, store: Store, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._jobs = store, jobs
        self._window: RunsWindow | None = None
        self.training = ""
        """The folder of the run that trains, "" for none."""

    def attach(self, window: RunsWindow) -> None:
        """Serves this window."""
        self._window = window
        window.resume_requested.connect(self._resume)
        window.settings_requested.connect(self._take_settings)
        window.watch_requested.connect(self._watch)
        window.other_watch_requested.connect(self._watch_other)
        window.evaluation_requested.connect(self._evaluate)
        window.prediction_requested.connect(self._use_for_predictions)
        window.export_requested.connect(self._export)
        window.removal_requested.connect(self._ask_to_remove)
        window.note_requested.connect(self._ask_for_note)
        window.table_requested.connect(self._save_table)

    def detach(self) -> None:
        """The window has closed."""
        for job in (FIND, SAVE_TABLE):
            self._jobs.cancel(job)
        self._window = None

    @Slot(object)
    def _resume(self, run: RunFacts) -> None:
        def resume() -> None:
            self.close_requested.emit()
            self.resume_requested.emit(run.last)

        self._if_there(run, resume)

    @Slot(object)
    def _watch(self, run: RunFacts) -> None:
        self.close_requested.emit()
        self.watch_requested.emit(run.path)

    @Slot()
    def _watch_other(self) -> None:
        self.close_requested.emit()
        self.other_watch_requested.emit()

    @Slot(object)
    def _take_settings(self, run: RunFacts) -> None:
        self.close_requested.emit()
        self.settings_requested.emit(run.recipe)

    @Slot(object)
    def _evaluate(self, run: RunFacts) -> None:
        self._if_there(run, lambda: self.evaluation_requested.emit(run.best or run.last))

    @Slot(object)
    def _use_for_predictions(self, run: RunFacts) -> None:
        def use() -> None:
            self._store.update(chosen_checkpoint=run.best or run.last)
            self._note(
                tr(
                    "{run} predicts from now on: drop images on the main window.",
                    run=run_label(run),
                )
            )

        self._if_there(run, use)

    def _if_there(self, run: RunFacts, act: Callable[[], object]) -> None:
        """Acts once it is known that the run is still on disk; else says that it is gone."""

        def found(events: Sequence[bool]) -> None:
            if events[-1]:
                act()
            else:
                self._gone(run)

        self._jobs.do(FIND, lambda: iter([os.path.isdir(run.path)]), found)

    def _gone(self, run: RunFacts) -> None:
        self._note(tr("{run} is gone.", run=run_label(run)), is_error=True)
        self._forget(run)

    def _forget(self, run: RunFacts) -> None:
        self._store.update(**without_run(self._store.session, run.path))
        self.list_requested.emit()
        self.removed.emit()

    def _note(self, text: str, *, is_error: bool = False) -> None:
        if self._window is not None:
            self._window.show_note(text, is_error=is_error)

    def _failed(self, error: BaseException) -> None:
        """Says why in the window of the runs; the main window does if that is closed."""
        if self._window is None or not isinstance(error, FlowerError):
            self._jobs.report(error)
        else:
            self._note(str(error), is_error=True)

    @Slot(object, str, object)
    def _export(self, run: RunFacts, path: str, options: ExportOptions) -> None:
        best = run.best or run.last
        self._jobs.do(
            f"{EXPORT} {path}",  # several may be written at a time
            lambda: tasks.export(best, path, options),
            self._exported,
            self._failed,
        )
        self._note(tr("Exporting…"))

    @Slot(object)
    def _exported(self, events: Sequence[Any]) -> None:
        for event in events:
            if isinstance(event, Exported):
                text = tr("The network was exported to {path}.", path=event.path)
                if self._window is None:
                    self.noted.emit(text)
                else:
                    self._note(text)

    @Slot(str)
    def _save_table(self, path: str) -> None:
        if self._window is not None:
            runs = tuple(self._window.runs.runs)
            self._jobs.do(
                SAVE_TABLE,
                lambda: runs_jobs.write_table(path, runs),
                self._table_saved,
                self._failed,
            )

    @Slot(object)
    def _table_saved(self, events: Sequence[str]) -> None:
        self._note(tr("The table was saved as {path}.", path=events[-1]))

    # --- notes ----------------------------------------------------------------------------

    @Slot(object)
    def _ask_for_note(self, run: RunFacts) -> None:
        ask_for_note(self._window, run, lambda text: self._write_note(run, text))

    def _write_note(self, run: RunFacts, text: str) -> None:
        def written(events: Sequence[bool]) -> None:
            if not events[-1]:
                self._gone(run)
                return
            self.outdated.emit()
            if is_idle(self._store.session):  # else a checkpoint that is being written seems gone
                self.list_requested.emit()

        def failed(error: BaseException) -> None:
            self._failed(error)
            if self._window is not None and isinstance(error, FlowerError):
                self._ask_for_note(replace(run, note=text))  # it took thought

        self._jobs.do(WRITE_NOTE, lambda: runs_jobs.write_note(run.path, text), written, failed)

    # --- removal --------------------------------------------------------------------------

    @Slot(object)
    def _ask_to_remove(self, run: RunFacts) -> None:
        confirm(
            self._window,
            "removeQuestion",
            tr("Move the run {run} to the trash?", run=run_label(run)),
            tr(
                "Its checkpoints go with it: it can't be resumed, and can't predict, unless you "
                "put it back."
            ),
            (QMessageBox.StandardButton.Yes, tr("Move to trash")),
            lambda: self._remove(run),
        )

    def _remove(self, run: RunFacts) -> None:
        trains_here = run.path == self.training
        self._jobs.do(
            REMOVE,
            lambda: iter([runs_jobs.remove(run.path, trains_here=trains_here)]),
            lambda events: self._show_removal(run, events[-1]),
        )

    def _show_removal(self, run: RunFacts, removed: Removed) -> None:
        name = run_label(run)
        match removed.removal:
            case Removal.DONE:
                self._note(tr("{run} is in the trash.", run=name))
                if self._window is not None and removed.in_trash:
                    self._window.offer(
                        tr("Put back"), lambda: self._put_back(run, removed.in_trash)
                    )
                self._forget(run)
            case Removal.GONE:
                self._gone(run)
            case Removal.TRAINING:
                self._note(
                    tr("{run} is training, here or elsewhere. Stop it first.", run=name),
                    is_error=True,
                )
            case Removal.REFUSED:
                self._note(
                    tr("{run} can't be moved to the trash. Delete its folder yourself.", run=name),
                    is_error=True,
                )

    def _put_back(self, run: RunFacts, in_trash: str) -> None:
        def back(events: Sequence[str]) -> None:
            self._note(tr("{run} is back.", run=run_label(run)))
            self.outdated.emit()
            if is_idle(self._store.session):
                self.list_requested.emit()

        self._jobs.do(PUT_BACK, lambda: runs_jobs.put_back(in_trash, run.path), back, self._failed)
