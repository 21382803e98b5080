"""Values with which a run would take less time and learn about as well."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowergui.config.recipe import Recipe
from flowergui.learning.models.describe import supports_size
from flowergui.learning.training.data_pipeline import why_not_cacheable
from flowergui.learning.training.schedule import GRID, training_size

WORTH = 60.0
"""Seconds of a run, below which there is nothing to gain."""

SHARE = 2 / 3
"""The share of a run's time that another way may take at most to be told of."""

VIEWS = 4
"""Cached views of each photo, as the recommended values have them (presets.py)."""

SMALLEST = 64
"""Pixels of the smallest squares that are worth looking at, as the recommended values from scratch
have them; networks leave a 32nd of a side in the end."""

EPOCHS = 10
"""Fewest epochs in which squares grow calmly."""

Values = tuple[tuple[str, int], ...]


def suggestions(recipe: Recipe, size: int, *, frozen: bool) -> Iterator[tuple[str, Values]]:
    """What `recipe`, which looks at photos of `size` x `size` px, could do to take less time: a
    name, and the settings that it takes. `frozen`: the first layers are, so that what they give
    can be kept. The names: "growing squares", "cached views", "one size"."""
    largest = recipe.training_size or size
    if frozen:
        yield from _kept(recipe, largest)
    elif not recipe.first_training_size:
        yield from _growing(recipe, size, largest)


def _kept(recipe: Recipe, largest: int) -> Iterator[tuple[str, Values]]:
    """Photos that are alike at times, so that frozen layers need not look at them again."""
    values: dict[str, Any] = {}
    if 0 < recipe.first_training_size < largest:
        values["first_training_size"] = 0
    if recipe.augmentation != "none" and not recipe.cached_views:
        values["cached_views"] = VIEWS
    if (
        values
        and recipe.feature_cache
        and not why_not_cacheable(replace(recipe, **values), largest)
    ):
        yield "cached views" if "cached_views" in values else "one size", tuple(values.items())


def _growing(recipe: Recipe, size: int, largest: int) -> Iterator[tuple[str, Values]]:
    """Squares that begin with half the image size; where augmentation cuts pieces out, they need
    no more than three quarters of it in the end (`Training.largest_training_size` says why)."""
    first = size // 2 // GRID * GRID
    values: Values = (("first_training_size", first),)
    if recipe.augmentation != "none" and not recipe.training_size:
        largest = round(size * 3 / 4 / GRID) * GRID
        values = (("training_size", largest), *values)
    grown = training_size(first, largest, recipe.epochs, recipe.epochs) == largest
    if recipe.compiled or recipe.epochs < EPOCHS or not grown:
        return  # each size is compiled anew, for a minute or more
    if not recipe.image_size and recipe.mode == "transfer" and Path(recipe.weights).suffix:
        return  # it is the file that says how large photos are, and it is not read here
    if SMALLEST <= first < largest <= size and supports_size(recipe.model, size, first, largest):
        yield "growing squares", values
