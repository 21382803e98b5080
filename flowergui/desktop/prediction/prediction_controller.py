"""Has dropped photos predicted by the checkpoint that predicts now, and explained on request."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from flowergui import tasks
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.prediction.prediction_panel import PredictionPanel
from flowergui.desktop.session import (
    RunState,
    Session,
    Store,
    inference_device,
    predicting_checkpoint,
)
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.training.welcome import is_first_look
from flowergui.errors import FlowerError
from flowergui.events import Explained, Predicted, PredictionFailed

PREDICT, EXPLAIN = "predict", "explain a prediction"

BEST = "best.pth"

IMPROVED_MS = 3_000
"""Milliseconds from a better checkpoint until photos are predicted once more: predicting takes time
from the run, and answers that change all the time can't be read."""
MAX_TOGETHER = 20
"""More photos than this have a window of their own."""


class PredictionController(QObject):
    """Which checkpoint predicts follows from the session (`predicting_checkpoint`).

    While a run trains, images are predicted at once by the checkpoint that there is, and once more
    as soon as the run has saved its state. Where there is no checkpoint yet, they are predicted by
    the first one. They are also predicted once more when the user chooses another checkpoint, and
    while a run trains each time that its best checkpoint is a better one. Otherwise predictions
    stay, with the name of the checkpoint that made them.
    """

    save_requested = Signal()
    """The run that goes should save a checkpoint, for photos that wait for it."""
    many_dropped = Signal(object)
    """These are too many photos (list[str]) to be shown beside each other here."""

    def __init__(
        self, store: Store, panel: PredictionPanel, jobs: Jobs, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._panel, self._jobs = store, panel, jobs
        self._requested: list[str] = []  # what the job predicts
        self._predicting = ""  # the checkpoint by which it does
        self._chosen_before = ""  # by the user; predicts if the one that was chosen last can't
        self._explaining = ""
        self._explanation_cancelled = False
        self._waiting: list[str] = []  # is predicted once the run has saved
        self._improved = single_shot_timer(self, IMPROVED_MS, self._predict_again)
        store.changed.connect(self._changed)
        panel.explanation_requested.connect(self._explain)
        panel.invite(not is_first_look(store.session))

    # --- which checkpoint predicts --------------------------------------------------------

    @Slot(object)
    def use_checkpoint(self, path: str) -> None:
        """The user wants this checkpoint to predict, also the photos that are shown. Without any,
        it is tried. If it can't predict, the one before does again."""
        self._store.update(chosen_checkpoint=path)

    @Slot()
    def _try_checkpoint(self) -> None:
        chosen = self._store.session.chosen_checkpoint
        if chosen and not (self._jobs.is_running(PREDICT) and self._predicting == chosen):
            self._start([])

    @Slot(str)
    def run_saved(self, path: str) -> None:
        """The run has written this checkpoint: its best one predicts, else its last one."""
        known = Path(self._store.session.run_checkpoint)
        if Path(path).name == BEST or known != Path(path).with_name(BEST):
            self._store.update(run_checkpoint=path)
        waiting, self._waiting = self._waiting, []
        self._predict(waiting)
        if Path(path).name == BEST and not waiting and not self._improved.isActive():
            self._improved.start()

    @Slot()
    def _predict_again(self) -> None:
        """The network has improved: what it says of the photos in sight may be better."""
        session = self._store.session
        shown = [photo for photo in self._panel.photos if photo.predicted]
        better = predicting_checkpoint(session)
        if session.chosen_checkpoint:
            return
        if self._jobs.is_running(PREDICT):
            self._improved.start()  # again, once that is over
            return
        run = Path(better).parent
        if all(
            photo.predicted and Path(photo.predicted.checkpoint).parent == run for photo in shown
        ):
            self._predict([photo.path for photo in shown])

    @Slot()
    def wait_no_longer(self) -> None:
        """No checkpoint will come that photos wait for: the run could not save it, or is over."""
        waiting, self._waiting = self._waiting, []
        if waiting and not predicting_checkpoint(self._store.session):
            self._panel.show_no_model()

    @Slot(object, object)
    def _changed(self, before: Session, after: Session) -> None:
        if after.run is RunState.IDLE:
            self.wait_no_longer()  # the run is over, whether it has saved or not
        self._panel.show_runs(after.runs)
        checkpoint, known = predicting_checkpoint(after), predicting_checkpoint(before)
        self._panel.invite(bool(checkpoint) or not is_first_look(after))
        if checkpoint != known:
            self._panel.set_checkpoint(checkpoint)
        if after.chosen_checkpoint not in ("", before.chosen_checkpoint):
            self._waiting = []
            self._chosen_before = before.chosen_checkpoint
            self._predict([shown.path for shown in self._panel.photos])
            QTimer.singleShot(0, self, self._try_checkpoint)  # photos may come with it
        elif checkpoint and not known and not self._waiting:
            self._predict(self._panel.wait_again())

    # --- photos ---------------------------------------------------------------------------

    @Slot(object)
    def predict(self, paths: list[str]) -> None:
        """Shows these photos, and predicts them."""
        if len(paths) > MAX_TOGETHER:
            self.many_dropped.emit(paths)
            return
        self._panel.show_waiting(paths)
        session = self._store.session
        self._waiting = []
        if session.run is RunState.RUNNING and not session.chosen_checkpoint:
            self._waiting = paths
            self.save_requested.emit()
        if predicting_checkpoint(session):
            self._predict(paths)
        elif not self._waiting:
            self._panel.show_no_model()

    def show_again(self, paths: list[str]) -> None:
        """Predicts photos that another window showed; a run need not save for them once more."""
        if predicting_checkpoint(self._store.session):
            self._panel.show_waiting(paths)
            self._predict(paths)
        else:
            self.predict(paths)

    def _predict(self, paths: Sequence[str]) -> None:
        if paths:
            self._explanation_cancelled = self._jobs.is_running(EXPLAIN)
            self._jobs.cancel(EXPLAIN)  # it is of predictions that may be others now
            self._start(paths)

    def _start(self, paths: Sequence[str]) -> None:
        self._requested = list(paths)
        self._predicting = predicting_checkpoint(self._store.session)
        self._jobs.do(
            PREDICT,
            self._job(self._predicting, self._requested),
            self._show_predictions,
            self._predictions_failed,
        )

    @Slot(object)
    def _explain(self, shown: PhotoAnswer) -> None:
        """Explains an image by the checkpoint that predicted it. If that file was replaced since,
        the image is predicted once more: heatmaps and predictions are of one network."""
        if shown.predicted is not None:
            self._explaining = shown.path
            self._jobs.do(
                EXPLAIN,
                self._job(shown.predicted.checkpoint, [shown.path], why=True),
                self._show_explanation,
                self._explanation_failed,
            )

    def _job(
        self, checkpoint: str, paths: list[str], *, why: bool = False
    ) -> Callable[[], Iterator[Any]]:
        device = inference_device(self._store.session)
        return lambda: tasks.predict(checkpoint, paths, why=why, device=device)

    # --- events of the jobs ---------------------------------------------------------------

    @Slot(object)
    def _show_predictions(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Predicted):
                self._panel.show_prediction(event)
            elif isinstance(event, PredictionFailed):
                self._panel.show_failed(event)
        if self._explanation_cancelled:
            self._explanation_cancelled = False
            self._panel.retry_explanation()

    @Slot(object)
    def _predictions_failed(self, error: BaseException) -> None:
        self._jobs.report(error)
        requested, refused = self._requested, self._predicting
        if refused == self._store.session.chosen_checkpoint:
            before = self._chosen_before
            self._store.update(chosen_checkpoint=before)
            self._chosen_before = ""
            if before:
                return  # that predicts now what is shown
        if predicting_checkpoint(self._store.session) not in ("", refused):
            self._predict(requested)  # by the one before
            return
        for path in requested:
            self._panel.show_failed(PredictionFailed(path, str(error)))

    @Slot(object)
    def _show_explanation(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Predicted):
                self._panel.show_prediction(event)
            elif isinstance(event, Explained):
                self._panel.show_explained(event)
            elif isinstance(event, PredictionFailed):
                self._panel.show_not_explained(event.path, event.reason)

    @Slot(object)
    def _explanation_failed(self, error: BaseException) -> None:
        self._panel.show_not_explained(self._explaining, str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)
