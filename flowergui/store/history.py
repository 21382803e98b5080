"""A run's batches and epochs, kept as history.csv."""

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from flowergui.events import BatchDone, EpochDone
from flowergui.store import atomic_io

_COLUMNS = ["kind", *dict.fromkeys(f.name for kind in (BatchDone, EpochDone) for f in fields(kind))]


class History:
    """A row for each BatchDone and EpochDone that a run has told, in their order."""

    def __init__(self, path: Path) -> None:
        """`path` is the file, which need not be there."""
        self.path = path

    def append(self, events: Iterable[BatchDone | EpochDone]) -> None:
        """Adds rows to history.csv: all of them, or none where it raises OSError."""
        before = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as file:
                file.write(_table(events, header=not before).encode())
                file.flush()
                os.fsync(file.fileno())  # the checkpoint that follows counts on these rows
        except OSError:
            with suppress(OSError):
                os.truncate(self.path, before)  # half a row would hide all after it
            raise

    def cut_back(self, step: int, epoch: int) -> None:
        """Drops the batches after `step`, and the epochs from `epoch` on, which is not over: a
        run that died wrote them after its checkpoint. Raises FlowerError where it can't be
        written."""
        if self.path.exists():
            # An epoch's row has the step of its last batch, also where its validation was not
            # done when the checkpoint was written.
            kept = (
                event
                for event in self.events()
                if (event.epoch < epoch if isinstance(event, EpochDone) else event.step <= step)
            )
            atomic_io.write(self.path, _table(kept, header=True))

    def events(self) -> Iterator[BatchDone | EpochDone]:
        """The rows of history.csv as the events that they were; a torn last row is left out."""
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    yield _event(row)
                except (KeyError, TypeError, ValueError):
                    return

    def epochs(self) -> list[EpochDone]:
        """Its epochs, in order. The rows of its batches, a thousand times as many, are passed over
        unread."""
        done: dict[int, EpochDone] = {}
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            head = file.readline().decode("utf-8", "replace")
            for line in file:
                if line.startswith(b"epoch,") and line.endswith(b"\n"):  # a torn one has no end
                    event = _parsed([head, line.decode("utf-8", "replace")])
                    if not isinstance(event, EpochDone):
                        break  # as for `events`
                    done[event.epoch] = event
        return list(done.values())

    def newest(self) -> tuple[EpochDone | None, BatchDone | EpochDone | None]:
        """The last epoch and the last row of history.csv, without going through all of it."""
        if not self.path.is_file():
            return None, None
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1  # a torn last row has no end
        last = data.rfind(b"\n", 0, max(whole - 1, 0)) + 1
        epoch = data.rfind(b"\nepoch,", 0, whole) + 1
        done = _row(data, epoch) if epoch else None
        return done if isinstance(done, EpochDone) else None, _row(data, last) if last else None


def _table(events: Iterable[BatchDone | EpochDone], *, header: bool) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    if header:
        writer.writeheader()
    for event in events:
        kind = "epoch" if isinstance(event, EpochDone) else "batch"
        writer.writerow({"kind": kind, **asdict(event)})
    return text.getvalue()


def _row(data: bytes, start: int) -> BatchDone | EpochDone | None:
    """The row of history.csv that begins at `start`; None where it is spoilt."""
    lines = data[: data.find(b"\n")], data[start : data.find(b"\n", start)]
    return _parsed([line.decode("utf-8", "replace") for line in lines])


def _parsed(lines: Sequence[str]) -> BatchDone | EpochDone | None:
    """The one row below a header; None where it is spoilt."""
    try:
        return _event(next(csv.DictReader(lines)))
    except (KeyError, StopIteration, TypeError, ValueError):
        return None


def _event(row: dict[str, str]) -> BatchDone | EpochDone:
    kind = EpochDone if row["kind"] == "epoch" else BatchDone
    values: dict[str, Any] = {}
    for each in fields(kind):
        text = row[each.name]
        if each.type is int:
            values[each.name] = int(text)
        elif each.type is float:
            values[each.name] = float(text)
        else:
            values[each.name] = float(text) if text else None
    event = kind(**values)
    if isinstance(event, EpochDone) and not 0 <= event.seconds < math.inf:
        raise ValueError(event.seconds)  # nobody has written that
    return event
