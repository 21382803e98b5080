"""Images in archives. A path may lead into a .tar or .zip file as into a folder:
shards/0001.tar/rose/7.jpg is the file rose/7.jpg in shards/0001.tar.

All that opens images asks this module for their bytes, so that nothing else knows of archives. Any
thread may ask; a process of its own opens the archives for itself. Archives are never changed.
"""

import errno
import os
import re
import shutil
import stat
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from flowergui.store.archive_formats.index import (
    ArchiveIndex,
    compressed,
    is_tar,
    load_index,
)
from flowergui.store.archive_formats.members import ArchiveError
from flowergui.store.archive_formats.zip_directory import read_member
from flowergui.store.reading import reason_of
from flowergui.text import tr

ARCHIVE_SUFFIXES: Final = (".tar", ".zip")
"""Endings of archives whose images are read where they are."""

COMPRESSED_SUFFIXES: Final = {
    ".tar.gz": "gzip",
    ".tgz": "gzip",
    ".tar.bz2": "bzip2",
    ".tbz2": "bzip2",
    ".tar.xz": "xz",
    ".txz": "xz",
    ".tar.zst": "zstd",
    ".7z": "7-Zip",
    ".rar": "RAR",
}
"""Endings of archives that can't be read so, and what has compressed them."""

_CHECKPOINTS: Final = (".pth.tar", ".pt.tar", ".ckpt.tar")
"""Endings of checkpoints, as old programs named them."""

MAX_OPEN_FILES: Final = 64
"""Archives that are kept open; others are opened again when they are needed."""

RECHECK_S: Final = 1.0
"""Seconds after which it is looked whether an archive has changed."""

_INTO_ARCHIVE: Final = re.compile(
    rf"(?:{'|'.join(map(re.escape, ARCHIVE_SUFFIXES))})(?=[/{re.escape(os.sep)}])", re.IGNORECASE
)


class FileFacts(NamedTuple):
    """The size of a file in bytes, and its time of change. In an archive, that is the archive's."""

    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    archive: "Archive"
    number: int

    @property
    def facts(self) -> FileFacts:
        """Its size and time of change."""
        return FileFacts(self.archive.index.sizes[self.number], self.archive.facts.modified_ns)

    def read(self, most: int | None = None) -> bytes:
        """Its content; of a file in a .tar, the first `most` bytes, if that is not None. Raises
        OSError."""
        return self.archive.read(self.number, most)


@dataclass(slots=True)
class Archive:
    """An archive at a `path`, and the index of its files."""

    path: str
    facts: FileFacts
    index: ArchiveIndex
    checked_at: float = field(default_factory=time.monotonic)
    """By time.monotonic(): when it was last looked whether it has changed."""
    last_found: int = -1

    def find(self, name: str) -> Member:
        """The file of this name. Raises FileNotFoundError."""
        number = self.index.find(name, self.last_found + 1)
        if number < 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        self.last_found = number
        return Member(self, number)

    def read(self, number: int, most: int | None = None) -> bytes:
        """The content of a file; see Member.read. Raises OSError."""
        index, handle = self.index, _handle(self)
        offset, size = index.offsets[number], index.sizes[number]
        if not index.is_zip:
            wanted = size if most is None else min(size, most)
            content = handle.read(offset, wanted)
            if len(content) < wanted:
                raise OSError(tr("its archive is cut off"))
            return content
        packed, deflated = index.packed_sizes[number], bool(index.deflated[number])
        try:
            content = read_member(handle.read, offset, size, packed, deflated=deflated)
        except ValueError as error:
            raise OSError(tr("it is damaged in its archive")) from error
        if zlib.crc32(content) != index.checksums[number]:
            raise OSError(tr("it is damaged in its archive"))
        return content


# --- what a path is ---------------------------------------------------------------------------


def has_archive_name(path: str) -> bool:
    """Whether a path ends as that of an archive does whose images are read where they are."""
    name = path.lower()
    return name.endswith(ARCHIVE_SUFFIXES) and not name.endswith(_CHECKPOINTS)


def why_compressed(path: str) -> str:
    """What has compressed the archive at this path as a whole, by its ending; "" for others."""
    name = path.lower()
    return next((by for suffix, by in COMPRESSED_SUFFIXES.items() if name.endswith(suffix)), "")


def archive_of(path: str) -> str:
    """The path of the archive that a path leads into, by its text alone; "" if into none."""
    found = _INTO_ARCHIVE.search(path)
    return path[: found.end()] if found else ""


def is_archive(path: str) -> bool:
    """Whether this is an archive, or one that is compressed as a whole, but no checkpoint."""
    if not os.path.isfile(path):
        return False
    if why_compressed(path):
        return True
    try:
        return has_archive_name(path) and (path.lower().endswith(".zip") or is_tar(path))
    except OSError:
        return False


def is_dataset(path: str | Path) -> bool:
    """Whether there is a folder at this path, or an archive, which counts as one."""
    return os.path.isdir(path) or is_archive(str(path))


def exists(path: str | Path) -> bool:
    """Whether there is a file or folder, or a file in an archive."""
    return os.path.exists(path) or _size_in_archive(str(path)) is not None


def is_file(path: str | Path) -> bool:
    """Whether there is a file, perhaps in an archive."""
    return os.path.isfile(path) or _size_in_archive(str(path)) is not None


def file_size(path: str) -> int | None:
    """The size of a file in bytes, perhaps in an archive; None if there is no file."""
    try:
        return os.stat(path).st_size  # a Path takes three times as long, for a million files
    except OSError:
        return _size_in_archive(path)


class FileSizes:
    """The sizes of many files below a folder, perhaps in archives, asked for in about the order of
    their paths: in an archive, that is several times as fast as `file_size`."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = str(folder)
        self._archive: Archive | None = None
        self._prefix = ""
        self._last = -1

    def of(self, path: str) -> int | None:
        """The size in bytes of the file at this path from the folder on; None if there is none."""
        if self._archive is not None and path.startswith(self._prefix):
            index = self._archive.index
            number = index.find(path[len(self._prefix) :], self._last + 1)
            if number >= 0:
                self._last = number
                return index.sizes[number]
        full = f"{self._folder}/{path}"
        try:
            return os.stat(full).st_size
        except OSError:
            member = _found(full)
        if member is None:
            return None
        self._archive, self._last = member.archive, member.number
        self._prefix = path[: max(0, len(member.archive.path) - len(self._folder))]
        return member.facts.size


def file_facts(path: str | Path) -> FileFacts:
    """Size and time of change of a file, perhaps in an archive. Raises OSError."""
    try:
        facts = os.stat(path)
    except OSError:
        if (member := find(path)) is not None:
            return member.facts
        raise
    return FileFacts(facts.st_size, facts.st_mtime_ns)


def _size_in_archive(path: str) -> int | None:
    return member.facts.size if (member := _found(path)) is not None else None


def _found(path: str) -> Member | None:
    """The file in an archive that a path leads to; None if there is none."""
    try:
        return find(path)
    except OSError:
        return None


# --- their bytes ------------------------------------------------------------------------------


def find(path: str | Path) -> Member | None:
    """The file in an archive that a path leads to; None for paths that lead into no archive. If the
    archive has no index yet, it is made. Raises FileNotFoundError if there is no such file in it,
    and OSError."""
    text = str(path)
    for match in _INTO_ARCHIVE.finditer(text):
        archive = _opened(text[: match.end()])
        if archive is not None:
            return archive.find(text[match.end() + 1 :].replace(os.sep, "/"))
    return None


def read_start(path: str, most: int) -> bytes:
    """The first `most` bytes of a file, perhaps in an archive. Raises OSError."""
    if (member := find(path)) is not None:
        return member.read(most)[:most]
    with open(path, "rb") as file:
        return file.read(most)


def copy_file(source: Path, target: Path) -> None:
    """Copies the content and the date of a file, perhaps of one in an archive. Raises OSError."""
    if (member := find(source)) is None:
        shutil.copyfile(source, target)
        facts = source.stat()
        times = facts.st_atime_ns, facts.st_mtime_ns
    else:
        target.write_bytes(member.read())
        times = (member.facts.modified_ns,) * 2
    os.utime(target, ns=times)


# --- archives that are open -------------------------------------------------------------------

_archives: dict[str, Archive] = {}
_handles: OrderedDict[str, "_Handle"] = OrderedDict()
_lock = threading.Lock()


def open_archive(path: str) -> Generator[int, None, Archive]:
    """The archive at `path`. While its index is made, the number of files so far is yielded. Raises
    ArchiveError if nothing in it can be read."""
    if by := why_compressed(path):
        raise compressed(path, by)
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait
            raise ArchiveError(path, tr("it is not a file"))
        facts = FileFacts(found.st_size, found.st_mtime_ns)
        archive = _archives.get(path)
        if archive is None or archive.facts != facts:
            index = yield from load_index(path, *facts)
            archive = Archive(path, facts, index)
            with _lock:
                _archives[path] = archive
                _handles.pop(path, None)
    except OSError as error:
        raise ArchiveError(path, reason_of(error)) from error
    archive.checked_at = time.monotonic()
    return archive


def _opened(path: str) -> Archive | None:
    """The archive at `path`; None if there is no file. Raises OSError if it can't be read."""
    archive = _archives.get(path)
    if archive is not None and time.monotonic() - archive.checked_at < RECHECK_S:
        return archive
    if not os.path.isfile(path):
        return None
    steps = open_archive(path)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            opened: Archive = end.value
            return opened
        except ArchiveError as error:
            raise OSError(error.reason) from error


class _Handle:
    """An open file. It is closed when nobody reads it any more."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._one_at_a_time = threading.Lock()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def facts(self) -> FileFacts:
        """Of the open file, whatever is at its path now."""
        found = os.fstat(self._file)
        return FileFacts(found.st_size, found.st_mtime_ns)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes at `offset`, fewer at the end of the file. Raises OSError."""
        parts: list[bytes] = []
        while size > 0:
            part = self._part(offset, size)
            if not part:
                break
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file, size, offset)
        with self._one_at_a_time:  # Windows has but one position for all threads
            os.lseek(self._file, offset, os.SEEK_SET)
            return os.read(self._file, size)


def _handle(archive: Archive) -> _Handle:
    """The open file of an archive. Raises OSError, also if it has changed since it was indexed."""
    with _lock:
        if (handle := _handles.get(archive.path)) is not None:
            _handles.move_to_end(archive.path)
            return handle
    handle = _Handle(archive.path)
    if handle.facts() != archive.facts:
        raise OSError(tr("its archive was changed just now"))
    with _lock:
        handle = _handles.setdefault(archive.path, handle)
        while len(_handles) > MAX_OPEN_FILES:
            _handles.popitem(last=False)
        return handle
