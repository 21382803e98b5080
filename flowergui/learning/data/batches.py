"""Photos -> batches of tensors: decoded once, kept while memory lasts, prepared ahead."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.facts import (
    Problem,
)
from flowergui.learning.acceleration.frozen_split import Features
from flowergui.learning.data import augmentation, image_io
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.photo_cache import PhotoCache
from flowergui.learning.data.photos import Photo
from flowergui.learning.device import hardware, transfers
from flowergui.learning.randomness import derive_seed

CPU = torch.device("cpu")

AHEAD = 8
"""Most threads that prepare batches beside a graphics card, unless more are asked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`views` (B, S, S, 3) of bytes and `labels` (B,) int64, both on the CPU, of the photos
    `indices`. Photos that could not be read any more are `lost`. Where the `values` that the first
    half of the network gives for them are known, they stand instead of the views."""

    images: Tensor
    labels: Tensor
    indices: tuple[int, ...]
    failed: tuple[Problem, ...]
    features: Features = ()


@dataclass(frozen=True, slots=True)
class Transform:
    """How a decoded photo is resized before an ImageDataset keeps it.

    Its shorter side becomes `side` pixels, or stays as it is if smaller. If `image_size` is not 0,
    the center crop of (image_size, image_size, 3) is kept instead of the whole photo.
    """

    side: int
    image_size: int = 0

    @property
    def key(self) -> str:
        """Names the result in the photo cache. It must never change: caches of gigabytes are
        found by it."""
        return f"Preparation(side={self.side}, image_size={self.image_size})"

    def __call__(self, path: Path) -> Pixels:
        """Raises FlowerError where the photo can't be read."""
        picture = image_io.read(path, at_least=self.side)
        if self.image_size:
            return augmentation.center_crop(picture, self.image_size)
        return augmentation.resize_shorter_side(picture, self.side)


class ImageDataset:
    """Photos by index, decoded and shrunk by `prepare`, and kept until `budget` bytes are full.

    Where there is a `cache`, what memory has no room for is kept there from the second time on,
    and what takes long to decode from the first. Threads may share an album: at worst a photo is
    decoded twice.
    """

    def __init__(
        self,
        folder: Path,
        photos: Sequence[Photo],
        prepare: Transform,
        budget: int,
        cache: PhotoCache | None = None,
    ) -> None:
        self.photos = photos
        self._folder = folder
        self._prepare = prepare
        self._room = budget
        self._cache = cache
        self._kept: dict[int, Pixels] = {}
        self._seen = bytearray(len(photos))

    def pixels(self, index: int) -> Pixels:
        """The prepared photo. Raises FlowerError where it can't be read."""
        if (kept := self._kept.get(index)) is not None:
            return kept
        path = self._folder / self.photos[index].path
        if self._cache is None:
            pixels = self._prepare(path)
        else:
            again, self._seen[index] = bool(self._seen[index]), 1
            pixels = self._cache.prepared(path, self._prepare, again=again)
        if self._room >= pixels.nbytes:
            self._room -= pixels.nbytes
            self._kept[index] = pixels
        return pixels


def train_transform(image_size: int, kind: str) -> Transform:
    """Keeps the whole training photo, no larger than augmentation needs."""
    return Transform(augmentation.cache_side(image_size, kind))


def eval_transform(image_size: int) -> Transform:
    """What validation and prediction see of a photo: (image_size, image_size, 3)."""
    return Transform(augmentation.cache_side(image_size, "none"), image_size)


def shuffled_indices(count: int, seed: int, epoch: int) -> list[int]:
    """The order in which an epoch shows `count` photos: a function of seed and epoch alone."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    shuffled: list[int] = torch.randperm(count, generator=generator).tolist()
    return shuffled


def batch_indices(indices: Sequence[int], size: int, drop_last: bool) -> list[tuple[int, ...]]:
    """`indices` in batches of `size`. A last batch that is smaller goes where `drop_last`, and
    one of a single photo always: batch normalisation can't learn from it."""
    batches = [tuple(indices[start : start + size]) for start in range(0, len(indices), size)]
    if batches and (len(batches[-1]) == 1 or (drop_last and len(batches[-1]) < size)):
        batches.pop()
    return batches


def worker_count(wish: int, device: torch.device) -> int:
    """Threads that prepare batches while a network trains on this device; a `wish` of 0 leaves
    open how many. A graphics card would wait for a processor that begins when it has ended."""
    if wish or device.type == "cpu":
        return wish
    return min(hardware.cores(), AHEAD)


def sequential_batches(count: int, size: int) -> list[tuple[int, ...]]:
    """The numbers below `count` in batches of `size`; the last one may be smaller, as a single
    photo is fine where nothing is learned."""
    return [tuple(range(start, min(start + size, count))) for start in range(0, count, size)]


def iterate_batches(
    album: ImageDataset,
    batches: Sequence[tuple[int, ...]],
    view: Callable[[Pixels, int], Pixels],
    workers: int,
    device: torch.device = CPU,
) -> Iterator[Batch]:
    """The batches in order; `view(pixels, index)` gives the (S, S, 3) that the network sees, which
    is on `device`.

    `workers` threads prepare the next ones meanwhile: they can't be forked beside a window, share
    the album, and on few cores are faster than processes. With 0, all cores prepare a batch
    together before the network takes it: on two, whoever works beside it slows it by as much.
    """

    def look(index: int) -> Pixels | Problem:
        try:
            return view(album.pixels(index), index)
        except FlowerError as error:
            return Problem(album.photos[index].path, str(error))

    def look_at(indices: Sequence[int]) -> list[Pixels | Problem]:
        return [look(index) for index in indices]

    def assembled(indices: tuple[int, ...], looks: Sequence[Pixels | Problem]) -> Batch:
        views, good, lost = [], [], []
        for index, seen in zip(indices, looks, strict=True):
            if isinstance(seen, Problem):
                lost.append(seen)
            else:
                views.append(seen)
                good.append(index)
        together = torch.empty(0)
        if views:
            together = transfers.room((len(views), *views[0].shape), device)
            np.stack(views, out=together.numpy())
        return Batch(
            images=together,
            labels=torch.tensor([album.photos[index].label for index in good], dtype=torch.int64),
            indices=tuple(good),
            failed=tuple(lost),
        )

    if workers == 0:
        cores = hardware.cores()
        with ThreadPoolExecutor(cores, thread_name_prefix="photos") as pool:
            for indices in batches:
                share = -(-len(indices) // cores)
                parts = [indices[start : start + share] for start in range(0, len(indices), share)]
                looks = [each for part in pool.map(look_at, parts) for each in part]
                yield assembled(indices, looks)
        return

    def assemble(indices: tuple[int, ...]) -> Batch:
        return assembled(indices, look_at(indices))

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
