"""A dataset folder: its classes, what is left out, and what is refused."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest
from scanning import ready_split, scanned

from flowergui.errors import FlowerError
from flowergui.events import Scanned, ScanProgress
from flowergui.facts import Problem
from flowergui.learning.data import photo_check
from flowergui.learning.data.scan import scan
from flowergui.learning.data.split import split_photos


def refusal(folder: Path) -> FlowerError:
    with pytest.raises(FlowerError) as refused:
        scanned(folder)
    assert refused.value.hint
    return refused.value


def test_flat_folder(flat: Path) -> None:
    found, events = scanned(flat)
    assert (found.layout, found.classes) == ("flat", ("daisy", "iris", "lily"))
    assert len(found.train) == 15
    assert found.validation == found.problems == ()
    assert {found.classes[p.label] == p.path.split("/")[0] for p in found.train} == {True}
    told = events[-1]
    assert isinstance(told, Scanned)
    assert [(c.name, c.train, c.validation) for c in told.classes] == [
        (name, 5, 0) for name in found.classes
    ]
    assert all(Path(path).is_file() for c in told.classes for path in c.examples)


def test_progress_goes_from_nothing_to_all(make_photos: Callable[..., Path], tmp_path: Path):
    _, events = scanned(make_photos(tmp_path / "many", classes=2, per_class=40, side=8))
    progress = [event for event in events if isinstance(event, ScanProgress)]
    assert [event.checked for event in progress] == [0, 32, 64, 80]
    assert {event.found for event in progress} == {80}
    assert events[:-1] == progress


def test_many_photos_can_be_used_before_they_are_opened(flat: Path, monkeypatch) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 14)
    (flat / "iris" / "iris_2.jpg").write_text("no picture")
    found, events = scanned(flat)
    first = next(event for event in events if isinstance(event, Scanned))
    assert not first.checked
    assert [each.train for each in first.classes] == [5, 5, 5]
    assert all(event.checked == 0 for event in takewhile(lambda each: each != first, events))
    assert events[-2] == ScanProgress(15, 15)
    assert events[-1].checked
    assert [each.train for each in events[-1].classes] == [5, 4, 5]
    assert [problem.path for problem in events[-1].problems] == ["iris/iris_2.jpg"]
    assert len(found.train) == 14


def test_whom_the_listing_suffices_nothing_is_opened(flat: Path, monkeypatch) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 14)
    monkeypatch.setattr(photo_check, "check_file", lambda path: pytest.fail(f"{path} was opened"))
    listed = list(scan(flat, thorough=False))
    assert [type(event) for event in listed] == [Scanned]


def test_a_listing_tells_how_far_it_is(flat: Path, monkeypatch) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 14)
    monkeypatch.setattr("flowergui.learning.data.scan.PROGRESS_FILES", 6)
    listed = list(scan(flat, thorough=False))
    assert listed[:-1] == [ScanProgress(0, 10)]


def test_validation_photos_come_from_val_where_there_is_a_test_too(flat: Path) -> None:
    ready_split(flat, "val")
    shutil.copytree(flat / "val", flat / "test")
    assert {p.path.split("/")[0] for p in scanned(flat)[0].validation} == {"val"}


def test_a_class_of_validation_alone_is_a_problem(flat: Path) -> None:
    shutil.copytree(ready_split(flat, "val") / "val" / "daisy", flat / "val" / "aster")
    found, _ = scanned(flat)
    assert found.classes == ("daisy", "iris", "lily")
    assert found.problems == (Problem("aster", "has validation images but no training images", 2),)


def test_a_class_folder_without_photos_is_a_problem(flat: Path) -> None:
    (flat / "rose").mkdir()
    (flat / "rose" / "notes.txt").write_text("none yet")
    found, _ = scanned(flat)
    assert found.classes == ("daisy", "iris", "lily")
    assert found.problems == (Problem("rose", "no images in it"),)


def test_what_systems_leave_behind_is_passed_over(flat: Path) -> None:
    before, _ = scanned(flat)
    one = next((flat / "iris").iterdir())
    for name in ("__MACOSX", ".ipynb_checkpoints"):
        (flat / name).mkdir()
        shutil.copy(one, flat / name)
        shutil.copytree(flat / name, flat / "iris" / name)
    shutil.copy(one, flat / "iris" / f"._{one.name}")
    for name in ("Thumbs.db", "desktop.ini", "notes.txt"):
        (flat / "iris" / name).write_text("no photo")
    found, _ = scanned(flat)
    assert (found.train, found.problems) == (before.train, ())
    assert [(each.path, each.count) for each in found.leftovers] == [
        ("iris/notes.txt", 1),
        ("__MACOSX", 4),
        (".ipynb_checkpoints", 3),
    ]


def test_links_that_lead_back_bring_nothing_in(flat: Path) -> None:
    before, _ = scanned(flat)
    (flat / "iris" / "here").symlink_to(flat / "iris", target_is_directory=True)
    (flat / "iris" / "up").symlink_to(flat, target_is_directory=True)
    (flat / "iris" / "top").symlink_to("/", target_is_directory=True)
    (flat / "iris" / "itself").symlink_to("itself")
    (flat / "iris" / "gone.jpg").symlink_to("nowhere.jpg")
    after, _ = scanned(flat)
    assert after.train == before.train
    assert [problem.path for problem in after.problems] == ["iris/gone.jpg", "iris/itself"]
    assert after.problems[0].reason == "it is a link to a file that is not there"


def test_photos_may_lie_deeper_and_behind_a_link(flat: Path, tmp_path: Path) -> None:
    (flat / "lily").rename(tmp_path / "elsewhere")
    (flat / "lily").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (flat / "iris" / "2024" / "may").mkdir(parents=True)
    for photo in list((flat / "iris").glob("*.jpg")):
        photo.rename(flat / "iris" / "2024" / "may" / photo.name)
    found, _ = scanned(flat)
    assert Counter(found.classes[p.label] for p in found.train) == dict.fromkeys(found.classes, 5)
    assert "iris/2024/may/iris_0.jpg" in [photo.path for photo in found.train]


def test_names_may_be_written_in_any_script(flat: Path) -> None:
    (flat / "iris").rename(flat / "アイリス")
    (flat / "lily").rename(flat / "Löwenzahn & Co, 'x'")
    os.rename(flat / "daisy/daisy_1.jpg", os.fsencode(flat / "daisy") + b"/\xff\xfe.jpg")
    found, _ = scanned(flat)
    assert found.classes == ("Löwenzahn & Co, 'x'", "daisy", "アイリス")
    assert len(found.train) == 15
    assert found.problems == ()
    assert len(split_photos(found, 0.2, 0).fingerprint()) == 64


def test_real_flowers(flower_photos: Path) -> None:
    found, _ = scanned(flower_photos)
    assert found.problems == ()
    split = split_photos(found, 0.2, 0)
    assert len(split.validation) == pytest.approx(0.2 * len(found.train), abs=len(found.classes))
    assert {photo.label for photo in split.validation} == {*range(len(found.classes))}


def test_a_folder_that_is_none(flat: Path) -> None:
    assert refusal(flat / "nowhere").message == f"There is no folder {flat / 'nowhere'}."
    file = flat / "iris" / "iris_0.jpg"
    assert refusal(file).message == f"{file} is not a folder."


def test_one_class_only(flat: Path) -> None:
    shutil.rmtree(flat / "iris")
    shutil.rmtree(flat / "lily")
    assert refusal(flat).message == (
        "flowers has images of only one class, daisy; at least two are needed."
    )


def test_photos_without_class_folders(flat: Path) -> None:
    assert refusal(flat / "iris").message == "iris has images, but no class subfolders."


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty").message == "empty has no class subfolders with images."


def test_no_photo_can_be_read(flat: Path) -> None:
    for photo in flat.rglob("*.jpg"):
        photo.write_bytes(b"")
    assert refusal(flat).message == (
        "No image in flowers can be used. Left out: daisy/daisy_0.jpg: the file is empty, "
        "daisy/daisy_1.jpg: the file is empty, daisy/daisy_2.jpg: the file is empty and 12 more."
    )
