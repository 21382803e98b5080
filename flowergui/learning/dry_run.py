"""A step on made-up photos before a run begins: how long it will take, and whether it fits."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui import allocator
from flowergui.events import Estimated, Preparing
from flowergui.learning import augmentation, batches, machine, pictures, weights
from flowergui.learning.schedule import training_size
from flowergui.learning.sides import changing, views_of
from flowergui.learning.trial import Trial, few
from flowergui.recipe import Recipe

PATIENCE = 0.4
"""Seconds of a first step, above which there is no second one."""

SPARE = 0.8
"""The share of free memory that a run may count on."""

BACKWARD = 1.5
"""How much more memory the backward pass takes than what the forward pass keeps for it."""


def look(
    recipe: Recipe, counts: tuple[int, int], classes: int, examples: Sequence[str]
) -> Iterator[Preparing | Estimated]:
    """Tries a step of `recipe` on noise, with `counts` photos to train and to validate on;
    `examples` are some of them. Draws from no generator. Raises FlowerError for what can't be."""
    size = recipe.image_size or weights.own_image_size(recipe.model, recipe.weights)
    photos = few(recipe, size)
    if not photos:
        return
    device = machine.device(recipe.device)
    dtype = machine.precision(recipe.precision, device)
    allocator.keep_pages()
    yield Preparing("Trying a step", 0, 3)
    trial = Trial(recipe, classes, size, device, dtype)
    side = recipe.training_size or size
    trial.step(photos, side)
    yield Preparing("Trying a step", 1, 3)
    if trial.seconds < PATIENCE:
        trial.step(min(recipe.batch_size, 16), side)
    yield Preparing("Trying a step", 2, 3)
    epochs = _epochs(recipe, counts, trial, _loading(recipe, side, examples), side)
    views = views_of(recipe) if trial.halves.split and recipe.feature_cache else 0
    later = epochs[max(views, 1) :] or epochs[-1:]
    yield Estimated(
        epoch=sum(later) / len(later),
        first_epoch=epochs[0],
        seconds=sum(epochs),
        largest_batch=_largest_batch(recipe, trial, side),
        cached=views > 0 and not changing(recipe, side),
    )


@dataclass(frozen=True, slots=True)
class _Loading:
    """Seconds that a photo takes: to decode it, and to show it once more."""

    decoding: float
    showing: float


def _loading(recipe: Recipe, side: int, examples: Sequence[str]) -> _Loading:
    """Seconds to decode one of these photos, and to look at it once more when it is decoded."""
    prepare = batches.for_training(side, recipe.augmentation)
    decoding, showing = [0.0], [0.0]
    for index, example in enumerate(examples):
        try:
            began = time.perf_counter()
            pixels = prepare(Path(example))
            between = time.perf_counter()
        except pictures.UnreadableError:
            continue
        augmentation.view(pixels, recipe.augmentation, side, recipe.seed, 1, index)
        decoding.append(between - began)
        showing.append(time.perf_counter() - between)
    share = 1 / max(len(decoding) - 1, 1) / machine.cores()
    return _Loading(sum(decoding) * share, sum(showing) * share)


def _epochs(
    recipe: Recipe, counts: tuple[int, int], trial: Trial, loading: _Loading, side: int
) -> list[float]:
    """Seconds of each epoch."""
    train, validation = counts
    kept = trial.halves.split and recipe.feature_cache
    views = views_of(recipe) if kept and not changing(recipe, side) else 0
    forward = trial.second / 3  # the backward pass takes twice as long
    seconds = []
    for epoch in range(1, recipe.epochs + 1):
        size = training_size(recipe.first_training_size, side, epoch, recipe.epochs)
        area = (size / side) ** 2
        spent = train * trial.second * area + validation * forward
        if epoch == 1:
            spent += (train + validation) * loading.decoding
        if epoch == 1 or not kept:
            spent += validation * trial.first
        if epoch <= views or not views:
            spent += train * (trial.first * area + loading.showing)
        seconds.append(spent)
    return seconds


def _largest_batch(recipe: Recipe, trial: Trial, side: int) -> int:
    """How many photos fit into memory beside weights, gradients, the optimizer's moments and the
    averaged weights; 0 for none."""
    weights_size = sum(p.nbytes for p in trial.net.parameters())
    trained = sum(p.nbytes for p in trial.net.parameters() if p.requires_grad)
    moments = 1 if recipe.optimizer == "sgd" else 2
    fixed = weights_size * (1 + bool(recipe.ema)) + trained * (1 + moments)
    room = SPARE * machine.free_memory(trial.device) - fixed
    images = 2 * 3 * side * side * 4  # float32, and once more while they are dressed
    return max(math.floor(room / (trial.kept * BACKWARD + images)), 0)
