"""Shows what a run says where it belongs: on the plots, in the session, as messages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from flowergui.desktop.session import Mode, Session, Store, frozen, is_idle, listed_run
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.training.diagnosis import (
    Diagnosis,
    diagnose,
    is_overfitted,
    no_better_than_chance,
)
from flowergui.desktop.training.run_history import Change, HistoryLoaded, size_changes
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.transitions import with_epoch_done, with_recipe, with_run_started, with_saved
from flowergui.desktop.widgets.banner import Banner, Message
from flowergui.events import (
    BatchDone,
    EpochDone,
    FinalSaveFailed,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    RolledBack,
    RunStarted,
    Saved,
    SaveFailed,
    Stopped,
    TrainingSizeChanged,
    Warned,
)
from flowergui.text import N_, fine_percent, number, tr, trn
from flowergui.wording import rolled_back_text

SESSION_INTERVAL_MS = 200
"""Least milliseconds between two epochs that the session is told of: all panels look at each new
session, and an epoch on cached features takes milliseconds."""
SAVED = (
    N_("Stopped and saved after epoch {epoch}. Continue goes on from there."),
    N_("Stopped and saved at epoch {epoch}, batch {batch}. Continue goes on from there."),
)
SAVED_BEFORE = (
    N_(
        "Stopped after epoch {epoch}, but the newest progress could not be saved. Continue goes on "
        "from the save before."
    ),
    N_(
        "Stopped at epoch {epoch}, batch {batch}, but the newest progress could not be saved. "
        "Continue goes on from the save before."
    ),
)
NOT_SAVED = (
    N_("Stopped after epoch {epoch}, but nothing of it could be saved."),
    N_("Stopped at epoch {epoch}, batch {batch}, but nothing of it could be saved."),
)
"""How a run stopped: at the end of an epoch, or at a batch."""


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run that goes, as a window shows it.

    `unfrozen` are the layers that were frozen before the run unfroze some by itself, and after that
    (None: it has not). `unsaved` are the names of the checkpoints whose last save failed.
    `zoom_window` is how many steps the plots show.
    """

    started: RunStarted
    history: HistoryLoaded
    unfrozen: tuple[tuple[str, ...], tuple[str, ...]] | None
    unsaved: frozenset[str]
    zoom_window: int


class RunPresenter(QObject):
    """Takes the events of a run, and the history of one that is resumed."""

    evaluation_requested = Signal(str)
    """The user wants to know how good this checkpoint of the run is."""
    checkpoint_saved = Signal(str)
    """The run has written this checkpoint."""
    run_validated = Signal()
    """The run has trained all its epochs, or was stopped after one, and was validated."""
    save_failed = Signal()
    """The run could not write a checkpoint."""

    def __init__(
        self,
        store: Store,
        training: TrainingController,
        panel: RunPanel,
        banner: Banner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._training, self._panel = store, training, panel
        self._banner = banner
        self._outcome: Message | None = None  # on how the last run has ended
        self._started: RunStarted | None = None
        self._epochs: list[EpochDone] = []
        self.ended: Finished | Stopped | None = None
        """How the last run ended; None before that, and after an error."""
        self._changes: list[Change] = []
        self._unfrozen: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        """The layers that were frozen before the run unfroze some by itself, and after that."""
        self._unshown: EpochDone | None = None  # the session does not know of it yet
        self._unsaved: set[str] = set()  # names of checkpoints whose last save failed
        self._session_timer = single_shot_timer(self, SESSION_INTERVAL_MS, self._update_session)
        training.produced.connect(self.show)
        training.failed.connect(self._fail)
        store.changed.connect(self._follow)

    @Slot(object)
    def show(self, events: tuple[Any, ...]) -> None:
        """Shows a chunk of a run's events, in their order."""
        self._panel.header.feed(events)
        batches: list[BatchDone] = []
        for event in events:
            if isinstance(event, BatchDone):
                batches.append(event)
                continue
            self._panel.plot.append(batches)
            batches = []
            self._show_in_plot(event)
            self._take(event)
        self._panel.plot.append(batches)
        if not self._session_timer.isActive():
            self._update_session()

    @Slot(object)
    def show_again(self, replays: tuple[tuple[Any, ...], ...]) -> None:
        """Shows a run that has ended before this window was made, see `replayed`."""
        for events in replays:
            self.show(events)
            if self.ended is None:
                self._panel.header.show_failed()

    def hand_over(self) -> ShownRun | None:
        """What another window needs to show the run that goes as this one does; None before it has
        begun."""
        self._update_session()
        if self._started is None:
            return None
        plot = self._panel.plot
        history = HistoryLoaded(plot.points, tuple(self._epochs), tuple(self._changes))
        return ShownRun(
            self._started, history, self._unfrozen, frozenset(self._unsaved), plot.zoom_window
        )

    def take_over(self, run: ShownRun) -> None:
        """Shows a run that goes as another window did; the session knows of it already."""
        self.show((run.started, run.history))
        self._panel.plot.follow(run.zoom_window)
        self._unfrozen, self._unsaved = run.unfrozen, set(run.unsaved)

    def _is_known(self, started: RunStarted) -> bool:
        """Whether this run is only shown again, and the session has what it began with."""
        known = self._store.session.run_started
        return is_idle(self._store.session) or (known is not None and known.run == started.run)

    @Slot()
    def _update_session(self) -> None:
        """Tells the session of the last epoch that was done."""
        if self._unshown is not None:
            done, self._unshown = self._unshown, None
            self._session_timer.start()
            self._store.update(**with_epoch_done(self._store.session, done))
            self._diagnose()

    def _diagnose(self, *, finished: bool = False) -> None:
        mode = self._started.mode if self._started else ""
        self._panel.show_diagnosis(self._diagnosis(finished=finished), mode)

    def _diagnosis(self, *, finished: bool) -> Diagnosis | None:
        started = self._started
        if started is None:
            return None
        images = started.validation_photos
        return diagnose(self._epochs, len(started.classes), images, finished=finished)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        if before.watched is not None and after.watched is None and after.run_started is None:
            self._panel.plot.clear()
            self._panel.show_diagnosis(None)
        if is_idle(before) and not is_idle(after):
            self._session_timer.stop()
            self._started, self._unshown, self._unsaved = None, None, set()
        elif is_idle(after) and not is_idle(before):
            if before.mode is not Mode.RESUME:  # else the recipe is that of the next new run again
                self._freeze_again()
            self._unfrozen = None

    @Slot(object)
    def _fail(self, error: BaseException) -> None:
        self._panel.header.show_failed()

    def _show_in_plot(self, event: Any) -> None:
        """Curves of a run that is resumed, and dashed lines where something has changed."""
        plot = self._panel.plot
        match event:
            case RolledBack(step=step):
                plot.rewind(step)
                self._changes = [each for each in self._changes if each.step <= step]
                self._mark(event)
            case FrozenChanged() | LearningRateChanged() | TrainingSizeChanged():
                self._mark(event)
            case HistoryLoaded():
                plot.load(event.points, event.epochs)
                if self._started is not None:
                    plot.expect(self._started.epochs * self._started.batches)
                self._changes = []
                for change in event.changes or self._size_changes(event.epochs):
                    self._mark(change)

    def _mark(self, change: Change) -> None:
        self._changes.append(change)
        match change:
            case FrozenChanged():
                text = tr("layers")
            case LearningRateChanged():
                text = tr("rate {rate}", rate=number(change.learning_rate))
            case RolledBack():
                text = tr("rolled back")
            case TrainingSizeChanged():
                text = tr("{size} px", size=change.size)
        self._panel.plot.mark(change.step, text)

    def _size_changes(self, epochs: Sequence[EpochDone]) -> Sequence[Change]:
        recipe, started = self._store.session.recipe, self._store.session.run_started
        return size_changes(epochs, recipe, started.image_size) if started else ()

    def _take(self, event: Any) -> None:
        if isinstance(event, RolledBack | Saved | FinalSaveFailed | Stopped | Finished):
            self._update_session()
        match event:
            case RunStarted():
                self._unsaved, self._epochs, self._changes = set(), [], []
                self.ended = None
                self._started = event
                self._panel.plot.clear()
                self._panel.show_diagnosis(None)
                self._panel.plot.expect(event.epochs * event.batches)
                if self._store.session.watched is not None:
                    self._store.update(run_started=event)
                elif not self._is_known(event):
                    self._training.adopt(with_run_started(self._store.session, event))
            case HistoryLoaded():
                self._epochs = list(event.epochs)
                self._panel.header.load(event.epochs)
                self._diagnose()
            case EpochDone():
                self._epochs.append(event)
                if self._started is not None:  # a time budget adapts the number of epochs
                    self._started = replace(self._started, epochs=event.epochs)
                    self._panel.plot.expect(event.epochs * self._started.batches)
                self._panel.plot.epoch_done(event)
                self._unshown = event
            case FrozenChanged() if self._store.session.watched is None:
                self._show_unfrozen(event)
            case RolledBack():
                self._roll_back(event)
            case Saved():
                self._unsaved.discard(Path(event.path).name)
                self._store.update(**with_saved(self._store.session, event))
                self.checkpoint_saved.emit(event.path)
            case SaveFailed():
                self._show_save_failed(event)
            case FinalSaveFailed():
                self._banner.show_error(
                    tr(
                        "The run is at its end, but could not be saved: {reason}. Make room or "
                        "check the folder, then press “Try again”. “Discard” loses all progress "
                        "since the last save.",
                        reason=event.reason,
                    )
                )
            case Warned():
                self._banner.show_note(event.message)
            case Stopped():
                self.ended = event
                self._panel.plot.hurry()
                if self._store.session.watched is None:
                    self._show_stopped(event)
                    if any(each.val_accuracy is not None for each in self._epochs):
                        self.run_validated.emit()
            case Finished():
                self.ended = event
                self._panel.plot.hurry()
                self._diagnose(finished=True)
                self._show_finished(event)
                if event.validated and self._store.session.watched is None:
                    self.run_validated.emit()

    def _show_save_failed(self, event: SaveFailed) -> None:
        path = Path(event.path)
        if path.suffix != ".pth":
            self._banner.show_warning(
                tr(
                    "{file} could not be written: {reason}. The checkpoint was saved. Close the "
                    "file in other programs: the next save writes what is missing in it.",
                    file=path.name,
                    reason=event.reason,
                )
            )
            return
        self._unsaved.add(path.name)
        self.save_failed.emit()
        self._banner.show_warning(
            tr(
                "{checkpoint} could not be saved: {reason}. Training continues; make room "
                "or check the folder.",
                checkpoint=path.name,
                reason=event.reason,
            )
        )

    def _show_unfrozen(self, event: FrozenChanged) -> None:
        """Layers that the run itself has unfrozen are unticked; what the user has asked for
        meanwhile is left alone."""
        session = self._store.session
        if self._training.live.frozen is None and set(frozen(session)) != set(event.frozen):
            before = session.recipe.frozen
            if self._unfrozen is not None and before == self._unfrozen[1]:
                before = self._unfrozen[0]
            self._unfrozen = before, event.frozen
            self._training.adopt({"recipe": replace(session.recipe, frozen=event.frozen)})

    def _freeze_again(self) -> None:
        """The next run begins with the layers frozen that this one has unfrozen by itself."""
        recipe = self._store.session.recipe
        if self._unfrozen is not None and recipe.frozen == self._unfrozen[1]:
            recipe = replace(recipe, frozen=self._unfrozen[0])
            self._store.update(**with_recipe(self._store.session, recipe), ended_with=recipe)

    def _roll_back(self, event: RolledBack) -> None:
        self._epochs = [each for each in self._epochs if each.step <= event.step]
        if self._store.session.watched is None:
            recipe = replace(self._store.session.recipe, learning_rate=event.learning_rate)
            self._training.adopt({"recipe": recipe})
        self._diagnose()
        self._banner.show_warning(rolled_back_text(event))

    # --- how it ended ---------------------------------------------------------------------

    def _show_stopped(self, event: Stopped) -> None:
        at_batch = bool(event.batch)
        values = {
            "epoch": f"{event.epoch if at_batch else event.epoch - 1:,}",
            "batch": f"{event.batch:,}",
        }
        if "last.pth" not in self._unsaved:
            sentence = SAVED[at_batch]
        elif (run := listed_run(self._store.session, event.run)) and run.last:
            sentence = SAVED_BEFORE[at_batch]
        else:
            sentence = NOT_SAVED[at_batch]
        text = tr(sentence, **values)
        if "last.pth" in self._unsaved:
            self._outcome = self._banner.show_error(text)
        else:
            self._outcome = self._banner.show_success(text)

    def _show_finished(self, event: Finished) -> None:
        started = self._started
        done = trn("Trained {count} epoch.", "Trained {count} epochs.", event.epochs)
        if not event.validated:
            if "last.pth" in self._unsaved:
                self._outcome = self._banner.show_error(
                    tr("{done} But it could not be saved.", done=done)
                )
            elif started is not None and started.validation_photos:
                self._outcome = self._banner.show_warning(
                    tr(
                        "{done} The validation images could not be read, so its accuracy is not "
                        "known.",
                        done=done,
                    )
                )
            else:
                self._outcome = self._banner.show_success(
                    tr(
                        "{done} Without a validation set its accuracy is not known. Drop an image "
                        "to classify it.",
                        done=done,
                    )
                )
            return
        best = tr(
            "Done: best validation accuracy {accuracy} (epoch {epoch}).",
            accuracy=fine_percent(event.best_accuracy),
            epoch=event.best_epoch,
        )
        if "best.pth" in self._unsaved:
            self._outcome = self._banner.show_error(
                tr("{result} But that network could not be saved.", result=best)
            )
        elif started is not None and no_better_than_chance(
            event.best_accuracy, len(started.classes), started.validation_photos
        ):
            self._outcome = self._banner.show_warning(
                tr(
                    "{result} That is no better than chance. Try a lower learning rate, more "
                    "epochs, or Transfer.",
                    result=best,
                )
            )
        elif is_overfitted(self._diagnosis(finished=True), event.epochs):
            if started is not None and started.mode == "transfer":
                text = tr(
                    "{result} It has been overfitting since then. Try stronger augmentation or "
                    "more images.",
                    result=best,
                )
            else:
                text = tr(
                    "{result} It has been overfitting since then. Try stronger augmentation, more "
                    "images or transfer learning.",
                    result=best,
                )
            self._offer_evaluation(text, event)
        else:
            self._offer_evaluation(tr("{result} Drop an image to classify it.", result=best), event)

    @Slot()
    def dismiss_outcome(self) -> None:
        """A run is gone, maybe the one whose evaluation is offered."""
        if self._outcome is not None:
            self._banner.dismiss(self._outcome)

    def _offer_evaluation(self, text: str, event: Finished) -> None:
        run = listed_run(self._store.session, event.run)
        best = run.best if run and run.best else str(Path(event.run) / "best.pth")
        self._outcome = self._banner.offer(
            text, tr("See its errors"), lambda: self.evaluation_requested.emit(best), kind="success"
        )
