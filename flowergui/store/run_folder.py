"""A run on disk: its folder and the small files in it. The checkpoints are learning's."""

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from sys import intern
from typing import Final, Self

from filelock import FileLock, Timeout

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    RunListed,
)
from flowergui.facts import (
    RunFacts,
)
from flowergui.store import atomic_io
from flowergui.store.atomic_io import FS_ENCODING_ERRORS, TMP_SUFFIX, replace_with_retry, temp_path
from flowergui.store.history import History

_BEGAN: Final = re.compile(r"\d{4}-\d\d-\d\d_")

_PARTS: Final = ("train", "validation")

MAX_NOTE_LENGTH = 500
"""Most characters of a note."""


LOCK_TIMEOUT_S: Final = 0.5
"""How long a run that starts waits for its folder's lock: longer than `is_training` holds it."""

PROBE_TIMEOUT_S: Final = 0.05
"""How long `is_training` waits for a lock before it takes the holder for a run."""

LOCK_POLL_S: Final = 0.005


class RunFolder:
    """models/<date>_<time>_<model>_<mode>/ with recipe.json, classes.json, split.csv, history.csv
    and, beside them, last.pth, previous.pth and best.pth, and, once it was resumed, resumed.pth:
    what it went on from. Who writes a note on it finds that in note.txt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = path / "last.pth"
        self.previous = path / "previous.pth"
        self.best = path / "best.pth"
        self.resumed = path / "resumed.pth"
        self.history = History(path / "history.csv")
        self._recipe = path / "recipe.json"
        self._classes = path / "classes.json"
        self._split = path / "split.csv"
        self._note = path / "note.txt"
        self._lock = path / ".lock"

    @classmethod
    def create(cls, models: Path, recipe: Recipe) -> Self:
        """A new folder with the recipe in it. Raises FlowerError where it can't be written."""
        stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{recipe.model}_{recipe.mode}"
        try:
            models.mkdir(parents=True, exist_ok=True)
            for name in (stem, *(f"{stem}_{count}" for count in range(2, 100))):
                try:
                    (models / name).mkdir()
                except FileExistsError:
                    continue
                run = cls(models / name)
                run.write_recipe(recipe)
                return run
        except OSError as error:
            raise FlowerError(
                f"The run can't be kept in {models}: {error.strerror or error}.",
                hint="Choose another folder for models.",
            ) from error
        raise FlowerError(f"{models} has a hundred runs of this second already.")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps the folder for one run: two that wrote into it would spoil each other's files.
        What a run that was killed had half written goes. Raises FlowerError where another
        process holds it, or where it can't be written."""
        # Not thread-local: a window may close a run's generator from another thread.
        lock = FileLock(self._lock, thread_local=False)
        try:
            lock.acquire(timeout=LOCK_TIMEOUT_S, poll_interval=LOCK_POLL_S)
        except Timeout:
            raise FlowerError(
                f"The run {self.path.name} is going on already, in another window or terminal.",
                hint="Stop it there first.",
            ) from None
        except OSError as error:
            raise FlowerError(
                f"Nothing can be written into {self.path}: {error.strerror or error}."
            ) from error
        try:
            for left in self.path.glob(f".*{TMP_SUFFIX}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return self._recipe.is_file()

    def checkpoint_to_use(self) -> Path:
        """The checkpoint that predicts: the best one, else the last. Raises FlowerError where
        there is none."""
        for path in (self.best, self.last, self.previous):
            if path.is_file():
                return path
        raise FlowerError(f"{self.path.name} has no checkpoint yet.", hint="Train an epoch first.")

    def recipe(self) -> Recipe:
        """The recipe in it. Raises FlowerError where there is none, or none that can be read."""
        try:
            return Recipe.from_dict(json.loads(self._recipe.read_text("utf-8")))
        except FileNotFoundError:
            raise FlowerError(f"{self.path} holds no run (recipe.json is missing).") from None
        except (OSError, ValueError, TypeError) as error:
            raise FlowerError(f"The recipe in {self.path} can't be read: {error}.") from error

    def keep(self, checkpoint: Path, name: Path) -> None:
        """Keeps a checkpoint of this folder as best.pth or resumed.pth, whatever later saves
        replace. Takes no time or room of its own where the file system has hard links. Raises
        OSError."""
        half = temp_path(name)
        try:
            try:
                os.link(checkpoint, half)
            except OSError:  # FAT has no links
                shutil.copyfile(checkpoint, half)
            replace_with_retry(half, name)
        finally:
            half.unlink(missing_ok=True)  # also where both were links to one file already

    def write_recipe(self, recipe: Recipe) -> None:
        """Raises FlowerError where it can't be written."""
        atomic_io.write(self._recipe, json.dumps(recipe.as_dict(), indent=2) + "\n")

    def note(self) -> str:
        """What somebody has noted on it, as one line; "" for nothing."""
        try:
            text = self._note.read_text("utf-8-sig", "replace")
        except OSError:
            return ""
        return " ".join(text.split())[:MAX_NOTE_LENGTH]

    def write_note(self, text: str) -> None:
        """Notes `text` on it, as one line; "" takes the note away. Raises FlowerError where that
        can't be done, and where there is no run."""
        if not self.exists():
            raise FlowerError(f"There is no run in {self.path}.")
        if line := " ".join(text.split())[:MAX_NOTE_LENGTH]:
            atomic_io.write(self._note, line + "\n")
            return
        try:
            self._note.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise FlowerError(f"{self._note} can't be removed: {reason}.") from error

    def write_split(
        self, classes: Sequence[str], rows: Iterable[tuple[str, str, str]], photos: Path
    ) -> None:
        """The names of the classes in the order of the logits, as a list in JSON; and rows of path
        (relative to the folder of `photos`), class, and train or validation; the size of each file
        is put beside. Raises FlowerError where they can't be written."""
        names = json.dumps(classes, indent=0, ensure_ascii=False)
        atomic_io.write(self._classes, f"{names}\n")
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["path", "class", "split", "bytes"])
        writer.writerows((*row, file_size(f"{photos}/{row[0]}")) for row in rows)
        atomic_io.write(self._split, text.getvalue())

    def split(self) -> list[tuple[str, str, str]]:
        """Path, class, and train or validation, of every row of split.csv; none where it is
        missing."""
        return [(path, name, part) for path, name, part, _ in self.split_and_sizes()]

    def split_and_sizes(self) -> Iterator[tuple[str, str, str, int | None]]:
        """The same, and how many bytes a photo had when the run began, where that is known; one by
        one: there may be a million. Raises FlowerError for a list that is spoilt."""
        if not self._split.is_file():
            return
        # utf-8-sig: a spreadsheet may have put its mark in front.
        with self._split.open(encoding="utf-8-sig", errors=FS_ENCODING_ERRORS, newline="") as file:
            rows = csv.reader(file)
            place = {name: number for number, name in enumerate(next(rows, ()))}
            sized = "bytes" in place  # older versions didn't put it there
            wanted = ("path", "class", "split", "bytes" if sized else "path")
            try:
                columns = itemgetter(*(place[name] for name in wanted))
                for row in filter(None, rows):
                    path, name, part, size = columns(row)
                    if not path or not name or part not in _PARTS:
                        raise ValueError(part)
                    known = sized and size.isdecimal()
                    yield path, intern(name), intern(part), int(size) if known else None
            except (LookupError, ValueError) as error:
                raise FlowerError(f"The list of photos in {self._split} can't be read.") from error

    def classes(self) -> tuple[str, ...]:
        """The names of the run's classes in the order of the logits. Empty if the folder holds no
        run, or if classes.json is missing or damaged; older versions wrote none."""
        if not self.exists():
            return ()
        try:
            names = json.loads(self._classes.read_text("utf-8", FS_ENCODING_ERRORS))
        except (OSError, ValueError):
            return ()
        good = isinstance(names, list) and all(isinstance(name, str) for name in names)
        return tuple(names) if good else ()

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
        except (OSError, FlowerError):
            return tuple(trained)
        return names[: len(trained)] if own == {*names} else tuple(trained)

    def class_count(self) -> int:
        """How many classes it has, without going through its photos where it wrote that down."""
        return len(self.classes()) or len({name for _, name, _, _ in self.split_and_sizes()})

    def size(self) -> int:
        """The bytes that its files take. Two names of one file count once."""
        files: dict[tuple[int, int], int] = {}
        for path in self.path.iterdir():
            with suppress(OSError):  # a run that goes on replaces its files
                facts = path.stat()
                files[facts.st_dev, facts.st_ino] = facts.st_size
        return sum(files.values())

    def is_training(self) -> bool:
        """Whether a process trains it now, as far as can be found out. Changes nothing in it.

        It takes the lock for microseconds, for there is no portable way to ask about it. Nobody
        notices: a run that starts at that moment waits for it, and so does another question.
        """
        if not self._lock.is_file():
            return False
        lock = FileLock(self._lock, thread_local=False)
        try:
            lock.acquire(timeout=PROBE_TIMEOUT_S, poll_interval=LOCK_POLL_S)
        except Timeout:
            return True
        except OSError:
            return False
        lock.release()
        return False

    def facts(self) -> RunFacts:
        """What a list of runs shows. Raises FlowerError as `recipe` does."""
        done, newest = self.history.newest()
        epochs = done.epoch if done else 0
        under_way = isinstance(newest, BatchDone) and newest.epoch > epochs
        last = self.newest()
        return RunFacts(
            path=str(self.path),
            recipe=self.recipe(),
            class_count=self.class_count(),
            epochs_done=epochs,
            best_accuracy=done.best_accuracy if done else 0.0,
            last=str(last) if last else "",
            best=str(self.best) if self.best.is_file() else "",
            batch=newest.batch if isinstance(newest, BatchDone) and under_way else 0,
            note=self.note(),
        )

    def listed(self) -> RunListed:
        """What it has come to. Raises FlowerError as `recipe` does, and where a file in it can't
        be read."""
        try:
            facts, epochs = self.facts(), tuple(self.history.epochs())
            size = self.size()
        except OSError as error:
            reason = error.strerror or error
            raise FlowerError(f"The run in {self.path} can't be read: {reason}.") from error
        # The search for the best begins anew where photos have come or gone: the run knows.
        number = epochs[-1].best_epoch if epochs else 0
        best = next((each for each in epochs if each.epoch == number), None)
        if best is not None and best.val_accuracy is None:
            best = None
        seconds = sum(each.seconds for each in epochs)
        return RunListed(facts, epochs, best, seconds, size, self.started_at())

    def started_at(self) -> str:
        """When, as its name tells it; where somebody named it otherwise, when it last did
        something. Sorts by time."""
        if _BEGAN.match(self.path.name):
            return self.path.name
        time = 0.0
        with suppress(OSError):
            time = self.path.stat().st_mtime
            time = self.history.path.stat().st_mtime
        return f"{datetime.fromtimestamp(time):%Y-%m-%d_%H-%M-%S}"

    def newest(self) -> Path | None:
        """Its newest checkpoint."""
        # A crash between the two renames of a save leaves previous.pth alone.
        return next((path for path in (self.last, self.previous) if path.is_file()), None)


def file_size(path: str) -> int | None:
    """In bytes; None where there is no file."""
    try:
        return os.stat(path).st_size  # a Path takes three times as long, for a million files
    except OSError:
        return None
