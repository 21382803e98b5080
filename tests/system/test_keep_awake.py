"""While a run goes on the computer stays awake, and no longer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wakepy

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.learning.resuming import resume
from flowergui.learning.training import new_run
from flowergui.system.keep_awake import keep_awake


@pytest.fixture
def willing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that can be asked, as far as wakepy sees."""
    monkeypatch.setenv("WAKEPY_FAKE_SUCCESS", "1")


def run(*_: Any) -> Iterator[Any]:
    yield "began"
    yield "went on"


@pytest.fixture(params=["train", "resume"])
def job(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(new_run, "train", run)
    monkeypatch.setattr(resume, "resume", run)
    return tasks.train(Recipe()) if request.param == "train" else tasks.resume(tmp_path)


@pytest.mark.usefixtures("willing")
def test_awake_from_the_first_event_to_the_last(job: Any) -> None:
    assert not wakepy.global_modes()
    for _ in job:
        (mode,) = wakepy.global_modes()
        assert mode.name == "keep.running"  # the screen may go dark
    assert not wakepy.global_modes()


@pytest.mark.usefixtures("willing")
def test_no_longer_than_a_run_that_is_given_up(job: Any) -> None:
    next(job)
    assert wakepy.global_modes()
    job.close()
    assert not wakepy.global_modes()


@pytest.mark.usefixtures("willing")
def test_a_run_that_breaks_lets_it_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Iterator[Any]:
        yield "began"
        raise RuntimeError("out of luck")

    monkeypatch.setattr(new_run, "train", breaks)
    with pytest.raises(RuntimeError, match="out of luck"):
        list(tasks.train(Recipe()))
    assert not wakepy.global_modes()


def test_a_system_that_cannot_be_asked_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    with keep_awake():
        pass

    def broken(**_: Any) -> Any:
        raise OSError("no bus")

    monkeypatch.setattr(wakepy.keep, "running", broken)
    done = []
    with keep_awake():
        done.append(True)
    assert done
