"""The runs and weights on disk. Each function reads the disk and returns at once. Only small files
are read, never a checkpoint."""

import logging
import os
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.facts import RunFacts
from flowergui.store import paths
from flowergui.store.run_facts import run_facts, started_at
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

log = logging.getLogger(__name__)


def saved_weights(model: str, models: Path | None = None) -> list[str]:
    """The paths of the files that `save_weights` has written for this network."""
    folder = models or paths.models_folder()
    names = (f"{model}.pth", f"{model}_IMAGENET1K_*.pth")
    return sorted(str(path) for name in names for path in folder.glob(name))


def runs(models: Path | None = None) -> list[RunFacts]:
    """The runs in `models`, newest first. Those that can't be read are logged and left out."""
    found = []
    for run in run_folders(models or paths.models_folder()):
        try:
            found.append(run_facts(run))
        except (OSError, FlowerError) as error:
            log.warning("%s can't be listed: %s", run.path, error)
    return found


def run_of(checkpoint: str | Path) -> RunFacts | None:
    """The run that a checkpoint belongs to; None if it is in no run folder."""
    run = RunFolder(Path(checkpoint).parent)
    try:
        return run_facts(run) if run.exists() else None
    except (OSError, FlowerError) as error:
        log.warning("%s can't be read as a run: %s", run.path, error)
        return None


def is_training(run: str | Path) -> bool:
    """Whether a window or a terminal is training this run now."""
    return RunFolder(Path(run)).is_training()


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
    """The folder of the newest run that has a checkpoint, else the bare weights in `models`. Raises
    FlowerError if there is neither."""
    for run in run_folders(models):
        if run.newest():
            return run.path
    if bare := bare_weights(models):
        return Path(bare)
    raise FlowerError(
        tr("There is no run to resume in {folder}.", folder=models),
        hint=tr("Start one from scratch or by transfer."),
    )


def run_folders(models: Path) -> list[RunFolder]:
    """The folders of the runs in `models`, newest first."""
    if not os.path.isdir(models):
        return []
    folders = sorted(map(RunFolder, models.iterdir()), key=started_at, reverse=True)
    return [run for run in folders if run.exists()]


def _modified(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
