"""A report of what went wrong in this process, in a file that outlives it.

The file is opened when the program starts, as nothing can be when it crashes. One in which nothing
went wrong is removed at the end. Nothing is ever sent anywhere.
"""

import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

from flowergui import __version__

try:
    import fcntl
except ImportError:  # Windows, which lets nobody rename a file that is open
    fcntl = None  # type: ignore[assignment]

RUNNING: Final = "running-"
"""How the report of a process is called while it runs, or after it has crashed."""
ENDED: Final = "errors-"
"""How it is called after the process has ended as it should, with errors on the way."""
SEEN: Final = "seen-"
"""How a report is called that was offered to the user."""
MAX_SEEN: Final = 10
"""Reports that are kept after they were offered."""
MAX_BYTES: Final = 200_000
"""Of a report: an error that comes with every paint would fill the disk."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report of an earlier process: whether it `crashed`, or only met errors."""

    path: str
    text: str
    crashed: bool


class CrashReport(logging.Handler):
    """The report of this process. It holds what is logged as an error, exceptions that nobody
    caught, in all threads, and where each thread was when the process crashed."""

    def __init__(self, folder: Path) -> None:
        """Begins a report in `folder`. Where it can't be written, there is none."""
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        name = f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{os.getpid()}.txt"
        self._path = folder / f"{RUNNING}{name}"
        self._file: TextIO | None = None
        self._size = 0
        self._hooks = sys.excepthook, threading.excepthook
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("x", encoding="utf-8", errors="backslashreplace")
        if self._file is not None:
            self._begin(self._file)

    def _begin(self, file: TextIO) -> None:
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the process ends
        began = time.strftime("%Y-%m-%d %H:%M:%S")
        file.write(f"Flowergui {__version__}, Python {sys.version}, {sys.platform}, {began}\n\n")
        file.flush()
        faulthandler.enable(file)
        logging.getLogger().addHandler(self)
        sys.excepthook, threading.excepthook = self._uncaught, self._uncaught_in_thread

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self.format(record) + "\n")

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._file is not None and self._size <= MAX_BYTES:
            with suppress(OSError):  # the disk is full
                self._file.write(text)
                self._file.flush()

    def close(self) -> None:
        """The process ends as it should. A report that holds nothing goes."""
        super().close()
        file, self._file = self._file, None
        if file is None:
            return
        logging.getLogger().removeHandler(self)
        sys.excepthook, threading.excepthook = self._hooks
        faulthandler.disable()
        with suppress(OSError):
            file.close()
            if self._size:
                _rename(self._path, ENDED)
            else:
                self._path.unlink()

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, where: TracebackType | None
    ) -> None:
        if issubclass(kind, Exception):  # else it is Ctrl-C
            self._write("".join(traceback.format_exception(kind, error, where)))
        self._hooks[0](kind, error, where)

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if issubclass(args.exc_type, Exception):
            told = args.exc_type, args.exc_value, args.exc_traceback
            self._write("".join(traceback.format_exception(*told)))
        self._hooks[1](args)


def take_reports(folder: Path) -> list[Report]:
    """The reports of processes that are over, newest first; from now on, they count as seen. Empty
    reports go, and old ones."""
    found: list[Report] = []
    with suppress(OSError):
        names = sorted(os.listdir(folder), key=lambda name: name.partition("-")[2], reverse=True)
        for name in names:
            if name.startswith((RUNNING, ENDED)):
                with suppress(OSError):
                    found += _take(folder / name)
        for name in [each for each in names if each.startswith(SEEN)][MAX_SEEN:]:
            with suppress(OSError):
                (folder / name).unlink()
    return found


def delete_report(path: str) -> None:
    """Deletes a report, if it is still there."""
    with suppress(OSError):
        os.unlink(path)


def _take(path: Path) -> list[Report]:
    """The report in this file, if its process is over and something went wrong in it."""
    with path.open("r+", encoding="utf-8", errors="replace") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError while the process runs
        text = file.read(2 * MAX_BYTES)
    seen = _rename(path, SEEN)  # OSError on Windows while the process runs
    if not text.partition("\n\n")[2].strip():
        seen.unlink()  # killed, or the computer went off: nothing is known
        return []
    return [Report(str(seen), text, path.name.startswith(RUNNING))]


def _rename(path: Path, kind: str) -> Path:
    return path.rename(path.with_name(kind + path.name.partition("-")[2]))
