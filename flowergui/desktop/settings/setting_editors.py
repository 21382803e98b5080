"""One editor for each kind of setting. Editors do not check ranges: a value out of range is kept
as it was typed, so that the form can say what is wrong with it."""

import math
import re
from html import escape
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QWidget,
)

from flowergui.config.setting import Setting, Value
from flowergui.desktop.widgets.card import WheelScrollsPanel
from flowergui.text import N_, grouped_number, number, sentences, tr

_PARTIAL_NUMBER = re.compile(r"[-+]?[\d\s,_]*\.?\d*([eE][-+]?\d*)?")
"""What may become a number while it is typed."""
_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT = 1e12
_DIGITS = 15
"""Decimals that a float keeps, as many as a double has."""

if TYPE_CHECKING:  # mixins stand before the Qt class that they extend

    class _SpinBox(QAbstractSpinBox):
        def value(self) -> Any: ...
else:
    _SpinBox = object


class _NumberBox(WheelScrollsPanel, _SpinBox):
    """A mixin of the two spin boxes: how numbers are typed, shown and stepped."""

    _setting: Setting

    def _prepare(self, setting: Setting) -> None:
        self._setting = setting
        self.setKeyboardTracking(False)  # 0.0005 begins with 0: half a number is no value
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        self.setMinimumWidth(70)
        self.lineEdit().setTextMargins(5, 0, 0, 0)  # in line with the text of combo boxes

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag.StepNone
        if self.isReadOnly():
            return flags
        if self.value() < self._setting.maximum:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        if self.value() > (0 if self._setting.zero else self._setting.minimum):
            flags |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return flags

    def textFromValue(self, value: float) -> str:
        return text_of(self._setting, value)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return validity(self._setting, text), text, position

    def fixup(self, text: str) -> str:
        return self.textFromValue(self.value())


class IntEditor(_NumberBox, QSpinBox):
    """Edits an int."""

    edited = Signal()
    """The value has changed, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prepare(setting)
        self.setRange(-_LARGEST_INT, _LARGEST_INT)
        self.setValue(cast(int, setting.default))
        self.valueChanged.connect(self.edited)

    def set_value(self, value: Value) -> None:
        """Shows `value`, an int."""
        self.setValue(cast(int, value))

    def stepBy(self, steps: int) -> None:
        self.setValue(int(stepped(self._setting, self.value(), steps)))

    def valueFromText(self, text: str) -> int:
        number = self._setting.read_number(text)
        if number is None:
            return int(self.value())
        return round(max(-_LARGEST_INT, min(number, _LARGEST_INT)))


class FloatEditor(_NumberBox, QDoubleSpinBox):
    """Edits a float, in plain or in scientific notation."""

    edited = Signal()
    """The value has changed, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prepare(setting)
        self.setDecimals(_DIGITS)
        self.setRange(-_LARGEST_FLOAT, _LARGEST_FLOAT)
        self.setValue(cast(float, setting.default))
        self.valueChanged.connect(self.edited)

    def set_value(self, value: Value) -> None:
        """Shows `value`, a float or an int."""
        self.setValue(cast(float, value))

    def stepBy(self, steps: int) -> None:
        self.setValue(stepped(self._setting, self.value(), steps))

    def valueFromText(self, text: str) -> float:
        number = self._setting.read_number(text)
        if number is None:
            return float(self.value())
        return max(-_LARGEST_FLOAT, min(number, _LARGEST_FLOAT))


class ChoiceEditor(WheelScrollsPanel, QComboBox):
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
                self.addItem(tr(choice.label), choice.value)
            self.set_value(setting.default)
        self.currentIndexChanged.connect(self.edited)

    def value(self) -> str:
        """The value of the current choice; "" if there is none."""
        return str(self.currentData() or "")

    def set_value(self, value: Value) -> None:
        """Chooses `value`; a value that is not offered changes nothing."""
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


class CheckEditor(QCheckBox):
    """Edits a bool."""

    edited = Signal()
    """The checkbox was changed, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(tr(setting.label), parent)
        self.setChecked(bool(setting.default))
        self.toggled.connect(self._tell)

    def value(self) -> bool:
        return self.isChecked()

    def set_value(self, value: Value) -> None:
        """Shows `value`, a bool."""
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
    editor.setAccessibleName(tr(setting.label))
    editor.setAccessibleDescription(spoken_help(setting))
    editor.setToolTip(tooltip_html(setting))
    return editor


def spoken_help(setting: Setting) -> str:
    """What its tooltip teaches, for screen readers: without the marks of HTML."""
    return sentences(tr(setting.help), range_text(setting))


def tooltip_html(setting: Setting) -> str:
    """A tooltip that teaches: what the setting does, and what it may be. It is rich text, so that
    it wraps."""
    span = range_text(setting)
    label, help = (escape(tr(words), quote=False) for words in (setting.label, setting.help))
    span = f"<p><i>{escape(span, quote=False)}</i></p>" if span else ""
    return f"<qt><p><b>{label}</b></p><p>{help}</p>{span}</qt>"


def range_text(setting: Setting) -> str:
    """The range of a number, in a sentence; "" for other settings."""
    if isinstance(setting.default, bool) or not isinstance(setting.default, int | float):
        return ""
    low, high, zero = (
        grouped_number(setting.minimum),
        grouped_number(setting.maximum),
        tr(setting.zero) if setting.zero else "",
    )
    bounded = math.isfinite(setting.maximum)
    if zero and setting.minimum > 0:
        if bounded:
            return tr("From {low} to {high}, or 0: {zero}.", low=low, high=high, zero=zero)
        return tr("From {low} on, or 0: {zero}.", low=low, zero=zero)
    if zero:
        if bounded:
            return tr("From {low} to {high}; 0 is {zero}.", low=low, high=high, zero=zero)
        return tr("From {low} on; 0 is {zero}.", low=low, zero=zero)
    if bounded:
        return tr("From {low} to {high}.", low=low, high=high)
    return tr("From {low} on.", low=low)


# --- numbers and their text -------------------------------------------------------------------

SINGULAR = {
    "epochs": N_("epoch"),
    "images": N_("image"),
    "versions": N_("version"),
    "threads": N_("thread"),
}
"""What units are called after 1."""


def text_of(setting: Setting, value: float) -> str:
    """The text of `value`, its unit included: "64 photos", "0.001", "off"."""
    if setting.zero and value == 0:
        return tr(setting.zero)
    unit = SINGULAR.get(setting.unit, setting.unit) if value == 1 else setting.unit
    unit = tr(unit) if unit else ""
    return f"{number(value)} {unit}".strip()


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


def validity(setting: Setting, text: str) -> QValidator.State:
    """Whether `text` is a number, may become one, or never will. A comma is always let through:
    where it was refused, 12,5 would become 125."""
    if setting.read_number(text) is not None:
        return QValidator.State.Acceptable
    if setting.may_become_zero(text):
        return QValidator.State.Intermediate
    word = text.strip().lower().replace(" ", "")
    for unit in (tr(setting.unit), setting.unit) if setting.unit else ():
        word = word.rstrip(unit.lower().replace("e", ""))
    partial = _PARTIAL_NUMBER.fullmatch(word)
    return QValidator.State.Intermediate if partial else QValidator.State.Invalid
