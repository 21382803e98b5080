"""Which runs and weights there are on disk. Each function reads the disk and answers at once;
only small files are read, never a checkpoint."""

import logging
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.facts import RunFacts
from flowergui.store import paths
from flowergui.store.run_folder import RunFolder

log = logging.getLogger(__name__)


def saved_weights(model: str, models: Path | None = None) -> list[str]:
    """The files that `save_weights` has made for this network."""
    folder = models or paths.models_folder()
    names = (f"{model}.pth", f"{model}_IMAGENET1K_*.pth")
    return sorted(str(path) for name in names for path in folder.glob(name))


def runs(models: Path | None = None) -> list[RunFacts]:
    """The runs under `models`, newest first. Reads their small files only, never a checkpoint."""
    found = []
    for run in run_folders(models or paths.models_folder()):
        try:
            found.append(run.facts())
        except (OSError, FlowerError) as error:
            log.warning("%s can't be listed: %s", run.path, error)
    return found


def run_of(checkpoint: str | Path) -> RunFacts | None:
    """The run that a checkpoint belongs to; None where it stands alone."""
    run = RunFolder(Path(checkpoint).parent)
    try:
        return run.facts() if run.exists() else None
    except (OSError, FlowerError) as error:
        log.warning("%s can't be read as a run: %s", run.path, error)
        return None


def is_training(run: str | Path) -> bool:
    """Whether some window or terminal trains this run now."""
    return RunFolder(Path(run)).is_training()


def write_note(run: str | Path, text: str) -> None:
    """Notes a line on a run, for lists of them; "" takes it away. Raises FlowerError where it
    can't be written."""
    RunFolder(Path(run)).write_note(text)


def bare_weights(models: Path | None = None) -> str:
    """The path of a last.pth that lies in `models` itself, as the tutorial saves it; "" where
    there is none."""
    path = (models or paths.models_folder()) / "last.pth"
    return str(path) if path.is_file() else ""


def newest_run(models: Path) -> Path:
    """The folder of the newest run that has a checkpoint, else the bare weights in `models`.
    Raises FlowerError where there is neither."""
    for run in run_folders(models):
        if run.newest():
            return run.path
    if bare := bare_weights(models):
        return Path(bare)
    raise FlowerError(
        f"There is no run to resume in {models}.", hint="Start one from scratch or by transfer."
    )


def run_folders(models: Path) -> list[RunFolder]:
    if not models.is_dir():
        return []
    folders = sorted(map(RunFolder, models.iterdir()), key=RunFolder.started_at, reverse=True)
    return [run for run in folders if run.exists()]
