"""The runs and weights on disk. Each function reads the disk and returns at once. Only small files
are read, never a checkpoint."""

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.facts import Problem, RunFacts
from flowergui.store import paths
from flowergui.store.run_facts import last_trained, run_facts, started_at
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

log = logging.getLogger(__name__)

MAX_SILENCE_S = 3_600.0
"""Seconds after which a run on another machine that has written nothing counts as killed."""


def saved_weights(model: str, models: Path | None = None) -> list[str]:
    """The paths of the files that `save_weights` has written for this network."""
    folder = models or paths.models_folder()
    names = (f"{model}.pth", f"{model}_IMAGENET1K_*.pth")
    return sorted(str(path) for name in names for path in folder.glob(name))


def runs(models: Path | None = None) -> list[RunFacts]:
    """The runs in `models`, the one last trained first. What can't be read is logged and left out.
    Raises FlowerError if the folder can't be read."""
    found, problems = find_runs(models)
    _log(problems)
    return found


def find_runs(models: Path | None = None) -> tuple[list[RunFacts], list[Problem]]:
    """The same, and what can't be read."""
    now, found = time.time(), []
    folders, problems = _run_folders(models or paths.models_folder())
    for run in sorted(folders, key=lambda run: last_trained(run, now), reverse=True):
        try:
            found.append(run_facts(run))
        except FlowerError as error:
            problems.append(Problem(str(run.path), error.message))
    return found, problems


def run_of(checkpoint: str | Path) -> RunFacts | None:
    """The run that a checkpoint belongs to; None if it is in no run folder."""
    run = RunFolder(Path(checkpoint).parent)
    try:
        return run_facts(run) if run.exists() else None
    except FlowerError as error:
        log.warning("%s can't be read as a run: %s", run.path, error)
        return None


def is_training(run: str | Path) -> bool:
    """Whether a window or a terminal is training this run now. A process on another machine, whose
    lock may not be seen from here, counts if it has written within MAX_SILENCE_S."""
    folder = RunFolder(Path(run))
    process = folder.marker.read()
    elsewhere = process is not None and not process.is_on_this_machine
    written = max(_modified(str(folder.history.path)), _modified(str(folder.marker.path)))
    silence = time.time() - written
    return folder.is_training() or (elsewhere and silence < MAX_SILENCE_S)


def write_note(run: str | Path, text: str) -> None:
    """Writes a note on a run; "" removes it. Raises FlowerError if it can't be written."""
    RunFolder(Path(run)).write_note(text)


def bare_weights(models: Path | None = None) -> str:
    """The path of a last.pth in `models` itself, as the tutorial saves it; "" if there is none."""
    path = (models or paths.models_folder()) / "last.pth"
    return str(path) if os.path.isfile(path) else ""


def is_newer(path: str, other: str) -> bool:
    """Whether the file at `path` was written after the one at `other`, or that is not there."""
    return _modified(path) > _modified(other)


def newest_run(models: Path) -> Path:
    """The folder of the run that was last trained and has a checkpoint, else the bare weights in
    `models`. Raises FlowerError if there is neither."""
    folders, problems = _run_folders(models)
    _log(problems)
    with_checkpoint = [run for run in folders if run.newest()]
    if with_checkpoint:
        now = time.time()
        return max(with_checkpoint, key=lambda run: last_trained(run, now)).path
    if bare := bare_weights(models):
        return Path(bare)
    raise FlowerError(
        tr("There is no run to resume in {folder}.", folder=models),
        hint=tr("Start one from scratch or by transfer."),
    )


def run_folders(models: Path) -> list[RunFolder]:
    """The folders of the runs in `models`, the one started last first. What can't be read is
    logged and left out. Raises FlowerError if the folder can't be read."""
    folders, problems = _run_folders(models)
    _log(problems)
    return sorted(folders, key=started_at, reverse=True)


def _run_folders(models: Path) -> tuple[list[RunFolder], list[Problem]]:
    """The folders of runs, and the folders that can't be looked into. Raises FlowerError."""
    try:
        entries = list(models.iterdir()) if os.path.isdir(models) else []
    except OSError as error:
        raise FlowerError(
            tr(
                "The folder for runs and weights, {folder}, can't be read: {reason}.",
                folder=models,
                reason=error.strerror or error,
            ),
            hint=tr("Choose another folder for runs and weights."),
        ) from error
    found, problems = [], []
    for run in map(RunFolder, entries):
        if run.exists():
            found.append(run)
        elif reason := _why_closed(run.path):
            problems.append(Problem(str(run.path), reason))
    return found, problems


def _log(problems: Iterable[Problem]) -> None:
    for problem in problems:
        log.warning("%s can't be listed: %s", problem.path, problem.reason)


def _why_closed(folder: Path) -> str:
    """Why a folder can't be looked into; "" if it can, or if it is none."""
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _modified(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
