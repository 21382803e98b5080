"""Where the class folders of a dataset are: in the folder itself, in the parts of a ready split, or
deeper, as archives are packed."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from flowergui.image_suffixes import OTHER_PICTURE_SUFFIXES
from flowergui.learning.data.class_folders import FolderLister, class_name, join, suffix_of

TRAINING_NAMES: Final = ("train", "training")
VALIDATION_NAMES: Final = ("val", "valid", "validation", "test", "testing")
"""Names of the folders of a ready split. Of several for validation, the first one counts."""

MAX_DEPTH: Final = 8
"""Folders in folders are opened so many times in search of the class folders."""

_FILLING = re.compile(r"seg|sets?|data|datasets?|images?|imgs?|photos?|pictures?|split|folder|dir")
"""Words that may stand beside these, as in training_set, seg_train or Test Images."""

_WORDS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """The places of the folders that hold the class folders, for training and for validation; None
    if there is none. `split` says whether they are parts of a ready split."""

    train: str | None
    validation: str | None = None
    split: bool = False


def split_name(folder: str) -> str:
    """Which of TRAINING_NAMES or VALIDATION_NAMES a folder's name means; "" for none."""
    words = [word for word in _WORDS.findall(folder.lower()) if not _FILLING.fullmatch(word)]
    name = words[0].removesuffix("set") if len(words) == 1 else ""
    return name if name in TRAINING_NAMES + VALIDATION_NAMES else ""


def part_named_in(name: str) -> str:
    """Which of TRAINING_NAMES or VALIDATION_NAMES is among the words of a name, as in
    imagenet-train-000001; "" for none."""
    words = (word.removesuffix("set") for word in _WORDS.findall(name.lower()))
    return next((word for word in words if word in TRAINING_NAMES + VALIDATION_NAMES), "")


def find_layout(lister: FolderLister, known: Collection[str] = ()) -> FolderLayout:
    """The layout of a dataset folder. `known` are classes that it may have."""
    return _Finder(lister, frozenset(map(class_name, known))).find("")


def opened_places(layout: FolderLayout) -> list[str]:
    """The folders above those that hold the class folders."""
    places = {""} if (layout.train, layout.validation) == (None, None) else set[str]()
    for root in filter(None, (layout.train, layout.validation)):
        parts = root.split("/")
        places.update("/".join(parts[:count]) for count in range(len(parts)))
    return sorted(places)


def unused_places(lister: FolderLister, layout: FolderLayout) -> Iterator[str]:
    """The folders in `opened_places` that hold no class folders of the dataset."""
    roots = [f"{root}/" for root in (layout.train, layout.validation) if root]
    for place in opened_places(layout):
        for name in lister.listing(place).folders:
            other = join(place, name)
            if not any(root.startswith(f"{other}/") for root in roots):
                yield other


class _Finder:
    def __init__(self, lister: FolderLister, known: frozenset[str]) -> None:
        self._lister, self._known = lister, known

    def find(self, place: str) -> FolderLayout:
        """The layout of the folder at `place`."""
        names = self._lister.listing(place).folders
        training = _named(names, TRAINING_NAMES)
        validation = [join(place, name) for name in _named(names, VALIDATION_NAMES)]
        flat = FolderLayout(place)
        if place.count("/") > MAX_DEPTH:
            return flat
        if len(names) > 1 and self._known.issuperset(map(class_name, names)):
            return flat
        others = [name for name in names if not split_name(name)]
        full: list[str] = []
        if training or validation:
            full += (name for name in others if self._lister.has_images(join(place, name)))
        if training:
            return self._trained(join(place, training[0]), validation, len(full)) or flat
        if validation and not full:
            return FolderLayout(None, self._best(validation, frozenset()), split=True)
        if validation and len(full) == 1:  # the archive of a split, beside a folder for tests
            inner = self.find(join(place, full[0]))
            return inner if inner.split else flat
        return flat if validation else self._wrapped(place) or flat

    def _trained(self, train: str, validation: list[str], others: int) -> FolderLayout | None:
        """The split of which `train` is the training folder, beside `others` that are full; None if
        it is a class of that name."""
        classes = self._names(train)
        best = self._best(validation, classes)
        if best is not None and self._names(best) & classes:
            return FolderLayout(train, best, split=True)
        if next(self._lister.class_folders(train), None) is None:
            loose_parts = validation and not others
            return FolderLayout(None, None, split=True) if loose_parts else None
        if others and (self._lister.listing(train).images or (others > 1 and not validation)):
            return None
        inner = self.find(train)
        if inner.train is None or inner.validation is not None:
            return inner
        best = self._best(validation, self._names(inner.train))
        return replace(inner, validation=best, split=True)

    def _wrapped(self, place: str) -> FolderLayout | None:
        """The layout of the only folder in a folder that may hold images; None if there are more,
        or if it is a class."""
        names = self._lister.listing(place).folders
        found = list(islice((name for name in names if self._may_be_class(place, name)), 2))
        if len(found) != 1 or class_name(found[0]) in self._known:
            return None
        only = join(place, found[0])
        if self._lister.listing(only).images:
            return None
        inner = self.find(only)
        if inner.train is None or inner.split:
            return inner
        two = list(islice(self._lister.class_folders(inner.train), 2))
        return inner if len(two) == 2 else None

    def _best(self, places: list[str], classes: frozenset[str]) -> str | None:
        """Where the class folders are in the first part that has one of the classes, or else in the
        first that has any; None if none has."""
        roots = [self._root(place, classes) for place in places]
        usable = [root for root in roots if next(self._lister.class_folders(root), None)]
        same = [root for root in usable if self._names(root) & classes]
        return next(iter(same or usable), None)

    def _root(self, place: str, classes: frozenset[str]) -> str:
        """Where the class folders are in a part: deeper, while there is but one folder in it."""
        while not self._names(place) & classes:
            inner = [join(place, name) for name in islice(self._lister.class_folders(place), 2)]
            if len(inner) != 1 or next(self._lister.class_folders(inner[0]), None) is None:
                break
            place = inner[0]
        return place

    def _names(self, place: str) -> frozenset[str]:
        return frozenset(map(class_name, self._lister.listing(place).folders))

    def _may_be_class(self, place: str, name: str) -> bool:
        """Whether a folder holds images, or may be meant to: nothing is in it, or pictures that
        can't be read."""
        empty = seen = False
        for _, listing in self._lister.walk(join(place, name)):
            if listing.images or listing.error:
                return True
            if any(suffix_of(other) in OTHER_PICTURE_SUFFIXES for other in listing.others):
                return True
            empty = not (seen := seen or bool(listing.others))
        return empty


def _named(names: list[str], wanted: tuple[str, ...]) -> list[str]:
    """Those of `names` that mean one of the wanted, in the order of these."""
    return [name for each in wanted for name in names if split_name(name) == each]
