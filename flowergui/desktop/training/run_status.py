"""What is known of a run, and the words for it. No Qt."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size
from flowergui.desktop.session import RunState
from flowergui.desktop.training.eta import Eta
from flowergui.desktop.watched_run import WatchedRun, WatchState
from flowergui.events import (
    BatchDone,
    DownloadProgress,
    EpochDone,
    FeatureCacheStatus,
    Finished,
    HeadFitted,
    Preparing,
    RunStarted,
    Stopped,
    ValidationProgress,
)
from flowergui.text import N_, clock, fine_percent, tr, trn
from flowergui.wording import feature_cache_text, head_fitted_text

DOT = " · "
DEVICES = {"cpu": N_("on the CPU"), "cuda": N_("on the GPU"), "mps": N_("on the GPU")}


class Phase(StrEnum):
    """What the header says of a run, in a word."""

    READY = "ready"
    STARTING = "starting"
    PREPARING = "preparing"
    TRAINING = "training"
    VALIDATING = "validating"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    UNSAVED = "unsaved"
    STOPPED = "stopped"
    WATCHING = "watching"
    OVERDUE = "overdue"
    UNREACHABLE = "unreachable"
    FINISHED = "finished"
    FAILED = "failed"


FAILURES = (Phase.FAILED, Phase.UNSAVED, Phase.OVERDUE, Phase.UNREACHABLE)
WORDS = {
    Phase.READY: N_("Ready"),
    Phase.STARTING: N_("Starting"),
    Phase.PREPARING: N_("Preparing"),
    Phase.TRAINING: N_("Training"),
    Phase.VALIDATING: N_("Validating"),
    Phase.PAUSING: N_("Pausing…"),
    Phase.PAUSED: N_("Paused"),
    Phase.STOPPING: N_("Stopping…"),
    Phase.UNSAVED: N_("Not saved"),
    Phase.STOPPED: N_("Stopped"),
    Phase.WATCHING: N_("Watching"),
    Phase.OVERDUE: N_("No news"),
    Phase.UNREACHABLE: N_("Unreachable"),
    Phase.FINISHED: N_("Finished"),
    Phase.FAILED: N_("Failed"),
}
WATCHED = {
    WatchState.OPENING: Phase.STARTING,
    WatchState.TRAINING: Phase.WATCHING,
    WatchState.OVERDUE: Phase.OVERDUE,
    WatchState.STOPPING: Phase.STOPPING,
    WatchState.STOPPED: Phase.STOPPED,
    WatchState.UNREACHABLE: Phase.UNREACHABLE,
}
REQUESTED = {
    RunState.PAUSING: Phase.PAUSING,
    RunState.PAUSED: Phase.PAUSED,
    RunState.STOPPING: Phase.STOPPING,
    RunState.UNSAVED: Phase.UNSAVED,
}
"""What the user wants of a run comes before what it does."""


@dataclass(slots=True)
class RunStatus:
    """What is known of a run from its events, and how that reads. It keeps events, not sentences
    made of them, so that a window in another language can take it over.

    `preparing` is what comes before its first batch, and after the last one that fits the head,
    `frozen_part` what became of the frozen layers or the head, `requested` what the user wants of
    it, `over` how it ended, and `seconds` how long its epochs took.
    """

    opened: RunStarted | None = None
    pace: Eta | None = None
    batch: BatchDone | None = None
    validation: ValidationProgress | None = None
    epoch: EpochDone | None = None
    stopped: Stopped | None = None
    finished: Finished | None = None
    seconds: float = 0.0
    frozen_part: HeadFitted | FeatureCacheStatus | None = None
    preparing: Preparing | DownloadProgress | None = None
    requested: Phase | None = None
    over: Phase | None = None

    def preparing_text(self) -> str:
        """What is done before the first batch, and how far that is; "" for nothing."""
        match self.preparing:
            case Preparing(what=what, done=done, total=total):
                pass
            case DownloadProgress(name=name):
                what = tr("Downloading {name} (MB)", name=name)
                done, total = self.preparing.done // 10**6, self.preparing.total // 10**6
            case _:
                return ""
        values = {"what": what, "done": f"{done:,}", "total": f"{total:,}"}
        if total:
            return tr("{what} · {done} of {total}", **values)
        return tr("{what} · {done}", **values) if done else what

    def preparing_share(self) -> float | None:
        """How much of that is done, from 0 to 1; None if nobody knows."""
        doing = self.preparing
        return doing.done / doing.total if doing and doing.total else None

    def frozen_part_text(self) -> str:
        """What became of the frozen layers or the head; "" for nothing."""
        match self.frozen_part:
            case HeadFitted() as fitted:
                return head_fitted_text(fitted)
            case FeatureCacheStatus() as status:
                return feature_cache_text(status)
            case _:
                return ""

    def position(self, opened: RunStarted, recipe: Recipe | None) -> list[str]:
        """Where the run stands, and shorter ways to say it for narrow windows."""
        if self.finished is not None:
            return [
                trn(
                    "Finished {count} epoch in {time}",
                    "Finished {count} epochs in {time}",
                    self.finished.epochs,
                    time=clock(self.seconds or self.finished.seconds),
                )
            ]
        if self.stopped is not None and not self.stopped.batch:
            done = f"{self.stopped.epoch - 1:,}"
            epochs = f"{opened.epochs:,}"
            return [tr("Stopped after epoch {done} of {epochs}", done=done, epochs=epochs)]
        batch = self.batch
        now = batch.epoch if batch else opened.epoch
        values = {"epoch": f"{now:,}", "epochs": f"{opened.epochs:,}"}
        epoch = tr("Epoch {epoch} of {epochs}", **values)
        if batch is None:
            waiting = tr("Epoch {epoch} of {epochs} · waiting for the first batch", **values)
            return [epoch if self.over else waiting]
        where, speed = self._where(opened, batch, recipe), tuple(self._speed())
        left = speed[-1:]
        return [DOT.join(each) for each in ((where, *speed), (where, *left), (epoch, *left))]

    def best_text(self, opened: RunStarted) -> str:
        """The best validation accuracy so far, or why there is none."""
        if not opened.validation_photos:
            return tr("There is no validation set, so there is no validation accuracy.")
        done = self.epoch
        if done is None or not done.best_epoch:
            if self.over:
                return tr("It ended before its first validation.")
            return tr("The first validation comes at the end of this epoch.")
        values = {"accuracy": fine_percent(done.best_accuracy), "epoch": f"{done.best_epoch:,}"}
        waiting = done.epoch - done.best_epoch
        if not waiting:
            return tr("Best validation accuracy {accuracy} (epoch {epoch})", **values)
        return _waiting_text(waiting, fine_percent(done.best_accuracy), done.best_epoch)

    def share(self, opened: RunStarted) -> float:
        """How much of the run is done, from 0 to 1."""
        if self.finished is not None:
            return 1.0
        if self.batch is None:
            return (opened.epoch - 1) / max(1, opened.epochs)
        done = self.batch.epoch - 1 + self.batch.batch / self.batch.batches
        return done / max(1, opened.epochs)

    def _where(self, opened: RunStarted, batch: BatchDone, recipe: Recipe | None) -> str:
        epoch = {"epoch": f"{batch.epoch:,}", "epochs": f"{opened.epochs:,}"}
        validation = self.validation
        if validation is not None:
            return tr(
                "Epoch {epoch} of {epochs} · validating {batch} of {batches}",
                batch=validation.batch,
                batches=validation.batches,
                **epoch,
            )
        values = {"batch": f"{batch.batch:,}", "batches": f"{batch.batches:,}", **epoch}
        if batch.learning_rate == 0 and recipe and recipe.fits_head_in(batch.epoch):
            if recipe.minutes:  # the number of epochs is not known yet
                return tr("Epoch {epoch} · fitting the head · batch {batch} of {batches}", **values)
            return tr(
                "Epoch {epoch} of {epochs} · fitting the head · batch {batch} of {batches}",
                **values,
            )
        return tr("Epoch {epoch} of {epochs} · batch {batch} of {batches}", **values)

    def _speed(self) -> Iterator[str]:
        """How fast it goes and how long it will take, as far as that is known."""
        if self.pace is None or self.over or self.requested is Phase.PAUSED:
            return
        speed, left = self.pace.photos_per_second(), self.pace.seconds_left()
        if speed is not None:
            # The unit is never broken where the line wraps.
            number = f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}"
            yield tr("{speed} images/\N{WORD JOINER}s", speed=number)
        if left is not None:
            yield tr("{time} left", time=clock(left))


def settings_text(started: RunStarted, watched: WatchedRun | None) -> str:
    """What trains, and what "auto" came to; of a run elsewhere, where."""
    if watched is not None and watched.host:
        return tr("{model} · trains on {host}", model=started.model, host=watched.host)
    if not started.device:
        return started.model
    device = started.device.partition(":")[0]
    values = {
        "model": started.model,
        "size": started.image_size,
        "training": largest_training_size(started.training_size or 0, started.image_size),
        "device": tr(DEVICES[device]) if device in DEVICES else tr("on {name}", name=device),
        "precision": started.precision,
    }
    if values["training"] == started.image_size:
        return tr("{model} · {size} px · {device}, in {precision}", **values)
    return tr("{model} · {size} px, training {training} px · {device}, in {precision}", **values)


def _waiting_text(waiting: int, accuracy: str, epoch: int) -> str:
    return trn(
        "Best validation accuracy {accuracy} (epoch {epoch}) · no improvement for {count} epoch",
        "Best validation accuracy {accuracy} (epoch {epoch}) · no improvement for {count} epochs",
        waiting,
        accuracy=accuracy,
        epoch=f"{epoch:,}",
    )
