"""The message line."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError


@pytest.fixture
def banner(qtbot):
    widget = Banner()
    qtbot.addWidget(widget)
    return widget


def press(qtbot, banner, name):
    qtbot.mouseClick(banner.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def test_hidden_until_there_is_something_to_say(banner):
    assert banner.objectName() == "banner"
    assert banner.isHidden()
    banner.show_note("")
    assert banner.isHidden()


def test_an_error_comes_with_its_hint(banner):
    banner.show_error(FlowerError("No such folder.", hint="Choose another."))
    assert not banner.isHidden()
    assert (banner.text, banner.kind) == ("No such folder. Choose another.", "error")
    banner.show_error("No such folder.", "Look again.")
    assert banner.text == "No such folder. Look again."


def test_kinds(banner):
    for show, kind in (
        (banner.show_note, "info"),
        (banner.show_warning, "warning"),
        (banner.show_success, "success"),
    ):
        show("Something.")
        assert banner.kind == kind


def test_it_can_be_dismissed(banner, qtbot):
    banner.show_note("Something.")
    press(qtbot, banner, "bannerDismiss")
    assert banner.isHidden()
    assert banner.text == ""


def test_an_offer_is_taken_once(banner, qtbot):
    taken = []
    banner.offer("A run can be resumed.", "Resume it", lambda: taken.append(True))
    button = banner.findChild(QPushButton, "bannerAction")
    assert (button.text(), button.isHidden()) == ("Resume it", False)
    press(qtbot, banner, "bannerAction")
    press(qtbot, banner, "bannerAction")
    assert taken == [True]
    assert banner.isHidden()


def test_another_message_takes_the_offer_away(banner, qtbot):
    banner.offer("A run can be resumed.", "Resume it", lambda: pytest.fail("taken"))
    banner.show_note("Saved.")
    assert banner.findChild(QPushButton, "bannerAction").isHidden()
    press(qtbot, banner, "bannerAction")


def test_a_press_takes_no_offer_that_came_in_between(banner, qtbot):
    banner.offer("A run can be resumed.", "Resume it", lambda: pytest.fail("taken"))
    banner.show()
    button = banner.findChild(QPushButton, "bannerAction")
    qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    banner.offer("Another one.", "Do it", lambda: pytest.fail("taken"))
    qtbot.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert banner.text == "Another one."


def test_a_long_message_wraps(banner):
    banner.show_note("A rather long sentence that goes on. " * 8)
    assert banner.heightForWidth(300) > 2 * banner.heightForWidth(3000)


def test_markup_is_shown_as_it_is(banner):
    banner.show_error("<b>rose</b>.jpg is no picture.")
    assert banner.text == "<b>rose</b>.jpg is no picture."
    assert banner.findChild(type(banner._text), "bannerText").textFormat() == (
        Qt.TextFormat.PlainText
    )
