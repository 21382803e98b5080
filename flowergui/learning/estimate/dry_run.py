"""Times a few steps before a run begins: how long it will take, and whether it fits in memory."""

import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from flowergui.config.presets import with_trained_head
from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size, training_size
from flowergui.config.time_budget import (
    MAX_SHARE_OF_BUDGET,
    EpochCost,
    PlannedEpochs,
    epochs_in_budget,
    validation_images,
)
from flowergui.events import Estimated, Preparing
from flowergui.facts import Speedup
from flowergui.learning.acceleration import feature_cache, precision
from flowergui.learning.acceleration.linear_head import linear_head_name
from flowergui.learning.acceleration.step_timer import StepCost, StepTimer, sample_batch_size
from flowergui.learning.data import augmentation, image_io
from flowergui.learning.data.dataset import train_transform
from flowergui.learning.device import hardware
from flowergui.learning.estimate import speedups
from flowergui.learning.models import weights
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.describe import supports_size
from flowergui.learning.models.freeze import frozen_parameters, most_epochs, unfreeze_epochs
from flowergui.learning.training.data_pipeline import views_of, why_not_cacheable
from flowergui.learning.training.head_fit import fitted_images
from flowergui.learning.training.larger_images import may_be_larger, with_larger_images
from flowergui.store import paths
from flowergui.system import tuning
from flowergui.text import tr

log = logging.getLogger(__name__)

SIZE_BUDGET_S = 1.2
"""Seconds of steps for one image size, after which no further step is timed."""

MAX_TIMED_STEPS = 3
"""Steps that are timed for one image size after the warm-up; the fastest counts."""

MAX_TIMED_PHASES = 3
"""Phases of a run, in each of which other layers train, that are timed."""

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
    generator, and gives the device's memory back. Nothing is yielded either if there is too little
    of it for a step. Raises FlowerError for a recipe that can't be trained.
    """
    try:
        yield from _estimate(recipe, counts, classes, examples)
    except (RuntimeError, MemoryError) as error:
        if not hardware.out_of_memory(error):
            raise
        log.info("There is not enough memory to time a step.", exc_info=error)
    finally:
        hardware.release()  # what torch caches would count as used when the run plans its memory


def _estimate(
    recipe: Recipe, counts: tuple[int, int], classes: int, examples: Sequence[str]
) -> Iterator[Preparing | Estimated]:
    size = recipe.image_size or _own_image_size(recipe)
    photos = sample_batch_size(recipe, size)
    if not photos:
        return
    if recipe.fit_head and recipe.mode == "transfer":
        net = build_on_meta(recipe.model, classes, size)
        if not linear_head_name(net, recipe.model):
            recipe = with_trained_head(recipe)  # as a run does
    device = hardware.device(recipe.device)
    dtype = precision.expected(recipe, size, device)
    tuning.tune_malloc()
    memory = hardware.free_memory(device)  # the timers take some of it
    if not supports_size(recipe.model, size, largest_training_size(recipe.training_size, size)):
        recipe = replace(recipe, training_size=0)
    side = largest_training_size(recipe.training_size, size)
    first = recipe.first_training_size
    sides = (side, first) if 0 < first < side else (side,)
    if not supports_size(recipe.model, size, *sides[1:]):
        recipe, sides = replace(recipe, first_training_size=0), (side,)  # as a run does
    # Processes share the cores of a CPU, and have a graphics card each.
    cards = recipe.processes if device.type == "cuda" else 1
    train, validation = (math.ceil(count / cards) for count in counts)
    phases = []
    for start, frozen in _timed_phases(_phases(recipe, classes, size)):
        timer = StepTimer(replace(recipe, frozen=frozen), classes, size, device, dtype)
        step_photos = min(recipe.batch_size, MAX_STEP_IMAGES)
        phases.append(
            (start, _CostModel(timer, photos, step_photos, size, (train, validation), memory))
        )
    steps = [(model, each) for _, model in phases for each in sides]
    for done, (model, each) in enumerate(steps):
        for _ in model.measure(each):
            yield Preparing(tr("Timing a step"), done, len(steps) + 1)
    yield Preparing(tr("Timing a step"), len(steps), len(steps) + 1)
    loading = _time_loading(recipe, side, examples)
    for _, model in phases:
        model.loading = loading
    if may_be_larger(recipe, size):
        step_seconds = phases[-1][1].costs[side].seconds
        recipe = with_larger_images(recipe, size, (train, validation), step_seconds)
    most = most_epochs(recipe, classes, size)
    recipe = _within_budget(recipe, phases, math.ceil(counts[0] / recipe.batch_size), most)
    epochs = _epoch_seconds(recipe, phases)
    spaces = [model.cache_space(recipe) for _, model in phases]
    where, cache_bytes = max(spaces, key=lambda space: space[1])
    filling = views_of(recipe) + recipe.fits_head_in(1) if where else 1
    later = epochs[max(filling, 1) :] or epochs[-1:]
    model = phases[-1][1]  # most layers train there
    largest = _largest_batch(recipe, model, side)
    seconds = sum(epochs)
    if recipe.minutes:  # of the last epoch, it does a part
        seconds = min(seconds, 60 * recipe.minutes)
    may_be_faster = largest >= recipe.batch_size and len(phases) == 1 and not recipe.minutes
    yield Estimated(
        epoch=sum(later) / len(later),
        first_epoch=epochs[0],
        seconds=seconds,
        largest_batch=largest,
        where=where,
        size=cache_bytes,
        speedup=_find_speedup(recipe, model, sum(epochs)) if may_be_faster else None,
        epochs=recipe.epochs,
    )


def _own_image_size(recipe: Recipe) -> int:
    """The image size of a run whose recipe says none: that of the weights that it starts from."""
    if recipe.mode == "transfer" and os.path.isfile(recipe.weights):
        modified_ns = os.stat(recipe.weights).st_mtime_ns
        if size := _image_size_of_file(Path(recipe.weights), recipe.model, modified_ns):
            return size
    return weights.own_image_size(recipe.model, recipe.weights)


@lru_cache(maxsize=1)
def _image_size_of_file(path: Path, model: str, modified_ns: int) -> int:
    return weights.from_file(path, model).image_size


# --- phases: epochs in which the same layers are frozen -------------------------------------------


def _phases(recipe: Recipe, classes: int, size: int) -> list[tuple[int, tuple[str, ...]]]:
    """The first epoch of each phase, and the parameters that are frozen in it. The epoch that fits
    the head belongs to the first one. Raises FlowerError for patterns that don't fit."""
    network = recipe.model, classes, size
    frozen = frozen_parameters(recipe.frozen, *network)
    scheduled = unfreeze_epochs(recipe.unfreeze_schedule, *network)
    epochs = {name: scheduled.get(name, recipe.unfreeze_epoch) for name in frozen}
    first = 2 if recipe.fits_head_in(1) else 1
    last = most_epochs(recipe, classes, size) if recipe.minutes else recipe.epochs
    starts = sorted({first, *(epoch for epoch in epochs.values() if first < epoch <= last)})
    return [
        (start if start > first else 1, tuple(n for n, e in epochs.items() if not 0 < e <= start))
        for start in starts
    ]


def _timed_phases(phases: list[tuple[int, tuple[str, ...]]]) -> list[tuple[int, tuple[str, ...]]]:
    """At most MAX_TIMED_PHASES of them. One that is left out takes as long as the next one."""
    if len(phases) <= MAX_TIMED_PHASES:
        return phases
    last = len(phases) - 1
    chosen = [round(last * n / (MAX_TIMED_PHASES - 1)) for n in range(MAX_TIMED_PHASES)]
    starts = [0, *(each + 1 for each in chosen[:-1])]
    return [(phases[start][0], phases[each][1]) for start, each in zip(starts, chosen, strict=True)]


def _epoch_seconds(recipe: Recipe, phases: "Sequence[tuple[int, _CostModel]]") -> list[float]:
    """Seconds of each epoch of `recipe`, whose phases start at these epochs."""
    seconds: list[float] = []
    for start, model in phases:
        seconds[start - 1 :] = model.epoch_seconds(recipe, start)[start - 1 :]
    return seconds


def _within_budget(
    recipe: Recipe, phases: "Sequence[tuple[int, _CostModel]]", batches: int, most: int
) -> Recipe:
    """`recipe` with as many epochs, of so many batches, as its time budget allows, if it has one:
    `most` of them at most."""
    if not recipe.minutes:
        return recipe
    first_epochs: list[float] = []  # of a phase: they take longer where features are cached
    spent, done, later = 0.0, 0, 0.0
    planned = PlannedEpochs(1)
    for start, model in phases:
        if start > 1 and planned.epochs < start:
            break
        between = start - 1 - done
        spent += sum(first_epochs[:between]) + max(between - len(first_epochs), 0) * later
        filling = max(recipe.cached_views + recipe.fits_head_in(start), 1)
        probe = replace(recipe, epochs=start + filling)
        *first_epochs, later = model.epoch_seconds(probe, start)[start - 1 :]
        done = start - 1
        if start == 1:
            spent, done = first_epochs.pop(0), 1
        caching = max((each - later for each in first_epochs), default=0.0)
        cost = EpochCost(batches, later, 0.0, caching, len(first_epochs))
        planned = epochs_in_budget(recipe.minutes, spent, done, cost, most)
    return replace(recipe, epochs=planned.epochs)


# --- costs ----------------------------------------------------------------------------------------


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
    validation images, of one process if each has a graphics card. `free_memory` are the bytes that
    were free on the device before anything was timed.
    """

    def __init__(
        self,
        timer: StepTimer,
        warmup_photos: int,
        photos: int,
        size: int,
        counts: tuple[int, int],
        free_memory: int,
    ) -> None:
        self.timer, self.warmup_photos, self.photos = timer, warmup_photos, photos
        self.size, self.counts, self.free_memory = size, counts, free_memory
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

    def epoch_seconds(self, recipe: Recipe, since: int = 1) -> list[float]:
        """Seconds of each epoch of `recipe`. It may differ from the timed recipe in training sizes
        and in what it caches. Features are cached from epoch `since` on, or from the one after it
        if that fits the head; epochs before do not count."""
        train, validation = self.counts
        largest = largest_training_size(recipe.training_size, self.size)
        cached = self.timer.split.is_split and recipe.feature_cache
        where, _ = self.cache_space(recipe)
        views = views_of(recipe) if where else 0
        longest = MAX_SHARE_OF_BUDGET * 60 * recipe.minutes
        last_filling = since + views - 1 + recipe.fits_head_in(since)
        evaluation = self._cost(self.size)
        forward = evaluation.head / 3  # the backward pass takes twice as long
        if recipe.minutes:
            image_seconds = evaluation.backbone + forward + self.loading.decode
            validation = min(validation, validation_images(recipe.minutes, image_seconds))
        seconds = []
        for epoch in range(1, recipe.epochs + 1):
            side = training_size(recipe.first_training_size, largest, epoch, recipe.epochs)
            cost = self._cost(side)
            seen = train
            if recipe.fits_head_in(epoch):
                cost = replace(evaluation, head=forward)
                seen = min(train, self._fitted_images(recipe))
            spent = seen * cost.head
            if epoch == 1:
                spent += seen * self.loading.decode
            if epoch <= last_filling or not views:
                spent += seen * (cost.backbone + self.loading.augment)
            if recipe.minutes and recipe.fits_head_in(epoch):
                spent = min(spent, longest)
            spent += validation * forward
            if epoch == 1:
                spent += validation * self.loading.decode
            if epoch == since or not cached:
                spent += validation * evaluation.backbone
            seconds.append(spent)
        return seconds

    def _fitted_images(self, recipe: Recipe) -> int:
        """The most images that the head is fitted on; see `fitted_images`."""
        name = linear_head_name(self.timer.net, recipe.model)
        if not name:
            return self.counts[0]
        head = self.timer.net.get_submodule(name)
        assert isinstance(head, nn.Linear)
        return fitted_images(head.out_features, head.in_features)

    def cache_space(self, recipe: Recipe) -> tuple[str, int]:
        """Where the features of the training images are cached ("memory", "file", or "" for
        nowhere), and how many bytes they take; 0 if they can't be cached."""
        largest = largest_training_size(recipe.training_size, self.size)
        cached = self.timer.split.is_split and recipe.feature_cache
        if not cached or why_not_cacheable(recipe, largest):
            return "", 0
        cost, (train, _) = next(iter(self.costs.values())), self.counts
        size = math.ceil(train * views_of(recipe) * cost.feature_bytes)
        filling = self._cost(largest).backbone + self.loading.augment + self.loading.decode
        if recipe.minutes and train * filling > MAX_SHARE_OF_BUDGET * 60 * recipe.minutes:
            return "", size  # the run gives it up
        if size <= feature_cache.MEMORY_SHARE * self.free_memory:
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


def _largest_batch(recipe: Recipe, model: _CostModel, side: int) -> int:
    """How many images fit in memory beside weights, gradients, the optimizer's moments and the
    EMA weights; 0 for none. Each process has those, on a graphics card of its own if there are
    some, and its share of the images."""
    timer, largest = model.timer, largest_training_size(recipe.training_size, model.size)
    saved_bytes = model.costs[side].saved_bytes * (largest / side) ** 2
    weight_bytes = sum(p.nbytes for p in timer.net.parameters())
    trained_bytes = sum(p.nbytes for p in timer.net.parameters() if p.requires_grad)
    moments = 1 if recipe.optimizer == "sgd" else 2
    fixed = weight_bytes * (1 + bool(recipe.ema)) + trained_bytes * (1 + moments)
    memory = FREE_MEMORY_SHARE * model.free_memory
    if timer.device.type == "cpu":
        memory /= recipe.processes
    images = 2 * 3 * largest * largest * 4  # float32, and a copy while they are augmented
    fitting = math.floor((memory - fixed) / (saved_bytes * BACKWARD_FACTOR + images))
    return max(fitting * recipe.processes, 0)
