"""What a run does to end within its time budget, beside the number of its epochs."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from runs import of, stopped

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.config.time_budget import EpochCost, PlannedEpochs
from flowergui.events import BatchDone, EpochDone, FeatureCacheStatus, RunStarted, Warned
from flowergui.facts import WhyNotCached
from flowergui.learning.acceleration.feature_cache import FeatureCache
from flowergui.learning.training import run as run_module
from flowergui.learning.training.progress import Clock
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests

Little = Callable[..., Recipe]


@pytest.fixture
def many(make_photos: Callable[..., Path], tmp_path: Path) -> str:
    """A folder of 180 images."""
    return str(make_photos(tmp_path / "many", classes=3, per_class=60))


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is 0.1 s after the last one."""
    ticks = (0.1 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a clock shows, which a test moves on."""
    now = [0.0]
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: now[0],))
    return now


def trained(task: Callable[..., Iterator[Any]], of_what: Any) -> list[Any]:
    """The events of a run that is stopped after its next epoch."""
    live, events = LiveRequests(), []
    for event in task(of_what, live):
        events.append(event)
        live.stop = live.stop or isinstance(event, EpochDone)
    return events


def timed(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], seconds: Callable[[int], float]
) -> list[int]:
    """Lets an epoch (from 1) take so many seconds; the list gets the epochs planned after each."""
    planned: list[int] = []
    real = Run.fit_into_budget

    def slowly(run: Run, validation_seconds: float) -> None:
        clock[0] += seconds(run.progress.epoch)
        run.count_seconds()
        real(run, validation_seconds)
        planned.append(run.recipe.epochs)

    monkeypatch.setattr(Run, "fit_into_budget", slowly)
    return planned


@pytest.mark.parametrize(("minutes", "is_cached"), [(0.5, False), (2.0, True)])
def test_a_feature_cache_is_given_up_that_would_take_longer(
    little: Little, many: str, clock: list[float], monkeypatch: pytest.MonkeyPatch,
    minutes: float, is_cached: bool,
) -> None:  # fmt: skip
    """The frozen layers then run for the images that there is time for."""
    put = FeatureCache.put

    def slowly(cache: FeatureCache, *batch: Any) -> None:
        clock[0] += 10
        put(cache, *batch)

    monkeypatch.setattr(FeatureCache, "put", slowly)
    recipe = little(photos=many, frozen=("stem",), epochs=2, minutes=minutes)
    events = trained(tasks.train, recipe)
    train = next(each for each in of(events, FeatureCacheStatus) if each.part == "train")
    assert bool(train.where) == is_cached
    assert train.why_not == (None if is_cached else WhyNotCached.NO_TIME)
    assert of(events, EpochDone)


def test_a_large_validation_set_is_limited_where_no_head_is_fitted(
    little: Little, many: str, ticking: None
) -> None:
    events = list(tasks.train(little(photos=many, minutes=0.1, validation_fraction=0.5)))
    assert of(events, RunStarted)[0].validation_photos == 90
    assert any("validation uses" in each.message for each in of(events, Warned))


def test_validation_is_planned_at_the_size_of_its_images(
    little: Little, many: str, ticking: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees images of the full size, and training smaller ones."""
    costs: list[EpochCost] = []

    def planned(minutes: float, spent: float, done: int, cost: EpochCost, most: int) -> Any:
        costs.append(cost)
        return PlannedEpochs(1)

    monkeypatch.setattr(run_module, "epochs_in_budget", planned)
    for size in (64, 32):
        list(tasks.train(little(photos=many, minutes=60.0, image_size=64, training_size=size)))
    full, _, smaller, _ = costs
    assert smaller.validation == pytest.approx(4 * full.validation)


def test_one_slow_epoch_of_many_does_not_change_the_plan(
    little: Little, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the end of the curves, and the learning rate, would jump."""
    planned = timed(monkeypatch, clock, lambda epoch: 20.0 if epoch == 30 else 1.0)
    events = list(tasks.train(little(minutes=5.0)))
    assert len(of(events, EpochDone)) == pytest.approx(300 - 19, abs=2)
    before, after = planned[28], planned[29]
    assert before == pytest.approx(300, abs=2)
    assert after == pytest.approx(before - 19, abs=2)


def test_layers_that_are_unfrozen_with_the_last_batch_are_planned_with(
    little: Little, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = timed(monkeypatch, clock, lambda epoch: 0.5 if epoch <= 5 else 20.0)
    live = LiveRequests()
    for event in tasks.train(little(minutes=5.0, frozen=("stem",)), live):
        if isinstance(event, BatchDone) and event.epoch == 5 and event.batch == event.batches:
            live.frozen = ()
    assert planned[5] == pytest.approx(6 + 277.5 / 20, abs=1)


@pytest.mark.usefixtures("saves_at_once")
def test_a_feature_cache_that_is_filled_again_has_the_time_that_is_left(
    little: Little, many: str, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took before the run was stopped does not count, nor how late it is."""
    put, cost = FeatureCache.put, [10.0]

    def slowly(cache: FeatureCache, *batch: Any) -> None:
        clock[0] += cost[0]
        put(cache, *batch)

    monkeypatch.setattr(FeatureCache, "put", slowly)
    recipe = little(photos=many, frozen=("stem",), epochs=2, minutes=3.0)
    run = stopped(recipe, lambda event: isinstance(event, BatchDone))
    cost[0] = 0.5
    events = trained(tasks.resume, run.path)
    assert [each.where for each in of(events, FeatureCacheStatus) if each.part == "train"] == [
        "memory"
    ]


def test_a_validation_set_is_limited_by_the_cached_images_too(
    little: Little, many: str, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where caching was given up: 1 s for each of the images that were looked at."""
    monkeypatch.setattr(run_module, "MIN_TIMED_IMAGES", 20)
    put = FeatureCache.put

    def slowly(cache: FeatureCache, indices: Any, features: Any) -> None:
        clock[0] += len(indices)
        put(cache, indices, features)

    monkeypatch.setattr(FeatureCache, "put", slowly)
    recipe = little(photos=many, frozen=("stem",), minutes=1.0, validation_fraction=0.5)
    events = trained(tasks.train, recipe)
    train = next(each for each in of(events, FeatureCacheStatus) if each.part == "train")
    assert train.why_not is WhyNotCached.NO_TIME
    assert any("validation uses 7 of the 90" in each.message for each in of(events, Warned))
