"""All files of a dataset folder, none of them opened: the images of its classes, and what is left
out."""

import os
import stat
from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass

from flowergui.errors import FlowerError
from flowergui.facts import Problem
from flowergui.learning.data import image_io
from flowergui.learning.data.archives.archive_listing import list_archives
from flowergui.learning.data.class_folders import (
    FolderLister,
    LeftOut,
    class_name,
    join,
    why_no_images,
)
from flowergui.learning.data.layout import (
    TRAINING_NAMES,
    VALIDATION_NAMES,
    FolderLayout,
    find_layout,
    opened_places,
    split_name,
    unused_places,
)
from flowergui.text import enumerated, shortened, tr, trn

Classes = dict[str, list[str]]
"""Class -> its images, sorted paths from the dataset folder on; a class may have none."""


class NoFolderError(FlowerError):
    """There is no folder at a path."""


@dataclass(frozen=True, slots=True)
class DatasetListing:
    """What is in a dataset folder. `parts` are "train" and "validation", as far as there are any;
    `problems` are what was left out, among them `closed` folders, which can't be read;
    `loose` is the number of images in no class folder, `leftovers` are files that nobody takes for
    images, and `notes` are sentences on how the folder was understood. `in_archives` says whether
    the images are in archives."""

    layout: FolderLayout
    parts: dict[str, Classes]
    loose: int
    problems: tuple[Problem, ...]
    closed: tuple[Problem, ...]
    leftovers: tuple[Problem, ...]
    notes: tuple[str, ...]
    in_archives: bool = False

    def rows(self) -> list[tuple[str, str, str]]:
        """Path, class, and "train" or "validation" of every image file."""
        return [
            (path, name, part)
            for part, classes in self.parts.items()
            for name, paths in classes.items()
            for path in paths
        ]


def list_dataset(
    lister: FolderLister, every: int, known: Collection[str] = ()
) -> Generator[int, None, DatasetListing]:
    """Lists the folder `lister.top`. Yields the number of images so far, each time there are
    `every` more.

    Of classes that the folder is `known` to have, the names are spelled like these. Raises
    NoFolderError, and FlowerError for a folder that can't be read.
    """
    archives = yield from list_archives(lister, every)
    if lister.listing("").error:
        raise _why_not_listed(lister)
    layout = find_layout(lister, known)
    collected = _Collected(lister, known)
    collected.left_out.add_archives(archives.closed, archives.odd)
    parts: dict[str, Classes] = {}
    reported = 0
    for part, root in (("train", layout.train), ("validation", layout.validation)):
        if root is None:
            continue
        parts[part] = {}
        for count in collected.add_classes(root, parts[part]):
            if count - reported >= every:
                reported = count
                yield count
        for paths in parts[part].values():
            paths.sort()
    notes = [
        *archives.notes,
        *_layout_notes(lister, layout),
        *collected.notes,
        *collected.add_unused(layout),
    ]
    return DatasetListing(
        layout,
        parts,
        collected.loose,
        (*collected.empty, *collected.left_out.problems()),
        tuple(collected.left_out.closed),
        collected.left_out.leftovers(),
        tuple(notes),
        in_archives=bool(archives.paths),
    )


class _Collected:
    """What was found so far."""

    def __init__(self, lister: FolderLister, known: Collection[str]) -> None:
        self._lister = lister
        self._spelling = {class_name(name): name for name in known}
        self._count = self.loose = 0
        self.left_out = LeftOut(lister)
        self.empty: list[Problem] = []
        self.notes: list[str] = []

    def add_classes(self, root: str, classes: Classes) -> Iterator[int]:
        """Lists the class folders in `root`; after each, yields the number of images so far."""
        names = self._lister.listing(root).folders
        copies: list[str] = []
        inner: list[set[str]] = []
        outer = frozenset(names)
        for name in names:
            place = join(root, name)
            own = self._lister.listing(place)
            inner.append(set() if own.images else set(own.folders))
            if len(inner[-1] & outer) > 1:
                copies.append(name)
            else:
                yield self._add_class(place, name, classes)
        if len(classes) < 2:  # classes whose folders have the names of other classes
            for name in copies:
                yield self._add_class(join(root, name), name, classes)
        else:
            for name in copies:
                reason = tr("it holds the class folders beside it once more")
                self.left_out.add_unused(join(root, name), reason)
        same = set.intersection(*inner) if len(inner) > 1 else set[str]()
        if len(same) > 1 and not copies:
            self.notes.append(
                tr(
                    "Every class folder holds the same folders: {names}. If these are the classes, "
                    "open one of the folders that hold them.",
                    names=shortened(sorted(same)),
                )
            )

    def _add_class(self, place: str, folder: str, classes: Classes) -> int:
        name = class_name(folder)
        name = self._spelling.get(name, name)
        if name in classes:
            self.notes.append(
                tr(
                    "{folder} counts as the class {name}: their names differ in nothing but "
                    "spaces, line breaks or the encoding of letters.",
                    folder=repr(place),
                    name=name,
                )
            )
        images: list[str] = []
        listings = list(self._lister.walk(place))
        for here, each in listings:
            self.left_out.add(here, each)
            images += self._lister.files(here, each.images)
            self._lister.forget(here)
        classes.setdefault(name, []).extend(images)
        if not images and not any(each.error for _, each in listings):
            self.empty.append(Problem(place, why_no_images([each for _, each in listings])))
        self._count += len(images)
        return self._count

    def add_unused(self, layout: FolderLayout) -> Iterator[str]:
        """Counts what is beside the class folders, and yields notes on parts of a split that are
        not needed."""
        roots = [root for root in (layout.train, layout.validation) if root is not None]
        for place in (*opened_places(layout), *roots):
            listing = self._lister.listing(place)
            self.left_out.add(place, listing)
            self.loose += len(listing.images)
            reason = tr("in the folder of no class")
            self.left_out.add_images(place, listing.images, reason)
        for place in unused_places(self._lister, layout):
            name = place.rpartition("/")[2]
            classes = next(self._lister.class_folders(place), None)
            if split_name(name) in VALIDATION_NAMES and layout.validation and classes:
                yield tr(
                    "{folder} is not used: the validation images come from {used}.",
                    folder=place,
                    used=layout.validation,
                )
            elif split_name(name) and not classes:
                self.left_out.add_unused(place, tr("its images are in no class folders"))
            else:
                reason = tr(
                    "not used: the images are those in {folders}", folders=enumerated(roots)
                )
                self.left_out.add_unused(place, reason)


def _layout_notes(lister: FolderLister, layout: FolderLayout) -> Iterator[str]:
    """What is not plain about a layout, in sentences."""
    train, validation = layout.train, layout.validation
    usual = {*TRAINING_NAMES, *VALIDATION_NAMES, ""}
    if train is None or {train.lower(), (validation or "").lower()} <= usual:
        pass
    elif validation is not None:
        yield tr(
            "Training images come from {train}, and validation images from {validation}.",
            train=train,
            validation=validation,
        )
    else:
        yield tr("The class folders are in {folder}.", folder=train)
    if train is not None and not layout.split:
        parts = [name for name in lister.listing(train).folders if split_name(name)]
        if parts:
            yield trn(
                "{names} is taken for a class, like the folders beside it. If it is a split, "
                "such as the training images, move the others elsewhere.",
                "{names} are taken for classes, like the folders beside them. If they are "
                "splits, such as the training images, move the others elsewhere.",
                len(parts),
                names=enumerated(parts),
            )


def _why_not_listed(lister: FolderLister) -> FlowerError:
    folder = lister.top
    hint = tr("Choose a folder with one subfolder of images for each class.")
    try:
        is_folder = stat.S_ISDIR(os.stat(folder).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return NoFolderError(tr("There is no folder {folder}.", folder=folder), hint=hint)
    except OSError as error:
        reason = image_io.why_os_error(error)
    else:
        if not is_folder:
            return NoFolderError(tr("{folder} is not a folder.", folder=folder), hint=hint)
        reason = lister.listing("").error
    message = tr("{folder} can't be opened: {reason}.", folder=folder, reason=reason)
    return FlowerError(message, hint=tr("Change its permissions, or choose another folder."))
