"""The rows that a run appends to its history.csv, while another process reads them."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from flowergui.events import BatchDone, EpochDone
from flowergui.store.history import columns_of, delimiter_of, epoch_prefix, event_of
from flowergui.store.reading import DAMAGED, open_bytes, reading

_COMPARED_BYTES: Final = 400
"""So many bytes of the last row are compared with what was read, at most: it has about 100."""


class HistoryTail:
    """Reads each row once. The file may be appended to, or replaced by a shorter one, at any time;
    a row that is not written to its end comes when it is."""

    def __init__(self, path: Path, *, epochs_only: bool = False) -> None:
        """`path` is the file. It need not exist. With `epochs_only`, rows of batches are passed
        over: there are a thousand times as many."""
        self._path, self._epochs_only = path, epochs_only
        self._head = b""
        self._offset = 0  # bytes that were read
        self._before = b""  # the last of them

    def is_replaced(self) -> bool:
        """Whether rows that were read are no longer in the file: the run was rolled back, or
        resumed from before them. All rows come again then. Raises FlowerError if the file can't be
        read."""
        if self._offset and self._read(self._offset - len(self._before)) != self._before:
            self.rewind()
            return True
        return False

    def rewind(self) -> None:
        """All rows come again."""
        self._head, self._offset, self._before = b"", 0, b""

    def rows(self) -> Iterator[BatchDone | EpochDone]:
        """The rows since the last call. Ends before a row that is damaged; a network drive may give
        one so for a moment. Raises FlowerError if the file can't be read."""
        with suppress(FileNotFoundError), reading(self._path), open_bytes(self._path) as file:
            if not self._head:
                self._take(file.readline())
                self._head = self._before if self._before.endswith(b"\n") else b""
                if not self._head:
                    self._offset, self._before = 0, b""
            file.seek(self._offset)
            with suppress(*DAMAGED):
                yield from self._parsed(file)

    def _parsed(self, file: BinaryIO) -> Iterator[BatchDone | EpochDone]:
        """The rows from here on. Raises one of DAMAGED before one that is damaged."""
        head = self._head.decode("utf-8-sig", "replace")
        names, delimiter, prefix = columns_of(head), delimiter_of(head), epoch_prefix(self._head)
        line = b""

        def lines() -> Iterator[str]:
            nonlocal line
            for line in file if self._head else ():
                if not line.endswith(b"\n"):
                    return
                if self._epochs_only and not line.startswith(prefix):
                    self._take(line)
                else:
                    yield line.decode("utf-8", "replace")

        for cells in csv.reader(lines(), delimiter=delimiter):
            event = event_of(dict(zip(names, cells, strict=True)), delimiter == ";")
            self._take(line)
            yield event

    def _take(self, line: bytes) -> None:
        self._offset += len(line)
        self._before = line[-_COMPARED_BYTES:]

    def _read(self, start: int) -> bytes:
        """What stands where the last bytes were; b"" if there is no file."""
        with suppress(FileNotFoundError), reading(self._path), open_bytes(self._path) as file:
            file.seek(start)
            return file.read(len(self._before))
        return b""
