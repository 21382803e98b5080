"""What lies in folders of images besides images: all of it is used or named."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from scanning import ready_split, scanned

from flowergui.errors import FlowerError
from flowergui.facts import Problem

Close = Callable[[Path], None]


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Iterator[Close]:
    """Takes the permission to read a folder away; from root, whom none stops, by the system call
    itself."""

    changed: list[Path] = []

    def closed(folder: Path) -> None:
        if os.geteuid():
            changed.append(folder)
            folder.chmod(0)
            return
        scandir = os.scandir

        def refusing(path: str) -> object:
            if Path(path) == folder:
                raise PermissionError(13, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refusing)

    yield closed
    for folder in changed:
        folder.chmod(0o700)


def refusal(folder: Path) -> FlowerError:
    with pytest.raises(FlowerError) as refused:
        scanned(folder)
    return refused.value


# --- no files -------------------------------------------------------------------------------------


def test_what_is_no_file_is_named_and_never_opened(
    flat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = scanned(flat)
    os.mkfifo(flat / "iris" / "pipe.jpg")
    os.mkfifo(flat / "iris" / "pipe")
    (flat / "lily" / "zero.png").symlink_to("/dev/zero")
    (flat / "lily" / "gone.png").symlink_to("nowhere.png")
    monkeypatch.chdir(flat)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("lily/socket.png")
        found, _ = scanned(flat)
    assert found.train == before.train
    assert found.problems == (
        Problem("iris/pipe", "it is a named pipe, not a file"),
        Problem("iris/pipe.jpg", "it is a named pipe, not a file"),
        Problem("lily/gone.png", "it is a link to a file that is not there"),
        Problem("lily/socket.png", "it is a socket, not a file"),
        Problem("lily/zero.png", "it is a device, not a file"),
    )


# --- folders that can't be read -------------------------------------------------------------------


def test_a_closed_class_is_named(flat: Path, close: Close) -> None:
    close(flat / "iris")
    found, _ = scanned(flat)
    assert found.classes == ("daisy", "lily")
    assert found.problems == (Problem("iris", "permission denied"),)


def test_a_closed_folder_in_a_class_is_named(flat: Path, close: Close) -> None:
    (flat / "iris" / "2024").mkdir()
    close(flat / "iris" / "2024")
    found, _ = scanned(flat)
    assert len(found.train) == 15
    assert found.problems == (Problem("iris/2024", "permission denied"),)


def test_a_closed_dataset_is_not_called_empty(flat: Path, close: Close) -> None:
    close(flat)
    assert refusal(flat).message == f"{flat} can't be opened: permission denied."


def test_closed_classes_are_why_there_is_only_one(flat: Path, close: Close) -> None:
    shutil.rmtree(flat / "lily")
    close(flat / "iris")
    assert "only one class, daisy" in refusal(flat).message
    assert "Left out: iris: permission denied." in refusal(flat).message


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 300)
    assert refusal(folder).message == f"{folder} can't be opened: File name too long."


# --- other endings --------------------------------------------------------------------------------


def test_files_with_other_endings_are_counted_and_named(flat: Path) -> None:
    for name in ("1.CR2", "2.cr2", "3.tga", "photo", "x.xyz"):
        (flat / "iris" / name).write_bytes(b"?")
    for name in ("a.xml", "b.xml", "README"):
        (flat / "lily" / name).write_text("about")
    found, _ = scanned(flat)
    assert found.problems == (
        Problem("iris/photo", "its name has no ending, such as .jpg, that says what it is"),
        Problem("iris/1.CR2", ".cr2 files are not read; convert them to JPEG or PNG", 2),
        Problem("iris/3.tga", ".tga files are not read; convert them to JPEG or PNG"),
        Problem("iris/x.xyz", ".xyz is not the ending of an image file"),
    )
    assert found.leftovers == (
        Problem("lily/README", "no image"),
        Problem("lily/a.xml", "no image", 2),
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.CR2", b"raw", "tulip: no images in it that can be read, only .cr2"),
        ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 200, "tulip/a.heic: HEIC images need"),
        ("a.jpg", b"", "tulip/a.jpg: the file is empty"),
        ("scan", b"?", "tulip: no images in it, only files whose names have no ending"),
    ],
)
def test_one_class_only_says_why(flat: Path, name: str, content: bytes, says: str) -> None:
    shutil.rmtree(flat / "iris")
    shutil.rmtree(flat / "lily")
    (flat / "tulip").mkdir()
    (flat / "tulip" / name).write_bytes(content)
    for other in ("1.jpg", "2.jpg", "3.jpg"):
        (flat / "daisy" / other).write_bytes(b"broken too")
    refused = refusal(flat)
    assert refused.message.startswith("flowers has images of only one class, daisy, that can be")
    assert f"Left out: {says}" in refused.message
    assert refused.hint.startswith("Mend or convert what was left out")


def test_photos_beside_the_class_folders_are_named(flat: Path) -> None:
    for name in ("cover.jpg", "more.jpg"):
        shutil.copy(flat / "iris" / "iris_0.jpg", flat / name)
    assert scanned(flat)[0].problems == (Problem("cover.jpg", "in the folder of no class", 2),)


# --- copies ---------------------------------------------------------------------------------------


def test_a_photo_in_two_classes_is_mentioned(flat: Path) -> None:
    shutil.copy(flat / "iris" / "iris_0.jpg", flat / "lily" / "copy.jpg")
    shutil.copy(flat / "iris" / "iris_0.jpg", flat / "iris" / "twice.jpg")  # has its part
    assert scanned(flat)[0].notes == (
        "1 image is in two classes: iris/iris_0.jpg is the same as lily/copy.jpg.",
    )


def test_a_photo_that_trains_and_validates_is_mentioned(flat: Path) -> None:
    ready_split(flat, "val")
    shutil.copy(flat / "val" / "iris" / "iris_0.jpg", flat / "train" / "iris" / "copy.jpg")
    (note,) = scanned(flat)[0].notes
    assert note.startswith("1 image is for training and for validation: train/iris/copy.jpg is")


def test_photos_of_the_same_size_are_not_the_same(flat: Path) -> None:
    for name, colour in (("iris", (255, 0, 0)), ("lily", (0, 0, 255))):
        Image.new("RGB", (9, 9), colour).save(flat / name / "plain.bmp")
    assert scanned(flat)[0].notes == ()


def test_photos_that_differ_in_their_last_bytes_are_not_the_same(flat: Path) -> None:
    """BMP has the bottom row first: all before the pixel on top is the same."""
    white = Image.new("RGB", (200, 200), "white")
    white.save(flat / "iris" / "plain.bmp")
    white.putpixel((0, 0), (0, 0, 0))
    white.save(flat / "lily" / "plain.bmp")
    assert scanned(flat)[0].notes == ()
    shutil.copy(flat / "iris" / "plain.bmp", flat / "lily" / "other.bmp")
    assert scanned(flat)[0].notes == (
        "1 image is in two classes: iris/plain.bmp is the same as lily/other.bmp.",
    )
