"""Images that are in a dataset more than once, where it matters: in one class whose images are
split at random, in two classes, or in both parts of a ready split; and those of one dataset that
are in another."""

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from flowergui.events import Preparing
from flowergui.learning.data.photos import Photos
from flowergui.store import archives
from flowergui.store.archives import FileSizes
from flowergui.text import tr, trn

START_BYTES = 1 << 14
"""Of images of the same size, so many first bytes are compared, and then the whole contents."""

PROGRESS_FILES = 1_000
"""Progress is reported after so many images."""

Copy = tuple[str, int, bool]
"""An image's path, its class index, and whether it is for validation."""


def find_copies(photos: Photos) -> Generator[Preparing, None, dict[str, str]]:
    """Training images with the content of an earlier one of their class: the path of each, and that
    of the first one. Where all images of a class are the same, none counts as a copy, so that the
    class can be split. Yields the progress."""
    by_class: dict[int, list[str]] = {}
    for photo in photos.train:
        by_class.setdefault(photo.label, []).append(photo.path)
    return (yield from find_copies_in(photos.folder, by_class.values()))


def find_copies_in(
    folder: Path, classes: Collection[Sequence[str]], split: Collection[str] = ()
) -> Generator[Preparing, None, dict[str, str]]:
    """As `find_copies`, of the paths of each class. Those that are `split` already come first in
    their class, and are copies of none."""
    total = sum(map(len, classes))
    copies: dict[str, str] = {}
    sizes, done, told = FileSizes(folder), 0, 0
    for paths in classes:
        by_size: dict[int, list[str]] = {}
        for path in paths:
            by_size.setdefault(sizes.of(path) or 0, []).append(path)
        for size, alike in by_size.items():
            if size and not all(path in split for path in alike):
                for first, *others in _same(folder, alike, size):
                    if first in split or len(others) + 1 < len(paths):
                        copies |= {path: first for path in others if path not in split}
            done += len(alike)
            if done - told >= PROGRESS_FILES:
                told = done
                yield Preparing(tr("Comparing images"), done, total)
    return copies


def duplicate_notes(photos: Photos) -> Iterator[str]:
    """Sentences on images of which there are copies in another class, or in the other part of a
    ready split."""
    parts = ((photos.train, False), (photos.validation, True))
    known: dict[str, Copy] = {}
    by_size: dict[int, list[str]] = {}
    for listed, validates in parts:
        sizes = FileSizes(photos.folder)
        for photo in listed:
            known[photo.path] = (photo.path, photo.label, validates)
            if size := sizes.of(photo.path):
                by_size.setdefault(size, []).append(photo.path)
    in_classes: list[tuple[Copy, Copy]] = []
    in_parts: list[tuple[Copy, Copy]] = []
    for size, paths in by_size.items():
        if len({known[path][1:] for path in paths}) < 2:
            continue
        for same in _same(photos.folder, paths, size):
            first, *others = (known[path] for path in same)
            for copy in others:
                if first[1:] != copy[1:]:
                    (in_parts if first[1] == copy[1] else in_classes).append((first, copy))
    if in_classes:
        one, other = (path for path, *_ in in_classes[0])
        yield trn(
            "{count} image is in two classes: {one} is the same as {other}.",
            "{count} images are in two classes; {one} is the same as {other}.",
            len(in_classes),
            one=one,
            other=other,
        )
    if in_parts:
        one, other = (path for path, *_ in in_parts[0])
        yield trn(
            "{count} image is for training and for validation: {one} is the same as {other}.",
            "{count} images are for training and for validation; {one} is the same as {other}.",
            len(in_parts),
            one=one,
            other=other,
        )


def _same(folder: Path, paths: Sequence[str], size: int) -> Iterator[list[str]]:
    """Of images of this `size` in bytes, those with the same content: lists of two or more, in
    their order."""
    for alike in _by_start(folder, paths, START_BYTES):
        yield from [alike] if size <= START_BYTES else _by_start(folder, alike, size)


def _by_start(folder: Path, paths: Sequence[str], most: int) -> Iterator[list[str]]:
    """Those whose first `most` bytes are the same, in lists of two or more."""
    if len(paths) < 2:
        return
    found: dict[bytes, list[str]] = {}
    for path in paths:
        try:
            start = _digest(f"{folder}/{path}", most)
        except OSError:
            continue
        found.setdefault(start, []).append(path)
    yield from (each for each in found.values() if len(each) > 1)


def _digest(path: str, most: int) -> bytes:
    """The BLAKE2 digest of the first `most` bytes of a file. Raises OSError."""
    return blake2b(archives.read_start(path, most), digest_size=16).digest()


class KnownImages:
    """Images that others are compared with. The first bytes of each are read once, and its whole
    contents once if those of another are the same."""

    def __init__(self) -> None:
        self._by_start: dict[tuple[int, bytes], list[str]] = {}
        self._contents: dict[tuple[int, bytes], set[bytes]] = {}

    def add(self, path: str, size: int) -> None:
        """Adds an image of this `size` in bytes. Raises OSError if it can't be read."""
        start = size, _digest(path, START_BYTES)
        self._by_start.setdefault(start, []).append(path)

    def has(self, path: str, size: int) -> bool:
        """Whether one that was added has the content of this image of this `size` in bytes. One
        that can't be read has none."""
        try:
            start = size, _digest(path, START_BYTES)
            if start not in self._by_start or size <= START_BYTES:
                return start in self._by_start
            return _digest(path, size) in self._contents_with(start)
        except OSError:
            return False

    def _contents_with(self, start: tuple[int, bytes]) -> set[bytes]:
        if start not in self._contents:
            self._contents[start] = found = set()
            for path in self._by_start[start]:
                with suppress(OSError):
                    found.add(_digest(path, start[0]))
        return self._contents[start]
