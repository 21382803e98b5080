"""The panel of a run: its buttons."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import RunState, Session
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.events import Estimated, ModelDescribed, RunStarted, Scanned
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
    """A wider button would push what is beside it, and the pointer would meet another one."""
    panel = RunPanel()
    qtbot.addWidget(panel)
    buttons = [panel.findChild(QPushButton, f"{name}Button") for name in NAMES]

    def widths():
        seen = [each for each in buttons if each.isVisibleTo(panel)]
        return [max(each.sizeHint().width(), each.minimumWidth()) for each in seen]

    panel.show_session(replace(READY, run=RunState.RUNNING))
    running = widths()
    panel.show_session(replace(READY, run=state))
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


FOLDER = "/models/2026-11-28_12-00-00_efficientnet_lite0_transfer"
STARTED = RunStarted(
    FOLDER,
    "resnet18",
    "transfer",
    ("rose",),
    8,
    2,
    64,
    "cpu",
    "float32",
    5,
    2,
    1,
    0,
    0,
    1,
    1,
    (),
    False,
)


def stopped(epochs_done: int = 2) -> Session:
    """A run of five epochs has ended after so many."""
    recipe = replace(READY.recipe, epochs=5)
    run = RunFacts(FOLDER, recipe, 1, epochs_done, 0.9, f"{FOLDER}/last.pth", "")
    return replace(READY, recipe=recipe, ended_with=recipe, run_started=STARTED, runs=(run,))


def in_sight(panel: RunPanel) -> list[str]:
    buttons = (panel.findChild(QPushButton, f"{name}Button") for name in NAMES)
    return [each.text() for each in buttons if each.isVisibleTo(panel)]


NAMES = ("continue", "pause", "start", "stop")


def test_there_is_one_coloured_button(qtbot):
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.show_session(READY)
    assert in_sight(panel) == ["Start", "Stop"]
    for state, shown in (
        (RunState.RUNNING, ["Pause", "Stop"]),
        (RunState.PAUSED, ["Continue", "Stop"]),
        (RunState.UNSAVED, ["Try again", "Discard"]),
    ):
        panel.show_session(replace(READY, run=state))
        assert in_sight(panel) == shown
    panel.show_session(stopped())
    assert in_sight(panel) == ["Continue", "Start anew"]
    assert panel.findChild(QPushButton, "startButton").property("role") != "primary"
    panel.show_session(stopped(epochs_done=5))
    assert in_sight(panel) == ["Start", "Stop"]
    assert panel.findChild(QPushButton, "startButton").property("role") == "primary"


def test_a_stopped_run_is_continued_by_one_press(qtbot):
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.show_session(stopped())
    with qtbot.waitSignal(panel.resume_requested) as asked:
        panel.findChild(QPushButton, "continueButton").click()
    assert asked.args == [f"{FOLDER}/last.pth"]


def test_who_changes_a_setting_after_stop_wants_a_new_run(qtbot):
    panel = RunPanel()
    qtbot.addWidget(panel)
    session = stopped()
    panel.show_session(replace(session, recipe=replace(session.recipe, learning_rate=0.5)))
    assert in_sight(panel) == ["Start", "Stop"]


def test_the_focus_goes_to_continue_when_a_run_stops(qtbot):
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.show_session(replace(stopped(), run=RunState.RUNNING))
    panel.findChild(QPushButton, "stopButton").setFocus()
    panel.show_session(stopped())
    assert panel.focusWidget() is panel.findChild(QPushButton, "continueButton")


def test_the_first_look_asks_for_photos(qtbot):
    panel = RunPanel()
    qtbot.addWidget(panel)
    assert panel.welcome.isVisibleTo(panel)
    for name, asked in (
        ("welcomeFolderButton", panel.welcome.folder_requested),
        ("welcomeSampleButton", panel.welcome.samples_requested),
    ):
        with qtbot.waitSignal(asked):
            panel.findChild(QPushButton, name).click()
    panel.show_session(READY)
    assert panel.plot.isVisibleTo(panel)
    assert not panel.welcome.isVisibleTo(panel)


def test_nothing_competes_with_the_welcome(qtbot):
    """Start stays in its place, and is seen only by who looks for it."""
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.show()
    start = panel.findChild(QPushButton, "startButton")
    seen = {each for each in panel.findChildren(QPushButton) if each.isVisible()}
    assert start in seen
    assert not start.isEnabled()
    framed = {each.objectName() for each in seen if each.property("role") != "quiet"}
    assert framed == {"welcomeFolderButton", "welcomeSampleButton"}
    labels = [each for each in panel.header.findChildren(QLabel) if each.isVisible()]
    assert [each.text() for each in labels if each.text()] == ["Choose a folder of images first."]
    panel.show_session(READY)
    assert start.property("role") == "primary"
    for name in ("stopButton", "resumeLastButton", "runLine", "runState", "runProgress"):
        assert panel.findChild(QWidget, name).isVisible(), name


def test_the_name_of_a_run_that_is_saved_moves_no_plot(qtbot, qapp):
    """Plots of another size are painted anew, and with them the whole window: 50 ms at a run's
    first save."""
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
    assert panel.plot.geometry() == before
