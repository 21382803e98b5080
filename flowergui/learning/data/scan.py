"""Scans a dataset folder: its classes, their images, and the problems found."""

from collections.abc import Callable, Collection, Generator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from flowergui.errors import FlowerError
from flowergui.events import Preparing, Scanned, ScanProgress
from flowergui.facts import ClassCount, Problem
from flowergui.learning.data import photo_check
from flowergui.learning.data.class_folders import FolderLister, class_name
from flowergui.learning.data.dataset_listing import DatasetListing, list_dataset
from flowergui.learning.data.duplicates import duplicate_notes, find_copies
from flowergui.learning.data.photo_check import check_files
from flowergui.learning.data.photos import Photo, Photos, sorted_by_path
from flowergui.learning.data.stalls import Stalled, in_background
from flowergui.system.tuning import gc_paused
from flowergui.text import shortened, tr
from flowergui.wording import left_out_text

PROGRESS_FILES = 10_000
"""Progress is reported after so many listed files."""

_MAX_EXAMPLES = 4

_MAX_REASONS = 3

Told = TypeVar("Told")


def scan(folder: Path, *, thorough: bool = True) -> Generator[ScanProgress | Scanned, None, Photos]:
    """Lists and opens the images of `folder`. Yields ScanProgress ..., and at last Scanned.

    Files that can't be read are problems, not errors. More than MAX_CHECKED_FIRST images are
    listed first, for a first Scanned; if `thorough`, they are then opened, for a second one.
    Raises FlowerError if the folder doesn't exist or has fewer than two classes with images, and if
    a drive doesn't answer.
    """
    listed: list[str] = []
    with gc_paused(lambda: len(listed)):
        found = yield from _listing(folder, (), partial(ScanProgress, 0))
        if found.layout.train is None:
            raise _no_training_folder(folder, found)
        for classes in found.parts.values():
            listed += chain.from_iterable(classes.values())
        many = len(listed) > photo_check.MAX_CHECKED_FIRST
        if many:
            photos = _photos(folder, found, ())
            yield _scanned(photos, checked=False)
            if not thorough:
                return photos
    broken: list[Problem] = []
    checked = 0
    yield ScanProgress(0, len(listed))
    for step in check_files(folder, listed):
        if isinstance(step, Stalled):
            yield ScanProgress(checked, len(listed), step.path)
            continue
        broken += (Problem(path, reason) for path, reason in step if reason)
        checked += len(step)
        yield ScanProgress(checked, len(listed))
    if broken or not many:
        photos = _photos(folder, found, tuple(broken))
    if not many:
        photos = replace(photos, notes=(*photos.notes, *duplicate_notes(photos)))
    yield _scanned(photos)
    return photos


def scan_to_split(folder: Path) -> Generator[ScanProgress | Scanned | Preparing, None, Photos]:
    """Scans a folder for a run. If its images are to be split at random, their copies are found:
    these are to stay together. Raises FlowerError as `scan` does."""
    photos = yield from scan(folder, thorough=False)
    if photos.validation:
        return photos
    copies = yield from find_copies(photos)
    return replace(photos, copies=copies)


def list_photos(
    folder: Path, known: Collection[str] = ()
) -> Generator[Preparing, None, list[tuple[str, str, str]]]:
    """Path, class, and "train" or "validation" of every image file; see `list_folder`."""
    found = yield from list_folder(folder, known)
    return found.rows()


def list_folder(
    folder: Path, known: Collection[str] = ()
) -> Generator[Preparing, None, DatasetListing]:
    """All files of a folder, by its own split. None is opened.

    Classes that are `known` are spelled as there. Raises FlowerError if there is no such folder,
    or if it can't be read.
    """

    def told(count: int, path: str) -> Preparing:
        what = tr("Waiting for {path}", path=path) if path else tr("Listing images")
        return Preparing(what, count, 0)

    return (yield from _listing(folder, known, told))


def _listing(
    folder: Path, known: Collection[str], told: Callable[[int, str], Told]
) -> Generator[Told, None, DatasetListing]:
    """Lists a folder. Yields what `told` makes of the number of images so far and, where a folder
    doesn't answer, of its path."""
    lister = FolderLister(str(folder))
    steps = in_background(list_dataset(lister, PROGRESS_FILES, known), lambda: lister.waits_for)
    count = 0
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: DatasetListing = end.value
            return result
        if not isinstance(step, Stalled):
            count = step
        yield told(count, step.path if isinstance(step, Stalled) else "")


def _photos(folder: Path, found: DatasetListing, broken: tuple[Problem, ...]) -> Photos:
    """The images of a folder without the broken ones. Raises FlowerError if there are no two
    classes."""
    left_out = frozenset(problem.path for problem in broken)
    good = {
        part: {name: [path for path in paths if path not in left_out] if left_out else paths
               for name, paths in classes.items()}
        for part, classes in found.parts.items()
    }  # fmt: skip
    train, validation = good.get("train", {}), good.get("validation", {})
    classes = tuple(sorted(name for name, paths in train.items() if paths))
    index = {name: label for label, name in enumerate(classes)}
    unknown = sorted({name for name, paths in validation.items() if paths} - set(classes))
    problems = (
        *broken,
        *found.problems,
        *(
            Problem(
                name,
                tr("has validation images but no training images"),
                len(validation[name]),
            )
            for name in unknown
        ),
    )
    if len(classes) < 2:
        raise _too_few(folder, classes, problems, found)

    def all_of(part: dict[str, list[str]]) -> tuple[Photo, ...]:
        return sorted_by_path(
            Photo(path, index[name]) for name in part if name in index for path in part[name]
        )

    return Photos(
        folder,
        "split" if found.layout.split else "flat",
        classes,
        all_of(train),
        all_of(validation),
        problems,
        found.notes,
        found.leftovers,
    )


def _no_training_folder(folder: Path, found: DatasetListing) -> FlowerError:
    if found.layout.validation is None:
        return FlowerError(
            tr(
                "{folder} has folders for training and validation, but no class folders in them.",
                folder=folder.name,
            ),
            hint=tr("Put the images of each class into a subfolder named after the class."),
        )
    return FlowerError(
        tr(
            "{folder} has images for validation in {place}, but no folder of training images.",
            folder=folder.name,
            place=found.layout.validation,
        ),
        hint=tr(
            "Name the folder of training images train. To train on {place}, open that folder.",
            place=found.layout.validation,
        ),
    )


def _too_few(
    folder: Path, classes: tuple[str, ...], problems: tuple[Problem, ...], found: DatasetListing
) -> FlowerError:
    hint = tr("Put the images of each class into a subfolder named after the class.")
    if found.in_archives:
        hint = tr(
            "In archives, the images of each class need a folder named after it, or a .cls file "
            "beside each image."
        )
    # What is wrong in the one class is not why the others are missing.
    sorted_problems = sorted(
        problems, key=lambda each: not {*map(class_name, each.path.split("/"))}.isdisjoint(classes)
    )
    reasons = shortened([left_out_text(each) for each in sorted_problems], _MAX_REASONS)
    values = {"folder": folder.name, "name": classes[0] if classes else "", "reasons": reasons}
    if classes and not problems:
        return FlowerError(
            tr("{folder} has images of only one class, {name}; at least two are needed.", **values),
            hint=hint,
        )
    if classes:
        return FlowerError(
            tr(
                "{folder} has images of only one class, {name}, that can be read; at least two are "
                "needed. Left out: {reasons}.",
                **values,
            ),
            hint=tr("Mend or convert what was left out, or add the images of another class."),
        )
    if found.loose and found.loose == sum(each.count for each in problems):
        return FlowerError(tr("{folder} has images, but no class subfolders.", **values), hint=hint)
    if problems:
        return FlowerError(
            tr("No image in {folder} can be used. Left out: {reasons}.", **values), hint=hint
        )
    return FlowerError(tr("{folder} has no class subfolders with images.", **values), hint=hint)


def _scanned(photos: Photos, *, checked: bool = True) -> Scanned:
    train: dict[int, list[str]] = {}
    for photo in photos.train:
        train.setdefault(photo.label, []).append(photo.path)
    validation = dict.fromkeys(range(len(photos.classes)), 0)
    for photo in photos.validation:
        validation[photo.label] += 1
    counts = (
        ClassCount(
            name=name,
            train=len(train[label]),
            validation=validation[label],
            examples=tuple(str(photos.folder / path) for path in train[label][:_MAX_EXAMPLES]),
        )
        for label, name in enumerate(photos.classes)
    )
    return Scanned(
        folder=str(photos.folder),
        layout=photos.layout,
        classes=tuple(counts),
        problems=photos.problems,
        checked=checked,
        notes=photos.notes,
        leftovers=photos.leftovers,
    )
