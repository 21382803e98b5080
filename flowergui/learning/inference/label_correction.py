"""Wrong labels corrected: an image goes to the folder of another class, or out of the dataset.

The split.csv of the run that shows them follows, so that it names the image where it is now: the
run resumes and is evaluated with the corrected labels. For other runs, such an image is missing and
new (data/dataset_diff.py), and an evaluation finds it where it is (data/leakage.py).
"""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import CorrectionUndone, LabelCorrected, Preparing
from flowergui.learning.data.class_folders import FolderLister, class_name, list_folder
from flowergui.learning.data.dataset_diff import without_class_folder
from flowergui.learning.data.scan import list_photos
from flowergui.store import archives, library
from flowergui.store.archives import file_size
from flowergui.store.photo_files import move_into, move_to
from flowergui.store.reading import reason_of
from flowergui.store.run_folder import RunFolder
from flowergui.store.split_file import SplitRow
from flowergui.text import tr


def correct_label(
    path: Path, folder: Path, label: str, new_label: str, run: RunFolder
) -> Iterator[Preparing | LabelCorrected]:
    """Moves an image of the class `label` in the dataset `folder` into the folder of the class
    `new_label`; "" moves it into a folder beside the dataset, see `left_out_folder`.

    If the image is in the split of `run`, its row follows. Raises FlowerError, and the image stays
    where it is, if the run is training, if no other image could train its class, if it can't be
    moved, or if it is to be left out of a dataset that is a whole drive.
    """
    _refuse_while_training(run)
    if archives.archive_of(str(path)):
        raise FlowerError(
            tr("{name} is in an archive, and archives are never changed.", name=path.name),
            hint=tr("Unpack the archive, and open the folder to correct labels."),
        )
    beside = {new_label}, {*run.classes()} - {label}
    before, after = _around_class_folder(path, folder, label, beside)
    class_folder = folder.joinpath(*before, path.relative_to(folder).parts[len(before)])
    if not _has_more_than_one(class_folder):
        yield from _refuse_last_image(path, folder, label, run)
    if new_label:
        top = _folder_of(new_label, class_folder.parent)
    else:
        top = left_out_folder(folder) / class_folder.name
    target = top.joinpath(*after[:-1])
    moved_to = _moved(path, target)
    corrected = LabelCorrected(str(folder), str(path), label, str(moved_to), new_label)
    try:
        yield _with_split(corrected, run)
    except FlowerError:
        _moved_back(moved_to, path)
        raise


def undo(corrected: LabelCorrected) -> Iterator[CorrectionUndone]:
    """Moves the image back, and its row in the run's split with it. Raises FlowerError if that run
    is training, if the image is not there any more, or if another file has its place."""
    if corrected.run:
        _refuse_while_training(RunFolder(Path(corrected.run)))
    moved_to, path = Path(corrected.moved_to), Path(corrected.path)
    _moved_back(moved_to, path)
    try:
        _restore_row(corrected)
    except FlowerError:
        _moved_back(path, moved_to)
        raise
    yield CorrectionUndone(corrected)


def _restore_row(corrected: LabelCorrected) -> None:
    """The row of the image is again in the run's split.csv, unless the run is gone. Raises
    FlowerError."""
    run = RunFolder(Path(corrected.run))
    if corrected.row is None or not run.exists():
        return
    number, row = corrected.row
    rows = list(run.split_and_sizes())
    if corrected.new_label:
        now = _relative(Path(corrected.moved_to), Path(corrected.folder))
        rows = [each for each in rows if each[0] != now]
    rows.insert(number, row)
    run.rewrite_split(rows)


def _refuse_while_training(run: RunFolder) -> None:
    """Raises FlowerError if any process is training the run: it reads its images where they were
    when it began."""
    if library.is_training(run.path):
        raise FlowerError(
            tr("The run {run} is training in another window or terminal.", run=run.path.name),
            hint=tr("Correct labels when it is over."),
        )


def left_out_folder(folder: Path) -> Path:
    """Where the images are that were left out of a dataset: a folder beside it. Raises FlowerError
    for the root of a drive, beside which there is nothing."""
    if not folder.name:
        raise FlowerError(
            tr("{folder} is a whole drive: images can't be left out of it.", folder=folder),
            hint=tr("Move the class folders into a folder there, and open that."),
        )
    return folder.with_name(f"{folder.name}-left-out")


# --- the file ---------------------------------------------------------------------------------


def _around_class_folder(
    path: Path, folder: Path, label: str, beside: Iterable[set[str]]
) -> tuple[tuple[str, ...], ...]:
    """The parts of a path in the dataset before and after the folder of its class. Of several
    folders with that name, it is the first one with a class of the first set `beside` it, if none
    has, of the next set."""
    if path.is_relative_to(folder):
        found = list(without_class_folder(_relative(path, folder), label))
        for names in beside if len(found) > 1 else ():
            for around in found:
                folders = list_folder(str(folder.joinpath(*around[0]))).folders
                if not names.isdisjoint(map(class_name, folders)):
                    return around
        if found:
            return found[0]
    raise FlowerError(
        tr("{path} is not in a folder of the class {label}.", path=path, label=label),
        hint=tr("Evaluate again: this image was moved since."),
    )


def _has_more_than_one(folder: Path) -> bool:
    found = 0
    for _, listing in FolderLister(str(folder)).walk(""):
        found += len(listing.images)
        if found > 1:
            return True
    return False


def _refuse_last_image(
    path: Path, folder: Path, label: str, run: RunFolder
) -> Generator[Preparing, None, None]:
    """Raises FlowerError if no image of the class would be left to train on, elsewhere in the
    dataset either: the image may be in the validation part of a ready split."""
    own, rows = _relative(path, folder), (yield from list_photos(folder, {*run.classes(), label}))
    others = [part for other, name, part in rows if name == label and other != own]
    if not others:
        raise FlowerError(
            tr("{name} is the last image of {label}.", name=path.name, label=label),
            hint=tr("A class needs at least one image."),
        )
    if "train" not in others:
        raise FlowerError(
            tr("{name} is the last training image of {label}.", name=path.name, label=label),
            hint=tr("A class needs at least one training image."),
        )


def _folder_of(label: str, parent: Path) -> Path:
    """The folder of a class among those in `parent`, which need not exist yet."""
    names = list_folder(str(parent)).folders
    return parent / next((name for name in names if class_name(name) == label), label)


def _moved(path: Path, target: Path) -> Path:
    try:
        target.mkdir(parents=True, exist_ok=True)
        return move_into(path, target)
    except OSError as error:
        raise FlowerError(
            tr(
                "{name} can't be moved to {folder}: {reason}.",
                name=path.name,
                folder=target,
                reason=reason_of(error),
            )
        ) from error


def _moved_back(moved_to: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        move_to(moved_to, path)
    except OSError as error:
        raise FlowerError(
            tr("{name} can't be moved back to {folder}: {reason}.", name=moved_to.name,
               folder=path.parent, reason=reason_of(error))
        ) from error  # fmt: skip
    for emptied in (moved_to.parent, moved_to.parent.parent):
        if emptied != Path(path.parent):
            with suppress(OSError):  # others are in it
                os.rmdir(emptied)


def _relative(path: Path, folder: Path) -> str:
    """The path from the dataset folder on, as split.csv has it."""
    return path.relative_to(folder).as_posix()


# --- the split of the run ---------------------------------------------------------------------


def _with_split(corrected: LabelCorrected, run: RunFolder) -> LabelCorrected:
    """After the row of the image in the run's split.csv is that of its new place, or is gone.
    Raises FlowerError if split.csv can't be read or written."""
    if not run.exists():
        return corrected
    folder = Path(corrected.folder)
    try:
        if not os.path.samefile(run.recipe().photos, folder):
            return corrected
        is_its_dataset = True
    except OSError:  # the dataset was moved, or its drive is away
        is_its_dataset = False
    before = _relative(Path(corrected.path), folder)
    rows = list(run.split_and_sizes())
    number = next((number for number, row in enumerate(rows) if row[0] == before), None)
    if number is None:
        return corrected
    old = rows[number]
    is_its_image = old[3] in (None, file_size(corrected.moved_to))  # old rows say no size
    if not (is_its_dataset or is_its_image):
        return corrected
    if corrected.new_label:
        moved_to = _relative(Path(corrected.moved_to), folder)
        new: SplitRow = (moved_to, corrected.new_label, old[2], old[3])
        rows[number] = new
    else:
        del rows[number]
    run.rewrite_split(rows)
    return replace(corrected, run=str(run.path), row=(number, old))
