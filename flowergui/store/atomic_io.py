"""Files that are written whole or not at all."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO
from uuid import uuid4

from flowergui.errors import FlowerError
from flowergui.text import tr

TMP_SUFFIX: Final = ".tmp"
"""The suffix of files that are being written. Their names also begin with a dot."""

RETRY_DELAYS_S = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()
"""Seconds between attempts to replace a file."""

FS_ENCODING_ERRORS: Final = "surrogateescape"
"""The error handler for text that holds file names. A name need not be valid UTF-8; its bytes are
read and written unchanged."""


def temp_path(path: Path) -> Path:
    """A new hidden path beside `path`, for a file that will replace it."""
    return path.with_name(f".{path.name}.{uuid4().hex}{TMP_SUFFIX}")


def replace_with_retry(source: Path, target: Path) -> None:
    """Does os.replace, and tries again if Windows refuses it because a virus scanner or an
    indexer has the file open. Raises OSError."""
    for delay in RETRY_DELAYS_S:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(delay)
    os.replace(source, target)


def sync_folder(folder: Path) -> None:
    """Flushes the names of a folder's files to the disk, where the system can."""
    if os.name == "nt":  # Windows can't open folders, and writes their entries through
        return
    # Some FUSE and SMB mounts can't flush folders (EINVAL). The file is in place all the same.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def rename_new(source: Path, target: Path) -> None:
    """Renames a file on one file system. Raises FileExistsError if there is a `target`, which
    stays, and OSError; the file is where it was then."""
    if os.name != "nt":  # Windows' rename refuses it by itself
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError as error:  # a file system without hard links
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        else:
            try:
                source.unlink(missing_ok=True)
            except OSError:
                target.unlink()
                raise
            return
    os.rename(source, target)


def write(path: Path, text: str) -> None:
    """Writes `text` to `path` as UTF-8, whole or not at all. Raises FlowerError."""
    write_bytes(path, text.encode("utf-8", FS_ENCODING_ERRORS))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whole or not at all. Raises FlowerError."""
    try:
        with _replacing(path) as half, half.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise FlowerError(
            tr(
                "{file} can't be written into {folder}: {reason}.",
                file=path.name,
                folder=path.parent,
                reason=error.strerror or error,
            ),
            hint=tr("Make room there, or choose another folder for runs and weights."),
        ) from error


@contextmanager
def open_whole(path: Path, *, encoding: str, errors: str) -> Iterator[TextIO]:
    """Opens a text file that replaces `path` when the block ends. If the block raises, `path`
    stays as it was. A device or a pipe is written directly. Raises OSError."""
    # /dev/stdout can be opened if it is a pipe, what it resolves to can't.
    if os.path.exists(path) and not os.path.isfile(path):
        with path.open("w", encoding=encoding, errors=errors, newline="") as file:
            yield file
        return
    with _replacing(path.resolve()) as half:  # a link stays a link
        file = half.open("x", encoding=encoding, errors=errors, newline="")
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):  # a full disk, again: what was raised first says more
                file.close()
            raise
        file.close()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path that replaces `path` when the block ends, and goes if it raises."""
    half = temp_path(path)
    try:
        yield half
        with suppress(OSError):
            half.chmod(path.stat().st_mode)  # the permissions that the user gave it
        replace_with_retry(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
