"""Draws the sample flowers: a small dataset for people who have no images yet."""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import SampleDrawn, SampleProgress
from flowergui.samples.scene import picture
from flowergui.samples.species import SPECIES
from flowergui.text import tr

CLASSES: tuple[str, ...] = tuple(sorted(SPECIES))
"""The classes: a folder for each species."""

_MARK = b"Drawn by flowergui"
"""The JPEG comment, among the first bytes, by which our files are recognized."""
_HEAD_BYTES = 256


def draw(
    folder: Path, *, seed: int = 0, photos_per_class: int = 80
) -> Iterator[SampleProgress | SampleDrawn]:
    """Draws `photos_per_class` images of each species to folder/<species>/<species>_001.jpg and so
    on. Yields SampleProgress after each round of the species, then SampleDrawn.

    An image is a function of `seed` (0 or more), its species and its number, so a larger dataset
    begins with the smaller one. Images that were drawn here before are replaced atomically; nothing
    is deleted. Raises FlowerError if the folder can't be written, or holds other files.
    """
    if seed < 0:
        raise FlowerError(tr("The seed of the sample flowers must not be negative."))
    if photos_per_class < 1:
        raise FlowerError(tr("There must be at least one image of each species."))
    try:
        if (foreign := _foreign(folder)) is not None:
            raise FlowerError(
                tr(
                    "{folder} holds other files than sample flowers, for example {name}.",
                    folder=folder,
                    name=foreign.name,
                ),
                hint=tr("Choose an empty or a new folder."),
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
            tr(
                "The sample flowers can't be written to {folder}: {reason}.",
                folder=folder,
                reason=error.strerror or error,
            ),
            hint=tr("Choose a folder that you may write to, on a disk with free space."),
        ) from error
    yield SampleDrawn(str(folder))


def _foreign(folder: Path) -> Path | None:
    """A file in `folder` that was not drawn here, or None. Hidden files and Windows' own files
    don't count."""
    for entry in _visible(folder):
        if entry.name not in SPECIES or not os.path.isdir(entry):
            return entry
        ours = re.compile(rf"{entry.name}_\d{{3,}}\.jpg")
        for file in _visible(entry):
            if not (ours.fullmatch(file.name) and os.path.isfile(file) and _drawn_by_us(file)):
                return file
    return None


def _visible(folder: Path) -> list[Path]:
    if not os.path.exists(folder):
        return []
    entries = sorted(folder.iterdir())
    return [e for e in entries if e.name[0] != "." and e.name not in ("Thumbs.db", "desktop.ini")]


def _drawn_by_us(file: Path) -> bool:
    with file.open("rb") as stream:
        return _MARK in stream.read(_HEAD_BYTES)


def _write(path: Path, species: str, seed: int, index: int) -> None:
    """Draws one image and moves it into place, so that an interruption leaves no partial file."""
    buffer = io.BytesIO()
    picture(species, seed, index).save(buffer, "JPEG", quality=90, comment=_MARK)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(buffer.getvalue())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
