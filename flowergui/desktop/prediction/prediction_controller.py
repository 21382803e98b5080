"""Which checkpoint answers, and the pictures that wait for one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Slot

from flowergui import tasks
from flowergui.desktop.prediction.prediction_panel import PredictionPanel
from flowergui.desktop.session import RunState
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.events import (
    Explained,
    Predicted,
    PredictionFailed,
)
from flowergui.facts import (
    RunFacts,
)

JOB = "predict"


class PredictionController(QObject):
    """The checkpoint that the user named answers; else that of the run that goes or has just
    gone; else that of the chosen run; else the newest there is."""

    def __init__(
        self,
        panel: PredictionPanel,
        jobs: Jobs,
        control: TrainingController,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._jobs, self._control = panel, jobs, control
        self._named = ""
        self._of_this_run = ""
        self._of_other_runs = ""
        self._asked: list[str] = []
        self._waiting: list[str] = []

    @property
    def checkpoint(self) -> str:
        """What answers now; "" where nothing can."""
        if self._named or self._of_this_run or self._control.state != RunState.IDLE:
            return self._named or self._of_this_run
        return self._of_other_runs

    def know(self, runs: Sequence[RunFacts], chosen: RunFacts | None) -> None:
        """The runs on disk, newest first, and the one that the user chose to resume."""
        candidates = [*([chosen] if chosen else []), *runs]
        found = (run.best or run.last for run in candidates)
        self._of_other_runs = next((path for path in found if path), "")
        self._show()

    @Slot(str)
    def name(self, path: str) -> None:
        """The user wants this checkpoint to answer."""
        self._named = path
        self._show()

    def forget(self, run: str) -> None:
        """The folder of this run has gone: nothing in it answers any more."""
        if self._named and Path(self._named).parent == Path(run):
            self._named = ""
        if self._of_this_run and Path(self._of_this_run).parent == Path(run):
            self._of_this_run = ""
        self._show()

    def run_began(self) -> None:
        """A run goes; its checkpoints will answer, and the one that was named no longer."""
        self._named = self._of_this_run = ""
        self._show()

    @Slot(str)
    def run_saved(self, path: str) -> None:
        """A checkpoint is there: the best one answers, the last one until there is one."""
        best = Path(path).with_name("best.pth")
        self._of_this_run = str(best) if best.exists() else path
        self._show()
        self.wait_no_longer()

    @Slot()
    def wait_no_longer(self) -> None:
        """Pictures that wait are answered by what there is: the run has saved, or it can't, or it
        is over."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._answer(waiting)

    @Slot(list)
    def predict(self, paths: list[str]) -> None:
        """Says what is on these pictures. While a run goes, what it has learned so far answers:
        its best state, as soon as that is saved."""
        self._panel.show_waiting(paths)
        if self._control.state == RunState.RUNNING and not self._named:
            self._waiting = paths
            self._control.live.save = True
        else:
            self._answer(paths)

    def _answer(self, paths: list[str]) -> None:
        checkpoint = self.checkpoint
        if checkpoint:
            self._asked = paths
            self._jobs.do(
                JOB,
                lambda: tasks.predict(checkpoint, paths, why=True),
                self._told,
                self._failed,
            )
        else:
            self._panel.show_no_model()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        """The checkpoint can't answer."""
        for path in self._asked:
            self._panel.show_failed(PredictionFailed(path, str(error)))
        self._jobs.report(error)

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Predicted):
                self._panel.show_prediction(event)
            elif isinstance(event, Explained):
                self._panel.show_explained(event)
            elif isinstance(event, PredictionFailed):
                self._panel.show_failed(event)

    def _show(self) -> None:
        self._panel.set_checkpoint(self.checkpoint)
