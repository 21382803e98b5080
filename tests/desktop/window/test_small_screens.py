"""No window opens larger than the screen, in usual texts or in large ones."""

import pytest
from cut_texts import cut_texts
from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QApplication
from windows import (
    about,
    class_choice,
    cluster_job,
    crash_report,
    epochs,
    evaluated,
    guide,
    left_out,
    message_log,
    numbers_of_runs,
    one_class,
    one_photo,
    runs,
    settings_dialog,
    whole_network,
)

from flowergui.desktop.style import theme
from flowergui.desktop.widgets import windows

OPENED = (
    *(about, class_choice, cluster_job, crash_report, epochs, guide, left_out, message_log),
    *(numbers_of_runs, one_class, one_photo, settings_dialog, whole_network),
)
"""Windows that are not made larger by what they show later."""
SCREEN = QSize(560, 400)
LARGE_TEXT_PX = 972
"""What windows may take of a screen 1024 px wide."""


@pytest.fixture(autouse=True)
def _usual_size(qapp: QApplication):
    yield
    theme.set_zoom(qapp, 100)


@pytest.mark.parametrize("make", OPENED, ids=lambda each: each.__name__)
def test_no_window_opens_larger_than_the_screen(qtbot, window, script, photos, monkeypatch, make):
    monkeypatch.setattr(windows, "screen_size", lambda: SCREEN)
    shown = make(qtbot, window, script, photos)
    lowest = shown.layout().totalMinimumHeightForWidth(shown.width())  # its texts wrap
    least = shown.minimumSizeHint().expandedTo(QSize(0, lowest))
    room = SCREEN.expandedTo(least)
    assert (shown.width() <= room.width(), shown.height() <= room.height()) == (True, True)


@pytest.mark.parametrize("make", [runs, evaluated], ids=lambda each: each.__name__)
def test_large_texts_have_room(qtbot, qapp, window, script, photos, make):
    theme.set_zoom(qapp, 200)
    shown = make(qtbot, window, script, photos)
    shown.resize(LARGE_TEXT_PX, 760)
    for _ in range(5):  # layouts ask for others
        qapp.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        qapp.sendPostedEvents()
    assert shown.width() <= LARGE_TEXT_PX
    assert cut_texts(shown) == []
