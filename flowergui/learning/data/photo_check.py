"""Opens image files to find those that can't be read."""

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from flowergui.events import Preparing
from flowergui.learning.data import image_io
from flowergui.text import tr

MAX_CHECKED_FIRST = 20_000
"""Up to this many images are opened before they are used; more would take minutes. Of larger
datasets, unreadable images are reported and skipped during training."""

_THREADS = 4
_CHUNK_FILES = 32

_known: dict[tuple[str, int, int], str] = {}
"""(path, size, time of change) -> why the file can't be read, "" if it can: an unchanged file is
checked once per process."""

_MAX_KNOWN = 100_000
"""Files that are remembered, with some 300 bytes each."""


def check_files(folder: Path, paths: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yields chunks of `paths` and, for each path, why it can't be read ("" if it can)."""
    waiting = iter(paths)
    with ThreadPoolExecutor(max_workers=min(_THREADS, os.cpu_count() or 1)) as pool:
        while chunk := list(islice(waiting, _CHUNK_FILES)):
            yield chunk, list(pool.map(lambda path: check_file(folder / path), chunk))


def check_file(path: Path) -> str:
    """Why an image can't be read; "" if it can, and if there is no memory to find out."""
    try:
        status = path.stat()
    except OSError as error:
        return error.strerror or tr("it can't be opened")
    key = (str(path), status.st_size, status.st_mtime_ns)
    if key in _known:
        return _known[key]
    try:
        image_io.read(path, at_least=32)  # a JPEG is decoded at an eighth of its size
        reason = ""
    except MemoryError:  # says nothing about the image
        return ""
    except image_io.UnreadableError as error:
        reason = error.reason
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno:
            return reason  # an error of the drive may be gone the next time
    if len(_known) < _MAX_KNOWN:
        _known[key] = reason
    return reason


def readable(folder: Path, paths: Sequence[str]) -> Generator[Preparing, None, set[str]]:
    """Opens images, yields the progress, and returns the paths of those that can be read.

    More than MAX_CHECKED_FIRST are not opened and count as readable.
    """
    if len(paths) > MAX_CHECKED_FIRST:
        return set(paths)
    good: set[str] = set()
    done = 0
    for chunk, reasons in check_files(folder, list(paths)):
        good.update(path for path, reason in zip(chunk, reasons, strict=True) if not reason)
        done += len(chunk)
        if done < len(paths):
            yield Preparing(tr("Checking new images"), done, len(paths))
    return good
