"""What the frozen first half of a network makes of photos, computed once and kept."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.learning.acceleration.frozen_split import Features
from flowergui.learning.device import transfers

GROUP = 16
"""Photos whose values are computed together, by their index: what a cache holds depends on that
in the last bits, and not on the order in which they were wanted."""

DISK_SHARE = 0.5
"""The share of the free disk that they may take where memory does not do."""


class TooLargeError(FlowerError):
    """There is room for them neither in memory nor on disk."""


class FeatureCache:
    """The values of `count` photos, by index: in memory up to `memory` bytes, else in a file in
    `folder`, which is gone when this is."""

    def __init__(self, count: int, memory: int, folder: Path) -> None:
        self.count = count
        self.where = ""
        self._memory, self._folder = memory, folder
        self._kept: list[Tensor] = []
        self._file: tempfile.TemporaryDirectory[str] | None = None
        self._known = torch.zeros(count, dtype=torch.bool)

    @property
    def size(self) -> int:
        """In bytes; 0 before the first values are known."""
        return sum(kept.nbytes for kept in self._kept)

    def put(self, indices: Sequence[int], values: Features) -> None:
        """Keeps the values of these photos. Raises TooLargeError where there is no room."""
        if not self._kept:
            self._make_room(values)
        rows = torch.tensor(indices)
        for kept, value in zip(self._kept, values, strict=True):
            kept[transfers.send(rows, kept.device)] = value.to(kept.device)
        self._known[rows] = True

    def get(self, indices: Sequence[int]) -> tuple[Features, tuple[int, ...]]:
        """The values, each (B, ...), of those of the photos that could be read, and which these
        are."""
        rows = torch.tensor(indices)
        rows = rows[self._known[rows]]
        values = tuple(kept[transfers.send(rows, kept.device)] for kept in self._kept)
        return values, tuple(rows.tolist())

    def _make_room(self, values: Features) -> None:
        size = sum(value[0].nbytes for value in values) * self.count
        if size <= self._memory:
            self.where = "memory"
            self._kept = [value.new_empty((self.count, *value.shape[1:])) for value in values]
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if size > DISK_SHARE * shutil.disk_usage(self._folder).free:
                raise OSError("the disk is too full")
            self._file = tempfile.TemporaryDirectory(dir=self._folder, prefix="features-")
            for number, value in enumerate(values):
                path = Path(self._file.name) / f"{number}.bin"
                count = value[0].numel() * self.count
                _reserve(path, count * value.element_size())
                kept = torch.from_file(str(path), shared=True, size=count, dtype=value.dtype)
                self._kept.append(kept.view(self.count, *value.shape[1:]))
        except (OSError, RuntimeError) as error:
            self._kept = []
            raise TooLargeError(
                f"The features would take {size / 1e9:.1f} GB, more than there is free in memory "
                "and on the disk."
            ) from error
        self.where = "file"
        if os.name == "posix":  # the name goes now: nothing is left of a run that is killed
            self._file.cleanup()

    def close(self) -> None:
        """Lets go of them, and of the file."""
        self._kept = []
        if self._file is not None:
            self._file.cleanup()


def _reserve(path: Path, size: int) -> None:
    """Makes a file that has its room on the disk already: where that ran out under a mapping, the
    process would be killed. Raises OSError where there is no room."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, max(size, 1))
            return
        zeros = bytes(1 << 20)
        for start in range(0, size, len(zeros)):
            file.write(zeros[: size - start])
