"""How long a run would take, said beside Start."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget
from scripted import banner, button, facts, find, open_photos

from flowergui.desktop.settings.setting_editors import FloatEditor, IntEditor
from flowergui.facts import Speedup, SpeedupKind


def test_what_a_run_would_take_is_said_beside_start(qtbot, window, script, photos):
    window.controllers.estimate.debounce.setInterval(0)
    hint = find(window, QLabel, "startHint")
    button(window, "modeScratch").click()
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: hint.text() == "About 8:47 min in all, 13 s an epoch.")
    assert script.of("estimate")[-1][1:] == (12, 4, 2)  # a fifth of each class validates
    find(window, IntEditor, "epochs").setValue(2)
    qtbot.waitUntil(lambda: hint.text() == "About 33 s in all, 13 s an epoch.")
    find(window, IntEditor, "batch_size").setValue(128)
    qtbot.waitUntil(lambda: "Batch size 128 may not fit in memory" in hint.text())
    asked = len(script.of("estimate"))
    button(window, "startButton").click()
    assert hint.text() == ""
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert len(script.of("estimate")) == asked


GROWING = (("training_size", 160), ("first_training_size", 96))


def test_what_would_take_less_is_one_click_away(qtbot, window, script, photos):
    window.controllers.estimate.debounce.setInterval(0)
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, GROWING, 250.0)
    hint, messages = find(window, QLabel, "startHint"), banner(window)
    button(window, "modeScratch").click()
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: "About 8:47 min in all, 13 s an epoch." in hint.text())
    assert ">Faster:\xa0progressive\xa0resizing\xa0(4:10\xa0min).</a>" in hint.text()
    assert "starts with images of 96 px" in hint.toolTip()
    assert hint.accessibleName().endswith("an epoch. Faster: progressive resizing (4:10 min).")
    before = window.session.recipe
    hint.setFocus()
    qtbot.keyClick(hint, Qt.Key.Key_Tab)  # to the link, without a mouse
    qtbot.keyClick(hint, Qt.Key.Key_Return)
    assert window.session.recipe == replace(before, training_size=160, first_training_size=96)
    assert "starts with images of 96 px" in messages.text
    qtbot.waitUntil(lambda: hint.text() == "About 8:47 min in all, 13 s an epoch.")
    assert (hint.toolTip(), hint.focusPolicy()) == ("", Qt.FocusPolicy.NoFocus)
    find(window, QPushButton, "bannerAction").click()  # Undo
    assert window.session.recipe == before
    qtbot.waitUntil(lambda: "href" in hint.text())
    hint.linkActivated.emit("quicker")
    find(window, IntEditor, "epochs").setValue(2)  # something else is wished
    assert messages.isHidden()
    find(window, IntEditor, "training_size").setValue(0)
    qtbot.waitUntil(lambda: "href" in hint.text())
    find(window, IntEditor, "epochs").setValue(3)
    assert hint.text() == ""  # until a step has been tried again
    qtbot.waitUntil(lambda: "href" in hint.text())
    hint.linkActivated.emit("quicker")
    button(window, "startButton").click()
    assert hint.text() == ""
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].first_training_size == 96


def test_what_one_mode_gains_by_does_not_follow_into_another(qtbot, window, script, photos):
    window.controllers.estimate.debounce.setInterval(0)
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, GROWING, 250.0)
    hint = find(window, QLabel, "startHint")
    open_photos(qtbot, window, photos)
    for changed in (False, True):
        button(window, "modeScratch").click()
        qtbot.waitUntil(lambda: "href" in hint.text())
        hint.linkActivated.emit("quicker")
        assert window.session.recipe.training_size == 160
        if changed:
            find(window, IntEditor, "training_size").setValue(224)
        button(window, "modeTransfer").click()
        assert window.session.recipe.training_size == (224 if changed else 192)


def test_what_is_still_being_typed_is_another_wish(qtbot, window, script, photos):
    window.controllers.estimate.debounce.setInterval(0)
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, GROWING, 250.0)
    hint, size = find(window, QLabel, "startHint"), find(window, IntEditor, "image_size")
    open_photos(qtbot, window, photos)
    button(window, "modeScratch").click()
    qtbot.waitUntil(lambda: "href" in hint.text())
    size.lineEdit().setText("64")  # nothing has left the field yet
    hint.linkActivated.emit("quicker")
    assert (window.session.recipe.image_size, window.session.recipe.training_size) == (64, 0)


def test_where_no_step_can_be_tried_nothing_is_said(qtbot, window, script, photos):
    window.controllers.estimate.debounce.setInterval(0)
    open_photos(qtbot, window, photos)
    find(window, IntEditor, "image_size").setValue(400)
    qtbot.waitUntil(lambda: any(r.image_size == 400 for r, *_ in script.of("estimate")))
    qtbot.waitUntil(lambda: "estimate" not in window._jobs._workers)
    assert find(window, QLabel, "startHint").text() == ""
    assert not find(window, QWidget, "banner").isVisible()


def test_a_defect_of_the_dry_run_gets_its_dialog(qtbot, window, script, photos, caplog):
    window.controllers.estimate.debounce.setInterval(0)
    open_photos(qtbot, window, photos)
    find(window, IntEditor, "image_size").setValue(401)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "defectDialog") is not None)
    assert "a defect of the dry run" in caplog.text
    window.findChild(QMessageBox, "defectDialog").close()


def test_a_window_that_has_closed_begins_nothing_more(qtbot, window, script, photos):
    """A timer that still ran would start a thread that nobody waits for."""
    window.controllers.estimate.debounce.setInterval(100)
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(window.controllers.estimate.debounce.isActive)
    window.close()
    assert not window.controllers.estimate.debounce.isActive()
    find(window, IntEditor, "seed").setValue(9)
    assert not window.controllers.estimate.debounce.isActive()
    assert "estimate" not in window._jobs._workers
    assert not script.of("estimate")


def test_a_time_budget_shows_its_number_of_epochs(qtbot, window, script, photos):
    """The preset's number would mean nothing before the first epoch is over."""
    window.controllers.estimate.debounce.setInterval(0)
    script.planned_epochs = 23
    open_photos(qtbot, window, photos)
    epochs, minutes = find(window, IntEditor, "epochs"), find(window, FloatEditor, "minutes")
    assert minutes.value() == 5
    qtbot.waitUntil(lambda: epochs.text() == "23")
    asked = len(script.of("estimate"))
    assert button(window, "presetRecommended").isChecked()
    minutes.setValue(20.0)  # another number of epochs, from another estimate
    script.planned_epochs = 92
    qtbot.waitUntil(lambda: epochs.text() == "92")
    assert len(script.of("estimate")) == asked + 1  # the new number of epochs asked for none
    epochs.setValue(7)  # the user's own number ends the budget
    assert minutes.value() == 0
    script.planned_epochs = 50
    qtbot.waitUntil(lambda: len(script.of("estimate")) == asked + 2)
    qtbot.waitUntil(lambda: window.session.estimate is not None)
    assert epochs.text() == "7"


def test_epochs_that_an_estimate_plans_are_no_wish_of_the_user(qtbot, window, script, photos):
    """A run that was stopped can still go on, and what was refused is still said."""
    debounce, messages = window.controllers.estimate.debounce, banner(window)
    debounce.setInterval(0)
    script.runs, script.planned_epochs = [facts(script.run)], 23
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: window.session.recipe.epochs == 23)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: window.session.run_started is not None)
    debounce.setInterval(100_000)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    qtbot.waitUntil(debounce.isActive)
    messages.refuse("Not now.")
    script.planned_epochs = 24
    debounce.setInterval(0)
    qtbot.waitUntil(lambda: window.session.recipe.epochs == 24)
    assert button(window, "continueButton").isVisible()
    assert messages.text == "Not now."
    find(window, IntEditor, "batch_size").setValue(7)
    assert not button(window, "continueButton").isVisible()
    assert messages.text != "Not now."
