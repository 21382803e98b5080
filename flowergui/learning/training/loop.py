"""The training loop, a generator of events: fit, train_epoch, validate, and their parts.

A frontend pauses a run by not asking for the next event. Its live requests are applied after each
event of a batch, before the next batch, and between the steps of a fit of the head, in
`live_changes.apply_requests` alone.
"""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor

from flowergui.config.resizing import largest_training_size
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    Stopped,
    TrainingSizeChanged,
    ValidationProgress,
    Warned,
)
from flowergui.facts import WhyNotCached
from flowergui.learning.acceleration import feature_cache
from flowergui.learning.acceleration.frozen_split import Features
from flowergui.learning.data import augmentation
from flowergui.learning.data.dataset import ImageDataset, eval_transform, train_transform
from flowergui.learning.data.loader import Batch
from flowergui.learning.data.photo_cache import PhotoCache
from flowergui.learning.data.sampler import batch_indices, sequential_batches, shuffled_indices
from flowergui.learning.device import hardware, transfers
from flowergui.learning.randomness import derive_seed, seed_rng
from flowergui.learning.training.data_pipeline import (
    CacheProgress,
    FeatureBatch,
    TrainPipeline,
    ValidationPipeline,
)
from flowergui.learning.training.failures import (
    give_up,
    non_finite_loss,
    not_validated,
    recover,
    report_out_of_memory,
    report_unreadable,
    require_finite,
    save_at_the_end,
)
from flowergui.learning.training.head_fit import HeadFitPipeline, fit_head, fits_head
from flowergui.learning.training.live_changes import apply_requests, unfreeze_due
from flowergui.learning.training.model_state import NonFiniteError, NonFiniteLossError
from flowergui.learning.training.progress import RunningMetrics
from flowergui.learning.training.run import Run
from flowergui.learning.training.run_copy import RunCopy
from flowergui.learning.training.validation_limit import limit_validation
from flowergui.requests import LiveRequests
from flowergui.system.torchrun import processes_on_this_machine
from flowergui.text import tr

TIMED_BATCHES = 6
"""Batches that are timed when training begins or goes on, and after layers were frozen or unfrozen
or images have grown, to fit the run into its time budget. The first one does not count: it warms
up."""

# --- fit, train_epoch, validate -----------------------------------------------------------------


def fit(run: Run, live: LiveRequests) -> Iterator[Event]:
    """Trains until the last epoch, or until `live.stop`. Raises FlowerError, OutOfMemoryError
    among them."""
    progress = run.progress
    run.stopping = False
    if run.world.is_main:
        run.world.broadcast(RunCopy.of(run))
    with (
        pipelines(run) as (train, validation, head_fit),
        run.world.report_lost_rank(),
        report_out_of_memory(run),
    ):
        try:
            if run.recipe.recover:
                yield from run.save()  # a rollback must find this state
            while progress.epoch <= run.recipe.epochs:
                if fits_head(run):
                    epoch = fit_head(run, live, head_fit)
                else:
                    epoch = train_epoch(run, live, train)
                try:
                    yield from run.clock.timed(epoch)
                    require_finite(run)
                except NonFiniteError as error:
                    yield from recover(run, error)
                    continue
                if not run.stopping:
                    yield from run.clock.timed(validate(run, live, validation))
                if not run.stopping and progress.epoch <= run.recipe.epochs:
                    yield from apply_requests(run, live)  # before layers are unfrozen
                if run.stopping and progress.epoch <= run.recipe.epochs:
                    yield from save_at_the_end(run, live)
                    yield Stopped(str(run.folder.path), progress.epoch, progress.batch)
                    return
                if progress.epoch <= run.recipe.epochs and run.save_is_due() and not run.saved:
                    yield from run.save_async()
            if not run.saved:
                yield from run.save()
            yield from run.finish_saving()
            if not run.saved:
                yield from save_at_the_end(run, live)  # that save failed
        except GeneratorExit:
            run.save()
            raise
        finally:
            run.finish_saving()
    best = progress.best_accuracy, progress.best_epoch
    yield Finished(
        str(run.folder.path), run.recipe.epochs, *best, progress.seconds, progress.validated
    )


def train_epoch(
    run: Run, live: LiveRequests, pipeline: TrainPipeline
) -> Generator[Event, None, None]:
    """Trains on the batches of this epoch that are left. Ends early if `live.stop` is set."""
    recipe, progress, epoch = run.recipe, run.progress, run.progress.epoch
    if progress.batch == 0:
        yield from unfreeze_due(run)
    size, grown = choose_training_size(run)
    if grown:
        run.timed_split = None
        resized = TrainingSizeChanged(progress.step, size)
        run.record(resized)
        yield resized
    indices = shuffled_indices(len(pipeline.dataset.photos), recipe.seed, epoch)
    all_batches = batch_indices(indices, recipe.batch_size, recipe.drop_last)
    # The time budget may end the epoch elsewhere, once it was timed.
    is_over = progress.batch >= run.schedule.batches_in(epoch)
    wanted = [] if is_over else all_batches[progress.batch :]
    run.model.train()  # validation left it in evaluation mode
    seconds: list[float] = []
    split = run.model.frozen_split
    if (yield from apply_requests(run, live)):
        return
    for item in pipeline.batches(wanted, epoch):
        yield from report_unreadable(run, live, item.failed)
        if isinstance(item, CacheProgress):
            is_too_slow = run.count_caching(item.event)
            yield item.event
            if is_too_slow and not pipeline.is_cached:
                pipeline.refuse_caching(WhyNotCached.NO_TIME)
        else:
            if run.model.frozen_split is not split:
                split = run.model.frozen_split
                seconds.clear()
            yield from run.model.compile(size)
            yield from train_batch(run, pipeline, item)
            seconds.append(progress.sums.seconds - progress.sums.caching)
            is_timed = bool(recipe.minutes) and run.timed_split is not split
            if is_timed and len(seconds) == TIMED_BATCHES:
                run.timed_split = split
                run.fit_epoch_into_budget((seconds[-1] - seconds[0]) / (TIMED_BATCHES - 1))
            late = run.unsaved_seconds() > 60 * recipe.save_minutes
            if run.world.any_rank(late and run.world.is_main):
                require_finite(run)
                yield from run.save_async()
            yield from run.collect_saves()
        if (yield from apply_requests(run, live)):
            return
        if progress.batch >= run.schedule.batches_in(epoch):
            break
    run.versions_to_cache = pipeline.versions_left
    if not progress.sums.photos:
        progress.batch = 0  # a resumed run tries this epoch again
        reason = tr("No batch of epoch {epoch} had an image that can be read.", epoch=epoch)
        yield from give_up(run, live, reason)


def choose_training_size(run: Run) -> tuple[int, bool]:
    """The side in pixels of the images that the present epoch trains on, and whether it is another
    one than before. It stays what it is when a time budget changes the number of epochs."""
    progress = run.progress
    before = progress.image_size or run.training_size(max(progress.epoch - 1, 1))
    if progress.batch == 0 or not progress.image_size:
        progress.image_size = run.training_size(progress.epoch)
    return progress.image_size, progress.batch == 0 and progress.image_size != before


def validate(
    run: Run, live: LiveRequests, pipeline: ValidationPipeline
) -> Generator[Event, None, None]:
    """Measures the network on the validation set and ends the epoch. Ends early if `live.stop` is
    set; a resumed run validates again."""
    progress, metrics = run.progress, RunningMetrics()
    progress.add_seconds(run.clock.lap())
    sums = progress.sums
    training_seconds = sums.seconds - sums.validation_caching  # it was stopped in the midst
    if not run.epochs and not fits_head(run):
        trained = (sums.seconds - sums.caching) / max(sums.photos, 1)
        yield from limit_validation(run, run.validation_image_seconds(trained))
    pipeline.limit(progress.validation_images)
    indices = sequential_batches(len(pipeline.dataset.photos), 2 * run.recipe.batch_size)
    done = 0
    for item in pipeline.batches(indices, progress.epoch):
        yield from report_unreadable(run, live, item.failed)
        if isinstance(item, CacheProgress):
            sums.validation_caching += run.count_seconds()
            yield item.event
        else:
            validate_batch(run, pipeline, item, metrics)
            done += 1
            yield ValidationProgress(progress.epoch, done, len(indices))
        if done < len(indices) and (yield from apply_requests(run, live)):
            return
    metrics.sum_over(run.world)
    if indices and not metrics.photos:
        yield Warned(not_validated(progress.epoch, progress.best_epoch))
    progress.add_seconds(run.clock.lap())
    seconds = sums.seconds - training_seconds - sums.validation_caching
    yield from end_epoch(run, metrics, seconds)


# --- batches ------------------------------------------------------------------------------------


def train_batch(
    run: Run, pipeline: TrainPipeline, batch: Batch | FeatureBatch
) -> Iterator[BatchDone]:
    """One optimizer step; none if fewer than two images of the batch could be read."""
    progress = run.progress
    count = batch.count
    done = None
    if count >= 2:
        rate = run.schedule.rate(progress.step)
        loss, correct = step(run, pipeline, batch, rate)
        progress.step += 1
        progress.sums.add(loss, correct, count)
        done = BatchDone(
            epoch=progress.epoch,
            batch=progress.batch + 1,
            batches=run.schedule.batches_in(progress.epoch),
            step=progress.step,
            loss=loss,
            accuracy=correct / count,
            learning_rate=rate,
            photos=count,
        )
        run.record(done)
    progress.add_seconds(run.clock.lap())
    progress.batch += 1  # before the yield: a frontend may close the run there, which saves
    if done is not None:
        yield done


def step(
    run: Run, pipeline: TrainPipeline, batch: Batch | FeatureBatch, learning_rate: float
) -> tuple[float, int]:
    """The loss and the number of correct predictions of an optimizer step. Raises
    NonFiniteLossError that names the batch."""
    progress, config = run.progress, run.config
    if not run.model.has_stepped_together():
        with run.world.out_of_memory_on_all_ranks():
            run.model.try_step(*step_inputs(run, pipeline, batch))
    seed = derive_seed(run.recipe.seed, "step", progress.epoch, progress.batch)
    seed_rng(seed, config.device)  # for dropout
    features, targets = step_inputs(run, pipeline, batch)
    try:
        return run.model.step(features, targets, learning_rate, batch.share)
    except NonFiniteLossError as error:
        raise non_finite_loss(run, error.loss) from error


def step_inputs(
    run: Run, pipeline: TrainPipeline, batch: Batch | FeatureBatch
) -> tuple[Features | None, Tensor]:
    """What `ModelState.step` takes of a batch: features and targets, on the device. Of several
    processes, one whose share is empty has no features."""
    recipe, progress, device = run.recipe, run.progress, run.config.device
    epoch, number = progress.epoch, progress.batch
    targets = transfers.send(batch.labels, device)
    if isinstance(batch, Batch) and pipeline.is_mixed:
        images, targets = augmentation.mixup_or_cutmix(
            pipeline.to_images(batch, epoch),
            targets,
            len(run.split.classes),
            recipe.mixup,
            recipe.cutmix,
            recipe.seed,
            epoch,
            number,
        )
        images, targets = run.world.rows(images), run.world.rows(targets)
        return pipeline.split.backbone(images) if len(images) else None, targets
    return pipeline.features(batch, epoch), targets


def validate_batch(
    run: Run,
    pipeline: ValidationPipeline,
    batch: Batch | FeatureBatch,
    metrics: RunningMetrics,
) -> None:
    """Adds a batch of the validation set to `metrics`."""
    features = pipeline.features(batch, run.progress.epoch)
    if features is not None:
        labels = transfers.send(batch.labels, run.config.device)
        metrics.add(*run.model.evaluate(features, labels), len(batch.indices))


# --- between epochs -----------------------------------------------------------------


def end_epoch(run: Run, validation: RunningMetrics, validation_seconds: float) -> Iterator[Event]:
    """Ends the epoch: adapts the schedule, finds out whether it is the best one, and saves it.
    `validation_seconds` is what validation took, without the time in which features of its images
    were cached."""
    progress, train = run.progress, run.progress.sums
    rate = 0.0 if fits_head(run) else run.schedule.rate(max(progress.step - 1, 0))
    val_loss, val_accuracy = validation.mean_loss, validation.accuracy
    validated = bool(run.split.validation)
    watched = val_loss if validated else train.mean_loss
    if watched is not None:
        run.schedule.epoch_ended(watched)
    is_best = progress.is_best(val_accuracy, val_loss, validated=validated)
    if is_best:
        progress.set_best(val_accuracy, val_loss)
    progress.add_seconds(run.clock.lap())
    if not fits_head(run):
        run.schedule.skip(run.batches - progress.batch)  # what a time budget has left out
    run.fit_into_budget(validation_seconds)
    done = EpochDone(
        epoch=progress.epoch,
        epochs=run.recipe.epochs,
        step=progress.step,
        train_loss=train.mean_loss or 0.0,
        train_accuracy=train.accuracy or 0.0,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        best_accuracy=progress.best_accuracy,
        best_epoch=progress.best_epoch,
        learning_rate=rate,
        seconds=train.seconds,
    )
    run.record(done)
    progress.next_epoch()
    outcomes = save_best(run) if is_best else []
    yield done
    yield from outcomes


def save_best(run: Run) -> Iterable[Event]:
    """Saves the present state as best.pth: at once in the end, and where the head was fitted, for
    that is far better than what was saved on the way; else when a save is due."""
    if run.progress.epoch > run.recipe.epochs:
        return run.save(best=True)
    is_fitted = run.recipe.fits_head_in(run.progress.epoch - 1)
    if is_fitted or run.save_is_due() or not os.path.exists(run.folder.best):
        return run.save_async(best=True)
    return run.stage_best()


# --- set-up -------------------------------------------------------------------------------------


@contextmanager
def pipelines(run: Run) -> Iterator[tuple[TrainPipeline, ValidationPipeline, HeadFitPipeline]]:
    """The training images for `train_epoch`, the validation set, and the training images for
    `fit_head`; what they cache is freed in the end."""
    recipe, config, split = run.recipe, run.config, run.split
    processes = processes_on_this_machine()
    budget = int(hardware.free_memory() // processes * feature_cache.MEMORY_SHARE)
    on_device = hardware.free_memory(config.device)
    if config.device.type == "cpu":
        on_device //= processes
    feature_budget = int(on_device * feature_cache.MEMORY_SHARE)
    largest = largest_training_size(recipe.training_size, config.image_size)
    if recipe.augmentation == "none" and not recipe.first_training_size:
        transform = eval_transform(largest)
    else:
        transform = train_transform(largest, recipe.augmentation)
    whole_image = eval_transform(config.image_size)
    cache = PhotoCache() if recipe.photo_cache else None
    train = ImageDataset(split.folder, split.train, transform, budget, cache)
    validation = ImageDataset(split.folder, split.validation, whole_image, budget // 4, cache)
    made = (
        TrainPipeline(
            train, recipe, config, run.model, feature_budget, lambda: run.progress.image_size
        ),
        ValidationPipeline(validation, recipe, config, run.model, feature_budget // 4),
    )
    unaugmented = ImageDataset(split.folder, split.train, whole_image, budget // 4, cache)
    try:
        yield (*made, HeadFitPipeline(unaugmented, recipe, config))
    finally:
        for pipeline in made:
            pipeline.clear()
