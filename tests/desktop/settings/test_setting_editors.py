"""Editors of numbers: what may be typed, how it is shown, where clicks lead."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox

from flowergui.config.recipe import SETTING, SETTINGS, START
from flowergui.desktop.settings.setting_editors import editor_for, stepped, tooltip_html


@pytest.fixture
def editor(qtbot):
    def make(name):
        widget = editor_for(SETTING[name])
        qtbot.addWidget(widget)
        widget.show()
        return widget

    return make


def type_in(qtbot, widget, text):
    widget.selectAll()
    qtbot.keyClicks(widget, text)
    qtbot.keyClick(widget, Qt.Key.Key_Return)


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.group != START], ids=lambda s: s.name)
def test_every_setting_has_an_editor_that_holds_its_default(editor, setting):
    widget = editor(setting.name)
    assert widget.value() == setting.default
    assert type(widget.value()) is type(setting.default)
    assert widget.objectName() == setting.name
    assert widget.accessibleName() == setting.label
    assert setting.help in widget.toolTip()


@pytest.mark.parametrize(
    ("name", "typed", "value", "shown"),
    [
        ("learning_rate", "1e-5", 1e-5, "0.00001"),
        ("learning_rate", "0.0005", 0.0005, "0.0005"),
        ("learning_rate", "0,01", 0.01, "0.01"),
        ("learning_rate", "3E-2", 0.03, "0.03"),
        ("learning_rate", "-1", -1.0, "-1"),
        ("learning_rate", "1e-9", 1e-9, "1e-9"),
        ("epochs", "12", 12, "12"),
        ("epochs", "1e3", 1_000, "1000"),
        ("batch_size", "64 images", 64, "64 images"),
        ("batch_size", "1", 1, "1 image"),
        ("batch_size", "-5", -5, "-5 images"),
        ("epochs", "1,000", 1_000, "1000"),  # once it was 1
        ("epochs", "1 000", 1_000, "1000"),
        ("seed", "10,000", 10_000, "10000"),
        ("seed", "1,234,567", 1_234_567, "1234567"),
        ("step_size", "2 epochs", 2, "2 epochs"),
        ("image_size", "0", 0, "the network's own"),
        ("image_size", "224", 224, "224 px"),
        ("ema", "off", 0.0, "off"),
        ("ema", "none", 0.0, "off"),
        ("ema", "no", 0.0, "off"),
        ("image_size", "own", 0, "the network's own"),
        ("learning_rate", "0,001", 0.001, "0.001"),
        ("learning_rate", "12,5", 12.5, "12.5"),
        ("gamma", "0,125", 0.125, "0.125"),
        ("ema", "0.9995", 0.9995, "0.9995"),
        ("mixup", "7e99", 1e12, "1000000000000"),
    ],
)
def test_a_typed_number_is_taken_as_it_is_even_out_of_range(
    qtbot, editor, name, typed, value, shown
):
    widget = editor(name)
    type_in(qtbot, widget, typed)
    assert widget.value() == value
    assert widget.text() == shown


@pytest.mark.parametrize("typed", ["abc", "", "1e", "--", "nan"])
def test_what_is_no_number_leaves_the_value(qtbot, editor, typed):
    widget = editor("learning_rate")
    widget.setValue(0.25)
    type_in(qtbot, widget, typed)
    assert widget.value() in (0.25, 1.0)  # of "1e" the 1 may be taken
    assert float(widget.text()) == widget.value()


@pytest.mark.parametrize("typed", ["12,5", "1,00", "10,00", "1,0000"])
def test_a_comma_is_no_decimal_point_in_a_whole_number(qtbot, editor, typed):
    """It is let through while typing: where it was swallowed, 12,5 would become 125."""
    widget = editor("epochs")
    widget.setValue(40)
    type_in(qtbot, widget, typed)
    assert widget.value() == 40
    assert widget.text() == "40"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(8e-9, "8e-9"), (8.7e-5, "0.000087"), (1e-8, "1e-8"), (1e-6, "0.000001"), (0.002, "0.002")],
)
def test_small_numbers_are_readable(editor, value, shown):
    widget = editor("learning_rate")
    widget.setValue(value)
    assert widget.text() == shown


@pytest.mark.parametrize("value", [1e-8, 1e-5, 0.001, 0.002, 0.998, 0.99999, 0.1, 10.0])
def test_a_script_sets_exactly_what_it_says(editor, value):
    widget = editor("learning_rate")
    widget.setValue(value)
    assert widget.value() == value
    widget.interpretText()
    assert widget.value() == value


def test_half_a_number_is_no_wish(qtbot, editor):
    widget = editor("learning_rate")
    widget.selectAll()
    with qtbot.assertNotEmitted(widget.edited):
        qtbot.keyClicks(widget, "0.0005")
    with qtbot.waitSignal(widget.edited):
        qtbot.keyClick(widget, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("name", "value", "steps", "result"),
    [
        ("learning_rate", 0.001, 1, 0.002),
        ("learning_rate", 0.002, 1, 0.005),
        ("learning_rate", 0.005, 1, 0.01),
        ("learning_rate", 0.003, -1, 0.002),
        ("learning_rate", 0.01, -3, 0.001),
        ("learning_rate", 10.0, 1, 10.0),
        ("learning_rate", 1e-8, -1, 1e-8),
        ("epochs", 1, -1, 1),
        ("batch_size", -5, 1, 2),
        ("label_smoothing", 0.1, 1, 0.15),
        ("label_smoothing", 0.05, -1, 0.0),
        ("ema", 0.0, 1, 0.998),
        ("ema", 0.998, 1, 0.999),
        ("mixup", 0.0, 1, 0.2),
        ("image_size", 16, -1, 0),
        ("image_size", 0, 1, 16),
        ("image_size", 0, -1, 0),
        ("gamma", 0.001, -1, 0.001),
    ],
)
def test_a_click_leads_to_a_nice_value_within_the_range(name, value, steps, result):
    assert stepped(SETTING[name], value, steps) == result


def test_the_arrow_keys_step(qtbot, editor):
    widget = editor("learning_rate")
    widget.setValue(0.001)
    qtbot.keyClick(widget, Qt.Key.Key_Up)
    assert widget.value() == 0.002
    qtbot.keyClick(widget, Qt.Key.Key_Down)
    qtbot.keyClick(widget, Qt.Key.Key_Down)
    assert widget.value() == 0.0005


@pytest.mark.parametrize("name", ["epochs", "learning_rate", "optimizer"])
def test_the_wheel_scrolls_the_panel_and_changes_nothing(editor, name):
    widget = editor(name)
    before = widget.value()
    widget.clearFocus()
    event = QWheelEvent(
        QPointF(5, 5),
        widget.mapToGlobal(QPointF(5, 5)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    assert widget.value() == before
    assert not event.isAccepted()


@pytest.mark.parametrize("words", ["SGD with momentum", "sgd"])
def test_a_choice_is_set_by_its_label_or_its_value(editor, words):
    widget = editor("optimizer")
    assert isinstance(widget, QComboBox)
    widget.setCurrentText(words)
    assert widget.value() == "sgd"
    assert widget.currentText() == "SGD with momentum"


def test_a_tooltip_teaches_the_range():
    assert "From 1 to 10,000." in tooltip_html(SETTING["epochs"])
    assert "or 0: the network's own" in tooltip_html(SETTING["image_size"])
    assert "0 is off" in tooltip_html(SETTING["ema"])
    assert "From" not in tooltip_html(SETTING["optimizer"])
