"""Lists a dataset folder: its classes, their images, and the problems found."""

from collections.abc import Generator, Iterable
from itertools import chain
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import Preparing, Scanned, ScanProgress
from flowergui.facts import ClassCount, Problem
from flowergui.learning.data import photo_check
from flowergui.learning.data.class_folders import image_files, parts_of, relative, subfolders
from flowergui.learning.data.photo_check import check_files
from flowergui.learning.data.photos import Layout, Photo, Photos, sorted_by_path
from flowergui.system.tuning import gc_paused
from flowergui.text import tr

PROGRESS_FILES = 10_000
"""Progress is reported after so many listed files."""

_MAX_EXAMPLES = 4


def scan(folder: Path, *, thorough: bool = True) -> Generator[ScanProgress | Scanned, None, Photos]:
    """Lists and opens the images of `folder`. Yields ScanProgress ..., and at last Scanned.

    Files that can't be read are problems, not errors. More than MAX_CHECKED_FIRST images are
    listed first, for a first Scanned; if `thorough`, they are then opened, for a second one.
    Raises FlowerError if the folder doesn't exist or has fewer than two classes with images.
    """
    listed: list[str] = []
    with gc_paused(lambda: len(listed)):
        layout, found = yield from _list_classes(folder)
        empty = tuple(
            Problem(place, tr("no images in it"))
            for classes in found.values()
            for place, paths in classes.values()
            if not paths
        )
        for classes in found.values():
            listed += chain.from_iterable(paths for _, paths in classes.values())
        many = len(listed) > photo_check.MAX_CHECKED_FIRST
        if many:
            photos = _photos(folder, layout, found, empty, frozenset())
            yield _scanned(photos, checked=False)
            if not thorough:
                return photos
    broken: list[Problem] = []
    checked = 0
    yield ScanProgress(0, len(listed))
    for paths, reasons in check_files(folder, listed):
        broken += (
            Problem(path, reason) for path, reason in zip(paths, reasons, strict=True) if reason
        )
        checked += len(paths)
        yield ScanProgress(checked, len(listed))
    if broken or not many:
        left_out = frozenset(problem.path for problem in broken)
        photos = _photos(folder, layout, found, (*empty, *broken), left_out)
    yield _scanned(photos)
    return photos


def list_photos(folder: Path) -> Generator[Preparing, None, list[tuple[str, str, str]]]:
    """Path, class, and "train" or "validation" of every image file, by the folder's own split.

    No file is opened. Raises FlowerError if there is no such folder.
    """
    rows: list[tuple[str, str, str]] = []
    reported = 0
    for part, root in parts_of(folder).items():
        for child in subfolders(root):
            name = child.name
            rows += [
                (path, name, part) for path in sorted(image_files(child, relative(child, folder)))
            ]
            if len(rows) - reported >= PROGRESS_FILES:
                reported = len(rows)
                yield Preparing(tr("Listing images"), reported, 0)
    return rows


Found = dict[str, dict[str, tuple[str, list[str]]]]
"""Part -> class -> its folder and its images, both relative to the dataset folder."""


def _list_classes(folder: Path) -> Generator[ScanProgress, None, tuple[Layout, Found]]:
    parts = parts_of(folder)
    found: Found = {}
    count, reported = 0, 0
    for part, root in parts.items():
        found[part] = {}
        for child in subfolders(root):
            place = relative(child, folder)
            files = sorted(image_files(child, place))
            found[part][child.name] = place, files
            count += len(files)
            if count - reported >= PROGRESS_FILES:
                reported = count
                yield ScanProgress(0, count)
    return "flat" if parts["train"] == folder else "split", found


def _photos(
    folder: Path,
    layout: Layout,
    found: Found,
    problems: tuple[Problem, ...],
    left_out: frozenset[str],
) -> Photos:
    good = {
        part: {name: [path for path in paths if path not in left_out] if left_out else paths
               for name, (_, paths) in classes.items()}
        for part, classes in found.items()
    }  # fmt: skip
    validation = good.get("validation", {})
    classes = tuple(sorted(name for name, paths in good["train"].items() if paths))
    index = {name: label for label, name in enumerate(classes)}
    unknown = sorted({name for name, paths in validation.items() if paths} - set(classes))
    problems += tuple(
        Problem(name, tr("has validation images but no training images")) for name in unknown
    )
    if len(classes) < 2:
        raise _too_few(folder, classes, problems)

    def all_of(part: dict[str, list[str]]) -> tuple[Photo, ...]:
        return sorted_by_path(
            Photo(path, index[name]) for name in part if name in index for path in part[name]
        )

    return Photos(folder, layout, classes, all_of(good["train"]), all_of(validation), problems)


def _too_few(folder: Path, classes: tuple[str, ...], problems: Iterable[Problem]) -> FlowerError:
    inner = [child for child in subfolders(folder) if subfolders(child)]
    if len(inner) == 1:
        hint = tr("Did you mean {folder}?", folder=inner[0])
    else:
        hint = tr("Put the images of each class into a subfolder named after the class.")
    if classes:
        return FlowerError(
            tr(
                "{folder} has images of only one class, {name}; at least two are needed.",
                folder=folder.name,
                name=classes[0],
            ),
            hint=hint,
        )
    reasons = [problem for problem in problems if problem.path.count("/")]
    if reasons:
        first = reasons[0]
        return FlowerError(
            tr(
                "No image in {folder} can be read ({path}: {reason}).",
                folder=folder.name,
                path=first.path,
                reason=first.reason,
            ),
            hint=hint,
        )
    if any(True for _ in image_files(folder, "")):
        return FlowerError(
            tr("{folder} has images, but no class subfolders.", folder=folder.name), hint=hint
        )
    return FlowerError(
        tr("{folder} has no class subfolders with images.", folder=folder.name), hint=hint
    )


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
    return Scanned(str(photos.folder), photos.layout, tuple(counts), photos.problems, checked)
