"""Archives of images open in the window as folders do."""

import tarfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton
from scripted import banner_text, button, drop, find, texts
from shards import files_of, write_shards, write_tar, write_zip

from flowergui import tasks
from flowergui.desktop.dataset.class_list import ClassList
from flowergui.desktop.dataset.class_window import ClassWindow
from flowergui.desktop.evaluation.label_buttons import LabelButtons
from flowergui.events import PhotoEvaluated

INSPECT = tasks.inspect


@pytest.fixture
def flowers(make_photos, tmp_path: Path) -> dict[str, bytes]:
    return files_of(make_photos(tmp_path / "flowers", classes=2, per_class=4, side=24))


@pytest.fixture
def window(window, monkeypatch):
    """The window, which looks at the disk when it opens a dataset."""
    monkeypatch.setattr(tasks, "inspect", INSPECT)
    return window


def open_typed(qtbot, window, path: Path) -> None:
    line = find(window, QLineEdit, "datasetPath")
    line.setText(str(path))
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.session.scanning)


@pytest.mark.parametrize("kind", ["tar", "zip", "shards"])
def test_a_typed_path_opens_it(qtbot, window, flowers, tmp_path, kind):
    path = {
        "tar": lambda: write_tar(tmp_path / "a.tar", flowers),
        "zip": lambda: write_zip(tmp_path / "a.zip", flowers),
        "shards": lambda: write_shards(tmp_path / "shards", flowers),
    }[kind]()
    open_typed(qtbot, window, path)
    assert window.session.dataset.folder == str(path)
    assert "2 classes, 8 images" in texts(window)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    shown = window.findChild(ClassList)
    example = window.session.dataset.classes[0].examples[0]
    qtbot.waitUntil(lambda: shown.thumbnails.picture(example) is not None)
    assert not shown.thumbnails.picture(example).isNull()


def test_a_dropped_archive_is_the_dataset_and_a_checkpoint_is_not(qtbot, window, flowers, tmp_path):
    path = write_tar(tmp_path / "flowers.tar", flowers)
    drop(window, [str(path)])
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert window.session.dataset.folder == str(path)
    checkpoint = write_zip(tmp_path / "model_best.tar", {"archive/data.pkl": b""})
    drop(window, [str(checkpoint)])
    qtbot.waitUntil(lambda: "model_best" in texts(window))
    assert window.session.dataset.folder == str(path)


def test_it_is_chosen_in_a_dialog(qtbot, window, flowers, tmp_path):
    path = write_zip(tmp_path / "flowers.zip", flowers)
    window.findChild(QAction, "openArchiveAction").trigger()
    dialog = window.findChild(QFileDialog)
    assert "*.tar *.zip" in dialog.nameFilters()[0]
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert window.session.dataset.folder == str(path)
    window.findChild(QAction, "archiveAction").trigger()
    qtbot.waitUntil(lambda: len(window.findChildren(QFileDialog)) == 1)
    window.findChild(QFileDialog).close()


def test_a_compressed_one_is_refused_with_a_way_out(qtbot, window, tmp_path):
    with tarfile.open(tmp_path / "flowers.tgz", "w:gz"):
        pass
    drop(window, [str(tmp_path / "flowers.tgz")])
    qtbot.waitUntil(lambda: "compressed as a whole" in banner_text(window))
    assert "Unpack it" in banner_text(window)
    assert window.session.dataset is None


def test_the_images_of_a_class_and_where_they_are(qtbot, window, flowers, tmp_path, monkeypatch):
    path = write_tar(tmp_path / "packed" / "flowers.tar", flowers)
    open_typed(qtbot, window, path)
    classes = window.findChild(ClassList)
    classes.setCurrentIndex(classes.model().index(0, 0))
    opened: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True
    )
    find(classes, QAction, "openClassFolder").trigger()
    assert opened == [str(path.parent)]
    find(classes, QAction, "showClassImages").trigger()
    qtbot.waitUntil(lambda: window.findChild(ClassWindow) is not None)
    shown = window.findChild(ClassWindow)
    qtbot.waitUntil(lambda: "4 images" in texts(shown))
    shown.close()


def test_labels_of_images_in_archives_can_not_be_corrected(qtbot):
    buttons = LabelButtons()
    qtbot.addWidget(buttons)
    named = ("moveToPredictedButton", "moveToButton", "leaveOutButton")
    for path, enabled in (("/x/a.tar/rose/1.jpg", False), ("/x/rose/1.jpg", True)):
        buttons.show_photo(PhotoEvaluated(path, "rose", "tulip", 0.9, 0.1), ("rose", "tulip"))
        for name in named:
            each = find(buttons, QPushButton, name)
            assert each.isEnabled() == enabled
            assert ("archive" in each.toolTip()) == (not enabled)
