"""Batches of tensors, prepared ahead by threads."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.facts import Problem
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.dataset import ImageDataset
from flowergui.learning.device import hardware, transfers

CPU = torch.device("cpu")

MAX_WORKERS = 8
"""Most threads that prepare batches for a GPU unless the recipe asks for more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`images` (B, S, S, 3) uint8 and `labels` (B,) int64 of the dataset's `indices`, on the CPU.

    `failed` lists images that could not be read.
    """

    images: Tensor
    labels: Tensor
    indices: tuple[int, ...]
    failed: tuple[Problem, ...]


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
    pinned memory.
    """

    def load(index: int) -> Pixels | Problem:
        try:
            return crop(dataset.pixels(index), index)
        except FlowerError as error:
            return Problem(dataset.photos[index].path, str(error))

    def load_all(indices: Sequence[int]) -> list[Pixels | Problem]:
        return [load(index) for index in indices]

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
        with ThreadPoolExecutor(cores, thread_name_prefix="photos") as pool:
            for indices in batches:
                share = -(-len(indices) // cores)
                parts = [indices[start : start + share] for start in range(0, len(indices), share)]
                loaded = [each for part in pool.map(load_all, parts) for each in part]
                yield collate(indices, loaded)
        return

    def assemble(indices: tuple[int, ...]) -> Batch:
        return collate(indices, load_all(indices))

    waiting = iter(batches)
    with ThreadPoolExecutor(workers, thread_name_prefix="photos") as pool:
        ahead: deque[Future[Batch]] = deque()
        try:
            ahead.extend(pool.submit(assemble, indices) for indices in islice(waiting, workers + 2))
            while ahead:
                batch = ahead.popleft().result()
                ahead.extend(pool.submit(assemble, indices) for indices in islice(waiting, 1))
                yield batch
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
