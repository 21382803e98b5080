"""The sample flowers: a small data set of our own, drawn where a newcomer has no photos yet."""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import SampleDrawn, SampleProgress
from flowergui.samples.scene import picture
from flowergui.samples.species import SPECIES

CLASSES: tuple[str, ...] = tuple(sorted(SPECIES))
"""The species, each a folder of its own."""

_MARK = b"Drawn by flowergui"
"""The comment in each of our files (among its first bytes) by which it is known as ours."""
_HEAD = 256


def draw(
    folder: Path, *, seed: int = 0, photos_per_class: int = 80
) -> Iterator[SampleProgress | SampleDrawn]:
    """Draws `photos_per_class` pictures of each species to folder/<species>/<species>_001.jpg
    and so on: SampleProgress after each round of the species, then SampleDrawn.

    Each picture depends on `seed` (0 or more), its species and its number alone, so that a
    larger set begins with the smaller one. Pictures that were drawn here before are replaced,
    whole or not at all; nothing is deleted. Raises FlowerError where the folder can't be
    written to, or holds anything that we did not draw.
    """
    if seed < 0:
        raise FlowerError("The seed of the sample flowers must not be negative.")
    if photos_per_class < 1:
        raise FlowerError("There must be at least one picture of each species.")
    try:
        if (foreign := _foreign(folder)) is not None:
            raise FlowerError(
                f"{folder} holds other things than sample flowers: {foreign.name}, for one.",
                hint="Choose an empty folder, or a new one.",
            )
        for species in CLASSES:
            (folder / species).mkdir(parents=True, exist_ok=True)
        total = photos_per_class * len(CLASSES)
        for index in range(photos_per_class):
            for species in CLASSES:
                _write(folder / species / f"{species}_{index + 1:03d}.jpg", species, seed, index)
            yield SampleProgress(drawn=(index + 1) * len(CLASSES), total=total)
    except OSError as error:
        raise FlowerError(
            f"The sample flowers can't be written to {folder}: {error.strerror or error}.",
            hint="Choose a folder on a disk with free space that you may write to.",
        ) from error
    yield SampleDrawn(str(folder))


def _foreign(folder: Path) -> Path | None:
    """Something in `folder` that we did not put there, or None. Hidden files don't count, nor
    what Windows leaves in folders."""
    for entry in _visible(folder):
        if entry.name not in SPECIES or not entry.is_dir():
            return entry
        ours = re.compile(rf"{entry.name}_\d{{3,}}\.jpg")
        for file in _visible(entry):
            if not (ours.fullmatch(file.name) and file.is_file() and _drawn_by_us(file)):
                return file
    return None


def _visible(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    entries = sorted(folder.iterdir())
    return [e for e in entries if e.name[0] != "." and e.name not in ("Thumbs.db", "desktop.ini")]


def _drawn_by_us(file: Path) -> bool:
    with file.open("rb") as stream:
        return _MARK in stream.read(_HEAD)


def _write(path: Path, species: str, seed: int, index: int) -> None:
    """Draws one picture and puts it in place in one step, so that an interrupted draw leaves
    no half of a file."""
    buffer = io.BytesIO()
    picture(species, seed, index).save(buffer, "JPEG", quality=90, comment=_MARK)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(buffer.getvalue())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
