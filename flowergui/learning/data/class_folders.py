"""Class folders and image files on disk: what is taken for an image, and what is ignored."""

import os
from collections.abc import Iterator
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.learning.data import image_io
from flowergui.text import tr

TRAINING_FOLDERS = ("train", "training")
VALIDATION_FOLDERS = ("val", "valid", "validation", "test", "testing")
"""Names of the folders of a ready split, the first one that exists counts."""

_IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


def parts_of(folder: Path) -> dict[str, Path]:
    """ "train", and "validation" if there is one -> the folder that holds its class folders.

    Raises FlowerError if `folder` is not a folder.
    """
    if not os.path.isdir(folder):
        raise FlowerError(
            tr("{folder} is not a folder.", folder=folder)
            if os.path.exists(folder)
            else tr("There is no folder {folder}.", folder=folder),
            hint=tr("Choose a folder with one subfolder of images for each class."),
        )
    children = {child.name.lower(): child for child in subfolders(folder)}
    for train in TRAINING_FOLDERS:
        if train not in children or not subfolders(children[train]):
            continue
        parts = {"train": children[train]}
        for name in VALIDATION_FOLDERS:
            if name in children and any(
                any(image_files(each, "")) for each in subfolders(children[name])
            ):
                parts["validation"] = children[name]
                break
        return parts
    return {"train": folder}


def relative(path: Path, folder: Path) -> str:
    """`path` from `folder` on, with forward slashes."""
    return path.relative_to(folder).as_posix()


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED


def subfolders(folder: Path) -> list[Path]:
    """Visible subfolders by name; none if the folder can't be read."""
    try:
        children = [child for child in folder.iterdir() if not _hidden(child.name)]
        return sorted(child for child in children if os.path.isdir(child))
    except OSError:
        return []


def image_files(folder: Path, place: str) -> Iterator[str]:
    """Image files in `folder` and below it, as paths that begin with `place`.

    Each real folder is visited once: links may form circles.
    """
    # A link to a folder above would bring in the images of other classes.
    seen = {os.path.realpath(above) for above in folder.absolute().parents}
    waiting = [(str(folder), f"{place}/" if place else "")]
    while waiting:
        here, prefix = waiting.pop()
        real = os.path.realpath(here)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = list(os.scandir(here))
        except OSError:
            continue
        for entry in entries:
            name = entry.name
            if _hidden(name):
                continue
            if _is_folder(entry):
                waiting.append((entry.path, f"{prefix}{name}/"))
            elif os.path.splitext(name)[1].lower() in image_io.EXTENSIONS:
                yield prefix + name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
