"""A step on made-up photos before a run begins: how long it will take, and whether it fits."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowergui.config.recipe import Recipe
from flowergui.events import (
    Estimated,
    Preparing,
)
from flowergui.facts import (
    Speedup,
)
from flowergui.learning.acceleration import feature_cache
from flowergui.learning.acceleration.step_timer import StepTimer, sample_batch_size
from flowergui.learning.data import augmentation, image_io
from flowergui.learning.data.dataset import train_transform
from flowergui.learning.device import hardware
from flowergui.learning.estimate import speedups
from flowergui.learning.models import weights
from flowergui.learning.models.describe import supports_size
from flowergui.learning.training import loop
from flowergui.learning.training.data_pipeline import views_of, why_not_cacheable
from flowergui.learning.training.schedule import training_size
from flowergui.store import paths
from flowergui.system import allocator

PATIENCE = 0.4
"""Seconds of a first step, above which there is no second one: all is to take a second at most."""

MORE = 12
"""Most photos of the second one: enough to be as fast, each, as those of a batch."""

SPARE = 0.8
"""The share of free memory that a run may count on."""

BACKWARD = 1.5
"""How much more memory the backward pass takes than what the forward pass keeps for it."""


def estimate(
    recipe: Recipe, counts: tuple[int, int], classes: int, examples: Sequence[str]
) -> Iterator[Preparing | Estimated]:
    """Tries a step of `recipe` on noise, with `counts` photos to train and to validate on;
    `examples` are some of them. Draws from no generator. Raises FlowerError for what can't be."""
    size = recipe.image_size or weights.own_image_size(recipe.model, recipe.weights)
    photos = sample_batch_size(recipe, size)
    if not photos:
        return
    device = hardware.device(recipe.device)
    dtype = hardware.precision(recipe.precision, device)
    allocator.tune_malloc()
    trial = StepTimer(recipe, classes, size, device, dtype)
    side = recipe.training_size or size
    first = recipe.first_training_size
    sides = (side, first) if 0 < first < side else (side,)
    if not supports_size(recipe.model, size, *sides[1:]):
        recipe, sides = replace(recipe, first_training_size=0), (side,)  # as a run does
    tried = _CostModel(trial, photos, min(recipe.batch_size, MORE), size, counts)
    for done, each in enumerate(sides):
        yield Preparing("Trying a step", done, len(sides) + 1)
        tried.step(each)
    yield Preparing("Trying a step", len(sides), len(sides) + 1)
    tried.loading = _loading(recipe, side, examples)
    epochs = tried.epochs(recipe)
    where, bytes_in_all = tried.room(recipe)
    later = epochs[max(views_of(recipe) if where else 0, 1) :] or epochs[-1:]
    largest = _largest_batch(recipe, trial, side, tried.costs[side].kept)
    yield Estimated(
        epoch=sum(later) / len(later),
        first_epoch=epochs[0],
        seconds=sum(epochs),
        largest_batch=largest,
        where=where,
        size=bytes_in_all,
        speedups=_quicker(recipe, tried, sum(epochs)) if largest >= recipe.batch_size else None,
    )


@dataclass(frozen=True, slots=True)
class _Loading:
    """Seconds that a photo takes: to decode it, and to show it once more."""

    decoding: float
    showing: float


def _loading(recipe: Recipe, side: int, examples: Sequence[str]) -> _Loading:
    """Seconds to decode one of these photos, and to look at it once more when it is decoded."""
    prepare = train_transform(side, recipe.augmentation)
    decoding, showing = [0.0], [0.0]
    for index, example in enumerate(examples):
        try:
            began = time.perf_counter()
            pixels = prepare(Path(example))
            between = time.perf_counter()
        except image_io.UnreadableError:
            continue
        augmentation.random_resized_crop(pixels, recipe.augmentation, side, recipe.seed, 1, index)
        decoding.append(between - began)
        showing.append(time.perf_counter() - between)
    share = 1 / max(len(decoding) - 1, 1) / hardware.cores()
    return _Loading(sum(decoding) * share, sum(showing) * share)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Seconds a photo in the `first` half of the network and in the `second`, backward pass
    included; bytes a photo that the first half `gives`, and that are `kept` for the backward
    pass."""

    first: float
    second: float
    gives: float
    kept: float


class _CostModel:
    """What steps on squares of several sides took, for photos that are looked at in `size` px and
    `counts` of them to train and to validate on."""

    def __init__(
        self, trial: StepTimer, few: int, more: int, size: int, counts: tuple[int, int]
    ) -> None:
        """A first step takes `few` photos, and where that is short, one takes `more`."""
        self.trial, self.few, self.more = trial, few, more
        self.size, self.counts = size, counts
        self.loading = _Loading(0.0, 0.0)
        self.costs: dict[int, _Cost] = {}
        self.short = True  # the first step was

    def step(self, side: int) -> None:
        """Times squares of `side` px."""
        trial = self.trial
        if not self.costs or not self.short:
            self.short = trial.step(self.few, side) < PATIENCE
        if self.short:
            trial.step(self.more, side)
        self.costs[side] = _Cost(trial.first, trial.second, trial.gives, trial.kept)

    def epochs(self, recipe: Recipe) -> list[float]:
        """Seconds of each epoch of `recipe`, which may differ from what was tried in the sizes
        that it trains on, and in what it keeps."""
        train, validation = self.counts
        largest = recipe.training_size or self.size
        kept = self.trial.halves.is_split and recipe.feature_cache
        where, _ = self.room(recipe)
        views = views_of(recipe) if where else 0
        looking = self._cost(self.size)
        forward = looking.second / 3  # the backward pass takes twice as long
        seconds = []
        for epoch in range(1, recipe.epochs + 1):
            side = training_size(recipe.first_training_size, largest, epoch, recipe.epochs)
            cost = self._cost(side)
            spent = train * cost.second + validation * forward
            if epoch == 1:
                spent += (train + validation) * self.loading.decoding
            if epoch == 1 or not kept:
                spent += validation * looking.first
            if epoch <= views or not views:
                spent += train * (cost.first + self.loading.showing)
            seconds.append(spent)
        return seconds

    def room(self, recipe: Recipe) -> tuple[str, int]:
        """Where a run keeps what frozen layers give of the photos to train on ("memory", "file",
        or "" for nowhere), and how many bytes that takes; 0 where they can't be kept."""
        largest = recipe.training_size or self.size
        kept = self.trial.halves.is_split and recipe.feature_cache
        if not kept or why_not_cacheable(recipe, largest):
            return "", 0
        cost, (train, _) = next(iter(self.costs.values())), self.counts
        size = math.ceil(train * views_of(recipe) * cost.gives)
        if size <= loop.MEMORY_SHARE * hardware.free_memory(self.trial.device):
            return "memory", size
        disk = feature_cache.DISK_SHARE * hardware.free_disk(paths.cache_folder())
        return "file" if size <= disk else "", size

    def _cost(self, side: int) -> _Cost:
        """Of squares of `side` px: with the area what a larger one took more than a smaller one
        grows, and where only one was tried, all."""
        small, large = min(self.costs), max(self.costs)
        least, most = self.costs[small], self.costs[large]
        if small == large:
            share = (side / large) ** 2
            return replace(most, first=most.first * share, second=most.second * share)
        share = (side**2 - small**2) / (large**2 - small**2)
        return replace(
            most,
            first=least.first + max(most.first - least.first, 0.0) * share,
            second=least.second + max(most.second - least.second, 0.0) * share,
        )


def _quicker(recipe: Recipe, tried: _CostModel, seconds: float) -> Speedup | None:
    """A way that takes far less than the `seconds` of `recipe`."""
    if seconds < speedups.WORTH:
        return None
    for name, values in speedups.suggestions(
        recipe, tried.size, frozen=tried.trial.halves.is_split
    ):
        other = replace(recipe, **dict[str, Any](values))
        where, size = tried.room(other)
        if size and where != "memory":
            continue  # it is for the user to give away so much of the disk
        if sum(tried.epochs(other)) <= speedups.SHARE * seconds:
            if other.first_training_size not in (0, *tried.costs):  # it seems so: is it?
                tried.step(other.first_training_size)
            least = sum(tried.epochs(other))
            if least <= speedups.SHARE * seconds:
                return Speedup(name, values, least)
    return None


def _largest_batch(recipe: Recipe, trial: StepTimer, side: int, kept: float) -> int:
    """How many photos fit into memory beside weights, gradients, the optimizer's moments and the
    averaged weights; 0 for none."""
    weights_size = sum(p.nbytes for p in trial.net.parameters())
    trained = sum(p.nbytes for p in trial.net.parameters() if p.requires_grad)
    moments = 1 if recipe.optimizer == "sgd" else 2
    fixed = weights_size * (1 + bool(recipe.ema)) + trained * (1 + moments)
    room = SPARE * hardware.free_memory(trial.device) - fixed
    images = 2 * 3 * side * side * 4  # float32, and once more while they are dressed
    return max(math.floor(room / (kept * BACKWARD + images)), 0)
