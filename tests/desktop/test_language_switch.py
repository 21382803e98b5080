"""The language changes while the program runs: another window goes on where the first one was."""

import gc
import json
import threading
import weakref
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QMessageBox, QTableView, QTextEdit, QWidget
from scripted import (
    BATCHES,
    banner,
    banner_text,
    button,
    choose_mode,
    drop,
    facts,
    find,
    list_runs,
    open_photos,
    plot,
    predictions,
    start,
)

from flowergui import language, tasks
from flowergui.desktop.app import Program
from flowergui.desktop.batch_prediction.batch_window import BatchWindow
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.menus.actions import language_action
from flowergui.desktop.prediction.drop_zone import DropZone
from flowergui.desktop.preferences.preferences import chosen_language
from flowergui.desktop.session import RunState, Session
from flowergui.desktop.settings.memory_controller import KEY
from flowergui.desktop.transitions import READ_AGAIN
from flowergui.desktop.window import shutdown
from flowergui.desktop.window.language_controller import speak
from flowergui.errors import FlowerError
from flowergui.events import Predicted
from flowergui.facts import Prediction
from flowergui.language import Language
from flowergui.text import tr

Button = QMessageBox.StandardButton
ENGLISH, CHINESE = Language.ENGLISH, Language.SIMPLIFIED_CHINESE


@pytest.fixture
def program(qtbot, qapp, script, translations, monkeypatch):
    monkeypatch.setattr(language.paths, "translations_folder", lambda: translations)
    made = Program(qapp)
    made.window.show()
    qtbot.waitUntil(lambda: bool(script.of("describe")))
    yield made
    window = made.window
    window.controllers.training.stop()
    for _ in range(100):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    window.deleteLater()
    made.deleteLater()
    speak(ENGLISH)


def settings_file() -> QSettings:
    return QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
    )


def switch(qtbot, program, wanted):
    """The window after the switch."""
    before = program.window
    before.controllers.languages.choose(wanted)
    qtbot.waitUntil(lambda: program.window not in (None, before))
    return program.window


def test_the_window_is_chinese_then_english_again(qtbot, program):
    window = switch(qtbot, program, CHINESE)
    assert button(window, "startButton").text() == "开始"
    assert language.current() is CHINESE
    window = switch(qtbot, program, ENGLISH)
    assert button(window, "startButton").text() == "Start"
    assert language.current() is ENGLISH


def test_the_garbage_collector_does_not_take_the_window_that_closes(qtbot, program, monkeypatch):
    before = weakref.ref(program.window)
    with monkeypatch.context() as patch:
        patch.setattr(MainWindow, "close", lambda window: False)  # as while its jobs end
        program.window.controllers.languages.choose(CHINESE)
        gc.collect()
        assert before() is not None
    before().close()
    qtbot.waitUntil(lambda: program.window is not None)


def test_it_is_in_the_menu(qtbot, program, monkeypatch):
    first = program.window
    assert not find(first, QAction, language_action(CHINESE)).isEnabled()  # the variable decides
    monkeypatch.delenv("FLOWERGUI_LANGUAGE")
    first._menus.show_session(first.session)
    assert find(first, QAction, language_action(ENGLISH)).isChecked()
    find(first, QAction, language_action(CHINESE)).trigger()
    qtbot.waitUntil(lambda: program.window not in (None, first))
    assert find(program.window, QAction, language_action(CHINESE)).isChecked()
    assert find(program.window, QAction, language_action(ENGLISH)).text() == "&English"


def test_the_choice_is_kept(qtbot, program, settings):
    switch(qtbot, program, CHINESE)
    kept = QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
    )
    assert chosen_language(kept) is CHINESE


@pytest.mark.parametrize("kept", ["", "abc", "zh", "@Invalid()"])
def test_a_settings_file_may_hold_anything(settings, kept):
    (settings / "flowergui").mkdir()
    (settings / "flowergui" / "flowergui.ini").write_text(f"[General]\nlanguage={kept}\n")
    read = QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
    )
    assert chosen_language(read) is (CHINESE if kept == "zh" else None)


def test_the_variable_comes_before_the_choice(qapp, script, monkeypatch, translations, settings):
    monkeypatch.setattr(language.paths, "translations_folder", lambda: translations)
    (settings / "flowergui").mkdir()
    (settings / "flowergui" / "flowergui.ini").write_text("[General]\nlanguage=zh_CN\n")
    for variable, tongue in (("en", ENGLISH), ("", CHINESE)):
        monkeypatch.setenv("FLOWERGUI_LANGUAGE", variable)
        made = Program(qapp)
        assert language.current() is tongue
        made.window.close()
        made.window.deleteLater()
        made.deleteLater()
    speak(ENGLISH)


def test_the_folder_and_the_settings_stay(qtbot, program, photos):
    open_photos(qtbot, program.window, photos)
    choose_mode(program.window, "scratch")
    find(program.window, QWidget, "epochs").setValue(7)
    before = program.window.session
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert window.session.recipe == before.recipe
    assert window.session.mode == "scratch"
    assert find(window, QLineEdit, "datasetPath").text() == photos
    assert find(window, QWidget, "epochs").value() == 7
    assert button(window, "modeScratch").isChecked()


def test_recent_folders_that_were_forgotten_stay_so(qtbot, program, photos):
    open_photos(qtbot, program.window, photos)
    program.window.controllers.datasets.forget_recent()
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    assert window.controllers.datasets.recent == []


def test_settings_that_the_folder_was_not_trained_with_last_stay(qtbot, program, photos, script):
    choose_mode(program.window, "scratch")
    start(qtbot, program.window, photos)
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: program.window.session.run == "idle")
    choose_mode(program.window, "transfer")
    recipe = program.window.session.recipe
    assert recipe.mode == "transfer"
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert window.session.recipe == recipe


def test_settings_come_back_with_their_folder_after_the_switch(qtbot, program, photos, tmp_path):
    other = tmp_path / "others"
    other.mkdir()
    recipe = replace(program.window.session.recipe, photos=str(other), batch_size=7)
    settings_file().setValue(KEY, json.dumps({str(other): recipe.as_dict()}))
    open_photos(qtbot, program.window, photos)
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert window.session.recipe.batch_size != 7
    window.open_folder(str(other))
    qtbot.waitUntil(lambda: window.session.recipe.batch_size == 7)


def test_the_run_to_resume_stays(qtbot, program, script, tmp_path):
    script.runs = [facts(tmp_path / name) for name in ("2026-11-09_14-05-00_a", "2026-11-08_b")]
    list_runs(qtbot, program.window)
    choose_mode(program.window, "resume")
    chosen_run = script.runs[1].last
    program.window.controllers.resume.choose(chosen_run)
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(lambda: window.session.resume_check is not None)
    assert window.session.checkpoint == chosen_run
    assert window.session.resume_from.path == script.runs[1].path


def test_curves_result_and_predictions_stay(qtbot, program, script, photos, tmp_path):
    script.runs = [facts(script.run)]
    start(qtbot, program.window, photos)
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(program.window))
    drop(find(program.window, QWidget, "dropZone"), [str(tmp_path / "a.jpg")])
    qtbot.waitUntil(lambda: predictions(program.window) == ["rose", "tulip"])
    before = program.window.session
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(lambda: plot(window)._batches.length == BATCHES)  # as its history has them
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    assert find(window, QLabel, "runState").text() == tr("Finished")
    assert "75.0%" in banner_text(window)
    assert "Done" not in banner_text(window)
    assert window.session.recipe == before.recipe
    assert window.session.run_checkpoint == before.run_checkpoint


def test_the_messages_of_the_session_stay(qtbot, program):
    banner(program.window).show_error("best.pth could not be saved.")
    window = switch(qtbot, program, CHINESE)
    banner(window).show_note("切换之后")
    kept = [each.text for each in banner(window).log.entries]
    assert kept[0] == "切换之后"
    assert "best.pth could not be saved." in kept
    banner(window).show_log()
    shown = find(window, QTableView, "messageLogTable").model()
    assert shown.index(shown.rowCount() - 1, 2).data() == kept[-1]


def test_a_pasted_picture_stays(qtbot, qapp, program, script):
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    qapp.clipboard().setImage(image)
    drop(program.window, ["/x/mine.pth"])
    find(program.window, DropZone, "dropZone").paste()
    qtbot.waitUntil(lambda: predictions(program.window) == ["rose", "tulip"])
    window = switch(qtbot, program, CHINESE)
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    gc.collect()
    zone = find(window, DropZone, "dropZone")
    first = zone.path
    assert QImage(first).size() == image.size()
    zone.paste()
    qtbot.waitUntil(lambda: zone.path != first)
    assert QImage(first).size() == QImage(zone.path).size() == image.size()


def batches(script, count):
    for _ in range(count):
        script.gate.release()


def start_and_train(qtbot, window, script, photos):
    """Starts a run and has it train one batch."""
    start(qtbot, window, photos)
    batches(script, 1)
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)


def test_a_run_goes_on_in_the_other_language(qtbot, program, script, photos):
    script.runs = [facts(script.run)]
    start(qtbot, program.window, photos)
    batches(script, 3)
    qtbot.waitUntil(lambda: plot(program.window)._batches.length == 3)
    loss = [*plot(program.window)._batches["loss_smooth"]]
    before = program.window.session
    window = switch(qtbot, program, CHINESE)
    assert window.session.run is RunState.RUNNING
    assert window.session.recipe == before.recipe
    assert window.session.run_checkpoint == before.run_checkpoint
    assert window.session.dataset == before.dataset
    assert banner_text(window) == ""
    assert [*plot(window)._batches["loss_smooth"]] == loss
    assert button(window, "pauseButton").text() == "暂停"
    assert f"3/{BATCHES}" in find(window, QLabel, "runLine").text()
    batches(script, 1)
    qtbot.waitUntil(lambda: plot(window)._batches.length == 4)
    assert plot(window)._batches["step"].tolist() == [1, 2, 3, 4]
    batches(script, script.epochs * BATCHES)
    qtbot.waitUntil(lambda: window.session.run is RunState.IDLE)
    assert plot(window)._batches.length == script.epochs * BATCHES
    assert plot(window)._epochs.length == script.epochs
    assert "75.0%" in banner_text(window)
    assert find(window, QLabel, "runState").text() == tr("Finished")
    assert len(script.of("train")) == 1
    qtbot.waitUntil(button(window, "startButton").isEnabled)


def test_what_a_run_says_while_no_window_is_there_comes_with_the_next(
    qtbot, program, script, photos
):
    script.runs = [facts(script.run)]
    first = program.window
    start_and_train(qtbot, first, script, photos)
    first.controllers.languages.choose(CHINESE)
    assert program.window is None
    batches(script, script.epochs * BATCHES)  # it ends in between
    qtbot.waitUntil(lambda: program.window is not None)
    window = program.window
    qtbot.waitUntil(lambda: window.session.run is RunState.IDLE)
    assert plot(window)._batches.length == script.epochs * BATCHES
    assert find(window, QLabel, "runState").text() == tr("Finished")


def test_marks_and_rollbacks_of_a_run_are_there_in_the_other_language(
    qtbot, program, script, photos
):
    script.epochs, script.back = 3, True
    start(qtbot, program.window, photos)
    batches(script, 2 * BATCHES)
    qtbot.waitUntil(lambda: plot(program.window)._epochs.length == 2)
    shown = plot(program.window)
    marks, steps = [*shown.marks], shown._batches["step"].tolist()
    assert {text for _, text in marks} >= {"rolled back"}
    rate = program.window.session.recipe.learning_rate
    window = switch(qtbot, program, CHINESE)
    assert [step for step, _ in plot(window).marks] == [step for step, _ in marks]
    assert tr("rolled back") in {text for _, text in plot(window).marks}
    assert plot(window)._batches["step"].tolist() == steps
    assert window.session.recipe.learning_rate == rate


def test_a_paused_run_stays_paused_and_goes_on(qtbot, program, script, photos):
    start(qtbot, program.window, photos)
    batches(script, 2)
    qtbot.waitUntil(lambda: plot(program.window)._batches.length == 2)
    button(program.window, "pauseButton").click()
    batches(script, 1)
    qtbot.waitUntil(lambda: program.window.session.run is RunState.PAUSED)
    window = switch(qtbot, program, CHINESE)
    assert window.session.run is RunState.PAUSED
    assert button(window, "pauseButton").text() == "继续"
    assert find(window, QLabel, "runState").text() == tr("Paused")
    assert plot(window)._batches.length == 2
    button(window, "pauseButton").click()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 3)
    button(window, "stopButton").click()
    batches(script, 1)
    qtbot.waitUntil(lambda: window.session.run is RunState.IDLE)
    assert find(window, QLabel, "runState").text() == tr("Stopped")


def test_a_run_takes_wishes_from_the_next_window(qtbot, program, script, photos):
    start_and_train(qtbot, program.window, script, photos)
    window = switch(qtbot, program, CHINESE)
    find(window, QWidget, "learning_rate").setValue(0.0005)
    assert window.controllers.training.live.learning_rate == 0.0005
    assert script.live is window.controllers.training.live


def test_a_run_that_is_about_to_pause_does_so_first(qtbot, program, script, photos):
    first = program.window
    start_and_train(qtbot, first, script, photos)
    button(first, "pauseButton").click()
    assert first.session.run is RunState.PAUSING
    first.controllers.languages.choose(CHINESE)
    assert program.window is first
    batches(script, 1)
    qtbot.waitUntil(lambda: program.window not in (None, first))
    assert program.window.session.run is RunState.PAUSED


def test_who_changes_his_mind_while_it_stops_keeps_the_window(qtbot, program, script, photos):
    script.runs = [facts(script.run)]
    first = program.window
    start(qtbot, first, photos)
    button(first, "stopButton").click()
    first.controllers.languages.choose(CHINESE)
    assert "简体中文" in banner_text(first)
    first.controllers.languages.choose(ENGLISH)
    batches(script, script.epochs * BATCHES)
    qtbot.waitUntil(lambda: first.session.run is RunState.IDLE)
    qtbot.wait(50)
    assert program.window is first


def test_a_run_is_saved_if_the_program_ends_between_two_windows(qtbot, program, script, photos):
    first = program.window
    start_and_train(qtbot, first, script, photos)
    first.controllers.languages.choose(CHINESE)
    assert program.window is None
    program.end()
    qtbot.waitUntil(lambda: program.window is not None)
    window = program.window
    batches(script, 1)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.session.run is RunState.IDLE
    assert script.live.stop


def test_a_logout_between_two_windows_waits_until_the_run_is_saved(
    qtbot, program, script, photos, monkeypatch
):
    first = program.window
    start_and_train(qtbot, first, script, photos)
    first.controllers.languages.choose(CHINESE)
    assert program.window is None
    batches(script, 1)
    program.end_session()
    assert script.of("saved") == [1]
    qtbot.waitUntil(lambda: program.window is not None)
    window = program.window
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_run_that_has_not_begun_to_train_is_not_remembered_twice(
    qtbot, program, script, photos, settings
):
    script.holds.clear()
    start(qtbot, program.window, photos)
    before = settings_file().value("recipes")
    window = switch(qtbot, program, CHINESE)
    assert window.session.run is RunState.RUNNING
    assert window.session.run_started is None
    assert settings_file().value("recipes") == before
    script.holds.set()
    batches(script, 1)
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    assert window.session.run_started is not None


def test_why_a_run_failed_between_two_windows_is_told(qtbot, program, script, photos):
    first = program.window
    start_and_train(qtbot, first, script, photos)
    script.error = FlowerError("The drive was pulled.")
    first.controllers.languages.choose(CHINESE)
    assert program.window is None
    batches(script, 1)
    qtbot.waitUntil(lambda: program.window is not None)
    qtbot.waitUntil(lambda: program.window.session.run is RunState.IDLE)
    assert "The drive was pulled." in banner_text(program.window)
    assert find(program.window, QLabel, "runState").text() == tr("Failed")


def test_a_run_from_another_folder_stays_listed_while_it_goes(qtbot, program, script, photos):
    start(qtbot, program.window, photos)  # script.runs has none: it is nowhere among the models
    batches(script, BATCHES)
    qtbot.waitUntil(lambda: plot(program.window)._epochs.length == 1)
    window = switch(qtbot, program, CHINESE)
    list_runs(qtbot, window)
    assert [each.path for each in window.session.runs] == [str(script.run)]
    assert window.session.runs[0].epochs_done == 1


def test_a_job_that_hangs_does_not_keep_a_run_from_going_on(
    qtbot, program, script, photos, monkeypatch
):
    monkeypatch.setattr(shutdown, "JOB_LIMIT_MS", 100)
    first = program.window
    start(qtbot, first, photos)
    hangs = threading.Event()

    def job():
        yield 1
        hangs.wait()

    first._jobs.do("hangs", job, lambda events: None)
    window = switch(qtbot, program, CHINESE)
    assert window.session.run is RunState.RUNNING
    hangs.set()
    batches(script, 1)
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)


def test_a_window_that_is_closed_with_its_run_does_not_come_back(qtbot, program, script, photos):
    first = program.window
    start(qtbot, first, photos)
    first.end()
    first.controllers.languages.choose(CHINESE)
    script.gate.release()
    qtbot.waitUntil(lambda: not first.isVisible())
    qtbot.wait(50)
    assert program.window is first


def question(window) -> QMessageBox | None:
    return window.findChild(QMessageBox, "languageQuestion")


def answer(window, which) -> None:
    question(window).button(which).click()


@pytest.fixture
def many(qtbot, program, script, tmp_path, monkeypatch) -> BatchWindow:
    """Many images that are predicted."""

    def predict(checkpoint: str, images: list[str], **_: Any) -> Iterator[Predicted]:
        for image in images:
            yield Predicted(image, (Prediction("rose", 0.9),), checkpoint, 3)

    monkeypatch.setattr(tasks, "predict", predict)
    for number in range(24):
        (tmp_path / f"{number}.jpg").touch()
    drop(program.window, ["/x/mine.pth"])
    drop(program.window, [str(tmp_path / f"{number}.jpg") for number in range(24)])
    qtbot.waitUntil(lambda: program.window.findChild(BatchWindow) is not None)
    shown = program.window.findChild(BatchWindow)
    qtbot.waitUntil(lambda: shown.is_finished)
    return shown


def test_predictions_for_many_images_are_not_lost_without_a_question(qtbot, program, many):
    first = program.window
    first.controllers.languages.choose(CHINESE)
    assert "The predictions for 24 images would be lost." in question(first).informativeText()
    assert question(first).defaultButton() is question(first).button(Button.Cancel)
    answer(first, Button.Cancel)
    assert program.window is first
    assert many.isVisible()
    assert chosen_language(settings_file()) is CHINESE  # for the next start
    qtbot.waitUntil(lambda: question(first) is None)
    first.controllers.languages.choose(CHINESE)
    answer(first, Button.Yes)
    qtbot.waitUntil(lambda: program.window not in (None, first))
    assert language.current() is CHINESE


def test_a_question_about_a_language_goes_with_the_wish(qtbot, program, many):
    first = program.window
    first.controllers.languages.choose(CHINESE)
    first.controllers.languages.choose(ENGLISH)
    qtbot.waitUntil(lambda: question(first) is None)
    assert program.window is first


def test_a_job_that_would_be_missed_is_asked_about_before_the_switch(qtbot, program):
    first, over = program.window, threading.Event()

    def job():
        while not over.wait(0.01):
            yield 1

    first._jobs.do("copy", job, lambda events: None, warning="Images are being copied.")
    first.controllers.languages.choose(CHINESE)
    assert "Images are being copied." in question(first).informativeText()
    answer(first, Button.Yes)  # the window that closes asks nothing more
    qtbot.waitUntil(lambda: program.window not in (None, first))
    over.set()


def test_after_a_run_has_stopped_too_it_is_asked(qtbot, program, script, photos, many):
    first = program.window
    first.activateWindow()  # Return is for the image that has the focus in the other one
    qtbot.waitUntil(first.isActiveWindow)
    start(qtbot, first, photos)
    button(first, "stopButton").click()
    first.controllers.languages.choose(CHINESE)
    assert question(first) is None
    batches(script, script.epochs * BATCHES)
    qtbot.waitUntil(lambda: question(first) is not None)
    assert program.window is first
    answer(first, Button.Cancel)


def test_the_folder_that_is_being_scanned_is_opened_not_the_one_before(
    qtbot, program, script, photos, tmp_path
):
    (tmp_path / "endless").mkdir()
    open_photos(qtbot, program.window, photos)
    program.window.open_folder(str(tmp_path / "endless"))
    window = switch(qtbot, program, CHINESE)
    assert script.of("inspect")[-1] == str(tmp_path / "endless")
    assert find(window, QLineEdit, "datasetPath").text() == str(tmp_path / "endless")
    assert window.session.scanning


def test_the_first_folder_that_is_being_scanned_is_opened_in_the_other_language(
    qtbot, program, script, tmp_path
):
    (tmp_path / "endless").mkdir()
    program.window.open_folder(str(tmp_path / "endless"))
    window = switch(qtbot, program, CHINESE)
    assert window.session.scanning
    assert script.of("inspect") == [str(tmp_path / "endless")] * 2


def test_qt_speaks_it_too(qtbot, qapp, translations, monkeypatch):
    def undo() -> str:
        edit = QTextEdit()
        qtbot.addWidget(edit)
        return edit.createStandardContextMenu().actions()[0].text().partition("\t")[0]

    monkeypatch.setattr(language.paths, "translations_folder", lambda: translations)
    assert undo() == "&Undo"
    speak(CHINESE)
    assert "撤" in undo()
    speak(ENGLISH)
    assert undo() == "&Undo"


def test_a_window_hands_over_everything_but_what_it_reads_again() -> None:
    names = {each.name for each in fields(Session)}
    assert names >= READ_AGAIN
    assert {"recipe", "mode", "runs", "checkpoint", "run_started"} <= names - READ_AGAIN
