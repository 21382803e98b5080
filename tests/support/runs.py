"""What tests of runs share: pulling one, and comparing how two ended."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import EpochDone, Event, Finished, RunStarted, Stopped
from flowergui.learning.checkpoints import checkpoint
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder


def of(events: list, kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


def collect(going: Iterator[Any], events: list[Any], then: Callable[[Any], object]) -> None:
    """Pulls a run into `events`, and does something after each."""
    for event in going:
        events.append(event)
        then(event)


def pull(going: Iterator[Any], events: list[Any], kind: type, count: int = 1) -> None:
    """Pulls a run into `events` until there are so many of a kind."""
    while len(of(events, kind)) < count:
        events.append(next(going))


def run_of(events: list) -> RunFolder:
    return RunFolder(Path(of(events, RunStarted)[0].run))


def weights_of(run: RunFolder) -> dict[str, torch.Tensor]:
    return checkpoint.read(run.last)["model"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def finished(events: list[Event]) -> RunFolder:
    """The run of these events, which must have ended well."""
    assert isinstance(events[-1], Finished)
    return RunFolder(Path(events[-1].run))


def stopped(recipe: Recipe, at: Callable[[Event], bool]) -> RunFolder:
    live = LiveRequests()
    for event in tasks.train(recipe, live):
        live.stop = live.stop or at(event)
    assert isinstance(event, Stopped)
    return RunFolder(Path(event.run))


def equal(one: Any, other: Any) -> bool:
    """Whether two pieces of a checkpoint are the same to the bit, the times aside."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            equal(one[key], other[key])
            for key in one
            if key not in ("seconds", "caching", "validation_caching", "workers")
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def same_end(one: RunFolder, other: RunFolder) -> None:
    """Two runs ended alike to the bit: in last.pth, best.pth, and history.csv."""
    for name in ("last", "best"):
        first, second = (checkpoint.read(getattr(run, name)) for run in (one, other))
        different = [key for key in first if not equal(first[key], second[key])]
        assert different == [], name
        assert first.keys() == second.keys()
    rows = [
        [replace(r, seconds=0) if isinstance(r, EpochDone) else r for r in run.history.events()]
        for run in (one, other)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 0
