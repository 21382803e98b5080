"""Checkpoints that are written while training goes on."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, LearningRateChanged, Saved, SaveFailed
from flowergui.learning.checkpoints import checkpoint, checkpoint_writer
from flowergui.learning.checkpoints.checkpoint_writer import CheckpointWriter
from flowergui.learning.device import hardware
from flowergui.store.run_folder import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, Recipe(mode="scratch", model="mynet"))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Whatever is copied is written in the thread, and not before the gate is open."""
    opened = threading.Event()
    really = checkpoint.write

    def write(content: Mapping[str, Any], path: Path, **options: Any) -> None:
        assert opened.wait(20)
        really(content, path, **options)

    monkeypatch.setattr(checkpoint, "write", write)
    monkeypatch.setattr(checkpoint_writer, "SYNC_BELOW_BYTES", 0)
    return opened


def state(step: int) -> dict[str, Any]:
    net = {"weight": torch.full((3, 4), float(step)), "bias": torch.full((4,), float(step))}
    optimizer = {"state": {0: {"exp_avg": torch.full((3, 4), step / 2)}}, "param_groups": [{}]}
    place = {"epoch": 1, "batch": step, "step": step}
    return {**place, "model": net, "optimizer": optimizer, "list": [1, (2, "x")]}


def row(step: int) -> BatchDone:
    return BatchDone(1, step, 9, step, 0.5, 0.5, 0.1, 8)


def made(run: RunFolder) -> CheckpointWriter:
    return CheckpointWriter(run, lambda: None)


def weight(path: Path) -> float:
    return float(checkpoint.read(path)["model"]["weight"][0, 0])


def test_training_goes_on_while_a_copy_is_written(run: RunFolder, gate: threading.Event) -> None:
    writer, now = made(run), state(1)
    writer.record(row(1))
    assert writer.save_async(now, best=True) == []
    now["model"]["weight"].fill_(7)  # the next step
    now["optimizer"]["state"][0]["exp_avg"].fill_(7)
    now["batch"] = 2
    assert writer.collect() == []
    gate.set()
    writer.wait()
    assert writer.collect() == [Saved(str(run.last), 1, 1), Saved(str(run.best), 1, 1)]
    assert writer.collect() == []
    stored = checkpoint.read(run.last)
    assert (stored["batch"], weight(run.last), weight(run.best)) == (1, 1.0, 1.0)
    assert float(stored["optimizer"]["state"][0]["exp_avg"][0, 0]) == 0.5
    assert stored["list"] == [1, (2, "x")]
    assert list(run.history.events()) == [row(1)]


def test_what_was_begun_is_over_before_the_next_begins(
    run: RunFolder, gate: threading.Event
) -> None:
    writer = made(run)
    writer.record(row(1))
    writer.save_async(state(1))
    writer.record(row(2))
    threading.Timer(0.05, gate.set).start()
    assert writer.save(state(2)) == [Saved(str(run.last), 1, 1), Saved(str(run.last), 1, 2)]
    assert (weight(run.previous), weight(run.last)) == (1.0, 2.0)
    assert list(run.history.events()) == [row(1), row(2)]


@pytest.mark.parametrize("how", ["save_async", "save"])
def test_the_best_is_owed_until_it_is_written(
    run: RunFolder, gate: threading.Event, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    gate.set()
    writer, best = made(run), state(1)
    sync, full = os.fsync, True

    def refuse(handle: int) -> None:
        if full:
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    writer.record(row(1))
    getattr(writer, how)(best, best=True)
    writer.wait()
    best["model"]["weight"].fill_(7)
    writer.save_async(state(2))  # fails too
    writer.wait()
    told = [Path(event.path).name for event in writer.collect() if isinstance(event, SaveFailed)]
    assert told[-2:] == ["last.pth", "best.pth"]
    assert not run.best.exists()
    full = False
    writer.record(row(3))
    writer.save_async(state(3))
    writer.wait()
    assert writer.collect() == [Saved(str(run.best), 1, 1), Saved(str(run.last), 1, 3)]
    assert (weight(run.best), weight(run.last)) == (1.0, 3.0)
    assert list(run.history.events()) == [row(1), row(3)]
    writer.save(state(4))
    assert weight(run.best) == 1.0


def test_the_best_that_is_held_is_written_with_the_next_save(
    run: RunFolder, gate: threading.Event
) -> None:
    writer, best = made(run), state(1)
    assert writer.stage_best(best) == []
    best["model"]["weight"].fill_(7)
    writer.save_async(state(2))  # takes what is held with it
    writer.stage_best(state(3))
    writer.stage_best(state(4))  # better than the third
    gate.set()
    writer.wait()
    assert writer.collect() == [Saved(str(run.best), 1, 1), Saved(str(run.last), 1, 2)]
    assert weight(run.best) == 1.0
    assert writer.save(state(5)) == [Saved(str(run.best), 1, 4), Saved(str(run.last), 1, 5)]
    assert weight(run.best) == 4.0
    writer.stage_best(state(6))
    told = writer.save(state(7), best=True)  # better than what was held
    assert told == [Saved(str(run.last), 1, 7), Saved(str(run.best), 1, 7)]


@pytest.mark.parametrize(("cost", "apart"), [(0.001, 10), (0.035, 50), (9.0, 120)])
def test_saves_keep_apart_by_what_they_cost(run: RunFolder, cost: float, apart: float) -> None:
    writer = made(run)
    writer.cost = cost
    assert writer.min_interval(120) == pytest.approx(apart)


def test_a_staged_best_can_be_written_before_the_next_save(
    run: RunFolder, gate: threading.Event
) -> None:
    writer = made(run)
    assert writer.flush_best() == []
    writer.record(row(1))
    writer.stage_best(state(1))
    writer.record(row(2))
    assert writer.flush_best() == []
    assert not run.best.exists()
    gate.set()
    writer.wait()
    assert writer.collect() == [Saved(str(run.last), 1, 1), Saved(str(run.best), 1, 1)]
    assert weight(run.last) == weight(run.best) == 1.0
    assert list(run.history.events()) == [row(1)]  # a run continues from here
    assert writer.save(state(2)) == [Saved(str(run.last), 1, 2)]
    assert (weight(run.previous), weight(run.last), weight(run.best)) == (1.0, 2.0, 1.0)
    assert list(run.history.events()) == [row(1), row(2)]


def test_a_staged_best_that_could_not_be_written_is_written_next(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(content: Mapping[str, Any], path: Path, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    writer = made(run)
    writer.record(row(1))
    writer.stage_best(state(1))
    writer.record(row(2))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write", refused)
        writer.flush_best()
        writer.wait()
    why = "No space left on device"
    assert writer.collect() == [SaveFailed(str(run.last), why), SaveFailed(str(run.best), why)]
    assert writer.save(state(2)) == [Saved(str(run.best), 1, 1), Saved(str(run.last), 1, 2)]
    assert weight(run.best) == 1.0
    assert list(run.history.events()) == [row(1), row(2)]


def test_last_is_written_even_if_best_can_not_be(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, why = checkpoint.write, "Permission denied"

    def refused(content: Mapping[str, Any], path: Path, **options: Any) -> None:
        if path == run.best:
            raise OSError(13, why)
        really(content, path, **options)

    writer = made(run)
    writer.stage_best(state(1))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write", refused)
        for step in (2, 3):
            assert writer.save(state(step)) == [
                Saved(str(run.last), 1, step),
                SaveFailed(str(run.best), why),
            ]
    assert (weight(run.previous), weight(run.last)) == (2.0, 3.0)
    assert writer.flush_best() == []
    writer.wait()
    assert writer.collect() == [Saved(str(run.best), 1, 1)]  # last.pth is newer, and stays
    assert (weight(run.best), weight(run.last)) == (1.0, 3.0)


def test_the_recipe_beside_a_checkpoint_is_the_one_in_it(
    run: RunFolder, gate: threading.Event
) -> None:
    """Settings may change while a run trains."""
    gate.set()
    writer = made(run)
    for rate in (0.1, 0.2):
        recipe = Recipe(mode="scratch", model="mynet", learning_rate=rate)
        writer.save_async({**state(1), "recipe": recipe.as_dict()})
        writer.wait()
        assert run.recipe() == recipe


def test_what_is_forgotten_is_never_written(run: RunFolder) -> None:
    writer = made(run)
    writer.record(row(1))
    writer.stage_best(state(1))
    writer.discard_pending()
    assert writer.save(state(0)) == [Saved(str(run.last), 1, 0)]
    assert not run.best.exists()
    assert list(run.history.events()) == []


@pytest.mark.parametrize("short", ["small", "no memory"])
def test_without_a_copy_where_that_is_better(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, short: str
) -> None:
    if short == "no memory":
        monkeypatch.setattr(checkpoint_writer, "SYNC_BELOW_BYTES", 0)
        monkeypatch.setattr(hardware, "free_memory", lambda: 100)
    writer = made(run)
    assert writer.save_async(state(1)) == [Saved(str(run.last), 1, 1)]
    if short == "no memory":
        assert writer.stage_best(state(2)) == [
            Saved(str(run.last), 1, 2),
            Saved(str(run.best), 1, 2),
        ]


def test_versions_of_forms_stay_with_the_weights(run: RunFolder, gate: threading.Event) -> None:
    gate.set()
    net = torch.nn.BatchNorm2d(2)
    writer = made(run)
    writer.save_async({"epoch": 1, "batch": 1, "step": 1, "model": net.state_dict()})
    writer.wait()
    assert checkpoint.read(run.last)["model"]._metadata == net.state_dict()._metadata


def test_the_folder_is_furnished_anew(run: RunFolder, gate: threading.Event) -> None:
    gate.set()
    made_anew: list[Callable[[], None]] = []
    (run.path / "recipe.json").unlink()
    writer = CheckpointWriter(run, lambda: made_anew.append(print))
    writer.save_async(state(1))
    writer.wait()
    assert made_anew
    assert run.last.exists()


def test_checkpoints_are_written_even_if_the_history_can_not_be(run: RunFolder) -> None:
    """As where a spreadsheet has it open, on Windows."""
    writer = made(run)
    change = LearningRateChanged(1, 0.1)
    run.history.path.mkdir()
    writer.record(row(1))
    writer.record(change)
    failed = SaveFailed(str(run.history.path), "it is not a file")
    assert writer.save(state(1)) == [Saved(str(run.last), 1, 1), failed]
    assert list(run.changes.events()) == [change]
    writer.record(row(2))
    assert writer.save(state(2), best=True) == [
        Saved(str(run.last), 1, 2),
        Saved(str(run.best), 1, 2),
        failed,
    ]
    assert (weight(run.previous), weight(run.last), weight(run.best)) == (1.0, 2.0, 2.0)
    run.history.path.rmdir()
    writer.record(row(3))
    assert writer.save(state(3)) == [Saved(str(run.last), 1, 3)]
    assert list(run.history.events()) == [row(1), row(2), row(3)]
    assert list(run.changes.events()) == [change]


def test_changes_that_can_not_be_written_are_owed(run: RunFolder) -> None:
    writer = made(run)
    change = LearningRateChanged(1, 0.1)
    run.changes.path.mkdir()
    writer.record(row(1))
    writer.record(change)
    saved, failed = writer.save(state(1))
    assert (saved, failed.path) == (Saved(str(run.last), 1, 1), str(run.changes.path))
    assert list(run.history.events()) == [row(1)]
    run.changes.path.rmdir()
    assert writer.save(state(2)) == [Saved(str(run.last), 1, 2)]
    assert list(run.history.events()) == [row(1)]
    assert list(run.changes.events()) == [change]


def test_a_history_and_a_checkpoint_that_can_not_be_written_are_one_failure(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(content: Mapping[str, Any], path: Path, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    writer = made(run)
    run.history.path.mkdir()
    writer.record(row(1))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write", refused)
        assert writer.save(state(1)) == [SaveFailed(str(run.last), "No space left on device")]
    run.history.path.rmdir()
    assert writer.save(state(2)) == [Saved(str(run.last), 1, 2)]
    assert list(run.history.events()) == [row(1)]
