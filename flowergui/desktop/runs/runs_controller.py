"""Has runs compared, and does what is asked of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QInputDialog, QMessageBox, QPushButton, QWidget

from flowergui import tasks
from flowergui.desktop.evaluation.evaluation_controller import EvaluationController
from flowergui.desktop.prediction.prediction_controller import PredictionController
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.session import RunState, Store, without_run
from flowergui.desktop.start_from.resume_controller import ResumeController
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.widgets.confirm import confirm
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Exported,
    RunListed,
    RunStarted,
    Saved,
)
from flowergui.facts import (
    RunFacts,
)
from flowergui.store import library, paths

JOB, ONE, EXPORT = "compare", "look at a run", "export"

NOTE = QSize(440, 0)
"""The least size of the question for a note, in pixels."""
PATIENCE = 1_000
"""Least milliseconds between two looks at the run that goes on."""


class RunsController(QObject):
    """Keeps a window of all runs up to date while it is open."""

    resume_requested = Signal(str)
    """The user wants to go on with this checkpoint."""
    settings_requested = Signal(object)
    """The user wants a new run with this Recipe."""
    removed = Signal()
    """A run has gone: what was said of it holds no longer."""
    noted = Signal(str)
    """Something was done after its window was closed: in a sentence."""

    def __init__(
        self,
        store: Store,
        control: TrainingController,
        resume: ResumeController,
        predictions: PredictionController,
        evaluation: EvaluationController,
        jobs: Jobs,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._control, self._resume, self._predictions = control, resume, predictions
        self._evaluation, self._jobs = evaluation, jobs
        self._window: RunsWindow | None = None
        self._going_on = ""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE)
        self._soon.timeout.connect(self._look)
        control.produced.connect(self._produced)
        control.changed.connect(self._state_changed)
        resume.listed.connect(self._list)

    @Slot()
    def open(self) -> None:
        """Shows all runs."""
        if self._window is None:
            parent = self.parent()
            assert isinstance(parent, QWidget)
            self._window = window = RunsWindow(parent)
            window.resume_requested.connect(self._go_on)
            window.settings_requested.connect(self._take_settings)
            window.evaluation_requested.connect(self._judge)
            window.prediction_requested.connect(self._let_answer)
            window.export_requested.connect(self._export)
            window.removal_requested.connect(self._ask_to_remove)
            window.note_requested.connect(self._ask_for_note)
            window.finished.connect(self._closed)
            self._state_changed()
            self._list()
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.activateWindow()

    # --- what there is --------------------------------------------------------------------

    @Slot()
    def _list(self) -> None:
        if self._window is not None:
            self._jobs.do(JOB, _all, self._told)

    @Slot(object)
    def _told(self, lists: Sequence[Sequence[Any]]) -> None:
        for listed in lists:
            if self._window is not None:
                self._window.show_runs(listed)

    @Slot()
    def _look(self) -> None:
        run = self._going_on
        if self._window is not None and Path(run).parent == paths.models_folder():
            self._jobs.do(ONE, lambda: tasks.compare([run]), self._told_one)

    @Slot(object)
    def _told_one(self, events: Sequence[Any]) -> None:
        for event in events:
            if self._window is not None and isinstance(event, RunListed):
                self._window.update_run(event)

    @Slot(object)
    def _produced(self, events: Sequence[Any]) -> None:
        for event in events:
            if isinstance(event, BatchDone):  # there may be 50,000 a second
                continue
            if isinstance(event, RunStarted):
                self._going_on = _as_listed(event.run)
                self._state_changed()
            if isinstance(event, RunStarted | EpochDone | Saved) and not self._soon.isActive():
                self._soon.start()

    @Slot()
    def _state_changed(self) -> None:
        idle = self._control.state == RunState.IDLE
        if idle:
            self._going_on = ""
        if self._window is not None:
            self._window.set_state(idle=idle, going_on=self._going_on)

    # --- what is asked for ----------------------------------------------------------------

    @Slot(object)
    def _go_on(self, run: RunFacts) -> None:
        if self._is_there(run):
            self._leave()
            self.resume_requested.emit(run.last)

    @Slot(object)
    def _take_settings(self, run: RunFacts) -> None:
        self._leave()
        self.settings_requested.emit(run.recipe)

    @Slot(object)
    def _judge(self, run: RunFacts) -> None:
        if self._is_there(run):
            self._evaluation.open_of(run.best or run.last)

    @Slot(object)
    def _let_answer(self, run: RunFacts) -> None:
        if self._window is not None and self._is_there(run):
            self._predictions.use_checkpoint(run.best or run.last)
            self._window.note(f"{Path(run.path).name} answers now: drop photos on the main window.")

    def _is_there(self, run: RunFacts) -> bool:
        if Path(run.path).is_dir():
            return True
        if self._window is not None:
            self._window.note(f"{Path(run.path).name} is not there any more.", wrong=True)
        self._gone(run)
        return False

    def _gone(self, run: RunFacts) -> None:
        self._store.update(**without_run(self._store.session, run.path))
        self._resume.refresh(look=self._control.state == RunState.IDLE)
        self.removed.emit()

    @Slot(object, str)
    def _export(self, run: RunFacts, path: str) -> None:
        best = run.best or run.last
        self._jobs.do(EXPORT, lambda: tasks.export(best, path), self._exported, self._export_failed)
        if self._window is not None:
            self._window.note("Exporting…")

    @Slot(object)
    def _exported(self, events: Sequence[Any]) -> None:
        for event in events:
            if isinstance(event, Exported):
                says = f"The network is in {event.path}."
                if self._window is None:
                    self.noted.emit(says)
                else:
                    self._window.note(says)

    @Slot(object)
    def _export_failed(self, error: BaseException) -> None:
        """Says why in the window of the runs; the main window does where that has closed."""
        if self._window is None or not isinstance(error, FlowerError):
            self._jobs.report(error)
        else:
            self._window.note(str(error), wrong=True)

    @Slot(object)
    def _ask_for_note(self, run: RunFacts) -> None:
        box = QInputDialog(self._window)
        box.setObjectName("noteQuestion")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("flowergui")
        box.setLabelText(escape_tooltip(f"What do you want to remember of {Path(run.path).name}?"))
        box.setTextValue(run.note)
        box.setOkButtonText("Keep")
        box.resize(box.sizeHint().expandedTo(NOTE))  # which makes its buttons
        for button in box.findChildren(QPushButton):
            button.setIcon(QIcon())
        box.textValueSelected.connect(lambda text: self._write_note(run, text))
        box.open()

    def _write_note(self, run: RunFacts, text: str) -> None:
        if self._window is None or not self._is_there(run):
            return
        try:
            library.write_note(run.path, text)
        except FlowerError as error:
            self._window.note(str(error), wrong=True)
            self._ask_for_note(replace(run, note=text))  # it took thought
            return
        if self._control.state == RunState.IDLE:
            self._resume.refresh(look=False)  # has the list here made anew, too
        else:  # a checkpoint that is being written would seem gone
            self._list()

    @Slot(object)
    def _ask_to_remove(self, run: RunFacts) -> None:
        confirm(
            self._window,
            "removeQuestion",
            f"Move the run {Path(run.path).name} to the trash?",
            "With it go its checkpoints: it can't be resumed, nor answer.",
            (QMessageBox.StandardButton.Yes, "Move to trash"),
            lambda: self._remove(run),
        )

    def _remove(self, run: RunFacts) -> None:
        name, problem = Path(run.path).name, ""
        if not self._is_there(run):
            return
        if run.path == self._going_on or library.is_training(run.path):
            problem = f"{name} is going on, here or in another window or terminal. Stop it first."
        elif not QFile(run.path).moveToTrash():
            problem = f"{name} can't be moved to the trash. Remove its folder by hand."
        if self._window is not None:
            self._window.note(problem or f"{name} is in the trash.", wrong=bool(problem))
        if not problem:
            self._gone(run)

    def _leave(self) -> None:
        if self._window is not None:
            self._window.close()

    @Slot()
    def _closed(self) -> None:
        for job in (JOB, ONE):
            self._jobs.cancel(job)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _as_listed(run: str) -> str:
    """The folder of a run as a list of all has it, whatever links led there."""
    listed = paths.models_folder() / Path(run).name
    return str(listed) if listed.is_dir() and listed.samefile(run) else run


def _all() -> Iterator[tuple[Any, ...]]:
    """All runs at once: a list that grew would lose what is ticked in it."""
    yield tuple(tasks.compare())
