"""Times a few steps before a run begins: how long it will take, and whether it fits in memory."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import training_size
from flowergui.config.time_budget import EpochCost, epochs_in_budget, validation_images
from flowergui.events import Estimated, Preparing
from flowergui.facts import Speedup
from flowergui.learning.acceleration import feature_cache
from flowergui.learning.acceleration.step_timer import StepCost, StepTimer, sample_batch_size
from flowergui.learning.data import augmentation, image_io
from flowergui.learning.data.dataset import train_transform
from flowergui.learning.device import hardware
from flowergui.learning.estimate import speedups
from flowergui.learning.models import weights
from flowergui.learning.models.describe import supports_size
from flowergui.learning.training.data_pipeline import views_of, why_not_cacheable
from flowergui.store import paths
from flowergui.system import tuning
from flowergui.text import tr

SIZE_BUDGET_S = 1.2
"""Seconds of steps for one image size, after which no further step is timed."""

MAX_TIMED_STEPS = 3
"""Steps that are timed for one image size after the warm-up; the fastest counts."""

SHORT_STEP_S = 0.4
"""A warm-up step that is shorter is followed by steps of MAX_STEP_IMAGES."""

MAX_STEP_IMAGES = 12
"""Images of a timed step: enough to be as fast, per image, as a batch."""

FREE_MEMORY_SHARE = 0.8
"""The share of free memory that a run may use."""

BACKWARD_FACTOR = 1.5
"""Memory of the backward pass, as a multiple of what the forward pass saves for it."""


def estimate(
    recipe: Recipe, counts: tuple[int, int], classes: int, examples: Sequence[str]
) -> Iterator[Preparing | Estimated]:
    """Times steps of `recipe` on blank images, and yields Estimated.

    `counts` are the numbers of training and validation images, `examples` are paths of some.
    Nothing is yielded for networks that are too large to be timed. Draws from no random
    generator, and gives the device's memory back. Raises FlowerError for a recipe that can't be
    trained.
    """
    try:
        yield from _estimate(recipe, counts, classes, examples)
    finally:
        hardware.release()  # what torch caches would count as used when the run plans its memory


def _estimate(
    recipe: Recipe, counts: tuple[int, int], classes: int, examples: Sequence[str]
) -> Iterator[Preparing | Estimated]:
    size = recipe.image_size or weights.own_image_size(recipe.model, recipe.weights)
    photos = sample_batch_size(recipe, size)
    if not photos:
        return
    device = hardware.device(recipe.device)
    dtype = hardware.precision(recipe.precision, device)
    tuning.tune_malloc()
    if recipe.freeze_epochs and (recipe.minutes or recipe.epochs > recipe.freeze_epochs):
        recipe = replace(recipe, frozen=())  # as most epochs are
    timer = StepTimer(recipe, classes, size, device, dtype)
    if not supports_size(recipe.model, size, recipe.training_size or size):
        recipe = replace(recipe, training_size=0)
    side = recipe.training_size or size
    first = recipe.first_training_size
    sides = (side, first) if 0 < first < side else (side,)
    if not supports_size(recipe.model, size, *sides[1:]):
        recipe, sides = replace(recipe, first_training_size=0), (side,)  # as a run does
    model = _CostModel(timer, photos, min(recipe.batch_size, MAX_STEP_IMAGES), size, counts)
    for done, each in enumerate(sides):
        for _ in model.measure(each):
            yield Preparing(tr("Timing a step"), done, len(sides) + 1)
    yield Preparing(tr("Timing a step"), len(sides), len(sides) + 1)
    model.loading = _time_loading(recipe, side, examples)
    recipe = model.within_budget(recipe)
    epochs = model.epoch_seconds(recipe)
    where, cache_bytes = model.cache_space(recipe)
    later = epochs[max(views_of(recipe) if where else 0, 1) :] or epochs[-1:]
    largest = _largest_batch(recipe, timer, side, model.costs[side].saved_bytes)
    seconds = sum(epochs)
    if recipe.minutes and len(epochs) > 1:  # of the last one, a part
        seconds = min(seconds, 60 * recipe.minutes)
    yield Estimated(
        epoch=sum(later) / len(later),
        first_epoch=epochs[0],
        seconds=seconds,
        largest_batch=largest,
        where=where,
        size=cache_bytes,
        speedup=_find_speedup(recipe, model, sum(epochs)) if largest >= recipe.batch_size else None,
        epochs=recipe.epochs,
    )


@dataclass(frozen=True, slots=True)
class _LoadingCost:
    """Seconds per image: to decode it, and to augment it."""

    decode: float
    augment: float


def _time_loading(recipe: Recipe, side: int, examples: Sequence[str]) -> _LoadingCost:
    transform = train_transform(side, recipe.augmentation)
    decoding, augmenting = [0.0], [0.0]
    for index, example in enumerate(examples):
        try:
            start = time.perf_counter()
            pixels = transform(Path(example))
            middle = time.perf_counter()
        except image_io.UnreadableError:
            continue
        augmentation.random_resized_crop(pixels, recipe.augmentation, side, recipe.seed, 1, index)
        decoding.append(middle - start)
        augmenting.append(time.perf_counter() - middle)
    share = 1 / max(len(decoding) - 1, 1) / hardware.cores()
    return _LoadingCost(sum(decoding) * share, sum(augmenting) * share)


class _CostModel:
    """The cost of training and validation by image size, from steps of a few sizes.

    Validation and prediction see images of `size` px; `counts` are the numbers of training and
    validation images.
    """

    def __init__(
        self,
        timer: StepTimer,
        warmup_photos: int,
        photos: int,
        size: int,
        counts: tuple[int, int],
    ) -> None:
        self.timer, self.warmup_photos, self.photos = timer, warmup_photos, photos
        self.size, self.counts = size, counts
        self.loading = _LoadingCost(0.0, 0.0)
        self.costs: dict[int, StepCost] = {}

    def measure(self, side: int) -> Iterator[None]:
        """Times steps on images of `side` px, and yields before each of them.

        The first step of a size is several times slower than the others: it chooses and compiles
        kernels, and takes memory from the system. It is never the one that counts.
        """
        yield
        warmup = self.timer.step(self.warmup_photos, side).seconds * self.warmup_photos
        photos = self.photos if warmup < SHORT_STEP_S else self.warmup_photos
        timed: list[StepCost] = []
        spent = warmup
        while not timed or (len(timed) < MAX_TIMED_STEPS and spent < SIZE_BUDGET_S):
            yield
            timed.append(self.timer.step(photos, side))
            spent += timed[-1].seconds * photos
        self.costs[side] = min(timed, key=lambda cost: cost.seconds)

    def epoch_seconds(self, recipe: Recipe) -> list[float]:
        """Seconds of each epoch of `recipe`. It may differ from the timed recipe in training sizes
        and in what it caches."""
        train, validation = self.counts
        largest = recipe.training_size or self.size
        cached = self.timer.split.is_split and recipe.feature_cache
        where, _ = self.cache_space(recipe)
        views = views_of(recipe) if where else 0
        evaluation = self._cost(self.size)
        forward = evaluation.head / 3  # the backward pass takes twice as long
        if recipe.minutes:
            image_seconds = evaluation.backbone + forward + self.loading.decode
            validation = min(validation, validation_images(recipe.minutes, image_seconds))
        seconds = []
        for epoch in range(1, recipe.epochs + 1):
            side = training_size(recipe.first_training_size, largest, epoch, recipe.epochs)
            cost = self._cost(side)
            if recipe.fits_head_in(epoch):
                cost = replace(evaluation, head=forward)
            spent = train * cost.head + validation * forward
            if epoch == 1:
                spent += (train + validation) * self.loading.decode
            if epoch == 1 or not cached:
                spent += validation * evaluation.backbone
            if epoch <= views or not views:
                spent += train * (cost.backbone + self.loading.augment)
            seconds.append(spent)
        return seconds

    def within_budget(self, recipe: Recipe) -> Recipe:
        """`recipe` with as many epochs as its time budget allows, if it has one."""
        if not recipe.minutes:
            return recipe
        first, later = self.epoch_seconds(replace(recipe, epochs=2))
        train, _ = self.counts
        batches = math.ceil(train / recipe.batch_size)
        planned = epochs_in_budget(recipe.minutes, first, 1, EpochCost(batches, later, 0.0))
        return replace(recipe, epochs=planned.epochs)

    def cache_space(self, recipe: Recipe) -> tuple[str, int]:
        """Where the features of the training images are cached ("memory", "file", or "" for
        nowhere), and how many bytes they take; 0 if they can't be cached."""
        largest = recipe.training_size or self.size
        cached = self.timer.split.is_split and recipe.feature_cache
        if not cached or why_not_cacheable(recipe, largest):
            return "", 0
        cost, (train, _) = next(iter(self.costs.values())), self.counts
        size = math.ceil(train * views_of(recipe) * cost.feature_bytes)
        if size <= feature_cache.MEMORY_SHARE * hardware.free_memory(self.timer.device):
            return "memory", size
        disk = feature_cache.DISK_SHARE * hardware.free_disk(paths.cache_folder())
        return "file" if size <= disk else "", size

    def _cost(self, side: int) -> StepCost:
        """The cost at `side` px: linear in the area between two measured sizes, proportional to
        the area if only one was measured."""
        small, large = min(self.costs), max(self.costs)
        least, most = self.costs[small], self.costs[large]
        if small == large:
            share = (side / large) ** 2
            return replace(most, backbone=most.backbone * share, head=most.head * share)
        share = (side**2 - small**2) / (large**2 - small**2)
        return replace(
            most,
            backbone=least.backbone + max(most.backbone - least.backbone, 0.0) * share,
            head=least.head + max(most.head - least.head, 0.0) * share,
        )


def _find_speedup(recipe: Recipe, model: _CostModel, seconds: float) -> Speedup | None:
    """Settings with which a run takes far less than the `seconds` of `recipe`."""
    if seconds < speedups.MIN_RUN_SECONDS:
        return None
    for kind, values in speedups.suggestions(recipe, model.size, frozen=model.timer.split.is_split):
        other = replace(recipe, **dict[str, Any](values))
        where, size = model.cache_space(other)
        if size and where != "memory":
            continue  # the user decides whether so much of the disk is used
        if sum(model.epoch_seconds(other)) <= speedups.MAX_TIME_SHARE * seconds:
            if other.first_training_size not in (0, *model.costs):  # extrapolated until now
                for _ in model.measure(other.first_training_size):
                    pass
            fewer = sum(model.epoch_seconds(other))
            if fewer <= speedups.MAX_TIME_SHARE * seconds:
                return Speedup(kind, values, fewer)
    return None


def _largest_batch(recipe: Recipe, timer: StepTimer, side: int, saved_bytes: float) -> int:
    """How many images fit in memory beside weights, gradients, the optimizer's moments and the
    EMA weights; 0 for none."""
    weight_bytes = sum(p.nbytes for p in timer.net.parameters())
    trained_bytes = sum(p.nbytes for p in timer.net.parameters() if p.requires_grad)
    moments = 1 if recipe.optimizer == "sgd" else 2
    fixed = weight_bytes * (1 + bool(recipe.ema)) + trained_bytes * (1 + moments)
    free = FREE_MEMORY_SHARE * hardware.free_memory(timer.device) - fixed
    images = 2 * 3 * side * side * 4  # float32, and a copy while they are augmented
    return max(math.floor(free / (saved_bytes * BACKWARD_FACTOR + images)), 0)
