"""Values with which a run would take less time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import TrainingSizeChanged, Warned
from flowergui.facts import SpeedupKind
from flowergui.learning.estimate import speedups

GROWING = (SpeedupKind.PROGRESSIVE_RESIZING, (("training_size", 160), ("first_training_size", 96)))
VIEWS = (SpeedupKind.CACHED_AUGMENTATIONS, (("cached_views", 4),))


@pytest.mark.parametrize(
    ("size", "values"),
    [
        (224, {"training_size": 160, "first_training_size": 96}),
        (128, {"training_size": 96, "first_training_size": 64}),
        (160, {"training_size": 128, "first_training_size": 64}),
        (384, {"training_size": 288, "first_training_size": 192}),
        (300, {"training_size": 224, "first_training_size": 128}),
        (127, {}),
        (96, {}),
        (32, {}),
    ],
)
def test_squares_may_grow(size: int, values: dict[str, int]) -> None:
    told = {
        k: v
        for _, more in speedups.suggestions(Recipe(mode="scratch"), size, frozen=False)
        for k, v in more
    }
    assert told == values


@pytest.mark.parametrize(
    ("changes", "frozen", "ways"),
    [
        ({}, False, [GROWING]),
        # What is not cut out of photos looks as large in training as afterwards.
        (
            {"augmentation": "none"},
            False,
            [(SpeedupKind.PROGRESSIVE_RESIZING, (("first_training_size", 96),))],
        ),
        (
            {"training_size": 192},
            False,
            [(SpeedupKind.PROGRESSIVE_RESIZING, (("first_training_size", 96),))],
        ),
        ({"first_training_size": 64}, False, []),  # they grow already
        ({"training_size": 96}, False, []),
        ({"epochs": 9}, False, []),
        ({"compiled": True}, False, []),
        ({"model": "vit_b_16"}, False, []),  # takes one size
        ({"mode": "transfer"}, False, [GROWING]),
        ({"mode": "transfer", "weights": "of/mine.pth"}, False, []),  # of unknown size
        ({"mode": "transfer", "weights": "of/mine.pth", "image_size": 224}, False, [GROWING]),
        ({}, True, [VIEWS]),
        ({"cached_views": 4}, True, []),
        ({"augmentation": "none"}, True, []),  # photos are alike already
        ({"mixup": 0.2}, True, []),
        ({"feature_cache": False}, True, []),
        (
            {"first_training_size": 64},
            True,
            [(SpeedupKind.CACHED_AUGMENTATIONS, (("first_training_size", 0), ("cached_views", 4)))],
        ),
        (
            {"first_training_size": 64, "augmentation": "none"},
            True,
            [(SpeedupKind.CONSTANT_SIZE, (("first_training_size", 0),))],
        ),
        ({"training_size": 96, "first_training_size": 128}, True, [VIEWS]),  # they don't grow
    ],
)
def test_what_takes_less_time(
    changes: dict[str, Any], frozen: bool, ways: list[tuple[SpeedupKind, Any]]
) -> None:
    recipe = Recipe(**{"mode": "scratch", "model": "resnet18", **changes})
    assert list(speedups.suggestions(recipe, 224, frozen=frozen)) == ways


def test_a_run_takes_it(little: Callable[..., Recipe]) -> None:
    recipe = little(image_size=128, epochs=10, augmentation="light")
    ((_, values),) = speedups.suggestions(recipe, 128, frozen=False)
    changed = replace(recipe, **dict[str, Any](values))
    assert changed.problems() == {}
    events = list(tasks.train(changed))
    sizes = [event.size for event in events if isinstance(event, TrainingSizeChanged)]
    assert sizes[-1] == 96
    assert not any("one size" in event.message for event in events if isinstance(event, Warned))
