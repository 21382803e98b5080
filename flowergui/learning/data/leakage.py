"""Which photos a run has learned from, wherever they are now."""

import filecmp
import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.data.scan import list_photos
from flowergui.store.run_folder import RunFolder, file_size

TOLD_EACH = 1_000
"""After so many photos that were compared it is told how far it is."""

Row = tuple[str, str]
"""The path of a photo, relative to its folder, and its class."""


@dataclass(frozen=True, slots=True)
class HoldoutSplit:
    """Photos that a run has not learned from, and how many others it has `learned` from."""

    unseen: list[Row]
    trained_on: int


def validation_photos(run: RunFolder, folder: Path) -> Generator[Preparing, None, HoldoutSplit]:
    """The photos in `folder`, its own, that a run holds back. One that is in the folder of another
    class by now, as somebody mended its label, is of that class. Raises FlowerError where the list
    of its photos is spoilt, or the folder is gone."""
    rows: list[tuple[str, str, int | None]] = []
    learned = 0
    for path, name, part, size in run.split_and_sizes():
        if part == "validation":
            rows.append((path, name, size))
        else:
            learned += 1
    if rows and not folder.is_dir():
        raise FlowerError(
            f"The photos of this run are not in {folder} any more.",
            hint="Name the folder where they are now.",
        )
    gone = {path for path, _, _ in rows if file_size(f"{folder}/{path}") is None}
    found: dict[tuple[str, int | None], list[Row]] = {}
    if gone:
        for path, name, _ in (yield from list_photos(folder)):
            found.setdefault(_key(path, file_size(f"{folder}/{path}")), []).append((path, name))
    new = []
    for path, name, size in rows:
        elsewhere = found.get(_key(path, size), []) if path in gone else []
        new.append(elsewhere[0] if len(elsewhere) == 1 else (path, name))
    return HoldoutSplit(new, learned)


def unseen_photos(
    run: RunFolder, folder: Path, rows: Sequence[Row]
) -> Generator[Preparing, None, HoldoutSplit]:
    """Those photos in `folder` that a run has not learned from. It has from the files it named, in
    whatever folder they are asked for, and from copies: files of the same name, size and, where the
    first is still there, content. Raises FlowerError where the list of its photos is spoilt."""
    home, here = (os.path.realpath(place) for place in (run.recipe().photos, folder))
    names = {os.path.basename(path) for path, _ in rows}
    same: set[str] = set()
    alike: dict[tuple[str, int | None], list[str]] = {}
    for path, _, part, size in run.split_and_sizes():
        if part == "train" and os.path.basename(path) in names:
            place = f"{home}/{path}"
            same.add(place)
            alike.setdefault(_key(path, file_size(place) if size is None else size), []).append(
                place
            )

    def has_learned(path: str) -> bool:
        place = f"{here}/{path}"
        if place in same:
            return True
        size = file_size(place)
        return size is not None and any(
            _copied(place, first) for first in alike.get(_key(path, size), ())
        )

    new = []
    for done, row in enumerate(rows, start=1):
        if not has_learned(row[0]):
            new.append(row)
        if done % TOLD_EACH == 0:
            yield Preparing("Comparing photos", done, len(rows))
    return HoldoutSplit(new, len(rows) - len(new))


def _key(path: str, size: int | None) -> tuple[str, int | None]:
    return os.path.basename(path), size


def _copied(place: str, first: str) -> bool:
    """Whether one is a copy of the other, which they seem to be; where the first has gone, it is
    taken to have moved."""
    try:
        return filecmp.cmp(place, first, shallow=False)
    except OSError:
        return True
