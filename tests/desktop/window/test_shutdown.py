"""Closing the window: a run is saved first, and nothing begins any more."""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QMessageBox
from scripted import BATCHES, banner_text, button, discard, open_photos, plot, start, unsaved

from flowergui.desktop.window import shutdown


def test_closing_while_training_asks_and_saves(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox, "closeQuestion")
    box.button(QMessageBox.StandardButton.Close).click()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.session.run == "idle"


def test_closing_can_be_taken_back(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    box.button(QMessageBox.StandardButton.Cancel).click()
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    assert window.isVisible()


def test_a_wish_to_end_saves_and_closes_without_a_question(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.end()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.findChild(QMessageBox, "closeQuestion") is None


@pytest.fixture
def finishing(window, monkeypatch) -> Iterator[threading.Event]:
    """Has a job that does not hear that it is cancelled, until this is set."""
    monkeypatch.setattr(shutdown, "LAST_WAIT_MS", 1)
    monkeypatch.setattr(shutdown, "JOB_LIMIT_MS", 1)
    begun, over = threading.Event(), threading.Event()

    def job():
        begun.set()
        over.wait()
        yield from ()

    window._jobs.do("long", job, lambda events: None)
    begun.wait()
    yield over
    over.set()


def test_a_window_that_waits_for_a_last_piece_of_work_closes_when_it_is_done(
    qtbot, window, finishing
):
    window.close()
    assert window.isVisible()
    qtbot.waitUntil(lambda: "The window closes when it has" in banner_text(window))
    assert not button(window, "startButton").isEnabled()
    assert not button(window, "sampleButton").isEnabled()
    finishing.set()
    qtbot.waitUntil(lambda: not window.isVisible())


@pytest.mark.parametrize("close", ["close", "end"])
def test_a_second_close_ends_the_program_whatever_a_task_does(
    qtbot, window, finishing, monkeypatch, close: str
):
    """So does a second signal; the second click of two is none."""
    ended = []
    monkeypatch.setattr(shutdown.os, "_exit", ended.append)
    getattr(window, close)()
    getattr(window, close)()
    assert ended == []
    qtbot.waitUntil(lambda: "close it again to end" in banner_text(window))
    getattr(window, close)()
    assert ended == [0]


def test_after_a_run_too_it_closes_when_the_last_piece_of_work_is_done(
    qtbot, window, script, photos, finishing
):
    start(qtbot, window, photos)
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    box.button(QMessageBox.StandardButton.Close).click()
    script.gate.release()
    qtbot.waitUntil(lambda: "The window closes when it has" in banner_text(window))
    assert window.isVisible()
    finishing.set()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_run_that_could_not_be_saved_is_not_closed_with_the_window(qtbot, window, script, photos):
    """Neither was it what the user agreed to; it is asked once more."""
    script.full = True
    start(qtbot, window, photos)
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    assert box.button(QMessageBox.StandardButton.Close).text() == "Stop, save and close"
    box.button(QMessageBox.StandardButton.Close).click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "unsaved")
    assert window.isVisible()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "closeQuestion") is None)
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox, "closeQuestion")
    assert "lose it" in box.text()
    box.button(QMessageBox.StandardButton.Close).click()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_question_that_promised_to_save_goes_when_that_failed(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    window.close()
    assert window.findChild(QMessageBox, "closeQuestion") is not None
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "unsaved")
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "closeQuestion") is None)
    assert window.isVisible()
    assert not script.of("again")


def test_what_is_given_up_is_not_tried_again_for_a_wish_of_before(qtbot, window, script, photos):
    unsaved(qtbot, window, script, photos, stopped=True)
    window.controllers.training.live.save = True  # a pause that came too late
    discard(window)
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert script.of("again") == [False]


def test_a_wish_to_end_is_followed_also_where_nothing_can_be_saved(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    window.end()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert script.of("again") == [False]


def test_a_logout_waits_until_the_run_is_saved(qtbot, window, script, photos):
    """The system may end the program as soon as this returns."""
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("train")))
    window.controllers.training.changed.connect(
        lambda state: script.gate.release() if state == "stopping" else None
    )
    window.end_session()
    assert script.of("saved")
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_logout_without_a_run_leaves_the_window_as_it_is(window):
    """Another program may still refuse it."""
    window.end_session()
    assert window.isVisible()


@pytest.fixture
def copying(window) -> Iterator[threading.Event]:
    """Has a job whose end would be missed, until this is set."""
    over = threading.Event()

    def job():
        while not over.wait(0.01):
            yield 1

    window._jobs.do("copy", job, lambda events: None, warning="Images are being copied.")
    yield over
    over.set()


def test_closing_asks_where_a_job_would_be_missed(qtbot, window, copying):
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox, "closeQuestion")
    assert "Images are being copied." in box.informativeText()
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert window._jobs.is_running("copy")
    window.close()
    assert window.isVisible()
    box = window.findChildren(QMessageBox, "closeQuestion")[-1]
    box.button(QMessageBox.StandardButton.Close).click()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_the_estimate_goes_on_where_closing_is_cancelled(qtbot, window, photos, copying):
    debounce = window.controllers.estimate.debounce
    debounce.setInterval(60_000)
    open_photos(qtbot, window, photos)
    assert debounce.isActive()
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert debounce.isActive()
    copying.set()
    qtbot.waitUntil(lambda: not window._jobs.is_running("copy"))


def test_a_logout_asks_about_no_job(qtbot, window, copying):
    window.end_session()
    window.close()
    assert window.findChild(QMessageBox, "closeQuestion") is None
    qtbot.waitUntil(lambda: not window.isVisible())


def test_after_a_logout_that_another_program_refuses_it_asks_again(
    qtbot, window, copying, monkeypatch
):
    monkeypatch.setattr(shutdown, "LOGOUT_WAIT_MS", 0)
    window.end_session()
    qtbot.wait(1)
    window.close()
    assert window.findChild(QMessageBox, "closeQuestion") is not None
    copying.set()
    qtbot.waitUntil(lambda: not window._jobs.is_running("copy"))


def test_a_job_that_is_over_keeps_no_window_open(qtbot, window, copying):
    copying.set()
    qtbot.waitUntil(lambda: not window._jobs.is_running("copy"))
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_who_closes_during_a_run_is_asked_once_about_both(qtbot, window, script, photos, copying):
    start(qtbot, window, photos)
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    assert "Images are being copied." in box.informativeText()
    box.button(QMessageBox.StandardButton.Close).click()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_wish_to_end_asks_about_no_job(qtbot, window, copying):
    window.end()
    qtbot.waitUntil(lambda: not window.isVisible())
