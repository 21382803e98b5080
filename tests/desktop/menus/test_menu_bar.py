"""The menu bar does what the buttons do, by mouse and by keys, and only what can be done."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QMenu, QWidget
from scripted import (
    BATCHES,
    banner_text,
    button,
    choose_mode,
    facts,
    find,
    list_runs,
    open_photos,
    predictions,
    start,
)

from flowergui.desktop.menus.actions import MENUS, Item, Menu
from flowergui.desktop.menus.menu_bar import MenuBar
from flowergui.desktop.window.guide_window import GuideWindow


def items(menus=MENUS) -> Iterator[Item | Menu]:
    for each in menus:
        if each is not None:
            yield each
        if isinstance(each, Menu):
            yield from items(each.items)


def action(window, name: str) -> QAction:
    return find(window, QAction, name)


def press(qtbot, window, keys: str) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    sequence = QKeySequence(keys)[0]
    qtbot.keyClick(window, sequence.key(), sequence.keyboardModifiers())


def test_every_action_does_something(qtbot):
    names = [each.name for each in items() if isinstance(each, Item)]
    assert len(names) == len(set(names)) > 30
    with pytest.raises(KeyError):
        MenuBar(dict.fromkeys(names[1:], print))
    qtbot.addWidget(MenuBar(dict.fromkeys(names, print)))


def test_no_keys_are_given_twice(window):
    keys = [
        sequence.toString()
        for each in window.findChildren(QAction)
        for sequence in each.shortcuts()
        if each.objectName().endswith("Action")
    ]
    assert len(keys) == len(set(keys)) > 15


def test_every_menu_has_letters_of_its_own(window):
    """Alt reaches each menu, and a letter each action in it."""
    for menu in (None, *(each for each in items() if isinstance(each, Menu))):
        rows = MENUS if menu is None else [each for each in menu.items if each is not None]
        texts = [each.title if isinstance(each, Menu) else each.text for each in rows]
        letters = [text.partition("&")[2][:1].lower() for text in texts]
        assert all(letters), texts
        assert len(letters) == len(set(letters)), texts


def test_start_follows_the_session(qtbot, window, photos, script):
    assert not action(window, "startAction").isEnabled()
    assert not action(window, "networksAction").isEnabled()
    open_photos(qtbot, window, photos)
    assert action(window, "startAction").isEnabled()
    assert action(window, "networksAction").isEnabled()
    assert not action(window, "pauseAction").isEnabled()
    assert not action(window, "stopAction").isEnabled()
    assert not action(window, "saveNowAction").isEnabled()
    action(window, "startAction").trigger()
    qtbot.waitUntil(lambda: button(window, "stopButton").isEnabled())
    for name in ("startAction", "openFolderAction", "drawSamplesAction", "transferAction"):
        assert not action(window, name).isEnabled(), name
    action(window, "pauseAction").trigger()
    assert window.session.run == "pausing"
    assert action(window, "pauseAction").text() == "&Continue"
    action(window, "pauseAction").trigger()
    assert window.session.run == "running"
    assert action(window, "pauseAction").text() == "&Pause"
    action(window, "stopAction").trigger()
    assert not action(window, "stopAction").isEnabled()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert action(window, "startAction").isEnabled()


def test_a_run_that_was_stopped_continues(qtbot, window, photos, script):
    script.runs.append(facts(script.run))  # as the disk has it when it is looked at again
    start(qtbot, window, photos)
    action(window, "stopAction").trigger()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert action(window, "startAction").text() == "&Start anew"
    assert action(window, "pauseAction").text() == "&Continue"
    action(window, "pauseAction").trigger()
    qtbot.waitUntil(lambda: len(script.of("resume")) == 1)
    assert action(window, "startAction").text() == "&Start"


def test_the_mode_is_chosen_and_shown(window):
    assert action(window, "transferAction").isChecked()
    action(window, "scratchAction").trigger()
    assert window.session.mode == "scratch"
    assert action(window, "scratchAction").isChecked()
    choose_mode(window, "resume")
    checked = [name for name in ("scratch", "resume", "transfer")
               if action(window, f"{name}Action").isChecked()]  # fmt: skip
    assert checked == ["resume"]


def test_a_preset_is_chosen_and_shown(window):
    assert action(window, "recommendedAction").isChecked()
    action(window, "tutorialAction").trigger()
    assert button(window, "presetTutorial").isChecked()
    assert action(window, "tutorialAction").isChecked()
    find(window, QWidget, "epochs").setValue(77)
    assert not action(window, "tutorialAction").isChecked()
    assert not action(window, "recommendedAction").isChecked()


def test_the_newest_run_is_resumed(qtbot, window, script, tmp_path):
    assert not action(window, "resumeLastAction").isEnabled()
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    assert action(window, "resumeLastAction").isEnabled()
    action(window, "resumeLastAction").trigger()
    qtbot.waitUntil(lambda: bool(script.of("resume")))


def test_folders_that_were_open_are_offered(qtbot, window, photos, tmp_path):
    recent = find(window, QMenu, "recentMenu")
    assert not recent.isEnabled()
    open_photos(qtbot, window, photos)
    other = tmp_path / "others"
    other.mkdir()
    open_photos(qtbot, window, str(other))
    assert [each.data() for each in recent.actions()] == [str(other), photos]
    recent.actions()[1].trigger()
    qtbot.waitUntil(lambda: window.session.dataset.folder == photos)


def test_the_keys_work(qtbot, window, photos, script):
    press(qtbot, window, "Ctrl+O")
    asked = window.findChild(QFileDialog)
    assert asked is not None
    asked.close()
    press(qtbot, window, "F1")
    qtbot.waitUntil(lambda: window.findChild(GuideWindow) is not None)
    start(qtbot, window, photos)
    press(qtbot, window, "Ctrl+P")
    assert window.session.run == "pausing"
    press(qtbot, window, "Ctrl+.")
    assert window.session.run == "stopping"
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    press(qtbot, window, "Ctrl+Return")
    qtbot.waitUntil(lambda: window.session.run == "running")


def test_control_w_closes_the_window_that_is_in_front(qtbot, window):
    action(window, "guideAction").trigger()
    guide = window.findChild(GuideWindow)
    qtbot.waitUntil(guide.isActiveWindow)
    qtbot.keyClick(guide, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.findChild(GuideWindow) is None)
    assert window.isVisible()


def test_control_q_asks_while_a_run_goes(qtbot, window, photos):
    start(qtbot, window, photos)
    press(qtbot, window, "Ctrl+Q")
    question = find(window, QDialog, "closeQuestion")
    assert window.isVisible()
    question.close()


def test_a_path_is_pasted_from_anywhere_but_a_text_field_keeps_its_own(
    qtbot, window, script, tmp_path, photos
):
    picture = tmp_path / "a.jpg"
    picture.touch()
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    QGuiApplication.clipboard().setText(str(picture))
    path = find(window, QLineEdit, "datasetPath")
    path.clear()
    path.setFocus()
    qtbot.keyClick(path, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert path.text() == str(picture)
    assert not script.of("predict")
    find(window, QWidget, "startButton").window().setFocus()
    press(qtbot, window, "Ctrl+V")
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])


def test_the_columns_at_the_sides_are_folded_and_shown(qtbot, window):
    window.show()
    left, right = action(window, "leftColumnAction"), action(window, "rightColumnAction")
    assert (left.isChecked(), right.isChecked()) == (True, True)
    left.trigger()
    assert not find(window, QWidget, "datasetPath").isVisible()
    assert (left.isChecked(), right.isChecked()) == (False, True)
    button(window, "foldLeftButton").click()
    assert left.isChecked()
    right.trigger()
    assert not find(window, QWidget, "dropZone").isVisible()
    right.trigger()
    assert find(window, QWidget, "dropZone").isVisible()


def test_full_screen_and_back(qtbot, window):
    action(window, "fullScreenAction").trigger()
    qtbot.waitUntil(window.isFullScreen)
    assert action(window, "fullScreenAction").isChecked()
    press(qtbot, window, "F11")
    qtbot.waitUntil(lambda: not window.isFullScreen())
    assert not action(window, "fullScreenAction").isChecked()


def test_what_could_not_be_saved_is_tried_again(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "unsaved")
    assert action(window, "pauseAction").text() == "&Try to save again"
    assert action(window, "stopAction").text() == "&Discard"
    script.full = False
    action(window, "pauseAction").trigger()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
