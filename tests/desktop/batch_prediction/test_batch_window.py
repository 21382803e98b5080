"""Many unknown photos, from the window: predicted, listed, saved, sorted, and sorted back."""

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QSlider,
    QStyleOptionComboBox,
    QWidget,
)
from scripted import BATCHES, button, drop, find, list_runs, start

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.batch_prediction.batch_window import BatchWindow
from flowergui.desktop.batch_prediction.filter_bar import FilterBar
from flowergui.desktop.batch_prediction.photo_filter import PhotoGroup
from flowergui.desktop.batch_prediction.photo_views import PhotoGrid
from flowergui.desktop.context_menus.photo_window import PhotoWindow
from flowergui.desktop.session import predicting_checkpoint
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.errors import FlowerError
from flowergui.events import Predicted, PredictionFailed
from flowergui.facts import Prediction, RunFacts
from flowergui.store import sorted_copies
from flowergui.store.photo_files import TakenNames
from flowergui.store.sorted_copies import MANIFEST


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    """A folder of 24 loose photos: 12 roses, 6 tulips, 5 that nobody is sure of, one torn."""
    folder = tmp_path / "unknown"
    folder.mkdir()
    names = [
        *(f"rose{number:02}.jpg" for number in range(12)),
        *(f"tulip{number}.jpg" for number in range(6)),
        *(f"unclear{number}.jpg" for number in range(5)),
        "wrecked.jpg",
    ]
    for name in names:
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def predicts(script, monkeypatch) -> threading.Event:
    """Has photos predicted by their names, the first one at once, the others when this is set."""
    goes_on = threading.Event()
    goes_on.set()

    def predict(
        checkpoint: str, images: list[str], *, why: bool = False, device: str
    ) -> Iterator[Any]:
        if images:  # else a checkpoint is tried
            script.seen.append(("predict", (checkpoint, list(images))))
        for number, image in enumerate(images):
            name = Path(image).name
            if name.startswith("wrecked"):
                yield PredictionFailed(image, f"{name} can't be read: it is damaged.")
                continue
            label = "tulip" if name.startswith("tulip") else "rose"
            share = 0.4 if name.startswith("unclear") else 0.9
            predictions = (Prediction(label, share), Prediction("iris", 1 - share))
            yield Predicted(image, predictions, checkpoint, 3)
            if number == 0:
                goes_on.wait()

    monkeypatch.setattr(tasks, "predict", predict)
    yield goes_on
    goes_on.set()


def batch(window) -> BatchWindow | None:
    return window.findChild(BatchWindow, "batchWindow")


@pytest.fixture
def done(qtbot, window, script, predicts, unknown) -> BatchWindow:
    """All photos of the folder are predicted."""
    drop(window, ["/x/mine.pth"])
    drop(find(window, QWidget, "dropZone"), [str(unknown)])
    qtbot.waitUntil(lambda: batch(window) is not None and batch(window).is_finished)
    return batch(window)


def said(window, name: str) -> str:
    return find(window, QLabel, name).text()


def groups(window) -> list[str]:
    box = find(window, QComboBox, "photoGroup")
    return [box.itemText(row) for row in range(box.count())]


def choose_group(window, text: str) -> None:
    box = find(window, QComboBox, "photoGroup")
    box.setCurrentIndex(groups(window).index(text))


def names(window) -> list[str]:
    model = find(window, QAbstractItemView, "batchGrid").model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def choose_target(window, path: Path) -> None:
    """Answers the file dialog that has just opened."""
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()


def sort_into(qtbot, window, folder: Path) -> None:
    button(window, "sortIntoFoldersButton").click()
    choose_target(window, folder)
    qtbot.waitUntil(button(window, "undoSortingButton").isVisible)


def test_a_folder_of_unknown_photos_opens_a_window(done, script, unknown):
    paths = [str(path) for path in sorted(unknown.iterdir())]
    assert script.of("predict") == [("/x/mine.pth", paths)]
    assert names(done) == [Path(path).name for path in paths]
    assert said(done, "batchSentence") == "23 images predicted"
    assert groups(done) == [
        *("All images (24)", "rose (12)", "tulip (6)", "Can't be read (1)", "Unsure (5)"),
    ]
    assert said(done, "batchPhotoName") == "rose00.jpg"
    assert not done.findChild(QWidget, "cancelBatchButton").isVisible()


@pytest.mark.qt_log_ignore("raise|grabbing the keyboard", extend=True)  # a menu, offscreen
@pytest.mark.parametrize("view", ["batchGrid", "batchTable"])
def test_an_image_has_the_menu_that_images_have_elsewhere(qtbot, done, unknown, view):
    """Of the row under the pointer; a double click opens it in full size too."""
    images = find(done, QAbstractItemView, view)
    if view == "batchTable":
        button(done, "tableButton").click()
    qtbot.waitUntil(images.isVisible)
    index = images.model().index(1, 0)
    place = images.visualRect(index).center()
    images.customContextMenuRequested.emit(place)
    menu = find(images, QMenu, "photoMenu")
    assert [each.objectName() for each in menu.actions()] == ["openPhoto", "copyPhoto", "showPhoto"]
    menu.close()
    images.setCurrentIndex(index)
    qtbot.keyClick(images, Qt.Key.Key_Return)
    assert find(done, PhotoWindow, "photoWindow").windowTitle() == "rose01.jpg"


def test_a_few_photos_stay_beside_each_other(qtbot, window, script, predicts):
    drop(window, ["/x/mine.pth"])
    drop(window, [f"/x/{number}.jpg" for number in range(20)])
    qtbot.waitUntil(lambda: bool(script.of("predict")))
    assert batch(window) is None
    drop(window, [f"/x/{number}.jpg" for number in range(21)])
    qtbot.waitUntil(lambda: batch(window) is not None and batch(window).is_finished)


def test_it_fills_while_photos_are_predicted_and_can_be_cancelled(qtbot, window, predicts, unknown):
    predicts.clear()
    drop(window, ["/x/mine.pth"])
    drop(find(window, QWidget, "dropZone"), [str(unknown)])
    qtbot.waitUntil(
        lambda: (
            batch(window) is not None
            and said(batch(window), "batchSentence") == "1 of 24 images predicted"
        )
    )
    assert groups(batch(window)) == ["All images (24)", "rose (1)"]
    assert not button(batch(window), "sortIntoFoldersButton").isEnabled()
    button(batch(window), "cancelBatchButton").click()
    predicts.set()
    assert batch(window).is_finished
    assert button(batch(window), "sortIntoFoldersButton").isEnabled()
    assert button(batch(window), "sortIntoFoldersButton").text() == "Sort 1 image into folders…"


def test_photos_wait_for_a_network(qtbot, window, script, predicts, unknown, photos):
    drop(find(window, QWidget, "dropZone"), [str(unknown)])
    qtbot.waitUntil(lambda: batch(window) is not None and batch(window).is_finished)
    assert said(batch(window), "batchError").startswith("No network has been trained yet.")
    assert len(names(batch(window))) == 24
    assert window.controllers.batch.warnings == ()  # nothing is predicted that could be lost
    window.activateWindow()  # Return is for the image that has the focus in the other one
    qtbot.waitUntil(window.isActiveWindow)
    start(qtbot, window, photos)
    script.gate.release()  # a batch: the run has nothing to predict with before it has saved
    button(batch(window), "predictAgainButton").click()
    for _ in range(8):
        script.gate.release()
    qtbot.waitUntil(lambda: said(batch(window), "batchSentence") == "23 images predicted")


def test_a_run_that_saves_its_first_checkpoint_leaves_the_predictions_as_they_are(
    qtbot, window, script, done, photos, tmp_path
):
    sort_into(qtbot, done, tmp_path / "out")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    start(qtbot, window, photos)
    assert predicting_checkpoint(window.session) == ""
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: predicting_checkpoint(window.session) != "")
    assert done.is_finished
    assert said(done, "batchSentence") == "23 images predicted"
    assert button(done, "undoSortingButton").isVisible()


def test_escape_empties_the_filter_and_leaves_the_window_open(qtbot, done):
    name = find(done, QLineEdit, "photoNameFilter")
    name.setText("tulip")
    qtbot.waitUntil(lambda: len(names(done)) == 6)
    qtbot.keyClick(name, Qt.Key.Key_Escape)
    assert name.text() == ""
    qtbot.waitUntil(lambda: len(names(done)) == 24)
    qtbot.keyClick(name, Qt.Key.Key_Escape)
    assert done.isVisible()
    done.close()
    assert not done.isVisible()


def test_a_filter_shows_a_class_a_name_or_what_is_unsure(qtbot, done):
    choose_group(done, "tulip (6)")
    assert names(done) == [f"tulip{number}.jpg" for number in range(6)]
    assert said(done, "batchPhotoName") == "tulip0.jpg"
    assert button(done, "sortIntoFoldersButton").text() == "Sort 6 images into folders…"
    find(done, QLineEdit, "photoNameFilter").setText("5")
    qtbot.waitUntil(lambda: names(done) == ["tulip5.jpg"])
    choose_group(done, "Unsure (5)")
    assert names(done) == []
    find(done, QLineEdit, "photoNameFilter").clear()
    qtbot.waitUntil(lambda: len(names(done)) == 5)
    find(done, QSlider, "unsureBelow").setValue(30)
    qtbot.waitUntil(lambda: "rose (17)" in groups(done))
    assert names(done) == []  # what is unsure was asked for, and none is
    choose_group(done, "rose (17)")
    assert len(names(done)) == 17


def test_the_table_sorts_and_keeps_the_photo_that_is_looked_at(qtbot, done):
    grid = find(done, QAbstractItemView, "batchGrid")
    grid.choose(14)
    assert said(done, "batchPhotoName") == "tulip2.jpg"
    button(done, "tableButton").click()
    table = find(done, QAbstractItemView, "batchTable")
    assert table.currentIndex().row() == 14
    table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    assert names(done)[:5] == [f"unclear{number}.jpg" for number in range(5)]
    assert table.currentIndex().data() == "tulip2.jpg"  # where the keyboard goes on
    table.selectionModel().setCurrentIndex(
        table.model().index(0, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    assert said(done, "batchPhotoName") == "unclear0.jpg"


def test_a_photo_is_explained_when_that_is_asked_for(qtbot, done, script):
    button(done, "batchWhyButton").click()
    qtbot.waitUntil(lambda: len(script.of("predict")) == 2)
    assert script.of("predict")[1][1] == [done.photos.photos[0].path]


def test_files_are_shown_as_they_are_when_they_are_predicted_again(qtbot, done, script, unknown):
    path = str(unknown / "rose00.jpg")
    view, thumbnails = done.findChild(PhotoView), find(done, PhotoGrid, "batchGrid").thumbnails
    qtbot.waitUntil(lambda: thumbnails.picture(path) is not None)
    assert thumbnails.picture(path).isNull()
    Image.new("RGB", (30, 20), "red").save(path)
    button(done, "predictAgainButton").click()
    qtbot.waitUntil(lambda: len(script.of("predict")) == 2 and done.is_finished)
    qtbot.waitUntil(lambda: not (thumbnails.picture(path) or QPixmap()).isNull())
    middle = view.rect().center()

    def is_red() -> bool:
        color = view.grab().toImage().pixelColor(middle)
        return color.red() > 200 > 50 > color.blue()

    qtbot.waitUntil(is_red)


def test_what_is_shown_is_saved_as_a_table(qtbot, done, tmp_path):
    choose_group(done, "Can't be read (1)")
    assert not button(done, "saveBatchButton").isEnabled()  # nothing is predicted here
    choose_group(done, "All images (24)")
    button(done, "saveBatchButton").click()
    choose_target(done, tmp_path / "t.csv")
    qtbot.waitUntil(lambda: "The table was saved" in said(done, "batchNote"))
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert (rows[0]["predicted"], rows[0]["probability"]) == ("rose", "0.900000")
    assert "damaged" in rows[-1]["problem"]


def test_photos_are_sorted_into_folders_and_back(qtbot, done, unknown, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    sort_into(qtbot, done, out)
    assert "23 images were copied" in said(done, "batchNote")
    assert "5 of them are in the folder unsure." in said(done, "batchNote")
    assert len([*out.glob("rose/*")]) == 12
    assert len([*out.glob("unsure/*")]) == 5
    undo = button(done, "undoSortingButton")
    assert undo.text() == "Undo: remove the 23 copies"
    (out / "rose" / "rose00.jpg").write_text("changed since")
    undo.click()
    qtbot.waitUntil(lambda: said(done, "batchNote").startswith("22 copies were removed. 1 was"))
    assert [path.name for path in out.rglob("*.jpg")] == ["rose00.jpg"]
    assert not undo.isVisible()
    assert len([*unknown.iterdir()]) == 24


def test_only_what_is_shown_is_sorted(qtbot, done, tmp_path):
    choose_group(done, "tulip (6)")
    sort_into(qtbot, done, tmp_path)
    assert sorted(path.name for path in (tmp_path / "tulip").iterdir()) == names(done)
    assert not (tmp_path / "rose").exists()


def test_sorting_is_cancelled_after_a_photo_and_can_be_undone(qtbot, done, tmp_path, monkeypatch):
    reached, goes_on = threading.Event(), threading.Event()
    real = sorted_copies.copy_into

    def copy(source: Path, folder: Path, taken: TakenNames) -> Path:
        if source.name == "rose03.jpg":
            reached.set()
            goes_on.wait()
        return real(source, folder, taken)

    monkeypatch.setattr(sorted_copies, "copy_into", copy)
    button(done, "sortIntoFoldersButton").click()
    choose_target(done, tmp_path / "out")
    assert reached.wait(10)
    qtbot.waitUntil(button(done, "cancelBatchButton").isVisible)
    button(done, "cancelBatchButton").click()
    goes_on.set()
    qtbot.waitUntil(button(done, "undoSortingButton").isVisible)
    assert "4 images were copied" in said(done, "batchNote")
    assert "Stopped before the others." in said(done, "batchNote")
    button(done, "undoSortingButton").click()
    qtbot.waitUntil(lambda: said(done, "batchNote") == "4 copies were removed.")
    assert not (tmp_path / "out").exists()


def test_sorting_can_be_cancelled_while_sizes_are_added_up(qtbot, done, tmp_path, monkeypatch):
    goes_on, real = threading.Event(), sorted_copies.archives.file_size

    def file_size(path: str) -> int | None:
        if path.endswith("rose03.jpg"):
            goes_on.wait(10)
        return real(path)

    monkeypatch.setattr(sorted_copies.archives, "file_size", file_size)
    monkeypatch.setattr(sorted_copies, "PROGRESS_FILES", 2)
    button(done, "sortIntoFoldersButton").click()
    choose_target(done, tmp_path / "out")
    what = "Adding up the sizes of the images"
    qtbot.waitUntil(lambda: what in [label.text() for label in done.findChildren(QLabel)])
    assert button(done, "cancelBatchButton").isVisible()
    button(done, "cancelBatchButton").click()
    goes_on.set()
    qtbot.waitUntil(lambda: "Stopped before the others." in said(done, "batchNote"))
    assert said(done, "batchNote").startswith("0 images were copied")
    assert button(done, "undoSortingButton").isHidden()
    assert not (tmp_path / "out").exists()


def test_an_undo_that_fails_can_be_repeated(qtbot, done, tmp_path, monkeypatch):
    sort_into(qtbot, done, tmp_path / "out")
    undo, really = button(done, "undoSortingButton"), Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path.name == "rose03.jpg":
            raise PermissionError(13, "Permission denied")
        really(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        undo.click()
        qtbot.waitUntil(lambda: said(done, "batchNote").startswith("22 copies were removed."))
    assert "1 could not be removed (" in said(done, "batchNote")
    assert "rose03.jpg: Permission denied)" in said(done, "batchNote")
    assert undo.isVisible()
    assert undo.text() == "Undo: remove the 1 copy"
    undo.click()
    qtbot.waitUntil(lambda: said(done, "batchNote") == "1 copy was removed.")
    assert undo.isHidden()
    assert not (tmp_path / "out").exists()


def test_images_that_are_copied_are_not_replaced_by_others_until_that_can_be_undone(
    qtbot, done, script, tmp_path, monkeypatch
):
    reached, goes_on, real = threading.Event(), threading.Event(), sorted_copies.copy_into

    def copy(source: Path, folder: Path, taken: TakenNames) -> Path:
        reached.set()
        goes_on.wait(10)
        return real(source, folder, taken)

    monkeypatch.setattr(sorted_copies, "copy_into", copy)
    button(done, "sortIntoFoldersButton").click()
    choose_target(done, tmp_path / "out")
    assert reached.wait(10)
    assert not button(done, "predictAgainButton").isEnabled()
    (tmp_path / "rose.jpg").touch()
    drop(done, [str(tmp_path / "rose.jpg")])
    assert "Open others when that is over." in said(done, "batchNote")
    goes_on.set()
    qtbot.waitUntil(button(done, "undoSortingButton").isVisible)
    assert "23 images were copied" in said(done, "batchNote")
    assert button(done, "predictAgainButton").isEnabled()
    drop(done, [str(tmp_path / "rose.jpg")])
    qtbot.waitUntil(lambda: len(script.of("predict")) == 2)


def test_the_window_does_not_close_while_images_are_copied_without_a_question(
    qtbot, window, done, tmp_path, monkeypatch
):
    reached, goes_on, real = threading.Event(), threading.Event(), sorted_copies.copy_into

    def copy(source: Path, folder: Path, taken: TakenNames) -> Path:
        reached.set()
        goes_on.wait(10)
        return real(source, folder, taken)

    monkeypatch.setattr(sorted_copies, "copy_into", copy)
    button(done, "sortIntoFoldersButton").click()
    choose_target(done, tmp_path / "out")
    assert reached.wait(10)
    window.close()
    box = find(window, QMessageBox, "closeQuestion")
    assert "Images are being copied into folders" in box.informativeText()
    box.button(QMessageBox.StandardButton.Cancel).click()
    goes_on.set()
    qtbot.waitUntil(button(done, "undoSortingButton").isVisible)
    assert "23 images were copied" in said(done, "batchNote")
    assert window.controllers.batch.warnings == (
        "The predictions for 23 images would be lost.",
        "The copies in folders could no longer be removed from here.",
    )


def test_what_can_not_be_copied_is_said(qtbot, done, unknown, tmp_path):
    (unknown / "tulip3.jpg").unlink()
    sort_into(qtbot, done, tmp_path / "out")
    assert "1 could not be copied." in said(done, "batchNote")
    assert "tulip3.jpg could not be copied: No such file" in said(done, "batchError")
    (tmp_path / "file").touch()
    button(done, "sortIntoFoldersButton").click()
    choose_target(done, tmp_path / "file")
    qtbot.waitUntil(lambda: "is not a folder" in said(done, "batchError"))
    # It would remove the copies that were made before.
    assert button(done, "undoSortingButton").isHidden()


def test_a_network_that_can_not_be_read_is_said(qtbot, window, script, unknown, monkeypatch):
    def predict(checkpoint: str, images: list[str], **_: Any) -> Iterator[Any]:
        if images:  # else a checkpoint is tried
            raise FlowerError("mine.pth is damaged.")
        yield from ()

    monkeypatch.setattr(tasks, "predict", predict)
    drop(window, ["/x/mine.pth"])
    drop(find(window, QWidget, "dropZone"), [str(unknown)])
    qtbot.waitUntil(lambda: batch(window) is not None and batch(window).is_finished)
    qtbot.waitUntil(lambda: said(batch(window), "batchError") == "mine.pth is damaged.")


def test_other_photos_are_dropped_on_it(qtbot, done, script, tmp_path):
    (tmp_path / "more" / "deep").mkdir(parents=True)
    (tmp_path / "more" / "deep" / "rose.jpg").touch()
    drop(done, [str(tmp_path / "more")])
    qtbot.waitUntil(lambda: names(done) == ["rose.jpg"] and done.is_finished)
    assert script.of("predict")[-1][1] == [str(tmp_path / "more" / "deep" / "rose.jpg")]


def test_a_folder_is_asked_for_from_the_main_window(qtbot, window, script, predicts, unknown):
    run = RunFacts("/r", Recipe(), 2, 2, 0.75, "/r/last.pth", "/r/best.pth")
    script.runs.append(run)
    list_runs(qtbot, window)
    button(window, "predictFolderButton").click()
    choose_target(window, unknown)
    qtbot.waitUntil(lambda: batch(window) is not None and batch(window).is_finished)
    assert script.of("predict")[0][0] == "/r/best.pth"


def test_closing_it_ends_the_predictions(qtbot, window, predicts, unknown):
    predicts.clear()
    drop(window, ["/x/mine.pth"])
    drop(find(window, QWidget, "dropZone"), [str(unknown)])
    qtbot.waitUntil(lambda: batch(window) is not None and len(names(batch(window))) == 24)
    batch(window).close()
    predicts.set()
    qtbot.waitUntil(lambda: batch(window) is None)
    assert not (unknown / MANIFEST).exists()


def test_a_long_name_of_a_class_makes_nothing_wider(qtbot):
    bar = FilterBar()
    qtbot.addWidget(bar)
    bar.show()
    before = bar.minimumSizeHint().width()
    long = "a rather long name of a flower " * 10
    group = (PhotoGroup.CLASS, long)
    bar.show_counts({group: 1_234})
    assert bar.minimumSizeHint().width() == before
    box = find(bar, QComboBox, "photoGroup")
    box.setCurrentIndex(box.findData(group))
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    assert "…" in option.currentText
    assert option.currentText.endswith("(1,234)")
    assert box.fontMetrics().horizontalAdvance(option.currentText) < box.width()
    assert box.toolTip() == f"{long} (1,234)"
    assert box.currentText() == f"{long} (1,234)"  # for screen readers
