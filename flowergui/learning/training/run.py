"""A run: the model state, schedule and progress, saved together in a run folder."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from statistics import median_low
from typing import Any

import torch

from flowergui.config.recipe import SETTING, Recipe
from flowergui.config.time_budget import (
    MAX_SHARE_OF_BUDGET,
    TRAINING_FACTOR,
    EpochCost,
    PlannedEpochs,
    epochs_in_budget,
    validation_images,
)
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    FeatureCacheStatus,
    FrozenChanged,
    Preparing,
    RolledBack,
    RunStarted,
    SaveFailed,
)
from flowergui.learning.acceleration.frozen_split import FrozenSplit
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.checkpoints.checkpoint_writer import (
    CheckpointWriter,
    NullCheckpointWriter,
    SaveEvent,
)
from flowergui.learning.data.split import Split
from flowergui.learning.device.distributed import world
from flowergui.learning.models.freeze import most_epochs, unfreeze_epochs, without_parameters
from flowergui.learning.training.data_pipeline import training_size_of
from flowergui.learning.training.model_state import ModelState, NonFiniteError
from flowergui.learning.training.progress import CachingRate, Clock, Progress, epochs_from
from flowergui.learning.training.schedule import Schedule
from flowergui.store.change_log import Change
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching.request_file import RequestPoller
from flowergui.text import tr

MIN_TIMED_IMAGES = 64
"""Images whose features are cached before it is said how long all of them take."""

SMOOTHED_SHARE, MAX_SMOOTHED_EPOCHS = 0.05, 15
"""The share of the time budget whose epochs say together what an epoch costs, and how many they are
at most: long epochs count alone."""

VALIDATION_COST = 1 / 3
"""The time that an image takes in validation, as a share of what it takes in training."""


class Run:
    """Composes what the loop changes and a checkpoint keeps; the parts know how to save and load
    themselves. Owned by one thread."""

    def __init__(
        self,
        recipe: Recipe,
        split: Split,
        folder: RunFolder,
        model: ModelState,
        batches: int,
    ) -> None:
        """`batches` is the number of training batches in an epoch."""
        self.recipe, self.split, self.folder, self.model = recipe, split, folder, model
        self.config = model.config
        self.batches = batches
        self.schedule = Schedule.of(recipe, batches)
        self.progress = Progress()
        self.clock = Clock()
        self.epochs: list[EpochDone] = []
        self.unreadable: set[str] = set()
        """Paths of images that could not be read; each is reported once."""
        self.stopping = False
        """Whether all processes have agreed to stop."""
        self.timed_split: FrozenSplit | None = None
        """That of the network whose batches were timed last, for the time budget."""
        self.versions_to_cache = 0
        """How many augmented versions the epochs after this one will cache."""
        self.caching_rate = CachingRate()
        """That of the share of this process in the training images."""
        self.fit_seconds = 0.0
        """What the last fit of the head took, without the features."""
        self.is_resumed = False
        """Whether it goes on from a checkpoint."""
        self.lost = 0
        """How many of them could be read when the run began; see MAX_SHARE_UNREADABLE."""
        self._costs: deque[EpochCost] = deque(maxlen=MAX_SMOOTHED_EPOCHS)
        self._costs_of: object = None  # what they depend on
        self._saved_at = time.monotonic()
        self._saved_step: tuple[int, int] | None = None
        self.world = world()
        writer = CheckpointWriter if self.world.is_main else NullCheckpointWriter
        self._writer = writer(folder, self._recreate_folder)
        self.folder_requests = RequestPoller(folder.request)
        """What other processes ask of the run, by a file in its folder."""

    def training_size(self, epoch: int) -> int:
        """The side in pixels of the images that `epoch` (from 1) trains on."""
        return training_size_of(self.recipe, self.config.image_size, epoch)

    def started(self, *, resumed: bool) -> RunStarted:
        """The event that a run starts with."""
        trainable, parameters = self.model.trainable()
        return RunStarted(
            run=str(self.folder.path),
            model=self.recipe.model,
            mode=self.recipe.mode,
            classes=self.split.classes,
            train_photos=len(self.split.train),
            validation_photos=len(self.split.validation),
            image_size=self.config.image_size,
            device=str(self.config.device),
            precision=self.config.precision,
            speedup=self.config.speedup,
            epochs=self.recipe.epochs,
            batches=self.batches,
            epoch=self.progress.epoch,
            batch=self.progress.batch,
            step=self.progress.step,
            trainable=trainable,
            parameters=parameters,
            frozen=self.model.frozen,
            resumed=resumed,
            learning_rate=self.schedule.base,
            training_size=self.recipe.training_size,
        )

    # --- changes while it trains: the recipe says what the run uses now

    def freeze(self, patterns: Iterable[str]) -> FrozenChanged:
        """Freezes what matches, and nothing else, from the next step on; see
        `ModelState.freeze`."""
        words = tuple(patterns)
        self.model.freeze(words)
        self.recipe = replace(self.recipe, frozen=words)
        self.timed_split = None  # which has a copy of the layers that were frozen
        changed = FrozenChanged(self.progress.step, self.model.frozen, *self.model.trainable())
        self.record(changed)
        return changed

    def freeze_as_asked(self, patterns: Iterable[str]) -> FrozenChanged:
        """The same, for somebody who asked for it: of the layers that it froze or unfroze, the
        recipe's schedule says nothing any more."""
        before = set(self.model.frozen)
        changed = self.freeze(patterns)
        schedule = without_parameters(
            self.recipe.unfreeze_schedule, before ^ set(changed.frozen), *self._network
        )
        self.recipe = replace(self.recipe, freeze_epochs=0, unfreeze_schedule=schedule)
        return changed

    def set_unfreeze_schedule(self, schedule: tuple[str, ...]) -> None:
        """Sets from which epochs on frozen layers train. Raises FlowerError for an entry that is
        none, or that matches nothing."""
        unfreeze_epochs(schedule, *self._network)
        self.recipe = replace(self.recipe, freeze_epochs=0, unfreeze_schedule=schedule)

    def unfreeze_epochs(self, names: Iterable[str]) -> dict[str, int]:
        """Maps the frozen parameters `names` to the epoch (from 1) from which on they train; 0 if
        they stay frozen, as what is still frozen after the recipe's frozen epochs does."""
        scheduled = unfreeze_epochs(self.recipe.unfreeze_schedule, *self._network)
        others = self.recipe.unfreeze_epoch
        if others < self.progress.epoch:
            others = 0
        return {name: scheduled.get(name, others) for name in names}

    def _most_epochs(self, done: int) -> int:
        return most_epochs(self.recipe, len(self.split.classes), self.config.image_size, done)

    @property
    def _network(self) -> tuple[str, int, int]:
        return self.recipe.model, len(self.split.classes), self.config.image_size

    def set_learning_rate(self, learning_rate: float) -> None:
        """Sets the base learning rate of the schedule, from the next step on."""
        self.schedule.base = learning_rate
        if not SETTING["learning_rate"].problem(learning_rate):
            self.recipe = replace(self.recipe, learning_rate=learning_rate)

    @property
    def is_before_first_step(self) -> bool:
        """Whether no batch is done, or only the head is fitted: the optimizer has not stepped."""
        progress = self.progress
        begun = range(1, progress.epoch + (progress.batch > 0))
        return not progress.step or all(map(self.recipe.fits_head_in, begun))

    def count_seconds(self) -> float:
        """Counts the time since it was counted last, and gives it."""
        seconds = self.clock.lap()
        self.progress.add_seconds(seconds)
        return seconds

    def fit_into_budget(self, validation_seconds: float) -> None:
        """Adapts the number of epochs to the time budget, if there is one, at the end of an epoch
        whose seconds are in `progress.sums`; `validation_seconds` of them it was validated. What
        was cached is not computed again, but there may be more augmented versions to cache."""
        recipe, progress = self.recipe, self.progress
        if not recipe.minutes:
            return
        sums = progress.sums
        cached = sums.caching
        training = sums.seconds - validation_seconds - sums.validation_caching - cached
        if recipe.fits_head_in(progress.epoch):
            training -= self.fit_seconds
            share = self.training_size(progress.epoch + 1) / self.config.image_size
            training *= TRAINING_FACTOR * share**2
            training *= len(self.split.train) / max(progress.sums.photos, 1)
        else:
            training *= self.batches / self.schedule.batches_in(progress.epoch)
        to_cache = self._versions_to_cache() if cached else 0
        if self._unfreezes_next:  # what is cached is of no use then
            validation_seconds += sums.validation_caching
        cost = EpochCost(self.batches, training, validation_seconds, cached, to_cache)
        if not (cached or recipe.fits_head_in(progress.epoch)):
            cost = self._usual_cost(cost)
        spent, done = progress.seconds, progress.epoch
        self._plan(epochs_in_budget(recipe.minutes, spent, done, cost, self._most_epochs(done)))

    def _usual_cost(self, last: EpochCost) -> EpochCost:
        """That of the last epochs, so that a plan of hundreds does not follow each tremble: the
        median of those that take a SMOOTHED_SHARE of the budget together, if they trained the same
        layers on images of the same size. The first one of these counts alone: layers may have
        been frozen or unfrozen in its midst."""
        key = self.batches, self.progress.image_size, self.model.frozen
        if key != self._costs_of:
            self._costs_of = key
            self._costs.clear()
            return last
        self._costs.append(last)
        usual = median_low(each.training + each.validation for each in self._costs)
        count = max(int(SMOOTHED_SHARE * 60 * self.recipe.minutes / max(usual, 1e-9)), 1)
        recent = list(self._costs)[-count:]
        return replace(
            last,
            training=median_low(each.training for each in recent),
            validation=median_low(each.validation for each in recent),
        )

    def _versions_to_cache(self) -> int:
        """How many augmented versions the epochs after this one will cache, if it has cached one
        and the same layers stay frozen."""
        return 0 if self._unfreezes_next else self.versions_to_cache

    @property
    def _unfreezes_next(self) -> bool:
        """Whether layers are unfrozen in the next epoch."""
        return self.progress.epoch + 1 in self.unfreeze_epochs(self.model.frozen).values()

    def count_caching(self, caching: Preparing | FeatureCacheStatus) -> bool:
        """Counts the time in which features of training images were cached. Returns whether all of
        them take too much of what was left of the time budget, if there is one."""
        seconds = self.count_seconds()
        self.progress.sums.caching += seconds
        if not isinstance(caching, Preparing):
            return False
        rate = self.caching_rate
        rate.count(caching.done, seconds)
        left = 60 * self.recipe.minutes - self.progress.seconds
        more = rate.image_seconds * (caching.total - caching.done)
        late = caching.done >= MIN_TIMED_IMAGES and more > MAX_SHARE_OF_BUDGET * left
        return self.world.any_rank(late and self.world.is_main and bool(self.recipe.minutes))

    def validation_image_seconds(self, training: float) -> float:
        """The seconds that an image takes in the next validation, if one takes `training` seconds
        in a step: a share of that, or as long as it took to cache the features of a training image
        in the first epoch."""
        size, cached = self.config.image_size, self.caching_rate.image_seconds
        if cached and not self.epochs:
            training = cached / self.world.size
        elif not self.model.frozen_split.is_split:
            training *= VALIDATION_COST
        return training * (size / (self.progress.image_size or size)) ** 2

    def fit_epoch_into_budget(self, batch_seconds: float) -> None:
        """The same in the midst of an epoch, which takes longer than those before since more layers
        train: each of its batches takes `batch_seconds`. It ends early if it has to."""
        recipe, progress = self.recipe, self.progress
        if not recipe.minutes:
            return
        so_far = progress.sums.seconds - progress.sums.caching
        training = so_far + (self.batches - progress.batch) * batch_seconds
        image_seconds = self.validation_image_seconds(batch_seconds / recipe.batch_size)
        validated = progress.validation_images or len(self.split.validation)
        if not self.epochs:  # see `limit_validation`
            validated = min(validated, validation_images(recipe.minutes, image_seconds))
        validation = image_seconds * validated
        cost = EpochCost(self.batches, training, validation)
        before = progress.seconds - so_far
        done = progress.epoch - 1
        planned = epochs_in_budget(recipe.minutes, before, done, cost, self._most_epochs(done))
        share = progress.batch / self.batches
        if planned.epochs < progress.epoch:
            planned = PlannedEpochs(progress.epoch, share)
        elif planned.epochs == progress.epoch:
            planned = replace(planned, last_share=max(planned.last_share, share))
        self._plan(planned)

    def _plan(self, planned: PlannedEpochs) -> None:
        planned = self.world.from_rank_0(lambda: planned)  # each process has its own clock
        self.recipe = replace(self.recipe, epochs=planned.epochs)
        self.schedule.epochs = planned.epochs
        left_out = round((1 - planned.last_share) * self.batches)
        self.schedule.cut = min(left_out, self.batches - 1)

    def roll_back(self, error: NonFiniteError) -> list[RolledBack | FrozenChanged]:
        """Loads the newest checkpoint again, with half the learning rate. Layers that were to be
        unfrozen after it are frozen again. Raises `error` if no checkpoint can be read."""
        rollbacks, base = self.progress.returns + 1, self.schedule.base
        seconds, cut = self.progress.seconds, self.schedule.cut
        self._writer.discard_pending()
        try:
            stored, _ = self.world.from_rank_0(lambda: checkpoint.newest(self.folder))
        except FlowerError as unreadable:
            raise error from unreadable
        self.load_state_dict(stored, frozen=self.model.frozen)
        self.set_learning_rate(min(base, self.schedule.base) / 2)
        self.progress.returns = rollbacks
        # The time budget has paid for what is undone, and the plan stays what it is.
        self.progress.seconds, self.schedule.cut = max(seconds, self.progress.seconds), cut
        if self.world.is_main:
            self.folder.history.cut_back(self.progress.step, self.progress.epoch)
            self.folder.changes.cut_back(self.progress.step)
        where = self.progress.epoch, self.progress.batch, self.progress.step
        events: list[RolledBack | FrozenChanged] = [
            RolledBack(*where, self.schedule.base, error.message)
        ]
        self.record(events[0])
        epochs = self.unfreeze_epochs(set(stored.get("frozen", ())) - set(self.model.frozen))
        if again := [name for name, epoch in epochs.items() if epoch > self.progress.epoch]:
            events.append(self.freeze((*self.model.frozen, *sorted(again))))
        elif set(self.model.frozen) != set(stored.get("frozen", self.model.frozen)):
            # A person froze or unfroze layers after the checkpoint, and that stays.
            changed = FrozenChanged(self.progress.step, self.model.frozen, *self.model.trainable())
            self.record(changed)
            events.append(changed)
        return events

    def restart_epoch(self) -> None:
        """Starts the present epoch again, and the search for the best one: the images are others
        than before, and so is what accuracy is measured on."""
        progress = self.progress
        self.schedule.restart_epoch(progress.step, progress.epoch, progress.batch)
        progress.restart_epoch()
        progress.forget_best()

    # --- saving

    def record(self, event: BatchDone | EpochDone | Change) -> None:
        """Keeps an event for the history of the run; it is written with the next checkpoint."""
        self._writer.record(event)
        if isinstance(event, EpochDone):
            self.epochs.append(event)

    def unsaved_seconds(self) -> float:
        """The time since last.pth was written, or failed to be."""
        return time.monotonic() - self._saved_at

    def save_is_due(self) -> bool:
        """Whether to save at the end of this epoch; see `CheckpointWriter.min_interval`."""
        return self.unsaved_seconds() > self._writer.min_interval(60 * self.recipe.save_minutes)

    @property
    def saved(self) -> bool:
        """Whether last.pth holds the present state, or is being written with it."""
        return self._saved_step == (self.progress.step, self.progress.epoch)

    def save(self, *, best: bool = False) -> list[SaveEvent]:
        """Writes last.pth and the rows of history.csv, and best.pth if it is the `best`. Weights
        that are not finite are not saved: the checkpoint before is better. Returns the outcomes of
        all saves that are over."""
        return self._save_by(self._writer.save, best)

    def save_async(self, *, best: bool = False) -> list[SaveEvent]:
        """The same, while training goes on."""
        return self._save_by(self._writer.save_async, best)

    def _save_by(self, write: Callable[..., list[SaveEvent]], best: bool) -> list[SaveEvent]:
        self._saved_at = time.monotonic()
        if not self.model.is_finite():
            reason = tr("the weights are NaN or infinite")
            paths = (self.folder.last, self.folder.best) if best else (self.folder.last,)
            self._writer.wait()
            return self.collect_saves() + [SaveFailed(str(path), reason) for path in paths]
        self._saved_step = (self.progress.step, self.progress.epoch)
        return self._noted(write(self.state_dict(), best=best))

    def stage_best(self) -> list[SaveEvent]:
        """Copies the present state; the next save writes it as best.pth."""
        if not self.model.is_finite():
            return []
        return self._noted(self._writer.stage_best(self.state_dict()))

    def flush_best(self) -> list[SaveEvent]:
        """Starts writing a staged best state, as last.pth and best.pth."""
        return self._noted(self._writer.flush_best())

    def collect_saves(self) -> list[SaveEvent]:
        """The outcomes of the saves that are over; each is returned once."""
        return self._noted(self._writer.collect())

    def finish_saving(self) -> list[SaveEvent]:
        """Writes a staged best state, waits until all is written, and returns the outcomes."""
        outcomes = self.flush_best()
        self._writer.wait()
        return outcomes + self.collect_saves()

    def _noted(self, outcomes: list[SaveEvent]) -> list[SaveEvent]:
        """Notes whether last.pth could be written the last time; best.pth doesn't matter here."""
        path = str(self.folder.last)
        last = next((outcome for outcome in reversed(outcomes) if outcome.path == path), None)
        if isinstance(last, SaveFailed):
            self._saved_step = None
        return outcomes

    def _recreate_folder(self) -> None:
        self.folder.path.mkdir(parents=True, exist_ok=True)
        self.folder.write_recipe(self.recipe)
        self.folder.write_split(self.split.classes, self.split.rows(), self.split.folder)

    # --- as a checkpoint

    @cached_property
    def fingerprint(self) -> str:
        """That of the split, which stays the same."""
        return self.split.fingerprint()

    def state_dict(self) -> dict[str, Any]:
        """The checkpoint: builtins and tensors."""
        progress, config = self.progress, self.config
        return {
            "format": checkpoint.FORMAT,
            "recipe": self.recipe.as_dict(),
            "classes": list(self.split.classes),
            **self.model.state_dict(),
            "schedule": self.schedule.state_dict(),
            "progress": progress.state_dict(),
            "epoch": progress.epoch,
            "batch": progress.batch,
            "best_accuracy": progress.best_accuracy,
            "history": [asdict(epoch) for epoch in self.epochs],
            "image_size": config.image_size,
            "normalisation": {"mean": list(config.mean), "std": list(config.std)},
            "device": str(config.device),
            "precision": config.precision,
            "fingerprint": self.fingerprint,
            "versions": {"torch": str(torch.__version__)},
        }

    def load_state_dict(
        self, state: Mapping[str, Any], *, frozen: Iterable[str] | None = None
    ) -> None:
        """Continues from a checkpoint of any version; see `ModelState.load_state_dict`. The recipe,
        the split and the configuration stay as they are."""
        self.schedule.load_state_dict(state.get("schedule", {}))
        self.progress.load_state_dict({"step": state.get("step", 0), **state["progress"]})
        self.epochs = epochs_from(state.get("history"))
        self.model.load_state_dict({**state, "step": self.progress.step}, frozen=frozen)
