"""The panel of a run: its buttons."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QPushButton

from flowergui.desktop.session import RunState
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_panel import RunPanel


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

    panel.show_state(RunState.RUNNING)
    running = widths()
    panel.show_state(state)
    assert widths() == running


def test_a_link_takes_the_colour_of_the_theme(qtbot, qapp):
    panel = RunPanel()
    qtbot.addWidget(panel)
    panel.resize(700, 500)
    panel.show()
    panel.allow(start="", resume="", estimate="About 20 min.", quicker="Cached views: 5 min.")
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
