"""request.json: what another process asks of the run that trains in a folder."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from flowergui.errors import FlowerError
from flowergui.requests import RunRequest
from flowergui.store import atomic_io
from flowergui.store.reading import read_json

LOOK_INTERVAL_S: Final = 3.0
"""Least seconds between two looks of a run at its folder: a network drive takes time for each."""


class RequestFile:
    """The file by which a run is asked to save or to stop, from wherever its folder can be written
    to. The run removes it when it obeys."""

    def __init__(self, path: Path) -> None:
        """`path` is the file. It need not exist."""
        self.path = path

    def ask(self, request: RunRequest) -> None:
        """Writes a request, in addition to one that the run has not read yet. Raises FlowerError if
        it can't be written."""
        before = self.read() or RunRequest()
        both = {"stop": before.stop or request.stop, "save": before.save or request.save}
        asked = {name: True for name, value in both.items() if value}
        atomic_io.write(self.path, json.dumps(asked) + "\n")

    def read(self) -> RunRequest | None:
        """The request; None if there is none, or if it is not written to its end."""
        try:
            stored = read_json(self.path)
        except (FileNotFoundError, FlowerError):
            return None
        if not isinstance(stored, dict):
            return None
        return RunRequest(stop=stored.get("stop") is True, save=stored.get("save") is True)

    def remove(self) -> None:
        """Removes the file, if that is possible."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class RequestPoller:
    """Looks for a request at most every LOOK_INTERVAL_S, at the cost of one os.stat."""

    def __init__(self, file: RequestFile, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds; tests bring their own."""
        self._file, self._clock = file, clock
        self._next_look = clock()
        self._obeyed: tuple[int, int] | None = None

    def take(self) -> RunRequest | None:
        """The request, which is removed with that; None if there is no new one. One that is not
        written to its end is read at a later look."""
        if self._clock() < self._next_look:
            return None
        self._next_look = self._clock() + LOOK_INTERVAL_S
        try:
            facts = os.stat(self._file.path)
        except OSError:
            return None
        version = facts.st_mtime_ns, facts.st_size
        if version == self._obeyed:  # it could not be removed
            return None
        request = self._file.read()
        if request is not None:
            self._obeyed = version
            self._file.remove()
        return request
