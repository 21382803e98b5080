"""Images that are in a dataset more than once, where it matters: in two classes, or in both parts
of a ready split."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from flowergui.learning.data.photos import Photos
from flowergui.store import archives
from flowergui.text import trn

COMPARED_BYTES = 1 << 16
"""Images of the same size and the same first bytes, so many, count as the same."""

Copy = tuple[str, int, bool]
"""An image's path, its class index, and whether it is for validation."""


def duplicate_notes(photos: Photos) -> Iterator[str]:
    """Sentences on images of which there are copies in another class, or in the other part of a
    ready split."""
    parts = ((photos.train, False), (photos.validation, True))
    by_size: dict[int, list[Copy]] = {}
    for listed, validates in parts:
        for photo in listed:
            size = _size(photos.folder, photo.path)
            by_size.setdefault(size, []).append((photo.path, photo.label, validates))
    in_classes: list[tuple[Copy, Copy]] = []
    in_parts: list[tuple[Copy, Copy]] = []
    for copies in by_size.values():
        if len(copies) > 1 and len({copy[1:] for copy in copies}) > 1:
            for first, copy in _same(photos.folder, copies):
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


def _same(folder: Path, copies: list[Copy]) -> Iterator[tuple[Copy, Copy]]:
    """Images with the content of an earlier one of another class or part, each with that one."""
    seen: dict[bytes, Copy] = {}
    for copy in copies:
        digest = _digest(folder, copy[0])
        first = seen.setdefault(digest, copy) if digest else copy
        if first[1:] != copy[1:]:
            yield first, copy


def _size(folder: Path, path: str) -> int:
    return archives.file_size(f"{folder}/{path}") or 0


def _digest(folder: Path, path: str) -> bytes:
    try:
        start = archives.read_start(f"{folder}/{path}", COMPARED_BYTES)
    except OSError:
        return b""
    return blake2b(start, digest_size=16).digest()
