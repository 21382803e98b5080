"""The central directory of a .zip file. The zipfile module takes ten times as long, and 700 bytes
of memory for each file."""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from flowergui.store.archive_formats.members import (
    LABEL_SUFFIX,
    MAX_LABEL_BYTES,
    MAX_MEMBER_BYTES,
    Members,
    Omitted,
    safe_name,
)

LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
"""Its mark, and the lengths of the name and of the extra fields that follow it."""

LOCAL_MARK: Final = b"PK\3\4"

_END: Final = struct.Struct("<4s6xHLLH")
_END_MARK: Final = b"PK\5\6"
_LOCATOR_BYTES: Final = 20
_LOCATOR_MARK: Final = b"PK\6\7"
_END_64: Final = struct.Struct("<4s28xQQQ")
_END_64_MARK: Final = b"PK\6\6"
_ENTRY: Final = struct.Struct("<4s4xHH4xLLLHHHHHLL")
_ENTRY_MARK: Final = b"PK\1\2"
_USUAL_NAME_BYTES: Final = 512
"""Of the name and the extra fields after a local header; more are read apart."""

_MAX_COMMENT_BYTES: Final = 1 << 16
_WINDOW_BYTES: Final = 1 << 20

_STORED: Final = 0
_DEFLATED: Final = 8
_IS_ENCRYPTED: Final = 0x1
_IS_UTF8: Final = 0x800
_SIZE_IN_EXTRA: Final = 0xFFFFFFFF
_ZIP64: Final = 1

_NO_HANZI: Final = rb"(?:[\x00-\x7f]|[\xa1-\xa3][\xa1-\xfe])*"
"""ASCII, and what is punctuation in GBK."""

_CHINESE: Final = re.compile(_NO_HANZI + rb"(?:[\xb0-\xf7][\xa1-\xfe]" + _NO_HANZI + rb")+")
"""What all names in GBK look like whose characters are the 6763 usual ones. In code page 437 these
pairs would be of lines and mathematical signs."""

_UNIX_LINK: Final = 0o120000
_UNIX_KIND: Final = 0o170000


class NoDirectoryError(ValueError):
    """The end of a .zip file, which says where its files are, is missing or damaged."""


def read_member(
    read: Callable[[int, int], bytes], offset: int, size: int, packed: int, *, deflated: bool
) -> bytes:
    """The content of the file whose local header is at `offset`; `read(offset, size)` reads the
    archive. No more than `size` bytes are unpacked. Raises ValueError if it is damaged, and
    OSError."""
    content = read(offset, LOCAL_HEADER.size + _USUAL_NAME_BYTES + packed)
    if len(content) < LOCAL_HEADER.size:
        raise ValueError(len(content))
    mark, name, extra = LOCAL_HEADER.unpack_from(content)
    if mark != LOCAL_MARK:
        raise ValueError(mark)
    start = LOCAL_HEADER.size + name + extra
    if start + packed > len(content):
        content, start = read(offset + start, packed), 0
    data = content[start : start + packed]
    if len(data) != packed:
        raise ValueError(len(data))
    return _inflated(data, size) if deflated else data


def _inflated(content: bytes, size: int) -> bytes:
    try:
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(unpacked) != size:
        raise ValueError(size)
    return unpacked


class ZipDirectory:
    """Reads the directory of `file`, which has `length` bytes, and adds what is there to
    `members`."""

    def __init__(self, file: BinaryIO, length: int, members: Members) -> None:
        self._file, self._length, self._members = file, length, members

    def read_all(self, every: int) -> Iterator[int]:
        """Reads all entries. Yields the number of files so far, after each `every` entries. Raises
        NoDirectoryError, and OSError."""
        start, end, shift = self._place()
        position, count = start, 0
        window, window_at = b"", start
        while position + _ENTRY.size <= end:
            if position - window_at + _ENTRY.size + 3 * (1 << 16) > len(window):
                window = self._read(position, min(_WINDOW_BYTES, end - position))
                window_at = position
            at = position - window_at
            fields = _ENTRY.unpack_from(window, at) if at + _ENTRY.size <= len(window) else None
            if fields is None or fields[0] != _ENTRY_MARK:
                self._members.omit(Omitted.DAMAGED)
                return
            name_at = at + _ENTRY.size
            extra_at = name_at + fields[6]
            position = window_at + extra_at + fields[7] + fields[8]
            self._add(fields, window[name_at:extra_at], window[extra_at:][: fields[7]], shift)
            count += 1
            if count % every == 0:
                yield len(self._members.names)

    def _place(self) -> tuple[int, int, int]:
        """Where the directory begins and ends, and how many bytes were put before the archive."""
        tail_bytes = min(self._length, _END.size + _MAX_COMMENT_BYTES)
        tail = self._read(self._length - tail_bytes, tail_bytes)
        found = tail.rfind(_END_MARK)
        if found < 0 or found + _END.size > len(tail):
            raise NoDirectoryError
        end = self._length - tail_bytes + found
        _, _, size, offset, _ = _END.unpack_from(tail, found)
        wide = end - _LOCATOR_BYTES - _END_64.size
        if wide >= 0 and self._read(end - _LOCATOR_BYTES, 4) == _LOCATOR_MARK:
            mark, _, size, offset = _END_64.unpack(self._read(wide, _END_64.size))
            end = wide
            if mark != _END_64_MARK:
                raise NoDirectoryError
        start = end - size
        if start < 0 or start < offset:
            raise NoDirectoryError
        return start, end, start - offset

    def _add(self, fields: tuple[int, ...], name: bytes, extra: bytes, shift: int) -> None:
        _, flags, method, crc, packed, size, _, _, _, _, _, attributes, offset = fields
        members = self._members
        name = name.partition(b"\0")[0]
        if name.endswith(b"/"):
            return
        if not flags & _IS_UTF8:
            name = _as_utf8(name)
        if _SIZE_IN_EXTRA in (size, packed, offset):
            size, packed, offset = _from_extra(extra, size, packed, offset)
        offset += shift
        named, name = name, safe_name(name.replace(b"\\", b"/"))
        if attributes >> 16 & _UNIX_KIND == _UNIX_LINK:
            members.omit(Omitted.LINK, name)
        elif not name:
            members.omit(Omitted.UNSAFE_NAME, named)
        elif flags & _IS_ENCRYPTED:
            members.omit(Omitted.ENCRYPTED, name)
        elif method not in (_STORED, _DEFLATED) or (method == _STORED and size != packed):
            members.omit(Omitted.METHOD, name)
        elif max(size, packed) > MAX_MEMBER_BYTES:
            members.omit(Omitted.TOO_LARGE, name)
        elif offset + LOCAL_HEADER.size + packed > self._length:
            members.omit(Omitted.CUT_OFF)
        elif name.endswith(LABEL_SUFFIX) and size <= MAX_LABEL_BYTES:
            try:
                members.labels[name] = read_member(
                    self._read, offset, size, packed, deflated=method == _DEFLATED
                )
            except ValueError:
                members.omit(Omitted.DAMAGED)
        else:
            members.names.append(name)
            members.offsets.append(offset)
            members.sizes.append(size)
            members.packed_sizes.append(packed)
            members.checksums.append(crc)
            members.deflated.append(method == _DEFLATED)

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def _as_utf8(name: bytes) -> bytes:
    """A name of no declared encoding: UTF-8, as most programs write it today; or GBK, as Windows
    writes it in China; or else code page 437."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return name.decode("gb18030" if _CHINESE.fullmatch(name) else "cp437").encode()
    return name


def _from_extra(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Size, packed size and offset, those that don't fit into 32 bits from the ZIP64 field."""
    values = [size, packed, offset]
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64:
            field = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            values = [next(wide, each) if each == _SIZE_IN_EXTRA else each for each in values]
        at += 4 + length
    return values[0], values[1], values[2]
