"""A step on made-up photos tells what a run would take."""

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.config.resizing import training_size
from flowergui.errors import FlowerError
from flowergui.events import Estimated, Finished, Preparing
from flowergui.facts import SpeedupKind
from flowergui.learning.acceleration import feature_cache, step_timer
from flowergui.learning.device import hardware
from flowergui.learning.device.autocast import autocast
from flowergui.learning.estimate import dry_run, speedups

Little = Callable[..., Recipe]


def estimated(recipe: Recipe, train: int = 1000, validation: int = 200, **more: Any) -> Estimated:
    """The shortest of three: a machine that is busy makes a step take longer, never shorter."""
    found = []
    for _ in range(3):
        *before, told = tasks.estimate(recipe, train, validation, 3, **more)
        assert all(isinstance(event, Preparing) for event in before)
        assert isinstance(told, Estimated)
        found.append(told)
    return min(found, key=lambda each: each.seconds)


def test_it_is_near_what_comes(little: Little, folder: Path) -> None:
    examples = [str(path) for path in sorted(folder.rglob("*.jpg"))[:6]]
    recipe = little(image_size=128, epochs=6, batch_size=6)
    told = estimated(recipe, 18, 6, examples=examples)
    (done,) = [e for e in tasks.train(recipe) if isinstance(e, Finished)]
    assert done.seconds / 8 < told.seconds < 3 * done.seconds
    assert told.epoch <= told.first_epoch
    assert told.seconds == pytest.approx(told.first_epoch + 5 * told.epoch, rel=0.01)


def test_more_photos_take_longer_and_kept_features_less(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=64, epochs=20, frozen=("all-but-head",))
    kept, many = estimated(recipe), estimated(recipe, 10_000, 2_000)
    assert (kept.where, kept.size) == ("memory", 1000 * 256 * 4)
    assert many.seconds == pytest.approx(10 * kept.seconds, rel=0.7)
    assert kept.epoch < kept.first_epoch / 4
    without = estimated(replace(recipe, feature_cache=False))
    assert without.seconds > 4 * kept.seconds
    views = estimated(replace(recipe, augmentation="light", cached_views=5))
    assert (views.where, views.size) == ("memory", 5 * kept.size)
    assert kept.seconds < views.seconds < without.seconds
    mixed = estimated(replace(recipe, mixup=0.2))
    assert (mixed.where, mixed.size) == ("", 0)
    assert mixed.seconds > 4 * kept.seconds


def test_where_they_are_kept_is_told_and_counts(
    little: Little, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=64, epochs=20, frozen=("all-but-head",))
    monkeypatch.setenv("FLOWERGUI_CACHE", str(tmp_path / "not" / "there yet"))
    memory = estimated(recipe)
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 3 * memory.size)
    assert estimated(recipe).where == "file"
    monkeypatch.setattr(hardware, "free_disk", lambda folder: 2 * memory.size - 1)
    nowhere = estimated(recipe)
    assert (nowhere.where, nowhere.size) == ("", memory.size)
    assert nowhere.seconds > 4 * memory.seconds
    assert nowhere.epoch > nowhere.first_epoch / 2  # no later one takes a moment


def test_growing_squares_take_less(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=128, epochs=10)
    growing = replace(recipe, first_training_size=32)
    assert told(growing).seconds < 0.8 * told(recipe).seconds


def test_photos_held_back_are_looked_at_in_their_own_size(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=128, epochs=3)
    small = replace(recipe, training_size=32)
    assert told(small, 1, 1000).seconds > 0.5 * told(recipe, 1, 1000).seconds
    assert told(small, 1000, 1).seconds < 0.3 * told(recipe, 1000, 1).seconds


def costing(monkeypatch: pytest.MonkeyPatch, cost: Callable[[int], float]) -> list[int]:
    """A photo of `side` px takes `cost(side)` seconds, nine tenths of them in frozen layers, where
    there are some. Returns the sides that are tried."""
    sides: list[int] = []

    def step(timer: step_timer.StepTimer, photos: int, side: int) -> step_timer.StepCost:
        sides.append(side)
        backbone = 0.9 * cost(side) if timer.split.is_split else 0.0
        return step_timer.StepCost(backbone, cost(side) - backbone, 1024.0, 1024.0)

    monkeypatch.setattr(step_timer.StepTimer, "step", step)
    return sides


def told(recipe: Recipe, train: int = 1000, validation: int = 200) -> Estimated:
    *_, last = tasks.estimate(recipe, train, validation, 3)
    assert isinstance(last, Estimated)
    return last


def test_epochs_take_longer_once_layers_are_unfrozen(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(mode="transfer", image_size=64, epochs=20, frozen=("all-but-head",))
    frozen, whole = told(recipe), told(replace(recipe, frozen=()))
    for change in ({"unfreeze_schedule": ("*=11",)}, {"freeze_epochs": 10}):
        half = told(replace(recipe, **change))
        assert half.seconds == pytest.approx((frozen.seconds + whole.seconds) / 2, rel=0.05)
        assert (half.where, half.size, half.speedup) == ("memory", frozen.size, None)
        planned = told(replace(recipe, **change, minutes=half.seconds / 60)).epochs
        assert abs(planned - 20) <= 1
    steps.clear()
    stages = ("stages.3=5", "stages.2=9", "stages.1=13", "stages.0=17", "stem=17")
    one_by_one = told(replace(recipe, unfreeze_schedule=stages))
    assert frozen.seconds < one_by_one.seconds <= 1.05 * whole.seconds
    assert len(steps) == 3 * 4  # of five phases three are timed, once more to warm up


def test_a_budget_counts_the_epochs_that_cache_augmentations(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(mode="transfer", image_size=64, frozen=("all-but-head",), augmentation="light")
    for changes in ({"cached_views": 4}, {"cached_views": 4, "fit_head": True}):
        whole = told(replace(recipe, **changes, epochs=30))
        planned = told(replace(recipe, **changes, minutes=whole.seconds / 60))
        assert abs(planned.epochs - 30) <= 1
        assert planned.seconds == pytest.approx(whole.seconds, rel=0.05)
        assert planned.speedup is None


def test_the_epoch_that_fits_the_head_caches_no_augmentation(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(
        mode="transfer", image_size=64, frozen=("all-but-head",), augmentation="light",
        cached_views=4, epochs=10,
    )  # fmt: skip
    trained, fitted = told(recipe), told(replace(recipe, fit_head=True))
    a_pass = 1000 * 0.9 * 0.064**2  # of all images through the frozen layers
    assert fitted.seconds == pytest.approx(trained.seconds + a_pass, rel=0.1)


def test_each_of_several_graphics_cards_has_its_share_of_a_batch(little: Little) -> None:
    net = torch.nn.Linear(10, 10)
    cost = step_timer.StepCost(0.0, 1.0, 1024.0, 100_000.0)

    def largest(device: str, processes: int) -> int:
        timer = SimpleNamespace(net=net, device=torch.device(device))
        model: Any = SimpleNamespace(
            timer=timer, costs={64: cost}, size=64, free_memory=100_000_000
        )
        return dry_run._largest_batch(little(processes=processes), model, 64)

    assert largest("cuda", 4) == 4 * largest("cuda", 1) > 0
    assert largest("cpu", 4) == pytest.approx(largest("cpu", 1), rel=0.02)  # they share its memory


def test_a_head_that_cannot_be_fitted_is_estimated_as_it_is_trained(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = with_preset(little(mode="transfer", model="squeezenet1_1"), "recommended")
    assert told(recipe, 300, 60).epochs == 60
    many = told(recipe, 3_000, 10)
    assert many.epochs < 60
    assert many.seconds == pytest.approx(60 * recipe.minutes, rel=0.1)


def test_a_budget_bounds_the_estimate_of_many_images(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head is fitted on those that there is time for, an epoch ends with the budget, and a
    feature cache for which there is no time is given up."""
    costing(monkeypatch, lambda side: 0.02)
    recipe = little(
        mode="transfer", image_size=64, minutes=5.0, fit_head=True, frozen=("all-but-head",),
        freeze_epochs=1,
    )  # fmt: skip
    fitted = told(recipe, 80_000, 20_000)
    assert (fitted.epochs, fitted.seconds) == (2, 300)
    assert fitted.first_epoch == pytest.approx((0.77 + 0.12) * 300, rel=0.01)
    for frozen in ((), ("all-but-head",)):
        trained = told(
            replace(recipe, fit_head=False, freeze_epochs=0, frozen=frozen), 80_000, 20_000
        )
        assert (trained.epochs, trained.seconds) == (1, 300)
        assert trained.first_epoch > 1_600


def test_too_little_memory_for_a_step_leaves_no_estimate(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*_: Any) -> step_timer.StepCost:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(step_timer.StepTimer, "step", step)
    assert all(isinstance(event, Preparing) for event in tasks.estimate(little(), 10, 2, 3))


def test_a_file_of_weights_has_its_own_image_size(
    little: Little, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = next(e.run for e in tasks.train(little(epochs=1)) if isinstance(e, Finished))
    sides = costing(monkeypatch, lambda side: (side / 1000) ** 2)
    weights = str(Path(run) / "best.pth")
    told(little(mode="transfer", weights=weights, image_size=0))
    assert set(sides) == {32}


def test_what_would_take_less_is_told(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=128, epochs=20, augmentation="light")
    assert told(recipe, 10, 2).speedup is None  # it takes a moment as it is
    growing = told(recipe).speedup
    assert growing is not None
    assert growing.kind == SpeedupKind.PROGRESSIVE_RESIZING
    assert growing.seconds < told(recipe).seconds * speedups.MAX_TIME_SHARE
    taken = told(replace(recipe, **dict[str, Any](growing.values)))
    assert taken.seconds == pytest.approx(growing.seconds)
    assert taken.speedup is None
    head = replace(recipe, frozen=("all-but-head",))
    views = told(head).speedup
    assert views is not None
    assert views.kind == SpeedupKind.CACHED_AUGMENTATIONS
    assert told(replace(head, epochs=5), 10_000).speedup is None  # four of the five look anew
    monkeypatch.setattr(feature_cache, "MEMORY_SHARE", 0.0)
    assert told(head).speedup is None  # they have no room in memory


def test_smaller_squares_are_tried_before_they_are_offered(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small network hardly gains by them: what it does beside computing takes as long."""
    sides = costing(monkeypatch, lambda side: 0.05 + (side / 1000) ** 2)
    assert told(little(image_size=128, epochs=20, augmentation="light")).speedup is None
    assert list(dict.fromkeys(sides)) == [128, 64]  # 0.054 s there, and not a quarter of 0.066


@pytest.mark.parametrize("warm", [0.01, 0.5, 1.5])
def test_the_first_step_of_a_size_never_counts(
    little: Little, monkeypatch: pytest.MonkeyPatch, warm: float
) -> None:
    """It takes seven times as long as the others, and a run has hundreds of steps."""
    steps: list[int] = []

    def step(timer: step_timer.StepTimer, photos: int, side: int) -> step_timer.StepCost:
        first = side not in steps
        steps.append(side)
        return step_timer.StepCost(0.0, warm * (7 if first else 1) / photos, 1024.0, 1024.0)

    monkeypatch.setattr(step_timer.StepTimer, "step", step)
    recipe = little(image_size=128, epochs=10, batch_size=4, first_training_size=32)
    found = told(recipe, 1000, 0)
    assert found.seconds == pytest.approx(10 * 250 * warm, rel=0.01)
    for side in (128, 32):
        assert 2 <= steps.count(side) <= 4
    spent = sum(warm * (7 if index in (0, steps.index(32)) else 1) for index in range(len(steps)))
    assert spent < max(2.5, 2 * 8 * warm) + 1


def test_progressive_resizing_is_reckoned_with(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=128, epochs=10, augmentation="none", first_training_size=64)
    sizes = [training_size(64, 128, epoch, 10) for epoch in range(1, 11)]
    assert sizes[0] == 64
    assert sizes[-1] == 128
    expected = sum(1000 * (size / 1000) ** 2 for size in sizes)
    assert told(recipe, 1000, 0).seconds == pytest.approx(expected)


def test_what_a_dry_run_cached_on_the_device_is_given_back(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[weakref.ref[step_timer.StepTimer]] = []
    alive: list[int] = []
    real = step_timer.StepTimer.__init__

    def created(timer: step_timer.StepTimer, *args: Any) -> None:
        timers.append(weakref.ref(timer))
        real(timer, *args)

    monkeypatch.setattr(step_timer.StepTimer, "__init__", created)
    monkeypatch.setattr(
        hardware, "release", lambda: alive.append(sum(timer() is not None for timer in timers))
    )
    told(little())
    abandoned = tasks.estimate(little(), 10, 2, 3)
    next(abandoned)
    abandoned.close()
    assert len(timers) == 2
    assert alive == [0, 0]


def test_a_step_waits_for_the_device(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[torch.device] = []
    monkeypatch.setattr(hardware, "synchronize", waited.append)
    timer = step_timer.StepTimer(little(), 3, 64, torch.device("cpu"), torch.float32)
    timer.step(2, 64)
    assert waited == [torch.device("cpu")] * 3


def test_what_does_not_fit_is_not_made_quicker(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch, lambda side: (side / 1000) ** 2)
    recipe = little(image_size=128, epochs=20, augmentation="light")
    assert told(recipe).speedup is not None
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 1 << 20)
    assert told(recipe).speedup is None


def test_what_fits_into_memory(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = little(image_size=64)
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 1 << 30)
    some = estimated(recipe).largest_batch
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 2 << 30)
    more = estimated(recipe).largest_batch
    assert 50 < some < 20_000
    assert more == pytest.approx(2 * some, rel=0.1)
    frozen = estimated(replace(recipe, frozen=("stem", "stages"))).largest_batch
    assert frozen > 2 * more
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 1 << 20)
    assert estimated(recipe).largest_batch == 0


def test_no_generator_is_drawn_from(little: Little) -> None:
    before = torch.random.get_rng_state()
    estimated(little(model="mobilenet_v3_small", image_size=32))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_photos_that_cannot_be_read_are_passed_over(little: Little, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no photo")
    assert estimated(little(), examples=[str(tmp_path / "a.jpg")]).seconds > 0


def test_where_squares_cannot_grow_they_keep_their_size(little: Little) -> None:
    recipe = little(model="vit_b_16", image_size=224, first_training_size=64)
    whole = told(recipe, 10, 2)
    assert whole.epoch == pytest.approx(whole.first_epoch)


def test_giants_are_not_tried(little: Little) -> None:
    assert list(tasks.estimate(little(model="vit_h_14", image_size=0), 10, 2, 3)) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model": "vit_b_16", "image_size": 100}, "can't take images of 100 px"),
        ({"frozen": ("no such layer",)}, "No parameter of this network is called"),
        ({"frozen": ("stem", "stages", "fc")}, "Everything is frozen"),
    ],
)
def test_what_cannot_be_is_refused(little: Little, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(FlowerError, match=why):
        list(tasks.estimate(little(**changes), 10, 2, 3))


@pytest.mark.parametrize(("model", "spared"), [("mobilenet_v3_small", True), ("resnet18", False)])
def test_a_step_computes_as_a_run_would(
    little: Little, monkeypatch: pytest.MonkeyPatch, model: str, spared: bool
) -> None:
    told: list[bool] = []

    def noting(*how: Any, spare_depthwise: bool) -> AbstractContextManager[None]:
        told.append(spare_depthwise)
        return autocast(*how, spare_depthwise=spare_depthwise)

    monkeypatch.setattr(step_timer, "autocast", noting)
    estimated(little(model=model, precision="bfloat16"))
    assert set(told) == {spared}
