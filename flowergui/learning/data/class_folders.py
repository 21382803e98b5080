"""Folders on disk: what is taken for an image, and what is passed over, and why."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flowergui.facts import Problem
from flowergui.image_suffixes import (
    COMPANION_SUFFIXES,
    IMAGE_SUFFIXES,
    OTHER_PICTURE_SUFFIXES,
)
from flowergui.learning.data import image_io
from flowergui.text import enumerated, tr

_LEFTOVERS = frozenset(
    {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "autorun.inf", "picasa.ini"}
    | {"$recycle.bin", "recycler", "system volume information", "msdownld.tmp", "wpsystem"}
    | {"__macosx", "_ds_store", "icon\r", "resource.frk", "temporary items", "network trash folder"}
    | {"lost+found", "lost.dir", *(f"found.{number:03}" for number in range(10))}
    | {"@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb", "@tmp"}
    | {"@sharebin", "@sharesnap", "zbthumbnail.info", "_gsdata_", "_vti_cnf", "__pycache__"}
    | {"sync.ffs_db"}
)
"""Names in lower case of what systems, storage devices, cameras and programs leave in folders. What
begins with a dot or with ~$ is passed over too."""

_TEXTS = frozenset({"license", "licence", "readme", "copying", "notice", "citation", "makefile"})
"""Names in lower case of texts about a dataset that have no ending."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def class_name(folder: str) -> str:
    """The name of the class whose images are in a folder of this name, on one line.

    Systems write one name in several ways: letters with accents composed or not (NFC, NFD), and
    spaces or line breaks that nobody sees.
    """
    name = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", folder)).split())
    return name or repr(folder)


def suffix_of(name: str) -> str:
    """The ending of a file's name, in lower case; "" for none."""
    return os.path.splitext(name)[1].lower()


def join(place: str, name: str) -> str:
    """The place of `name` in the folder at `place`. Places are paths from the dataset folder on,
    with forward slashes; "" is the dataset folder."""
    return f"{place}/{name}" if place else name


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's, or hidden."""
    return name.startswith((".", "~$")) or name.lower() in _LEFTOVERS


@dataclass(slots=True)
class Listing:
    """The names in a folder, by what they are: `others` are files that are no images, `no_files`
    pipes, sockets, devices, and links to nothing. `error` says why it can't be read, or not all of
    it; else it is ""."""

    folders: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    no_files: list[str] = field(default_factory=list)
    error: str = ""


def list_folder(path: str) -> Listing:
    """Lists a folder. Of the files on most file systems, none is looked at for it."""
    listing = Listing()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if is_leftover(name):
                    listing.leftovers.append(name)
                    continue
                try:
                    is_file = entry.is_file()
                    is_folder = not is_file and entry.is_dir()
                except OSError:  # a link to itself
                    is_file = is_folder = False
                if is_file:
                    image = suffix_of(name) in IMAGE_SUFFIXES
                    (listing.images if image else listing.others).append(name)
                elif is_folder:
                    listing.folders.append(name)
                else:
                    listing.no_files.append(name)
    except OSError as error:
        listing.error = image_io.why_os_error(error)
    except ValueError:  # a zero in its name
        listing.error = tr("it no longer exists")
    listing.folders.sort()
    return listing


class FolderLister:
    """Lists the folders below `top`. `waits_for` is the path of the one that it lists now."""

    def __init__(self, top: str) -> None:
        self.top = self.waits_for = top
        self._listings: dict[str, Listing] = {}
        self._in_archives = False

    def show(self, listings: dict[str, Listing]) -> None:
        """From now on, the folders are these, which are in archives. The names of the files in them
        are paths from `top` on."""
        self._listings = listings
        self._in_archives = True

    def path(self, place: str) -> str:
        """The path of a place."""
        return f"{self.top}/{place}" if place else self.top

    def listing(self, place: str) -> Listing:
        """What is in a folder; it is listed once."""
        if self._in_archives:
            return self._listings.get(place) or Listing()
        if place not in self._listings:
            self.waits_for = self.path(place)
            self._listings[place] = list_folder(self.waits_for)
        return self._listings[place]

    def forget(self, place: str) -> None:
        """Frees the memory of a folder's listing."""
        if not self._in_archives:
            self._listings.pop(place, None)

    def files(self, place: str, names: Iterable[str]) -> Iterable[str]:
        """The paths, from `top` on, of files in the folder at `place`."""
        return names if self._in_archives or not place else (f"{place}/{name}" for name in names)

    def file(self, place: str, name: str) -> str:
        """The path, from `top` on, of a file in the folder at `place`."""
        return name if self._in_archives else join(place, name)

    def walk(self, place: str) -> Iterator[tuple[str, Listing]]:
        """The folder at `place` and those below it, each with its place.

        Each real folder comes once: links may form circles. A link to a folder above is not
        followed, as it would bring in the images of other classes.
        """
        path = os.path.abspath(self.path(place))
        seen = set()
        while (above := os.path.dirname(path)) != path:
            path = above
            seen.add(os.path.realpath(path))
        waiting = [place]
        while waiting:
            here = waiting.pop()
            self.waits_for = self.path(here)
            real = self.waits_for if self._in_archives else os.path.realpath(self.waits_for)
            if real in seen:
                continue
            seen.add(real)
            listing = self.listing(here)
            yield here, listing
            waiting += (join(here, name) for name in listing.folders)

    def has_images(self, place: str) -> bool:
        """Whether there is an image in the folder or below it, or may be: it can't be read."""
        return any(listing.images or listing.error for _, listing in self.walk(place))

    def class_folders(self, place: str) -> Iterator[str]:
        """The names of the folders in a folder that have images."""
        return (name for name in self.listing(place).folders if self.has_images(join(place, name)))


class LeftOut:
    """What is passed over in the folders of a dataset, counted by what it is. `closed` are folders
    that can't be read."""

    def __init__(self, lister: FolderLister) -> None:
        self._lister = lister
        self.closed: list[Problem] = []
        self._odd: list[Problem] = []
        self._others: dict[str, list[str]] = {}
        self._hidden: dict[bool, list[str]] = {}

    def add(self, place: str, listing: Listing) -> None:
        """Counts what is passed over in one folder."""
        if listing.error:
            self.closed.append(Problem(place, listing.error))
        for name in listing.no_files:
            where = self._lister.file(place, name)
            self._odd.append(Problem(where, image_io.why_no_file(self._lister.path(where))))
        for name in listing.others:
            base = name.rpartition("/")[2]
            suffix = ".txt" if base.lower() in _TEXTS else suffix_of(base)
            self._others.setdefault(suffix, []).append(self._lister.file(place, name))
        for name in listing.leftovers:
            dot = name.rpartition("/")[2].startswith(".")
            self._hidden.setdefault(dot, []).append(self._lister.file(place, name))

    def add_archives(self, closed: Iterable[Problem], odd: Iterable[Problem]) -> None:
        """Counts archives that can't be read, or not all of them, and what is wrong in others."""
        self.closed += closed
        self._odd += odd

    def add_unused(self, place: str, reason: str) -> None:
        """Counts all in a folder that is not used, its images as left out for this reason."""
        images = 0
        for here, listing in self._lister.walk(place):
            self.add(here, listing)
            images += len(listing.images)
            self._lister.forget(here)
        if images:
            self._odd.append(Problem(place, reason, images))

    def add_images(self, place: str, names: list[str], reason: str) -> None:
        """Counts images that are left out."""
        if names:
            self._odd.append(Problem(self._lister.file(place, min(names)), reason, len(names)))

    def problems(self) -> tuple[Problem, ...]:
        """What people may miss: folders and files that can't be read, and those with endings that
        are not known."""
        others = (
            Problem(min(paths), _why_passed_over(suffix), len(paths))
            for suffix, paths in sorted(self._others.items())
            if suffix not in COMPANION_SUFFIXES
        )
        odd = sorted((*self.closed, *self._odd), key=lambda each: each.path)
        return (*odd, *others)

    def leftovers(self) -> tuple[Problem, ...]:
        """What nobody takes for images."""
        beside = (
            Problem(min(paths), tr("no image"), len(paths))
            for suffix, paths in sorted(self._others.items())
            if suffix in COMPANION_SUFFIXES
        )
        reasons = {True: tr("hidden"), False: tr("left there by the system or another program")}
        hidden = (
            Problem(min(paths), reasons[dot], len(paths))
            for dot, paths in sorted(self._hidden.items())
        )
        return (*beside, *hidden)


def why_no_images(listings: list[Listing]) -> str:
    """Why a class has no images, by what is in its folders instead."""
    suffixes = sorted(
        {suffix_of(name) for each in listings for name in each.others}
        & (OTHER_PICTURE_SUFFIXES | {""})
    )
    if not suffixes:
        return tr("no images in it")
    if not suffixes[0]:
        return tr("no images in it, only files whose names have no ending")
    return tr("no images in it that can be read, only {endings}", endings=enumerated(suffixes))


def _why_passed_over(suffix: str) -> str:
    if suffix in OTHER_PICTURE_SUFFIXES:
        return tr("{ending} files are not read; convert them to JPEG or PNG", ending=suffix)
    if not suffix:
        return tr("its name has no ending, such as .jpg, that says what it is")
    return tr("{ending} is not the ending of an image file", ending=suffix)
