"""A run's photos, held against its folder."""

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from scanning import end_of

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.data import dataset_diff
from flowergui.learning.data.scan import list_photos
from flowergui.requests import ResumeOptions
from flowergui.store.run_folder import RunFolder


class Asked(tuple[str, ...]):
    """Class names that count how often they are gone through to find one."""

    times = 0

    def __contains__(self, name: object) -> bool:
        type(self).times += 1
        return super().__contains__(name)


def test_the_classes_are_not_gone_through_for_each_photo(folder: Path, tmp_path: Path) -> None:
    _, rows = end_of(list_photos(folder))
    run = RunFolder(tmp_path)
    run.write_split((), rows[1:], folder)
    classes = Asked(sorted({name for _, name, _ in rows}))
    _, known = end_of(dataset_diff.compare_dataset(run, folder, classes))
    assert (len(known.rows), len(known.added)) == (len(rows) - 1, 1)
    assert not known.unknown_classes
    assert not known.missing_classes
    assert Asked.times == 0


def test_many_photos_tell_how_far_it_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowergui.learning.data.scan.PROGRESS_FILES", 10)
    monkeypatch.setattr(dataset_diff, "PROGRESS_FILES", 10)
    told, rows = end_of(list_photos(folder))
    assert told == [Preparing("Listing images", 16, 0)]  # after a class
    run = RunFolder(tmp_path)
    run.write_split((), rows, folder)
    told, known = end_of(
        dataset_diff.compare_dataset(run, folder, sorted({name for _, name, _ in rows}))
    )
    assert known.rows == tuple(rows)
    assert told[1:] == [Preparing("Comparing images", done, 24) for done in (10, 20)]


def as_split(folder: Path, home: Path) -> None:
    """Moves the folder's classes: the first photo of each validates."""
    for path in sorted(folder.rglob("*.jpg")):
        part = "val" if path.stem.endswith("_0") else "train"
        to = home / part / path.parent.name / path.name
        to.parent.mkdir(parents=True, exist_ok=True)
        path.rename(to)


def test_a_renamed_class_may_have_the_name_of_a_part(flat: Path, tmp_path: Path) -> None:
    (flat / "iris").rename(flat / "train")
    home = tmp_path / "split"
    as_split(flat, home)
    _, rows = end_of(list_photos(home))
    run = RunFolder(tmp_path)
    run.write_split((), rows, home)
    for part in ("train", "val"):
        (home / part / "train").rename(home / part / "loco")
    diff = end_of(
        dataset_diff.compare_dataset(run, home, ("daisy", "lily", "train"), [("train", "loco")])
    )[1]
    assert diff.classes == ("daisy", "lily", "loco")
    assert diff.missing == diff.added == ()
    assert {path.rpartition("/")[0] for path, name, _ in diff.rows if name == "loco"} == {
        "train/loco",
        "val/loco",
    }


def test_a_run_keeps_its_spelling_of_a_class(flat: Path, tmp_path: Path) -> None:
    """Earlier versions took names as the system wrote them; what is new now gets the same name."""
    decomposed = unicodedata.normalize("NFD", "réséda")
    (flat / "iris").rename(flat / decomposed)
    classes = ("daisy", "lily", decomposed)
    _, rows = end_of(list_photos(flat, classes))
    assert {name for _, name, _ in rows} == set(classes)
    run = RunFolder(tmp_path)
    run.write_split((), rows[:-1], flat)
    diff = end_of(dataset_diff.compare_dataset(run, flat, classes))[1]
    assert (diff.classes, diff.unknown_classes, diff.missing) == (classes, (), ())
    assert diff.added == (rows[-1],)


def test_a_run_whose_classes_were_parts_stays_as_it_is(flat: Path, tmp_path: Path) -> None:
    """Earlier versions took training_set and test_set for classes."""
    home = tmp_path / "kaggle"
    for name in ("training_set", "test_set"):
        shutil.copytree(flat, home / name / name)
    rows = [
        (path.relative_to(home).as_posix(), path.relative_to(home).parts[0], "train")
        for path in sorted(home.rglob("*.jpg"))
    ]
    run = RunFolder(tmp_path)
    run.write_split((), rows[1:], home)
    diff = end_of(dataset_diff.compare_dataset(run, home, ("test_set", "training_set")))[1]
    assert diff.rows == tuple(rows[1:])
    assert [row[:2] for row in diff.added] == [rows[0][:2]]


def test_images_in_a_closed_folder_are_not_called_gone(
    flat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path)
    run.write_split((), end_of(list_photos(flat))[1], flat)

    def refusing(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(FlowerError, match="can't be opened: permission denied"):
        end_of(dataset_diff.compare_dataset(run, flat, ("daisy", "iris", "lily")))


def test_images_of_a_closed_class_are_not_called_gone(
    flat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path)
    run.write_split((), end_of(list_photos(flat))[1], flat)
    scandir, isfile = os.scandir, os.path.isfile

    def refusing(path: str) -> object:
        if path.endswith("/iris"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr(os.path, "isfile", lambda path: "/iris/" not in str(path) and isfile(path))
    with pytest.raises(FlowerError, match=r"flowers/iris can't be opened: permission denied"):
        end_of(dataset_diff.compare_dataset(run, flat, ("daisy", "iris", "lily")))


NEW = ResumeOptions(new_photos=True, new_classes=True)


def split_with_new(run: RunFolder, folder: Path, options: ResumeOptions = NEW) -> dict[str, str]:
    """The part of each photo when the run takes in the new ones."""
    diff = end_of(dataset_diff.compare_dataset(run, folder, ("daisy", "iris", "lily")))[1]
    copies = end_of(dataset_diff.find_new_copies(diff, options))[1]
    recipe = Recipe(photos=str(folder), validation_fraction=0.4)
    split = dataset_diff.split_after(diff, recipe, options, copies)
    return {path: part for path, _, part in split.rows()}


def test_new_copies_of_new_photos_stay_together(
    flat: Path, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    rows = end_of(list_photos(flat))[1]
    run = RunFolder(tmp_path)
    run.write_split((), rows, flat)
    more = make_photos(tmp_path / "more", classes=4, per_class=10, side=30)
    for name in ("lily", "rose"):
        for number in range(10):
            for copy in "abc":
                target = flat / name / f"new {number}{copy}.jpg"
                target.parent.mkdir(exist_ok=True)
                shutil.copy(more / name / f"{name}_{number}.jpg", target)

    parts = split_with_new(run, flat)

    assert [parts[path] for path, _, _ in rows] == [part for _, _, part in rows]
    for name in ("lily", "rose"):
        of_each = [
            {parts[f"{name}/new {number}{copy}.jpg"] for copy in "abc"} for number in range(10)
        ]
        assert sorted(of_each, key=min) == [{"train"}] * 6 + [{"validation"}] * 4
    assert split_with_new(run, flat, ResumeOptions()).keys() == {path for path, _, _ in rows}


def test_a_new_copy_of_a_photo_in_both_parts_trains(flat: Path, tmp_path: Path) -> None:
    """Older versions split copies like other photos; these stay where they are."""
    shutil.copy(flat / "lily" / "lily_0.jpg", flat / "lily" / "a.jpg")
    rows = [
        (path, name, "validation" if path == "lily/a.jpg" else "train")
        for path, name, _ in end_of(list_photos(flat))[1]
    ]
    run = RunFolder(tmp_path)
    run.write_split((), rows, flat)
    for number in range(10):
        shutil.copy(flat / "lily" / "lily_0.jpg", flat / "lily" / f"new {number}.jpg")
    parts = split_with_new(run, flat)
    assert [path for path, part in parts.items() if part == "validation"] == ["lily/a.jpg"]


def test_a_new_class_of_one_photo_many_times_is_split_all_the_same(
    flat: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    run.write_split((), end_of(list_photos(flat))[1], flat)
    (flat / "rose").mkdir()
    for number in range(5):
        shutil.copy(flat / "lily" / "lily_0.jpg", flat / "rose" / f"{number}.jpg")
    parts = split_with_new(run, flat)
    assert sorted(part for path, part in parts.items() if path.startswith("rose/")) == [
        *("train",) * 3,
        *("validation",) * 2,
    ]
