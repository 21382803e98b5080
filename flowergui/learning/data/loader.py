"""Batches of tensors, prepared ahead by threads."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.facts import Problem
from flowergui.learning.data import image_io, stalls
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.dataset import ImageDataset
from flowergui.learning.data.stalls import DaemonThreads
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.distributed import Share

CPU = torch.device("cpu")

MAX_WORKERS = 8
"""Most threads that prepare batches for a GPU unless the recipe asks for more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`images` (B, S, S, 3) uint8 and `labels` (B,) int64 of the dataset's `indices`, on the CPU.

    `failed` lists images that could not be read. Of several processes that train together, each has
    the images of its `share`, which may be none; one process has no share.
    """

    images: Tensor
    labels: Tensor
    indices: tuple[int, ...]
    failed: tuple[Problem, ...]
    share: Share | None = None

    @property
    def count(self) -> int:
        """The number of its images, in all processes."""
        return len(self.indices) if self.share is None else self.share.readable


@dataclass(frozen=True, slots=True)
class _Loading:
    """Images that a thread loads. `loaded` grows one by one."""

    indices: tuple[int, ...]
    loaded: list[Pixels | Problem]
    future: Future[Any]

    def finished(self) -> bool:
        """Waits for them; False once none was loaded for MAX_WAIT_S. Raises what loading raises."""
        while True:
            before = len(self.loaded)
            wait((self.future,), stalls.MAX_WAIT_S)
            if self.future.done():
                self.future.result()
                return True
            if len(self.loaded) == before:
                return False


def worker_count(requested: int, device: torch.device) -> int:
    """Threads that prepare batches for this device; `requested` 0 means automatic.

    A GPU would otherwise wait for the CPU after each step.
    """
    if requested or device.type == "cpu":
        return requested
    return min(hardware.cores(), MAX_WORKERS)


def iterate_batches(
    dataset: ImageDataset,
    batches: Sequence[tuple[int, ...]],
    crop: Callable[[Pixels, int], Pixels],
    workers: int,
    device: torch.device = CPU,
) -> Iterator[Batch]:
    """Yields the batches in order; `crop(pixels, index)` gives the network's (S, S, 3) input.

    `workers` threads prepare the next batches meanwhile. Threads share the dataset, can run
    beside a window (forked processes can't), and are faster than processes on few cores. With 0
    workers, all cores prepare each batch before it is used: on two cores, threads in the
    background slow down training as much as they gain. For a GPU as `device`, batches are in
    pinned memory. Images that a drive does not give within MAX_WAIT_S have failed.
    """

    def load(index: int) -> Pixels | Problem:
        try:
            return crop(dataset.pixels(index), index)
        except FlowerError as error:
            return Problem(dataset.photos[index].path, str(error))

    def load_all(indices: Sequence[int], loaded: list[Pixels | Problem]) -> None:
        for index in indices:
            loaded.append(load(index))  # noqa: PERF401  # one by one: `finished` looks at it

    def begin(
        pool: Executor, work: Callable[..., Batch | None], indices: tuple[int, ...]
    ) -> _Loading:
        loaded: list[Pixels | Problem] = []
        return _Loading(indices, loaded, pool.submit(work, indices, loaded))

    def results(loading: _Loading) -> list[Pixels | Problem]:
        """What was loaded, with problems in place of what the drive does not give."""
        loaded = list(loading.loaded)
        for index in loading.indices[len(loaded) :]:
            path = dataset.photos[index].path
            why = image_io.UnreadableError(Path(path), stalls.why_stalled())
            loaded.append(Problem(path, str(why)))
        return loaded

    def collate(indices: tuple[int, ...], loaded: Sequence[Pixels | Problem]) -> Batch:
        crops, good, failed = [], [], []
        for index, result in zip(indices, loaded, strict=True):
            if isinstance(result, Problem):
                failed.append(result)
            else:
                crops.append(result)
                good.append(index)
        images = torch.empty(0)
        if crops:
            images = transfers.pinned_buffer((len(crops), *crops[0].shape), device)
            np.stack(crops, out=images.numpy())
        return Batch(
            images=images,
            labels=torch.tensor([dataset.photos[index].label for index in good], dtype=torch.int64),
            indices=tuple(good),
            failed=tuple(failed),
        )

    if workers == 0:
        cores = hardware.cores()
        pool = DaemonThreads(cores)
        try:
            for indices in batches:
                share = max(-(-len(indices) // cores), 1)  # a share may have no images
                parts = [indices[start : start + share] for start in range(0, len(indices), share)]
                begun = [begin(pool, load_all, part) for part in parts]
                finished = [each.finished() for each in begun]
                yield collate(indices, [one for each in begun for one in results(each)])
                if not all(finished):
                    pool.shutdown(wait=False)
                    pool = DaemonThreads(cores)
        finally:
            pool.shutdown()
        return

    def assemble(indices: tuple[int, ...], loaded: list[Pixels | Problem]) -> Batch:
        load_all(indices, loaded)
        batch = collate(indices, loaded)
        loaded.clear()
        return batch

    waiting = iter(batches)
    pool = DaemonThreads(workers)
    ahead = deque(begin(pool, assemble, indices) for indices in islice(waiting, workers + 2))
    try:
        while ahead:
            loading = ahead.popleft()
            if loading.finished():
                batch = loading.future.result()
            else:
                batch = collate(loading.indices, results(loading))
                pool.shutdown(wait=False, cancel_futures=True)
                pool = DaemonThreads(workers)
                ahead = deque(
                    begin(pool, assemble, each.indices) if each.future.cancelled() else each
                    for each in ahead
                )
            ahead.extend(begin(pool, assemble, indices) for indices in islice(waiting, 1))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)
