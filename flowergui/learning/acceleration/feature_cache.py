"""A cache of the features that frozen layers give for each image."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from flowergui.learning.acceleration.frozen_split import Features
from flowergui.learning.device import transfers

GROUP = 16
"""Images whose features are computed together, by their index: the last bits of features depend on
the batch that they were computed in, so it must not depend on the order of training."""

MEMORY_SHARE = 0.25
"""The share of the free memory at the start that decoded images may take, and cached features."""

DISK_SHARE = 0.5
"""The share of the free disk that a cache may take if it does not fit in memory."""


class TooLargeError(Exception):
    """Features of `size` bytes fit neither in memory nor on the disk."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size:,} bytes of features fit neither in memory nor on the disk")
        self.size = size


class FeatureCache:
    """The features of `count` images by index.

    They are in memory if they take up to `memory` bytes, else in a temporary file in `folder`.
    `where` says which: "memory" or "file", and "" before the first features are put in.
    """

    def __init__(self, count: int, memory: int, folder: Path) -> None:
        self.count = count
        self.where = ""
        self._memory, self._folder = memory, folder
        self._tensors: list[Tensor] = []
        self._file: tempfile.TemporaryDirectory[str] | None = None
        self._known = torch.zeros(count, dtype=torch.bool)

    @property
    def size(self) -> int:
        """In bytes; 0 before the first features are put in."""
        return sum(tensor.nbytes for tensor in self._tensors)

    def put(self, indices: Sequence[int], features: Features) -> None:
        """Stores the features, each (B, ...), of these images. Raises TooLargeError if there is
        not enough space."""
        if not self._tensors:
            self._allocate(features)
        rows = torch.tensor(indices)
        for tensor, values in zip(self._tensors, features, strict=True):
            tensor[transfers.send(rows, tensor.device)] = values.to(tensor.device)
        self._known[rows] = True

    def get(self, indices: Sequence[int]) -> tuple[Features, tuple[int, ...]]:
        """The features, each (B, ...), of those images that could be read, and their indices."""
        rows = torch.tensor(indices, dtype=torch.int64)
        rows = rows[self._known[rows]]
        features = tuple(tensor[transfers.send(rows, tensor.device)] for tensor in self._tensors)
        return features, tuple(rows.tolist())

    def _allocate(self, features: Features) -> None:
        size = sum(values[0].nbytes for values in features) * self.count
        if size <= self._memory:
            self.where = "memory"
            self._tensors = [
                values.new_empty((self.count, *values.shape[1:])) for values in features
            ]
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if size > DISK_SHARE * shutil.disk_usage(self._folder).free:
                raise TooLargeError(size)
            self._file = tempfile.TemporaryDirectory(dir=self._folder, prefix="features-")
            for number, values in enumerate(features):
                path = Path(self._file.name) / f"{number}.bin"
                count = values[0].numel() * self.count
                _reserve(path, count * values.element_size())
                tensor = torch.from_file(str(path), shared=True, size=count, dtype=values.dtype)
                self._tensors.append(tensor.view(self.count, *values.shape[1:]))
        except (OSError, RuntimeError) as error:
            self._tensors = []
            raise TooLargeError(size) from error
        self.where = "file"
        if os.name == "posix":  # unlink it now, so that nothing is left of a run that is killed
            self._file.cleanup()

    def close(self) -> None:
        """Frees the features, and removes the file."""
        self._tensors = []
        if self._file is not None:
            self._file.cleanup()


def _reserve(path: Path, size: int) -> None:
    """Creates a file whose blocks are allocated: if the disk ran full under a memory mapping, the
    process would be killed. Raises OSError if there is not enough space."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, max(size, 1))
            return
        zeros = bytes(1 << 20)
        for start in range(0, size, len(zeros)):
            file.write(zeros[: size - start])
