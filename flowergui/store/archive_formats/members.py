"""What is in an archive file, found by its headers alone: the data of its files is passed over."""

import re
from array import array
from dataclasses import dataclass, field
from enum import StrEnum

from flowergui.errors import FlowerError
from flowergui.text import tr

MAX_MEMBER_BYTES = 1 << 30
"""Larger files in an archive are not read: no image has so many bytes."""

MAX_NAME_BYTES = 1 << 12
"""Longer names are not accepted, as no file system has them."""

LABEL_SUFFIX = b".cls"
"""Of WebDataset: the file 0001.cls holds the class of 0001.jpg."""

MAX_LABEL_BYTES = 256

MAX_SHOWN_BYTES = 200
"""Of a name that can't be used."""

_ODD_PARTS = re.compile(rb"(?:^|/)(?:\.{0,2})(?:/|$)")
"""Parts of a path that are "", "." or ".."."""


class Omitted(StrEnum):
    """Why a file in an archive can't be used; or, for the last two, all from a place on."""

    LINK = "link"
    UNSAFE_NAME = "unsafe name"
    TOO_LARGE = "too large"
    METHOD = "compression method"
    ENCRYPTED = "encrypted"
    CUT_OFF = "cut off"
    DAMAGED = "damaged"

    def reason(self) -> str:
        """The reason, as a part of a sentence."""
        reasons = {
            Omitted.LINK: tr("links, devices and pipes in archives are not followed"),
            Omitted.UNSAFE_NAME: tr("its name leads out of the archive"),
            Omitted.TOO_LARGE: tr("files of more than 1 GB in archives are not read"),
            Omitted.METHOD: tr("it is compressed by a method that can't be read; use deflate"),
            Omitted.ENCRYPTED: tr("it is encrypted"),
            Omitted.CUT_OFF: tr("it is cut off, so that files at its end are missing"),
            Omitted.DAMAGED: tr("it is damaged, so that files after the damage are missing"),
        }
        return reasons[self]


class ArchiveError(FlowerError):
    """Nothing in an archive can be read; `reason` says why, without its path."""

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(tr("{path} can't be read: {reason}.", path=path, reason=reason), hint=hint)
        self.reason = reason


@dataclass(slots=True)
class Members:
    """The files of an archive in the order of their headers: `names` as UTF-8, with forward slashes
    and without "." or "..", `offsets` and `sizes` in bytes. Of a zip, `offsets` are those of the
    local headers, and `packed_sizes`, `checksums` (CRC-32) and `deflated` (0 or 1) have a value for
    each file, else none. `labels` holds the contents of files with LABEL_SUFFIX by their names.
    `omitted` counts what can't be used, and names the first of them."""

    names: list[bytes] = field(default_factory=list)
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    packed_sizes: "array[int]" = field(default_factory=lambda: array("q"))
    checksums: "array[int]" = field(default_factory=lambda: array("I"))
    deflated: "array[int]" = field(default_factory=lambda: array("B"))
    labels: dict[bytes, bytes] = field(default_factory=dict)
    omitted: dict[Omitted, tuple[int, str]] = field(default_factory=dict)

    def omit(self, why: Omitted, name: bytes = b"") -> None:
        """Counts a file that can't be used."""
        count, first = self.omitted.get(why, (0, ""))
        if not count:
            first = name[:MAX_SHOWN_BYTES].decode("utf-8", "replace")
        self.omitted[why] = count + 1, first


def safe_name(name: bytes) -> bytes:
    """A name with plain forward slashes; b"" if it is absolute, or leads out of the archive."""
    if not 0 < len(name) <= MAX_NAME_BYTES or name[0] == 0x2F or name[1:2] == b":":
        return b""
    if not _ODD_PARTS.search(name):
        return name
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    return b"" if b".." in parts else b"/".join(parts)
