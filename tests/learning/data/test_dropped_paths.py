"""What dropped, pasted and typed paths are."""

import os
import sys
from pathlib import Path

import pytest

from flowergui import tasks
from flowergui.errors import FlowerError
from flowergui.events import PhotosFound, Preparing
from flowergui.learning.data.dropped_paths import existing, find_photos


def kinds(*paths: object, to_predict: bool = True, typed: bool = False) -> tuple[list[str], ...]:
    """The names of the files and of the datasets among these paths."""
    (found,) = tasks.sort_paths(list(map(str, paths)), to_predict=to_predict, typed=typed)
    groups = found.files, found.folders
    return tuple([Path(path).name for path in group] for group in groups)


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_of_loose_images_stands_for_them_where_images_are_predicted(tmp_path: Path):
    loose = filled(tmp_path / "walk", "b.JPG", "a.png", "notes.txt", ".hidden.jpg", "._a.png")
    assert kinds(loose) == (["a.png", "b.JPG"], [])
    assert kinds(loose, to_predict=False) == ([], ["walk"])


@pytest.mark.parametrize("names", [("rose/1.jpg", "cover.jpg"), ("notes.txt",)])
def test_any_other_folder_is_a_dataset(tmp_path: Path, names: tuple[str, ...]):
    assert kinds(filled(tmp_path / "flowers", *names)) == ([], ["flowers"])


@pytest.mark.skipif(sys.platform == "win32", reason="no fifos there")
def test_what_is_no_file_is_no_image_of_a_folder(tmp_path: Path):
    loose = filled(tmp_path / "walk", "a.png")
    os.mkfifo(loose / "pipe.png")
    assert kinds(loose) == (["a.png"], [])


@pytest.mark.parametrize("name", ["x.jpg", "no suffix", "y" * 300, "a/" * 3000 + "x"])
def test_whatever_else_is_dropped_counts_as_a_file(name: str):
    """Who reads it says what is wrong with it."""
    assert kinds(name) == ([Path(name).name], [])


def test_typed_paths_that_do_not_exist_are_left_out(tmp_path: Path):
    filled(tmp_path, "a.png")
    paths = (tmp_path / "a.png", tmp_path / "b.png", "z" * 300)
    assert kinds(*paths, typed=True) == (["a.png"], [])


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
def test_a_name_that_is_no_utf8_is_found_as_it_is_shown(tmp_path: Path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    Path(os.fsdecode(folder + b"/\xfcber.png")).touch()
    shown = f"{tmp_path}/caf\ufffd/\ufffdber.png"
    assert os.fsencode(existing(shown)) == folder + b"/\xfcber.png"
    assert existing(f"{tmp_path}/\ufffdaf\ufffd") == ""
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe8")
    assert existing(shown) == ""  # it may be either


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Images in a folder and below it, and what is none."""
    for name in ("b.jpg", "a.JPG", "monday/c.png", "monday/cam/d.tif", ".hidden/e.jpg", "f.nef"):
        path = tmp_path / "walk" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "walk" / "monday" / "loop").symlink_to(tmp_path / "walk")
    return tmp_path / "walk"


def test_all_images_in_a_folder_and_below(walk: Path) -> None:
    *progress, found = find_photos([walk])
    assert all(isinstance(each, Preparing) for each in progress)
    assert isinstance(found, PhotosFound)
    names = [str(Path(each).relative_to(walk)) for each in found.photos]
    assert names == ["a.JPG", "b.jpg", "monday/c.png", "monday/cam/d.tif"]
    (problem,) = found.problems
    assert problem.path == str(walk / "f.nef")
    assert ".nef files are not read" in problem.reason


def test_files_come_in_their_order_and_once(walk: Path) -> None:
    last, first = walk / "b.jpg", walk / "a.JPG"
    *_, found = find_photos([last, walk / "gone.jpg", first, walk])
    assert isinstance(found, PhotosFound)
    assert found.photos[:3] == (str(last), str(walk / "gone.jpg"), str(first))
    assert len(found.photos) == 5


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="There is no image in"):
        list(find_photos([tmp_path]))
