"""What watching a run does on the disk: jobs, each for a thread of its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowergui.desktop.training.run_history import HistoryLoaded, load_history, throttled
from flowergui.events import (
    BatchDone,
    EpochDone,
    Finished,
    Preparing,
    RunStarted,
    RunWatched,
    Stopped,
)
from flowergui.store.watching.run_watch import RunWatch, watchable_run
from flowergui.text import tr


def look(path: str, watch: RunWatch | None) -> Iterator[Any]:
    """What is new in the folder of a run; where it begins anew, RunStarted and HistoryLoaded
    instead of many rows. Without a `watch`, one is made for `path` (see `watchable_run`), and comes
    first. Raises FlowerError."""
    if watch is None:
        watch = RunWatch(watchable_run(Path(path)))
        yield watch
    events = watch.look()
    for event in events:
        if isinstance(event, RunStarted):
            yield Preparing(tr("Reading the run"), 0, 0)  # it answers
            yield from _begun(event, events)
        else:
            yield event


def _begun(started: RunStarted, events: Iterator[Any]) -> Iterator[Any]:
    """The run as it stands: its history as a whole, and what comes after that."""
    rest: list[RunWatched | Finished | Stopped] = []

    def rows() -> Iterator[Any]:
        for event in events:
            if isinstance(event, RunWatched | Finished | Stopped):
                rest.append(event)
                return
            yield event

    last: list[BatchDone] = []

    def noting_the_last(rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            if isinstance(row, BatchDone):
                last[:] = [row]
            yield row

    history = load_history(throttled(noting_the_last(rows())))
    yield _at_the_end(started, history, last[0] if last else None)
    yield history
    yield from rest


def _at_the_end(started: RunStarted, history: HistoryLoaded, batch: BatchDone | None) -> RunStarted:
    """RunStarted of a run that goes on where its history ends."""
    done: EpochDone | None = history.epochs[-1] if history.epochs else None
    epoch = done.epoch + 1 if done else 1
    in_epoch = batch.batch if batch and batch.epoch == epoch else 0
    return replace(
        started,
        epoch=epoch,
        batch=in_epoch,
        batches=batch.batches if batch else started.batches,
        step=batch.step if batch else 0,
        epochs=done.epochs if done else started.epochs,
    )
