"""The evaluation of a checkpoint, from the window."""

import csv
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QListView, QMessageBox, QProgressBar, QPushButton
from scripted import banner_text, button, drop, evaluation, find, open_photos, start

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.evaluation import evaluation_controller
from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.desktop.run_names import checkpoint_label
from flowergui.errors import FlowerError
from flowergui.events import Explained, Predicted, PredictionFailed, Warned
from flowergui.facts import Prediction, RunFacts
from flowergui.store import library


def test_the_errors_of_a_run_are_one_click_away_when_it_is_done(qtbot, window, script, photos):
    start(qtbot, window, photos)
    for _ in range(20):
        script.gate.release()
    qtbot.waitUntil(lambda: banner_text(window).startswith("Done"))
    last, best = str(script.run / "last.pth"), str(script.run / "best.pth")
    script.runs.append(RunFacts(str(script.run), Recipe(), 2, 2, 0.75, last, best))
    button(window, "bannerAction").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    assert script.of("evaluate") == [(best, "")]
    grid = find(evaluation(window), QListView, "evaluatedPhotos")
    (wrong,) = grid.selectionModel().selectedIndexes()
    assert wrong.data() == "1.jpg"
    why = find(evaluation(window), QPushButton, "evaluatedWhyButton")
    qtbot.waitUntil(why.isEnabled)
    assert script.of("predict") == [(best, ["/photos/rose/1.jpg"])]


def test_a_checkpoint_of_no_run_is_asked_for_the_open_photos(
    qtbot, window, script, photos, tmp_path
):
    assert not button(window, "evaluationButton").isEnabled()
    open_photos(qtbot, window, photos)
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    assert script.of("evaluate") == [(str(tmp_path / "mine.pth"), photos)]
    button(window, "evaluationButton").click()  # it is the same network: nothing is evaluated anew
    assert evaluation(window).is_finished
    button(evaluation(window), "evaluateAgainButton").click()
    qtbot.waitUntil(lambda: len(script.of("evaluate")) == 2)
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    drop(window, [str(tmp_path / "other.pth")])
    button(window, "evaluationButton").click()  # another one: in the same window
    qtbot.waitUntil(lambda: len(script.of("evaluate")) == 3)
    assert script.of("evaluate")[2] == (str(tmp_path / "other.pth"), photos)
    assert len(window.findChildren(EvaluationWindow)) == 1


@pytest.mark.parametrize(
    ("folder", "says"), [("/nowhere", "There is no folder /nowhere."), ("/broken", "a defect")]
)
def test_what_cannot_be_evaluated_is_said_in_its_window(
    qtbot, window, script, tmp_path, folder, says
):
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    evaluation(window).folder_requested.emit(folder)
    error = find(evaluation(window), QLabel, "evaluationError")
    qtbot.waitUntil(lambda: error.text() == says)
    dialog = window.findChild(QMessageBox, "defectDialog")
    assert (dialog is not None) == (folder == "/broken")


def test_escape_does_not_close_its_window(qtbot, window, script, tmp_path):
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    qtbot.keyClick(evaluation(window), Qt.Key.Key_Escape)
    assert evaluation(window).isVisible()


def test_closing_its_window_ends_the_evaluation(qtbot, window, script, tmp_path):
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    evaluation(window).folder_requested.emit("/endless")
    qtbot.waitUntil(lambda: evaluation(window).findChild(QProgressBar).value() > 1)
    evaluation(window).close()
    qtbot.waitUntil(lambda: script.of("given up") == ["/endless"])
    qtbot.waitUntil(lambda: evaluation(window) is None)
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)


def test_another_folder_ends_the_evaluation_before(qtbot, window, script, tmp_path):
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    evaluation(window).folder_requested.emit("/endless")
    qtbot.waitUntil(lambda: evaluation(window).findChild(QProgressBar).value() > 1)
    evaluation(window).folder_requested.emit("/photos")
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    qtbot.waitUntil(lambda: script.of("given up") == ["/endless"])
    assert len(evaluation(window).photos) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            lambda path: iter([Predicted(path, (Prediction("rose", 0.9),), "mine.pth", 8)]),
            "{checkpoint} now holds the network of epoch 8. Evaluate again.",
        ),
        (lambda path: iter([PredictionFailed(path, "It has gone.")]), "It has gone."),
    ],
)
def test_an_error_that_cannot_be_predicted_again_says_why(
    qtbot, window, script, tmp_path, answer, says
):
    script.answer = answer
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    qtbot.waitUntil(lambda: not window._jobs.is_running(evaluation_controller.LOOK))
    name = checkpoint_label(str(tmp_path / "mine.pth"))
    said = find(evaluation(window), QLabel, "evaluatedPredictionError").text()
    assert said == says.format(checkpoint=name)
    assert not evaluation(window).shown.heatmaps


def test_a_checkpoint_that_is_gone_is_said_at_the_image(qtbot, window, script, tmp_path):
    def refused(path: str) -> Iterator[Any]:
        raise FlowerError("There is no file mine.pth.")
        yield

    script.answer = refused
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    error = "There is no file mine.pth."
    qtbot.waitUntil(
        lambda: find(evaluation(window), QLabel, "evaluatedPredictionError").text() == error
    )


def test_what_a_photo_shows_is_explained_when_it_is_asked_for(qtbot, window, script):
    drop(window, ["/x/mine.pth"])
    button(window, "evaluationButton").click()
    why = find_later(qtbot, window)
    assert script.of("predict") == [("/x/mine.pth", ["/photos/rose/1.jpg"])]
    assert not script.of("explain")
    why.click()
    reason = find(evaluation(window), QLabel, "evaluatedReasonCaption")
    qtbot.waitUntil(lambda: reason.text() == "Bright: what speaks for rose.")
    assert script.of("explain") == [("/x/mine.pth", ["/photos/rose/1.jpg"])]


def find_later(qtbot, window) -> QPushButton:
    """The button "Why?" of the first error, once that is predicted."""
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    why = find(evaluation(window), QPushButton, "evaluatedWhyButton")
    qtbot.waitUntil(why.isEnabled)
    return why


def test_a_network_that_cannot_be_explained_says_so(qtbot, window, script):
    drop(window, ["/x/mine.pth"])
    button(window, "evaluationButton").click()
    why = find_later(qtbot, window)
    script.answer = lambda path: iter([Explained("/another.jpg", ()), Explained(path, ())])
    why.click()
    reason = find(evaluation(window), QLabel, "evaluatedReasonCaption")
    qtbot.waitUntil(lambda: reason.text() == "This network can't show where it looks.")


def test_a_file_that_has_changed_is_evaluated_anew(qtbot, window, script, tmp_path):
    checkpoint = tmp_path / "mine.pth"
    checkpoint.write_bytes(b"one")
    drop(window, [str(checkpoint)])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    os.utime(checkpoint, ns=(1, 1))
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: len(script.of("evaluate")) == 2)


def test_the_device_that_the_user_chose_evaluates(qtbot, window, script):
    device = find(window, QComboBox, "device")
    device.setCurrentIndex(device.findData("cpu"))
    drop(window, ["/x/mine.pth"])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: script.of("device") == ["cpu", "cpu"])  # evaluates and predicts


def test_the_predictions_are_saved_as_a_table(qtbot, window, script, tmp_path):
    drop(window, ["/x/mine.pth"])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    path = tmp_path / "table.csv"
    evaluation(window).table_requested.emit(str(path))
    note, error = (
        find(evaluation(window), QLabel, name) for name in ("evaluationNote", "evaluationError")
    )
    qtbot.waitUntil(lambda: note.text().endswith(f"The table was saved as {path}."))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["/photos/rose/1.jpg", "/photos/rose/2.jpg"]
    evaluation(window).table_requested.emit(str(tmp_path / "none" / "table.csv"))
    qtbot.waitUntil(lambda: "can't be written" in error.text())
    evaluation(window).table_requested.emit(str(path))
    qtbot.waitUntil(lambda: not error.isVisible())


def test_the_disk_is_not_read_in_the_windows_thread(qtbot, window, script, monkeypatch):
    threads = []
    run_of = library.run_of
    monkeypatch.setattr(
        library, "run_of", lambda path: threads.append(threading.get_ident()) or run_of(path)
    )
    drop(window, ["/x/mine.pth"])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    assert threads
    assert threading.get_ident() not in threads


def test_what_is_left_out_is_said_and_a_failed_evaluation_is_tried_again(
    qtbot, window, script, tmp_path, monkeypatch
):
    def refused(checkpoint: str, folder: str, *, device: str) -> Iterator[Any]:
        raise FlowerError("The drive is away.")
        yield

    real = tasks.evaluate
    drop(window, [str(tmp_path / "mine.pth")])
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "evaluate", refused)
        button(window, "evaluationButton").click()
        qtbot.waitUntil(lambda: evaluation(window).is_finished)
    subject = find(evaluation(window), QLabel, "evaluationSubject")
    assert "has ended early" in subject.text()

    def warned(checkpoint: str, folder: str, *, device: str) -> Iterator[Any]:
        yield Warned("Left out: a class can't be read.")
        yield from real(checkpoint, folder, device=device)

    monkeypatch.setattr(tasks, "evaluate", warned)
    button(window, "evaluationButton").click()
    note = find(evaluation(window), QLabel, "evaluationNote")
    qtbot.waitUntil(lambda: "Left out: a class can't be read." in note.text())
    assert find(evaluation(window), QLabel, "evaluationError").text() == ""


def test_a_checkpoint_of_no_run_is_evaluated_again_on_another_folder_that_was_opened(
    qtbot, window, script, photos, tmp_path
):
    open_photos(qtbot, window, photos)
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    other = tmp_path / "other"
    other.mkdir()
    window.open_folder(str(other))
    qtbot.waitUntil(lambda: window.session.dataset.folder == str(other))
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: len(script.of("evaluate")) == 2)
    assert [folder for _, folder in script.of("evaluate")] == [photos, str(other)]
