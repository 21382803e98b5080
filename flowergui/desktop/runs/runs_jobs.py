"""What the list of runs does on the disk: jobs, each for a thread of its own."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile

from flowergui import tasks
from flowergui.errors import FlowerError
from flowergui.events import RunListed
from flowergui.store import csv_export, library, paths
from flowergui.text import tr


class Removal(StrEnum):
    """What became of a run that was to be moved to the trash."""

    DONE = "done"
    GONE = "gone"
    """It was not there any more."""
    TRAINING = "training"
    """It trains, here or in another process."""
    REFUSED = "refused"
    """The system has no trash for it."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a run, and where it is in the trash; "" where that is not known."""

    removal: Removal
    in_trash: str = ""


def list_runs() -> Iterator[tuple[Any, ...]]:
    """All runs at once: a list that grew would lose what is checked in it."""
    yield tuple(tasks.compare())


def list_run(run: str) -> Iterator[Any]:
    """The run in this folder, if it is one of the list."""
    listed = paths.models_folder() / Path(run).name
    if os.path.isdir(listed) and listed.samefile(run):
        yield from tasks.compare([str(listed)])


def write_table(path: str, runs: Sequence[RunListed]) -> Iterator[str]:
    """Writes a table of runs to `path`, and gives that. Raises FlowerError."""
    csv_export.write_runs(Path(path), runs)
    yield path


def write_note(run: str, text: str) -> Iterator[bool]:
    """Writes a note on a run, and yields whether the run was there. Raises FlowerError."""
    there = os.path.isdir(run)
    if there:
        library.write_note(run, text)
    yield there


def remove(run: str, *, trains_here: bool) -> Removed:
    """Moves the folder of a run to the system's trash."""
    if not os.path.isdir(run):
        return Removed(Removal.GONE)
    if trains_here or library.is_training(run):
        return Removed(Removal.TRAINING)
    folder = QFile(run)
    if not folder.moveToTrash():
        return Removed(Removal.REFUSED)
    return Removed(Removal.DONE, folder.fileName())


def put_back(in_trash: str, run: str) -> Iterator[str]:
    """Moves a run from the trash to where it was, and gives that. Raises FlowerError."""
    try:
        if os.path.exists(run):
            raise FileExistsError(tr("something else is there"))
        os.rename(in_trash, run)
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(
            tr("{path} can't be put back: {reason}.", path=run, reason=reason),
            hint=tr("It is in the trash of your system."),
        ) from error
    trashed = Path(in_trash)
    with suppress(OSError):  # where freedesktop.org keeps what is in the trash
        (trashed.parents[1] / "info" / f"{trashed.name}.trashinfo").unlink()
    yield run
