"""The headers of a .tar file: ustar, GNU and pax. The tarfile module takes 20 times as long."""

from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Final
from zlib import adler32

from flowergui.store.archive_formats.members import (
    LABEL_SUFFIX,
    MAX_LABEL_BYTES,
    MAX_MEMBER_BYTES,
    MAX_NAME_BYTES,
    Members,
    Omitted,
    safe_name,
)

BLOCK: Final = 512
"""Bytes of a header. Data is filled up to a multiple of it."""

_WINDOW_BYTES: Final = 1 << 16
"""Read at once where files are small, so that several headers are in it."""

_FAR_BYTES: Final = 1 << 14
"""After files larger than this, a header is read alone."""

_MAX_EXTENSION_BYTES: Final = 1 << 20

_FILES: Final = (b"0", b"\0", b"7")
_EXTENSIONS: Final = (b"x", b"X", b"g", b"L", b"K")
_NO_DATA: Final = (b"1", b"2", b"3", b"4", b"5", b"6")
"""Links, devices, folders and pipes: the size in their headers, if any, is not that of data."""
_FOLDER: Final = b"5"
_SPARSE: Final = b"S"

_ADLER_MODULUS: Final = 65521


def is_header(block: bytes) -> bool:
    """Whether a block of bytes is a header of a .tar file, by its checksum."""
    if len(block) < BLOCK:
        return False
    try:
        stored = _number(block[148:156])
    except ValueError:
        return False
    # The lower half of Adler-32 is one more than the sum of the bytes, modulo 65521. The checksum
    # itself counts as eight spaces in it.
    found = (adler32(block) & 0xFFFF) - 1 - sum(block[148:156]) + 8 * 32
    if (found - stored) % _ADLER_MODULUS == 0:
        return True
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + block[156:])
    return signed + 8 * 32 == stored  # as some old programs wrote it


class TarHeaders:
    """Reads the headers in `file`, which has `length` bytes, and adds what is there to
    `members`."""

    def __init__(self, file: BinaryIO, length: int, members: Members) -> None:
        self._file, self._length, self._members = file, length, members
        self._window, self._window_at = b"", 0
        self._ahead = _WINDOW_BYTES
        self._long_name = b""
        self._pax: dict[bytes, bytes] = {}
        self._global_pax: dict[bytes, bytes] = {}

    def read_all(self, every: int) -> Iterator[int]:
        """Reads all headers. Yields the number of files so far, after each `every` headers. Raises
        OSError."""
        position = count = 0
        while position < self._length:
            header = self._read(position, BLOCK)
            if not is_header(header):
                if len(header) == BLOCK and not header.strip(b"\0"):
                    return  # the mark of the end
                cut = len(header) < BLOCK
                self._members.omit(Omitted.CUT_OFF if cut else Omitted.DAMAGED)
                return
            try:
                position = self._next(header, position + BLOCK)
            except ValueError:  # a number that is none
                self._members.omit(Omitted.DAMAGED)
                return
            count += 1
            if count % every == 0:
                yield len(self._members.names)

    def _next(self, header: bytes, data: int) -> int:
        """Takes what one header says; its data is at `data`. Returns where the next one is."""
        kind, size = header[156:157], _number(header[124:136])
        if kind in _EXTENSIONS:
            if not 0 <= size <= _MAX_EXTENSION_BYTES:
                raise ValueError(size)
            self._extend(kind, self._read(data, size))
            return data + _blocks(size)
        is_file, name = kind in _FILES, _name(header)
        if self._pax or self._long_name or self._global_pax:
            pax = {**self._global_pax, **self._pax}
            name = pax.get(b"path") or self._long_name or name
            size = int(pax.get(b"size", size))
            is_file = is_file and not any(key.startswith(b"GNU.sparse") for key in pax)
            self._pax, self._long_name = {}, b""
        if kind in _NO_DATA or (is_file and name.endswith(b"/")):
            if kind in _NO_DATA and kind != _FOLDER:
                self._members.omit(Omitted.LINK, name)
            return data
        if size < 0:
            raise ValueError(size)
        if kind == _SPARSE:
            data = self._after_sparse_headers(header, data)
        following = data + _blocks(size)
        if data + size > self._length:
            self._members.omit(Omitted.CUT_OFF)
            return self._length
        if not is_file:
            self._members.omit(Omitted.METHOD if kind in (*_FILES, _SPARSE) else Omitted.LINK, name)
        else:
            self._add(name, data, size)
        self._ahead = _WINDOW_BYTES if size <= _FAR_BYTES else BLOCK
        return following

    def _add(self, name: bytes, offset: int, size: int) -> None:
        members = self._members
        named, name = name, safe_name(name)
        if not name:
            members.omit(Omitted.UNSAFE_NAME, named)
        elif size > MAX_MEMBER_BYTES:
            members.omit(Omitted.TOO_LARGE, name)
        elif name.endswith(LABEL_SUFFIX) and size <= MAX_LABEL_BYTES:
            members.labels[name] = self._read(offset, size)
        else:
            members.names.append(name)
            members.offsets.append(offset)
            members.sizes.append(size)

    def _extend(self, kind: bytes, content: bytes) -> None:
        """Takes a header that says more of the next one, or of all that follow."""
        if kind == b"L":
            self._long_name = content.partition(b"\0")[0]
        elif kind == b"g":
            self._global_pax.update(_pax_records(content))
        elif kind != b"K":
            self._pax = _pax_records(content)

    def _after_sparse_headers(self, header: bytes, data: int) -> int:
        more = header[482]
        while more and data < self._length:
            more = self._read(data, BLOCK)[504:505] not in (b"", b"\0")
            data += BLOCK
        return data

    def _read(self, offset: int, size: int) -> bytes:
        """The bytes at `offset`; fewer at the end of the file."""
        start = offset - self._window_at
        if start < 0 or start + size > len(self._window):
            self._file.seek(offset)
            self._window = self._file.read(max(size, self._ahead))
            self._window_at, start = offset, 0
        return self._window[start : start + size]


def _blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _number(field: bytes) -> int:
    """A number in a header: octal digits, or a binary number after a byte of 128 (GNU). Raises
    ValueError."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    return int(digits.partition(b"\0")[0], 8) if digits else 0


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and header[345]:
        return header[345:500].partition(b"\0")[0] + b"/" + name
    return name


def _pax_records(content: bytes) -> dict[bytes, bytes]:
    """The records "length key=value\\n" of a pax header, as far as they are what they should be."""
    records: dict[bytes, bytes] = {}
    with suppress(ValueError):
        while content:
            digits, _, _ = content[:20].partition(b" ")
            length = int(digits)
            if not len(digits) < length <= len(content):
                break
            key, equals, value = content[len(digits) + 1 : length - 1].partition(b"=")
            if equals and len(value) <= MAX_NAME_BYTES:
                records[key] = value
            content = content[length:]
    return records
