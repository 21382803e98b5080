"""The panel of a run: its buttons."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QPushButton

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import RunState, Session
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.events import Estimated, ModelDescribed, Scanned
from flowergui.facts import ClassCount, ModelFacts, RunFacts, Speedup, SpeedupKind

READY = Session(
    dataset=Scanned("/photos", "flat", (ClassCount("rose", 8, 0, ()),), ()),
    models=(ModelFacts("resnet18", "ResNet", 1000, 64, ()),),
    network=ModelDescribed("resnet18", 1, 64, (), (), (), ()),
)


@pytest.mark.parametrize(
    "state",
    [
        RunState.IDLE,
        RunState.PAUSING,
        RunState.PAUSED,
        RunState.STOPPING,
    ],
)
def test_nothing_beside_a_run_moves_when_it_pauses_or_stops(qtbot, state):
    """A wider button would push the columns beside it, and the whole window is painted anew."""
    panel = RunPanel()
    qtbot.addWidget(panel)
    buttons = [panel.findChild(QPushButton, f"{name}Button") for name in ("start", "pause", "stop")]

    def widths():
        return [max(each.sizeHint().width(), each.minimumWidth()) for each in buttons]

    panel.show_session(Session(run=RunState.RUNNING))
    running = widths()
    panel.show_session(Session(run=state))
    assert widths() == running


def test_a_link_takes_the_colour_of_the_theme(qtbot, qapp):
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.resize(700, 500)
    panel.show()
    way = Speedup(SpeedupKind.CACHED_AUGMENTATIONS, (("cached_views", 4),), 300.0)
    panel.show_session(replace(READY, estimate=Estimated(60.0, 60.0, 1200.0, 99, speedup=way)))
    hint = panel.findChild(QLabel, "startHint")
    qapp.processEvents()  # lays it out

    def colours():
        image = hint.grab().toImage()
        return {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}

    accent = QColor(theme.current().accent).rgb()
    assert accent in colours()
    theme.apply(qapp, "dark")
    assert accent not in colours()
    assert QColor(theme.current().accent).rgb() in colours()


def test_pause_then_space_does_not_stop(qtbot):
    """While it pauses, Pause keeps the focus; pressed again, it takes the pause back."""
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.show_session(Session(run=RunState.RUNNING))
    pause = panel.findChild(QPushButton, "pauseButton")
    with qtbot.waitSignal(panel.pause_requested):
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Space)
    panel.show_session(Session(run=RunState.PAUSING))
    assert panel.focusWidget() is pause
    with qtbot.assertNotEmitted(panel.stop_requested), qtbot.waitSignal(panel.continue_requested):
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Space)
    panel.show_session(Session(run=RunState.PAUSED))
    assert panel.focusWidget() is pause


def test_start_waits_until_a_run_can_start(qtbot):
    panel = RunPanel()
    qtbot.addWidget(panel)
    start = panel.findChild(QPushButton, "startButton")
    assert not start.isEnabled()
    panel.show_session(READY)
    assert start.isEnabled()
    panel.show_session(replace(READY, run=RunState.RUNNING))
    assert not start.isEnabled()


def test_the_name_of_a_run_that_is_saved_moves_no_plot(qtbot, qapp):
    """It takes two lines in a narrow window. Plots of another size are painted anew, and with
    them the whole window: 50 ms at a run's first save."""
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.resize(420, 600)
    panel.show()
    panel.show_session(replace(READY, run=RunState.RUNNING))
    qapp.sendPostedEvents()
    before = panel.plot.geometry()
    folder = "/models/2026-11-28_12-00-00_efficientnet_lite0_transfer"
    recipe = Recipe(model="efficientnet_lite0", mode="transfer", photos="/photos")
    saved = RunFacts(folder, recipe, 5, 1, 0.9, f"{folder}/last.pth", f"{folder}/best.pth")
    panel.show_session(replace(READY, run=RunState.RUNNING, runs=(saved,)))
    qapp.sendPostedEvents()
    name = panel.findChild(QLabel, "resumeLastName")
    assert name.text()
    assert name.heightForWidth(name.width()) > name.fontMetrics().lineSpacing()
    assert panel.plot.geometry() == before
