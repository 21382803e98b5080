"""Runs of several processes, as the window starts them: how they fail, and how they are left."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from flowergui import event_json, tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, Event, Finished, Preparing, RunStarted, Stopped
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder
from flowergui.system import multi_process


def test_processes_that_end_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_process, "WORKER", "flowergui.not_there")
    with pytest.raises(FlowerError, match=r"No module named flowergui\.not_there"):
        list(multi_process.train({}, 2, LiveRequests()))


@pytest.mark.parametrize("told", [Finished("run", 1, 0.5, 1, 2.0), Stopped("run", 1, 2)])
def test_a_process_that_ends_badly_after_its_run_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    told: Event,
) -> None:
    line = event_json.encoded(told)
    (tmp_path / "aborts.py").write_text(
        f"import os\ninput()\nprint({line!r}, flush=True)\nos.abort()\n", "utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(multi_process, "WORKER", "aborts")
    assert list(multi_process.train({}, 1, LiveRequests()))[-1] == told
    assert "SIGABRT" in caplog.text


def test_a_build_without_python_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_process.sys, "frozen", True, raising=False)
    with pytest.raises(FlowerError, match="one process"):
        list(multi_process.train({}, 2, LiveRequests()))


def test_what_is_refused_is_refused_in_the_same_words(tmp_path: Path) -> None:
    recipe = Recipe(photos=str(tmp_path / "nothing"), mode="scratch", model="mynet", processes=2)
    with pytest.raises(FlowerError) as refused:
        list(tasks.train(recipe, models=tmp_path))
    with pytest.raises(FlowerError) as alone:
        list(tasks.train(replace(recipe, processes=1), models=tmp_path))
    assert refused.value.message == alone.value.message
    assert refused.value.hint == alone.value.hint


def test_processes_that_end_while_the_run_is_paused_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(multi_process, "WORKER", "flowergui.not_there")
    events = multi_process.train({}, 2, LiveRequests())
    next(events)
    live = LiveRequests(frozen=("x" * 200_000,))  # more than a pipe holds
    events = multi_process.train({}, 2, live)
    next(events)
    with pytest.raises(FlowerError, match=r"No module named flowergui\.not_there"):
        list(events)


def test_a_run_that_is_left_is_saved(make_photos: Callable[..., Path], tmp_path: Path) -> None:
    recipe = Recipe(
        photos=str(make_photos(tmp_path / "photos")), mode="scratch", model="mynet", image_size=32,
        epochs=50, batch_size=8, device="cpu", precision="float32", processes=2,
    )  # fmt: skip
    events = cast(Generator[Event, None, None], tasks.train(recipe, models=tmp_path / "models"))
    assert isinstance(next(events), Preparing)
    run = next(event.run for event in events if isinstance(event, RunStarted))
    next(event for event in events if isinstance(event, BatchDone))
    events.close()
    folder = RunFolder(Path(run))
    assert folder.newest() is not None
    assert not folder.is_training()


def test_larger_images_that_a_time_budget_has_room_for_are_those_of_all_processes(
    make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = Recipe(
        photos=str(make_photos(tmp_path / "photos")), mode="transfer", model="efficientnet_lite0",
        device="cpu", precision="float32", processes=2,
    )  # fmt: skip
    recipe = replace(with_preset(recipe, "recommended"), minutes=100.0)
    live = LiveRequests()
    for last in tasks.train(recipe, live, tmp_path / "models"):
        live.stop = isinstance(last, BatchDone)  # they have begun to train together
    assert isinstance(last, Stopped)
    assert RunFolder(Path(last.run)).recipe().training_size == 256
