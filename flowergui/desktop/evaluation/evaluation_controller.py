"""Evaluates a checkpoint on photos whose classes are known, and has its errors looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.run_names import checkpoint_label
from flowergui.desktop.session import (
    Store,
    inference_device,
    is_idle,
    open_dataset,
    predicting_checkpoint,
)
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import (
    CorrectionUndone,
    Evaluated,
    Explained,
    LabelCorrected,
    PhotoEvaluated,
    Predicted,
    PredictionFailed,
    Preparing,
    Warned,
)
from flowergui.store import csv_export, library
from flowergui.text import tr
from flowergui.wording import label_corrected_text

EVALUATE, STAMP, LOOK = "evaluate", "is a checkpoint newer", "look at an evaluated image"
SAVE, CORRECT = "save the predictions", "correct a label"


@dataclass(frozen=True, slots=True)
class CheckpointStamp:
    """When a checkpoint was written, in nanoseconds (0 if there is none), and whether it is in a
    run folder, whose validation set is known."""

    modified_ns: int
    in_run: bool


class EvaluationController(QObject):
    """Evaluates one checkpoint at a time, in a window of its own."""

    dataset_changed = Signal(str)
    """Labels of images in this folder were corrected."""

    def __init__(self, store: Store, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._parent = store, jobs, parent
        self._window: EvaluationWindow | None = None
        self._checkpoint = ""
        self._stamp: CheckpointStamp | None = None  # of the checkpoint, when it was evaluated
        self._folder = ""
        self._opened = ""  # the folder that was open when the evaluation began
        self._left_out: list[str] = []  # sentences on what is not evaluated
        self._has_failed = False
        self._epoch: int | None = None
        self._dataset = ""  # the folder of the images that are evaluated
        self._corrected: list[LabelCorrected] = []  # can be undone, the last one first
        self._correcting: PhotoEvaluated | None = None
        self._is_correcting = False  # or undoing

    @Slot()
    def open(self) -> None:
        """Shows how good the checkpoint is that predicts."""
        if checkpoint := predicting_checkpoint(self._store.session):
            self.open_of(checkpoint)

    @Slot(str)
    def open_of(self, checkpoint: str) -> None:
        """Evaluates a checkpoint on the validation set of its run; if it is in no run folder, on
        the photos that are open. What was evaluated already is shown again, unless the file, or the
        folder that counts, has changed since, or the evaluation broke off."""
        if self._window is not None and checkpoint == self._checkpoint:
            self._jobs.do(STAMP, lambda: iter([_stamp(checkpoint)]), self._compare_stamp)
        else:
            if self._window is None:
                self._window = self._make_window()
            self._checkpoint = checkpoint
            self._evaluate("")
        bring_to_front(self._window)

    def _make_window(self) -> EvaluationWindow:
        window = EvaluationWindow(self._parent)
        window.folder_requested.connect(self._evaluate)
        window.prediction_requested.connect(self._predict)
        window.explanation_requested.connect(self._explain)
        window.table_requested.connect(self._save_table)
        window.rerun_requested.connect(self._evaluate_again)
        window.correction_requested.connect(self._correct)
        window.undo_requested.connect(self._undo)
        window.finished.connect(self._closed)
        return window

    # --- the evaluation -------------------------------------------------------------------

    @Slot(object)
    def _evaluate(self, folder: str) -> None:
        """On the photos in `folder`; "" for those of its run, or else those that are open."""
        assert self._window is not None
        session, checkpoint = self._store.session, self._checkpoint
        device = inference_device(session)
        self._opened = opened = self._open_folder()
        self._left_out, self._has_failed = [], False
        self._folder, self._stamp, self._epoch = folder, None, None
        self._corrected, self._correcting = [], None
        self._jobs.cancel(LOOK)
        self._window.begin(checkpoint, checkpoint_label(checkpoint, session.runs))
        self._jobs.do(
            EVALUATE,
            lambda: _evaluation(checkpoint, folder, opened, device),
            self._show_events,
            self._failed,
        )

    @Slot()
    def _evaluate_again(self) -> None:
        self._evaluate(self._folder)

    @Slot(object)
    def _compare_stamp(self, events: tuple[CheckpointStamp, ...]) -> None:
        if self._window is None:
            return
        now = events[-1]
        own = now.in_run or self._folder  # what is open does not matter
        moved_on = not own and self._open_folder() not in ("", self._opened)
        if self._has_failed or moved_on or self._stamp not in (None, now):
            self._evaluate("")

    def _open_folder(self) -> str:
        dataset = open_dataset(self._store.session)
        return dataset.folder if dataset else ""

    @Slot(object)
    def _show_events(self, events: tuple[Any, ...]) -> None:
        if self._window is None:
            return
        if photos := [event for event in events if isinstance(event, PhotoEvaluated)]:
            self._window.show_photos(photos)
        for event in events:
            if isinstance(event, CheckpointStamp):
                self._stamp = event
            elif isinstance(event, Preparing):
                self._window.show_progress(event.done, event.total)
            elif isinstance(event, Warned):
                self._left_out.append(event.message)
            elif isinstance(event, Evaluated):
                self._epoch, self._dataset = event.epoch, event.folder
                self._window.show_result(event, self._left_out)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self._has_failed = True
        if self._window is not None:
            self._window.show_failure(str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot(str)
    def _save_table(self, path: str) -> None:
        if self._window is not None:
            photos = tuple(self._window.photos)
            self._jobs.do(
                SAVE, lambda: _write_table(path, photos), self._table_saved, self._table_failed
            )

    @Slot(object)
    def _table_saved(self, events: tuple[str, ...]) -> None:
        if self._window is not None:
            self._window.show_note(tr("The table was saved as {path}.", path=events[-1]))

    @Slot(object)
    def _table_failed(self, error: BaseException) -> None:
        if self._window is None or not isinstance(error, FlowerError):
            self._jobs.report(error)
        else:
            self._window.show_error(str(error))

    # --- labels ---------------------------------------------------------------------------

    @Slot(object, str)
    def _correct(self, photo: PhotoEvaluated, label: str) -> None:
        """Moves a photo into the folder of this class; "" leaves it out."""
        if self._window is None or self._is_correcting or not self._may_correct():
            return
        self._correcting, self._is_correcting = photo, True
        dataset, checkpoint = self._dataset, self._checkpoint
        self._jobs.do(
            CORRECT,
            lambda: tasks.correct_label(photo.path, dataset, photo.label, label, checkpoint),
            self._show_correction,
            self._correction_failed,
        )

    def _may_correct(self) -> bool:
        """Whether no run needs the images where they are; else it says so."""
        if is_idle(self._store.session):
            return True
        if self._window is not None:
            self._window.show_error(tr("A run is training. Correct labels when it is over."))
        return False

    @property
    def warnings(self) -> tuple[str, ...]:
        """What would be lost with its window, in sentences."""
        if self._window is None or not self._corrected:
            return ()
        return (tr("The corrections of labels could no longer be undone from here."),)

    @Slot()
    def _undo(self) -> None:
        if self._corrected and not self._is_correcting and self._may_correct():
            last, self._is_correcting = self._corrected[-1], True
            self._jobs.do(
                CORRECT,
                lambda: tasks.undo_correction(last),
                self._show_correction,
                self._correction_failed,
            )

    @Slot(object)
    def _show_correction(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Preparing):
                continue
            self._is_correcting = False
            # What ended after another evaluation had begun is no part of that.
            if isinstance(event, LabelCorrected):
                self.dataset_changed.emit(event.folder)
                if self._window is not None and (photo := self._correcting):
                    self._corrected.append(event)
                    now = _corrected(photo, event, self._window.shown)
                    self._window.show_error("")
                    self._window.show_corrected(photo, now, label_corrected_text(event))
            elif isinstance(event, CorrectionUndone):
                self.dataset_changed.emit(event.undone.folder)
                if self._window is not None and event.undone in self._corrected:
                    self._corrected.remove(event.undone)
                    self._window.show_error("")
                    self._window.show_undone(event.undone.path)

    @Slot(object)
    def _correction_failed(self, error: BaseException) -> None:
        self._is_correcting = False
        if self._window is None or not isinstance(error, FlowerError):
            self._jobs.report(error)
        else:
            self._window.show_error(str(error))

    # --- a photo --------------------------------------------------------------------------

    @Slot(object)
    def _predict(self, path: str) -> None:
        self._look(path, why=False)

    @Slot(object)
    def _explain(self, shown: PhotoAnswer) -> None:
        self._look(shown.path, why=True)

    def _look(self, path: str, *, why: bool) -> None:
        checkpoint, device = self._checkpoint, inference_device(self._store.session)
        self._jobs.do(
            LOOK,
            lambda: tasks.predict(checkpoint, [path], why=why, device=device),
            self._show_photo_events,
            self._look_failed,
        )

    @Slot(object)
    def _show_photo_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if self._window is None or (shown := self._window.shown) is None:
                return
            if event.path != shown.path:
                continue
            if isinstance(event, Predicted) and self._epoch not in (None, event.epoch):
                self._window.show_answer(PhotoAnswer(event.path, failure=self._newer(event)))
                return
            if isinstance(event, Predicted):
                self._window.show_answer(replace(shown, predicted=event))
            elif isinstance(event, Explained):
                self._window.show_answer(shown.with_explanation(event))
            elif isinstance(event, PredictionFailed):
                self._window.show_answer(PhotoAnswer(event.path, failure=event.reason))

    def _newer(self, event: Predicted) -> str:
        """A run has saved a better network in the same file."""
        return tr(
            "{checkpoint} now holds the network of epoch {epoch}. Evaluate again.",
            checkpoint=checkpoint_label(self._checkpoint, self._store.session.runs),
            epoch=f"{event.epoch:,}",
        )

    @Slot(object)
    def _look_failed(self, error: BaseException) -> None:
        if self._window is not None and (shown := self._window.shown):
            self._window.show_answer(replace(shown, failure=str(error)))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot()
    def _closed(self) -> None:
        for job in (EVALUATE, STAMP, LOOK):
            self._jobs.cancel(job)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _evaluation(checkpoint: str, folder: str, opened: str, device: str) -> Iterator[Any]:
    """The job: it reads the disk."""
    stamp = _stamp(checkpoint)
    yield stamp
    if not folder and not stamp.in_run:
        folder = opened
    yield from tasks.evaluate(checkpoint, folder, device=device)


def _write_table(path: str, photos: Sequence[PhotoEvaluated]) -> Iterator[str]:
    """The job that saves the predictions; gives the path of the table."""
    with csv_export.predictions_table(Path(path)) as write:
        for photo in photos:
            write(photo)
    yield path


def _corrected(
    photo: PhotoEvaluated, event: LabelCorrected, shown: PhotoAnswer | None
) -> PhotoEvaluated | None:
    """The photo with its new label, and that label's probability as far as it is known; None if it
    was left out."""
    if not event.new_label:
        return None
    known = {photo.predicted: photo.probability}
    if shown and shown.path == photo.path and shown.predicted:
        known |= {each.name: each.probability for each in shown.predicted.predictions}
    return replace(
        photo,
        path=event.moved_to,
        label=event.new_label,
        label_probability=known.get(event.new_label),
    )


def _stamp(checkpoint: str) -> CheckpointStamp:
    in_run = library.run_of(checkpoint) is not None
    try:
        return CheckpointStamp(Path(checkpoint).stat().st_mtime_ns, in_run)
    except OSError:
        return CheckpointStamp(0, in_run)
