"""The photos panel: choosing a folder, and what a scan found."""

import os
from dataclasses import replace

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QProgressBar,
    QPushButton,
    QTableView,
)

from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.threads import worker
from flowergui.desktop.widgets import thumbnails
from flowergui.desktop.widgets.tile_list import LAYOUT_BATCH
from flowergui.events import SampleProgress, Scanned, ScanProgress
from flowergui.facts import ClassCount, Problem


@pytest.fixture(autouse=True)
def all_threads_end(qapp):
    yield
    assert worker.end_all(5_000)


@pytest.fixture
def panel(qtbot):
    panel = DatasetPanel()
    qtbot.addWidget(panel)
    panel.resize(310, 500)
    panel.show()
    return panel


def scanned(*classes, layout="flat", problems=()):
    return Scanned("/flowers", layout, tuple(classes), tuple(problems))


def flower(name, train, validation=0, examples=()):
    return ClassCount(name, train, validation, tuple(examples))


def button(panel, name):
    return panel.findChild(QPushButton, name)


def texts(panel):
    return " | ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_a_user_that_does_not_exist_is_no_defect(qtbot, panel):
    path = panel.findChild(QLineEdit, "datasetPath")
    path.setText("~nobody-of-this-name/x")
    with qtbot.waitSignal(panel.folder_chosen) as chosen:
        qtbot.keyClick(path, Qt.Key.Key_Return)
    assert [str(each) for each in chosen.args] == [os.path.abspath("~nobody-of-this-name/x")]


def test_return_opens_the_typed_folder(qtbot, panel):
    line = panel.findChild(QLineEdit, "datasetPath")
    line.setText('"/photos/flowers"')
    with qtbot.waitSignal(panel.folder_chosen) as chosen:
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert chosen.args == ["/photos/flowers"]


def test_return_on_nothing_opens_nothing(qtbot, panel):
    with qtbot.assertNotEmitted(panel.folder_chosen):
        qtbot.keyClick(panel.findChild(QLineEdit, "datasetPath"), Qt.Key.Key_Return)


def test_browsing_opens_the_chosen_folder(qtbot, panel, tmp_path):
    button(panel, "browseButton").click()
    dialog = panel.findChild(QFileDialog)
    dialog.selectFile(str(tmp_path))
    with qtbot.waitSignal(panel.folder_chosen) as chosen:
        dialog.accept()
    assert chosen.args == [str(tmp_path)]
    assert panel.findChild(QLineEdit, "datasetPath").text() == str(tmp_path)


def test_a_recent_folder_is_a_click_away(qtbot, panel):
    recent = button(panel, "recentButton")
    assert not recent.isVisible()
    panel.set_recent(["/a/tulips & roses", "/b"])
    assert recent.isVisible()
    action = recent.menu().actions()[0]
    assert "tulips && roses" in action.text()
    with qtbot.waitSignal(panel.folder_chosen) as chosen:
        action.trigger()
    assert chosen.args == ["/a/tulips & roses"]


def test_sample_flowers_stand_out_until_a_folder_is_open(qtbot, panel):
    sample = button(panel, "sampleButton")
    assert sample.property("role") == "primary"
    with qtbot.waitSignal(panel.samples_requested):
        sample.click()
    panel.show_scanned(scanned(flower("rose", 10), flower("tulip", 10)))
    assert sample.property("role") == "quiet"
    assert sample.isVisible()
    panel.clear()
    assert sample.property("role") == "primary"


def test_a_scan_shows_progress_and_can_be_cancelled(qtbot, panel):
    bar, cancel = panel.findChild(QProgressBar), button(panel, "cancelScanButton")
    assert not bar.isVisible()
    panel.show_progress(ScanProgress(1_200, 3_000))
    assert bar.isVisible()
    assert (bar.value(), bar.maximum()) == (1_200, 3_000)
    assert "1,200 of 3,000" in texts(panel)
    with qtbot.waitSignal(panel.cancel_requested):
        cancel.click()
    panel.show_cancelled()
    assert not bar.isVisible()
    panel.show_progress(SampleProgress(3, 480))
    assert "3 of 480" in texts(panel)


def test_classes_are_listed_with_their_counts(panel):
    panel.show_scanned(scanned(flower("rose", 240, 60), flower("tulip", 1_200), layout="split"))
    model = panel.findChild(QListView, "classList").model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["rose", "tulip"]
    spoken = model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "tulip: 1,200 images"
    assert "240 for training and 60 for validation" in model.index(0, 0).data(
        Qt.ItemDataRole.ToolTipRole
    )
    assert "2 classes, 1,500 images" in texts(panel)
    assert "1,440 for training, 60 for validation: the folder's own split" in texts(panel)


def test_a_flat_folder_is_split_as_the_fraction_says(panel):
    panel.show_scanned(scanned(flower("rose", 300), flower("tulip", 2), flower("iris", 1)))
    assert "242 for training, 61 for validation" in texts(panel)
    panel.set_validation_fraction(0.1)
    # At least one of every class, and never all.
    assert "272 for training, 31 for validation" in texts(panel)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((300, 10), None),
        ((60, 3), "tulip has only 3 images; some 30 of each class are a beginning."),
        ((60, 1), "tulip has only 1 image; some 30"),
        ((9, 3), "rose, tulip have fewer than 10 images; some 30"),
    ],
)
def test_classes_with_few_images_are_named(panel, counts, said):
    panel.show_scanned(scanned(*map(flower, ("rose", "tulip"), counts)))
    if said is None:
        assert "are a beginning" not in texts(panel)
    else:
        assert said in texts(panel)


def test_what_was_left_out_is_a_click_away(qtbot, panel):
    problems = [Problem("rose/a.jpg", "not a picture"), Problem("iris", "no photos in it")]
    panel.show_scanned(scanned(flower("rose", 2), flower("tulip", 2), problems=problems))
    left_out = button(panel, "problemsButton")
    assert left_out.text() == "2 files are left out ▸"
    left_out.click()
    model = panel.findChild(QTableView, "problemsTable").model()
    rows = [[model.index(row, column).data() for column in (0, 1)] for row in (0, 1)]
    assert rows == [["rose/a.jpg", "not a picture"], ["iris", "no photos in it"]]
    panel.show_scanned(scanned(flower("rose", 2), flower("tulip", 2)))
    assert not left_out.isVisible()


def test_files_that_were_passed_over_are_counted(panel):
    odd = [Problem("rose/1.cr2", "not read", 40), Problem("iris", "closed")]
    found = scanned(flower("rose", 2), flower("tulip", 2), problems=odd)
    panel.show_scanned(replace(found, leftovers=(Problem("notes.txt", "no image"),)))
    left_out = button(panel, "problemsButton")
    assert left_out.text() == "41 files are left out ▸"
    left_out.click()
    model = panel.findChild(QTableView, "problemsTable").model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == [
        "rose/1.cr2 and 39 more",
        "iris",
        "notes.txt",
    ]


def test_how_the_folder_was_understood_is_said(panel):
    found = scanned(flower("rose", 2), flower("tulip", 2))
    panel.show_scanned(replace(found, notes=("The class folders are in data/flowers.",)))
    assert "The class folders are in data/flowers." in texts(panel)


def test_a_scan_says_which_file_it_waits_for(panel):
    panel.show_progress(ScanProgress(1, 2, "/nas/rose/1.jpg"))
    assert "Waiting for /nas/rose/1.jpg…" in texts(panel)
    panel.show_progress(ScanProgress(2, 2))
    assert "Waiting" not in texts(panel)


def test_a_large_folder_is_checked_while_it_is_used(panel):
    listed = scanned(flower("rose", 20_000), flower("tulip", 1_200))
    panel.show_scanned(replace(listed, checked=False))
    panel.show_checking(ScanProgress(320, 21_200))
    assert "Checking images: 320 of 21,200" in texts(panel)
    assert "are left out during training" in texts(panel)
    assert "2 classes, 21,200 images" in texts(panel)
    assert button(panel, "sampleButton").isEnabled()
    model = panel.findChild(QListView, "classList").model()
    resets = []
    model.modelReset.connect(lambda: resets.append(model))
    panel.show_scanned(listed)  # nothing was wrong: what the user looks at stays where it is
    assert not resets
    assert "Checking" not in texts(panel)
    assert "during training" not in texts(panel)
    panel.show_scanned(listed)  # opened again: the pictures may be others
    assert len(resets) == 1


def test_a_folder_that_cannot_be_opened_is_marked(qtbot, panel):
    line = panel.findChild(QLineEdit, "datasetPath")
    panel.show_scanned(scanned(flower("rose", 2), flower("tulip", 2)))
    panel.show_folder("/nowhere")
    panel.show_failed()
    assert line.property("invalid") is True
    assert line.text() == "/nowhere"
    assert panel.folder == ""
    qtbot.keyClicks(line, "x")
    assert line.property("invalid") is False


def test_a_cancelled_scan_leaves_what_was_open(panel):
    panel.show_scanned(scanned(flower("rose", 2), flower("tulip", 2)))
    panel.show_folder("/elsewhere")
    panel.show_progress(ScanProgress(1, 2))
    panel.show_cancelled()
    assert panel.findChild(QLineEdit, "datasetPath").text() == "/flowers"
    assert panel.folder == "/flowers"


def test_of_many_classes_only_those_in_sight_are_read(qtbot, panel, tmp_path, monkeypatch):
    path = tmp_path / "rose.png"
    Image.new("RGB", (9, 9), "red").save(path)
    read = []
    really = thumbnails.read_picture

    def reading(name, edge):
        read.append(name)
        return really(str(path), edge)

    monkeypatch.setattr(thumbnails, "read_picture", reading)
    panel.show_scanned(
        scanned(*(flower(f"flower {n:05}", 2, examples=[f"{n}.png"]) for n in range(10_000)))
    )
    view = panel.findChild(QListView, "classList")
    assert view.model().rowCount() == 10_000
    qtbot.waitUntil(lambda: "5.png" in read)
    assert len(read) < 30
    view.scrollToBottom()
    qtbot.waitUntil(lambda: "9999.png" in read)
    assert len(read) < 60


def test_many_classes_are_laid_out_by_and_by(qtbot, panel):
    panel.show_scanned(scanned(*(flower(f"flower {n:05}", 2) for n in range(10_000))))
    view = panel.findChild(QListView, "classList")
    first, last = (view.model().index(row, 0) for row in (0, 9_999))
    assert view.visualRect(last).top() < LAYOUT_BATCH * 100
    qtbot.waitUntil(lambda: view.visualRect(last).top() > 9_000 * 20)
    assert view.visualRect(first).top() < 10


def test_photos_cannot_change_while_a_run_goes(panel):
    panel.set_running(True)
    for name in ("browseButton", "sampleButton"):
        assert not button(panel, name).isEnabled()
    panel.set_running(False)
    for name in ("browseButton", "sampleButton"):
        assert button(panel, name).isEnabled()
