"""The stack of messages, and the log of all of them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QTableView, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets import message_log
from flowergui.desktop.widgets.banner import MAX_MESSAGES, VISIBLE_MESSAGES, Banner
from flowergui.desktop.widgets.message_log import MessageKind, MessageLog, MessageLogWindow
from flowergui.desktop.widgets.message_row import MessageRow
from flowergui.errors import FlowerError


@pytest.fixture
def banner(qtbot):
    widget = Banner()
    qtbot.addWidget(widget)
    return widget


def rows(banner):
    """The rows that are seen, from the top."""
    seen = [row for row in banner.findChildren(MessageRow) if not row.isHidden()]
    return sorted(seen, key=banner.layout().indexOf)


def texts(banner):
    return [row.findChild(QLabel, "bannerText").text() for row in rows(banner)]


def press(qtbot, parent, name):
    qtbot.mouseClick(parent.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def test_hidden_until_there_is_something_to_say(banner):
    assert banner.objectName() == "banner"
    assert banner.isHidden()
    banner.show_note("")
    assert banner.isHidden()
    assert (banner.text, banner.kind) == ("", "")


def test_an_error_comes_with_its_hint(banner):
    banner.show_error(FlowerError("No such folder.", hint="Choose another.", option="--photos"))
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
        assert rows(banner)[0].property("kind") == kind


def test_the_sign_of_a_row_has_the_colour_of_its_kind(banner, qapp):
    theme.apply(qapp, theme.Scheme.LIGHT)
    banner.show()
    look = theme.current()
    for show, colour in ((banner.show_success, look.success), (banner.show_error, look.error)):
        banner.dismiss_newest()
        show("Something.")
        (row,) = rows(banner)  # the same one
        sign = row.findChild(QLabel, "bannerSign")
        assert sign.palette().windowText().color().name() == colour


def test_several_messages_are_all_seen_newest_on_top(banner):
    banner.show_warning("last.pth is damaged.")
    banner.show_warning("3 photos are missing.")
    banner.show_note("12 tensors did not fit.")
    assert texts(banner) == [
        "12 tensors did not fit.",
        "3 photos are missing.",
        "last.pth is damaged.",
    ]
    assert banner.text == "12 tensors did not fit."


def test_each_message_is_dismissed_by_its_own_button(banner, qtbot):
    for text in ("One.", "Two.", "Three."):
        banner.show_note(text)
    button = rows(banner)[1].findChild(QPushButton, "bannerDismiss")
    assert button.accessibleName() == "Dismiss the message"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert texts(banner) == ["Three.", "One."]
    press(qtbot, rows(banner)[0], "bannerDismiss")
    press(qtbot, rows(banner)[0], "bannerDismiss")
    assert banner.isHidden()
    assert banner.text == ""


def test_many_messages_do_not_fill_the_window(banner, qtbot):
    for number in range(VISIBLE_MESSAGES + 4):
        banner.show_note(f"Message {number}.")
    assert texts(banner) == ["Message 6.", "Message 5.", "Message 4."]
    more = banner.findChild(QPushButton, "moreMessagesButton")
    assert "4 more messages" in more.text()
    press(qtbot, rows(banner)[0], "bannerDismiss")
    assert texts(banner) == ["Message 5.", "Message 4.", "Message 3."]
    assert "3 more messages" in more.text()
    press(qtbot, banner, "dismissAllButton")
    assert banner.isHidden()


def test_old_messages_go_by_themselves(banner):
    for number in range(2 * MAX_MESSAGES):
        banner.show_note(f"Message {number}.")
    assert len(banner.messages) == MAX_MESSAGES
    assert banner.text == f"Message {2 * MAX_MESSAGES - 1}."
    assert len(banner.log.entries) == 2 * MAX_MESSAGES


def test_a_message_that_is_shown_again_moves_to_the_top(banner):
    banner.show_error("No such folder.")
    banner.show_note("Saved.")
    banner.show_error("No such folder.")
    assert texts(banner) == ["No such folder.", "Saved."]
    assert len(banner.log.entries) == 3


def test_a_handle_takes_its_message_away(banner):
    handle = banner.show_error("These weights are of another network.")
    banner.show_note("Saved.")
    handle.dismiss()
    assert texts(banner) == ["Saved."]
    handle.dismiss()
    assert texts(banner) == ["Saved."]


def test_the_newest_is_dismissed_first(banner):
    banner.show_note("One.")
    banner.show_note("Two.")
    banner.dismiss_newest()
    assert texts(banner) == ["One."]
    banner.dismiss_newest()
    banner.dismiss_newest()
    assert banner.isHidden()


def test_what_was_refused_goes_with_the_next_request_and_the_rest_stays(banner):
    banner.show_note("Saved.")
    banner.refuse("This run has done all its epochs.")
    banner.offer("Give it more.", "Train 3 more", lambda: None, "warning")
    banner.offer("Undo?", "Undo", lambda: None, passing=True)
    banner.take_back()
    assert texts(banner) == ["Saved."]


def test_an_offer_is_taken_once(banner, qtbot):
    taken = []
    banner.offer("A run can be resumed.", "Resume it", lambda: taken.append(True))
    button = banner.findChild(QPushButton, "bannerAction")
    assert (button.text(), button.isHidden()) == ("Resume it", False)
    press(qtbot, banner, "bannerAction")
    press(qtbot, banner, "bannerAction")
    assert taken == [True]
    assert banner.isHidden()


def test_an_offer_stays_when_another_message_comes(banner, qtbot):
    taken = []
    banner.offer("A run can be resumed.", "Resume it", lambda: taken.append(True))
    banner.show_note("Saved.")
    above, below = rows(banner)
    assert above.findChild(QPushButton, "bannerAction").isHidden()
    press(qtbot, below, "bannerAction")
    assert taken == [True]
    assert texts(banner) == ["Saved."]


def test_the_newest_message_is_found_first(banner):
    banner.offer("A run can be resumed.", "Resume it", lambda: None)
    banner.offer("It has done all its epochs.", "Train 3 more", lambda: None)
    assert banner.findChild(QPushButton, "bannerAction").text() == "Train 3 more"
    assert banner.findChild(QLabel, "bannerText").text() == "It has done all its epochs."


def test_a_press_takes_no_offer_that_came_in_between(banner, qtbot):
    for number in range(VISIBLE_MESSAGES):
        banner.offer(f"Offer {number}.", "Do it", lambda: pytest.fail("taken"))
    banner.show()
    button = rows(banner)[-1].findChild(QPushButton, "bannerAction")  # its row is used again
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
    assert banner.findChild(QLabel, "bannerText").textFormat() == Qt.TextFormat.PlainText


def test_the_log_keeps_what_was_dismissed(banner, qtbot):
    banner.show_note("Saved.")
    banner.show_error("The disk is full.")
    banner.clear()
    banner.show_log()
    window = banner.findChild(MessageLogWindow)
    table = window.findChild(QTableView, "messageLogTable").model()
    shown = [[table.index(row, column).data() for column in range(3)] for row in range(2)]
    assert [row[1:] for row in shown] == [["Error", "The disk is full."], ["Information", "Saved."]]
    assert all(len(row[0]) == len("14:03:12") for row in shown)
    banner.show_note("One more.")
    assert table.index(0, 2).data() == "One more."
    press(qtbot, window, "copyMessages")
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line.partition("  ")[2] for line in lines] == [
        "Information  Saved.",
        "Error  The disk is full.",
        "Information  One more.",
    ]
    banner.show_log()
    assert banner.findChildren(MessageLogWindow) == [window]
    window.close()


def test_the_log_is_bounded(qtmodeltester, monkeypatch):
    monkeypatch.setattr(message_log, "MAX_ENTRIES", 3)
    log = MessageLog()
    for number in range(5):
        log.add(MessageKind.INFO, str(number))
    assert [entry.text for entry in log.entries] == ["4", "3", "2"]
    qtmodeltester.check(log)


@pytest.fixture
def around(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(420, 400)
    return made


@pytest.fixture
def stage(around):
    """What a banner floats over: 400 x 260 px, below other things."""
    made = QWidget(around)
    made.setGeometry(10, 130, 400, 260)
    return made


@pytest.fixture
def floating(around, stage):
    banner = Banner(around)
    banner.float_over(stage)
    around.show()
    return banner


def test_messages_cover_nothing_but_what_they_float_over(floating, around, stage, qapp):
    for number in range(3):
        floating.show_error(f"Message {number}. " + "A sentence that needs some room. " * 8)
        qapp.sendPostedEvents()
        assert stage.geometry().contains(floating.geometry())
    assert texts(floating)[0].startswith("Message 2.")
    assert len(rows(floating)) < 3
    more = floating.findChild(QPushButton, "moreMessagesButton")
    assert f"{3 - len(rows(floating))} more" in more.text()
    stage.setGeometry(10, 10, 400, 1_000)  # room comes
    around.resize(420, 1_020)
    qapp.sendPostedEvents()
    assert len(rows(floating)) == 3


def test_a_message_that_is_too_long_is_seen_from_its_beginning(floating, stage, qapp):
    floating.show_error("A sentence that needs some room. " * 60)
    qapp.sendPostedEvents()
    assert stage.geometry().contains(floating.geometry())
    label = floating.findChild(QLabel, "bannerText")
    assert label.alignment() & Qt.AlignmentFlag.AlignTop
    assert floating.findChild(QPushButton, "moreMessagesButton").isVisible()  # the whole text
    floating.clear()
    floating.show_note("Saved.")
    qapp.sendPostedEvents()
    assert label.alignment() & Qt.AlignmentFlag.AlignVCenter
    assert not floating.findChild(QPushButton, "moreMessagesButton").isVisible()


def test_a_wide_button_stands_below_its_text(floating, stage, qapp):
    for text, below in (("Resume it", False), ("Train the classifier head for longer", True)):
        floating.clear()
        floating.offer("A sentence that needs some room. " * 4, text, lambda: None)
        qapp.sendPostedEvents()
        (row,) = rows(floating)
        label, button = row.findChild(QLabel, "bannerText"), row.findChild(QPushButton)
        assert (button.y() > label.geometry().bottom()) is below
        assert (button.x() > label.geometry().right()) is not below
        assert label.height() >= label.heightForWidth(label.width())
