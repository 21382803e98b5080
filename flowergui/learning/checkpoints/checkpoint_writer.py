"""Writes the checkpoints of a run and its history.csv, in a thread while training goes on."""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, EpochDone, Saved, SaveFailed
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.device import hardware
from flowergui.store.change_log import Change
from flowergui.store.run_folder import RunFolder

SaveEvent = Saved | SaveFailed
Content = Mapping[str, Any]
Row = BatchDone | EpochDone | Change

MIN_SECONDS_BETWEEN_SAVES = 10.0
"""The shortest time between two saves at the ends of epochs."""

MAX_SHARE_OF_TIME = 0.0007
"""The share of the training time that these saves may take: half of a hundredth of what the
tutorial's saving after every batch takes, which is 0.14 (tests/benchmarks/saving.py). The other
half is for copies of the best state in between, and for the last save, which is waited for."""

SYNC_BELOW_BYTES = 8 << 20
"""Bytes of tensors up to which a checkpoint is written at once: that takes some 10 ms."""


NO_PLACE = (-1, -1)
"""Before the place (step and epoch) of each state."""


@dataclass(frozen=True, slots=True)
class SaveJob:
    """What to write: `last` as last.pth, if it is given, and as best.pth too if it `is_best`; else
    an earlier `best` state, if there is one; and the rows of history.csv and changes.jsonl up to
    `last`."""

    last: Content | None
    is_best: bool
    best: Content | None
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The outcome of a job: what could not be written, the rows and the state of best.pth, is to be
    written with the next one. `seconds` are the CPU time that it took."""

    events: list[SaveEvent]
    rows: list[Row]
    best: Content | None
    seconds: float


class CheckpointWriter:
    """Writes one run's checkpoints, in order, at most one at a time.

    `save_async` copies the state, which takes a hundredth of the time that writing takes, and
    writes the copy in a thread. A best state between two saves is only copied (`stage_best`), and
    written with the next save: on cached features an epoch takes less time than a checkpoint.
    Nothing is raised; the outcome of each save is returned by whichever method is called next.
    """

    def __init__(self, folder: RunFolder, recreate_folder: Callable[[], None]) -> None:
        """`recreate_folder` is called before a save if somebody has deleted the folder."""
        self._folder = folder
        self._recreate_folder = recreate_folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._running: Future[SaveResult] | None = None
        self._events: list[SaveEvent] = []
        self._rows: list[Row] = []
        self._best: Content | None = None
        self._recipe: Content | None = None
        self._last_place = NO_PLACE
        self._copy_seconds = 0.0
        self.cost = 0.0
        """Seconds by which the last save delayed a training that keeps all cores busy: those of the
        copy, and the writing's share of the cores' time."""

    def min_interval(self, longest: float) -> float:
        """The seconds between saves at the ends of epochs, so that they take no more than
        MAX_SHARE_OF_TIME; at most `longest`."""
        return min(max(MIN_SECONDS_BETWEEN_SAVES, self.cost / MAX_SHARE_OF_TIME), longest)

    def record(self, row: Row) -> None:
        """Keeps a row for history.csv or changes.jsonl; it is written with the next checkpoint."""
        self._rows.append(row)

    def save(self, content: Content, *, best: bool = False) -> list[SaveEvent]:
        """Writes `content` as last.pth (the file before becomes previous.pth), and as best.pth too
        if it is the `best`."""
        self.wait()
        self._copy_seconds = 0.0
        result = self._write(self._next_job(content, best))
        if result.best is content:  # it changes with the next step
            copied = None if self._is_memory_short(content) else self._copy(content)
            result = replace(result, best=copied)
        self._finish(result)
        return self._take_events()

    def save_async(self, content: Content, *, best: bool = False) -> list[SaveEvent]:
        """The same, in a thread, from a copy; `content` may change afterwards. Small checkpoints
        are written at once, and all are if memory is short."""
        if _size(content) <= SYNC_BELOW_BYTES or self._is_memory_short(content):
            return self.save(content, best=best)
        self.wait()
        self._start(self._next_job(self._copy(content), best))
        return self._take_events()

    def stage_best(self, content: Content) -> list[SaveEvent]:
        """Copies the best state; the next save writes it as best.pth. If memory is short it is
        written at once."""
        if self._is_memory_short(content):
            return self.save(content, best=True)
        self._best = self._copy(content)
        return self.collect()

    def flush_best(self) -> list[SaveEvent]:
        """Starts writing a staged best state as last.pth and best.pth: it is newer than last.pth,
        and the state after it must not be saved. If last.pth is as new, because only best.pth could
        not be written before, that stays as it is."""
        self.wait()
        if self._best is not None:
            best, self._best = self._best, None
            if _place(best) <= self._last_place and os.path.exists(self._folder.last):
                self._start(SaveJob(None, is_best=False, best=best, rows=[]))
                return self._take_events()
            rows = [row for row in self._rows if row.step <= best["step"]]
            self._rows = self._rows[len(rows) :]
            self._start(SaveJob(best, is_best=True, best=None, rows=rows))
        return self._take_events()

    def collect(self) -> list[SaveEvent]:
        """The outcomes of saves that are over, each once. Doesn't wait."""
        if self._running is not None and self._running.done():
            self.wait()
        return self._take_events()

    def wait(self) -> None:
        """Waits until nothing is being written."""
        if self._running is not None:
            running, self._running = self._running, None
            self._finish(running.result())

    def discard_pending(self) -> None:
        """Drops what is not written yet: the rows, and a staged best state."""
        self.wait()
        self._rows, self._best, self._last_place = [], None, NO_PLACE

    # --- jobs

    def _next_job(self, last: Content, is_best: bool) -> SaveJob:
        rows, self._rows = self._rows, []
        best, self._best = self._best, None
        return SaveJob(last, is_best, None if is_best else best, rows)

    def _start(self, job: SaveJob) -> None:
        self._running = self._thread.submit(self._write, job)

    def _finish(self, result: SaveResult) -> None:
        self.cost = self._copy_seconds + result.seconds / (os.cpu_count() or 1)
        self._events += result.events
        self._rows = result.rows + self._rows
        if self._best is None:  # else a better one was staged meanwhile
            self._best = result.best

    def _take_events(self) -> list[SaveEvent]:
        events, self._events = self._events, []
        return events

    def _is_memory_short(self, content: Content) -> bool:
        return hardware.free_memory() < 3 * _size(content)

    def _copy(self, content: Content) -> Content:
        began = time.perf_counter()
        copied: Content = copied_to_cpu(content)
        self._copy_seconds = time.perf_counter() - began
        return copied

    # --- in the thread

    def _write(self, job: SaveJob) -> SaveResult:
        """Writes what it can: last.pth is written even if history.csv or best.pth can't be."""
        began = time.thread_time()
        folder, best = self._folder, job.best
        reason = "" if folder.exists() else _failure(self._recreate_folder)
        unwritten, before = self._append_rows(job.rows, reason)
        events: list[SaveEvent] = []
        failures: dict[Path, str] = {}

        def attempt(path: Path, content: Content, write: Callable[[], object]) -> None:
            if why := reason or _failure(write):
                failures[path] = why
            else:
                events.append(Saved(str(path), content["epoch"], content["batch"]))

        if best is not None:
            earlier = best
            attempt(folder.best, earlier, lambda: checkpoint.write(earlier, folder.best))
        if job.last is not None:
            last = job.last
            attempt(
                folder.last,
                last,
                lambda: checkpoint.write(last, folder.last, keep_as=folder.previous),
            )
            if folder.last in failures:
                # The run would count as finished if its history were ahead of last.pth.
                if before is not None and not _failure(lambda: folder.history.truncate(before)):
                    unwritten[folder.history.path] = failures[folder.last]
                reason = failures[folder.last]
            else:
                self._last_place = _place(last)
            if job.is_best:
                best = last
                attempt(folder.best, last, lambda: folder.keep(folder.last, folder.best))
            if folder.last not in failures:
                _failure(lambda: self._write_recipe(last))  # the next save tries again
        rows = [row for row in job.rows if self._file_of(row) in unwritten]
        if not reason:  # else it is that of the rows too
            failures |= unwritten
        paths = (folder.last, folder.best, folder.history.path, folder.changes.path)
        events += [SaveFailed(str(path), failures[path]) for path in paths if path in failures]
        owed = best if folder.best in failures else None
        return SaveResult(events, rows, owed, time.thread_time() - began)

    def _append_rows(self, rows: list[Row], reason: str) -> tuple[dict[Path, str], int | None]:
        """Appends the rows to their files, if there is no `reason` why nothing can be written.
        Returns why a file could not be written, and the bytes of history.csv before, or None if
        nothing was appended to it."""
        folder = self._folder
        changes: list[Change] = [row for row in rows if not isinstance(row, BatchDone | EpochDone)]
        epochs = [row for row in rows if isinstance(row, BatchDone | EpochDone)]
        before: int | None = None

        def append_history() -> None:
            nonlocal before
            before = folder.history.append(epochs)

        unwritten: dict[Path, str] = {}
        if why := reason or _failure(append_history):
            unwritten[folder.history.path] = why
        if why := reason or _failure(lambda: folder.changes.append(changes)):
            unwritten[folder.changes.path] = why
        return unwritten, before

    def _file_of(self, row: Row) -> Path:
        folder = self._folder
        is_change = not isinstance(row, BatchDone | EpochDone)
        return folder.changes.path if is_change else folder.history.path

    def _write_recipe(self, content: Content) -> None:
        """Keeps recipe.json as it is in last.pth: settings may change during a run."""
        recipe = content.get("recipe")
        if recipe is not None and recipe != self._recipe:
            self._folder.write_recipe(Recipe.from_dict(recipe))
            self._recipe = recipe


class NullCheckpointWriter(CheckpointWriter):
    """Writes nothing: of several processes that train together, one writes."""

    def record(self, row: Row) -> None:
        """Drops the row."""

    def save(self, content: Content, *, best: bool = False) -> list[SaveEvent]:
        """No events."""
        return []

    def save_async(self, content: Content, *, best: bool = False) -> list[SaveEvent]:
        """No events."""
        return []

    def stage_best(self, content: Content) -> list[SaveEvent]:
        """No events."""
        return []


def _failure(write: Callable[[], object]) -> str:
    """Calls `write`. Returns the reason if that fails, else ""."""
    try:
        write()
    except OSError as error:
        return error.strerror or str(error)
    except FlowerError as error:
        cause = error.__cause__
        return (cause.strerror or str(cause)) if isinstance(cause, OSError) else error.message
    return ""


def _place(content: Content) -> tuple[int, int]:
    """The step and the epoch of a state, which order the states of a run."""
    return content["step"], content["epoch"]


def _size(value: Any) -> int:
    """The bytes of all tensors in it."""
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, Mapping):
        value = list(value.values())
    return sum(map(_size, value)) if isinstance(value, list | tuple) else 0


def copied_to_cpu(value: Any) -> Any:
    """`value` with copies of its tensors in main memory. Blocks that were freed before are used
    again without page faults: see `tuning.tune_malloc`."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        copied = copy(value)  # with the versions in a state_dict's _metadata
        copied.update((key, copied_to_cpu(each)) for key, each in value.items())
        return copied
    if isinstance(value, list | tuple):
        return type(value)(map(copied_to_cpu, value))
    return value
