"""The folder of a run and the small files in it. Checkpoints are read and written in learning/."""

import glob
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from filelock import FileLock, Timeout

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.facts import Job
from flowergui.store import atomic_io, recipe_file, split_file
from flowergui.store.archives import FileSizes
from flowergui.store.atomic_io import (
    FS_ENCODING_ERRORS,
    TMP_SUFFIX,
    replace_with_retry,
    sync_folder,
    temp_path,
)
from flowergui.store.change_log import ChangeLog
from flowergui.store.history import History
from flowergui.store.reading import open_text, read_json
from flowergui.store.schema import unique_names
from flowergui.store.split_file import SplitRow
from flowergui.store.watching.request_file import RequestFile
from flowergui.store.watching.training_marker import TrainingMarker
from flowergui.text import tr

MAX_NOTE_LENGTH = 500
"""A longer note is cut."""


LOCK_TIMEOUT_S: Final = 0.5
"""How long a run that starts waits for its folder's lock: longer than `is_training` holds it."""

PROBE_TIMEOUT_S: Final = 0.05
"""How long `is_training` waits for a lock before it takes the holder for a run."""

LOCK_POLL_S: Final = 0.005


JOB_SCRIPT: Final = "job.sbatch"
"""What tells the folder of a job for a cluster, which has a recipe too, from that of a run."""


class RunFolder:
    """The folder models/<date>_<time>_<model>_<mode>/ of a run.

    It holds recipe.json, classes.json, split.csv and history.csv, the checkpoints last.pth,
    previous.pth and best.pth, changes.jsonl (if settings were changed while it trained),
    resumed.pth (the checkpoint that the run was resumed from, if it was), and note.txt (if the user
    wrote a note). While it trains, it also holds training.json, and request.json if another process
    has asked it to save or to stop.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = path / "last.pth"
        self.previous = path / "previous.pth"
        self.best = path / "best.pth"
        self.resumed = path / "resumed.pth"
        self.history = History(path / "history.csv")
        self.changes = ChangeLog(path / "changes.jsonl")
        self.marker = TrainingMarker(path / "training.json")
        self.request = RequestFile(path / "request.json")
        self._recipe = path / "recipe.json"
        self._classes = path / "classes.json"
        self._split = path / "split.csv"
        self._note = path / "note.txt"
        self._lock = path / ".lock"

    @classmethod
    def create(cls, models: Path, recipe: Recipe, job: Job | None = None) -> Self:
        """Creates a new folder that holds the recipe; that of a `job` has its name, and may exist
        already, or ends with its id. Raises FlowerError if it can't be written."""
        stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{recipe.model}_{recipe.mode}"
        name = job.name if job else ""
        if job and job.id:
            stem += f"_{job.id}"
        try:
            models.mkdir(parents=True, exist_ok=True)
            names = (stem, *(f"{stem}_{count}" for count in range(2, 100)))
            for each in (name,) if name else names:
                try:
                    (models / each).mkdir(exist_ok=bool(name))
                except FileExistsError:
                    continue
                run = cls(models / each)
                run.write_recipe(recipe)
                return run
        except OSError as error:
            raise FlowerError(
                tr(
                    "A run can't be saved in {folder}: {reason}.",
                    folder=models,
                    reason=error.strerror or error,
                ),
                hint=tr("Choose another folder for runs and weights."),
            ) from error
        raise FlowerError(
            tr("{folder} already has a hundred runs that began in this second.", folder=models)
        )

    @classmethod
    def of_job(cls, models: Path, job: Job) -> Self | None:
        """The run of a job that has been started before, if it has a checkpoint."""
        folders = sorted(models.glob(glob.escape(job.name) or f"*_{glob.escape(job.id)}"))
        runs = map(cls, reversed(folders))
        return next((run for run in runs if run.newest() is not None), None)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the folder for a run, so that no other run writes to it, and says in it which
        process trains. Removes what a run that was killed left: temporary files, and a request that
        was meant for it. Raises FlowerError if another process holds the lock, or if the folder
        can't be written to."""
        # Not thread-local: the window may close a run's generator from another thread.
        lock = FileLock(self._lock, thread_local=False)
        try:
            lock.acquire(timeout=LOCK_TIMEOUT_S, poll_interval=LOCK_POLL_S)
        except Timeout:
            raise FlowerError(
                tr(
                    "The run {run} is already training in another window or terminal.",
                    run=self.path.name,
                ),
                hint=tr("Stop it there first."),
            ) from None
        except OSError as error:
            raise FlowerError(
                tr(
                    "The folder {folder} can't be written to: {reason}.",
                    folder=self.path,
                    reason=error.strerror or error,
                )
            ) from error
        try:
            for left in self.path.glob(f".*{TMP_SUFFIX}"):
                left.unlink(missing_ok=True)
            self.request.remove()
            self.marker.write()
            yield
        finally:
            self.request.remove()
            self.marker.remove()
            lock.release()

    def exists(self) -> bool:
        """Whether the folder holds a run."""
        # False too where the folder is closed to the user.
        return os.path.isfile(self._recipe) and not os.path.isfile(self.path / JOB_SCRIPT)

    def checkpoint_to_use(self) -> Path:
        """The checkpoint that predicts: the best one, else the last. Raises FlowerError if there is
        none."""
        for path in (self.best, self.last, self.previous):
            if os.path.isfile(path):
                return path
        raise FlowerError(
            tr("The run {run} has no checkpoint yet.", run=self.path.name),
            hint=tr("Train an epoch first."),
        )

    def recipe(self) -> Recipe:
        """Reads the recipe. Raises FlowerError if there is none, or if it can't be read."""
        try:
            return recipe_file.read(self._recipe)
        except FileNotFoundError:
            raise FlowerError(
                tr("{folder} holds no run (recipe.json is missing).", folder=self.path)
            ) from None

    def keep(self, checkpoint: Path, name: Path) -> None:
        """Keeps a checkpoint of this folder under another name (best.pth or resumed.pth), whatever
        later saves replace. It is a hard link if the file system has them, else a copy. Raises
        OSError."""
        half = temp_path(name)
        try:
            try:
                os.link(checkpoint, half)
            except OSError:  # FAT has no links
                shutil.copyfile(checkpoint, half)
            replace_with_retry(half, name)
            sync_folder(self.path)
        finally:
            half.unlink(missing_ok=True)  # also where both were links to one file already

    def forget_training(self) -> None:
        """Removes the checkpoints and what the history says: the run begins again. Raises
        FlowerError if a file can't be written."""
        for path in (self.last, self.previous, self.best):
            with suppress(OSError):
                path.unlink()
        self.history.cut_back(0, 1)
        self.changes.cut_back(-1)

    def write_recipe(self, recipe: Recipe) -> None:
        """Writes recipe.json. Raises FlowerError if it can't be written."""
        recipe_file.write(self._recipe, recipe)

    def note(self) -> str:
        """The user's note, as one line; "" if there is none."""
        try:
            with open_text(self._note, errors="replace") as file:
                text = file.read(8 * MAX_NOTE_LENGTH)
        except OSError:
            return ""
        return " ".join(text.replace("\0", " ").split())[:MAX_NOTE_LENGTH]

    def write_note(self, text: str) -> None:
        """Writes the user's note, as one line; "" removes it. Raises FlowerError if that is not
        possible, or if the folder holds no run."""
        if not self.exists():
            raise FlowerError(tr("There is no run in {folder}.", folder=self.path))
        if line := " ".join(text.split())[:MAX_NOTE_LENGTH]:
            atomic_io.write(self._note, line + "\n")
            return
        try:
            self._note.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise FlowerError(
                tr("{path} can't be removed: {reason}.", path=self._note, reason=reason)
            ) from error

    def write_split(
        self, classes: Sequence[str], rows: Iterable[tuple[str, str, str]], photos: Path
    ) -> None:
        """Writes classes.json and split.csv.

        `classes` are the names of the classes in the order of the logits. `rows` are (path relative
        to the folder `photos`, class, "train" or "validation"); the size of each file is added.
        Raises FlowerError if they can't be written.
        """
        names = json.dumps(classes, indent=0, ensure_ascii=False)
        atomic_io.write(self._classes, f"{names}\n")
        sizes = FileSizes(photos)
        self.rewrite_split((*row, sizes.of(row[0])) for row in rows)

    def rewrite_split(self, rows: Iterable[SplitRow]) -> None:
        """Writes split.csv alone. Raises FlowerError if it can't be written."""
        split_file.write(self._split, rows)

    def split(self) -> list[tuple[str, str, str]]:
        """The rows of split.csv: (path, class, "train" or "validation"); none if it is missing.
        Raises FlowerError if it is damaged."""
        return [(path, name, part) for path, name, part, _ in self.split_and_sizes()]

    def split_and_sizes(self) -> Iterator[SplitRow]:
        """Reads the rows of split.csv one by one, as there may be a million. Raises FlowerError if
        it is damaged."""
        hint = tr("Put back a copy of it, or start a transfer from the run's best.pth.")
        with suppress(FileNotFoundError):
            yield from split_file.rows(self._split, hint)

    def classes(self) -> tuple[str, ...]:
        """The names of the run's classes in the order of the logits. Empty if the folder holds no
        run, or if classes.json is missing or damaged; older versions wrote none."""
        if not self.exists():
            return ()
        try:
            names = read_json(self._classes, FS_ENCODING_ERRORS)
        except (FileNotFoundError, FlowerError):
            return ()
        return tuple(names) if isinstance(names, list) and unique_names(names) else ()

    def current_classes(self, trained: Sequence[str]) -> tuple[str, ...]:
        """The present names of the classes that a checkpoint of this run was `trained` with.

        A class may have been renamed since, and new ones stand behind the old ones. The names in
        classes.json count only if they are those of the run's own images, in split.csv; else
        `trained` is returned as it is.
        """
        names = self.classes()
        if names[: len(trained)] == tuple(trained) or len(names) < len(trained):
            return tuple(trained)
        try:
            own = {name for _, name, _, _ in self.split_and_sizes()}
        except FlowerError:
            return tuple(trained)
        return names[: len(trained)] if own == {*names} else tuple(trained)

    def is_training(self) -> bool:
        """Whether a process is training this run now. Changes nothing in the folder.

        It takes the lock for microseconds, as there is no portable way to query it. Nobody
        notices: a run that starts at that moment waits for it, and so does another question.
        Who may not write to the folder can't take it: then the process that it names says it.
        """
        if not os.path.isfile(self._lock):
            return False
        lock = FileLock(self._lock, thread_local=False)
        try:
            lock.acquire(timeout=PROBE_TIMEOUT_S, poll_interval=LOCK_POLL_S)
        except Timeout:
            return True
        except OSError:
            process = self.marker.read()
            return process is not None and process.is_alive_here()
        lock.release()
        return False

    def newest(self) -> Path | None:
        """The path of the newest checkpoint; None if there is none."""
        # A crash between the two renames of a save leaves previous.pth alone.
        return next((path for path in (self.last, self.previous) if os.path.isfile(path)), None)
