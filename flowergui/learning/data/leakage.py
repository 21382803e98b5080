"""Data leakage: which images a run was trained on, wherever they are now."""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.data.duplicates import KnownImages
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

    Copies of its training images count as these, whatever their names are. Where the original is
    gone or can't be read, a file of its size and name counts as moved, or with a number after it,
    as a file has that was moved. Raises FlowerError if split.csv is damaged.
    """
    home, here = (os.path.realpath(place) for place in (run.recipe().photos, folder))
    at = {f"{here}/{row[0]}": row for row in rows}
    same = {place for place, _ in _training_images(run, home) if place in at}
    sizes = FileSizes(here)
    others = {place: sizes.of(row[0]) or 0 for place, row in at.items() if place not in same}
    copies = yield from _copies(run, home, others)
    new = [at[place] for place in others if place not in copies]
    return HoldoutSplit(new, len(rows) - len(new))


def _training_images(run: RunFolder, home: str) -> Iterator[tuple[str, int | None]]:
    """Path and size (bytes; None if split.csv has none) of each image that trained, in the folder
    `home`. Raises FlowerError if split.csv is damaged."""
    for path, _, part, size in run.split_and_sizes():
        if part == "train":
            yield f"{home}/{path}", size


def _copies(
    run: RunFolder, home: str, images: Mapping[str, int]
) -> Generator[Preparing, None, set[str]]:
    """Those of `images` (path -> size in bytes) that are copies of images which trained in the
    folder `home`. Only files are read that have the size of another."""
    originals = _originals(run, home, {*images.values()} - {0})
    sizes = {size for _, size in originals}
    copies, known, gone = set[str](), KnownImages(), set[Key]()
    total = len(originals) + len(images)
    for done, (place, size) in enumerate(originals, start=1):
        try:
            known.add(place, size)
        except OSError:
            gone.add(_key(place, size))
        if done % PROGRESS_IMAGES == 0:
            yield Preparing(tr("Comparing images"), done, total)
    for done, (place, size) in enumerate(images.items(), start=len(originals) + 1):
        if size in sizes and (known.has(place, size) or _keys_before(place, size) & gone):
            copies.add(place)
        if done % PROGRESS_IMAGES == 0:
            yield Preparing(tr("Comparing images"), done, total)
    return copies


def _originals(run: RunFolder, home: str, sizes: set[int]) -> list[tuple[str, int]]:
    """The images that trained in the folder `home` and have one of these `sizes` (bytes)."""
    found: list[tuple[str, int]] = []
    for place, size in _training_images(run, home) if sizes else ():
        known = file_size(place) if size is None else size
        if known is not None and known in sizes:
            found.append((place, known))
    return found


def _key(path: str, size: int | None) -> Key:
    return os.path.basename(path), size


def _keys_before(path: str, size: int | None) -> set[Key]:
    """The keys that an image may have had before it was moved here."""
    name = os.path.basename(path)
    return {(name, size), (without_number(name), size)}
