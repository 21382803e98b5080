"""Trains a run with several processes of this machine: starts torchrun, and passes on the events
of its rank 0."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import IO, Any, Final

from flowergui import event_json
from flowergui.errors import FlowerError
from flowergui.events import Event, Finished, Preparing, Stopped
from flowergui.requests import NO_REQUESTS, LiveRequests
from flowergui.text import language_tag, tr, trn

log = logging.getLogger(__name__)

WORKER: Final = "flowergui.cli.torchrun_worker"

FAILED: Final = "Failed"
"""The name of the line that has the message of a FlowerError, and its hint."""

KEPT_LINES: Final = 200
"""Lines of the processes' error output that are kept, in case they end without a message."""

_ERROR: Final = re.compile(
    r"^(?:\[rank\d+\]: *)?(?P<reason>\w+(?:Error|Exception): .*)|(?P<signal>Signal \d+ \(\w+\))"
    r"|(?P<missing>No module named .*)"
)
"""What says most among them: an exception, or the signal that ended a process."""

CLOSING_SECONDS: Final = 20.0
"""How long the processes may take to save and end when nobody wants their events any more."""


def train(job: Mapping[str, Any], processes: int, live: LiveRequests) -> Iterator[Event]:
    """The events of a task (see `cli.torchrun_worker`) that so many processes do together. What is
    asked in `live` is passed on with the request for the next event. Raises FlowerError as the task
    does, and if the processes end without being done; how they end after that is only logged, for
    the run is saved by then."""
    if getattr(sys, "frozen", False):  # by PyInstaller: there is no Python that could run torchrun
        raise FlowerError(
            tr("This build of Flowergui trains with one process."),
            hint=tr("Set the processes to 1, or install Flowergui with pip."),
        )
    with tempfile.TemporaryDirectory(prefix="flowergui-") as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps({**job, "language": language_tag()}), "utf-8")
        yield Preparing(
            trn("Starting {count} process", "Starting {count} processes", processes), 0, 0
        )
        with _started(path, processes) as (process, errors):
            assert process.stdin is not None
            assert process.stdout is not None
            listens, is_done = True, False
            while listens:
                listens = _asks(process.stdin, live)
                if (event := _next_event(process.stdout)) is None:
                    break
                is_done = isinstance(event, Finished | Stopped)
                yield event
            with suppress(OSError):
                process.stdin.close()
            code = process.wait()
    if code and is_done:
        log.warning("A process ended with %s after its run: %s", code, "".join(errors))
    elif code:
        raise FlowerError(
            tr("The processes of this run have ended unexpectedly: {reason}", reason=_why(errors)),
            hint=tr("Resume the run, perhaps with one process."),
        )


@contextmanager
def _started(job: Path, processes: int) -> Iterator[tuple[subprocess.Popen[str], deque[str]]]:
    """torchrun with the processes, and the last lines of what they print as errors. They are ended
    at the end of the block, and may save before."""
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *(f"--nproc-per-node={processes}", "-m", WORKER, str(job)),
    ]
    own_group: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is for this process alone
    if sys.platform == "win32":
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=_environment(),
        **own_group,
    )
    errors: deque[str] = deque(maxlen=KEPT_LINES)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    reader = Thread(target=errors.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        yield process, errors
    finally:
        with suppress(OSError):
            process.stdin.close()  # rank 0 saves, and ends
        try:
            process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process)
        reader.join(1)
        process.stdout.close()
        process.stderr.close()


def _why(errors: Sequence[str]) -> str:
    """The line of the processes' errors that says most; their exit code stands in the others."""
    found = (_ERROR.search(line.strip()) for line in reversed(errors))
    return next((match[0] for match in found if match), tr("no reason was given"))


def _environment() -> dict[str, str]:
    """This process's environment, in which the program is found also if it is not installed."""
    package = str(Path(event_json.__file__).parents[1])
    found = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    windows = {"USE_LIBUV": "0"} if sys.platform == "win32" else {}  # torch is built without it
    return {**os.environ, "PYTHONPATH": found, **windows}


def _end(process: subprocess.Popen[str]) -> None:
    """Ends torchrun, which ends its processes."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(CLOSING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _asks(stdin: IO[str], live: LiveRequests) -> bool:
    """Asks for the next event, and passes on what is asked of the run; False if nobody listens."""
    asked = live.take()
    new = {name: value for name, value in asdict(asked).items() if value != _NOTHING[name]}
    try:
        stdin.write(json.dumps(new) + "\n")
        stdin.flush()
    except OSError:
        return False
    return True


_NOTHING: Final = asdict(NO_REQUESTS)


def _next_event(stdout: IO[str]) -> Event | None:
    """The next event; None if there is no more. What else the processes print is passed over.
    Raises the task's FlowerError."""
    for line in stdout:
        if (event := event_json.decoded(line)) is not None:
            return event
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and found.get("event") == FAILED:
                raise FlowerError(found["message"], hint=found["hint"])
    return None
