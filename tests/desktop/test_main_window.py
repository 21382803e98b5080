"""The window as a whole: what is in it, its size, and its keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from scripted import (
    BATCHES,
    banner,
    banner_text,
    button,
    drop,
    find,
    open_photos,
    predictions,
    start,
)

from flowergui.config.recipe import SETTINGS
from flowergui.desktop.widgets.search_field import SearchField
from flowergui.desktop.window.guide_window import GuideWindow


def test_every_name_that_scripts_rely_on_is_there(window):
    for name in (
        "datasetPath", "browseButton", "modeScratch", "modeResume", "modeTransfer",
        "modelSelector", "layerTree", "startButton", "pauseButton", "stopButton",
        "resumeLastButton", "lossPlot", "accuracyPlot", "dropZone", "predictions", "banner",
    ):  # fmt: skip
        assert window.findChild(QWidget, name) is not None, name
    for setting in SETTINGS:
        if setting.name not in ("mode", "model", "weights", "frozen"):
            assert window.findChild(QWidget, setting.name) is not None, setting.name


def test_names_are_given_once(window):
    names = [widget.objectName() for widget in window.findChildren(QPushButton)]
    named = [name for name in names if name and not name.startswith("qt_")]
    assert len(named) == len(set(named))


def test_start_waits_for_photos(qtbot, window, photos):
    assert not button(window, "startButton").isEnabled()
    assert "folder of images" in button(window, "startButton").toolTip()
    assert "folder of images" in find(window, QLabel, "startHint").text()
    assert not button(window, "pauseButton").isEnabled()
    assert not button(window, "stopButton").isEnabled()
    open_photos(qtbot, window, photos)
    assert button(window, "startButton").isEnabled()


def test_nonsense_in_the_form_keeps_start_off(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    find(window, QWidget, "epochs").setValue(0)
    assert not button(window, "startButton").isEnabled()
    find(window, QWidget, "epochs").setValue(3)
    assert button(window, "startButton").isEnabled()


def test_escape_dismisses_the_message(qtbot, window):
    banner(window).show_note("Hello.")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert banner_text(window) == ""


def test_escape_in_a_search_field_empties_it_and_leaves_the_message(qtbot, window):
    banner(window).show_note("Hello.")
    search = find(window, SearchField, "classSearch")
    search.setText("rose")
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert (search.text(), banner_text(window)) == ("", "Hello.")


def test_the_guide_is_one_key_away(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.findChild(GuideWindow) is not None)
    button(window, "guideButton").click()
    (guide,) = window.findChildren(GuideWindow)
    assert guide.isVisible()
    guide.close()
    qtbot.waitUntil(lambda: window.findChild(GuideWindow) is None)


@pytest.mark.parametrize("height", [700, 850])
def test_a_small_window_stays_small(qtbot, window, script, photos, tmp_path, height: int):
    """What a run and its predictions say makes it no larger than a small laptop's screen, and
    leaves the photo its room."""
    window.resize(1024, height)
    start(qtbot, window, photos)
    zone = find(window, QWidget, "dropZone")
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    drop(zone, [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    qtbot.waitUntil(lambda: zone.height() >= 250)
    assert (window.width(), window.height()) == (1024, height)


def test_what_a_large_window_has_more_is_the_plots_and_in_a_very_large_one_the_photo(qtbot, window):
    zone, layers = find(window, QWidget, "dropZone"), find(window, QWidget, "layerPanel")
    window.resize(1180, 900)
    widths = [each.width() for each in (window._panels.run, zone, layers)]
    window.resize(1400, 900)
    wider = [each.width() for each in (window._panels.run, zone, layers)]
    assert wider == [widths[0] + 220, *widths[1:]]
    assert widths[0] > 450
    window.resize(2560, 1440)
    assert 500 <= zone.width() <= 600
    assert layers.width() < widths[2] + 60
