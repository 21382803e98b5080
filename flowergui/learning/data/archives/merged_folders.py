"""The folders in the archives of a dataset, laid over each other.

shard-0.tar/rose and shard-1.tar/rose are one folder, rose. Where files have labels beside them, as
in WebDataset (0001.jpg and 0001.cls), the folders are the labels instead.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from flowergui.errors import FlowerError
from flowergui.facts import Problem
from flowergui.image_suffixes import IMAGE_SUFFIXES
from flowergui.learning.data.class_folders import (
    FolderLister,
    Listing,
    is_leftover,
    join,
    suffix_of,
)
from flowergui.learning.data.layout import TRAINING_NAMES, part_named_in
from flowergui.store import archives
from flowergui.store.archive_formats.index import NO_LABEL, ArchiveIndex
from flowergui.store.reading import DAMAGED, open_text, read_json, reason_of
from flowergui.text import tr

CLASS_LISTS: Final = ("classes.txt", "classnames.txt", "classes.json")
"""Files beside archives with the names of the classes whose numbers are the labels."""

MAX_LIST_CHARACTERS: Final = 1 << 24

_NUMBERED: Final = re.compile(r"(?:^|[-_. ])\d+$")
"""How the names of shards end, which are parts of one set and no classes."""


class MergedFolders:
    """The `listings` of merged folders by their places; files in them are named by their paths from
    the dataset folder on. `problems` and `notes` are as in ArchivesListed."""

    def __init__(self, lister: FolderLister) -> None:
        self.listings: dict[str, Listing] = {"": Listing()}
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._lister = lister

    def add(self, indexes: Mapping[str, ArchiveIndex]) -> Iterator[str]:
        """Adds what is in these archives, after the path of each was yielded, and what lies beside
        them."""
        labelled = any(index.label_names for index in indexes.values())
        labels = _Labels(self._lister.top, indexes) if labelled else None
        prefixes = _split_parts(indexes)
        if labels is None and _are_classes(indexes):
            prefixes = {path: join(prefixes[path], PurePosixPath(path).stem) for path in indexes}
        for path, index in indexes.items():
            yield path
            if labels is None:
                self._add_by_folders(path, prefixes[path], index)
            else:
                self._add_by_labels(path, prefixes[path], index, labels)
        for listing in self.listings.values():
            listing.folders.sort()
        if labels is not None:
            self.problems += labels.problems
            self.notes += labels.notes
        self._add_beside(labels.source if labels else "")

    def _add_by_folders(self, path: str, prefix: str, index: ArchiveIndex) -> None:
        folder, listing = None, None
        for name in index.all_names():
            here, _, base = name.rpartition("/")
            if here != folder:  # names are sorted
                folder, listing = here, self._visible(path, prefix, here)
            if listing is not None:
                _add_file(listing, join(path, name), base)

    def _add_by_labels(
        self, path: str, prefix: str, index: ArchiveIndex, labels: "_Labels"
    ) -> None:
        places = [self.folder(join(prefix, name)) if (name := labels.class_of(text)) else None
                  for text in index.label_names]  # fmt: skip
        top = self.folder(prefix)
        unlabelled, unknown = [], []
        for number, name in enumerate(index.all_names()):
            base = name.rpartition("/")[2]
            label = index.labels[number] if index.labels else NO_LABEL
            file = join(path, name)
            is_image = suffix_of(base) in IMAGE_SUFFIXES and not is_leftover(base)
            if not is_image:
                _add_file(top, file, base)
            elif label == NO_LABEL:
                unlabelled.append(file)
            elif (place := places[label]) is None:
                unknown.append(file)
            else:
                place.images.append(file)
        for files, reason in (
            (unlabelled, tr("there is no .cls file of its name that says its class")),
            (unknown, tr("its class is not in {file}", file=labels.source)),
        ):
            if files:
                self.problems.append(Problem(files[0], reason, len(files)))

    def folder(self, place: str) -> Listing:
        """The listing of a folder, which is added, as those above it, if it is new."""
        listing = self.listings.get(place)
        if listing is not None:
            return listing
        listing = new = Listing()
        while True:
            self.listings[place] = new
            place, _, name = place.rpartition("/")
            above = self.listings.get(place)
            if above is not None:
                above.folders.append(name)
                return listing
            new = Listing(folders=[name])

    def _visible(self, path: str, prefix: str, folder: str) -> Listing | None:
        """The listing of a folder in an archive; None if it is hidden, or below a hidden one, which
        then counts as left there."""
        parts = folder.split("/") if folder else []
        for number, part in enumerate(parts):
            if is_leftover(part):
                hidden = join(path, "/".join(parts[: number + 1]))
                leftovers = self.folder("/".join(filter(None, (prefix, *parts[:number])))).leftovers
                if hidden not in leftovers[-1:]:
                    leftovers.append(hidden)
                return None
        return self.folder("/".join(filter(None, (prefix, folder))))

    def _add_beside(self, used: str) -> None:
        """Adds the files that lie beside the archives in a folder."""
        if os.path.isfile(self._lister.top):
            return
        listing, top = self._lister.listing(""), self.folder("")
        top.leftovers += listing.leftovers
        top.no_files += listing.no_files
        top.others += (
            name
            for name in listing.others
            if name != used and not archives.has_archive_name(name)
            and not archives.why_compressed(name)
        )  # fmt: skip


def _add_file(listing: Listing, path: str, base: str) -> None:
    if is_leftover(base):
        listing.leftovers.append(path)
    elif suffix_of(base) in IMAGE_SUFFIXES:
        listing.images.append(path)
    else:
        listing.others.append(path)


def _split_parts(paths: Mapping[str, object]) -> dict[str, str]:
    """Archive -> the name of the part of a ready split that it belongs to, by its name or that of
    its folder; "" for all if there are not both parts."""
    parts = {path: part_named_in(path) for path in paths}
    training = any(part in TRAINING_NAMES for part in parts.values())
    validation = any(part and part not in TRAINING_NAMES for part in parts.values())
    if not (training and validation):
        return dict.fromkeys(paths, "")
    return {
        path: TRAINING_NAMES[0] if part in ("", *TRAINING_NAMES) else part
        for path, part in parts.items()
    }


def _are_classes(indexes: Mapping[str, ArchiveIndex]) -> bool:
    """Whether each archive has the name of the class whose images are in it, in no folder."""
    return len(indexes) > 1 and all(
        not _has_folders(index) and not _NUMBERED.search(PurePosixPath(path).stem)
        for path, index in indexes.items()
    )


def _has_folders(index: ArchiveIndex) -> bool:
    """Whether files are in folders, other than __MACOSX, which Finder adds, and its like."""
    return b"/" in index.names and any(
        "/" in name and not is_leftover(name.partition("/")[0]) for name in index.all_names()
    )


class _Labels:
    """The names of the classes that labels mean. `source` is the file that has them, if the labels
    are numbers and there is such a file; else it is ""."""

    def __init__(self, top: str, indexes: Mapping[str, ArchiveIndex]) -> None:
        self.source = ""
        self.problems: list[Problem] = []
        self.notes = [tr("The class of each image is in the .cls file beside it.")]
        self._names: dict[str, str] = {}
        texts = {text for index in indexes.values() for text in index.label_names}
        if all(text.isdecimal() for text in texts):
            self._read_names(Path(top).parent if os.path.isfile(top) else Path(top))

    def class_of(self, label: str) -> str:
        """The name of a class, without slashes; "" if it is not in `source`."""
        if self.source:
            label = self._names.get(str(int(label)), "")
        return label.replace("/", "-")

    def _read_names(self, folder: Path) -> None:
        for name in CLASS_LISTS:
            try:
                self._names = _class_names(folder / name)
            except FileNotFoundError:
                continue
            except (FlowerError, OSError, *DAMAGED) as error:
                reason = error.message if isinstance(error, FlowerError) else reason_of(error)
                self.problems.append(Problem(name, reason))
                continue
            self.source = name
            return


def _class_names(path: Path) -> dict[str, str]:
    """Number -> name of each class: the lines of a text; or JSON, a list of names, or an object of
    numbers and names in either order. Raises FileNotFoundError, FlowerError, OSError and one of
    DAMAGED."""
    if path.suffix != ".json":
        with open_text(path) as file:
            names = file.read(MAX_LIST_CHARACTERS).splitlines()
        return {str(number): name for number, name in enumerate(map(str.strip, names)) if name}
    value: Any = read_json(path)
    if isinstance(value, list):
        return {str(number): str(name).strip() for number, name in enumerate(value)}
    if not isinstance(value, dict):
        raise ValueError(path)
    if all(key.isdecimal() for key in value):
        return {str(int(key)): str(name).strip() for key, name in value.items()}
    return {str(int(number)): name for name, number in value.items()}
