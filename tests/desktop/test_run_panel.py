"""The panel of a run: its buttons."""

import pytest
from PySide6.QtWidgets import QPushButton

from flowergui.desktop import run_control
from flowergui.desktop.run_panel import RunPanel


@pytest.mark.parametrize(
    "state",
    [run_control.IDLE, run_control.PAUSING, run_control.PAUSED, run_control.STOPPING],
)
def test_nothing_beside_a_run_moves_when_it_pauses_or_stops(qtbot, state):
    """A wider button would push the columns beside it, and the whole window is painted anew."""
    panel = RunPanel()
    qtbot.addWidget(panel)
    buttons = [panel.findChild(QPushButton, f"{name}Button") for name in ("start", "pause", "stop")]

    def widths():
        return [max(each.sizeHint().width(), each.minimumWidth()) for each in buttons]

    panel.show_state(run_control.RUNNING)
    running = widths()
    panel.show_state(state)
    assert widths() == running
