"""The batches and epochs of a run, kept as history.csv.

A row is a BatchDone or an EpochDone; its first column says which. Files of other versions are
read: a column that is missing gives a default, one that is unknown is kept and ignored. So are
files that a spreadsheet has saved, with a byte order mark, with semicolons or as UTF-16.
"""

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path
from typing import Any, Final

from flowergui.events import BatchDone, EpochDone
from flowergui.store import atomic_io
from flowergui.store.reading import (
    DAMAGED,
    MAX_LINE_LENGTH,
    lines,
    open_bytes,
    open_text,
    reading,
    utf8,
)
from flowergui.store.schema import MAX_SECONDS, MAX_WHOLE

Row = dict[str, str]

_FIELDS: Final = {kind: fields(kind) for kind in (BatchDone, EpochDone)}

COLUMNS: Final = ["kind", *dict.fromkeys(f.name for kind in _FIELDS.values() for f in kind)]

_REQUIRED: Final = frozenset({"kind", "epoch", "step"})
"""Columns without which a row says nothing."""


class History:
    """The rows of history.csv, in the order in which the run yielded them. What reads it raises
    FlowerError if the file can't be opened."""

    def __init__(self, path: Path) -> None:
        """`path` is the file. It need not exist."""
        self.path = path
        self.damaged = path.with_name("history-damaged.csv")
        """What a file becomes of which no row can be read, when a new one begins."""

    def append(self, events: Iterable[BatchDone | EpochDone]) -> int:
        """Adds a row for each event: all of them, or none if it raises OSError. Returns the bytes
        of the file before, to which `truncate` takes it back. A torn last row goes."""
        columns = self._columns_to_append()
        before = self._without_torn_row()
        try:
            with self.path.open("ab") as file:
                file.write(_table(map(_row, events), columns, header=not before).encode())
                file.flush()
                os.fsync(file.fileno())  # the checkpoint that follows counts on these rows
        except OSError:
            with suppress(OSError):
                self.truncate(before)  # half a row would hide all after it
            raise
        return before

    def truncate(self, size: int) -> None:
        """Drops the rows after the first `size` bytes, which takes no room on a full disk. Raises
        OSError."""
        os.truncate(self.path, size)

    def _without_torn_row(self) -> int:
        """Drops a last row without a line break: the next one would hide in it, and all after it.
        Returns the bytes of the file; 0 if there is none. Raises OSError."""
        if not os.path.exists(self.path):
            return 0
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            if file.read() in (b"\n", b""):
                return size
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
        self.truncate(whole)
        return whole

    def cut_back(self, step: int, epoch: int) -> bool:
        """Drops the batches after `step` and the epochs from `epoch` on.

        A run that was killed wrote them after its last checkpoint. Returns False if no row of the
        file can be read: it is `damaged` then, and a new one begins. Raises FlowerError if the file
        can't be written.
        """
        if self._set_aside():
            return False
        if os.path.exists(self.path):
            # An epoch's row has the step of its last batch, also if its validation was not done
            # when the checkpoint was written.
            kept = (
                row | _row(event)
                for row, event in self._rows()
                if (event.epoch < epoch if isinstance(event, EpochDone) else event.step <= step)
            )
            atomic_io.write(self.path, self._updated(kept))
        return True

    def events(self) -> Iterator[BatchDone | EpochDone]:
        """Reads the rows as events, one by one. Stops at the first row that is damaged, as the
        last one is if the program was killed while it wrote."""
        for _, event in self._rows():
            yield event

    def epochs(self) -> list[EpochDone]:
        """Reads the epochs, in order, without parsing the rows of batches: there are a thousand
        times as many."""
        done: dict[int, EpochDone] = {}
        file = io.BytesIO(self._content())
        head = file.readline()
        prefix = epoch_prefix(head)
        for line in file:
            if line.startswith(prefix) and line.endswith(b"\n"):
                event = _parsed(head, line)
                if not isinstance(event, EpochDone):
                    break  # as for `events`
                done[event.epoch] = event
        return list(done.values())

    def newest(self) -> tuple[EpochDone | None, BatchDone | EpochDone | None]:
        """The last epoch and the last row, without parsing the other rows."""
        data = self._content()
        head = data[: data.find(b"\n") + 1]
        whole = data.rfind(b"\n") + 1  # a torn last row has no end
        last = data.rfind(b"\n", 0, max(whole - 1, 0)) + 1
        epoch = data.rfind(b"\n" + epoch_prefix(head), 0, whole) + 1
        done = _parsed(head, _line(data, epoch)) if epoch else None
        newest = _parsed(head, _line(data, last)) if last else None
        return done if isinstance(done, EpochDone) else None, newest

    def _rows(self) -> Iterator[tuple[Row, BatchDone | EpochDone]]:
        delimiter = delimiter_of(self._head())
        try:
            with reading(self.path):
                file = open_text(self.path, errors="replace")
        except FileNotFoundError:
            return
        with file, reading(self.path), suppress(*DAMAGED):
            for row in csv.DictReader(lines(file), delimiter=delimiter):
                yield row, event_of(row, delimiter == ";")

    def _content(self) -> bytes:
        """The file as UTF-8; b"" if there is none."""
        with suppress(FileNotFoundError), reading(self.path), open_bytes(self.path) as file:
            return utf8(file.read())
        return b""

    def _head(self) -> str:
        """The first line; "" if there is none."""
        try:
            with reading(self.path), open_text(self.path, errors="replace") as file:
                return next(lines(file), "")
        except FileNotFoundError:
            return ""

    def _set_aside(self) -> bool:
        """Renames a file of which no row can be read. Returns whether it was one. Raises
        FlowerError."""
        head = self._head()
        if not head or _REQUIRED.issubset(columns_of(head)):
            return False
        with reading(self.path):
            atomic_io.replace_with_retry(self.path, self.damaged)
        return True

    def _columns_to_append(self) -> Sequence[str]:
        """The columns of the file. If it lacks some, they are added to it first. Raises OSError,
        and FlowerError as reading does."""
        columns = self._columns()
        if set(COLUMNS) <= set(columns):
            return columns
        if self._set_aside() or not os.path.exists(self.path):
            return COLUMNS
        text = self._updated(row | _row(event) for row, event in self._rows())
        with atomic_io.open_whole(self.path, encoding="utf-8", errors="strict") as file:
            file.write(text)
        return self._columns() or COLUMNS

    def _columns(self) -> Sequence[str]:
        """The header as it stands, so that a byte order mark makes its first name another one."""
        with suppress(FileNotFoundError), reading(self.path), open_bytes(self.path) as file:
            return columns_of(file.readline(MAX_LINE_LENGTH).decode("utf-8", "replace"), ",")
        return []

    def _updated(self, rows: Iterable[Row]) -> str:
        """These rows of the file as a whole file of this version, unknown columns included."""
        names = columns_of(self._head())
        columns = [*COLUMNS, *(name for name in names if name and name not in COLUMNS)]
        return _table(rows, columns, header=True)


def _table(rows: Iterable[Row], columns: Sequence[str], *, header: bool) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(event: BatchDone | EpochDone) -> Row:
    return {"kind": "epoch" if isinstance(event, EpochDone) else "batch", **asdict(event)}


def columns_of(head: str, delimiter: str = "") -> list[str]:
    """The names in a header; none if it is damaged."""
    with suppress(csv.Error):
        return next(csv.reader([head], delimiter=delimiter or delimiter_of(head)), [])
    return []


def delimiter_of(head: str) -> str:
    """What separates the columns. Where a comma is the decimal point, spreadsheets write ";"."""
    return ";" if ";" in head else ","


def epoch_prefix(head: bytes) -> bytes:
    return b"epoch;" if b";" in head else b"epoch,"


def _line(data: bytes, start: int) -> bytes:
    return data[start : data.find(b"\n", start)]


def _parsed(head: bytes, line: bytes) -> BatchDone | EpochDone | None:
    """The event of a row below a header; None if the row is damaged."""
    columns = head.decode("utf-8-sig", "replace")
    delimiter = delimiter_of(columns)
    try:
        return event_of(
            next(csv.DictReader([columns, line.decode("utf-8", "replace")], delimiter=delimiter)),
            delimiter == ";",
        )
    except (csv.Error, KeyError, StopIteration, TypeError, ValueError):
        return None


def event_of(row: Row, decimal_comma: bool) -> BatchDone | EpochDone:
    """The event of a row. Raises KeyError, TypeError or ValueError if it is damaged."""
    kind = EpochDone if row["kind"] == "epoch" else BatchDone
    values: dict[str, Any] = {}
    for each in _FIELDS[kind]:
        if each.name not in row:
            values[each.name] = _default(each)
            continue
        cell = row[each.name]  # None where the row is torn
        if decimal_comma and cell:
            cell = cell.replace(",", ".")
        if each.type is int:
            values[each.name] = number = int(cell)
            if not 0 <= number <= MAX_WHOLE:
                raise ValueError(number)
        elif each.type is float:
            values[each.name] = float(cell)
        else:
            values[each.name] = float(cell) if cell else None
    event = kind(**values)
    if isinstance(event, EpochDone) and not 0 <= event.seconds <= MAX_SECONDS:
        raise ValueError(event.seconds)  # no version has written that
    return event


def _default(column: Field[Any]) -> Any:
    """The value of a column that a file of another version lacks."""
    if column.name in _REQUIRED:
        raise KeyError(column.name)
    if column.default is not MISSING:
        return column.default
    if column.type in (int, float):
        return math.nan if column.name.endswith("loss") else column.type(0)
    return None
