"""A file that is written, and read again, past the system's page cache.

Checkpoints are large, and nobody reads them soon. Through the cache, one of 178 MB takes up to
three times the processor time (0.1 against 0.15 to 0.38 s, most of it spent on finding memory for
the cache), displaces photos that the next epoch needs, and, read again, shows what memory holds
rather than what the disk does. Linux has a way past it (O_DIRECT); elsewhere, and on file systems
that have none, the same file goes through it.
"""

import errno
import io
import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Buffer

BLOCK = 1 << 20
"""Bytes that are written at a time; a multiple of what any disk wants them aligned to."""

ALIGNED = 4096
"""What must divide the length of a write past the cache."""


class DirectFile(io.FileIO):
    """A new file at `path`, to be written from its beginning to its end, then to `finish`.

    Raises OSError as FileIO does, FileExistsError among them.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "xb")
        self._path = path
        self._block = memoryview(mmap.mmap(-1, BLOCK))  # aligned, as bytearrays aren't
        self._filled = 0
        self._sums: list[tuple[int, int]] = []
        _go_direct(self, True)

    def write(self, data: "Buffer", /) -> int:
        """Takes all of `data`, and writes whole blocks."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            part = rest[: BLOCK - self._filled]
            self._block[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == BLOCK:
                self._put()
        return size

    def finish(self) -> None:
        """Writes what is left, and forces the file to disk."""
        self._put()
        os.fsync(self.fileno())

    def is_on_disk(self) -> bool:
        """Reads the file again: whether it holds what was written. Words that changed places
        within a block would not be noticed; reading a checkpoint checks its sums too."""
        with io.FileIO(self._path) as file:
            _go_direct(file, True)
            if os.fstat(file.fileno()).st_size != sum(size for size, _ in self._sums):
                return False
            return all(self._sum_of_next(file, size) == total for size, total in self._sums)

    def _put(self) -> None:
        if self._filled % ALIGNED:  # the end of the file
            _go_direct(self, False)
        rest = self._block[: self._filled]
        self._sums.append((self._filled, _sum(rest)))
        self._filled = 0
        while rest:
            rest = rest[_either_way(self, super().write, rest) :]

    def _sum_of_next(self, file: io.FileIO, size: int) -> int:
        got = 0
        while got < size:
            read = _either_way(file, file.readinto, self._block[got:])
            if not read:
                break
            got += read
        return _sum(self._block[:size])


def _either_way(file: io.FileIO, act: Callable[[memoryview], int | None], block: memoryview) -> int:
    """Reads into or writes from `block`; through the cache from now on where the file system, or
    what an interrupted call has left, refuses it past the cache."""
    try:
        return act(block) or 0
    except OSError as error:
        if error.errno != errno.EINVAL or not _go_direct(file, False):
            raise
        return act(block) or 0


def _go_direct(file: io.FileIO, direct: bool) -> bool:
    """Has the file go past the cache, or through it. Returns whether that is new."""
    if sys.platform != "linux":
        return False
    import fcntl

    flags = fcntl.fcntl(file.fileno(), fcntl.F_GETFL)
    wanted = flags | os.O_DIRECT if direct else flags & ~os.O_DIRECT
    if wanted == flags:
        return False
    try:
        fcntl.fcntl(file.fileno(), fcntl.F_SETFL, wanted)
    except OSError:
        return False
    return True


def _sum(block: memoryview) -> int:
    """Of its 64-bit words (modulo 2**64) and of what is left over: a fifth of a CRC's time."""
    words = len(block) // 8 * 8
    whole = int(np.frombuffer(block[:words], np.uint64).sum())
    return whole + int.from_bytes(block[words:], "little")
