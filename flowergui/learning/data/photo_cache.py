"""A cache of decoded images on disk, for later epochs and later runs.

A file holds the pixels of one image as training uses them, and their checksum. Its name is a hash
of the image file's path, size and time of change, so a changed image is decoded again. Nothing here
raises errors: what can't be cached or read is decoded.
"""

import hashlib
import os
import shutil
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import PIL

from flowergui.events import CacheState
from flowergui.store import archives, paths
from flowergui.store.archive_formats.index import remove_indexes
from flowergui.store.archives import FileFacts
from flowergui.store.atomic_io import TMP_SUFFIX, temp_path

if TYPE_CHECKING:
    from flowergui.learning.data.augmentation import Pixels


class Transform(Protocol):
    """Makes the pixels that are kept of an image file."""

    @property
    def key(self) -> str:
        """Names the result: transforms of one key give the same pixels."""

    def __call__(self, path: Path) -> "Pixels": ...


LARGE_FILE_BYTES = 1 << 20
"""Decoding larger image files takes so long (some 30 ms) that they are cached even if they fit in
memory: the next run starts at once."""

MAX_BYTES = 20 * 10**9
"""The largest size of the cache folder."""

DISK_SHARE = 0.25
"""The share of the free disk that the cache may grow by."""

FORMAT_VERSION = 3
"""Increased with every change to how images are decoded."""

_HEADER = struct.Struct("<III")
"""CRC-32 of the pixels, height, width."""

_SUFFIX = ".rgb"


class PhotoCache:
    """The cache, as one run uses it. Threads and other processes may share the folder.

    If there is no space for more, files that were not used since this run began are removed, the
    oldest first.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder or paths.photo_cache_folder()
        self._max_bytes = max_bytes
        self._started_at = time.time()
        self._lock = threading.Lock()
        self._unused: deque[tuple[float, int, Path]] | None = None
        self._bytes = 0
        self._full = False

    def pixels(self, photo: Path, transform: Transform, *, again: bool) -> "Pixels":
        """The pixels that `transform` makes of the image, from the cache if they are there.

        Otherwise they are cached if the file is large or was read before (`again`). Raises what
        `transform` raises.
        """
        try:
            facts = archives.file_facts(photo)
        except OSError:
            return transform(photo)  # which raises the right error
        path = self._path(photo, facts, transform.key)
        pixels = _read(path)
        if pixels is None:
            pixels = transform(photo)
            if again or facts.size >= LARGE_FILE_BYTES:
                self._put(path, pixels)
        return pixels

    def _put(self, path: Path, pixels: "Pixels") -> None:
        if self._full:
            return
        height, width, _ = pixels.shape
        content = pixels.tobytes()
        size = _HEADER.size + len(content)
        half = temp_path(path)
        try:
            with self._lock:
                if not self._has_room(size):
                    self._full = True
                    return
                self._bytes += size
            with half.open("xb") as file:
                file.write(_HEADER.pack(zlib.crc32(content), height, width))
                file.write(content)
            half.replace(path)
        except OSError:  # the disk is full, or the folder is not writable
            self._full = True
            with suppress(OSError):
                half.unlink(missing_ok=True)

    def _path(self, photo: Path, facts: FileFacts, how: str) -> Path:
        of = f"{photo.absolute()}\0{facts.size}\0{facts.modified_ns}\0{how}"
        name = f"{of}\0{FORMAT_VERSION}\0{PIL.__version__}"
        digest = hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=16)
        return self._folder / (digest.hexdigest() + _SUFFIX)

    def _has_room(self, size: int) -> bool:
        if self._unused is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            there = sorted(_files(self._folder))
            self._bytes = sum(size for _, size, _ in there)
            self._unused = deque(there)
            free = shutil.disk_usage(self._folder).free
            self._max_bytes = min(self._max_bytes, self._bytes + int(DISK_SHARE * free))
        while self._bytes + size > self._max_bytes:
            if not self._unused:
                return False
            _, taken, path = self._unused.popleft()
            with suppress(OSError):
                if path.stat().st_mtime < self._started_at:
                    path.unlink()
                    self._bytes -= taken
        return True


def _read(path: Path) -> "Pixels | None":
    """The pixels in a cache file; None if it is missing or damaged. It counts as used now."""
    try:
        content = path.read_bytes()
        now = time.time()
        os.utime(path, (now, now))  # the default clock may be 4 ms behind
        total, height, width = _HEADER.unpack_from(content)
        if zlib.crc32(memoryview(content)[_HEADER.size :]) != total:
            return None
        return np.frombuffer(content, np.uint8, offset=_HEADER.size).reshape(height, width, 3)
    except (OSError, ValueError, struct.error):
        return None


def state(folder: Path | None = None) -> CacheState:
    """The size of the cache."""
    folder = folder or paths.photo_cache_folder()
    sizes = [size for _, size, _ in _files(folder)]
    return CacheState(str(folder), len(sizes), sum(sizes))


def clear(folder: Path | None = None) -> CacheState:
    """Removes all cached images, and with those in the usual folder the indexes of archives. What
    is left is in use by another program."""
    indexes = remove_indexes() if folder is None else 0
    folder = folder or paths.photo_cache_folder()
    before = state(folder)
    for _, _, path in _files(folder):
        with suppress(OSError):
            path.unlink()
    after = state(folder)
    return replace(after, removed=before.size - after.size + indexes)


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use, size and path of each cache file; other files are left alone."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((_SUFFIX, TMP_SUFFIX)):
                with suppress(OSError):
                    facts = entry.stat()
                    yield facts.st_mtime, facts.st_size, Path(entry.path)
