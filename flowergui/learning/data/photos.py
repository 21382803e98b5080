"""The images of a dataset folder, as they were found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from flowergui.facts import Problem

Layout = Literal["flat", "split"]
"""One folder per class, or ready train and validation folders with one folder per class each."""


@dataclass(frozen=True, slots=True)
class Photo:
    """An image's path, relative to the dataset folder with forward slashes, and its class index."""

    path: str
    label: int


@dataclass(frozen=True, slots=True)
class Photos:
    """The images of a folder by its own split. Without validation folders all are in `train`.
    `notes` and `leftovers` are as in Scanned. `copies` are images of `train` with the content of an
    earlier one of their class, each with that one's path, as far as they were looked for."""

    folder: Path
    layout: Layout
    classes: tuple[str, ...]
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    leftovers: tuple[Problem, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)


def sorted_by_path(photos: Iterable[Photo]) -> tuple[Photo, ...]:
    """The images in the order of their paths."""
    return tuple(sorted(photos, key=lambda photo: photo.path))
