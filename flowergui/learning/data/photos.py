"""A folder of photos -> its classes, their photos, the split, and the problems found."""

import hashlib
import os
import random
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import (
    Preparing,
    Scanned,
    ScanProgress,
)
from flowergui.facts import (
    ClassCount,
    Problem,
)
from flowergui.learning.data import image_io
from flowergui.system.gc_pause import gc_paused

TRAINING_FOLDERS = ("train", "training")
VALIDATION_FOLDERS = ("val", "valid", "validation", "test", "testing")
"""Names that hold the validation photos of a ready split, the likeliest first."""

CHECKED_FIRST = 20_000
"""More photos than this are not all opened before they can be used: that would take minutes. Those
that can't be read are then named and passed over while a run goes."""

TOLD_EACH = 10_000
"""After so many files that were listed it is told how many there are."""

_IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo's path, relative to the folder and with forward slashes, and its class index."""

    path: str
    label: int


@dataclass(frozen=True, slots=True)
class Photos:
    """What a folder holds: `train` and `validation` as it gives them. A flat folder, and one
    without validation photos, has them all in `train`."""

    folder: Path
    layout: str
    classes: tuple[str, ...]
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Which photos train and which are held back."""

    folder: Path
    classes: tuple[str, ...]
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Path, class, and train or validation, of every photo: as split.csv has them."""
        for name, photos in (("train", self.train), ("validation", self.validation)):
            for photo in photos:
                yield photo.path, self.classes[photo.label], name

    def fingerprint(self) -> str:
        """A hash (SHA-256) of the classes and of every photo's path, class and split."""
        text = hashlib.sha256(repr(self.classes).encode())
        for part in (self.train, self.validation):  # by pieces, as repr would have it in one
            between = "("
            for photo in part:
                text.update(f"{between}Photo(path={photo.path!r}, label={photo.label})".encode())
                between = ", "
            text.update({0: b"()", 1: b",)"}.get(len(part), b")"))
        return text.hexdigest()


def scan(folder: Path, *, thorough: bool = True) -> Generator[ScanProgress | Scanned, None, Photos]:
    """Looks at every file of `folder`, telling ScanProgress and at last Scanned.

    Files that can't be read are problems, not errors. Of more than CHECKED_FIRST photos Scanned
    comes as soon as they are listed; where it is `thorough` they are opened after that, and
    Scanned comes once more. Raises FlowerError where the folder is none, or has no two classes
    with photos.
    """
    listed: list[str] = []
    with gc_paused(lambda: len(listed)):
        layout, found = yield from _list(folder)
        empty = tuple(
            Problem(place, "no photos in it")
            for classes in found.values()
            for place, paths in classes.values()
            if not paths
        )
        for classes in found.values():
            listed += chain.from_iterable(paths for _, paths in classes.values())
        many = len(listed) > CHECKED_FIRST
        if many:
            photos = _photos(folder, layout, found, empty, frozenset())
            yield _scanned(photos, checked=False)
            if not thorough:
                return photos
    broken: list[Problem] = []
    checked = 0
    yield ScanProgress(0, len(listed))
    for paths, reasons in _checks(folder, listed):
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


def split(
    photos: Photos, fraction: float, seed: int, kept: Mapping[str, str] | None = None
) -> Split:
    """The folder's own split, or a stratified, seeded one: of every class with at least two
    photos, `fraction` (at least one photo, never all) is held back.

    `kept` are photos (path -> "train" or "validation") that stay where they were: only the
    others are split.
    """
    if photos.validation:
        return Split(photos.folder, photos.classes, photos.train, photos.validation)
    kept = kept or {}
    by_class: dict[int, list[Photo]] = {}
    for photo in photos.train:
        by_class.setdefault(photo.label, []).append(photo)
    train: list[Photo] = []
    held_back: list[Photo] = []
    for label, members in by_class.items():
        train += (photo for photo in members if kept.get(photo.path) == "train")
        held_back += (photo for photo in members if kept.get(photo.path) == "validation")
        new = [photo for photo in members if photo.path not in kept]
        alone = len(new) == len(members)
        shares = split_class(new, f"{seed} {photos.classes[label]}", fraction, alone=alone)
        train += _sorted(shares[0])  # so that the last sort, of all, has little to do
        held_back += _sorted(shares[1])
    return Split(photos.folder, photos.classes, _sorted(train), _sorted(held_back))


def split_class(
    members: Sequence[Photo], seed: str, fraction: float, *, alone: bool
) -> tuple[list[Photo], list[Photo]]:
    """The photos of a class to train on, and `fraction` of them to hold back. Where they are
    `alone`, all that the class has, some are on both sides (of two or more)."""
    # Of a str, Random takes these bytes too, but class folders may have names that are no UTF-8.
    letters = seed.encode("utf-8", "surrogateescape")
    shuffled = random.Random(letters).sample(members, len(members))
    count = round(len(members) * fraction)
    if alone:
        count = min(max(count, 1), len(members) - 1)
    return shuffled[count:], shuffled[:count]


def listing(folder: Path) -> Generator[Preparing, None, list[tuple[str, str, str]]]:
    """Path, class, and train or validation, of every file that is taken for a photo, as the
    folder has them; none is opened. Raises FlowerError where the folder is none."""
    rows: list[tuple[str, str, str]] = []
    told = 0
    for part, root in _parts(folder).items():
        for child in _folders(root):
            name = child.name
            rows += [(path, name, part) for path in sorted(_files(child, _relative(child, folder)))]
            if len(rows) - told >= TOLD_EACH:
                told = len(rows)
                yield Preparing("Listing photos", told, 0)
    return rows


def readable(folder: Path, paths: Sequence[str]) -> Generator[Preparing, None, set[str]]:
    """Opens photos, telling how far it is, and returns those that can be read. More than
    CHECKED_FIRST are taken to be good: those that aren't are passed over when it is their turn."""
    if len(paths) > CHECKED_FIRST:
        return set(paths)
    good: set[str] = set()
    done = 0
    for chunk, reasons in _checks(folder, list(paths)):
        good.update(path for path, reason in zip(chunk, reasons, strict=True) if not reason)
        done += len(chunk)
        if done < len(paths):
            yield Preparing("Looking at new photos", done, len(paths))
    return good


def _parts(folder: Path) -> dict[str, Path]:
    """Split name -> the folder that holds its class folders."""
    if not folder.is_dir():
        raise FlowerError(
            f"There is no folder {folder}." if not folder.exists() else f"{folder} is no folder.",
            hint="Choose a folder that has one subfolder of photos for each class.",
        )
    children = {child.name.lower(): child for child in _folders(folder)}
    for train in TRAINING_FOLDERS:
        if train not in children or not _folders(children[train]):
            continue
        parts = {"train": children[train]}
        for name in VALIDATION_FOLDERS:
            if name in children and any(any(_files(c, "")) for c in _folders(children[name])):
                parts["validation"] = children[name]
                break
        return parts
    return {"train": folder}


Found = dict[str, dict[str, tuple[str, list[str]]]]
"""Split name -> class -> its folder and its photos, relative to the folder that is looked at."""


def _list(folder: Path) -> Generator[ScanProgress, None, tuple[str, Found]]:
    parts = _parts(folder)
    found: Found = {}
    count, told = 0, 0
    for part, root in parts.items():
        found[part] = {}
        for child in _folders(root):
            place = _relative(child, folder)
            files = sorted(_files(child, place))
            found[part][child.name] = place, files
            count += len(files)
            if count - told >= TOLD_EACH:
                told = count
                yield ScanProgress(0, count)
    return "flat" if parts["train"] == folder else "split", found


def _photos(
    folder: Path,
    layout: str,
    found: Found,
    problems: tuple[Problem, ...],
    left_out: frozenset[str],
) -> Photos:
    good = {
        part: {name: [path for path in paths if path not in left_out] if left_out else paths
               for name, (_, paths) in classes.items()}
        for part, classes in found.items()
    }  # fmt: skip
    held_back = good.get("validation", {})
    classes = tuple(sorted(name for name, paths in good["train"].items() if paths))
    index = {name: label for label, name in enumerate(classes)}
    strangers = sorted({name for name, paths in held_back.items() if paths} - set(classes))
    problems += tuple(
        Problem(name, "has validation photos but none to train on") for name in strangers
    )
    if len(classes) < 2:
        raise _too_few(folder, classes, problems)

    def all_of(part: dict[str, list[str]]) -> tuple[Photo, ...]:
        return _sorted(
            Photo(path, index[name]) for name in part if name in index for path in part[name]
        )

    return Photos(folder, layout, classes, all_of(good["train"]), all_of(held_back), problems)


def _too_few(folder: Path, classes: tuple[str, ...], problems: Iterable[Problem]) -> FlowerError:
    inner = [child for child in _folders(folder) if _folders(child)]
    if len(inner) == 1:
        hint = f"Perhaps you mean {inner[0]}?"
    else:
        hint = "Put the photos of each class into a subfolder with the name of the class."
    if classes:
        return FlowerError(
            f"{folder.name} has photos of one class only, {classes[0]}; two are needed.", hint=hint
        )
    reasons = [problem for problem in problems if problem.path.count("/")]
    if reasons:
        first = reasons[0]
        return FlowerError(
            f"No photo in {folder.name} can be read ({first.path}: {first.reason}).", hint=hint
        )
    if any(True for _ in _files(folder, "")):
        return FlowerError(f"{folder.name} has photos, but no class subfolders.", hint=hint)
    return FlowerError(f"{folder.name} has no class subfolders with photos.", hint=hint)


def _scanned(photos: Photos, *, checked: bool = True) -> Scanned:
    train: dict[int, list[str]] = {}
    for photo in photos.train:
        train.setdefault(photo.label, []).append(photo.path)
    held_back = dict.fromkeys(range(len(photos.classes)), 0)
    for photo in photos.validation:
        held_back[photo.label] += 1
    counts = (
        ClassCount(
            name=name,
            train=len(train[label]),
            validation=held_back[label],
            examples=tuple(str(photos.folder / path) for path in train[label][:_EXAMPLES]),
        )
        for label, name in enumerate(photos.classes)
    )
    return Scanned(str(photos.folder), photos.layout, tuple(counts), photos.problems, checked)


def _sorted(photos: Iterable[Photo]) -> tuple[Photo, ...]:
    return tuple(sorted(photos, key=lambda photo: photo.path))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


# --- the file system --------------------------------------------------------------------------


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED


def _folders(folder: Path) -> list[Path]:
    """Its visible subfolders by name; none where it can't be read."""
    try:
        children = [child for child in folder.iterdir() if not _hidden(child.name)]
        return sorted(child for child in children if child.is_dir())
    except OSError:
        return []


def _files(folder: Path, place: str) -> Iterator[str]:
    """The photos in `folder` and below it, as paths that begin with its `place`; each real folder
    once: links may lead in circles."""
    # A link to where we came from would bring in the photos of other classes.
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


# A file that was checked need not be checked again while this process lives and it is unchanged.
_known: dict[tuple[str, int, int], str] = {}
_KNOWN = 100_000
"""How many files are remembered: some 300 bytes each."""


def _checks(folder: Path, paths: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Chunks of paths with, for each, why it can't be read ("" where it can)."""
    waiting = iter(paths)
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        while chunk := list(islice(waiting, 32)):
            yield chunk, list(pool.map(lambda path: _check(folder / path), chunk))


def _check(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError as error:
        return error.strerror or "it can't be opened"
    key = (str(path), facts.st_size, facts.st_mtime_ns)
    if key in _known:
        return _known[key]
    try:
        image_io.read(path, at_least=32)  # a JPEG is decoded at an eighth of its size
        reason = ""
    except image_io.UnreadableError as error:
        reason = error.reason
        cause = error.__cause__
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno):
            return reason  # the drive's, not the file's: it may be gone when it is asked again
    if len(_known) < _KNOWN:
        _known[key] = reason
    return reason
