"""Decoded photos, kept in a folder of the user's from one epoch, and from one run, to the next.

A file holds the pixels of one photo as training uses it, and their sum. Its name is made of what
the photo's file is now, so that one that changed is decoded anew. Nothing here ever fails: what
can't be kept, or read again, is decoded.
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
from flowergui.store import paths
from flowergui.store.atomic_io import TMP_SUFFIX, temp_path

if TYPE_CHECKING:
    from flowergui.learning.data.augmentation import Pixels


class Transform(Protocol):
    """Makes the pixels that are kept of an image file."""

    @property
    def key(self) -> str:
        """Names the result: transforms of one key give the same pixels."""

    def __call__(self, path: Path) -> "Pixels": ...


LARGE = 1 << 20
"""Bytes of a photo's file above which decoding it takes so long (some 30 ms) that it is kept here
even where memory has room: the next run begins at once."""

MOST = 20 * 10**9
"""Bytes that the folder may hold."""

DISK_SHARE = 0.25
"""The share of the free disk that it may grow by."""

FORM = 2
"""To be raised with every change of how pixels are made of files."""

_HEAD = struct.Struct("<III")
"""CRC-32 of the pixels, height, width."""

_SUFFIX = ".rgb"


class PhotoCache:
    """What is kept, for one run. Threads, and other processes, may share the folder.

    Where there is no room for more, what was not used since this run began goes first, the oldest
    before the others; what this run uses stays.
    """

    def __init__(self, folder: Path | None = None, most: int = MOST) -> None:
        self._folder = folder or paths.photo_cache_folder()
        self._most = most
        self._began = time.time()
        self._lock = threading.Lock()
        self._old: deque[tuple[float, int, Path]] | None = None
        self._used = 0
        self._full = False

    def prepared(self, photo: Path, prepare: Transform, *, again: bool) -> "Pixels":
        """What `prepare` makes of the photo, kept by its `key`. Where that is not kept here, it
        is from now on, if the photo is LARGE, or was wanted before (`again`). Raises what
        `prepare` raises."""
        try:
            facts = photo.stat()
        except OSError:
            return prepare(photo)  # which says why
        path = self._path(photo, facts, prepare.key)
        pixels = _read(path)
        if pixels is None:
            pixels = prepare(photo)
            if again or facts.st_size >= LARGE:
                self._put(path, pixels)
        return pixels

    def _put(self, path: Path, pixels: "Pixels") -> None:
        if self._full:
            return
        height, width, _ = pixels.shape
        content = pixels.tobytes()
        size = _HEAD.size + len(content)
        half = temp_path(path)
        try:
            with self._lock:
                if not self._has_room(size):
                    self._full = True
                    return
                self._used += size
            with half.open("xb") as file:
                file.write(_HEAD.pack(zlib.crc32(content), height, width))
                file.write(content)
            half.replace(path)
        except OSError:  # the disk is full, or the folder can't be written
            self._full = True
            with suppress(OSError):
                half.unlink(missing_ok=True)

    def _path(self, photo: Path, facts: os.stat_result, how: str) -> Path:
        of = f"{photo.absolute()}\0{facts.st_size}\0{facts.st_mtime_ns}\0{how}"
        name = f"{of}\0{FORM}\0{PIL.__version__}"
        digest = hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=16)
        return self._folder / (digest.hexdigest() + _SUFFIX)

    def _has_room(self, size: int) -> bool:
        if self._old is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            there = sorted(_files(self._folder))
            self._used = sum(size for _, size, _ in there)
            self._old = deque(there)
            free = shutil.disk_usage(self._folder).free
            self._most = min(self._most, self._used + int(DISK_SHARE * free))
        while self._used + size > self._most:
            if not self._old:
                return False
            _, taken, path = self._old.popleft()
            with suppress(OSError):
                if path.stat().st_mtime < self._began:
                    path.unlink()
                    self._used -= taken
        return True


def _read(path: Path) -> "Pixels | None":
    """What is kept there; it counts as used now."""
    try:
        content = path.read_bytes()
        now = time.time()
        os.utime(path, (now, now))  # without the times, a clock that may run 4 ms behind is taken
        total, height, width = _HEAD.unpack_from(content)
        if zlib.crc32(memoryview(content)[_HEAD.size :]) != total:
            return None
        return np.frombuffer(content, np.uint8, offset=_HEAD.size).reshape(height, width, 3)
    except (OSError, ValueError, struct.error):
        return None


def state(folder: Path | None = None) -> CacheState:
    """How much is kept."""
    folder = folder or paths.photo_cache_folder()
    sizes = [size for _, size, _ in _files(folder)]
    return CacheState(str(folder), len(sizes), sum(sizes))


def clear(folder: Path | None = None) -> CacheState:
    """Removes all of it, and tells what is left: what another program holds open, at most."""
    folder = folder or paths.photo_cache_folder()
    before = state(folder)
    for _, _, path in _files(folder):
        with suppress(OSError):
            path.unlink()
    after = state(folder)
    return replace(after, removed=before.size - after.size)


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was used last, its size, and its path; nothing else in the folder is ours."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((_SUFFIX, TMP_SUFFIX)):
                with suppress(OSError):
                    facts = entry.stat()
                    yield facts.st_mtime, facts.st_size, Path(entry.path)
