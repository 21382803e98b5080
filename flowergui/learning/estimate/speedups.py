"""Suggests settings with which a run takes less time and becomes about as accurate."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowergui.config.presets import CACHED_VIEWS
from flowergui.config.recipe import Recipe
from flowergui.config.resizing import GRID, largest_training_size, training_size
from flowergui.facts import SpeedupKind
from flowergui.learning.models.describe import supports_size
from flowergui.learning.training.data_pipeline import why_not_cacheable

MIN_RUN_SECONDS = 60.0
"""Shorter runs get no suggestions."""

MAX_TIME_SHARE = 2 / 3
"""A suggestion must take at most this share of the run's time."""

MIN_SIDE_PX = 64
"""Smallest training size worth using, as in the recommended settings: networks reduce a side to a
32nd of its length."""

MIN_EPOCHS = 10
"""Fewest epochs for progressive resizing."""

Values = tuple[tuple[str, int], ...]


def suggestions(recipe: Recipe, size: int, *, frozen: bool) -> Iterator[tuple[SpeedupKind, Values]]:
    """Kinds of speedups for `recipe` with the settings that they change.

    The network's input is `size` x `size` px. `frozen` means that its first layers are frozen, so
    that their features can be cached.
    """
    largest = largest_training_size(recipe.training_size, size)
    if frozen:
        yield from _cacheable(recipe, largest)
    elif not recipe.first_training_size:
        yield from _progressive(recipe, size, largest)


def _cacheable(recipe: Recipe, largest: int) -> Iterator[tuple[SpeedupKind, Values]]:
    """Settings with which images repeat, so that the feature cache can be used."""
    values: dict[str, Any] = {}
    if 0 < recipe.first_training_size < largest:
        values["first_training_size"] = 0
    if recipe.augmentation != "none" and not recipe.cached_views:
        values["cached_views"] = CACHED_VIEWS
    if (
        values
        and recipe.feature_cache
        and not why_not_cacheable(replace(recipe, **values), largest)
    ):
        cached = "cached_views" in values
        kind = SpeedupKind.CACHED_AUGMENTATIONS if cached else SpeedupKind.CONSTANT_SIZE
        yield kind, tuple(values.items())


def _progressive(recipe: Recipe, size: int, largest: int) -> Iterator[tuple[SpeedupKind, Values]]:
    """Progressive resizing from half the image size on, up to three quarters of it if images are
    augmented with random crops (see `largest_training_size`)."""
    first = size // 2 // GRID * GRID
    values: Values = (("first_training_size", first),)
    if recipe.augmentation != "none" and not recipe.training_size:
        largest = round(size * 3 / 4 / GRID) * GRID
        values = (("training_size", largest), *values)
    grows = training_size(first, largest, recipe.epochs, recipe.epochs) == largest
    if recipe.compiled or recipe.epochs < MIN_EPOCHS or not grows:
        return  # each size is compiled again, for a minute or more
    if not recipe.image_size and recipe.mode == "transfer" and Path(recipe.weights).suffix:
        return  # the file decides the image size, and it is not read here
    if MIN_SIDE_PX <= first < largest <= size and supports_size(recipe.model, size, first, largest):
        yield SpeedupKind.PROGRESSIVE_RESIZING, values
