"""What a run tells, shown where it belongs: on the plots, in the tree, in the banner."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.desktop.training.training_controller import HistoryLoaded
from flowergui.desktop.widgets.banner import Banner
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
from flowergui.store.run_folder import RunFolder
from flowergui.text import (
    fine_percent,
)


class RunPresenter(QObject):
    """Takes the events of a run, and of one that is resumed what it had told before. The header
    follows them by itself."""

    evaluation_requested = Signal(str)
    """The user wants to know how well this checkpoint of the run does."""
    checkpoint_saved = Signal(str)
    """The run has written this checkpoint."""
    save_failed = Signal()
    """The run could not write a checkpoint."""

    def __init__(
        self,
        panel: RunPanel,
        layers: LayerPanel,
        banner: Banner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._layers = panel, layers
        self._banner = banner
        self._opened: RunStarted | None = None
        self._epochs: list[EpochDone] = []
        self._lost: set[str] = set()  # paths of checkpoints that could not be written last time

    def begin(self) -> None:
        """A run was asked for."""
        self._opened, self._lost = None, set()

    @Slot(object)
    def show(self, events: tuple[Any, ...]) -> None:
        """Shows a chunk of a run's events, in their order."""
        batches: list[BatchDone] = []
        for event in events:
            if isinstance(event, BatchDone):
                batches.append(event)
                continue
            self._panel.plot.append(batches)
            batches = []
            self._take(event)
        self._panel.plot.append(batches)

    def _take(self, event: Any) -> None:
        match event:
            case RunStarted():
                self._lost, self._epochs = set(), []
                self._opened = event
                self._panel.plot.clear()
                self._layers.set_frozen(event.frozen)
            case HistoryLoaded():
                self._panel.plot.load(event.points, event.epochs)
                self._epochs = list(event.epochs)
                if event.epochs:
                    self._panel.header.remember(event.epochs[-1])
            case EpochDone():
                self._epochs.append(event)
                self._panel.plot.epoch_done(event)
            case FrozenChanged():
                self._panel.plot.mark(event.step, "layers")
            case LearningRateChanged():
                self._panel.plot.mark(event.step, f"rate {event.learning_rate:g}")
            case RolledBack():
                self._epochs = [each for each in self._epochs if each.step <= event.step]
                self._panel.plot.rewind(event.step)
                self._panel.plot.mark(event.step, "went back")
                self._banner.show_warning(
                    f"{event.reason} It went back to epoch {event.epoch}, batch {event.batch}, "
                    f"and goes on with a learning rate of {event.learning_rate:g}."
                )
            case TrainingSizeChanged():
                self._panel.plot.mark(event.step, f"{event.size} px")
            case Saved():
                self._lost.discard(event.path)
                self.checkpoint_saved.emit(event.path)
            case SaveFailed():
                self._lost.add(event.path)
                self.save_failed.emit()
                self._banner.show_warning(
                    f"{Path(event.path).name} could not be saved: {event.reason}. "
                    "Training goes on; make room or check the folder."
                )
            case FinalSaveFailed():
                self._banner.show_error(
                    f"The run is at its end, but could not be saved: {event.reason}.",
                    "Make room or check the folder, then press “Try again”. “Give up” loses what "
                    "it has learned since it was saved last.",
                )
            case Warned():
                self._banner.show_note(event.message)
            case Stopped():
                self._panel.plot.hurry()
                self._stopped(event)
            case Finished():
                self._panel.plot.hurry()
                self._finished(event)

    def _stopped(self, event: Stopped) -> None:
        where = f"epoch {event.epoch}, batch {event.batch}"
        last = RunFolder(Path(event.run)).last
        if str(last) not in self._lost:
            self._banner.show_success(
                f"Stopped and saved at {where}. “Resume from last.pth” goes on from there."
            )
        elif last.exists():
            self._banner.show_error(
                f"Stopped at {where}, but what came last could not be saved.",
                "“Resume from last.pth” goes on from where it was saved before.",
            )
        else:
            self._banner.show_error(f"Stopped at {where}, but nothing of it could be saved.")

    def _guesses(self, event: Finished) -> bool:
        """Whether a network that guesses would be as good: no better than one class in so many, by
        a standard deviation of so many photos or by a third, whichever is less."""
        if self._opened is None or not self._opened.validation_photos:
            return False
        chance = 1 / len(self._opened.classes)
        deviation = math.sqrt(chance * (1 - chance) / self._opened.validation_photos)
        return event.best_accuracy <= chance + min(deviation, chance / 3)

    def _finished(self, event: Finished) -> None:
        best = f"best validation accuracy {fine_percent(event.best_accuracy)}"
        best += f" (epoch {event.best_epoch})"
        saved = str(RunFolder(Path(event.run)).best) not in self._lost
        if saved and self._guesses(event):
            self._banner.show_warning(
                f"Done, but the {best} is no better than guessing. Try a lower learning rate, more "
                "epochs, or Transfer."
            )
        elif saved:
            then = "Drop a photo to see what it is."
            if _by_heart(self._epochs):
                then = (
                    "Since then it has learned its photos by heart: stronger augmentation, more "
                    "photos or Transfer would help."
                )
            self._banner.offer(
                f"Done: {best}. {then}",
                "See its mistakes",
                lambda: self.evaluation_requested.emit(str(RunFolder(Path(event.run)).best)),
                kind="success",
            )
        else:
            self._banner.show_error(f"Done: {best}. But that network could not be saved.")


def _by_heart(epochs: Sequence[EpochDone]) -> bool:
    """Whether a run has overfitted: in the last quarter of its epochs it was never as good on the
    photos held back as before, its loss there has risen by half since it was lowest, and that of
    the photos that it learns from is less than half as large."""
    losses = [each.val_loss for each in epochs if each.val_loss is not None]
    if len(losses) < len(epochs) or len(losses) < 4:
        return False
    last = epochs[-1]
    return (
        last.best_epoch <= last.epoch * 3 / 4
        and losses[-1] > 1.5 * min(losses)
        and last.train_loss < losses[-1] / 2
    )
