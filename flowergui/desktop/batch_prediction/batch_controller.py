"""Has many photos predicted in a window of their own, saved as a table, and sorted into folders."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.batch_prediction.batch_window import BatchWindow
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.run_names import checkpoint_label
from flowergui.desktop.session import (
    RunState,
    Session,
    Store,
    inference_device,
    predicting_checkpoint,
)
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.file_dialogs import choose_folder
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import (
    CopiesRemoved,
    CopyFailed,
    Event,
    Explained,
    PhotoCopied,
    PhotosFound,
    Predicted,
    PredictionFailed,
    Preparing,
    SortedIntoFolders,
)
from flowergui.requests import LiveRequests
from flowergui.store import csv_export
from flowergui.text import tr, trn

PREDICT, LOOK = "predict many images", "look at one of many images"
SAVE, SORT = "save many predictions", "sort images into folders"


class BatchController(QObject):
    """Predicts with the checkpoint that predicts now. Without any, photos wait for one."""

    save_requested = Signal()
    """The run that goes should save a checkpoint, for photos that wait for it."""

    def __init__(self, store: Store, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._parent = store, jobs, parent
        self._window: BatchWindow | None = None
        self._paths: list[str] = []
        self._waits = False  # the photos, for a checkpoint
        self._live = LiveRequests()  # to the job that copies
        self._shows_sorting = False
        self._looks_at = ""
        self._not_copied: CopyFailed | None = None  # one of those
        store.changed.connect(self._changed)

    @Slot()
    def ask_for_folder(self) -> None:
        """Asks for a folder of photos, and predicts them."""
        title = tr("Choose a folder of images")
        choose_folder(self._parent, title, "", lambda folder: self.predict([folder]))

    @Slot(object)
    def predict(self, paths: Sequence[str]) -> None:
        """Predicts these photos, and all those in these folders and below, in its window. While
        photos are copied there they are not replaced by others: what was copied can be undone."""
        if self._window is None:
            self._window = self._make_window()
        elif self._window.is_finished and self._window.action_bar.is_busy:
            self._window.action_bar.show_note(
                tr("Images are being copied or removed. Open others when that is over.")
            )
            bring_to_front(self._window)
            return
        self._paths = list(paths)
        self._start()
        bring_to_front(self._window)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What would be lost with its window, in sentences."""
        if self._window is None:
            return ()
        images, warnings = self._window.photos.predicted_rows, []
        if images:
            warnings.append(
                trn(
                    "The prediction for {count} image would be lost.",
                    "The predictions for {count} images would be lost.",
                    images,
                )
            )
        if self._window.action_bar.can_undo:
            warnings.append(tr("The copies in folders could no longer be removed from here."))
        return tuple(warnings)

    def _make_window(self) -> BatchWindow:
        window = BatchWindow(self._parent)
        window.paths_requested.connect(self.predict)
        window.rerun_requested.connect(self._start)
        window.explanation_requested.connect(self._explain)
        window.action_bar.table_requested.connect(self._save_table)
        window.action_bar.sorting_requested.connect(self._sort)
        window.action_bar.undo_requested.connect(self._undo)
        window.action_bar.cancel_requested.connect(self._cancel)
        window.finished.connect(self._closed)
        return window

    # --- predictions ----------------------------------------------------------------------

    @Slot()
    def _start(self) -> None:
        assert self._window is not None
        session, paths = self._store.session, self._paths
        checkpoint, device = predicting_checkpoint(session), inference_device(session)
        self._waits = not checkpoint
        self._jobs.cancel(LOOK)
        name = checkpoint_label(checkpoint, session.runs) if checkpoint else ""
        self._window.begin(checkpoint, name)
        if not checkpoint and session.run is RunState.RUNNING:
            self.save_requested.emit()
        self._jobs.do(
            PREDICT,
            lambda: _predictions(checkpoint, paths, device),
            self._show_events,
            self._failed,
        )

    @Slot(object, object)
    def _changed(self, before: Session, after: Session) -> None:
        if self._window is not None and self._waits and predicting_checkpoint(after):
            self._start()

    @Slot(object)
    def _show_events(self, events: tuple[Any, ...]) -> None:
        if self._window is None:
            return
        for event in events:
            if isinstance(event, PhotosFound):
                self._window.show_found(event)
        predicted = [each for each in events if isinstance(each, Predicted | PredictionFailed)]
        if predicted:
            self._window.show_predictions(predicted)
        total, waiting = len(self._window.photos.photos), self._window.waiting
        if waiting:
            self._window.action_bar.show_progress(tr("Predicting"), total - waiting, total)
        elif total:
            self._window.end()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.end()
            self._window.action_bar.show_note(str(error), is_error=True)
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot()
    def _cancel(self) -> None:
        """What has been done stays."""
        self._live.stop = True
        if self._jobs.is_running(PREDICT) and self._window is not None:
            self._jobs.cancel(PREDICT)
            self._window.end()

    # --- a photo --------------------------------------------------------------------------

    @Slot(object)
    def _explain(self, shown: PhotoAnswer) -> None:
        if shown.predicted is None:
            return
        self._looks_at = shown.path
        checkpoint, device = shown.predicted.checkpoint, inference_device(self._store.session)
        self._jobs.do(
            LOOK,
            lambda: tasks.predict(checkpoint, [shown.path], why=True, device=device),
            self._show_explanation,
            self._not_explained,
        )

    @Slot(object)
    def _show_explanation(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if self._window is None:
                return
            if isinstance(event, Predicted):
                self._window.show_predictions([event])
            elif isinstance(event, Explained):
                self._window.show_explained(event)
            elif isinstance(event, PredictionFailed):
                self._window.show_not_explained(event.path, event.reason)

    @Slot(object)
    def _not_explained(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.show_not_explained(self._looks_at, str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    # --- a table, and copies in folders ---------------------------------------------------

    @Slot(str)
    def _save_table(self, path: str) -> None:
        if self._window is None:
            return
        rows: list[Predicted | PredictionFailed] = []
        for each in self._window.photos.shown():
            if each.failure:
                rows.append(PredictionFailed(each.path, each.failure))
            elif each.predicted:
                rows.append(each.predicted)
        self._jobs.do(
            SAVE, lambda: _write_table(path, rows), self._table_saved, self._action_failed
        )

    @Slot(object)
    def _table_saved(self, events: tuple[str, ...]) -> None:
        if self._window is not None:
            note = tr("The table was saved as {path}.", path=events[-1])
            self._window.action_bar.show_note(note)

    @Slot(str)
    def _sort(self, folder: str) -> None:
        if self._window is None:
            return
        predictions = self._window.predicted()
        below = self._window.photos.filter.unsure_below
        self._live = live = LiveRequests()
        self._not_copied = None
        self._shows_sorting = True
        self._window.action_bar.begin_sorting()
        self._window.action_bar.show_progress(_copying(0, len(predictions)), 0, len(predictions))
        self._jobs.do(
            SORT,
            lambda: tasks.sort_into_folders(predictions, folder, unsure_below=below, live=live),
            self._show_sorting,
            self._sorting_failed,
            warning=tr("Images are being copied into folders; this would be stopped."),
        )

    @Slot(str)
    def _undo(self, manifest: str) -> None:
        if self._window is not None:
            self._shows_sorting = True
            bar = self._window.action_bar
            bar.show_progress(tr("Removing the copies"), 0, 0, can_be_cancelled=False)
            self._jobs.do(
                SORT,
                lambda: tasks.remove_copies(manifest),
                self._show_undoing,
                self._sorting_failed,
                warning=tr("Copies of images are being removed; this would be stopped."),
            )

    @Slot(object)
    def _show_sorting(self, events: tuple[Any, ...]) -> None:
        if self._window is None or not self._shows_sorting:
            return
        bar = self._window.action_bar
        for event in events:
            if isinstance(event, CopyFailed):
                self._not_copied = event
        match events[-1]:
            case Preparing(what=what, done=done, total=total):
                bar.show_progress(what, done, total)
            case PhotoCopied(done=done, total=total):
                bar.show_progress(_copying(done, total), done, total)
            case SortedIntoFolders() as event:
                bar.show_sorted(event, self._not_copied)

    @Slot(object)
    def _show_undoing(self, events: tuple[Any, ...]) -> None:
        if self._window is None or not self._shows_sorting:
            return
        bar = self._window.action_bar
        match events[-1]:
            case Preparing(what=what, done=done, total=total):
                bar.show_progress(what, done, total, can_be_cancelled=False)
            case CopiesRemoved() as event:
                bar.show_undone(event)

    @Slot(object)
    def _sorting_failed(self, error: BaseException) -> None:
        if self._shows_sorting:
            self._action_failed(error)

    @Slot(object)
    def _action_failed(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.action_bar.end()
            self._window.action_bar.show_note(str(error), is_error=True)
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    def _stop_sorting(self) -> None:
        """What was copied stays; no more is said of it in a window that opens later."""
        self._live.stop = True
        self._shows_sorting = False

    @Slot()
    def _closed(self) -> None:
        self._stop_sorting()
        for job in (PREDICT, LOOK):
            self._jobs.cancel(job)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _predictions(checkpoint: str, paths: Sequence[str], device: str) -> Iterator[Event]:
    """The job: the photos that there are, and what is predicted for them."""
    photos: tuple[str, ...] = ()
    for event in tasks.find_photos(paths):
        yield event
        if isinstance(event, PhotosFound):
            photos = event.photos
    if not checkpoint:
        raise FlowerError(
            tr("No network has been trained yet."), hint=tr("They are predicted as soon as one is.")
        )
    yield from tasks.predict(checkpoint, photos, device=device)


def _write_table(path: str, rows: Sequence[Predicted | PredictionFailed]) -> Iterator[str]:
    """The job that saves a table; gives its path."""
    with csv_export.photos_table(Path(path)) as write:
        for row in rows:
            write(row)
    yield path


def _copying(done: int, total: int) -> str:
    return trn(
        "{done} of {count} image copied",
        "{done} of {count} images copied",
        total,
        done=f"{done:,}",
    )
