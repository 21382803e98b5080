"""No window cuts a text, in either language, in small sizes and in larger ones."""

import pytest
from cut_texts import cut_texts
from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QWidget
from windows import WINDOWS

SIZES = (QSize(1000, 620), QSize(1280, 800))


def cut_at(qapp: QApplication, shown: QWidget, size: QSize | None = None) -> list[str]:
    """What is cut in a window of this size, or in its own."""
    if size is not None:
        shown.resize(size)
    for _ in range(4):  # layouts ask for others
        qapp.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        qapp.sendPostedEvents()
    place = f"{shown.width()}x{shown.height()}"
    return [f"{place}: {each}" for each in cut_texts(shown)]


@pytest.mark.parametrize("make", WINDOWS, ids=lambda each: each.__name__)
def test_no_text_is_cut(qtbot, qapp, window, script, photos, make):
    window.resize(SIZES[0])
    shown = make(qtbot, window, script, photos)
    found = [cut for size in (None, *SIZES) for cut in cut_at(qapp, shown, size)]
    assert found == []


@pytest.mark.parametrize("make", WINDOWS, ids=lambda each: each.__name__)
def test_no_text_is_cut_in_chinese(qtbot, qapp, chinese, window, script, photos, make):
    window.resize(SIZES[0])
    shown = make(qtbot, window, script, photos)
    found = [cut for size in (None, *SIZES) for cut in cut_at(qapp, shown, size)]
    assert found == []


def test_a_text_without_room_is_found(qtbot):
    """The tests above can fail."""
    parent = QWidget()
    qtbot.addWidget(parent)
    row = QHBoxLayout(parent)
    label, button = QLabel("A sentence that has no room."), QPushButton("Evaluate again")
    row.addWidget(label)
    row.addWidget(button)
    parent.show()
    assert cut_texts(parent) == []
    label.setFixedWidth(60)
    button.setFixedWidth(30)
    parent.layout().activate()
    assert len(cut_texts(parent)) == 2
