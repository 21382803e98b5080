"""What one click can lose comes back with Ctrl+Z."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QWidget
from scripted import button, choose_mode, facts, find, list_runs, open_photos, start

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import resume_changes
from flowergui.facts import Speedup, SpeedupKind


def action(window, name: str) -> QAction:
    return find(window, QAction, name)


def test_a_preset_is_undone_and_done_again(window):
    undo, redo = action(window, "undoAction"), action(window, "redoAction")
    assert not undo.isEnabled()
    find(window, QWidget, "epochs").setValue(77)
    before = window.session.recipe
    button(window, "presetTutorial").click()
    after = window.session.recipe
    assert after.epochs != 77
    assert undo.text() == "&Undo: the preset"
    undo.trigger()
    assert window.session.recipe == before
    assert find(window, QWidget, "epochs").value() == 77
    assert not undo.isEnabled()
    redo.trigger()
    assert window.session.recipe == after


def test_what_was_edited_since_is_not_lost_either(window):
    button(window, "presetTutorial").click()
    find(window, QWidget, "epochs").setValue(66)
    action(window, "undoAction").trigger()
    assert window.session.recipe.epochs != 66
    action(window, "redoAction").trigger()
    assert window.session.recipe.epochs == 66


def test_a_preset_that_changes_nothing_is_no_step(window):
    button(window, "presetRecommended").click()
    assert not action(window, "undoAction").isEnabled()


def test_the_settings_of_a_run_are_undone(window):
    before = window.session
    wanted = Recipe(mode="scratch", model="resnet50", epochs=9)
    window.controllers.comparison.settings_requested.emit(wanted)
    assert (window.session.mode, window.session.recipe.epochs) == ("scratch", 9)
    action(window, "undoAction").trigger()
    assert (window.session.mode, window.session.recipe) == (before.mode, before.recipe)
    assert window.session.model_chosen == before.model_chosen
    assert button(window, "modeTransfer").isChecked()


def test_a_speed_up_is_undone(qtbot, window, script, photos):
    sizes = (("training_size", 160), ("first_training_size", 96))
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, sizes, 250.0)
    window.controllers.estimate.debounce.setInterval(0)
    button(window, "modeScratch").click()
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: window.session.estimate is not None)
    before = window.session
    window.controllers.estimate.take_speedup()
    assert window.session.recipe.training_size == 160
    assert action(window, "undoAction").text() == "&Undo: the speed-up"
    action(window, "undoAction").trigger()
    assert window.session.recipe == before.recipe
    assert window.session.taken_speedup == before.taken_speedup == ()
    action(window, "redoAction").trigger()
    find(window, QWidget, "epochs").setValue(66)
    window.controllers.estimate._give_up_speedup()  # as its message offers
    assert (window.session.recipe.training_size, window.session.recipe.epochs) == (0, 66)


def test_frozen_layers_are_undone(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    before = window.session.recipe.frozen
    button(window, "freezeNothing").click()
    assert window.session.recipe.frozen != before
    assert action(window, "undoAction").text() == "&Undo: the frozen layers"
    action(window, "undoAction").trigger()
    assert window.session.recipe.frozen == before


def test_the_network_that_a_comparison_found_is_undone(qtbot, window):
    button(window, "modeScratch").click()
    before = window.session
    window.controllers.network_comparison._take("resnet50", "IMAGENET1K_V1")
    assert (window.session.mode, window.session.recipe.model) == ("transfer", "resnet50")
    action(window, "undoAction").trigger()
    assert (window.session.mode, window.session.recipe) == (before.mode, before.recipe)


def test_an_older_change_is_undone_for_the_dataset_that_is_open_now(qtbot, window, photos):
    button(window, "presetTutorial").click()
    open_photos(qtbot, window, photos)
    action(window, "undoAction").trigger()
    assert window.session.recipe.photos == photos


def test_a_change_of_another_mode_is_undone_there(window):
    before = window.session
    button(window, "presetTutorial").click()
    choose_mode(window, "scratch")
    action(window, "undoAction").trigger()
    assert (window.session.mode, window.session.recipe) == (before.mode, before.recipe)
    assert button(window, "modeTransfer").isChecked()
    action(window, "redoAction").trigger()
    assert window.session.mode == window.session.recipe.mode == "scratch"


def test_a_run_to_resume_does_not_take_the_values_of_a_new_one(
    qtbot, window, script, photos, tmp_path
):
    script.runs = [facts(tmp_path / "one")]
    list_runs(qtbot, window)
    open_photos(qtbot, window, photos)
    before = window.session.recipe
    button(window, "presetTutorial").click()
    choose_mode(window, "resume")
    qtbot.waitUntil(lambda: window.session.resume_check is not None)
    action(window, "undoAction").trigger()
    session = window.session
    assert (session.mode, session.recipe) == ("transfer", before)
    assert (session.new_run, session.resume_from, session.resume_check) == (None, None, None)
    action(window, "redoAction").trigger()
    assert window.session.mode == "resume"
    assert window.session.resume_from.path == script.runs[0].path
    assert resume_changes(window.session) == {}
    qtbot.waitUntil(lambda: window.session.resume_check is not None)  # by another check
    choose_mode(window, "transfer")
    assert window.session.recipe.epochs == 30  # as the tutorial has it


def test_frozen_layers_of_a_run_to_resume_are_undone_without_another_check_of_it(
    qtbot, window, script, tmp_path
):
    script.runs = [facts(tmp_path / "one")]
    list_runs(qtbot, window)
    choose_mode(window, "resume")
    button(window, "freezeAllButHead").click()
    qtbot.waitUntil(lambda: window.session.resume_check is not None)
    action(window, "undoAction").trigger()
    assert window.session.resume_check is not None
    assert resume_changes(window.session) == {}


def test_while_a_run_goes_nothing_is_undone(qtbot, window, photos, script):
    open_photos(qtbot, window, photos)
    button(window, "presetTutorial").click()
    assert action(window, "undoAction").isEnabled()
    start(qtbot, window, photos)
    assert not action(window, "undoAction").isEnabled()


def test_a_text_field_keeps_its_own_undo(qtbot, window):
    button(window, "presetTutorial").click()
    recipe = window.session.recipe
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    path = find(window, QLineEdit, "datasetPath")
    path.setFocus()
    qtbot.keyClicks(path, "/roses")
    qtbot.keyClick(path, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert path.text() == ""
    assert window.session.recipe == recipe
    path.clearFocus()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.session.recipe != recipe
