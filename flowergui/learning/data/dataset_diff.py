"""What has become of the photos of a run since it began."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.data.photo_check import readable
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.scan import PROGRESS_FILES, list_photos
from flowergui.learning.data.split import Split, split_class
from flowergui.requests import ResumeOptions
from flowergui.store.run_folder import RunFolder, file_size

ALIKE = 0.5
"""The share of a class's photos that must lie under another name for it to be taken for renamed."""


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """The photos of a run, held against its folder as it is now.

    `classes` and `rows` (path, class, train or validation) are the run's, under the names that
    they have now. `missing` and `changed` are paths; of the classes in `gone` no photo is left.
    `added` are rows of photos that the run doesn't know, of classes that it knows; those of
    others are in `strangers`. `renamed` are pairs of old and new names of classes that the names
    of their photos suggest.
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
    """Whether the folder has validation photos of its own."""

    @property
    def new_classes(self) -> tuple[str, ...]:
        """The classes that have come since."""
        return tuple(sorted({name for _, name, _ in self.unknown_classes}))

    def raise_if_unusable(self) -> None:
        """Raises FlowerError where the run can't go on with what is left."""
        if not self.rows or len(self.missing) > len(self.rows) / 2:
            raise FlowerError(
                f"Most photos of this run are not in {self.folder} any more.",
                hint=self.remedy() or "Choose the folder where they are now.",
                option="--rename" if self.renamed else "--photos",
            )
        if self.missing_classes:
            raise FlowerError(
                f"No photo of {', '.join(self.missing_classes)} is left in {self.folder}.",
                hint=self.remedy() or "Put them back, or start a transfer from its last.pth.",
                option="--rename" if self.renamed else "",
            )

    def remedy(self) -> str:
        """What helps where classes seem to be renamed; "" where none do."""
        if not self.renamed:
            return ""
        old, new = self.renamed[0]
        return f"If {old} is called {new} now, say so."


def compare_dataset(
    run: RunFolder, folder: Path, classes: Sequence[str], renamed: Sequence[tuple[str, str]] = ()
) -> Generator[Preparing, None, DatasetDiff]:
    """Lists the folder; only photos that the run doesn't know are opened, since what can't be
    read is not new: it was left out before. Raises FlowerError where the folder is none, and for
    a renaming that can't be."""
    if not folder.is_dir():
        raise FlowerError(
            f"The photos of this run are not in {folder} any more.",
            hint="Choose the folder where they are now.",
            option="--photos",
        )
    listed = yield from list_photos(folder)
    here = {path for path, _, _ in listed}
    names = dict(renamed)
    if len(names) < len(renamed) or len(set(names.values())) < len(renamed):
        raise FlowerError(
            "Each class can be called otherwise once, and each new name be used once."
        )
    _check_renaming(names, classes, {name for _, name, _ in listed})
    known = tuple(names.get(name, name) for name in classes)
    names_now = set(known)
    of_the_run = {*classes, *names.values()}
    rows, missing, changed = [], [], []
    later = set()
    for number, (before, name, part, size) in enumerate(run.split_and_sizes(), 1):
        if number % PROGRESS_FILES == 0:
            yield Preparing("Comparing photos", number, max(number, len(listed)))
        if name not in of_the_run:
            later.add(name)  # taken in, or renamed, after this checkpoint: new once more
            continue
        path = _moved(before, name, names[name]) if name in names else before
        rows.append((path, names.get(name, name), part))
        if path not in here and not (folder / path).is_file():
            missing.append(path)
        elif size is not None and file_size(f"{folder}/{path}") != size:
            changed.append(path)
    mine, lost = {path for path, _, _ in rows}, set(missing)
    left = {name for path, name, _ in rows if path not in lost}
    new = [row for row in listed if row[0] not in mine]
    good = yield from readable(folder, [path for path, _, _ in new])
    new = [row for row in new if row[0] in good]
    gone = tuple(name for name in known if name not in left)
    strangers = tuple(row for row in new if row[1] not in names_now)
    return DatasetDiff(
        folder=folder,
        classes=known,
        rows=tuple(rows),
        missing=tuple(missing),
        changed=tuple(changed),
        missing_classes=gone,
        added=tuple(row for row in new if row[1] in names_now),
        unknown_classes=strangers,
        renamed=_suggested(gone, rows, strangers, later),
        ready=any(part == "validation" for _, _, part in listed),
    )


def split_after(inventory: DatasetDiff, recipe: Recipe, how: ResumeOptions) -> Split:
    """The run's own split, to which the new photos that are wanted are appended: those that it
    knows keep their places, and with them the randomness that is theirs."""
    classes = inventory.classes
    wanted = list(inventory.added if how.new_photos else ())
    if how.new_classes:
        classes += inventory.new_classes
        wanted += inventory.unknown_classes
    label = {name: number for number, name in enumerate(classes)}
    parts: dict[str, list[Photo]] = {"train": [], "validation": []}
    for path, name, part in inventory.rows:
        parts[part].append(Photo(path, label[name]))
    by_class: dict[str, list[tuple[str, str, str]]] = {}
    for row in wanted:
        by_class.setdefault(row[1], []).append(row)
    for name, rows in by_class.items():
        new = [Photo(path, label[name]) for path, _, _ in rows]
        if inventory.ready:
            for photo, (_, _, part) in zip(new, rows, strict=True):
                parts[part].append(photo)
            continue
        alone = name not in inventory.classes
        fraction = recipe.validation_fraction
        shares = split_class(new, f"{recipe.seed} {name}", fraction, whole_class=alone)
        parts["train"] += shares[0]
        parts["validation"] += shares[1]
    return Split(inventory.folder, classes, tuple(parts["train"]), tuple(parts["validation"]))


def _check_renaming(names: dict[str, str], classes: Sequence[str], here: set[str]) -> None:
    for old, new in names.items():
        if old not in classes:
            raise FlowerError(
                f"This run knows no class {old}.", hint=f"It knows {', '.join(classes)}."
            )
        if new in classes or new not in here:
            why = "is another class of this run" if new in classes else "is no folder of photos"
            raise FlowerError(f"{old} can't be called {new} now: {new} {why}.")


def _moved(path: str, old: str, new: str) -> str:
    """`path` with the folder of the class called otherwise."""
    parts = list(PurePosixPath(path).parts)
    parts[parts.index(old)] = new
    return "/".join(parts)


def _suggested(
    gone: Sequence[str],
    rows: Sequence[tuple[str, str, str]],
    strangers: Sequence[tuple[str, str, str]],
    later: set[str],
) -> tuple[tuple[str, str], ...]:
    """Classes that are gone, with the new class that has most of their photos' names, or that
    the run itself called so `later` than its checkpoint."""
    theirs: dict[str, set[str]] = {}
    for path, name, _ in strangers:
        theirs.setdefault(name, set()).add(PurePosixPath(path).name)
    found = []
    for old in gone:
        mine = {PurePosixPath(path).name for path, name, _ in rows if name == old}
        likeliest = max(theirs, key=lambda name: len(mine & theirs[name]), default="")
        if not mine:
            likeliest = later.pop() if len(later) == len(gone) == 1 else ""
        if likeliest in theirs and len(mine & theirs[likeliest]) >= ALIKE * len(mine):
            found.append((old, likeliest))
            del theirs[likeliest]
    return tuple(found)
