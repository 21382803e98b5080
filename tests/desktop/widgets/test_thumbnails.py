"""Small pictures: upright, read in another thread, the newest wish first."""

import threading

import pytest
from PIL import Image
from PySide6.QtGui import QImage

from flowergui.desktop.threads import worker
from flowergui.desktop.widgets import thumbnails
from flowergui.desktop.widgets.thumbnails import Thumbnails, read_picture

TURNED = 6
"""The EXIF orientation of a camera that was held upright."""


@pytest.fixture(autouse=True)
def all_threads_end(qapp):
    yield
    assert worker.end_all(5_000)


@pytest.fixture
def photo(tmp_path):
    """160 x 80 pixels on disk, red on the left; a viewer shows it 80 x 160, red at the top."""
    image = Image.new("RGB", (160, 80), "blue")
    image.paste("red", (0, 0, 80, 80))
    exif = Image.Exif()
    exif[0x0112] = TURNED
    path = tmp_path / "turned.jpg"
    image.save(path, exif=exif, quality=95)
    return str(path)


def test_a_picture_is_small_and_upright(photo):
    image = read_picture(photo, 40)
    assert (image.width(), image.height()) == (20, 40)
    assert image.pixelColor(10, 5).red() > 200
    assert image.pixelColor(10, 35).blue() > 200


def test_a_small_picture_is_not_blown_up(photo):
    image = read_picture(photo, 4_000)
    assert (image.width(), image.height()) == (80, 160)


def test_a_very_long_picture_keeps_a_side(tmp_path):
    path = tmp_path / "long.png"
    Image.new("RGB", (2_000, 3)).save(path)
    image = read_picture(str(path), 20)
    assert (image.width(), image.height()) == (20, 1)


def test_what_is_no_picture_is_null_and_not_read_again(qtbot, tmp_path, monkeypatch):
    path = tmp_path / "words.jpg"
    path.write_text("no picture")
    read = []
    monkeypatch.setattr(
        thumbnails, "read_picture", lambda path, edge: read.append(path) or QImage()
    )
    pictures = Thumbnails(40, 10)
    with qtbot.waitSignal(pictures.ready):
        assert pictures.picture(str(path)) is None
    assert pictures.picture(str(path)).isNull()
    assert read == [str(path)]


def test_pictures_are_read_in_another_thread(qtbot, photo, monkeypatch):
    threads = []
    really = thumbnails.read_picture

    def reading(path, edge):
        threads.append(threading.get_ident())
        return really(path, edge)

    monkeypatch.setattr(thumbnails, "read_picture", reading)
    pictures = Thumbnails(40, 10)
    with qtbot.waitSignal(pictures.ready):
        assert pictures.picture(photo) is None
    assert pictures.picture(photo).height() == 40
    assert threads
    assert threading.get_ident() not in threads


def test_old_wishes_are_dropped_and_the_newest_come_first(qtbot, monkeypatch):
    begun, go_on, read = threading.Event(), threading.Event(), []

    def reading(path, edge):
        begun.set()
        assert go_on.wait(10)
        read.append(path)
        return QImage()

    monkeypatch.setattr(thumbnails, "read_picture", reading)
    pictures = Thumbnails(40, 1_000)
    pictures.picture("first")
    assert begun.wait(10)
    for number in range(10_000):
        pictures.picture(str(number))
    go_on.set()
    qtbot.waitUntil(lambda: pictures.picture("9999") is not None)
    assert read[:3] == ["first", "9999", "9998"]
    assert len(read) <= 1 + thumbnails.MAX_WAITING
    assert pictures.picture("0") is None  # asking again reads it after all
    qtbot.waitUntil(lambda: pictures.picture("0") is not None)


def test_only_so_many_are_remembered(qtbot, photo):
    pictures = Thumbnails(40, 1)
    with qtbot.waitSignal(pictures.ready):
        pictures.picture(photo)
    with qtbot.waitSignal(pictures.ready):
        pictures.picture("another")
    assert pictures.picture(photo) is None
