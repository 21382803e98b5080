"""The evaluation of a checkpoint, from the window."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import (
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
)
from scripted import banner_text, button, drop, evaluation, find, open_photos, start

from flowergui.config.recipe import Recipe
from flowergui.desktop.evaluation import evaluation_controller
from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.errors import FlowerError
from flowergui.events import (
    Predicted,
    PredictionFailed,
)
from flowergui.facts import (
    Prediction,
    RunFacts,
)


def test_the_mistakes_of_a_run_are_one_click_away_when_it_is_done(qtbot, window, script, photos):
    start(qtbot, window, photos)
    for _ in range(20):
        script.gate.release()
    qtbot.waitUntil(lambda: banner_text(window).startswith("Done"))
    last, best = str(script.run / "last.pth"), str(script.run / "best.pth")
    script.runs.append(RunFacts(str(script.run), Recipe(), 2, 2, 0.75, last, best))
    button(window, "bannerAction").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    assert script.of("evaluate") == [(best, "")]
    (wrong,) = evaluation(window)._grid.selectionModel().selectedIndexes()
    assert wrong.data() == "1.jpg"
    why = find(evaluation(window), QPushButton, "judgedWhyButton")
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
    button(window, "evaluationButton").click()  # it is the same network: nothing is judged anew
    assert evaluation(window).is_finished
    button(evaluation(window), "judgeAgainButton").click()
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
def test_what_cannot_be_judged_is_said_in_its_window(qtbot, window, script, tmp_path, folder, says):
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    evaluation(window).folder_requested.emit(folder)
    error = find(evaluation(window), QLabel, "evaluationError")
    qtbot.waitUntil(lambda: error.text() == says)
    dialog = window.findChild(QMessageBox, "defectDialog")
    assert (dialog is not None) == (folder == "/broken")


def test_closing_its_window_ends_the_judging(qtbot, window, script, tmp_path):
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


def test_another_folder_ends_the_judging_of_the_one_before(qtbot, window, script, tmp_path):
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    evaluation(window).folder_requested.emit("/endless")
    qtbot.waitUntil(lambda: evaluation(window).findChild(QProgressBar).value() > 1)
    evaluation(window).folder_requested.emit("/photos")
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    qtbot.waitUntil(lambda: script.of("given up") == ["/endless"])
    assert len(evaluation(window)._judged.all) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            lambda path: iter([Predicted(path, (Prediction("rose", 0.9),), "mine.pth", 8)]),
            "mine.pth is of epoch 8 now. Evaluate again.",
        ),
        (lambda path: iter([PredictionFailed(path, "It has gone.")]), "It has gone."),
    ],
)
def test_a_mistake_that_cannot_be_explained_says_why(qtbot, window, script, tmp_path, answer, says):
    script.answer = answer
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window).is_finished)
    qtbot.waitUntil(lambda: not window._jobs.is_running(evaluation_controller.LOOK))
    assert find(evaluation(window), QLabel, "judgedPredictionError").text() == says
    assert not evaluation(window).shown.heatmaps


def test_a_network_that_cannot_explain_a_mistake_says_so(qtbot, window, script, tmp_path):
    def refused(path: str) -> Iterator[Any]:
        raise FlowerError("There is no file mine.pth.")
        yield

    script.answer = refused
    drop(window, [str(tmp_path / "mine.pth")])
    button(window, "evaluationButton").click()
    error = "There is no file mine.pth."
    qtbot.waitUntil(
        lambda: find(evaluation(window), QLabel, "judgedPredictionError").text() == error
    )
