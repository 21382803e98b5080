"""Dropped photos in the window: which checkpoint predicts them, and why."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QLabel, QPushButton, QWidget
from scripted import (
    BATCHES,
    Script,
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

from flowergui import tasks
from flowergui.desktop.prediction.drop_zone import DropZone
from flowergui.errors import FlowerError
from flowergui.events import Explained, Predicted, PredictionFailed
from flowergui.facts import Prediction


def older_run(qtbot, window, script: Script, tmp_path) -> str:
    """Puts a run on the list, and gives the path of its best checkpoint."""
    run = replace(facts(tmp_path / "older"), best=str(tmp_path / "older" / "best.pth"))
    script.runs.append(run)
    list_runs(qtbot, window)
    return run.best


def caption(window) -> str:
    return find(window, QLabel, "checkpointCaption").text()


def test_a_dropped_photo_is_predicted_by_the_newest_run(qtbot, window, script, tmp_path):
    best = older_run(qtbot, window, script, tmp_path)
    drop(find(window, QWidget, "dropZone"), [str(tmp_path / "a.jpg")])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert script.of("predict") == [(best, [str(tmp_path / "a.jpg")])]


def test_the_zone_invites_as_soon_as_there_is_something_to_predict_with(qtbot, window, photos):
    """At the first look the place for the dataset is what is to be seen."""
    zone = find(window, DropZone, "dropZone")
    assert not zone.is_inviting
    first = zone.grab().toImage()
    drop(window, ["/x/mine.pth"])
    assert zone.is_inviting
    assert zone.grab().toImage() != first


def test_the_zone_invites_when_a_dataset_is_open(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    assert find(window, DropZone, "dropZone").is_inviting


def test_many_photos_are_predicted_by_one_job_and_none_is_explained(qtbot, window, script):
    drop(window, ["/x/mine.pth"])
    paths = [f"/x/{number}.jpg" for number in range(20)]
    drop(window, paths)
    strip = find(window, QAbstractItemView, "photoStrip").model()
    qtbot.waitUntil(lambda: "rose" in strip.index(19, 0).data(Qt.ItemDataRole.ToolTipRole))
    assert script.of("predict") == [("/x/mine.pth", paths)]
    assert not script.of("explain")


def test_a_dropped_checkpoint_predicts_from_then_on(qtbot, window, script, tmp_path):
    drop(window, [str(tmp_path / "mine.pth")])
    drop(window, [str(tmp_path / "a.jpg")])
    qtbot.waitUntil(lambda: bool(script.of("predict")))
    assert script.of("predict")[0][0] == str(tmp_path / "mine.pth")


def test_the_device_that_the_user_chose_predicts(qtbot, window, script):
    drop(window, ["/x/mine.pth", "/x/a.jpg"])
    qtbot.waitUntil(lambda: script.of("device") == [""])  # as its recipe says
    device = find(window, QComboBox, "device")
    device.setCurrentIndex(device.findData("cpu"))
    drop(window, ["/x/b.jpg"])
    qtbot.waitUntil(lambda: script.of("device") == ["", "cpu"])


# --- while a run trains -----------------------------------------------------------------------


def test_a_photo_is_predicted_at_once_by_an_older_run_and_anew_when_the_run_has_saved(
    qtbot, window, script, photos, tmp_path
):
    """Also while the run still scans its photos, or downloads weights."""
    best = older_run(qtbot, window, script, tmp_path)
    script.holds.clear()
    start(qtbot, window, photos)
    drop(window, ["/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert script.of("predict") == [(best, ["/x/a.jpg"])]
    assert "older" in caption(window)
    assert plot(window)._batches.length == 0
    script.holds.set()
    script.gate.release()
    last = str(script.run / "last.pth")
    qtbot.waitUntil(lambda: script.of("predict")[1:] == [(last, ["/x/a.jpg"])])
    qtbot.waitUntil(lambda: "run, newest state" in caption(window))


def test_a_photo_waits_for_the_first_checkpoint_where_there_is_no_other(
    qtbot, window, script, photos
):
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    drop(window, ["/x/a.jpg"])
    script.gate.release()
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert script.of("predict") == [(str(script.run / "last.pth"), ["/x/a.jpg"])]
    assert window.session.run == "running"


@pytest.mark.parametrize("full", [False, True])
def test_the_run_that_goes_predicts_with_what_it_has_learned_so_far(
    qtbot, window, script, photos, full
):
    start(qtbot, window, photos)
    last = str(script.run / "last.pth")
    window.controllers.training.save_now()
    script.gate.release()
    qtbot.waitUntil(lambda: "run, newest state" in caption(window))
    script.full = full
    drop(window, ["/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])  # of what is saved
    script.gate.release()
    if not full:
        qtbot.waitUntil(lambda: len(script.of("predict")) == 2)
    assert set(map(str, script.of("predict"))) == {str((last, ["/x/a.jpg"]))}


def test_a_network_that_has_improved_answers_anew(qtbot, window, script, photos):
    window.controllers.predictions._improved.setInterval(10)
    script.epochs = 2
    start(qtbot, window, photos)
    window.controllers.training.save_now()
    script.gate.release()
    qtbot.waitUntil(lambda: "run, newest state" in caption(window))
    drop(window, ["/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    for _ in range(BATCHES):
        script.gate.release()
    best = str(script.run / "best.pth")
    qtbot.waitUntil(lambda: script.of("predict")[-1] == (best, ["/x/a.jpg"]))
    qtbot.waitUntil(lambda: caption(window).startswith("Predicted by run"))


def test_a_network_that_improves_while_it_is_asked_answers_anew_after_that(
    qtbot, window, script, photos, monkeypatch
):
    may_answer, predict = threading.Event(), tasks.predict

    def slow(*args: Any, **options: Any) -> Iterator[Any]:
        may_answer.wait()
        yield from predict(*args, **options)

    looks: list[None] = []
    improved = window.controllers.predictions._improved
    improved.setInterval(10)
    improved.timeout.connect(lambda: looks.append(None))
    script.epochs = 2
    start(qtbot, window, photos)
    window.controllers.training.save_now()
    script.gate.release()
    qtbot.waitUntil(lambda: "run, newest state" in caption(window))
    monkeypatch.setattr(tasks, "predict", slow)
    drop(window, ["/x/a.jpg"])
    for _ in range(BATCHES):
        script.gate.release()
    best = str(script.run / "best.pth")
    qtbot.waitUntil(lambda: window.session.run_checkpoint == best)
    qtbot.waitUntil(lambda: len(looks) >= 2)  # while the first predictions go on
    may_answer.set()
    qtbot.waitUntil(lambda: bool(script.of("predict")) and script.of("predict")[-1][0] == best)


def test_without_any_checkpoint_it_says_so_once_the_run_can_not_save(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    drop(window, ["/x/a.jpg"])
    assert not find(window, QLabel, "predictionError").text()
    script.gate.release()
    error = find(window, QLabel, "predictionError")
    qtbot.waitUntil(lambda: error.text() == "No network has been trained yet.")


@pytest.mark.parametrize("way", ["a run of this window", "a run on disk", "a file"])
def test_a_photo_without_a_network_is_predicted_by_the_first_one(
    qtbot, window, script, photos, tmp_path, way: str
):
    error = find(window, QLabel, "predictionError")
    drop(window, ["/x/a.jpg"])
    assert error.text() == "No network has been trained yet."
    if way == "a run of this window":
        start(qtbot, window, photos)
        window.controllers.training.save_now()
        script.gate.release()
        first = str(script.run / "last.pth")
    elif way == "a run on disk":
        first = older_run(qtbot, window, script, tmp_path)
    else:
        first = "/x/mine.pth"
        drop(window, [first])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert script.of("predict") == [(first, ["/x/a.jpg"])]
    assert not error.isVisible()


def test_after_resume_the_best_of_that_run_predicts_at_once(qtbot, window, script, tmp_path):
    run = replace(facts(script.run), best=str(script.run / "best.pth"))
    newer = replace(facts(tmp_path / "newer"), best=str(tmp_path / "newer" / "best.pth"))
    script.runs += [newer, run]
    list_runs(qtbot, window)
    window.controllers.resume.resume(run.last)
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert button(window, "evaluationButton").isEnabled()
    drop(window, ["/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert script.of("predict") == [(run.best, ["/x/a.jpg"])]
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: script.of("evaluate") == [(run.best, "")])


# --- whose predictions they are ---------------------------------------------------------------


def test_predictions_stay_with_the_network_that_made_them(qtbot, window, script, photos, tmp_path):
    older_run(qtbot, window, script, tmp_path)
    drop(window, ["/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    before = caption(window)
    assert before == "Predicted by older, epoch 1."
    start(qtbot, window, photos)
    window.controllers.training.save_now()
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    assert window.session.run_checkpoint == str(script.run / "last.pth")
    assert caption(window) == before
    assert len(script.of("predict")) == 1


def test_another_checkpoint_predicts_the_photos_that_are_shown_anew(qtbot, window, script):
    drop(window, ["/x/mine.pth", "/x/a.jpg", "/x/b.jpg"])
    qtbot.waitUntil(lambda: caption(window) == "Predicted by mine.pth of x, epoch 1.")
    script.answer = lambda path: iter(
        [Predicted(path, (Prediction("oak", 1.0),), "/y/theirs.pth", 3)]
    )
    drop(window, ["/y/theirs.pth"])
    qtbot.waitUntil(lambda: predictions(window) == ["oak"])
    assert script.of("predict")[1] == ("/y/theirs.pth", ["/x/a.jpg", "/x/b.jpg"])
    assert caption(window) == "Predicted by theirs.pth of y, epoch 3."


def test_a_checkpoint_that_cannot_predict_is_said(qtbot, window, script):
    def refused(path: str) -> Any:
        raise FlowerError("mine.pth is damaged.")
        yield

    script.answer = refused
    drop(window, ["/x/mine.pth", "/x/a.jpg"])
    error = find(window, QLabel, "predictionError")
    qtbot.waitUntil(lambda: error.text() == "mine.pth is damaged.")


def refusing(script: Script, refused: str) -> None:
    """Has this checkpoint refused; all others predict."""

    def answer(path: str) -> Any:
        kind = "predict" if path else "tried"
        checkpoint = script.of(kind)[-1][0] if path else script.of(kind)[-1]
        if checkpoint == refused:
            raise FlowerError("bad.ckpt is damaged.")
        yield Predicted(path, (Prediction("oak", 1.0),), checkpoint, 3)

    script.answer = answer


@pytest.mark.parametrize("shown", [False, True])
def test_a_checkpoint_that_is_refused_leaves_the_one_before(
    qtbot, window, script, tmp_path, shown: bool
):
    best = older_run(qtbot, window, script, tmp_path)
    refusing(script, "/x/bad.ckpt")
    if shown:
        drop(window, ["/x/a.jpg"])
        qtbot.waitUntil(lambda: predictions(window) == ["oak"])
    drop(window, ["/x/bad.ckpt"])
    qtbot.waitUntil(lambda: banner_text(window) == "bad.ckpt is damaged.")
    assert window.session.chosen_checkpoint == ""
    drop(window, ["/x/b.jpg"])
    # What was shown is predicted again by the one before, maybe in a thread that starts later.
    qtbot.waitUntil(lambda: (best, ["/x/b.jpg"]) in script.of("predict"))
    qtbot.waitUntil(lambda: predictions(window) == ["oak"])
    assert "older" in caption(window)
    drop(window, ["/x/good.pth"])
    qtbot.waitUntil(lambda: "good.pth" in caption(window))
    drop(window, ["/x/bad.ckpt"])
    tried = [("/x/bad.ckpt", ["/x/b.jpg"]), ("/x/good.pth", ["/x/b.jpg"])]
    qtbot.waitUntil(lambda: script.of("predict")[-2:] == tried)
    assert window.session.chosen_checkpoint == "/x/good.pth"
    assert predictions(window) == ["oak"]
    assert not find(window, QLabel, "predictionError").isVisible()


# --- why --------------------------------------------------------------------------------------


def reason(window) -> str:
    return find(window, QLabel, "reasonCaption").text()


def why(window) -> QPushButton:
    return button(window, "whyButton")


def test_why_is_computed_when_it_is_asked_for(qtbot, window, script):
    drop(window, ["/x/mine.pth", "/x/a.jpg", "/x/b.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    why(window).click()
    qtbot.waitUntil(lambda: reason(window) == "Bright: what speaks for rose.")
    assert script.of("explain") == [("/x/mine.pth", ["/x/a.jpg"])]
    table = find(window, QAbstractItemView, "predictions")
    table.clicked.emit(table.model().index(1, 0))
    assert reason(window) == "Bright: what speaks for tulip."  # it is there already
    strip = find(window, QAbstractItemView, "photoStrip")
    strip.setCurrentIndex(strip.model().index(1, 0))
    qtbot.waitUntil(lambda: len(script.of("explain")) == 2)  # the next photo, while "Why?" is on
    assert script.of("explain")[1] == ("/x/mine.pth", ["/x/b.jpg"])
    assert len(script.of("predict")) == 1


def test_a_checkpoint_that_was_saved_anew_predicts_anew_and_explains_that(qtbot, window, script):
    """Heatmaps and predictions that are shown together are of one network."""
    drop(window, ["/x/best.pth", "/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    newer = Predicted("/x/a.jpg", (Prediction("tulip", 0.7),), "/x/best.pth", 8)
    script.answer = lambda path: iter([newer, Explained(path, (((1.0, 0.5), (0.5, 0.0)),))])
    why(window).click()
    qtbot.waitUntil(lambda: reason(window) == "Bright: what speaks for tulip.")
    assert predictions(window) == ["tulip"]
    assert caption(window) == "Predicted by x, epoch 8."


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (lambda path: [Explained(path, ())], "This network can't show where it looks."),
        (lambda path: [PredictionFailed(path, "a.jpg has gone.")], "a.jpg has gone."),
    ],
)
def test_what_cannot_be_explained_keeps_its_predictions(qtbot, window, script, events, says):
    drop(window, ["/x/mine.pth", "/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    script.answer = lambda path: iter(events(path))
    why(window).click()
    qtbot.waitUntil(lambda: reason(window) == says)
    assert predictions(window) == ["rose", "tulip"]


def test_a_network_that_has_gone_explains_nothing(qtbot, window, script):
    def refused(path: str) -> Any:
        raise FlowerError("There is no file mine.pth.")
        yield

    drop(window, ["/x/mine.pth", "/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    script.answer = refused
    why(window).click()
    qtbot.waitUntil(lambda: reason(window) == "There is no file mine.pth.")


def test_predictions_do_not_make_the_window_taller(qtbot, window, script, tmp_path):
    """On a low screen Start and Stop would leave it."""
    drop(window, [str(tmp_path / "mine.pth")])
    least = window.minimumSizeHint()
    assert least.height() < 520
    drop(window, [str(tmp_path / "a.jpg")])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert window.minimumSizeHint() == least


def test_an_explanation_that_gives_way_to_new_predictions_comes_all_the_same(
    qtbot, window, script, photos
):
    drop(window, ["/x/best.pth", "/x/a.jpg"])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    script.explains.clear()
    why(window).click()
    qtbot.waitUntil(lambda: len(script.of("explain")) == 1)
    window.controllers.predictions.use_checkpoint("/y/best.pth")  # which predicts the same
    script.explains.set()
    qtbot.waitUntil(lambda: reason(window) == "Bright: what speaks for rose.")
    assert script.of("explain")[-1] == ("/y/best.pth", ["/x/a.jpg"])
