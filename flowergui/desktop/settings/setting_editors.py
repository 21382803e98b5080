"""One editor for each kind of setting. What it may hold is not its business: a value out of
range is kept as it was typed, so that the form can say what is wrong with it."""

import math
import re
from typing import Any, cast

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QWidget,
)

from flowergui.config.setting import Setting, Value
from flowergui.text import number

_PARTIAL_NUMBER = re.compile(r"[-+]?[\d\s,_]*\.?\d*([eE][-+]?\d*)?")
_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT = 1e12
_DIGITS = 15
"""Decimals that a float keeps, as many as a double has."""


class IntEditor(QSpinBox):
    """Edits an int."""

    edited = Signal()
    """The value has changed, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self.setRange(-_LARGEST_INT, _LARGEST_INT)
        _prepare_box(self)
        self.setValue(cast(int, setting.default))
        self.valueChanged.connect(self.edited)

    def set_value(self, value: Value) -> None:
        """Shows `value`, an int."""
        self.setValue(cast(int, value))

    def stepBy(self, steps: int) -> None:
        self.setValue(int(stepped(self._setting, self.value(), steps)))

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        return _steps_enabled(self, self._setting, self.value())

    def textFromValue(self, value: int) -> str:
        return text_of(self._setting, value)

    def valueFromText(self, text: str) -> int:
        number = number_in(self._setting, text)
        if number is None or not math.isfinite(number):
            return self.value()
        return round(max(-_LARGEST_INT, min(number, _LARGEST_INT)))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return _validity(self._setting, text), text, position

    def fixup(self, text: str) -> str:
        return self.textFromValue(self.value())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()  # it scrolls the panel


class FloatEditor(QDoubleSpinBox):
    """Edits a float, in plain or in scientific notation."""

    edited = Signal()
    """The value has changed, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self.setDecimals(_DIGITS)
        self.setRange(-_LARGEST_FLOAT, _LARGEST_FLOAT)
        _prepare_box(self)
        self.setValue(cast(float, setting.default))
        self.valueChanged.connect(self.edited)

    def set_value(self, value: Value) -> None:
        """Shows `value`, a float or an int."""
        self.setValue(cast(float, value))

    def stepBy(self, steps: int) -> None:
        self.setValue(stepped(self._setting, self.value(), steps))

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        return _steps_enabled(self, self._setting, self.value())

    def textFromValue(self, value: float) -> str:
        return text_of(self._setting, value)

    def valueFromText(self, text: str) -> float:
        number = number_in(self._setting, text)
        return self.value() if number is None else number

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return _validity(self._setting, text), text, position

    def fixup(self, text: str) -> str:
        return self.textFromValue(self.value())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()  # it scrolls the panel


class ChoiceEditor(QComboBox):
    """Edits a str that has choices: shows their labels, holds their values."""

    edited = Signal()
    """Another value was chosen, by the user or by the program."""

    def __init__(self, setting: Setting | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(policy)
        self.setMinimumContentsLength(8)
        if setting:
            for choice in setting.choices:
                self.addItem(choice.label, choice.value)
            self.set_value(setting.default)
        self.currentIndexChanged.connect(self.edited)

    def value(self) -> str:
        """The value of the choice, "" where there is none."""
        return str(self.currentData() or "")

    def set_value(self, value: Value) -> None:
        """Chooses `value`; one that isn't offered changes nothing."""
        row = self.findData(value)
        if row >= 0:
            self.setCurrentIndex(row)

    def setCurrentText(self, text: str) -> None:
        """Chooses by label, or by value."""
        row = self.findText(text)
        if row < 0:
            row = self.findData(text)
        if row >= 0:
            self.setCurrentIndex(row)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()  # it scrolls the panel


class CheckEditor(QCheckBox):
    """Edits a bool."""

    edited = Signal()
    """The tick was set or taken away, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting.label, parent)
        self.setChecked(bool(setting.default))
        self.toggled.connect(self._tell)

    def value(self) -> bool:
        return self.isChecked()

    def set_value(self, value: Value) -> None:
        """Ticks where `value` is True."""
        self.setChecked(bool(value))

    @Slot()
    def _tell(self) -> None:
        self.edited.emit()


Editor = IntEditor | FloatEditor | ChoiceEditor | CheckEditor


def editor_for(setting: Setting) -> Editor:
    """The editor of a setting, objectName and all. Raises TypeError for a kind of value that
    no editor here can hold."""
    editor: Editor
    if setting.choices:
        editor = ChoiceEditor(setting)
    elif isinstance(setting.default, bool):
        editor = CheckEditor(setting)
    elif isinstance(setting.default, int):
        editor = IntEditor(setting)
    elif isinstance(setting.default, float):
        editor = FloatEditor(setting)
    else:
        raise TypeError(f"no editor holds {setting.name}")
    editor.setObjectName(setting.name)
    editor.setAccessibleName(setting.label)
    editor.setToolTip(tooltip_html(setting))
    return editor


def tooltip_html(setting: Setting) -> str:
    """A tooltip that teaches: what the setting does, and what it may be. Rich text, so that
    it wraps."""
    span = ""
    if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
        low, high = (number(bound) for bound in (setting.minimum, setting.maximum))
        span = f"From {low} to {high}" if math.isfinite(setting.maximum) else f"From {low} on"
        if setting.zero and setting.minimum > 0:
            span += f", or 0: {setting.zero}"
        elif setting.zero:
            span += f"; 0 is {setting.zero}"
        span = f"<p><i>{span}.</i></p>"
    return f"<qt><p><b>{setting.label}</b></p><p>{setting.help}</p>{span}</qt>"


# --- numbers and their text -------------------------------------------------------------------


def text_of(setting: Setting, value: float) -> str:
    """What a box shows for `value`, its unit included."""
    if setting.zero and value == 0:
        return setting.zero
    unit = setting.unit.removesuffix("s") if value == 1 else setting.unit
    return f"{number(value)} {unit}".strip()


def number_in(setting: Setting, text: str) -> float | None:
    """The number that was typed, with or without its unit; None where it is none (yet).
    A comma may stand for the point."""
    word = text.strip()
    if setting.zero and word.lower() in (setting.zero, "off", "none", "auto"):
        return 0.0
    word = word.removesuffix(setting.unit).removesuffix(setting.unit.removesuffix("s"))
    word = word.strip().replace(" ", "").replace("_", "")
    if word.count(",") == 1 and "." not in word:
        word = word.replace(",", ".")
    if not _PARTIAL_NUMBER.fullmatch(word):
        return None
    try:
        number = float(word)
    except ValueError:
        return None
    return max(-_LARGEST_FLOAT, min(number, _LARGEST_FLOAT))


def stepped(setting: Setting, value: float, steps: int) -> float:
    """The value after `steps` clicks, kept within the setting's range. Logarithmic settings go
    1, 2, 5, 10; others by their step. Zero, where it has a meaning, lies below the range."""
    if setting.zero and value == 0:
        if steps <= 0:
            return 0.0
        value, steps = (setting.switched_on or max(setting.minimum, setting.step)), steps - 1
    plus = round(value + steps * setting.step, 12)
    value = _nice(value, steps) if setting.logarithmic else plus
    if setting.zero and value < setting.minimum:
        return 0.0
    return max(setting.minimum, min(value, setting.maximum))


def _nice(value: float, steps: int) -> float:
    """`value` moved along ... 1, 2, 5, 10, 20 ..., first to the next of them."""
    if value <= 0:
        return 0.0
    ladder = [float(f"{digit}e{power}") for power in range(-12, 13) for digit in (1, 2, 5)]
    above = [rung for rung in ladder if rung > value * (1 + 1e-9)]
    below = [rung for rung in ladder if rung < value * (1 - 1e-9)]
    rungs = above[:steps] if steps > 0 else below[steps:]
    if not rungs or not steps:
        return value
    return rungs[-1] if steps > 0 else rungs[0]


def _validity(setting: Setting, text: str) -> QValidator.State:
    if number_in(setting, text) is not None:
        return QValidator.State.Acceptable
    word = text.strip().lower()
    if word and setting.zero and any(z.startswith(word) for z in (setting.zero, "off", "none")):
        return QValidator.State.Intermediate
    number = word.rstrip("abcdfghijklmnopqrstuvwxyz ") if setting.unit else word
    if _PARTIAL_NUMBER.fullmatch(number.replace(" ", "")):
        return QValidator.State.Intermediate
    return QValidator.State.Invalid


def _steps_enabled(
    box: QAbstractSpinBox, setting: Setting, value: float
) -> QAbstractSpinBox.StepEnabledFlag:
    flags = QAbstractSpinBox.StepEnabledFlag.StepNone
    if box.isReadOnly():
        return flags
    if value < setting.maximum:
        flags |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
    if value > (0 if setting.zero else setting.minimum):
        flags |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
    return flags


def _prepare_box(box: Any) -> None:
    # Half-typed numbers are no wishes: 0.0005 begins with 0.
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
    box.setMinimumWidth(70)
    box.lineEdit().setTextMargins(5, 0, 0, 0)  # in line with the text of combo boxes
