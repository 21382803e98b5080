"""Following a run by looking at its folder."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    LearningRateChanged,
    RunAsked,
    RunStarted,
    RunWatched,
    Stopped,
    Warned,
)
from flowergui.requests import RunRequest
from flowergui.store import library
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching import history_tail
from flowergui.store.watching.run_watch import RunWatch, watchable_run

ROWS = (("rose/1.jpg", "rose", "train"), ("iris/1.jpg", "iris", "validation"))


def epoch(number: int, epochs: int = 3) -> list[BatchDone | EpochDone]:
    step = 4 * number
    return [
        BatchDone(number, 4, 4, step, 0.5 / number, 0.75, 0.01, 8),
        EpochDone(number, epochs, step, 0.5, 0.7, 0.6, 0.8, 0.8, number, 0.01, 30.0),
    ]


@pytest.fixture
def run(models: Path) -> RunFolder:
    made = RunFolder.create(models, Recipe(photos="/there/flowers", epochs=3))
    made.write_split(("iris", "rose"), ROWS, models)
    return made


def trains_on(run: RunFolder, host: str) -> None:
    """A process on another machine, whose lock can't be seen from here, trains it."""
    process = {"host": host, "pid": 7, "reads_requests": True}
    run.marker.path.write_text(json.dumps(process))


def of(events: list[Event], *kinds: type) -> list[Event]:
    return [event for event in events if isinstance(event, kinds)]


def watched(events: list[Event]) -> RunWatched:
    (found,) = of(events, RunWatched)
    assert isinstance(found, RunWatched)
    return found


def test_each_row_comes_once(run: RunFolder) -> None:
    trains_on(run, "node017")
    run.history.append(epoch(1))
    watch = RunWatch(run.path)
    first = list(watch.look())
    assert isinstance(first[0], RunStarted)
    assert (first[0].classes, first[0].train_photos, first[0].validation_photos) == (
        ("iris", "rose"), 1, 1,
    )  # fmt: skip
    assert of(first, BatchDone, EpochDone) == epoch(1)
    assert [type(event) for event in watch.look()] == [RunWatched]
    run.history.append(epoch(2))
    run.changes.append([LearningRateChanged(4, 0.001)])
    more = list(watch.look())
    assert more[:-1] == [LearningRateChanged(4, 0.001), *epoch(2)]
    facts = watched(more).run
    assert (facts.epochs_done, facts.class_count, facts.best_accuracy) == (2, 2, 0.8)


def test_rows_that_were_read_are_not_parsed_again(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.history.append([*epoch(1), *epoch(2)])
    watch = RunWatch(run.path)
    list(watch.look())
    parsed = []
    real = history_tail.event_of
    monkeypatch.setattr(
        history_tail, "event_of", lambda row, comma: (parsed.append(row), real(row, comma))[1]
    )
    run.history.append(epoch(3)[:1])
    list(watch.look())
    assert len(parsed) == 1


@pytest.mark.parametrize("kept", [0, 1])
def test_rows_that_a_run_drops_begin_anew(run: RunFolder, kept: int) -> None:
    """It was rolled back, or resumed from an earlier checkpoint, and may have grown since."""
    trains_on(run, "node017")
    run.history.append([*epoch(1), *epoch(2)])
    watch = RunWatch(run.path)
    list(watch.look())
    run.history.cut_back(4 * kept, kept + 1)
    again = [replace(row, epoch=row.epoch) for row in epoch(2)]
    again[0] = replace(again[0], loss=0.125)
    run.history.append([*again, *epoch(3)])
    events = list(watch.look())
    assert isinstance(events[0], RunStarted)
    assert of(events, BatchDone, EpochDone) == [*epoch(1) * kept, *again, *epoch(3)]


def test_a_row_that_is_not_written_to_its_end_comes_when_it_is(run: RunFolder) -> None:
    trains_on(run, "node017")
    watch = RunWatch(run.path)
    run.history.append(epoch(1))
    whole = run.history.path.read_bytes()
    for size in range(0, len(whole), 7):
        run.history.path.write_bytes(whole[:size])
        assert of(list(watch.look()), EpochDone) == []
    run.history.path.write_bytes(whole)
    assert of(list(watch.look()), EpochDone) == epoch(1)[1:]


def test_bytes_that_a_network_drive_has_not_got_yet_are_read_later(run: RunFolder) -> None:
    """It knows the size of a file before its content: nulls stand there for a moment."""
    run.history.append(epoch(1))
    whole = run.history.path.read_bytes()
    watch = RunWatch(run.path)
    half = len(whole) // 2
    run.history.path.write_bytes(whole[:half] + b"\0" * (len(whole) - half - 1) + b"\n")
    assert of(list(watch.look()), EpochDone) == []
    run.history.path.write_bytes(whole)
    assert of(list(watch.look()), EpochDone) == epoch(1)[1:]


def test_rows_that_could_not_be_read_at_first_come_later(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.history.append(epoch(1))
    watch = RunWatch(run.path)
    read = history_tail.open_bytes

    def fails(path: Path) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(history_tail, "open_bytes", fails)
    with pytest.raises(FlowerError, match="Input/output error"):
        list(watch.look())
    monkeypatch.setattr(history_tail, "open_bytes", read)
    events = list(watch.look())
    assert len(of(events, RunStarted)) == 1
    assert of(events, BatchDone, EpochDone) == epoch(1)


# --- what state it is in ------------------------------------------------------------------------


def test_a_process_on_another_machine_trains_until_it_says_that_it_does_not(run: RunFolder) -> None:
    trains_on(run, "node017")
    run.history.append(epoch(1))
    watch = RunWatch(run.path)
    said = watched(list(watch.look()))
    assert (said.is_training, said.host, said.reads_requests) == (True, "node017", True)
    run.marker.remove()
    events = list(watch.look())
    assert not watched(events).is_training
    assert events[-1] == Stopped(str(run.path), 2, 0)
    assert of(list(watch.look()), Stopped) == []
    trains_on(run, "node018")
    assert watched(list(watch.look())).is_training
    run.history.append([*epoch(2), *epoch(3)])
    run.marker.remove()
    assert list(watch.look())[-1] == Finished(str(run.path), 3, 0.8, 3, 90.0)


def test_a_run_of_this_machine_that_was_killed_trains_no_more(run: RunFolder) -> None:
    trains_on(run, socket.gethostname())
    assert not watched(list(RunWatch(run.path).look())).is_training


def test_a_run_that_holds_its_lock_trains(run: RunFolder) -> None:
    with run.locked():
        said = watched(list(RunWatch(run.path).look()))
    assert (said.is_training, said.host) == (True, socket.gethostname())
    assert not run.marker.path.exists()


def test_a_run_of_an_older_version_reads_no_requests(run: RunFolder) -> None:
    with run.locked():
        run.marker.remove()
        said = watched(list(RunWatch(run.path).look()))
    assert (said.is_training, said.reads_requests, said.host) == (True, False, "")


def test_how_long_ago_it_has_written(run: RunFolder) -> None:
    """By this machine's clock: that of a file server may be hours away."""
    trains_on(run, "node017")
    now = time.time()
    watch = RunWatch(run.path, clock=lambda: now)
    assert watched(list(watch.look())).seconds_since_written is None
    run.history.append(epoch(1))
    os.utime(run.history.path, (now - 100, now - 100))
    assert watched(list(watch.look())).seconds_since_written == pytest.approx(100, abs=1)
    os.utime(run.history.path, (now + 9000, now + 9000))
    assert watched(list(watch.look())).seconds_since_written == 0
    now += 60
    assert watched(list(watch.look())).seconds_since_written == 60
    assert not watched(list(watch.look())).is_overdue
    now += 600
    assert watched(list(watch.look())).is_overdue


def test_a_new_checkpoint_is_noticed(run: RunFolder) -> None:
    watch = RunWatch(run.path)
    assert watched(list(watch.look())).saved_at_ns == 0
    run.best.write_bytes(b"a checkpoint")
    first = watched(list(watch.look()))
    assert first.run.best == str(run.best)
    os.utime(run.best, (1, 1))
    assert watched(list(watch.look())).saved_at_ns != first.saved_at_ns


def test_a_folder_that_is_gone_for_a_time(run: RunFolder, tmp_path: Path) -> None:
    trains_on(run, "node017")
    run.history.append(epoch(1))
    watch = RunWatch(run.path)
    list(watch.look())
    away = run.path.rename(tmp_path / "away")
    with pytest.raises(FlowerError):
        list(watch.look())
    away.rename(run.path)
    run.history.append(epoch(2))
    assert of(list(watch.look()), EpochDone) == epoch(2)[1:]


# --- which run is meant -------------------------------------------------------------------------


def test_a_folder_of_runs_stands_for_the_one_that_trains(models: Path, run: RunFolder) -> None:
    newer = RunFolder.create(models, Recipe())
    assert newer.path != run.path
    assert watchable_run(models) == newer.path
    trains_on(run, socket.gethostname())  # it was killed
    assert watchable_run(models) == newer.path
    trains_on(run, "node017")
    assert watchable_run(models) == run.path
    assert watchable_run(models.parent) == run.path
    run.best.write_bytes(b"")
    assert watchable_run(run.best) == watchable_run(run.path) == run.path


def test_the_folder_of_a_job_is_no_run(models: Path, run: RunFolder) -> None:
    run.path.joinpath("job.sbatch").touch()
    with pytest.raises(FlowerError, match="no run in"):
        watchable_run(run.path)
    assert library.find_runs(models) == ([], [])


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="no run in"):
        watchable_run(tmp_path)


# --- the tasks ----------------------------------------------------------------------------------


def pulled(going: Iterator[Event], count: int) -> list[Event]:
    return [next(going) for _ in range(count)]


def test_watching_yields_epochs_until_the_run_ends(run: RunFolder) -> None:
    trains_on(run, "node017")
    run.history.append(epoch(1))
    going = tasks.watch(run.path, interval=0.01)
    assert pulled(going, 1) == epoch(1)[1:]
    run.history.append([*epoch(2), *epoch(3)])
    assert pulled(going, 2) == [epoch(2)[1], epoch(3)[1]]
    threading.Timer(0.05, run.marker.remove).start()
    assert list(going) == [Finished(str(run.path), 3, 0.8, 3, 90.0)]


def test_watching_survives_a_folder_that_goes_away(run: RunFolder, tmp_path: Path) -> None:
    trains_on(run, "node017")
    run.history.append(epoch(1))
    going = tasks.watch(run.path, interval=0.01)
    assert pulled(going, 1) == epoch(1)[1:]
    away = run.path.rename(tmp_path / "away")
    (warned,) = pulled(going, 1)
    assert isinstance(warned, Warned)
    away.rename(run.path)
    run.history.append(epoch(2))
    run.marker.remove()
    assert list(going) == [epoch(2)[1], Stopped(str(run.path), 3, 0)]


def test_watching_warns_of_a_run_that_has_written_nothing_for_long(run: RunFolder) -> None:
    trains_on(run, "node017")
    run.history.append(epoch(1))
    os.utime(run.history.path, (1e9, 1e9))
    _, warned = pulled(tasks.watch(run.path, interval=0.01), 2)
    assert isinstance(warned, Warned)
    assert "may have been killed" in warned.message


def test_a_run_that_trains_can_be_asked(run: RunFolder) -> None:
    with pytest.raises(FlowerError, match="is not training"):
        list(tasks.ask(run.path, RunRequest(stop=True)))
    trains_on(run, "node017")
    trains_on(run, socket.gethostname())  # it was killed: it doesn't hold the lock
    with pytest.raises(FlowerError, match="is not training"):
        list(tasks.ask(run.path, RunRequest(stop=True)))
    trains_on(run, "node017")
    assert list(tasks.ask(run.path, RunRequest(stop=True))) == [RunAsked(str(run.path), True)]
    assert run.request.read() == RunRequest(stop=True)
    assert watched(list(RunWatch(run.path).look())).stop_requested


def test_a_run_on_another_machine_counts_as_training_while_it_writes(run: RunFolder) -> None:
    assert not library.is_training(run.path)
    trains_on(run, "node017")
    run.history.append(epoch(1))
    assert library.is_training(run.path)
    long_ago = time.time() - 2 * library.MAX_SILENCE_S
    os.utime(run.history.path, (long_ago, long_ago))
    assert library.is_training(run.path)  # it was resumed just now
    os.utime(run.marker.path, (long_ago, long_ago))
    assert not library.is_training(run.path)
    trains_on(run, socket.gethostname())
    os.utime(run.history.path)
    assert not library.is_training(run.path)
