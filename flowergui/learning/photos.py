"""A folder of photos -> its classes, their photos, the split, and the problems found."""

import hashlib
import os
import random
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import ClassCount, Preparing, Problem, Scanned, ScanProgress
from flowergui.learning import pictures

VALIDATION_FOLDERS = ("val", "valid", "validation", "test")
"""Names that hold the validation photos of a ready split, the likeliest first."""

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
        text = hashlib.sha256()
        for part in (self.classes, self.train, self.validation):
            text.update(repr(part).encode())
        return text.hexdigest()


def scan(folder: Path) -> Generator[ScanProgress | Scanned, None, Photos]:
    """Looks at every file of `folder`, telling ScanProgress and at last Scanned.

    Files that can't be read are problems, not errors. Raises FlowerError where the folder is
    none, or has no two classes with photos.
    """
    parts = _parts(folder)
    problems: list[Problem] = []
    found: dict[str, list[tuple[str, str]]] = {}  # split -> (class, relative path)
    for split, root in parts.items():
        found[split] = []
        for class_folder in _folders(root):
            files = sorted(_files(class_folder))
            if not files:
                problems.append(Problem(_relative(class_folder, folder), "no photos in it"))
            found[split] += [(class_folder.name, _relative(path, folder)) for path in files]
    listed = [pair for pairs in found.values() for pair in pairs]
    broken: set[str] = set()
    checked = 0
    yield ScanProgress(0, len(listed))
    for paths, reasons in _checks(folder, [path for _, path in listed]):
        for path, reason in zip(paths, reasons, strict=True):
            if reason:
                broken.add(path)
                problems.append(Problem(path, reason))
        checked += len(paths)
        yield ScanProgress(checked, len(listed))
    good = {
        split: [(name, path) for name, path in pairs if path not in broken]
        for split, pairs in found.items()
    }
    layout = "flat" if parts["train"] == folder else "split"
    photos = _photos(folder, layout, good, tuple(problems))
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
        shares = shared_out(new, f"{seed} {photos.classes[label]}", fraction, alone=alone)
        train += shares[0]
        held_back += shares[1]
    return Split(photos.folder, photos.classes, _sorted(train), _sorted(held_back))


def shared_out(
    members: Sequence[Photo], seed: str, fraction: float, *, alone: bool
) -> tuple[list[Photo], list[Photo]]:
    """The photos of a class to train on, and `fraction` of them to hold back. Where they are
    `alone`, all that the class has, some are on both sides (of two or more)."""
    shuffled = random.Random(seed).sample(members, len(members))
    count = round(len(members) * fraction)
    if alone:
        count = min(max(count, 1), len(members) - 1)
    return shuffled[count:], shuffled[:count]


def listing(folder: Path) -> list[tuple[str, str, str]]:
    """Path, class, and train or validation, of every file that is taken for a photo, as the
    folder has them; none is opened. Raises FlowerError where the folder is none."""
    return [
        (_relative(path, folder), class_folder.name, part)
        for part, root in _parts(folder).items()
        for class_folder in _folders(root)
        for path in sorted(_files(class_folder))
    ]


def readable(folder: Path, paths: Sequence[str]) -> Generator[Preparing, None, set[str]]:
    """Opens photos, telling how far it is, and returns those that can be read."""
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
    if "train" in children and _folders(children["train"]):
        parts = {"train": children["train"]}
        for name in VALIDATION_FOLDERS:
            if name in children and any(any(_files(c)) for c in _folders(children[name])):
                parts["validation"] = children[name]
                break
        return parts
    return {"train": folder}


def _photos(
    folder: Path,
    layout: str,
    good: dict[str, list[tuple[str, str]]],
    problems: tuple[Problem, ...],
) -> Photos:
    classes = tuple(sorted({name for name, _ in good["train"]}))
    index = {name: label for label, name in enumerate(classes)}
    strangers = sorted({name for name, _ in good.get("validation", [])} - set(classes))
    problems += tuple(
        Problem(name, "has validation photos but none to train on") for name in strangers
    )
    if len(classes) < 2:
        raise _too_few(folder, classes, problems)
    validation = [Photo(path, index[n]) for n, path in good.get("validation", []) if n in index]
    return Photos(
        folder=folder,
        layout=layout,
        classes=classes,
        train=_sorted(Photo(path, index[name]) for name, path in good["train"]),
        validation=_sorted(validation),
        problems=problems,
    )


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
    if any(True for _ in _files(folder)):
        return FlowerError(f"{folder.name} has photos, but no class subfolders.", hint=hint)
    return FlowerError(f"{folder.name} has no class subfolders with photos.", hint=hint)


def _scanned(photos: Photos) -> Scanned:
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
    return Scanned(str(photos.folder), photos.layout, tuple(counts), photos.problems)


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


def _files(folder: Path) -> Iterator[Path]:
    """The photos in `folder` and below it, each real folder once: links may lead in circles."""
    # A link to where we came from would bring in the photos of other classes.
    seen = {os.path.realpath(above) for above in folder.absolute().parents}
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        real = os.path.realpath(here)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = list(os.scandir(here))
        except OSError:
            continue
        for entry in entries:
            if _hidden(entry.name):
                continue
            if os.path.isdir(entry.path):  # entry.is_dir() raises for a link to itself
                waiting.append(Path(entry.path))
            elif os.path.splitext(entry.name)[1].lower() in pictures.EXTENSIONS:
                yield Path(entry.path)


# A file that was checked need not be checked again while this process lives and it is unchanged.
_known: dict[tuple[str, int, int], str] = {}


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
    if key not in _known:
        try:
            pictures.read(path, at_least=32)  # a JPEG is decoded at an eighth of its size
            _known[key] = ""
        except pictures.UnreadableError as error:
            _known[key] = error.reason
    return _known[key]
