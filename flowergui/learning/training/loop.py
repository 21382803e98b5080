"""The loop: a generator of events."""

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch
from torch.nn import functional

from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    FinalSaveFailed,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    SaveFailed,
    Stopped,
    TrainingSizeChanged,
    ValidationProgress,
    Warned,
)
from flowergui.learning.checkpoints.checkpoint_writer import SaveEvent
from flowergui.learning.data import augmentation, photo_check
from flowergui.learning.data.dataset import ImageDataset, eval_transform, train_transform
from flowergui.learning.data.loader import Batch
from flowergui.learning.data.photo_cache import PhotoCache
from flowergui.learning.data.sampler import batch_indices, sequential_batches, shuffled_indices
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.models.freeze import freeze
from flowergui.learning.randomness import derive_seed, seed_rng
from flowergui.learning.training.data_pipeline import (
    DataPipeline,
    TrainPipeline,
    ValidationPipeline,
)
from flowergui.learning.training.train_state import (
    NotANumberError,
    RunningMetrics,
    TrainState,
    loss_and_correct,
)
from flowergui.requests import LiveRequests

MEMORY_SHARE = 0.25
"""The share of the memory that is free at the start that decoded photos may take."""


MAX_ROLLBACKS = 3
"""How often a run goes back because its loss was no number, before it gives up."""

MAX_SHARE_UNREADABLE = 0.2
"""The share of its photos that a run may lose (deleted or spoilt while it goes) and go on. Of more
than CHECKED_FIRST, which are opened only when it is their turn, those that are no pictures are no
loss: they never were."""


class OutOfMemoryError(FlowerError):
    """There was not enough memory for a batch."""


def fit(training: TrainState, live: LiveRequests) -> Iterator[Event]:
    """Trains until the last epoch or until `live.stop`. Raises FlowerError, OutOfMemoryError
    among them."""
    recipe = training.recipe
    budget = int(hardware.free_memory() * MEMORY_SHARE)
    size, split = training.plan.image_size, training.split
    largest = training.largest_training_size
    alike = recipe.augmentation == "none" and not recipe.first_training_size
    prepare = eval_transform(largest) if alike else train_transform(largest, recipe.augmentation)
    cache = PhotoCache() if recipe.photo_cache else None
    looking = eval_transform(size)
    train = ImageDataset(split.folder, split.train, prepare, budget, cache)
    validation = ImageDataset(split.folder, split.validation, looking, budget // 4, cache)
    room = int(hardware.free_memory(training.plan.device) * MEMORY_SHARE)  # values stay there
    shown, held_back = (
        TrainPipeline(training, train, room),
        ValidationPipeline(training, validation, room // 4),
    )
    try:
        if recipe.recover:
            yield from training.save()  # what there is may not be what this goes on from
        while training.progress.epoch <= recipe.epochs:
            try:
                stopped = yield from _train_epoch(training, live, shown)
            except NotANumberError as error:
                yield from training.flush_best()  # the last that is known to be good
                if not recipe.recover or training.progress.returns >= MAX_ROLLBACKS:
                    raise
                yield training.roll_back(error)
                yield from training.save()
                continue
            if not stopped:
                if training.progress.epoch == recipe.epochs:  # the last save will be waited for
                    yield from training.flush_best()
                stopped = yield from _validate(training, live, held_back)
            progress = training.progress
            if stopped:
                yield from _save_at_the_end(training, live)
                yield Stopped(str(training.run.path), progress.epoch, progress.batch)
                return
            over = progress.epoch > recipe.epochs
            if (over or training.save_is_due()) and not training.saved:
                yield from training.save() if over else training.save_async()
        yield from training.finish_saving()
        if not training.saved:
            yield from _save_at_the_end(training, live)  # once more: that one failed
    except GeneratorExit:
        training.save()
        raise
    except (RuntimeError, MemoryError) as error:
        if not hardware.out_of_memory(error):
            raise
        raise OutOfMemoryError(
            "There is not enough memory for this run.",
            hint=f"Lower the batch size ({recipe.batch_size}) or the image size "
            f"({size} px), or choose a smaller network.",
        ) from error
    finally:
        training.finish_saving()
        shown.clear()
        held_back.clear()
    progress = training.progress
    yield Finished(
        str(training.run.path),
        recipe.epochs,
        progress.best_accuracy,
        progress.best_epoch,
        progress.seconds,
    )


def _train_epoch(
    training: TrainState, live: LiveRequests, side: DataPipeline
) -> Generator[Event, None, bool]:
    """The rest of the epoch's batches. Returns whether it was stopped before their end."""
    recipe, progress = training.recipe, training.progress
    epoch = progress.epoch
    indices = shuffled_indices(len(side.dataset.photos), recipe.seed, epoch)
    size = training.training_size(epoch)
    if size != training.training_size(max(epoch - 1, 1)) and progress.batch == 0:
        yield TrainingSizeChanged(progress.step, size)
    all_of_it = batch_indices(indices, recipe.batch_size, recipe.drop_last)
    freeze(training.net, training.frozen)  # validation left it in evaluation mode
    while progress.batch < len(all_of_it):
        halves = side.split
        if (yield from _prepared(training, live, side)):
            return True
        yield from training.compiled.prepare(side.split, size)
        began = time.monotonic()
        for batch in side.batches(all_of_it[progress.batch :], epoch):
            yield from _apply_requests(training, live)
            if live.stop:
                return True
            if not side.is_current(halves):
                break  # something else is frozen now: this batch comes once more
            yield from _lost(training, live, batch)
            done = _step(training, side, batch) if len(batch.indices) >= 2 else None
            progress.batch += 1  # before the yield: a face may close the run there, which saves
            if done is not None:
                yield done
            now = time.monotonic()
            progress.seconds += now - began
            progress.sums.seconds += now - began
            if training.unsaved_seconds() > 60 * recipe.save_minutes:
                yield from training.save_async()
            yield from training.collect_saves()
            began = time.monotonic()  # a pause, between the yields above and here, doesn't count
    if not progress.sums.photos:
        progress.batch = 0  # resumed, it is this epoch's photos that are looked at again
        yield from _give_up(
            training, live, f"No batch of epoch {epoch} had photos that can be read"
        )
    yield from _apply_requests(training, live)
    return live.stop


def _prepared(
    training: TrainState, live: LiveRequests, side: DataPipeline
) -> Generator[Event, None, bool]:
    """Computes what the frozen layers give once, where that can be. Returns whether it was
    stopped."""
    yield from side.prepare(
        training.progress.epoch,
        live,
        lambda: _apply_requests(training, live),
        lambda batch: _lost(training, live, batch),
    )
    return live.stop


def _step(training: TrainState, side: DataPipeline, batch: Batch) -> BatchDone:
    recipe, progress, plan = training.recipe, training.progress, training.plan
    seed_rng(
        derive_seed(recipe.seed, "step", progress.epoch, progress.batch), plan.device
    )  # for dropout
    labels = targets = transfers.send(batch.labels, plan.device)
    if recipe.mixup or recipe.cutmix:
        images, targets = augmentation.mixup_or_cutmix(
            side.to_images(batch, progress.epoch),
            labels,
            len(training.split.classes),
            recipe.mixup,
            recipe.cutmix,
            recipe.seed,
            progress.epoch,
            progress.batch,
        )
        values = side.split.backbone(images)
    else:
        values = side.features(batch, progress.epoch)
    rate = training.schedule.rate(progress.step)
    with hardware.one_core(alone=training.frozen_split.is_small):
        loss, right = training.step(values, targets)
    count = len(batch.indices)
    progress.step += 1
    progress.sums.add(loss, right, count)
    event = BatchDone(
        epoch=progress.epoch,
        batch=progress.batch + 1,
        batches=training.batches,
        step=progress.step,
        loss=loss,
        accuracy=right / count,
        learning_rate=rate,
        photos=count,
    )
    training.record(event)
    return event


def _validate(
    training: TrainState, live: LiveRequests, side: DataPipeline
) -> Generator[Event, None, bool]:
    """Measures the epoch that has trained, tells it, and goes to the next. Returns whether it
    was stopped before its end; then it is done anew when the run is resumed."""
    recipe, progress = training.recipe, training.progress
    waiting = sequential_batches(len(side.dataset.photos), 2 * recipe.batch_size)
    done, sums, seconds = 0, RunningMetrics(), 0.0
    while done < len(waiting):
        halves = side.split
        if (yield from _prepared(training, live, side)):
            return True
        began = time.monotonic()
        for batch in side.batches(waiting[done:], progress.epoch):
            yield from _apply_requests(training, live)
            if live.stop:
                return True
            if not side.is_current(halves):
                break  # the same weights, but other halves of them
            yield from _lost(training, live, batch)
            if batch.indices:
                training.eval_model.eval()  # a live freeze puts all of it in training mode
                loss, right = _validation_step(training, side, batch)
                sums.add(loss, right, len(batch.indices))
            done += 1
            yield ValidationProgress(progress.epoch, done, len(waiting))
            now = time.monotonic()
            seconds += now - began
            began = now
    progress.seconds += seconds
    val_loss = sums.loss / sums.photos if sums.photos else None
    val_accuracy = sums.right / sums.photos if sums.photos else None
    if waiting and not sums.photos:
        yield Warned(
            f"No photo that is held back could be read: epoch {progress.epoch} is not validated"
            + (", and best.pth stays as it is." if progress.best_epoch else ".")
        )
    yield from _end_epoch(training, val_loss, val_accuracy, seconds)
    return False


def _validation_step(training: TrainState, side: DataPipeline, batch: Batch) -> tuple[float, int]:
    """The mean loss (no label smoothing) and the right answers of a validation batch."""
    plan = training.plan
    values = side.features(batch, training.progress.epoch)
    with (
        torch.inference_mode(),
        hardware.one_core(alone=side.split.is_small),
        autocast(plan.device, plan.dtype),
    ):
        logits = side.split.head(*values).float()
        labels = transfers.send(batch.labels, plan.device)
        return loss_and_correct(functional.cross_entropy(logits, labels), logits, labels)()


def _end_epoch(
    training: TrainState, val_loss: float | None, val_accuracy: float | None, seconds: float
) -> Iterator[Event]:
    progress, sums = training.progress, training.progress.sums
    rate = training.schedule.rate(max(progress.step - 1, 0))
    training.schedule.epoch_ended(val_loss if val_loss is not None else sums.loss)
    if val_accuracy is None:
        # Where the photos that are held back can't be read, nobody knows whether it is better.
        better = progress.best_epoch == 0 or not training.split.validation
    else:
        reached = val_accuracy, -(val_loss or 0.0)
        better = progress.best_epoch == 0 or reached > (progress.best_accuracy, -progress.best_loss)
    if better:
        progress.best_accuracy = val_accuracy or 0.0
        progress.best_loss = val_loss if val_loss is not None else float("inf")
        progress.best_epoch = progress.epoch
    photos_seen = max(sums.photos, 1)
    event = EpochDone(
        epoch=progress.epoch,
        epochs=training.recipe.epochs,
        step=progress.step,
        train_loss=sums.loss / photos_seen,
        train_accuracy=sums.right / photos_seen,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        best_accuracy=progress.best_accuracy,
        best_epoch=progress.best_epoch,
        learning_rate=rate,
        seconds=sums.seconds + seconds,
    )
    training.record(event)
    progress.epoch += 1
    progress.batch = 0
    progress.sums = RunningMetrics()
    over = progress.epoch > training.recipe.epochs
    outcomes: list[SaveEvent] = []
    if better and over:
        outcomes = training.save(best=True)
    elif better and (training.save_is_due() or not training.run.best.exists()):
        outcomes = training.save_async(best=True)
    elif better:
        outcomes = training.stage_best()
    yield event
    yield from outcomes


def _apply_requests(training: TrainState, live: LiveRequests) -> Iterator[Event]:
    """Takes up what the face wishes, before a batch."""
    step = training.progress.step
    if live.frozen is not None:
        wish, live.frozen = live.frozen, None
        try:
            training.freeze(wish)
            trainable, parameters = training.trainable()
            yield FrozenChanged(step, training.frozen, trainable, parameters)
        except FlowerError as error:
            yield Warned(str(error))
    if live.learning_rate is not None:
        training.schedule.base, live.learning_rate = live.learning_rate, None
        yield LearningRateChanged(step, training.schedule.base)
    if live.save:
        live.save = False
        yield from training.save()


def _save_at_the_end(training: TrainState, live: LiveRequests) -> Iterator[Event]:
    """Saves what would be lost otherwise; where that fails, as often as the face wishes."""
    while True:
        outcomes = training.save()
        yield from outcomes
        reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, SaveFailed)]
        if training.saved or not reasons or not training.is_finite():
            return
        live.save = False
        yield FinalSaveFailed(str(training.run.path), reasons[-1])
        if not live.save:
            return
        live.save = False


def _lost(training: TrainState, live: LiveRequests, batch: Batch) -> Iterator[Event]:
    """Names the photos that can't be read any more, each once. Raises FlowerError, after a save,
    where too many can't: then it is the drive that is gone, not a photo."""
    before = training.gone
    total = len(training.split.train) + len(training.split.validation)
    checked = total <= photo_check.MAX_CHECKED_FIRST
    for problem in batch.failed:
        if problem.path not in training.lost:
            training.lost.add(problem.path)
            if checked or not (Path(training.split.folder) / problem.path).exists():
                training.gone += 1
            yield Warned(f"A photo was passed over, {len(training.lost)} so far. {problem.reason}")
    if training.gone > max(before, MAX_SHARE_UNREADABLE * total):
        yield from _give_up(
            training, live, f"{training.gone:,} of {total:,} photos can't be read any more"
        )


def _give_up(training: TrainState, live: LiveRequests, why: str) -> Iterator[Event]:
    yield from _save_at_the_end(training, live)
    kept = "is saved where it stood" if training.saved else "could not be saved"
    raise FlowerError(
        f"{why}; the run {kept}.",
        hint=f"See whether {training.split.folder} is still there, then resume.",
    )
