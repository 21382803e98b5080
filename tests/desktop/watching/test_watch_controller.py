"""A run that trains elsewhere, followed in the window: all its states, and what can be done."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QPushButton, QTreeView, QWidget
from scripted import (
    banner,
    banner_text,
    button,
    drop,
    facts,
    find,
    list_runs,
    open_photos,
    plot,
    predictions,
    start,
)

from flowergui.config.recipe import Recipe
from flowergui.desktop.runs.run_table import RunTable
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.session import RunState
from flowergui.desktop.watched_run import WatchState
from flowergui.desktop.watching import watch_controller
from flowergui.events import BatchDone, EpochDone, LearningRateChanged
from flowergui.facts import RunFacts
from flowergui.requests import RunRequest
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching.run_watch import RunWatch

EPOCHS = 4


def rows(epoch: int) -> list[BatchDone | EpochDone]:
    batches = [
        BatchDone(epoch, each, 3, 3 * (epoch - 1) + each, 1 / epoch, 0.5, 0.004, 8)
        for each in (1, 2, 3)
    ]
    accuracy = 0.5 + epoch / 10
    best = accuracy, epoch
    return [
        *batches,
        EpochDone(epoch, EPOCHS, 3 * epoch, 0.9, 0.6, 0.8, accuracy, *best, 0.004, 90),
    ]


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_controller, "POLL_MS", 30)


@pytest.fixture
def remote(tmp_path: Path) -> RunFolder:
    """A run that node017 trains: one epoch is done."""
    folder = tmp_path / "scratch" / "2026-11-29_08-00-00_resnet18_scratch"
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    run.write_recipe(
        Recipe(
            photos="/data/roses", mode="scratch", model="resnet18", epochs=EPOCHS,
            learning_rate=0.004, image_size=64,
        )
    )  # fmt: skip
    run.write_split(("rose", "tulip"), [("rose/1.jpg", "rose", "train")], tmp_path)
    run.history.append(rows(1))
    trains(run)
    return run


def trains(run: RunFolder, *, reads_requests: bool = True) -> None:
    process = {"host": "node017", "pid": 7, "reads_requests": reads_requests}
    run.marker.path.write_text(json.dumps(process))


def watch(qtbot, window, path: Path) -> None:
    window.controllers.watch.open(str(path))
    qtbot.waitUntil(lambda: state(window) not in (None, WatchState.OPENING))


def state(window) -> WatchState | None:
    watched = window.session.watched
    return watched.state if watched else None


def label(window, name: str) -> str:
    return find(window, QLabel, name).text()


def epochs_shown(window) -> int:
    return plot(window)._epochs.length


def test_the_curves_follow_a_run_that_trains_elsewhere(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: epochs_shown(window) == 1)
    assert plot(window)._batches.length == 3
    assert label(window, "runState") == "Watching"
    assert label(window, "runLine") == "Epoch 2 of 4 · 1:30 so far · last written just now"
    assert "node017" in label(window, "runWhat")
    remote.history.append([*rows(2), *rows(3)])
    qtbot.waitUntil(lambda: epochs_shown(window) == 3)
    assert plot(window)._batches.length == 9
    qtbot.waitUntil(lambda: "Epoch 4 of 4 · 4:30 so far" in label(window, "runLine"))
    assert label(window, "runFigure") == "80.0%"
    qtbot.waitUntil(lambda: window.windowTitle().startswith("75% · roses"))


def test_a_folder_of_runs_stands_for_the_one_that_trains(qtbot, window, remote):
    watch(qtbot, window, remote.path.parent)
    assert window.session.watched.path == str(remote.path)


def test_rows_that_the_run_drops_vanish(qtbot, window, remote):
    remote.history.append([*rows(2), *rows(3)])
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: epochs_shown(window) == 3)
    remote.history.cut_back(3, 2)
    qtbot.waitUntil(lambda: epochs_shown(window) == 1)
    assert plot(window)._batches.length == 3


def test_what_was_changed_while_it_ran_is_marked(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: epochs_shown(window) == 1)
    remote.changes.append([LearningRateChanged(3, 0.001)])
    qtbot.waitUntil(lambda: [text for _, text in plot(window).marks] == ["rate 0.001"])


def test_its_settings_are_shown_and_cannot_be_changed(qtbot, window, remote):
    own = window.session.recipe
    assert own.mode == "transfer"
    watch(qtbot, window, remote.path)
    rate = find(window, QWidget, "learning_rate")
    qtbot.waitUntil(lambda: rate.value() == 0.004)
    for name in ("learning_rate", "epochs", "modeScratch", "modelSelector", "presetTutorial"):
        assert not find(window, QWidget, name).isEnabled(), name
    card = find(window, QWidget, "layerPanel")
    assert "trains elsewhere" in card.toolTip()
    qtbot.waitUntil(lambda: window.session.network is not None)
    tree = find(window, QTreeView, "layerTree")
    index = tree.model().index(0, 0)
    assert not index.flags() & Qt.ItemFlag.ItemIsUserCheckable
    assert not tree.model().setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    button(window, "leaveWatchButton").click()
    assert window.session.recipe == own
    assert find(window, QWidget, "learning_rate").isEnabled()


def test_settings_that_change_there_change_here(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    remote.write_recipe(Recipe(mode="scratch", model="resnet18", epochs=9, learning_rate=0.001))
    qtbot.waitUntil(lambda: window.session.recipe.learning_rate == 0.001)
    assert window.session.recipe.epochs == 9


def test_no_run_starts_while_one_is_watched(qtbot, window, script, remote, photos):
    open_photos(qtbot, window, photos)
    watch(qtbot, window, remote.path)
    assert find(window, QPushButton, "startButton").isHidden()
    window.controllers.launch.start()
    assert not script.of("train")
    window.open_folder(photos)
    assert "first, then open another dataset" in banner_text(window)
    button(window, "leaveWatchButton").click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert epochs_shown(window) == 0
    assert label(window, "runState") == "Ready"
    assert window.session.run_started is None


def test_no_run_is_watched_while_one_goes(qtbot, window, script, remote, photos):
    open_photos(qtbot, window, photos)
    button(window, "startButton").click()
    window.controllers.watch.open(str(remote.path))
    assert window.session.watched is None
    assert "Stop the run here first" in banner_text(window)


def test_settings_for_this_folder_are_not_those_of_the_watched_run(qtbot, window, remote, photos):
    open_photos(qtbot, window, photos)
    own = window.session.recipe
    watch(qtbot, window, remote.path)
    window.controllers.watch.leave()
    open_photos(qtbot, window, photos)
    assert window.session.recipe == own
    assert "settings of your last run" not in banner_text(window)


# --- predictions --------------------------------------------------------------------------------


def test_its_best_checkpoint_predicts(qtbot, window, script, remote, tmp_path):
    window.controllers.predictions._improved.setInterval(10)
    remote.last.write_bytes(b"last")
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: window.session.run_checkpoint == str(remote.last))
    remote.best.write_bytes(b"best")
    qtbot.waitUntil(lambda: window.session.run_checkpoint == str(remote.best))
    image = tmp_path / "rose.jpg"
    image.write_bytes(b"")
    drop(find(window, QWidget, "dropZone"), [image])
    qtbot.waitUntil(lambda: bool(predictions(window)))
    asked = [checkpoint for checkpoint, _ in script.of("predict")]
    assert set(asked) == {str(remote.best)}
    os.utime(remote.best, (1, 1))
    qtbot.waitUntil(lambda: len(script.of("predict")) > len(asked))


# --- its states ---------------------------------------------------------------------------------


def test_a_run_that_has_written_nothing_for_long(qtbot, window, remote):
    os.utime(remote.history.path, (1e9, 1e9))
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: state(window) is WatchState.OVERDUE)
    assert label(window, "runState") == "No news"
    assert "may have been killed" in label(window, "runFeatures")
    remote.history.append(rows(2))
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)


def test_a_folder_that_goes_away_and_comes_back(qtbot, window, remote, tmp_path):
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: epochs_shown(window) == 1)
    away = remote.path.rename(tmp_path / "away")
    qtbot.waitUntil(lambda: state(window) is WatchState.UNREACHABLE)
    assert label(window, "runState") == "Unreachable"
    assert not button(window, "stopButton").isEnabled()
    assert epochs_shown(window) == 1
    away.rename(remote.path)
    remote.history.append(rows(2))
    qtbot.waitUntil(lambda: epochs_shown(window) == 2)
    assert state(window) is WatchState.TRAINING


def test_a_drive_that_hangs_holds_up_nothing_else(qtbot, window, remote, tmp_path, monkeypatch):
    answers = threading.Event()
    look = RunWatch.look

    def hanging(self: RunWatch) -> Iterator[Any]:
        if self._run.path == remote.path:
            answers.wait(30)
        yield from look(self)

    monkeypatch.setattr(RunWatch, "look", hanging)
    window.controllers.watch._hang.setInterval(100)
    window.controllers.watch.open(str(remote.path))
    try:
        qtbot.waitUntil(lambda: state(window) is WatchState.UNREACHABLE)
        window.controllers.watch.leave()
        other = RunFolder(tmp_path / "other")
        other.path.mkdir()
        other.write_recipe(Recipe(mode="scratch", model="resnet18", epochs=EPOCHS))
        other.history.append(rows(1))
        trains(other)
        watch(qtbot, window, other.path)
        qtbot.waitUntil(lambda: epochs_shown(window) == 1)
    finally:
        answers.set()
    window.controllers.watch.leave()
    watch(qtbot, window, remote.path)


def test_a_run_that_finishes_says_so_and_gives_the_window_back(qtbot, window, remote):
    own = window.session.recipe
    remote.best.write_bytes(b"best")
    watch(qtbot, window, remote.path)
    remote.history.append([*rows(2), *rows(3), *rows(4)])
    qtbot.waitUntil(lambda: epochs_shown(window) == 4)
    remote.marker.remove()
    qtbot.waitUntil(lambda: window.session.watched is None)
    assert label(window, "runState") == "Finished"
    assert label(window, "runLine") == "Finished 4 epochs in 6:00"
    assert "best validation accuracy 90.0% (epoch 4)" in banner_text(window)
    assert epochs_shown(window) == 4
    assert window.session.recipe == own
    assert window.session.run_checkpoint == str(remote.best)
    assert find(window, QPushButton, "leaveWatchButton").isHidden()


def test_a_run_that_was_stopped_may_go_on(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    remote.marker.remove()
    qtbot.waitUntil(lambda: state(window) is WatchState.STOPPED)
    assert "Stopped after epoch 1 of 4" in label(window, "runLine")
    assert not button(window, "stopButton").isEnabled()
    trains(remote)
    remote.history.append(rows(2))
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)
    qtbot.waitUntil(lambda: epochs_shown(window) == 2)


def test_why_nothing_can_be_watched_now_is_not_said_for_ever(qtbot, window, script, photos, remote):
    start(qtbot, window, photos)
    window.controllers.watch.open(str(remote.path))
    assert "Stop the run here first" in banner_text(window)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    window.open_folder(photos)
    assert all("Stop the run here first" not in each.text for each in banner(window).messages)


def test_a_folder_without_a_run_is_refused(qtbot, window, tmp_path):
    window.controllers.watch.open(str(tmp_path))
    qtbot.waitUntil(lambda: "There is no run in" in banner_text(window))
    assert window.session.watched is None


# --- what it is asked ---------------------------------------------------------------------------


def test_stop_asks_first_and_then_the_run(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    stop = button(window, "stopButton")
    assert stop.text() == "Stop the run"
    stop.click()
    question = window.findChild(QMessageBox, "stopWatchedQuestion")
    assert "on node017?" in question.text()
    question.button(QMessageBox.StandardButton.Cancel).click()
    assert not remote.request.path.exists()
    window._menus.action("stopAction").trigger()
    question = window.findChildren(QMessageBox, "stopWatchedQuestion")[-1]
    question.button(QMessageBox.StandardButton.Yes).click()
    qtbot.waitUntil(lambda: remote.request.read() == RunRequest(stop=True))
    qtbot.waitUntil(lambda: state(window) is WatchState.STOPPING)
    assert label(window, "runState") == "Stopping…"
    assert not stop.isEnabled()
    remote.request.remove()  # as the run does
    remote.marker.remove()
    qtbot.waitUntil(lambda: state(window) is WatchState.STOPPED)


def test_save_now_asks_the_run(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    save = window._menus.action("saveNowAction")
    qtbot.waitUntil(save.isEnabled)
    save.trigger()
    qtbot.waitUntil(lambda: remote.request.read() == RunRequest(save=True))
    qtbot.waitUntil(lambda: "was asked to save" in banner_text(window))


def test_a_run_of_an_older_version_cannot_be_asked(qtbot, window, remote):
    trains(remote, reads_requests=False)
    watch(qtbot, window, remote.path)
    stop = button(window, "stopButton")
    assert not stop.isEnabled()
    assert "older version" in stop.toolTip()
    assert not window._menus.action("saveNowAction").isEnabled()


# --- the window ---------------------------------------------------------------------------------


def test_the_menu_watches_and_leaves(qtbot, window, remote):
    item = window._menus.action("watchAction")
    assert item.text() == "&Watch a run…"
    item.trigger()
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(remote.path))
    dialog.reject()
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)
    assert item.text() == "Stop &watching"
    assert not window._menus.action("openFolderAction").isEnabled()
    item.trigger()
    assert window.session.watched is None


def test_the_focus_goes_to_what_harms_nothing(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(button(window, "leaveWatchButton").hasFocus)


def test_the_window_closes_without_a_question(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    assert window.session.run is RunState.IDLE
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert remote.marker.path.exists()
    assert not remote.request.path.exists()


def test_another_window_goes_on_watching_in_another_language(qtbot, window, remote):
    watch(qtbot, window, remote.path)
    handover = window.hand_over()
    assert handover.watched == str(remote.path)
    assert handover.session.watched is None
    window.controllers.watch.leave()
    window.take_over(handover)
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)


@pytest.mark.parametrize("chosen", ["", "/x/mine.pth"])
def test_another_window_predicts_with_the_same_network(
    qtbot, window, script, remote, tmp_path, chosen: str
):
    script.runs = [facts(tmp_path / "another")]
    list_runs(qtbot, window)
    remote.last.write_bytes(b"last")
    watch(qtbot, window, remote.path)
    qtbot.waitUntil(lambda: window.session.run_checkpoint == str(remote.last))
    drop(window, [*filter(None, [chosen]), "/x/a.jpg"])
    qtbot.waitUntil(lambda: bool(predictions(window)))
    handover = window.hand_over()
    window.controllers.watch.leave()
    window.take_over(handover)
    qtbot.waitUntil(lambda: len(script.of("predict")) > 1)
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)
    asked = {checkpoint for checkpoint, _ in script.of("predict")}
    assert asked == {chosen or str(remote.last)}
    assert window.session.chosen_checkpoint == chosen


def test_looking_costs_the_window_little(qtbot, window, remote):
    """It reads no disk in its own thread: a look takes less than a frame."""
    watch(qtbot, window, remote.path)
    began = time.process_time()
    window.controllers.watch._look()
    assert time.process_time() - began < 0.016


# --- from the window of runs --------------------------------------------------------------------


@pytest.fixture
def runs(qtbot, window, script, remote) -> RunsWindow:
    recipe, best = remote.recipe(), str(remote.best)
    script.runs = [RunFacts(str(remote.path), recipe, 2, 1, 0.6, str(remote.last), best)]
    button(window, "compareRunsButton").click()
    shown = find(window, RunsWindow, "runsWindow")
    qtbot.waitUntil(lambda: bool(shown.runs.runs))
    return shown


def test_a_run_of_the_list_is_watched(qtbot, window, runs, remote):
    find(runs, RunTable, "runTable").set_current(str(remote.path))
    action = runs.findChild(QAction, "watchRunAction")
    assert action.isEnabled()
    action.trigger()
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)
    qtbot.waitUntil(lambda: window.findChild(RunsWindow, "runsWindow") is None)


def test_a_run_in_another_folder_is_watched_from_the_list(qtbot, window, runs, remote):
    button(runs, "watchOtherButton").click()
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(remote.path.parent))
    dialog.reject()
    qtbot.waitUntil(lambda: state(window) is WatchState.TRAINING)
    assert window.session.watched.path == str(remote.path)
    button(window, "compareRunsButton").click()
    assert not button(find(window, RunsWindow, "runsWindow"), "watchOtherButton").isEnabled()
