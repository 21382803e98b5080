"""What the precision "auto" comes to is measured on batches of the network."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import Event, Preparing, RunStarted
from flowergui.learning.acceleration import precision
from flowergui.learning.acceleration.step_timer import StepCost, StepTimer
from flowergui.learning.device import hardware
from flowergui.requests import LiveRequests
from flowergui.store import paths
from flowergui.wording import precision_text

HALF, SINGLE = torch.bfloat16, torch.float32

Little = Callable[..., Recipe]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[torch.dtype, list[float]]:
    """On a processor whose convolutions gain by bfloat16: what the steps in each precision take,
    in seconds, one after the other."""
    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: True)
    script: dict[torch.dtype, list[float]] = {}
    real = StepTimer.step

    def step(timer: StepTimer, photos: int, side: int) -> StepCost:
        real(timer, photos, side)
        return StepCost(0.0, script[timer.dtype].pop(0) / photos, 0.0, 0.0)

    monkeypatch.setattr(StepTimer, "step", step)
    return script


def opened(recipe: Recipe) -> tuple[RunStarted, list[Event]]:
    events = list(tasks.train(recipe))
    (one,) = [event for event in events if isinstance(event, RunStarted)]
    return one, events[: events.index(one)]


@pytest.mark.parametrize(
    ("half", "single", "took", "gain", "words"),
    [
        ([9.0, 1.0], [9.0, 2.0], "bfloat16", 2.0, "2.0 times as fast as float32"),
        ([9.0, 2.0], [9.0, 1.0], "float32", 2.0, "2.0 times as fast as bfloat16"),
        # Nearly alike: a second round, and the shortest of each counts.
        (
            [9.0, 1.4, 1.2],
            [9.0, 1.0, 1.1],
            "float32",
            1.2,
            "1.2 times as fast as bfloat16",
        ),
        (
            [9.0, 1.0, 1.1],
            [9.0, 1.5, 1.2],
            "bfloat16",
            1.2,
            "1.2 times as fast as float32",
        ),
        (
            [9.0, 1.05, 1.05],
            [9.0, 1.0, 1.0],
            "bfloat16",
            1 / 1.05,
            "about as fast as float32",
        ),
    ],
)
def test_the_faster_one_is_taken_and_said(
    little: Little,
    steps: dict[torch.dtype, list[float]],
    half: list[float],
    single: list[float],
    took: str,
    gain: float,
    words: str,
) -> None:
    steps[HALF], steps[SINGLE] = list(half), list(single)
    one, before = opened(little(precision="auto", epochs=1))
    assert one.precision == took
    assert precision_text(one) == f"Both precisions were tried: {took} is {words}."
    assert one.speedup == pytest.approx(gain)
    assert steps == {HALF: [], SINGLE: []}
    tried = [
        e
        for e in before
        if isinstance(e, Preparing) and e.what == "Trying which number format is faster"
    ]
    assert [each.done for each in tried] == [*range(2 * len(half)), 2 * precision.ROUNDS]


@pytest.mark.skipif(not hasattr(os, "getloadavg"), reason="Windows has no load average")
def test_the_same_settings_have_the_same_precision(
    little: Little, steps: dict[torch.dtype, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (10_000.0, 1.0, 1.0))
    steps[HALF], steps[SINGLE] = [9.0, 2.0], [9.0, 1.0]
    busy, _ = opened(little(precision="auto", epochs=1))
    assert busy.precision == "float32"  # for this run alone
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    steps[HALF], steps[SINGLE] = [9.0, 1.0], [9.0, 2.0]
    first, _ = opened(little(precision="auto", epochs=1))
    steps[HALF], steps[SINGLE] = [9.0, 2.0], [9.0, 1.0]  # as measured on a busy machine
    second, before = opened(little(precision="auto", epochs=2))
    assert (second.precision, second.speedup) == (first.precision, first.speedup)
    assert first.precision == "bfloat16"
    assert not [event for event in before if isinstance(event, Preparing)]


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    little: Little, steps: dict[torch.dtype, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    (paths.cache_folder() / "precision.json" / "in the way").mkdir(parents=True)
    steps[HALF], steps[SINGLE] = [9.0, 1.0], [9.0, 2.0]
    started, _ = opened(little(precision="auto", epochs=1))
    assert started.precision == "bfloat16"


@pytest.mark.parametrize("content", ["", "[]", '{"a": null}', "\0\0"])
def test_a_damaged_file_of_measurements_is_no_obstacle(
    little: Little, steps: dict[torch.dtype, list[float]], content: str
) -> None:
    file = paths.cache_folder() / "precision.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    steps[HALF], steps[SINGLE] = [9.0, 1.0], [9.0, 2.0]
    assert opened(little(precision="auto", epochs=1))[0].precision == "bfloat16"


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "float32"},
        {"precision": "bfloat16"},
        {"precision": "auto", "frozen": ("all-but-head",)},
        {"precision": "auto", "model": "vit_h_14", "image_size": 0},
    ],
)
def test_nothing_is_tried_where_nothing_is_to_be_found(
    little: Little, steps: dict[torch.dtype, list[float]], changes: dict[str, object]
) -> None:
    choosing = precision.choose(little(**changes), 3, 224, torch.device("cpu"))
    with pytest.raises(StopIteration) as end:
        next(choosing)
    assert end.value.value.speedup == 0.0
    assert not steps


def test_a_processor_without_bfloat16_tries_nothing(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: False)
    one, before = opened(little(precision="auto", epochs=1))
    assert (one.precision, one.speedup, precision_text(one)) == ("float32", 0.0, "")
    assert not [event for event in before if isinstance(event, Preparing)]


def test_a_real_measurement_finds_what_is_emulated_slow(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    pays = hardware.bfloat16_pays()
    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: True)
    one, _ = opened(little(model="resnet18", image_size=64, precision="auto", epochs=1))
    assert one.precision == ("bfloat16" if pays else "float32")
    assert one.speedup > 1.1


def test_a_step_that_fails_leaves_it_to_the_run_to_say_so(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*_: object) -> StepCost:
        raise RuntimeError("not enough memory")

    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: True)
    monkeypatch.setattr(StepTimer, "step", step)
    one, _ = opened(little(precision="auto", epochs=1))
    assert (one.precision, one.speedup) == ("bfloat16", 0.0)


def test_a_network_that_cannot_take_the_training_size_is_timed_at_its_own(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides: list[int] = []

    def step(timer: StepTimer, photos: int, side: int) -> StepCost:
        sides.append(side)
        return StepCost(0.0, 1.0, 0.0, 0.0)

    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: True)
    monkeypatch.setattr(StepTimer, "step", step)
    recipe = little(model="vit_b_32", image_size=224, training_size=192, precision="auto")
    list(precision.choose(recipe, 3, 224, torch.device("cpu")))
    assert set(sides) == {224}


def test_no_generator_is_drawn_from(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: True)
    before = torch.random.get_rng_state()
    recipe = little(model="mobilenet_v3_small", precision="auto")
    list(precision.choose(recipe, 3, 32, torch.device("cpu")))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_stop_is_heard_meanwhile(
    little: Little, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(hardware, "bfloat16_pays", lambda: True)
    live = LiveRequests()
    seen: list[Event] = []
    for event in tasks.train(little(precision="auto"), live):
        seen.append(event)
        live.stop = live.stop or (isinstance(event, Preparing) and event.done == 2)
    assert not [event for event in seen if isinstance(event, RunStarted)]


def test_resumed_it_stays_what_it_was(
    little: Little, steps: dict[torch.dtype, list[float]]
) -> None:
    steps[HALF], steps[SINGLE] = [9.0, 1.0], [9.0, 2.0]
    first, _ = opened(little(precision="auto", epochs=1))
    steps[HALF], steps[SINGLE] = [9.0, 2.0], [9.0, 1.0]
    events = list(tasks.resume(first.run, changes={"epochs": 2}))
    (again,) = [event for event in events if isinstance(event, RunStarted)]
    assert (again.precision, again.speedup) == ("bfloat16", 0.0)


def test_layers_that_are_unfrozen_later_are_timed(
    little: Little, steps: dict[torch.dtype, list[float]]
) -> None:
    """What a run trains for most of its time decides, and the estimate knows it."""
    timed = []

    class Observed(StepTimer):
        def __init__(self, recipe: Recipe, *more: object) -> None:
            timed.append(recipe.frozen)
            super().__init__(recipe, *more)

    recipe = little(
        precision="auto", epochs=1, mode="transfer", model="efficientnet_lite0", image_size=64,
        frozen=("all-but-head",), freeze_epochs=1,
    )  # fmt: skip
    cpu = torch.device("cpu")
    assert precision.expected(recipe, 64, cpu) == HALF
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
        patch.setattr(precision, "StepTimer", Observed)
        steps[HALF], steps[SINGLE] = [9.0, 2.0], [9.0, 1.0]
        one, _ = opened(recipe)
    assert timed == [()]
    assert one.precision == "float32"
    assert precision.expected(recipe, 64, cpu) == SINGLE
    assert precision.expected(replace(recipe, freeze_epochs=0), 64, cpu) == HALF
