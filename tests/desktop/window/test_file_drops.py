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


def test_each_kind_of_file_has_its_signal(window, tmp_path):
    drops, taken = FileDrops(window), []
    for signal in (drops.folder_dropped, drops.checkpoint_dropped, drops.images_dropped):
        signal.connect(taken.append)
    paths = [str(tmp_path), str(tmp_path / "last.pth"), str(tmp_path / "rose.jpg")]
    assert drop(window, *map(QUrl.fromLocalFile, paths))
    assert taken == [paths[0], paths[1], [paths[2]]]


def test_a_web_address_says_what_to_do_instead(qtbot, window):
    drops = FileDrops(window)
    with qtbot.waitSignal(drops.refused) as refused, qtbot.assertNotEmitted(drops.images_dropped):
        assert drop(window, QUrl("https://example.org/rose.jpg"))
    assert refused.args[0].startswith("This is only the web address of an image.")


def test_what_is_no_file_is_not_welcome(window):
    FileDrops(window)
    assert not drop(window)
