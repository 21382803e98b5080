"""The history of a resumed run: the points, epochs and changes that it had before."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size, training_size
from flowergui.desktop.plots.batch_columns import BatchColumns
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    RolledBack,
    RunStarted,
    Stopped,
    TrainingSizeChanged,
)

PAINT_SECONDS = 0.1
"""The window shows what a run is before its history is read."""
ROWS_PER_SLEEP, SLEEP_SECONDS = 100, 5e-5
"""A thread that never sleeps leaves the window turns of 5 ms: what takes the window 60 ms beside
one that does takes it 270 ms then."""

Row = TypeVar("Row")
Change = FrozenChanged | LearningRateChanged | RolledBack | TrainingSizeChanged


@dataclass(frozen=True, slots=True)
class HistoryLoaded:
    """What a resumed run has done before; comes right after its RunStarted."""

    points: BatchColumns
    epochs: tuple[EpochDone, ...]
    changes: tuple[Change, ...] = ()
    """What was changed while it ran, in the order of its steps."""


def size_changes(
    epochs: Sequence[EpochDone], recipe: Recipe, image_size: int
) -> tuple[TrainingSizeChanged, ...]:
    """Where the training images of these epochs grew, from the recipe: histories of older
    versions don't say. `image_size` is that of validation, in pixels."""
    last = largest_training_size(recipe.training_size, image_size)
    changes: list[TrainingSizeChanged] = []
    for before, epoch in pairwise(epochs):
        sizes = [
            training_size(recipe.first_training_size, last, each.epoch, recipe.epochs)
            for each in (before, epoch)
        ]
        if sizes[0] != sizes[1]:
            changes.append(TrainingSizeChanged(before.step, sizes[1]))
    return tuple(changes)


def with_history(events: Iterator[Event]) -> Iterator[Any]:
    """The events; RunStarted of a resumed run is followed by its HistoryLoaded."""
    for event in events:
        yield event
        if isinstance(event, RunStarted) and event.resumed:
            yield load_history(throttled(tasks.history(event.run)))


def replayed(started: RunStarted, ended: Finished | Stopped | None) -> Iterator[tuple[Any, ...]]:
    """One tuple: what a run that has ended would show at its end, without its batches' events.
    `ended` is None if it failed."""
    history = load_history(throttled(tasks.history(started.run)))
    yield (started, history, ended) if ended else (started, history)


def throttled(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, with short sleeps between them: the window answers meanwhile."""
    time.sleep(PAINT_SECONDS)
    for number, row in enumerate(rows):
        if number % ROWS_PER_SLEEP == 0:
            time.sleep(SLEEP_SECONDS)
        yield row


def load_history(rows: Iterable[BatchDone | EpochDone | Change]) -> HistoryLoaded:
    """The history of a run, from one pass over its rows."""
    epochs: list[EpochDone] = []
    changes: list[Change] = []

    def batches() -> Iterator[BatchDone]:
        for row in rows:
            if isinstance(row, BatchDone):
                yield row
            elif isinstance(row, EpochDone):
                epochs.append(row)
            else:
                changes.append(row)

    points = BatchColumns.of(batches())
    changes.sort(key=lambda change: change.step)
    return HistoryLoaded(points, tuple(epochs), tuple(changes))
