"""split.csv: which images of a dataset train, and which validate."""

import csv
import io
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from sys import intern
from typing import Final, TextIO

from flowergui.errors import FlowerError
from flowergui.store import atomic_io
from flowergui.store.atomic_io import FS_ENCODING_ERRORS
from flowergui.store.reading import DAMAGED, lines, open_text, reason_of
from flowergui.text import tr

PARTS: Final = ("train", "validation")

SplitRow = tuple[str, str, str, int | None]
"""An image in split.csv: its path relative to the dataset, its class, "train" or "validation", and
its size in bytes when the run started, or None if that is unknown."""


def write(path: Path, rows: Iterable[SplitRow]) -> None:
    """Writes the file whole, or not at all. Raises FlowerError if it can't be written."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["path", "class", "split", "bytes"])
    writer.writerows(rows)
    atomic_io.write(path, text.getvalue())


def rows(path: Path, hint: str = "") -> Iterator[SplitRow]:
    """Reads the rows one by one, as there may be a million. Raises FileNotFoundError, and
    FlowerError with `hint` if the file can't be read."""
    try:
        with open_text(path, errors=FS_ENCODING_ERRORS) as file:
            yield from _rows(file)
    except FileNotFoundError:
        raise
    except (OSError, *DAMAGED) as error:
        raise FlowerError(
            tr(
                "The list of images in {path} can't be read: {reason}.",
                path=path,
                reason=reason_of(error),
            ),
            hint=hint,
        ) from error


def given_parts(path: Path) -> dict[str, str]:
    """The part ("train" or "validation") of each image, by its path. Raises FlowerError if the file
    can't be read, or is missing."""
    try:
        return {image: part for image, _, part, _ in rows(path)}
    except FileNotFoundError:
        raise FlowerError(tr("There is no file {path}.", path=path)) from None


def _rows(file: TextIO) -> Iterator[SplitRow]:
    """The rows below the header. Raises one of DAMAGED."""
    delimiter = ";" if ";" in next(lines(file), "") else ","  # as spreadsheets may write it
    file.seek(0)
    cells = csv.reader(lines(file), delimiter=delimiter)
    place = {name: number for number, name in enumerate(next(cells, ()))}
    sized = "bytes" in place  # older versions did not write it
    wanted = ("path", "class", "split", "bytes" if sized else "path")
    columns = itemgetter(*(place[name] for name in wanted))
    for row in filter(None, cells):
        path, name, part, size = columns(row)
        if not path or not name or part not in PARTS or "\0" in path:
            raise ValueError(part)
        known = sized and size.isdecimal()
        yield path, intern(name), intern(part), int(size) if known else None
