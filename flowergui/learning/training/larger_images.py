"""Larger training images, where a time budget has room for them."""

import math
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import torch

from flowergui.config.presets import PRESETS, preset_of
from flowergui.config.recipe import Recipe
from flowergui.config.time_budget import training_size_in_budget
from flowergui.events import Preparing
from flowergui.learning.acceleration.linear_head import linear_head_name
from flowergui.learning.acceleration.step_timer import StepTimer, sample_batch_size
from flowergui.learning.device import hardware
from flowergui.learning.device.distributed import world
from flowergui.learning.models.describe import supports_size
from flowergui.learning.training.run import VALIDATION_COST
from flowergui.text import tr

MAX_TIMED_STEPS = 5
MAX_TIMED_SECONDS = 4.0
"""So many steps are timed at most, and no more after so many seconds; see `_fastest_step`."""

SETTLED = 0.95
"""The steps have settled once one takes more than this share of the fastest before it."""

TIMED_IMAGES = 12
"""Images of a timed step: enough to be as fast, per image, as a batch."""

MIN_CORE_SECONDS = 0.015
"""What a step takes at least for an image, in seconds of a processor's core: where the budget has
no room even then, nothing is timed, and the first answer comes sooner."""


def may_be_larger(recipe: Recipe, size: int) -> bool:
    """Whether the program chooses the training size of this recipe, whose images have `size` px: if
    it fine-tunes from a fitted head within a time budget by the recommended values."""
    if not (recipe.minutes and recipe.fits_head_in(1)):
        return False
    values: dict[str, Any] = {"minutes": PRESETS["recommended"]["transfer"]["minutes"]}
    is_recommended = preset_of(replace(recipe, **values)) == "recommended"
    return is_recommended and supports_size(recipe.model, size, recipe.training_size)


def with_larger_images(
    recipe: Recipe, size: int, counts: tuple[int, int], step_seconds: float
) -> Recipe:
    """`recipe` with the training size that its time budget has room for. `counts` are the numbers
    of training and validation images, `size` is the side in pixels of those that are validated, and
    `step_seconds` is what a training step takes for an image of the recipe's training size."""
    train, validation = counts
    look = VALIDATION_COST * step_seconds * (size / recipe.training_size) ** 2
    left = 60 * recipe.minutes - train * look  # the head is fitted first
    epoch = train * step_seconds + validation * look
    larger = training_size_in_budget(recipe.training_size, size, left, epoch)
    return replace(recipe, training_size=larger)


def choose(
    recipe: Recipe,
    size: int,
    counts: tuple[int, int],
    classes: int,
    device: torch.device,
    dtype: torch.dtype,
) -> Generator[Preparing, None, Recipe]:
    """The recipe of a new run with the training size that its time budget has room for, by a step
    that is timed; see `with_larger_images`. The network has `classes` outputs and computes in
    `dtype` on `device`. Draws from no random generator. Raises FlowerError as `StepTimer` does.

    Of several processes, which share the images, the first one chooses, and the others are told
    with the run.
    """
    processes = world().size
    counts = math.ceil(counts[0] / processes), math.ceil(counts[1] / processes)
    if not sample_batch_size(recipe, size) or not may_be_larger(recipe, size):
        return recipe
    least = MIN_CORE_SECONDS / hardware.cores() if device.type == "cpu" else 0.0
    if with_larger_images(recipe, size, counts, least) == recipe:
        return recipe
    yield Preparing(tr("Timing a step"), 0, 0)
    try:
        timer = StepTimer(replace(recipe, frozen=()), classes, size, device, dtype)
        if not linear_head_name(timer.net, recipe.model):
            return recipe  # it is not fitted
        seconds = yield from _fastest_step(timer, recipe.training_size)
    except (RuntimeError, MemoryError):  # the run will fail too, and report it
        return recipe
    return with_larger_images(recipe, size, counts, seconds)


def _fastest_step(timer: StepTimer, side: int) -> Generator[Preparing, None, float]:
    """The seconds of a training step for an image of `side` px: of the fastest of some steps. The
    first ones are slower: memory is taken, and kernels are chosen. Yields Preparing after each."""
    fastest, spent = math.inf, 0.0
    for _ in range(MAX_TIMED_STEPS):
        seconds = timer.step(TIMED_IMAGES, side).seconds
        spent += TIMED_IMAGES * seconds
        yield Preparing(tr("Timing a step"), 0, 0)
        is_first, fastest_before = fastest == math.inf, fastest
        fastest = min(seconds, fastest)
        if not is_first and (seconds > SETTLED * fastest_before or spent > MAX_TIMED_SECONDS):
            break
    return fastest
