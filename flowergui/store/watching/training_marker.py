"""training.json: which process trains a run. It is in the run folder while that trains."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.store import atomic_io
from flowergui.store.reading import read_json


@dataclass(frozen=True, slots=True)
class TrainingProcess:
    """The process `pid` on the machine `host` trains a run. `reads_requests`: it obeys a
    request.json in the run folder."""

    host: str
    pid: int
    reads_requests: bool = True

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it runs on this machine, as far as names of machines say so."""
        return self.host == socket.gethostname()

    def is_alive_here(self) -> bool:
        """Whether a process of this number runs on this machine. Windows, where one can't be asked
        without a signal, is trusted."""
        if not self.is_on_this_machine or self.pid <= 0:
            return False
        if os.name == "nt":
            return True
        try:
            os.kill(self.pid, 0)  # asks only
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:  # another user's
            return True
        return True


class TrainingMarker:
    """The file that says which process trains a run. One that was killed leaves it behind.

    Other than the lock, it can be seen from other machines on every shared drive, and without the
    right to write to the folder.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the file. It need not exist."""
        self.path = path

    def write(self) -> None:
        """Names this process. A disk that is full keeps no run from training."""
        process = TrainingProcess(socket.gethostname(), os.getpid())
        with suppress(FlowerError):
            atomic_io.write(self.path, json.dumps(asdict(process)) + "\n")

    def read(self) -> TrainingProcess | None:
        """The process; None if there is no file, or if it is damaged."""
        try:
            stored = read_json(self.path)
        except (FileNotFoundError, FlowerError):
            return None
        match stored:
            case {"host": str(host), "pid": int(pid)}:
                return TrainingProcess(host, pid, stored.get("reads_requests") is True)
        return None

    def remove(self) -> None:
        """Removes the file, if that is possible."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
