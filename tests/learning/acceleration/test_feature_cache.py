"""What the frozen half of a network gives is computed once, and changes no number."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import collect, of, run_of, same, same_end, weights_of

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import (
    BatchDone,
    EpochDone,
    FeatureCacheStatus,
    Finished,
    FrozenChanged,
    Preparing,
    Saved,
    Stopped,
    Warned,
)
from flowergui.facts import WhyNotCached
from flowergui.learning.acceleration import feature_cache as feature_cache_module
from flowergui.learning.acceleration import frozen_split as halves_module
from flowergui.learning.acceleration.feature_cache import FeatureCache, TooLargeError
from flowergui.learning.data import augmentation
from flowergui.learning.device import hardware
from flowergui.requests import LiveRequests
from flowergui.store import paths
from flowergui.wording import feature_cache_text

Little = Callable[..., Recipe]
HEAD = ("all-but-head",)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photos went through first halves, call by call."""
    real, counts = halves_module.split_at_frozen, []

    def counting(*arguments: Any) -> halves_module.FrozenSplit:
        two = real(*arguments)

        def begin(images: torch.Tensor) -> halves_module.Features:
            counts.append(len(images))
            return two.backbone(images)

        return replace(two, backbone=begin) if two.is_split else two

    monkeypatch.setattr("flowergui.learning.training.model_state.split_at_frozen", counting)
    return counts


# --- the store --------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [10**6, 0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_are_kept(tmp_path: Path, memory: int, dtype: torch.dtype) -> None:
    features = FeatureCache(6, memory, tmp_path / "cache")
    values = (torch.randn(6, 4).to(dtype), torch.randn(6, 2, 3, 3).to(dtype))
    features.put([4, 0], tuple(value[[4, 0]] for value in values))
    features.put([1, 2, 5], tuple(value[[1, 2, 5]] for value in values))
    got, known = features.get([5, 3, 0, 4])  # 3 could not be read
    assert known == (5, 0, 4)
    assert all(torch.equal(one, value[[5, 0, 4]]) for one, value in zip(got, values, strict=True))
    assert features.where == ("memory" if memory else "file")
    assert features.size == 6 * (4 + 18) * values[0].element_size()
    features.close()
    assert list(tmp_path.rglob("*.bin")) == []


def test_there_must_be_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    features = FeatureCache(1000, 100, tmp_path)
    with pytest.raises(TooLargeError, match="fit neither in memory nor on the disk"):
        features.put([0], (torch.zeros(1, 100),))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_noticed_before_anything_is_written(
    tmp_path: Path, small_files: Callable[[int], Any]
) -> None:
    features = FeatureCache(1000, 0, tmp_path)
    with small_files(20_000), pytest.raises(TooLargeError):
        features.put([0], (torch.zeros(1, 100),))
    features.close()
    assert list(tmp_path.iterdir()) == []


# --- in a run ---------------------------------------------------------------------------------


def test_every_photo_is_looked_at_once(little: Little, looked: list[int]) -> None:
    events = list(tasks.train(little(frozen=HEAD, epochs=5)))
    assert sum(looked) == 18 + 6
    told = of(events, FeatureCacheStatus)
    assert [(each.where, each.views, each.why_not) for each in told] == [("memory", 1, None)] * 2
    assert [each.size for each in told] == [18 * 256 * 4, 6 * 256 * 4]
    far = [(event.done, event.total) for event in of(events, Preparing)]
    assert far == [(16, 18), (18, 18), (6, 6)]
    assert [event.step for event in of(events, BatchDone)] == list(range(1, 16))
    assert of(events, Finished)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"precision": "bfloat16"},
        {"frozen": ("stem", "stages.0")},
        {"augmentation": "light", "cached_views": 2, "ema": 0.9},
        {"model": "mobilenet_v3_small", "precision": "bfloat16", "label_smoothing": 0.1},
    ],
)
def test_it_changes_no_number(little: Little, looked: list[int], more: dict[str, Any]) -> None:
    recipe = little(epochs=3, **{"frozen": HEAD, **more})
    kept = run_of(list(tasks.train(recipe)))
    with_cache = sum(looked)
    looked.clear()
    events = list(tasks.train(replace(recipe, feature_cache=False)))
    assert with_cache == (2 if "cached_views" in more else 1) * 18 + 6
    assert sum(looked) == 3 * (18 + 6)
    assert {each.why_not for each in of(events, FeatureCacheStatus)} == {WhyNotCached.SWITCHED_OFF}
    assert same(weights_of(kept), weights_of(run_of(events)))
    rows = [
        [
            replace(row, seconds=0) if isinstance(row, EpochDone) else row
            for row in run.history.events()
        ]
        for run in (kept, run_of(events))
    ]
    assert rows[0] == rows[1]


def test_views_repeat_themselves(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    """Augmentation's draws are those of the first two epochs again and again."""
    epochs: list[list[Any]] = [[]]
    real = augmentation.normalize_and_jitter

    def dressed(views: torch.Tensor, *more: Any) -> torch.Tensor:
        epochs[-1] += [(index, views[row].sum()) for row, index in enumerate(more[-1])]
        return real(views, *more)

    monkeypatch.setattr(augmentation, "normalize_and_jitter", dressed)
    recipe = little(augmentation="strong", cached_views=2, epochs=4)
    collect(
        tasks.train(recipe), [], lambda event: isinstance(event, EpochDone) and epochs.append([])
    )
    first, second, third, fourth, _ = (sorted(epoch) for epoch in epochs)
    assert len(first) == 18
    assert first == third
    assert second == fourth
    assert first != second


def test_without_a_cache_there_is_nothing_in_the_way(little: Little, looked: list[int]) -> None:
    events = list(tasks.train(little()))
    assert not of(events, FeatureCacheStatus)
    assert not looked


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"augmentation": "light"}, WhyNotCached.RANDOM_AUGMENTATION),
        ({"mixup": 0.2}, WhyNotCached.MIXED_IMAGES),
        ({"image_size": 64, "first_training_size": 32}, WhyNotCached.PROGRESSIVE_RESIZING),
        ({"feature_cache": False}, WhyNotCached.SWITCHED_OFF),
    ],
)
def test_why_it_is_off_is_told(little: Little, more: dict[str, Any], why: WhyNotCached) -> None:
    events = list(tasks.train(little(frozen=HEAD, **more)))
    first = of(events, FeatureCacheStatus)[0]
    assert (first.where, first.step) == ("", 0)
    assert first.why_not == why
    assert feature_cache_text(first).endswith(".")
    if "feature_cache" not in more:  # what validates is the same each time
        assert [each.where for each in of(events, FeatureCacheStatus)] == ["", "memory"]


def test_what_fits_nowhere_is_computed_each_time(
    little: Little, monkeypatch: pytest.MonkeyPatch, looked: list[int], tmp_path: Path
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 0)
    events = list(tasks.train(little(frozen=HEAD, epochs=2)))
    told = of(events, FeatureCacheStatus)
    assert [each.why_not for each in told] == [WhyNotCached.NO_SPACE] * 2
    assert [each.size for each in told] == [18 * 256 * 4, 6 * 256 * 4]
    assert "Not enough space for the feature cache" in feature_cache_text(told[0])
    assert len(told) == 2  # told once a side
    assert of(events, Finished)


def test_what_does_not_fit_into_memory_lies_in_a_file_until_the_end(
    little: Little, monkeypatch: pytest.MonkeyPatch, looked: list[int]
) -> None:
    recipe = little(frozen=HEAD, epochs=3)
    in_memory = run_of(list(tasks.train(recipe)))
    looked.clear()
    monkeypatch.setattr(feature_cache_module, "MEMORY_SHARE", 0.0)
    events: list[Any] = []
    left: set[Path] = set()
    collect(
        tasks.train(recipe), events, lambda event: left.update(paths.cache_folder().glob("*/*"))
    )
    assert [each.where for each in of(events, FeatureCacheStatus)] == ["file", "file"]
    assert os.name != "posix" or not left  # a killed run could not take them away
    assert list(paths.cache_folder().iterdir()) == []
    assert sum(looked) == 24
    assert same(weights_of(in_memory), weights_of(run_of(events)))


def test_thawing_drops_it_and_goes_on(little: Little, looked: list[int]) -> None:
    live, events = LiveRequests(), []
    for event in tasks.train(little(frozen=HEAD, epochs=4, ema=0.9), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step in (2, 8):
            live.frozen = () if event.step == 2 else HEAD
    told = [
        (type(e).__name__, e.step)
        for e in events
        if isinstance(e, FeatureCacheStatus | FrozenChanged) and getattr(e, "where", "memory")
    ]
    assert told[:3] == [("FeatureCacheStatus", 0), ("FrozenChanged", 2), ("FrozenChanged", 8)]
    assert ("FeatureCacheStatus", 8) in told
    assert [event.step for event in of(events, BatchDone)] == list(range(1, 13))
    assert of(events, Finished)
    assert not of(events, Warned)


@pytest.mark.parametrize("how", ["stop", "close", "save"])
def test_while_it_is_computed_wishes_are_heeded(little: Little, how: str) -> None:
    live, events = LiveRequests(), []
    going = tasks.train(little(frozen=HEAD), live)
    for event in going:
        events.append(event)
        if isinstance(event, Preparing) and event.done == 16:
            live.stop, live.save = how == "stop", how == "save"
            if how == "close":
                going.close()
    after = events[events.index(of(events, Preparing)[0]) + 1 :]
    run = run_of(events)
    if how == "stop":
        assert [type(event) for event in after] == [Saved, Stopped]
    elif how == "save":
        assert isinstance(after[0], Saved)
        assert of(events, Finished)
    if how != "save":
        list(tasks.resume(run.path))
    whole = run_of(list(tasks.train(little(frozen=HEAD))))
    same_end(run, whole)


def test_photos_that_vanish_are_named_and_left_out(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    here = make_photos(tmp_path / "here")
    events = []
    for event in tasks.train(little(photos=str(here), frozen=HEAD)):
        events.append(event)
        if type(event).__name__ == "RunStarted":
            (here / "iris" / "iris_0.jpg").unlink()
    (note,) = [each.message for each in of(events, Warned)]
    assert "Skipped an unreadable image (1 so far): iris_0.jpg" in note
    assert of(events, Finished)


def test_squares_that_cannot_grow_are_alike(little: Little, looked: list[int]) -> None:
    recipe = little(first_training_size=32, frozen=HEAD, epochs=3)
    told = of(list(tasks.train(recipe)), FeatureCacheStatus)
    assert [each.why_not for each in told] == [None, None]
    assert sum(looked) == 18 + 6
