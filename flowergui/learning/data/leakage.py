"""Data leakage: which images a run was trained on, wherever they are now."""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.data.scan import list_photos
from flowergui.store import archives
from flowergui.store.archives import FileSizes, file_size
from flowergui.store.photo_files import without_number
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

PROGRESS_IMAGES = 1_000
"""Progress is reported after so many compared images."""

Row = tuple[str, str]
"""An image's path, relative to its folder, and its class."""

Key = tuple[str, int | None]
"""The name and the size of a file: what an image keeps when it is moved."""


@dataclass(frozen=True, slots=True)
class HoldoutSplit:
    """Images that a run was not trained on, and the number of others, which it was trained on."""

    unseen: list[Row]
    trained_on: int


def validation_photos(run: RunFolder, folder: Path) -> Generator[Preparing, None, HoldoutSplit]:
    """The run's validation images, in `folder`, the folder that it was trained on.

    An image that was moved into another class folder has that class now: its label was corrected.
    Raises FlowerError if split.csv is damaged or the folder is gone.
    """
    rows: list[tuple[str, str, int | None]] = []
    trained_on = 0
    for path, name, part, size in run.split_and_sizes():
        if part == "validation":
            rows.append((path, name, size))
        else:
            trained_on += 1
    if rows and not archives.is_dataset(folder):
        raise FlowerError(
            tr("The images of this run are no longer in {folder}.", folder=folder),
            hint=tr("Name the folder where they are now."),
        )
    sizes = FileSizes(folder)
    gone = {path for path, _, _ in rows if sizes.of(path) is None}
    found: dict[Key, list[Row]] = {}
    if gone:
        own = {(path, size) for path, _, _, size in run.split_and_sizes()}
        for path, name, _ in (yield from list_photos(folder)):
            size = file_size(f"{folder}/{path}")
            if (path, size) not in own:  # else it is another image of the run
                for key in _keys_before(path, size):
                    found.setdefault(key, []).append((path, name))
    new = []
    for path, name, size in rows:
        elsewhere = found.get(_key(path, size), []) if path in gone else []
        new.append(elsewhere[0] if len(elsewhere) == 1 else (path, name))
    return HoldoutSplit(new, trained_on)


def unseen_photos(
    run: RunFolder, folder: Path, rows: Sequence[Row]
) -> Generator[Preparing, None, HoldoutSplit]:
    """The images of `rows` (in `folder`) that a run was not trained on.

    Copies of its training images count as these: files of the same name, or with a number after it,
    as a file has that was moved, of the same size and, if the original still exists, content.
    Raises FlowerError if split.csv is damaged.
    """
    home, here = (os.path.realpath(place) for place in (run.recipe().photos, folder))
    names = {name for path, _ in rows for name, _ in _keys_before(path, None)}
    same: set[str] = set()
    alike: dict[Key, list[str]] = {}
    for path, _, part, size in run.split_and_sizes():
        if part == "train" and os.path.basename(path) in names:
            place = f"{home}/{path}"
            same.add(place)
            alike.setdefault(_key(path, file_size(place) if size is None else size), []).append(
                place
            )

    def was_trained_on(path: str) -> bool:
        place = f"{here}/{path}"
        if place in same:
            return True
        size = file_size(place)
        return size is not None and any(
            _copied(place, first)
            for key in _keys_before(path, size)
            for first in alike.get(key, ())
        )

    new = []
    for done, row in enumerate(rows, start=1):
        if not was_trained_on(row[0]):
            new.append(row)
        if done % PROGRESS_IMAGES == 0:
            yield Preparing(tr("Comparing images"), done, len(rows))
    return HoldoutSplit(new, len(rows) - len(new))


def _key(path: str, size: int | None) -> Key:
    return os.path.basename(path), size


def _keys_before(path: str, size: int | None) -> set[Key]:
    """The keys that an image may have had before it was moved here."""
    name = os.path.basename(path)
    return {(name, size), (without_number(name), size)}


def _copied(place: str, first: str) -> bool:
    """Whether both files have the same content. If the first is gone, it counts as moved."""
    try:
        return archives.same_content(place, first)
    except OSError:
        return True
