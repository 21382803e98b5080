"""Opening a dataset in the window."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget
from scripted import (
    banner,
    banner_text,
    button,
    drop,
    facts,
    find,
    list_runs,
    open_photos,
    start,
    texts,
)

from flowergui import tasks
from flowergui.desktop.main_window import MainWindow
from flowergui.errors import FlowerError
from flowergui.events import SampleDrawn


def test_a_missing_folder_is_said(qtbot, window, tmp_path):
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(tmp_path / "nowhere"))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "There is no folder" in banner_text(window))
    assert not button(window, "startButton").isEnabled()


def test_a_typed_folder_is_found_from_any_other(qtbot, window, script, photos, monkeypatch):
    monkeypatch.chdir(Path(photos).parent)
    path = find(window, QLineEdit, "datasetPath")
    path.setText(Path(photos).name)
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: script.of("inspect") == [photos])
    assert path.text() == photos


@pytest.mark.parametrize("name", ["datasetPath", "classSearch", "runSearch", "epochs"])
def test_a_folder_that_is_dropped_on_a_field_is_opened(qtbot, window, script, photos, name):
    field = find(window, QWidget, name)
    drop(field, [photos], text=photos)
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert script.of("inspect") == [photos]
    assert find(window, QLineEdit, "datasetPath").text() == photos


def test_a_folder_that_is_dropped_on_the_choice_of_networks_is_opened(qtbot, window, photos):
    line = find(window, QComboBox, "modelSelector").lineEdit()
    before = line.text()
    drop(line, [photos], text=photos)
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert line.text() == before


def test_why_no_dataset_can_be_opened_now_is_not_said_for_ever(
    qtbot, window, script, photos, tmp_path
):
    start(qtbot, window, photos)
    window.open_folder(str(tmp_path))
    assert "Stop the run first" in banner_text(window)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    window.open_folder(str(tmp_path))
    assert all("Stop the run first" not in each.text for each in banner(window).messages)


def test_a_folder_that_cannot_be_opened_leaves_open_what_was(qtbot, window, photos, tmp_path):
    open_photos(qtbot, window, photos)
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(tmp_path / "nowhere"))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "There is no folder" in banner_text(window))
    assert path.text() == photos
    assert "2 classes, 16 images" in texts(window)
    assert button(window, "startButton").isEnabled()


def test_the_folder_that_was_open_last_is_opened_again(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    window._store.update(dataset=None)
    window.reopen_folder()
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert window.session.dataset.folder == photos


def test_where_it_has_gone_nothing_is_said(qtbot, window, tmp_path):
    window._settings.setValue("recent", [str(tmp_path / "nowhere")])
    window.reopen_folder()
    assert window.session.scanning
    qtbot.waitUntil(lambda: not window.session.scanning)
    assert banner_text(window) == ""
    assert find(window, QLineEdit, "datasetPath").text() == ""
    assert window._panels.run.welcome.isVisibleTo(window)


def test_a_scan_that_is_cancelled_leaves_open_what_was(qtbot, window, photos, tmp_path):
    open_photos(qtbot, window, photos)
    (tmp_path / "endless").mkdir()
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(tmp_path / "endless"))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    assert not button(window, "startButton").isEnabled()
    qtbot.waitUntil(button(window, "cancelScanButton").isVisible)
    button(window, "cancelScanButton").click()
    assert path.text() == photos
    qtbot.waitUntil(button(window, "startButton").isEnabled)


def test_a_large_folder_trains_before_all_of_it_is_checked(qtbot, window, script, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    window.open_folder(str(folder))
    start = button(window, "startButton")
    qtbot.waitUntil(lambda: start.isEnabled() and "Checking images" in texts(window))
    start.click()
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].photos == str(folder)
    assert "Checking images" not in texts(window)
    assert "2 classes, 16 images" in texts(window)


def test_sample_flowers_are_one_click_away(qtbot, window, script):
    button(window, "sampleButton").click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert script.of("sample")
    assert script.of("sample") == script.of("inspect")
    model = find(window, QComboBox, "modelSelector")
    assert (window.session.mode, model.currentText()) == ("transfer", "efficientnet_lite0")
    button(window, "modeScratch").click()
    assert model.currentText() == "mynet"
    button(window, "modeTransfer").click()
    assert model.currentText() == "efficientnet_lite0"


@pytest.mark.parametrize("chosen", ["", "resnet50"])
def test_sample_flowers_are_trained_with_a_small_network_from_scratch(
    qtbot, window, photos, chosen
):
    button(window, "modeScratch").click()
    model = find(window, QComboBox, "modelSelector")
    qtbot.waitUntil(lambda: model.findText("resnet50") > 0)
    if chosen:
        model.setCurrentText(chosen)
    button(window, "sampleButton").click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert model.currentText() == (chosen or "mynet")
    open_photos(qtbot, window, photos)
    assert model.currentText() == (chosen or "resnet18")


@pytest.mark.parametrize("way", ["another folder", "a run"])
def test_sample_flowers_that_come_too_late_change_nothing(
    qtbot, window, script, photos, monkeypatch, way
):
    drawn = threading.Event()

    def sample(folder):
        drawn.wait()
        yield SampleDrawn(str(folder))

    monkeypatch.setattr(tasks, "sample", sample)
    if way == "a run":
        open_photos(qtbot, window, photos)
    button(window, "sampleButton").click()
    if way == "another folder":
        drop(window, [photos])
        qtbot.waitUntil(button(window, "startButton").isEnabled)
    else:
        button(window, "startButton").click()
        qtbot.waitUntil(lambda: window.session.run_started is not None)  # it may change the recipe
    recipe = window.session.recipe
    drawn.set()
    qtbot.waitUntil(lambda: not window._jobs.is_running("sample"))
    assert window.session.recipe == recipe
    assert script.of("inspect") == [photos]


def test_a_dropped_folder_is_opened(qtbot, window, script, photos):
    drop(window, [photos])
    qtbot.waitUntil(lambda: script.of("inspect") == [photos])


def test_recent_folders_are_remembered(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    other = MainWindow()
    qtbot.addWidget(other)
    menu = button(other, "recentButton").menu()
    assert [action.data() for action in menu.actions() if action.data()] == [photos]


def test_sample_flowers_that_can_not_be_drawn_say_so_after_a_folder_was_reopened(
    qtbot, window, script, photos, monkeypatch
):
    open_photos(qtbot, window, photos)
    window.reopen_folder()
    qtbot.waitUntil(lambda: not window.session.scanning)

    def refused(folder):
        raise FlowerError("It holds other files.")
        yield

    monkeypatch.setattr(tasks, "sample", refused)
    window.controllers.datasets.draw_samples()
    qtbot.waitUntil(lambda: "It holds other files." in banner_text(window))


def test_a_scan_that_ends_during_a_resumed_run_leaves_that_run_s_images_shown(
    qtbot, window, script, photos, tmp_path, monkeypatch
):
    may_end, inspect = threading.Event(), script.inspect

    def slow(folder):
        may_end.wait()
        yield from inspect(folder)

    script.runs.append(facts(tmp_path / "run"))
    resumed = replace(script.runs[0].recipe, photos=str(tmp_path / "of the run"))
    script.runs[0] = replace(script.runs[0], recipe=resumed)
    list_runs(qtbot, window)
    monkeypatch.setattr(tasks, "inspect", slow)
    window.open_folder(photos)
    button(window, "resumeLastButton").click()
    path = find(window, QLineEdit, "datasetPath")
    qtbot.waitUntil(lambda: path.text() == resumed.photos)
    may_end.set()
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert path.text() == resumed.photos
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert path.text() == photos


def test_the_counts_of_a_resumed_run_stay_while_it_goes(qtbot, window, script, photos, tmp_path):
    script.runs.append(facts(tmp_path / "run"))
    resumed = replace(script.runs[0].recipe, photos=str(tmp_path / "of the run"))
    script.runs[0] = replace(script.runs[0], recipe=resumed)
    script.started = {"train_photos": 100, "validation_photos": 20}
    list_runs(qtbot, window)
    open_photos(qtbot, window, photos)
    button(window, "resumeLastButton").click()
    counts = "100 for training, 20 for validation, as the run began"
    qtbot.waitUntil(lambda: counts in texts(window))
    find(window, QWidget, "learning_rate").setValue(0.0005)
    assert window.session.recipe.learning_rate == 0.0005
    assert counts in texts(window)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert "12 for training, 4 for validation" in texts(window)
