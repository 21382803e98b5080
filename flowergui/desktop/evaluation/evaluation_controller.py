"""Judges photos whose classes are known, and has the mistakes looked at."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.dataset.dataset_controller import DatasetController
from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.desktop.prediction.photo_strip import PhotoAnswer
from flowergui.desktop.prediction.prediction_controller import PredictionController
from flowergui.desktop.threads.jobs import Jobs
from flowergui.errors import FlowerError
from flowergui.events import (
    Evaluated,
    Explained,
    PhotoEvaluated,
    Predicted,
    PredictionFailed,
    Preparing,
)
from flowergui.store import library

JOB, WHY = "evaluate", "explain a mistake"


class EvaluationController(QObject):
    """Asks the checkpoint that answers now, in a window of its own; one at a time."""

    def __init__(
        self,
        predictions: PredictionController,
        photos: DatasetController,
        jobs: Jobs,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._predictions, self._photos, self._jobs = predictions, photos, jobs
        self._window: EvaluationWindow | None = None
        self._checkpoint, self._stamp = "", 0
        self._folder = ""
        self._epoch: int | None = None

    @Slot()
    def open(self) -> None:
        """Shows how the checkpoint that answers does."""
        if checkpoint := self._predictions.checkpoint:
            self.open_of(checkpoint)

    @Slot(str)
    def open_of(self, checkpoint: str) -> None:
        """Judges the photos that the checkpoint's run has held back; those that are open, where
        it is of no run. What was judged by it already is shown again."""
        if self._window is not None and (checkpoint, _stamp(checkpoint)) == (
            self._checkpoint,
            self._stamp,
        ):
            self._show()
            return
        if self._window is None:
            parent = self.parent()
            assert isinstance(parent, QWidget)
            self._window = EvaluationWindow(parent)
            self._window.folder_requested.connect(self._judge)
            self._window.explanation_requested.connect(self._explain)
            self._window.rerun_requested.connect(self._judge_again)
            self._window.finished.connect(self._closed)
        self._checkpoint = checkpoint
        self._judge("" if library.run_of(checkpoint) else self._photos.folder)
        self._show()

    def _show(self) -> None:
        assert self._window is not None
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.activateWindow()

    @Slot(object)
    def _evaluation_failed(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.show_failure(str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot(object)
    def _explanation_failed(self, error: BaseException) -> None:
        if self._window is not None and (shown := self._window.shown):
            self._window.show_answer(replace(shown, failure=str(error)))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot()
    def _judge_again(self) -> None:
        self._judge(self._folder)

    @Slot(object)
    def _judge(self, folder: str) -> None:
        assert self._window is not None
        checkpoint, self._folder = self._checkpoint, folder
        self._stamp, self._epoch = _stamp(checkpoint), None
        self._window.begin(checkpoint)
        self._jobs.do(
            JOB, lambda: tasks.evaluate(checkpoint, folder), self._told, self._evaluation_failed
        )

    @Slot(object)
    def _explain(self, path: str) -> None:
        checkpoint = self._checkpoint
        self._jobs.do(
            WHY,
            lambda: tasks.predict(checkpoint, [path], why=True),
            self._answered,
            self._explanation_failed,
        )

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        if self._window is None:
            return
        if judged := [event for event in events if isinstance(event, PhotoEvaluated)]:
            self._window.show_photos(judged)
        for event in events:
            if isinstance(event, Preparing):
                self._window.show_progress(event.done, event.total)
            elif isinstance(event, Evaluated):
                self._epoch = event.epoch
                self._window.show_result(event)

    @Slot(object)
    def _answered(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if self._window is None or self._window.shown is None:
                return
            if isinstance(event, Predicted) and self._epoch not in (None, event.epoch):
                # A run that goes on has saved a better one.
                name = Path(self._checkpoint).name
                better = f"{name} is another network by now, of epoch {event.epoch:,}. Judge again."
                self._window.show_answer(PhotoAnswer(event.path, failure=better))
                return
            if isinstance(event, Predicted):
                self._window.show_answer(PhotoAnswer(event.path, predicted=event))
            elif isinstance(event, Explained) and event.path == self._window.shown.path:
                self._window.show_answer(replace(self._window.shown, heatmaps=event.heatmaps))
            elif isinstance(event, PredictionFailed):
                self._window.show_answer(PhotoAnswer(event.path, failure=event.reason))

    @Slot()
    def _closed(self) -> None:
        for job in (JOB, WHY):
            self._jobs.cancel(job)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _stamp(checkpoint: str) -> int:
    """When a file was written, in nanoseconds; 0 where there is none."""
    try:
        return Path(checkpoint).stat().st_mtime_ns
    except OSError:
        return 0
