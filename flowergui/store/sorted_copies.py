"""Copies of images in a folder for each predicted class. A table lists them, the manifest, by which
they can be removed again."""

import csv
import errno
import os
import shutil
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from flowergui.errors import FlowerError
from flowergui.events import (
    CopiesRemoved,
    CopyFailed,
    PhotoCopied,
    Predicted,
    Preparing,
    SortedIntoFolders,
)
from flowergui.facts import UNSURE_BELOW, UNSURE_FOLDER, Problem
from flowergui.requests import LiveRequests
from flowergui.store import archives, atomic_io
from flowergui.store.folder_names import folder_names
from flowergui.store.photo_files import TakenNames, copy_into, free_names
from flowergui.store.reading import DAMAGED, open_text, reason_of
from flowergui.text import file_size, tr

MANIFEST: Final = "flowergui-copies.csv"

COLUMNS: Final = (
    *("copy", "path", "predicted", "probability", "second", "second_probability"),
    *("size", "modified_ns", "folders_made"),
)
"""Of the manifest. `copy` is relative to its folder; `size` and `modified_ns` are the copy's, by
which it is known again. `folders_made` counts the folders above that were made for this copy."""

_ALL_WILL_FAIL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

MAX_FOLDERS_MADE: Final = 64

PROGRESS_FILES: Final = 1_000
"""Progress is reported after the sizes of so many images."""


def sort_into_folders(
    predictions: Sequence[Predicted],
    destination: Path,
    *,
    unsure_below: float = UNSURE_BELOW,
    live: LiveRequests | None = None,
) -> Iterator[Preparing | PhotoCopied | CopyFailed | SortedIntoFolders]:
    """Copies each predicted image to `destination`/<predicted class>/, those whose probability is
    less than `unsure_below` to `destination`/unsure/. Nothing that is there is replaced: a name
    that is taken gets a number.

    Each copy appears whole, with the date of its image. `live.stop` is read before each, and while
    their sizes are added up, of which Preparing tells. Raises FlowerError if the folder can't be
    written, and if its disk lacks space.
    """
    live = live or LiveRequests()
    destination = Path(os.path.abspath(destination))
    check_destination(destination)
    needed = yield from _size_of_all([each.path for each in predictions], live)
    if not live.stop:
        _check_space(needed, destination)
    folders = folder_names((each.best.name for each in predictions), reserved=(UNSURE_FOLDER,))
    unsure = failed = 0
    broken: FlowerError | None = None
    with _Copies(destination) as copies:
        for event in predictions:
            if live.stop:
                break
            is_unsure = event.is_unsure(unsure_below)
            try:
                copy = copies.add(event, UNSURE_FOLDER if is_unsure else folders[event.best.name])
            except FlowerError as error:
                broken = error
                break
            except OSError as error:
                if error.errno in _ALL_WILL_FAIL:
                    broken = _not_written(destination, error)
                    broken.__cause__ = error
                    break
                failed += 1
                yield CopyFailed(event.path, reason_of(error))
                continue
            unsure += is_unsure
            yield PhotoCopied(event.path, str(copy), copies.count, len(predictions))
    if broken is not None and not copies.count:
        raise broken
    yield SortedIntoFolders(
        str(destination),
        str(copies.manifest or ""),
        copies.count,
        unsure,
        failed,
        stopped=copies.count + failed < len(predictions),
    )
    if broken is not None:  # what was copied before can be undone
        raise broken


def check_destination(folder: Path) -> None:
    """Raises FlowerError if there is something else than a folder at this path."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise FlowerError(
            tr("{path} is not a folder.", path=folder), hint=tr("Choose another name.")
        )


def _size_of_all(paths: Sequence[str], live: LiveRequests) -> Generator[Preparing, None, int]:
    """The sizes of these files, added up (bytes), or of some of them if it is stopped."""
    size = 0
    for done, path in enumerate(paths, start=1):
        if live.stop:
            break
        size += archives.file_size(path) or 0  # what is gone fails when it is its turn
        if done % PROGRESS_FILES == 0:
            yield Preparing(tr("Adding up the sizes of the images"), done, len(paths))
    return size


def _check_space(needed: int, destination: Path) -> None:
    """Raises FlowerError if the disk has less free space than is `needed` (bytes)."""
    above = next(filter(os.path.isdir, (destination, *destination.parents)), destination)
    try:
        free = shutil.disk_usage(above).free
    except OSError as error:  # a drive that is gone
        raise _not_written(destination, error) from error
    if needed > free:
        raise FlowerError(
            tr(
                "The copies need {needed}, but the disk of {folder} has only {free} of free space.",
                needed=file_size(needed),
                folder=destination,
                free=file_size(free),
            ),
            hint=tr("Choose a folder on another disk, or make room."),
        )


def _not_written(folder: Path, error: OSError) -> FlowerError:
    return FlowerError(
        tr("{folder} can't be written: {reason}.", folder=folder, reason=reason_of(error)),
        hint=tr("Make room there, or choose another folder."),
    )


class _Copies:
    """Copies files into folders in `top`, and lists them in a manifest that is made with the first
    of them. At the end, folders that were made in vain are removed."""

    def __init__(self, top: Path) -> None:
        self.count = 0
        self.manifest: Path | None = None
        self._top = top
        self._file: TextIO | None = None
        self._writer: Any = None
        self._taken: TakenNames = {}
        self._made: dict[Path, int] = {}  # folders without a copy yet: how many were made for it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            with suppress(OSError):  # all its rows were flushed
                self._file.close()
        for folder, levels in self._made.items():
            _remove_empty([folder, *folder.parents][:levels])

    def add(self, event: Predicted, folder_name: str) -> Path:
        """Copies an image, and gives the copy. Raises OSError if it can't be copied, and
        FlowerError if no more can be."""
        folder, source = self._top / folder_name, Path(event.path)
        self._make(folder)
        copy = copy_into(source, folder, self._taken)
        try:
            self._list(event, copy)
        except OSError as error:
            copy.unlink()
            raise _not_written(self._top, error) from error
        self._made.pop(folder, None)
        self.count += 1
        return copy

    def _make(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_written(folder, error) from error
        if missing:
            self._made[folder] = len(missing)

    def _list(self, event: Predicted, copy: Path) -> None:
        if self._file is None:
            self._file = self._open()
        facts = copy.stat()
        second = event.predictions[1] if len(event.predictions) > 1 else None
        self._writer.writerow(
            [
                copy.relative_to(self._top).as_posix(),
                event.path,
                event.best.name,
                f"{event.best.probability:.6f}",
                second.name if second else "",
                f"{second.probability:.6f}" if second else "",
                facts.st_size,
                facts.st_mtime_ns,
                self._made.get(copy.parent, 0),
            ]
        )
        self._file.flush()  # a copy whose row is lost could not be removed

    def _open(self) -> TextIO:
        """Makes the manifest, by a name that is not taken."""
        for path in free_names(self._top / MANIFEST):
            with suppress(FileExistsError):
                # utf-8-sig: Excel takes a file for UTF-8 only if it begins with this mark.
                file = path.open(
                    "x", encoding="utf-8-sig", errors=atomic_io.FS_ENCODING_ERRORS, newline=""
                )
                break
        self.manifest, self._writer = path, csv.writer(file)
        self._writer.writerow(COLUMNS)
        return file


# --- removing them again ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Copied:
    """A row of a manifest, as far as it is needed to remove the copy."""

    copy: str
    size: int
    modified_ns: int
    folders_made: int


def remove_copies(manifest: Path) -> Iterator[Preparing | CopiesRemoved]:
    """Removes the copies in a manifest that are as they were written, then the folders that were
    made for them, if they are empty, and the manifest, unless some copies stay. Raises FlowerError
    if the manifest can't be read."""
    copied = _read(manifest)
    kept: list[Problem] = []
    failed: list[Problem] = []
    removed = 0
    for number, each in enumerate(copied, start=1):
        path = manifest.parent / each.copy
        try:
            facts = path.lstat()
            same = (facts.st_size, facts.st_mtime_ns) == (each.size, each.modified_ns)
            if same and stat.S_ISREG(facts.st_mode):
                path.unlink()
                removed += 1
            else:
                kept.append(Problem(str(path), tr("it was changed since")))
        except FileNotFoundError:
            pass  # somebody else has removed it
        except OSError as error:
            failed.append(Problem(str(path), reason_of(error)))
        yield Preparing(tr("Removing the copies"), number, len(copied))
    if not (kept or failed):
        with suppress(OSError):
            manifest.unlink()
    folders: set[Path] = set()
    for each in copied:
        folders.update([*(manifest.parent / each.copy).parents][: each.folders_made])
    _remove_empty(sorted(folders, key=lambda folder: len(folder.parts), reverse=True))
    yield CopiesRemoved(str(manifest), removed, tuple(kept), tuple(failed))


def _read(manifest: Path) -> list[_Copied]:
    try:
        with open_text(manifest, errors=atomic_io.FS_ENCODING_ERRORS) as file:
            rows = csv.DictReader(file)
            if not {*COLUMNS} <= {*(rows.fieldnames or ())}:
                raise ValueError
            # One that lacks values was being written when the program ended; nothing follows it.
            return [_copied(row) for row in rows if None not in row.values()]
    except (OSError, *DAMAGED) as error:
        raise FlowerError(
            tr("{path} can't be read: {reason}.", path=manifest, reason=reason_of(error)),
            hint=tr("Remove the copies by hand."),
        ) from error


def _copied(row: dict[str, str]) -> _Copied:
    """Raises ValueError and TypeError for a row that no manifest has: it may name no file outside
    of its folder."""
    copy, made = row["copy"], int(row["folders_made"])
    parts = Path(copy).parts
    if len(parts) != 2 or os.path.isabs(copy) or ".." in parts or not 0 <= made <= MAX_FOLDERS_MADE:
        raise ValueError(copy)
    return _Copied(copy, int(row["size"]), int(row["modified_ns"]), made)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Removes those of the folders that are empty, in this order."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
