"""Opens image files to find those that can't be read."""

import os
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from flowergui.events import Preparing
from flowergui.learning.data import image_io
from flowergui.learning.data.stalls import DaemonThreads, Stalled, StalledError, patient
from flowergui.store import archives
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


Checked = list[tuple[str, str]]
"""Paths, each with the reason why it can't be read; "" if it can."""


def check_files(folder: Path, paths: list[str]) -> Iterator[Checked | Stalled]:
    """Opens images, and yields what was found, some at a time; Stalled while one isn't read.

    One that isn't read within MAX_WAIT_S is given up. Raises StalledError once a whole set of
    threads has been lost like this.
    """
    waiting = iter(paths)
    lost = 0
    with DaemonThreads(min(_THREADS, os.cpu_count() or 1)) as pool:
        while chunk := list(islice(waiting, _CHUNK_FILES)):
            futures = [pool.submit(check_file, folder / path) for path in chunk]
            checked: Checked = []
            for path, future in zip(chunk, futures, strict=True):
                try:
                    reason = yield from patient(future, partial(str, folder / path))
                except StalledError as stalled:
                    lost += 1
                    if lost >= pool.count:
                        raise
                    reason = stalled.reason
                checked.append((path, reason))
            yield checked


def check_file(path: Path) -> str:
    """Why an image can't be read; "" if it can, and if there is no memory to find out."""
    if reason := image_io.why_no_file(path):
        return reason
    try:
        facts = archives.file_facts(path)
    except OSError as error:
        return image_io.why_os_error(error)
    key = (str(path), *facts)
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
    for step in check_files(folder, list(paths)):
        if isinstance(step, Stalled):
            yield Preparing(tr("Waiting for {path}", path=step.path), done, len(paths))
            continue
        good.update(path for path, reason in step if not reason)
        done += len(step)
        if done < len(paths):
            yield Preparing(tr("Checking new images"), done, len(paths))
    return good
