"""What dropped, pasted and typed paths are: files, datasets, or folders of loose images."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from flowergui.errors import FlowerError
from flowergui.events import PathsSorted, PhotosFound, Preparing
from flowergui.facts import Problem
from flowergui.learning.data.archives.archive_listing import list_archives
from flowergui.learning.data.class_folders import FolderLister, LeftOut, list_folder
from flowergui.store import archives
from flowergui.text import shortened, tr

PROGRESS_FILES: Final = 10_000
"""Progress is reported after so many files of an archive."""

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def sort_paths(paths: Sequence[str], *, to_predict: bool, typed: bool) -> PathsSorted:
    """Sorts paths by what they are. Whatever is no folder counts as a file: who reads it will say
    what is wrong with it.

    With `to_predict`, a folder that holds images and no other folder stands for these images.
    Paths that were `typed` count only if they exist.
    """
    files: list[str] = []
    folders: list[str] = []
    for named in paths:
        path = existing(named) or named
        if typed and not archives.exists(path):
            continue
        if archives.is_dataset(path):
            loose = _loose_images(path) if to_predict else []
            files += loose
            folders += [] if loose else [path]
        else:
            files.append(path)
    return PathsSorted(tuple(files), tuple(folders))


def find_photos(paths: Sequence[Path]) -> Iterator[Preparing | PhotosFound]:
    """Preparing ..., then PhotosFound: files are images, and folders stand for all images in them
    and below, in the order of their paths. None is opened. Raises FlowerError if there is none."""
    photos: list[str] = []
    problems: list[Problem] = []
    for path in paths:
        if not archives.is_dataset(path):
            photos.append(str(path))
            continue
        lister = FolderLister(str(path))
        left_out = LeftOut(lister)
        steps = list_archives(lister, PROGRESS_FILES)
        while True:
            try:
                yield Preparing(tr("Listing images"), len(photos) + next(steps), 0)
            except StopIteration as end:
                left_out.add_archives(end.value.closed, end.value.odd)
                break
        found: list[str] = []
        for place, listing in lister.walk(""):
            left_out.add(place, listing)
            found += (lister.path(lister.file(place, name)) for name in listing.images)
            lister.forget(place)
            yield Preparing(tr("Listing images"), len(photos) + len(found), 0)
        photos += sorted(found)
        problems += (replace(each, path=lister.path(each.path)) for each in left_out.problems())
    photos = list(dict.fromkeys(photos))
    if not photos:
        raise FlowerError(
            tr("There is no image in {folders}.", folders=shortened([str(each) for each in paths]))
        )
    yield PhotosFound(tuple(photos), tuple(problems))


def existing(path: str) -> str:
    """`path` if it exists, or the one that is shown like this: a name that is no UTF-8 is shown,
    and so typed and pasted, with U+FFFD. "" if there is none, or more than one."""
    if archives.exists(path):
        return path
    if _REPLACEMENT not in path:
        return ""
    found = Path(path).anchor
    for part in Path(path).parts[bool(found) :]:
        try:
            names = [part] if _REPLACEMENT not in part else os.listdir(found or ".")
        except OSError:
            return ""
        alike = [name for name in names if os.fsencode(name).decode("utf-8", "replace") == part]
        if len(alike) != 1:
            return ""
        found = os.path.join(found, alike[0])
    return found if os.path.exists(found) else ""


def _loose_images(folder: str) -> list[str]:
    """The images directly in a folder or an archive, by name; none if it has subfolders, or can't
    be read."""
    if not os.path.isdir(folder):
        return _loose_in_archive(folder)
    listing = list_folder(folder)
    if listing.folders or listing.error:
        return []
    return [os.path.join(folder, name) for name in sorted(listing.images)]


def _loose_in_archive(path: str) -> list[str]:
    lister = FolderLister(path)
    try:
        deque(list_archives(lister, PROGRESS_FILES), maxlen=0)
    except FlowerError:  # who opens it will say what is wrong
        return []
    listing = lister.listing("")
    return [] if listing.folders else [os.path.join(path, name) for name in listing.images]
