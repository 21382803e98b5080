"""A right click copies and saves what is under it: tables, images and plots; and lists are
searched."""

import csv
import io
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QAction, QDesktopServices, QDrag, QGuiApplication, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QMessageBox,
    QTreeView,
    QWidget,
)
from scripted import button, facts, find, list_runs
from shiboken6 import delete

from flowergui import tasks
from flowergui.confusion_matrix import ConfusionMatrix
from flowergui.desktop.context_menus.photo_menu import PhotoMenu, open_photo
from flowergui.desktop.context_menus.photo_window import PhotoWindow
from flowergui.desktop.context_menus.saving import save_in_background
from flowergui.desktop.dataset.class_window import ClassWindow
from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.evaluation import confusion_model
from flowergui.desktop.evaluation.confusion_table import ConfusionTable
from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.prediction.prediction_table import PredictionTable
from flowergui.desktop.widgets.search_field import MIN_ROWS
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, ClassListed, EpochDone, PhotoEvaluated, Scanned
from flowergui.facts import ClassCount, Prediction

# What the offscreen platform says of every popup.
pytestmark = pytest.mark.qt_log_ignore("raise|grabbing the keyboard", extend=True)


def action(widget: QWidget, name: str) -> QAction:
    return find(widget, QAction, name)


def copied(widget: QWidget, name: str) -> str:
    action(widget, name).trigger()
    return QGuiApplication.clipboard().text()


def save(qtbot, widget: QWidget, name: str, path: Path, filter: str = "") -> None:
    action(widget, name).trigger()
    asked = widget.findChild(QFileDialog)
    if filter:
        asked.selectNameFilter(next(each for each in asked.nameFilters() if filter in each))
    asked.selectFile(str(path))
    asked.accept()
    qtbot.waitUntil(path.is_file)


# --- tables -----------------------------------------------------------------------------------


@pytest.fixture
def confusions(qtbot) -> ConfusionTable:
    table = ConfusionTable()
    qtbot.addWidget(table)
    matrix = ConfusionMatrix()
    for label, predicted in (("rose", "rose"), ("rose", "=tulip"), ("=tulip", "=tulip")):
        matrix.add(PhotoEvaluated("/a.jpg", label, predicted, 0.75, 0.25))
    table.show_matrix(("=tulip", "rose"), matrix)
    return table


def test_a_confusion_table_is_copied_with_its_heads(confusions):
    assert copied(confusions, "copyRows").splitlines() == [
        "\t=tulip\trose\trecall, %",
        "=tulip\t1\t\t100",
        "rose\t1\t1\t50",
        "precision, %\t50\t100\t",
    ]


def test_it_is_saved_as_a_table_that_no_spreadsheet_takes_for_a_formula(
    qtbot, confusions, tmp_path
):
    save(qtbot, confusions, "saveRows", tmp_path / "a.csv")
    rows = table_in(tmp_path / "a.csv")
    assert rows[0] == ["", "'=tulip", "rose", "recall, %"]
    assert rows[1] == ["'=tulip", "1", "", "100"]
    assert len(rows) == 4


def table_in(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_confusion_table_is_saved_and_copied_with_all_digits(qtbot, confusions, tmp_path):
    """In a cell on screen there is room for "1k" and "99" only."""
    photos = [PhotoEvaluated("/a.jpg", "rose", "rose", 0.75, 0.75)] * 1_999
    matrix = ConfusionMatrix([*photos, PhotoEvaluated("/b.jpg", "rose", "iris", 0.75, 0.25)])
    confusions.show_matrix(("iris", "rose"), matrix)
    expected = [
        ["", "iris", "rose", "recall, %"],
        ["iris", "", "", ""],
        ["rose", "1", "1999", "99.95"],
        ["precision, %", "0", "100", ""],
    ]
    save(qtbot, confusions, "saveRows", tmp_path / "a.csv")
    assert table_in(tmp_path / "a.csv") == expected
    lines = copied(confusions, "copyRows").splitlines()
    assert [line.split("\t") for line in lines] == expected


def test_the_rows_of_a_confusion_table_are_made_in_another_thread(
    qtbot, confusions, tmp_path, monkeypatch
):
    """Of a thousand classes, there are a million cells."""
    threads = set()
    monkeypatch.setattr(
        confusion_model, "tr", lambda text: threads.add(threading.get_ident()) or text
    )
    save(qtbot, confusions, "saveRows", tmp_path / "a.csv")
    assert threads
    assert threading.get_ident() not in threads


def test_an_empty_confusion_table_is_copied(confusions):
    confusions.show_matrix((), ConfusionMatrix())
    assert copied(confusions, "copyRows") == ""


def test_a_table_that_cannot_be_saved_says_why(qtbot, confusions, tmp_path):
    action(confusions, "saveRows").trigger()
    asked = confusions.findChild(QFileDialog)
    asked.fileSelected.emit(str(tmp_path / "nowhere" / "a.csv"))
    asked.close()
    qtbot.waitUntil(lambda: confusions.findChild(QMessageBox, "savingProblem") is not None)
    box = find(confusions, QMessageBox, "savingProblem")
    assert "can't be written" in box.text()
    box.close()


def test_a_table_that_cannot_be_saved_says_so_after_its_window_has_gone(qtbot):
    window, goes_on = QWidget(), threading.Event()

    def write():
        goes_on.wait()
        raise FlowerError("The drive is away.")

    save_in_background(window, write)
    delete(window)
    goes_on.set()

    def boxes():
        found = QApplication.topLevelWidgets()
        return [each for each in found if each.objectName() == "savingProblem"]

    qtbot.waitUntil(lambda: len(boxes()) == 1)
    assert boxes()[0].text() == "The drive is away."
    boxes()[0].close()


def test_control_c_copies_predictions(qtbot):
    table = PredictionTable()
    qtbot.addWidget(table)
    table.show_predictions((Prediction("rose", 0.9), Prediction("tulip", 0.1)))
    table.show()
    table.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "rose\t90%\ntulip\t10%"


def test_the_chosen_run_is_copied(qtbot, window, script, tmp_path):
    script.runs += [facts(tmp_path / name) for name in ("a", "b")]
    button(window, "compareRunsButton").click()
    table = find(window, QTreeView, "runTable")
    qtbot.waitUntil(lambda: table.model().rowCount() == 2)
    lines = copied(table, "copyRows").splitlines()
    assert [line.split("\t")[2] for line in lines] == ["Started", "a"]
    names = [each.text() for each in table.actions() if each.text()]
    for name in ("Resume", "Note…", "Show its folder", "Move to trash…", "&Copy rows"):
        assert name in names
    note = next(each for each in table.actions() if each.text() == "Note…")
    note.trigger()
    asked = find(table.window(), QWidget, "noteQuestion")
    asked.close()
    table.window().close()


# --- plots ------------------------------------------------------------------------------------


@pytest.fixture
def curves(qtbot) -> LivePlot:
    live = LivePlot()
    qtbot.addWidget(live)
    live.resize(600, 500)
    live.show()
    live.append([BatchDone(1, step, 2, step, 1 / step, 0.5, 0.001, 8) for step in (1, 2)])
    live.epoch_done(EpochDone(1, 2, 2, 0.7, 0.5, 0.6, 0.75, 0.75, 1, 0.001, 1.0))
    live.draw()
    return live


def test_the_numbers_of_a_plot_are_copied(curves):
    text = copied(find(curves, QMenu, "lossMenu"), "copyData")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert [row["loss"] for row in rows] == ["1", "0.5"]
    assert [row["val_loss"] for row in rows] == ["", "0.6"]
    assert float(rows[0]["learning_rate"]) == pytest.approx(0.001)


def test_the_picture_of_a_plot_is_copied_and_saved(qtbot, curves, tmp_path):
    menu = find(curves, QMenu, "accuracyMenu")
    action(menu, "copyPicture").trigger()
    image = QGuiApplication.clipboard().image()
    plot = find(curves, QWidget, "accuracyPlot")
    # The title and the key stand above the plot, which has its own size.
    assert (image.width(), image.height() > plot.height() * 2) == (plot.width() * 2, True)
    drawn = image.height() - 2 * plot.height()
    for rows in (range(drawn), range(drawn, image.height())):
        assert len({image.pixel(x, y) for x in range(image.width()) for y in rows}) > 2
    right = range(image.width() * 3 // 4, image.width())  # the plot fills the picture
    lower = range(image.height() * 3 // 4, image.height())
    assert len({image.pixel(x, y) for x in right for y in lower}) > 1
    for name, filter in (("a.png", "PNG"), ("a.svg", "SVG")):
        action(menu, "savePicture").trigger()
        asked = [each for each in plot.findChildren(QFileDialog) if each.isVisible()][-1]
        assert any(filter in each for each in asked.nameFilters())
        asked.fileSelected.emit(str(tmp_path / name))
        asked.close()
        qtbot.waitUntil((tmp_path / name).is_file)
    assert QImage(str(tmp_path / "a.png")).size() == image.size()
    drawing = (tmp_path / "a.svg").read_text("utf-8")
    assert "<svg" in drawing
    assert "Accuracy" in drawing
    assert "validation 75" in drawing


def test_a_right_click_opens_the_menu_of_a_plot(qtbot, curves):
    plot = find(curves, QWidget, "lossPlot")
    menu = find(curves, QMenu, "lossMenu")
    QTest.mouseClick(
        plot.viewport(), Qt.MouseButton.RightButton, pos=plot.viewport().rect().center()
    )
    qtbot.waitUntil(menu.isVisible)
    menu.close()


# --- images -----------------------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "rose.png"
    Image.new("RGB", (300, 200), (200, 20, 50)).save(path)
    return str(path)


@pytest.fixture
def host(qtbot, picture) -> QWidget:
    """A widget that shows an image in its left half."""
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(200, 100)
    PhotoMenu(widget, lambda place: picture if place.x() < 100 else "")
    widget.show()
    return widget


def ask(host: QWidget, place: QPoint) -> QMenu:
    host.customContextMenuRequested.emit(place)
    return find(host, QMenu, "photoMenu")


def test_there_is_a_menu_only_where_there_is_an_image(host):
    assert not ask(host, QPoint(150, 5)).isVisible()
    menu = ask(host, QPoint(5, 5))
    assert menu.isVisible()
    menu.close()


def test_an_image_is_dragged_out(qtbot, host, picture, monkeypatch):
    dragged = []

    def drop(drag: QDrag, actions: Qt.DropAction) -> None:
        dragged.append(([url.toLocalFile() for url in drag.mimeData().urls()], actions))

    monkeypatch.setattr(QDrag, "exec", drop)
    for begin in (QPoint(150, 5), QPoint(5, 5)):  # where there is none, then the image
        QTest.mousePress(host, Qt.MouseButton.LeftButton, pos=begin)
        move(host, begin + QPoint(1, 0))  # no hand is that steady
        assert not dragged
        move(host, begin + QPoint(40, 0))
        move(host, begin + QPoint(45, 0))
        QTest.mouseRelease(host, Qt.MouseButton.LeftButton, pos=begin + QPoint(45, 0))
    assert dragged == [([picture], Qt.DropAction.CopyAction)]


def move(widget: QWidget, place: QPoint) -> None:
    left = Qt.MouseButton.LeftButton
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(widget.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


def test_an_image_is_copied(qtbot, host):
    action(ask(host, QPoint(5, 5)), "copyPhoto").trigger()
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().image().size() == QSize(300, 200))


def test_an_image_that_is_gone_is_not_copied(qtbot, host, picture):
    QGuiApplication.clipboard().setText("before")
    os.remove(picture)
    action(ask(host, QPoint(5, 5)), "copyPhoto").trigger()
    qtbot.waitUntil(lambda: host.findChild(QMessageBox, "savingProblem") is not None)
    box = find(host, QMessageBox, "savingProblem")
    assert box.text() == "rose.png can't be read, so it was not copied."
    assert QGuiApplication.clipboard().text() == "before"
    box.close()


def test_its_folder_is_shown_or_named(host, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    action(ask(host, QPoint(5, 5)), "showPhoto").trigger()
    assert opened == [str(tmp_path)]
    box = find(host, QMessageBox, "savingProblem")
    assert str(tmp_path) in box.text()
    box.close()


def test_an_image_opens_in_full_size(qtbot, host):
    action(ask(host, QPoint(5, 5)), "openPhoto").trigger()
    shown = find(host, PhotoWindow, "photoWindow")
    assert shown.windowTitle() == "rose.png"
    label = find(shown, QLabel, "photo")
    qtbot.waitUntil(lambda: label.pixmap().size() == QSize(300, 200))
    shown.resize(200, 200)
    qtbot.waitUntil(lambda: label.pixmap().width() < 200)
    button(shown, "wholePhoto").click()
    assert label.pixmap().size() == QSize(300, 200)
    area = label.parentWidget()
    QTest.mouseDClick(area, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: label.pixmap().width() < 200)
    assert button(shown, "fitPhoto").isChecked()
    shown.close()


def test_an_image_that_cannot_be_read_says_so(qtbot, host, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    open_photo(str(tmp_path / "torn.png"), host)
    shown = find(host, PhotoWindow, "photoWindow")
    qtbot.waitUntil(lambda: "can't be shown" in find(shown, QLabel, "photo").text())
    shown.close()


# --- classes, and what is looked for ------------------------------------------------------------


def classes(count: int) -> tuple[ClassCount, ...]:
    return tuple(ClassCount(f"class {n}", 8, 0, (f"/photos/{n}/a.jpg",)) for n in range(count))


def names(view) -> list[str]:
    model = view.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_many_classes_are_searched(qtbot):
    panel = DatasetPanel()
    qtbot.addWidget(panel)
    panel.show()
    scanned = Scanned("/photos", "flat", classes(MIN_ROWS), ())
    panel.show_scanned(scanned)
    field = find(panel, QLineEdit, "classSearch")
    assert not field.isVisible()
    panel.show_scanned(replace(scanned, classes=classes(30)))
    assert field.isVisible()
    view = find(panel, QListView, "classList")
    height = view.height()
    qtbot.keyClicks(field, "SS 2")
    assert names(view) == ["class 2", *(f"class {n}" for n in range(20, 30))]
    assert view.height() == height
    field.clear()
    assert len(names(view)) == 30


def test_a_class_opens_its_images(qtbot, window, script, photos, monkeypatch, picture):
    def listed(folder: str, name: str):
        yield ClassListed(name, (picture, picture + "2"))

    monkeypatch.setattr(tasks, "list_class", listed)
    path = find(window, QLineEdit, "datasetPath")
    path.setText(photos)
    qtbot.keyClick(path, Qt.Key.Key_Return)
    view = find(window, QListView, "classList")
    qtbot.waitUntil(lambda: names(view) == ["rose", "tulip"])
    for open_class in (
        lambda: view.doubleClicked.emit(view.model().index(1, 0)),
        lambda: QTest.keyClick(view, Qt.Key.Key_Return),
    ):
        view.setCurrentIndex(view.model().index(1, 0))
        view.setFocus()
        open_class()
        shown = find(window, ClassWindow, "classWindow")
        assert shown.windowTitle() == "tulip"
        qtbot.waitUntil(lambda: find(window, QLabel, "classCount").text() == "2 images")
        grid = find(shown, QListView, "classPhotos")
        assert names(grid) == ["rose.png", "rose.png2"]
        shown.close()
        qtbot.waitUntil(lambda: window.findChild(ClassWindow) is None)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)


def test_the_folder_of_a_class_is_opened(qtbot, monkeypatch):
    panel = DatasetPanel()
    qtbot.addWidget(panel)
    panel.show_scanned(Scanned("/photos", "flat", classes(3), ()))
    view = find(panel, QListView, "classList")
    view.setCurrentIndex(view.model().index(2, 0))
    with qtbot.waitSignal(panel.class_folder_requested) as asked:
        action(view, "openClassFolder").trigger()
    assert asked.args == ["/photos/2"]


def test_many_runs_are_searched(qtbot, window, script, tmp_path):
    script.runs += [
        replace(facts(tmp_path / f"run {n}"), note="Roses" if n == 7 else "") for n in range(14)
    ]
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    field, view = find(window, QLineEdit, "runSearch"), find(window, QListView, "runList")
    assert field.isVisibleTo(window)
    field.setText("roses")
    assert names(view) == ["Roses"]
    assert window.session.checkpoint == str(tmp_path / "run 0" / "last.pth")
    field.clear()
    assert len(names(view)) == 14
    assert view.currentIndex().row() == 0
    button(window, "compareRunsButton").click()
    table = find(window, QTreeView, "runTable")
    qtbot.waitUntil(lambda: table.model().rowCount() == 14)
    find(window, QLineEdit, "runsSearch").setText("roses")
    assert table.model().rowCount() == 1
    table.window().close()
