"""A run's checkpoints, written while it trains on."""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, EpochDone, Saved, SaveFailed
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.device import hardware
from flowergui.store.run_folder import RunFolder

SaveEvent = Saved | SaveFailed
Rows = list[BatchDone | EpochDone]
Buffers = dict[tuple[Any, ...], Tensor]
"""Memory that copies of tensors lie in, by their place in the state."""

MIN_SECONDS_BETWEEN_SAVES = 10.0
"""Seconds that saves at the ends of epochs keep apart at least."""

MAX_SHARE_OF_TIME = 0.0007
"""The share of the training time that they may take: half of a hundredth of what the tutorial's
saving at every batch does, 0.14 (tests/benchmarks/saving.py). The other half is for the copies of
a best that is held meanwhile, and for the last save, which is waited for."""

SYNC_BELOW_BYTES = 8 << 20
"""Bytes of tensors up to which a checkpoint is written at once: that takes some 10 ms."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checkpoint's content, the `room` that it lies in where it is a copy, and the time (by the
    monotonic clock, in seconds) since which training goes on from it."""

    content: Mapping[str, Any]
    room: Buffers
    since: float


@dataclass(frozen=True, slots=True)
class SaveJob:
    """What is to be written: `last` (also as best.pth where it is `best`), the rows of
    history.csv that belong to it, and the best state that best.pth lacks so far."""

    last: Snapshot
    best: bool
    rows: Rows
    owed: Snapshot | None


@dataclass(frozen=True, slots=True)
class SaveResult:
    """What became of a job, and what of it is still to be written."""

    job: SaveJob
    outcomes: tuple[SaveEvent, ...]
    rows: Rows
    owed: Snapshot | None
    seconds: float
    """What writing it took of one core."""


class CheckpointWriter:
    """Writes the checkpoints of one run and the rows of its history, in their order.

    `soon` copies the state, which takes a hundredth of the time that writing it safely does, and
    a thread writes the copy: training waits for it only where the next save comes first. What
    became of a save is told by whichever method is called next. Nothing is raised: what failed is
    told, and what could not be written is written with the next save that works.
    """

    def __init__(self, run: RunFolder, furnish: Callable[[], None]) -> None:
        """`furnish` makes the folder anew, should somebody have deleted it meanwhile."""
        self._run = run
        self._furnish = furnish
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._under_way: Future[SaveResult] | None = None
        self._outcomes: list[SaveEvent] = []
        self._rows: Rows = []
        self._owed: Snapshot | None = None
        self._recipe: Mapping[str, Any] | None = None
        self._spare: list[Buffers] = []
        self._copying = 0.0
        self.cost = 0.0
        """Seconds that the last save cost a training that keeps all cores busy: those that it
        stood still for the copy, and the writing's share of the cores' time."""

    def min_interval(self, most: float) -> float:
        """Seconds that a save at the end of an epoch keeps from the one before it, so that it
        takes no more than MAX_SHARE_OF_TIME of the time; `most` of them at most."""
        return min(max(MIN_SECONDS_BETWEEN_SAVES, self.cost / MAX_SHARE_OF_TIME), most)

    def record(self, row: BatchDone | EpochDone) -> None:
        """Keeps a row for history.csv; it is written with the next checkpoint."""
        self._rows.append(row)

    def discard_pending(self) -> None:
        """Drops what is not written: the rows, and a best that is held."""
        self.wait()
        self._rows = []
        if self._owed is not None:
            self._spare.append(self._owed.room)
            self._owed = None

    def save(self, content: Mapping[str, Any], *, best: bool = False) -> list[SaveEvent]:
        """Writes `content` as last.pth (the old one becomes previous.pth), and keeps it as
        best.pth too where it is the `best`."""
        self.wait()
        self._take(self._write(self._job(Snapshot(content, {}, time.monotonic()), best)))
        return self._told()

    def save_async(self, content: Mapping[str, Any], *, best: bool = False) -> list[SaveEvent]:
        """The same, in a thread, from a copy; at once where that is quick, or where memory is
        short. `content` may change as soon as this returns."""
        size = _size(content)
        if size <= SYNC_BELOW_BYTES or self._no_room(size):
            return self.save(content, best=best)
        self.wait()
        self._begin(self._job(self._copied(content), best))
        return self._told()

    def stage_best(self, content: Mapping[str, Any]) -> list[SaveEvent]:
        """Keeps a copy of the best state until the next save, which writes it as best.pth. Where
        memory is short it is written at once."""
        if self._no_room(_size(content)):
            return self.save(content, best=True)
        self._owe(self._copied(content))
        return self.collect()

    @property
    def staged_since(self) -> float | None:
        """When the best that is held was the state of the training, by the monotonic clock."""
        return None if self._owed is None else self._owed.since

    def flush_best(self) -> list[SaveEvent]:
        """Writes the best that is held, where there is one, as last.pth and best.pth, in the
        thread: it is later than what last.pth holds, and one file does for both."""
        self.wait()
        if self._owed is not None:
            owed, self._owed = self._owed, None
            step = owed.content["step"]
            rows = [row for row in self._rows if row.step <= step]
            self._rows = self._rows[len(rows) :]
            self._begin(SaveJob(owed, True, rows, None))
        return self._told()

    def collect(self) -> list[SaveEvent]:
        """What became of the saves that are over, each told once; waits for none."""
        if self._under_way is not None and self._under_way.done():
            self.wait()
        return self._told()

    def wait(self) -> None:
        """Waits until nothing is being written."""
        if self._under_way is not None:
            future, self._under_way = self._under_way, None
            self._take(future.result())

    def _no_room(self, size: int) -> bool:
        return not self._spare and hardware.free_memory() < 3 * size

    def _begin(self, job: SaveJob) -> None:
        self._under_way = self._thread.submit(self._write, job)

    def _copied(self, content: Mapping[str, Any]) -> Snapshot:
        began = time.perf_counter()
        room: Buffers = {}
        before = self._spare.pop() if self._spare else {}
        tensors: list[Tensor] = []
        copied = _framed(content, (), before, room, tensors)
        torch._foreach_copy_(list(room.values()), tensors)
        self._copying = time.perf_counter() - began
        return Snapshot(copied, room, time.monotonic())

    def _job(self, last: Snapshot, best: bool) -> SaveJob:
        rows, self._rows = self._rows, []
        owed, self._owed = self._owed, None
        if best and owed is not None:  # a better one has come
            self._spare.append(owed.room)
            owed = None
        return SaveJob(last, best, rows, owed)

    def _take(self, written: SaveResult) -> None:
        self.cost = self._copying + written.seconds / (os.cpu_count() or 1)
        self._outcomes += written.outcomes
        self._rows = written.rows + self._rows
        for state in (written.job.last, written.job.owed):
            if state is not None and state.room and state is not written.owed:
                self._spare.append(state.room)
        owed = written.owed
        if owed is None:
            return
        if self._owed is not None:  # meanwhile a better one was held
            self._spare.append(owed.room)
        elif owed.room:
            self._owe(owed)
        elif not self._no_room(_size(owed.content)):
            self._owe(self._copied(owed.content))

    def _owe(self, state: Snapshot) -> None:
        if self._owed is not None:
            self._spare.append(self._owed.room)
        self._owed = state

    def _told(self) -> list[SaveEvent]:
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def _write(self, job: SaveJob) -> SaveResult:
        began = time.thread_time()
        run, last = self._run, job.last
        rows, owed = job.rows, last if job.best else job.owed
        outcomes: list[SaveEvent] = []
        reason = ""
        try:
            if not run.exists():
                self._furnish()
            run.history.append(rows)
            rows = []
            if job.owed is not None:
                checkpoint.write(job.owed.content, run.best)
                outcomes.append(_saved(job.owed.content, run.best))
                owed = None
            checkpoint.write(last.content, run.last, keep_as=run.previous)
            outcomes.append(_saved(last.content, run.last))
            self._write_recipe(last.content)
            if job.best:
                run.keep(run.last, run.best)
                outcomes.append(_saved(last.content, run.best))
                owed = None
        except OSError as error:
            reason = error.strerror or str(error)
        except FlowerError as error:
            reason = error.message
        if reason:
            there = {outcome.path for outcome in outcomes}
            missed = [run.last, run.best] if job.best or job.owed else [run.last]
            outcomes += [SaveFailed(str(p), reason) for p in missed if str(p) not in there]
        seconds = time.thread_time() - began
        return SaveResult(job, tuple(outcomes), rows, owed, seconds)

    def _write_recipe(self, content: Mapping[str, Any]) -> None:
        """Keeps recipe.json as it is in last.pth: settings may change during a run."""
        recipe = content.get("recipe")
        if recipe is not None and recipe != self._recipe:
            self._run.write_recipe(Recipe.from_dict(recipe))
            self._recipe = recipe


def _saved(content: Mapping[str, Any], path: Path) -> Saved:
    return Saved(str(path), content["epoch"], content["batch"])


def _size(value: Any) -> int:
    """Bytes of the tensors in it."""
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, Mapping):
        value = list(value.values())
    return sum(map(_size, value)) if isinstance(value, list | tuple) else 0


def _framed(
    value: Any, place: tuple[Any, ...], before: Buffers, room: Buffers, tensors: list[Tensor]
) -> Any:
    """`value` with room, in main memory, where the `tensors` in it stood; their content is not
    copied yet. It is that of the copy `before`, by their `place`: new memory would take four times
    as long."""
    if isinstance(value, Tensor):
        kept = before.get(place)
        if kept is None or (kept.shape, kept.dtype) != (value.shape, value.dtype):
            kept = torch.empty_like(value, device="cpu", requires_grad=False)
        room[place] = kept
        tensors.append(value.detach())
        return kept
    if isinstance(value, dict):
        framed = copy(value)  # state_dict's notes of versions stay with it
        for key, each in value.items():
            framed[key] = _framed(each, (*place, key), before, room, tensors)
        return framed
    if isinstance(value, list | tuple):
        return type(value)(
            _framed(each, (*place, index), before, room, tensors)
            for index, each in enumerate(value)
        )
    return value
