"""Following a run that another process trains, by looking at its folder time after time."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    RunAsked,
    RunStarted,
    RunWatched,
    Stopped,
    Warned,
)
from flowergui.facts import RunFacts
from flowergui.requests import RunRequest
from flowergui.store.change_log import Change
from flowergui.store.library import run_folders
from flowergui.store.run_facts import class_count
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching.history_tail import HistoryTail
from flowergui.text import tr
from flowergui.wording import overdue_text

LOOK_INTERVAL_S: Final = 5.0
"""Seconds between two looks at a run that is watched."""

Row = BatchDone | EpochDone | Change


class RunWatch:
    """What is new in the folder of a run, since the last look. Only new rows are parsed, and no
    checkpoint is read. Reads the disk, which may hang if it is a network drive; owned by one
    thread at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        epochs_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """With `epochs_only`, no BatchDone comes. `clock` gives the time as time.time() does."""
        self._run, self._clock = RunFolder(folder), clock
        self._history = HistoryTail(self._run.history.path, epochs_only=epochs_only)
        self._classes: tuple[str, ...] = ()
        self._facts: RunFacts | None = None
        self._is_complete = False  # all rows were read, since RunStarted
        self._changes = 0
        self._batch: BatchDone | None = None
        self._epoch: EpochDone | None = None
        self._seconds = 0.0
        self._is_validated = False
        # When rows were written: by the clock of the file server, and by this machine's.
        self._written: tuple[int, float] | None = None
        self._has_ended = False

    def look(self) -> Iterator[RunStarted | Row | RunWatched | Finished | Stopped]:
        """RunStarted at first, each time that rows were dropped, and after a first look that could
        not read them all; new rows, in their order;
        RunWatched; then Finished or Stopped once, if no process trains the run any more. Raises
        FlowerError if the folder can't be read, or holds no run."""
        recipe = self._run.recipe()
        process = self._run.marker.read()
        is_training = _trains(self._run)  # before the rows: a run that has ended adds none
        if not self._is_complete or self._history.is_replaced():
            self._is_complete = False
            self._history.rewind()
            yield self._begin()
        yield from self._new_changes()
        yield from self._new_rows()
        self._is_complete = True
        facts = self._facts = self._facts_now()
        watched = RunWatched(
            run=replace(facts, recipe=recipe),
            is_training=is_training,
            host=process.host if process else "",
            reads_requests=is_training and process is not None and process.reads_requests,
            stop_requested=(asked := self._run.request.read()) is not None and asked.stop,
            seconds_since_written=self._seconds_since_written(),
            saved_at_ns=max(_modified_ns(facts.best), _modified_ns(facts.last)),
        )
        yield watched
        yield from self._end(watched)

    @property
    def has_begun(self) -> bool:
        """Whether the folder could be read once."""
        return self._facts is not None

    def _begin(self) -> RunStarted:
        """The run as its small files describe it; what only its process knows is left empty."""
        run, recipe = self._run, self._run.recipe()
        parts = [part for _, _, part, _ in run.split_and_sizes()]
        self._classes = run.classes()
        self._facts = RunFacts(str(run.path), recipe, class_count(run), 0, 0.0, "", "")
        self._changes, self._batch, self._epoch = 0, None, None
        self._seconds, self._is_validated = 0.0, False
        train = parts.count("train")
        return RunStarted(
            run=str(run.path),
            model=recipe.model,
            mode=recipe.mode,
            classes=self._classes,
            train_photos=train,
            validation_photos=len(parts) - train,
            image_size=recipe.image_size,
            device="",
            precision="",
            epochs=recipe.epochs,
            batches=max(1, -(-train // recipe.batch_size)),
            epoch=1,
            batch=0,
            step=0,
            trainable=0,
            parameters=0,
            frozen=recipe.frozen,
            resumed=True,
            learning_rate=recipe.learning_rate,
            training_size=recipe.training_size,
        )

    def _new_changes(self) -> Iterator[Change]:
        changes = list(self._run.changes.events())
        yield from changes[self._changes :]
        self._changes = len(changes)

    def _new_rows(self) -> Iterator[BatchDone | EpochDone]:
        for row in self._history.rows():
            if isinstance(row, EpochDone):
                self._epoch = row
                self._seconds += row.seconds
                self._is_validated = self._is_validated or row.val_accuracy is not None
            else:
                self._batch = row
            yield row

    def _facts_now(self) -> RunFacts:
        run, epoch, batch = self._run, self._epoch, self._batch
        last, done = run.newest(), epoch.epoch if epoch else 0
        return RunFacts(
            path=str(run.path),
            recipe=run.recipe(),
            class_count=len(self._classes) or (self._facts.class_count if self._facts else 0),
            epochs_done=done,
            best_accuracy=epoch.best_accuracy if epoch else 0.0,
            last=str(last) if last else "",
            best=str(run.best) if os.path.isfile(run.best) else "",
            batch=batch.batch if batch and batch.epoch > done else 0,
            note=run.note(),
        )

    def _seconds_since_written(self) -> float | None:
        """The time since rows were written; None before any were. The first time it is by the clock
        of the file server, which may differ from this machine's."""
        try:
            modified = os.stat(self._run.history.path).st_mtime_ns
        except OSError:
            return None
        now = self._clock()
        if self._written is None:
            self._written = modified, min(modified / 1e9, now)
        elif self._written[0] != modified:
            self._written = modified, now
        return max(0.0, now - self._written[1])

    def _end(self, watched: RunWatched) -> Iterator[Finished | Stopped]:
        """How the run ended, told once; it may be resumed, and end again."""
        told, self._has_ended = self._has_ended, not watched.is_training
        if told or watched.is_training:
            return
        run, epoch = watched.run, self._epoch
        if run.finished and epoch is not None:
            best = epoch.best_accuracy, epoch.best_epoch
            yield Finished(run.path, run.epochs_done, *best, self._seconds, self._is_validated)
        else:
            yield Stopped(run.path, run.epochs_done + 1, run.batch)


def epochs(folder: Path, interval: float) -> Iterator[Event]:
    """The epochs of a run as they come, and how it ended; see `tasks.watch`."""
    watch = RunWatch(folder, epochs_only=True)
    trouble = ""
    while True:
        before, trouble = trouble, ""
        try:
            for event in watch.look():
                if isinstance(event, EpochDone | Finished | Stopped):
                    yield event
                if isinstance(event, Finished | Stopped):
                    return
                if isinstance(event, RunWatched) and event.is_overdue:
                    trouble = overdue_text(event)
        except FlowerError as error:
            if not watch.has_begun:
                raise
            trouble = str(error)
        if trouble and not before:
            yield Warned(trouble)
        time.sleep(interval)


def ask(folder: Path, request: RunRequest) -> RunAsked:
    """Asks the process that trains a run to save or to stop; see `tasks.ask`."""
    run = RunFolder(folder)
    if not _trains(run):
        raise FlowerError(tr("The run {run} is not training.", run=folder.name))
    run.request.ask(request)
    return RunAsked(str(folder), request.stop)


def watchable_run(path: Path) -> Path:
    """The folder of the run that `path` stands for: a run folder, a checkpoint in one, or a folder
    of runs, or one with such a folder `models` in it, for the run there that trains, else the one
    that started last. Raises FlowerError if there is none."""
    folder = path.parent if os.path.isfile(path) else path
    models, run = folder / "models", RunFolder(folder)
    if not os.path.isdir(models) and run.exists():
        return folder
    runs = run_folders(models if os.path.isdir(models) else folder)
    if not runs:
        raise FlowerError(
            tr("There is no run in {folder} yet.", folder=folder),
            hint=tr("Choose the folder of a run, or the one that its runs are in."),
        )
    return next(filter(_trains, runs), runs[0]).path


def _trains(run: RunFolder) -> bool:
    """Whether a process trains the run: one of this machine holds its lock, and was killed if it
    does not; the lock of one elsewhere may not be seen from here."""
    process = run.marker.read()
    return run.is_training() or (process is not None and not process.is_on_this_machine)


def _modified_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns if path else 0
    except OSError:
        return 0
