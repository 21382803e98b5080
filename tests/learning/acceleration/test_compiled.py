"""A network that torch compiles trains as it would without that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import fx

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, Event, Finished, Preparing, RunStarted, Warned
from flowergui.learning.acceleration import compiled
from flowergui.learning.checkpoints import checkpoint
from flowergui.requests import LiveRequests

Little = Callable[..., Recipe]


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Processors are said to gain, and what torch has captured runs as it is: the shapes of the
    first values for which something was captured."""
    shapes: list[tuple[int, ...]] = []

    def backend(module: fx.GraphModule, inputs: list[Any]) -> Callable[..., Any]:
        shapes.extend(tuple(each.shape) for each in inputs if not each.requires_grad)
        return module.forward

    torch.compiler.reset()
    monkeypatch.setattr(compiled, "DEVICE_TYPES", ("cpu",))
    monkeypatch.setattr(compiled, "BACKEND", backend)
    return shapes


def weights(events: list[Event]) -> dict[str, torch.Tensor]:
    (opened,) = [event for event in events if isinstance(event, RunStarted)]
    assert isinstance(events[-1], Finished)
    tensors: dict[str, torch.Tensor] = checkpoint.read(Path(opened.run) / "last.pth")["model"]
    return tensors


def compiling(events: list[Event]) -> int:
    told = [event for event in events if isinstance(event, Preparing)]
    return [event.what for event in told].count("Compiling the network")


def assert_same(one: list[Event], other: list[Event]) -> None:
    mine, theirs = weights(one), weights(other)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"batch_size": 8, "ema": 0.9}, 1),  # 18 photos: the last batch is not whole
        ({"frozen": ("stem", "stages.0"), "augmentation": "light", "mixup": 0.2}, 1),
        ({"image_size": 96, "first_training_size": 32, "epochs": 3}, 3),
        ({"frozen": ("all-but-head",)}, 0),
    ],
)
def test_it_ends_with_the_same_weights(
    little: Little, graphs: list[tuple[int, ...]], changes: dict[str, Any], made: int
) -> None:
    plain = list(tasks.train(little(**changes)))
    assert not graphs
    fast = list(tasks.train(little(compiled=True, **changes)))
    assert_same(fast, plain)
    assert compiling(fast) == made
    images = [shape for shape in graphs if len(shape) == 4]
    assert len(images) >= made
    assert {shape[0] for shape in images} == ({changes.get("batch_size", 6)} if made else set())


def test_resumed_it_ends_as_it_would_have(little: Little, graphs: list[tuple[int, ...]]) -> None:
    whole = list(tasks.train(little(compiled=True)))
    live = LiveRequests()
    for event in tasks.train(little(compiled=True), live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == 2)
    resumed = list(tasks.resume())
    assert compiling(resumed) == 1
    assert_same(resumed, whole)


def test_what_thaws_is_compiled_too(little: Little, graphs: list[tuple[int, ...]]) -> None:
    live = LiveRequests()
    events = []
    for event in tasks.train(little(compiled=True, frozen=("stem",)), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 2:
            live.frozen = ()
    assert compiling(events) == 2
    (images,) = [shape for shape in graphs if shape == (6, 3, 32, 32)]
    assert images


def test_what_cannot_be_compiled_trains_as_it_is(
    little: Little, graphs: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(module: fx.GraphModule, inputs: list[Any]) -> Callable[..., Any]:
        raise OSError("no compiler here\nand more")

    plain = list(tasks.train(little()))
    monkeypatch.setattr(compiled, "BACKEND", broken)
    events = list(tasks.train(little(compiled=True)))
    assert_same(events, plain)
    (told,) = [event.message for event in events if isinstance(event, Warned)]
    assert told.startswith("The network could not be compiled, so it trains uncompiled: ")
    assert "no compiler here" in told
    assert "and more" not in told
    assert compiling(events) == 1


def test_a_processor_compiles_nothing(little: Little) -> None:
    assert compiling(list(tasks.train(little(compiled=True, epochs=1)))) == 0
