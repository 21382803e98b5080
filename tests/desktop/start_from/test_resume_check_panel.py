"""What has changed since a run stopped."""

from PySide6.QtWidgets import QLabel

from flowergui.desktop.start_from.resume_check_panel import ResumeCheckPanel
from flowergui.events import (
    Preparing,
    ResumeChecked,
)
from flowergui.facts import (
    Check,
)


def test_how_far_a_long_look_is(qtbot):
    panel = ResumeCheckPanel()
    qtbot.addWidget(panel)
    looking = [label.text() for label in panel.findChildren(QLabel)]
    assert "Looking at the photos …" in looking
    panel.show_progress(Preparing("Looking at new photos", 1600, 4000))
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert "Looking at new photos · 1,600 of 4,000" in texts
    told = ResumeChecked("run", (Check("Photos", "same", "12, as before"),), 0, (), (), 2)
    panel.show_check(told)
    panel.show_progress(Preparing("Looking at new photos", 4000, 4000))  # of a look before
    assert panel.blocked() == ""
