"""What is dropped anywhere on a window."""

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from flowergui.desktop.window.file_drops import FileDrops


@pytest.fixture
def window(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def drop(widget, *urls: QUrl) -> bool:
    """Drags over and drops; returns whether it was welcome."""
    mime = QMimeData()
    mime.setUrls(urls)
    where, action = QPointF(5, 5), Qt.DropAction.CopyAction
    how = mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), action, *how)
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(where, action, *how))
    return enter.isAccepted()


def test_each_kind_of_file_has_its_signal(qtbot, window, tmp_path):
    drops, taken = FileDrops(window), []
    for signal in (drops.folder_dropped, drops.checkpoint_dropped, drops.images_dropped):
        signal.connect(taken.append)
    paths = [str(tmp_path), str(tmp_path / "last.pth"), str(tmp_path / "rose.jpg")]
    assert drop(window, *map(QUrl.fromLocalFile, paths))
    qtbot.waitUntil(lambda: len(taken) == 3)
    assert taken == [paths[0], paths[1], [paths[2]]]


def test_of_two_folders_the_one_that_is_not_opened_is_named(qtbot, window, tmp_path):
    paths = [tmp_path / "tulips", tmp_path / "roses"]
    for path in paths:
        path.mkdir()
    drops, opened = FileDrops(window), []
    drops.folder_dropped.connect(opened.append)
    with qtbot.waitSignal(drops.left_out) as told:
        assert drop(window, *(QUrl.fromLocalFile(str(path)) for path in paths))
    assert opened == [str(paths[0])]
    assert told.args[0].startswith("Only one dataset can be open: it is tulips, without roses.")


def test_of_two_checkpoints_too(qtbot, window):
    drops = FileDrops(window)
    with qtbot.waitSignal(drops.left_out) as told:
        assert drop(window, QUrl.fromLocalFile("/x/a.pth"), QUrl.fromLocalFile("/x/b.ckpt"))
    assert told.args == ["Only one checkpoint can predict: it is a.pth, not b.ckpt."]


def test_a_web_address_says_what_to_do_instead(qtbot, window):
    drops = FileDrops(window)
    with qtbot.waitSignal(drops.refused) as refused, qtbot.assertNotEmitted(drops.images_dropped):
        assert drop(window, QUrl("https://example.org/rose.jpg"))
    assert refused.args[0].startswith("This is only the web address of an image.")


def test_what_is_no_file_is_not_welcome(window):
    FileDrops(window)
    assert not drop(window)


@pytest.mark.parametrize(
    "name", ["x.pth", "X.PT", "epoch=3.ckpt", "model_best.pth.tar", "m.safetensors", "pytorch.bin"]
)
def test_checkpoints_are_known_by_their_names(qtbot, window, name):
    drops = FileDrops(window)
    with qtbot.waitSignal(drops.checkpoint_dropped) as dropped:
        assert drop(window, QUrl.fromLocalFile(f"/x/{name}"))
    assert dropped.args == [f"/x/{name}"]
