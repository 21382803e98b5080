"""The index of an archive: where each of its files is. It is made once, by one pass over the
headers, and kept in the cache folder until the archive changes."""

import hashlib
import json
import os
from array import array
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from flowergui.store import atomic_io, paths
from flowergui.store.archive_formats.members import LABEL_SUFFIX, ArchiveError, Members, Omitted
from flowergui.store.archive_formats.tar_headers import BLOCK, TarHeaders, is_header
from flowergui.store.archive_formats.zip_directory import NoDirectoryError, ZipDirectory
from flowergui.text import tr

PROGRESS_FILES: Final = 10_000
"""Progress is reported after so many headers."""

FORMAT_VERSION: Final = 2
"""Increased with every change to what an index holds."""

SUFFIX: Final = ".index"

NO_LABEL: Final = -1

_MAGIC: Final = b"flowergui archive index\n"

_COMPRESSED_MARKS: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}

_OLD_CHECKPOINT_MEMBERS: Final = (b"sys_info\0", b"pickle\0", b"storages\0", b"tensors\0")
"""The first file in a .tar that PyTorch 0.1 has saved."""

_ZIP_MARKS: Final = (b"PK\3\4", b"PK\5\6")


@dataclass(frozen=True, slots=True)
class ArchiveIndex:
    """The files of an archive, sorted by their names. File number i is named
    `names[starts[i]:starts[i + 1]]` (UTF-8); see Members for the other arrays. `labels` are numbers
    of `label_names`, or NO_LABEL; there are none without files with LABEL_SUFFIX. `omitted` is as
    in Members."""

    names: bytes
    starts: "array[int]"
    offsets: "array[int]"
    sizes: "array[int]"
    packed_sizes: "array[int]"
    checksums: "array[int]"
    deflated: "array[int]"
    labels: "array[int]"
    label_names: tuple[str, ...]
    omitted: dict[Omitted, tuple[int, str]]

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def is_zip(self) -> bool:
        """Whether the archive is a .zip file that is not empty."""
        return len(self.packed_sizes) > 0

    def all_names(self) -> Iterator[str]:
        """The names, sorted. Bytes that are no UTF-8 stay, as in os.fsdecode."""
        text, starts = self.names, self.starts
        for number in range(len(self)):
            name = text[starts[number] : starts[number + 1]]
            yield name.decode("utf-8", atomic_io.FS_ENCODING_ERRORS)

    def find(self, name: str, near: int = 0) -> int:
        """The number of the file of this name; -1 if there is none. Whoever asks for names in their
        order gives the last number as `near`, which is faster."""
        wanted = name.encode("utf-8", atomic_io.FS_ENCODING_ERRORS)
        names, starts = self.names, self.starts
        for number in range(near, min(near + 3, len(self))):
            if names[starts[number] : starts[number + 1]] == wanted:
                return number
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if names[starts[middle] : starts[middle + 1]] < wanted:
                low = middle + 1
            else:
                high = middle
        found = low < len(self) and names[starts[low] : starts[low + 1]] == wanted
        return low if found else -1


def load_index(path: str, size: int, modified_ns: int) -> Generator[int, None, ArchiveIndex]:
    """The index of the archive at `path`, which has this size and time of change. If it is not in
    the cache, it is made, and the number of files so far is yielded. Raises ArchiveError, and
    OSError."""
    stored = _place(path)
    key = f"{os.path.abspath(path)}\0{size}\0{modified_ns}"
    index = _read(stored, key)
    if index is None:
        index = yield from _make(path, size)
        with suppress(OSError):  # it is made again the next time
            _write(stored, key, index)
    return index


def is_tar(path: str) -> bool:
    """Whether a .tar file begins as one does, or as one that is compressed as a whole: PyTorch's
    checkpoints are called .tar too, and are none. Raises OSError."""
    with open(path, "rb") as file:
        start = file.read(BLOCK)
    if is_header(start):
        return not start.startswith(_OLD_CHECKPOINT_MEMBERS)
    return start.startswith(tuple(_COMPRESSED_MARKS))


def remove_indexes() -> int:
    """Removes all indexes from the cache. Returns how many bytes were freed."""
    freed = 0
    with suppress(OSError), os.scandir(paths.archive_cache_folder()) as entries:
        for entry in entries:
            with suppress(OSError):
                size = entry.stat().st_size
                if entry.name.endswith((SUFFIX, atomic_io.TMP_SUFFIX)):
                    os.unlink(entry.path)
                    freed += size
    return freed


# --- making it --------------------------------------------------------------------------------


def _make(path: str, size: int) -> Generator[int, None, ArchiveIndex]:
    members = Members()
    with open(path, "rb", buffering=0) as file:
        start = file.read(BLOCK)
        for mark, program in _COMPRESSED_MARKS.items():
            if start.startswith(mark):
                raise compressed(path, program)
        if start.startswith(_ZIP_MARKS):
            try:
                yield from ZipDirectory(file, size, members).read_all(PROGRESS_FILES)
            except NoDirectoryError as error:
                reason = tr("its list of files is missing, so it is cut off or damaged")
                raise ArchiveError(path, reason, _damaged_hint()) from error
        elif is_header(start) or not start.strip(b"\0"):
            yield from TarHeaders(file, size, members).read_all(PROGRESS_FILES)
        else:
            raise ArchiveError(path, tr("it is not a .tar or .zip archive"), _damaged_hint())
    return _sorted(members)


def compressed(path: str, program: str) -> ArchiveError:
    """What is said of an archive that is compressed as a whole."""
    return ArchiveError(
        path,
        tr(
            "it is compressed as a whole ({program}), so that no single image can be read from it",
            program=program,
        ),
        tr("Unpack it, or pack the images again as a plain .tar."),
    )


def _damaged_hint() -> str:
    return tr("Copy or download it again.")


def _sorted(members: Members) -> ArchiveIndex:
    """The files by name. Of several with one name, the last one counts, as when unpacking."""
    found = members.names
    order = sorted(range(len(found)), key=found.__getitem__)
    order = [
        number
        for place, number in enumerate(order, start=1)
        if place == len(order) or found[number] != found[order[place]]
    ]
    names = [found[number] for number in order]
    labels, label_names = _labels(names, members.labels)

    def picked(values: "array[int]") -> "array[int]":
        return array(values.typecode, (values[number] for number in order if values))

    return ArchiveIndex(
        b"".join(names),
        array("q", accumulate(map(len, names), initial=0)),
        picked(members.offsets),
        picked(members.sizes),
        picked(members.packed_sizes),
        picked(members.checksums),
        picked(members.deflated),
        labels,
        label_names,
        members.omitted,
    )


def _labels(
    names: list[bytes], contents: dict[bytes, bytes]
) -> "tuple[array[int], tuple[str, ...]]":
    """For each name the number of its label: what the file holds that has its name, with
    LABEL_SUFFIX in place of its own suffix."""
    if not contents:
        return array("i"), ()
    numbers: dict[bytes, int] = {}
    labels = array("i")
    for name in names:
        content = contents.get(os.path.splitext(name)[0] + LABEL_SUFFIX)
        labels.append(
            NO_LABEL if content is None else numbers.setdefault(content.strip(), len(numbers))
        )
    return labels, tuple(text.decode("utf-8", "replace") for text in numbers)


# --- the cache --------------------------------------------------------------------------------


def _place(path: str) -> Path:
    """Where the index of an archive is kept. There is one for each path, whatever the archive held
    before."""
    name = os.path.abspath(path).encode("utf-8", atomic_io.FS_ENCODING_ERRORS)
    digest = hashlib.blake2b(name, digest_size=16).hexdigest()
    return paths.archive_cache_folder() / f"{digest}{SUFFIX}"


def _arrays(index: ArchiveIndex) -> "tuple[array[int], ...]":
    return (
        *(index.starts, index.offsets, index.sizes, index.packed_sizes),
        *(index.checksums, index.deflated, index.labels),
    )


_TYPES: Final = "qqqqIBi"
"""Of `_arrays`."""


def _write(path: Path, key: str, index: ArchiveIndex) -> None:
    """The file holds _MAGIC, the length of the head and the head (JSON), the names and the arrays,
    in the byte order of this machine, and a checksum. Raises OSError."""
    arrays = _arrays(index)
    head = {
        "version": FORMAT_VERSION,
        "key": key,
        "names": len(index.names),
        "arrays": [len(each) for each in arrays],
        "label_names": index.label_names,
        "omitted": index.omitted,
    }
    text = json.dumps(head).encode()
    content = b"".join(
        (
            *(_MAGIC, len(text).to_bytes(8, "little"), text, index.names),
            *(each.tobytes() for each in arrays),
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    half = atomic_io.temp_path(path)
    try:
        half.write_bytes(content + _checksum(content))
        atomic_io.replace_with_retry(half, path)
    finally:
        half.unlink(missing_ok=True)


def _read(path: Path, key: str) -> ArchiveIndex | None:
    """The index in a file of the cache; None if there is none, or if it is damaged, or that of an
    archive which has changed."""
    try:
        content = path.read_bytes()
        if not content.startswith(_MAGIC) or content[-_SUM_BYTES:] != _checksum(
            memoryview(content)[:-_SUM_BYTES]
        ):
            return None
        at = len(_MAGIC) + 8
        end = at + int.from_bytes(content[at - 8 : at], "little")
        head = json.loads(content[at:end])
        if (head["version"], head["key"]) != (FORMAT_VERSION, key):
            return None
        names = content[end : end + head["names"]]
        at = end + len(names)
        arrays: list[array[int]] = []
        for kind, count in zip(_TYPES, head["arrays"], strict=True):
            values = array(kind)
            end = at + count * values.itemsize
            values.frombytes(content[at:end])
            arrays.append(values)
            at = end
        omitted = {Omitted(why): (count, name) for why, (count, name) in head["omitted"].items()}
        starts, offsets, sizes, packed_sizes, checksums, deflated, labels = arrays
        return ArchiveIndex(
            *(names, starts, offsets, sizes, packed_sizes, checksums, deflated, labels),
            label_names=tuple(head["label_names"]),
            omitted=omitted,
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


_SUM_BYTES: Final = 16


def _checksum(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=_SUM_BYTES).digest()
