"""Compares a run's dataset with its folder as it is now."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.facts import Problem
from flowergui.learning.data.class_folders import class_name
from flowergui.learning.data.dataset_listing import NoFolderError
from flowergui.learning.data.duplicates import find_copies_in
from flowergui.learning.data.photo_check import readable
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.scan import PROGRESS_FILES, list_folder
from flowergui.learning.data.split import Split, split_class
from flowergui.requests import ResumeOptions
from flowergui.store import archives
from flowergui.store.archives import FileSizes
from flowergui.store.run_folder import RunFolder
from flowergui.text import enumerated, tr

RENAMED_SHARE = 0.5
"""A new class with this share of a missing class's images counts as that class, renamed."""


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """The differences between a run's dataset and its folder.

    `classes` and `rows` (path, class, "train" or "validation") are the run's, with the class names
    of today. `missing` and `changed` are paths; the `missing_classes` have no images left. `added`
    are rows of new images of the run's classes; those of other classes are in `unknown_classes`.
    `renamed` are pairs (old, new) of class names that the names of their images suggest.
    """

    folder: Path
    classes: tuple[str, ...]
    rows: tuple[tuple[str, str, str], ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    missing_classes: tuple[str, ...]
    added: tuple[tuple[str, str, str], ...]
    unknown_classes: tuple[tuple[str, str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    ready: bool
    """Whether the folder has validation images of its own."""

    @property
    def new_classes(self) -> tuple[str, ...]:
        """Names of the classes that the run doesn't know."""
        return tuple(sorted({name for _, name, _ in self.unknown_classes}))

    def raise_if_unusable(self) -> None:
        """Raises FlowerError if the run can't be resumed with the remaining images."""
        if not self.rows or len(self.missing) > len(self.rows) / 2:
            raise FlowerError(
                tr("Most images of this run are no longer in {folder}.", folder=self.folder),
                hint=self.remedy() or tr("Choose the folder where they are now."),
                option="--rename" if self.renamed else "--photos",
            )
        if self.missing_classes:
            raise FlowerError(
                tr(
                    "No image of {classes} is left in {folder}.",
                    classes=enumerated(self.missing_classes),
                    folder=self.folder,
                ),
                hint=self.remedy()
                or tr("Put them back, or start transfer learning from its last.pth."),
                option="--rename" if self.renamed else "",
            )

    def remedy(self) -> str:
        """What to do if a class seems to be renamed; "" if none does."""
        if not self.renamed:
            return ""
        old, new = self.renamed[0]
        return tr(
            "If the class {old} is now called {new}, rename it when you resume.", old=old, new=new
        )


def compare_dataset(
    run: RunFolder, folder: Path, classes: Sequence[str], renamed: Sequence[tuple[str, str]] = ()
) -> Generator[Preparing, None, DatasetDiff]:
    """Lists the folder, and opens new images only: unreadable ones don't count as new.

    Raises FlowerError if the folder doesn't exist, and for an impossible renaming.
    """
    names = dict(renamed)
    try:
        found = yield from list_folder(folder, {*classes, *names.values()} - names.keys())
    except NoFolderError as error:
        raise FlowerError(
            tr("The images of this run are no longer in {folder}.", folder=folder),
            hint=tr("Choose the folder where they are now."),
            option="--photos",
        ) from error
    listed = found.rows()
    here = {path for path, _, _ in listed}
    if len(names) < len(renamed) or len(set(names.values())) < len(renamed):
        raise FlowerError(
            tr("Each class can be renamed only once, and each new name can be used only once.")
        )
    _check_renaming(names, classes, {name for _, name, _ in listed})
    known = tuple(names.get(name, name) for name in classes)
    moved = _Renamed(names, listed)
    names_now = set(known)
    of_the_run = {*classes, *names.values()}
    rows, missing, changed = [], [], []
    later, sizes = set(), FileSizes(folder)
    for number, (before, name, part, size) in enumerate(run.split_and_sizes(), 1):
        if number % PROGRESS_FILES == 0:
            yield Preparing(tr("Comparing images"), number, max(number, len(listed)))
        if name not in of_the_run:
            later.add(name)  # added or renamed after this checkpoint: new again
            continue
        path = moved.path(before, name) if name in names else before
        rows.append((path, names.get(name, name), part))
        if path not in here and not archives.is_file(folder / path):
            missing.append(path)
        elif size is not None and sizes.of(path) != size:
            changed.append(path)
    _raise_if_closed(folder, found.closed, missing)
    mine, lost = {path for path, _, _ in rows}, set(missing)
    left = {name for path, name, _ in rows if path not in lost}
    new = [row for row in listed if row[0] not in mine]
    good = yield from readable(folder, [path for path, _, _ in new])
    new = [row for row in new if row[0] in good]
    missing_classes = tuple(name for name in known if name not in left)
    unknown = tuple(row for row in new if row[1] not in names_now)
    return DatasetDiff(
        folder=folder,
        classes=known,
        rows=tuple(rows),
        missing=tuple(missing),
        changed=tuple(changed),
        missing_classes=missing_classes,
        added=tuple(row for row in new if row[1] in names_now),
        unknown_classes=unknown,
        renamed=_suggested(missing_classes, rows, unknown, later),
        ready=any(part == "validation" for _, _, part in listed),
    )


def find_new_copies(
    diff: DatasetDiff, options: ResumeOptions
) -> Generator[Preparing, None, dict[str, str]]:
    """The requested new images that have the content of another image of their class, which may be
    new too: the path of each, and that of the other. Yields the progress. Where the dataset has a
    split of its own, none is looked for."""
    wanted = () if diff.ready else _wanted(diff, options)
    by_class: dict[str, list[str]] = {name: [] for _, name, _ in wanted}
    # Of images that older versions put into both parts, the one that trains comes first.
    own = sorted((row for row in diff.rows if row[1] in by_class), key=lambda row: row[2])
    for path, name, _ in (*own, *wanted):
        by_class[name].append(path)
    return (yield from find_copies_in(diff.folder, by_class.values(), {path for path, *_ in own}))


def split_after(
    diff: DatasetDiff,
    recipe: Recipe,
    options: ResumeOptions,
    copies: Mapping[str, str] | None = None,
) -> Split:
    """The run's split, followed by the requested new images: the run's own keep their indices, and
    with them their augmentation. New images that are `copies` of others have the part of these."""
    copies = copies or {}
    classes = diff.classes + (diff.new_classes if options.new_classes else ())
    label = {name: number for number, name in enumerate(classes)}
    parts: dict[str, list[Photo]] = {"train": [], "validation": []}
    for path, name, part in diff.rows:
        parts[part].append(Photo(path, label[name]))
    by_class: dict[str, list[tuple[str, str, str]]] = {}
    for row in _wanted(diff, options):
        by_class.setdefault(row[1], []).append(row)
    for name, rows in by_class.items():
        new = [Photo(path, label[name]) for path, _, _ in rows]
        if diff.ready:
            for photo, (_, _, part) in zip(new, rows, strict=True):
                parts[part].append(photo)
            continue
        alone = name not in diff.classes
        fraction = recipe.validation_fraction
        first = [photo for photo in new if photo.path not in copies]
        shares = split_class(first, f"{recipe.seed} {name}", fraction, whole_class=alone)
        parts["train"] += shares[0]
        parts["validation"] += shares[1]
    if copies:
        validating = {photo.path for photo in parts["validation"]}
        for path, name, _ in _wanted(diff, options):
            if path in copies:
                part = "validation" if copies[path] in validating else "train"
                parts[part].append(Photo(path, label[name]))
    return Split(diff.folder, classes, tuple(parts["train"]), tuple(parts["validation"]))


def _wanted(diff: DatasetDiff, options: ResumeOptions) -> tuple[tuple[str, str, str], ...]:
    """The rows of the new images that are requested."""
    added = diff.added if options.new_photos else ()
    return added + (diff.unknown_classes if options.new_classes else ())


def _raise_if_closed(folder: Path, closed: Sequence[Problem], missing: Sequence[str]) -> None:
    """Raises FlowerError if images are missing because their folder can't be read."""
    for problem in closed:
        if any(path.startswith(f"{problem.path}/") for path in missing):
            raise FlowerError(
                tr(
                    "{folder} can't be opened: {reason}.",
                    folder=folder / problem.path,
                    reason=problem.reason,
                ),
                hint=tr("Copy or download it again.")
                if archives.has_archive_name(problem.path)
                else tr("Change its permissions: images of this run are in it."),
            )


def _check_renaming(names: dict[str, str], classes: Sequence[str], here: set[str]) -> None:
    for old, new in names.items():
        if old not in classes:
            raise FlowerError(
                tr("This run has no class {name}.", name=old),
                hint=tr("Its classes are {names}.", names=enumerated(classes)),
            )
        if new in classes or new not in here:
            if new in classes:
                message = tr(
                    "{old} can't be renamed to {new}: that is another class of this run.",
                    old=old,
                    new=new,
                )
            else:
                message = tr(
                    "{old} can't be renamed to {new}: there is no class folder with that name.",
                    old=old,
                    new=new,
                )
            raise FlowerError(message)


class _Renamed:
    """Where the images of renamed classes are now. Of the folders in a path, the one whose name
    changes is that of the class: a part of a split may have the same name."""

    def __init__(self, names: Mapping[str, str], listed: Sequence[tuple[str, str, str]]) -> None:
        self._names = names
        new = set(names.values())
        self._here = {
            (name, place): path
            for path, name, _ in listed
            if name in new
            for place in without_class_folder(path, name)
        }

    def path(self, before: str, name: str) -> str:
        """Where an image of the class is now that was at the path `before`; if it is gone, where
        it would be."""
        new, path = self._names[name], before
        for place in without_class_folder(before, name):
            if found := self._here.get((new, place)):
                return found
            path = "/".join((*place[0], new, *place[1]))
        return path


def without_class_folder(path: str, name: str) -> Iterator[tuple[tuple[str, ...], ...]]:
    """What stands before and after a folder of the class `name` in a path, for each such folder."""
    parts = PurePosixPath(path).parts
    for number, part in enumerate(parts[:-1]):
        if class_name(part) == class_name(name):
            yield parts[:number], parts[number + 1 :]


def _suggested(
    missing_classes: Sequence[str],
    rows: Sequence[tuple[str, str, str]],
    unknown: Sequence[tuple[str, str, str]],
    later: set[str],
) -> tuple[tuple[str, str], ...]:
    """Missing classes, each with the new class that has most of its images' names, or the name
    that the run itself gave it `later` than its checkpoint."""
    theirs: dict[str, set[str]] = {}
    for path, name, _ in unknown:
        theirs.setdefault(name, set()).add(PurePosixPath(path).name)
    ours: dict[str, set[str]] = {name: set() for name in missing_classes}
    for path, name, _ in rows:
        if name in ours:
            ours[name].add(PurePosixPath(path).name)
    found = []
    for old, mine in ours.items():
        likeliest = max(theirs, key=lambda name: len(mine & theirs[name]), default="")
        if not mine:
            likeliest = later.pop() if len(later) == len(missing_classes) == 1 else ""
        if likeliest in theirs and len(mine & theirs[likeliest]) >= RENAMED_SHARE * len(mine):
            found.append((old, likeliest))
            del theirs[likeliest]
    return tuple(found)
