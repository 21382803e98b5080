"""A time budget with room for it has fine-tuning see larger images."""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import pytest
import torch

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.events import Estimated, Preparing
from flowergui.learning.acceleration.step_timer import StepCost, StepTimer
from flowergui.learning.device import hardware
from flowergui.learning.training import larger_images

Little = Callable[..., Recipe]
CPU = torch.device("cpu")


@pytest.fixture
def recommended() -> Recipe:
    recipe = Recipe(photos="/photos", mode="transfer", model="efficientnet_lite0")
    return with_preset(recipe, "recommended")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Steps take 20 ms for an image of 192 px; returns the sides that are timed."""
    sides: list[int] = []

    def step(timer: StepTimer, photos: int, side: int) -> StepCost:
        sides.append(side)
        return StepCost(0.0, 0.02 * (side / 192) ** 2, 1024.0, 1024.0)

    monkeypatch.setattr(StepTimer, "step", step)
    monkeypatch.setattr(hardware, "cores", lambda: 2)
    return sides


def chosen(recipe: Recipe, size: int = 288, train: int = 800) -> Recipe:
    choosing: Generator[Any, None, Recipe] = larger_images.choose(
        recipe, size, (train, train // 4), 5, CPU, torch.float32
    )
    while True:
        try:
            next(choosing)
        except StopIteration as end:
            found: Recipe = end.value
            return found


@pytest.mark.parametrize(("minutes", "training_size"), [(10, 192), (15, 224), (20, 256)])
def test_the_training_size_follows_from_the_time_budget(
    recommended: Recipe, steps: list[int], minutes: float, training_size: int
) -> None:
    wanted = replace(recommended, minutes=float(minutes))
    assert chosen(wanted) == replace(wanted, training_size=training_size)
    assert set(steps) == {192}


def test_the_first_steps_are_slower_and_do_not_count(
    recommended: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = iter([0.06, 0.03, 0.02, 0.02, 1.0])
    monkeypatch.setattr(StepTimer, "step", lambda *_: StepCost(0.0, next(took), 1.0, 1.0))
    monkeypatch.setattr(hardware, "cores", lambda: 2)
    assert chosen(replace(recommended, minutes=20.0)).training_size == 256
    assert list(took) == [1.0]


def test_slow_steps_are_not_repeated_and_can_be_stopped(
    recommended: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    def step(timer: StepTimer, photos: int, side: int) -> StepCost:
        steps.append(photos)
        return StepCost(0.0, 0.5, 1.0, 1.0)

    monkeypatch.setattr(StepTimer, "step", step)
    monkeypatch.setattr(hardware, "cores", lambda: 2)
    wanted = replace(recommended, minutes=20.0)
    choosing = larger_images.choose(wanted, 288, (800, 200), 5, CPU, torch.float32)
    assert [type(event) for event in choosing] == [Preparing] * 3
    assert len(steps) == 2  # the first one is slower anyway


def test_where_there_is_no_room_nothing_is_timed(recommended: Recipe, steps: list[int]) -> None:
    assert chosen(recommended, train=1600) == recommended
    assert steps == []


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": 0.0},
        {"training_size": 160},
        {"fit_head": False},
        {"batch_size": 16},
        {"model": "squeezenet1_1"},
        {"model": "vit_b_32"},
    ],
)
def test_what_the_user_chose_stays(
    recommended: Recipe, steps: list[int], changes: dict[str, Any]
) -> None:
    wanted = replace(recommended, **{"minutes": 100.0, **changes})
    size = 224 if "model" in changes else 288
    assert chosen(wanted, size) == wanted


def test_too_little_memory_is_left_to_the_run(
    recommended: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*_: object) -> StepCost:
        raise RuntimeError("not enough memory")

    monkeypatch.setattr(StepTimer, "step", step)
    wanted = replace(recommended, minutes=100.0)
    assert chosen(wanted) == wanted


def test_the_estimate_plans_with_larger_images(recommended: Recipe, steps: list[int]) -> None:
    def told(minutes: float, training_size: int) -> Estimated:
        recipe = replace(recommended, minutes=minutes, training_size=training_size)
        *_, last = tasks.estimate(recipe, 800, 200, 5)
        assert isinstance(last, Estimated)
        return last

    large, given = told(20.0, 192), told(20.0, 256)
    assert large.epochs == given.epochs < 41
    assert large.largest_batch < told(5.0, 192).largest_batch
