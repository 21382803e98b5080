"""Small texts that give way where there is no room."""

import pytest
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from flowergui.desktop.widgets.card import WrappingRow
from flowergui.desktop.widgets.labels import (
    ElidedCheckBox,
    ElidedLabel,
    OptionalLabel,
    quiet_button,
)


def test_a_button_is_shortened_only_where_it_lacks_room(qtbot):
    button = quiet_button("How sure, and would more images help?", "confidenceButton", flush=True)
    qtbot.addWidget(button)
    button.shorten_to(120)
    assert button.minimumSizeHint().width() == 120
    for width, shortened in ((button.sizeHint().width(), False), (120, True)):
        button.resize(width, button.sizeHint().height())
        button.show()
        assert button.shown_text().endswith("…") == shortened
        assert button.fontMetrics().horizontalAdvance(button.shown_text()) <= width
        assert button.text() == "How sure, and would more images help?"  # for screen readers


def test_a_button_without_room_shows_its_shorter_text(qtbot):
    button = quiet_button("Overfitting since epoch 12: more images ▸", "diagnosisButton")
    qtbot.addWidget(button)
    button.set_shorter("Overfitting since epoch 12 ▸")
    least = button.minimumSizeHint().width()
    for width, place in ((button.sizeHint().width(), 0), (least, 1)):
        button.resize(width, button.sizeHint().height())
        button.show()
        assert button.shown_text() == button.texts[place]
    assert least < button.sizeHint().width()
    assert button.accessibleName() == "Overfitting since epoch 12: more images"


def test_a_short_button_asks_for_no_more_than_it_needs(qtbot):
    button = quiet_button("Guide", "guideButton")
    qtbot.addWidget(button)
    button.shorten_to(500)
    assert button.minimumSizeHint().width() <= button.sizeHint().width() < 500


@pytest.mark.parametrize(
    ("text", "tip", "shown"),
    [
        ("a long name of a class", "", "a long name of a class"),
        ("a long name of a class", "/models/best.pth", "a long name of a class\n/models/best.pth"),
        ("<b> and <i> are classes", "", "<span>&lt;b&gt; and &lt;i&gt; are classes</span>"),
        ("short", "/models/best.pth", "/models/best.pth"),
    ],
)
def test_the_tooltip_has_the_whole_of_a_shortened_label(qtbot, text, tip, shown):
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText(text)
    label.setToolTip(tip)
    label.resize(60, 20)
    label.show()
    assert label.shown_tip() == shown


def test_a_check_box_is_shortened_where_it_lacks_room(qtbot):
    text = "Learn iris, lily, rose and 997 more too"
    box = ElidedCheckBox(text)
    qtbot.addWidget(box)
    for width, shortened in ((box.sizeHint().width(), False), (120, True)):
        box.resize(width, box.sizeHint().height())
        box.show()
        assert box.shown_text().endswith("…") == shortened
        assert box.fontMetrics().horizontalAdvance(box.shown_text()) <= width
        assert box.text() == text  # for screen readers


def test_an_optional_label_is_seen_whole_or_not_at_all(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    label = OptionalLabel("changed", parent)
    row = QHBoxLayout(parent)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(label)
    assert row.minimumSize().width() == 0
    parent.show()
    seen = []
    for width in (label.sizeHint().width(), label.sizeHint().width() - 4):
        parent.resize(width, 30)
        colours = {
            label.grab().toImage().pixelColor(x, y).rgb()
            for x in range(label.width())
            for y in range(label.height())
        }
        seen.append(len(colours) > 1)
    assert seen == [True, False]


def test_a_row_wraps_where_its_groups_have_no_room_beside_each_other(qtbot, qapp):
    parent = QWidget()
    qtbot.addWidget(parent)
    row = WrappingRow(spacing=2, least_width=150, parent=parent)
    first, second = [QPushButton("One"), QPushButton("Two")], [QPushButton("Three")]
    for button in (*first, *second):
        button.setFixedWidth(100)
    row.add(first, second)
    assert row.sizeHint().width() == 304
    assert row.minimumSizeHint().width() == 202
    parent.show()
    for width, wrapped in ((304, False), (303, True), (400, False)):
        row.resize(width, 60)
        qapp.sendPostedEvents()
        assert row.is_wrapped == wrapped
        assert (second[0].y() > first[0].y()) == wrapped
        assert second[0].geometry().right() == width - 1
        assert first[0].x() == 0
    second[0].setFixedWidth(300)
    qapp.sendPostedEvents()
    assert row.is_wrapped


def test_a_widget_fills_the_room_that_a_row_has_left(qtbot, qapp):
    parent = QWidget()
    qtbot.addWidget(parent)
    row = WrappingRow(spacing=2, fills=True, parent=parent)
    label, button = QWidget(), QPushButton("One")
    label.setMinimumWidth(100)
    button.setFixedWidth(100)
    row.add((label,), (button,))
    parent.show()
    for width, wrapped in ((300, False), (201, True)):
        row.resize(width, 90)
        qapp.sendPostedEvents()
        assert row.is_wrapped is wrapped
        assert label.width() == (width if wrapped else width - 102)
