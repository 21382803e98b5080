"""A run obeys what other processes ask by a file in its folder."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import of, run_of

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, Event, RunStarted, Saved, Stopped
from flowergui.requests import RunRequest
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching import request_file

Little = Callable[..., Recipe]


@pytest.fixture(autouse=True)
def _looks_before_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_file, "LOOK_INTERVAL_S", 0.0)


def trained(recipe: Recipe, at_step: int, then: Callable[[RunFolder], object]) -> list[Event]:
    events: list[Event] = []
    for event in tasks.train(recipe):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == at_step:
            then(run_of(events))
    return events


def test_a_request_stops_and_saves(little: Little) -> None:
    events = trained(little(), 2, lambda run: run.request.ask(RunRequest(stop=True)))
    assert [type(event) for event in events[-2:]] == [Saved, Stopped]
    assert of(events, BatchDone)[-1].step == 2
    run = run_of(events)
    assert not run.request.path.exists()
    assert not run.marker.path.exists()
    (resumed, *_) = tasks.resume(run.path)
    assert isinstance(resumed, RunStarted)
    assert resumed.step == 2


def test_a_request_saves_and_the_run_goes_on(little: Little) -> None:
    said: list[bool] = []

    def ask(run: RunFolder) -> None:
        said.append(run.last.exists())
        run.request.ask(RunRequest(save=True))

    events = trained(little(), 2, ask)
    kinds = [type(event) for event in events]
    assert said == [False]
    assert kinds[kinds.index(BatchDone) + 2] is Saved
    assert of(events, BatchDone)[-1].step == 6
    assert not of(events, Stopped)


def test_a_request_for_an_earlier_process_is_no_request(little: Little) -> None:
    """A run was asked to stop, and killed before it could: a later one goes on."""
    events = trained(little(), 2, lambda run: run.request.ask(RunRequest(stop=True)))
    run = run_of(events)
    run.request.ask(RunRequest(stop=True))
    resumed = list(tasks.resume(run.path))
    assert of(resumed, BatchDone)[-1].step == 6
    assert not run.request.path.exists()


def test_a_run_says_where_it_trains(little: Little) -> None:
    found = []
    trained(little(), 2, lambda run: found.append(run.marker.read()))
    (process,) = found
    assert process is not None
    assert process.is_on_this_machine
    assert process.reads_requests


def test_looking_for_requests_costs_nothing_that_counts(
    little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_file, "LOOK_INTERVAL_S", 3.0)
    poller = request_file.RequestPoller(RunFolder(tmp_path).request)
    began = time.perf_counter()
    for _ in range(10_000):
        poller.take()
    assert (time.perf_counter() - began) / 10_000 < 20e-6
