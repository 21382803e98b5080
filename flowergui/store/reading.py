"""Reading the small files of a run. They may be cut, overwritten, edited, or no files at all: what
is raised for it is one FlowerError."""

import codecs
import csv
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

from flowergui.errors import FlowerError
from flowergui.text import file_size, tr

MAX_BYTES: Final = 1 << 30
"""Larger files are refused: these would be the rows of ten million batches, or of ten million
images."""

MAX_JSON_BYTES: Final = 1 << 26

MAX_LINE_LENGTH: Final = 1 << 18
"""Longer lines are cut, in characters. The csv module refuses cells of half that length."""

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

DAMAGED: Final = (
    *(ValueError, LookupError, TypeError, csv.Error),
    *(RecursionError, MemoryError),
)
"""What reading a file raises that is damaged, too large or too deep."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises FlowerError that names `path` for what goes wrong in the block; FileNotFoundError
    stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, *DAMAGED) as error:
        raise FlowerError(
            tr("{path} can't be read: {reason}.", path=path, reason=reason_of(error)),
            hint=tr("Put back a copy of this file, or move its run out of the folder for runs."),
        ) from error


def reason_of(error: BaseException) -> str:
    """Why a file can't be read, as a part of a sentence."""
    match error:
        case OSError():
            return error.strerror or str(error)
        case UnicodeError():
            return tr("it is not UTF-8 text")
        case json.JSONDecodeError():
            return tr("it is damaged in line {line}", line=error.lineno)
        case RecursionError() | MemoryError():
            return tr("it is too large or too deep")
        case _:
            return tr("it is damaged")


def open_bytes(path: Path, most: int = MAX_BYTES) -> BinaryIO:
    """Opens a file. Raises OSError if it is none, as a pipe, which would never end, or if it has
    more than `most` bytes."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(tr("it is not a file"))
    if facts.st_size > most:
        raise OSError(tr("it is too large ({size})", size=file_size(facts.st_size)))
    return path.open("rb")


def open_text(path: Path, *, errors: str = "strict") -> TextIO:
    """Opens text: UTF-8, or UTF-16 where it begins with a byte order mark, as Windows PowerShell
    and Excel write it. Newlines stay as they are. Raises OSError as `open_bytes` does."""
    with open_bytes(path) as file:
        start = file.read(2)
    encoding = "utf-16" if start in _UTF_16 else "utf-8-sig"
    return path.open(encoding=encoding, errors=errors, newline="")


def utf8(data: bytes) -> bytes:
    """The content of a file of text as UTF-8 without a byte order mark."""
    if data[:2] in _UTF_16:
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def lines(file: TextIO) -> Iterator[str]:
    """The lines of a file. One that never ends comes in pieces."""
    return iter(lambda: file.readline(MAX_LINE_LENGTH), "")


def read_json(path: Path, errors: str = "strict") -> Any:
    """The value in a JSON file. Raises FlowerError, and FileNotFoundError."""
    with reading(path), open_bytes(path, MAX_JSON_BYTES) as file:
        return json.loads(utf8(file.read()).decode("utf-8", errors))
