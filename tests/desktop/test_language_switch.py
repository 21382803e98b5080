"""The language changes while the program runs: another window goes on where the first one was."""

import gc
import weakref
from dataclasses import fields

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QLineEdit, QTextEdit, QWidget
from scripted import (
    BATCHES,
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

from flowergui import language
from flowergui.desktop.app import Program
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.menus.actions import language_action
from flowergui.desktop.session import Session
from flowergui.desktop.transitions import READ_AGAIN
from flowergui.desktop.window.language_controller import chosen, speak
from flowergui.language import Language
from flowergui.text import tr

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
    assert chosen(kept) is CHINESE


@pytest.mark.parametrize("kept", ["", "abc", "zh", "@Invalid()"])
def test_a_settings_file_may_hold_anything(settings, kept):
    (settings / "flowergui").mkdir()
    (settings / "flowergui" / "flowergui.ini").write_text(f"[General]\nlanguage={kept}\n")
    read = QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
    )
    assert chosen(read) is (CHINESE if kept == "zh" else None)


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


def test_a_run_goes_on_and_the_language_changes_after_it(qtbot, program, script, photos):
    script.runs = [facts(script.run)]
    first = program.window
    start(qtbot, first, photos)
    first.controllers.languages.choose(CHINESE)
    assert "简体中文" in banner_text(first)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(first)._batches.length == 1)
    assert program.window is first
    assert button(first, "startButton").text() == "Start"
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: program.window not in (None, first))
    assert button(program.window, "stopButton").text() == "停止"
    qtbot.waitUntil(lambda: "75.0%" in banner_text(program.window))
    assert find(program.window, QLabel, "runState").text() == tr("Finished")


def test_who_changes_his_mind_during_a_run_keeps_the_window(qtbot, program, script, photos):
    first = program.window
    start(qtbot, first, photos)
    first.controllers.languages.choose(CHINESE)
    first.controllers.languages.choose(ENGLISH)
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(first))
    assert program.window is first


def test_a_window_that_is_closed_with_its_run_does_not_come_back(qtbot, program, script, photos):
    first = program.window
    start(qtbot, first, photos)
    first.controllers.languages.choose(CHINESE)
    first.end()
    script.gate.release()
    qtbot.waitUntil(lambda: not first.isVisible())
    qtbot.wait(50)
    assert program.window is first


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
