"""The description of one setting: what the form, the command line and the checks read."""

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from flowergui.errors import FlowerError
from flowergui.text import enumerated, grouped_number, tr

Value = bool | int | float | str | tuple[str, ...]

ZERO_WORDS: Final = ("none", "off", "no", "false", "auto", "own")
"""What may be typed for 0, beside the setting's own `zero`, where 0 has a meaning of its own."""

NO_NAMES: Final = "nothing"
"""How an empty list of names is written."""

ON_WORDS: Final = ("on", "true", "yes")
OFF_WORDS: Final = ("off", "false", "no")

_GROUPED: Final = re.compile(r"[-+]?[1-9]\d{0,2}(?:([ ,_\N{NO-BREAK SPACE}])\d{3})(?:\1\d{3})*")
"""A whole number with its digits in groups of three: 1,000 or 12 345 678."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a setting may have: as files hold it, and as a person reads it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Setting:
    """The description of one field of Recipe, for the form, the command line and the checks.

    The type of a value is that of `default`. `minimum` and `maximum` bound numbers, both
    inclusive; `unit` is that of numbers ("px"). `zero` is the word for 0 where 0 has a meaning of
    its own ("off"), and `switched_on` the value that "on" stands for. `step` is what a click of a
    spin box adds; if `logarithmic`, a click multiplies instead. `matters` says whether the setting
    has any effect in a given Recipe. `group`, `label`, `help`, `unit`, `zero` and the labels of
    `choices` are English; frontends translate them with `tr`.
    """

    name: str
    default: Value
    group: str
    label: str
    help: str
    unit: str
    minimum: float
    maximum: float
    step: float
    logarithmic: bool
    zero: str
    switched_on: float
    choices: tuple[Choice, ...]
    matters: Callable[[Any], bool]

    def problem(self, value: Value) -> str:
        """Why `value` is not valid, in a sentence; "" if it is."""
        label = tr(self.label)
        if self.choices and value not in [choice.value for choice in self.choices]:
            known = enumerated(choice.value for choice in self.choices)
            return tr("{label} must be one of: {choices}.", label=label, choices=known)
        if isinstance(self.default, bool):
            return (
                "" if isinstance(value, bool) else tr("{label} is either on or off.", label=label)
            )
        if isinstance(self.default, int | float):
            if isinstance(value, bool) or not isinstance(value, int | float):
                return tr("{label} must be a number.", label=label)
            finite = abs(value) <= sys.float_info.max  # no int is too long for this
            if isinstance(self.default, int) and finite and value != int(value):
                return tr("{label} must be a whole number.", label=label)
            if not finite or not self.minimum <= value <= self.maximum:
                return "" if self.zero and value == 0 else self._out_of_range()
            return ""
        if isinstance(self.default, str):
            good = isinstance(value, str) and "\0" not in value
            return "" if good else tr("{label} must be text.", label=label)
        good = isinstance(value, tuple) and all(isinstance(name, str) for name in value)
        return "" if good else tr("{label} must be a list of names.", label=label)

    def _out_of_range(self) -> str:
        low, high = grouped_number(self.minimum), grouped_number(self.maximum)
        if self.zero and self.minimum > 0:
            return tr(
                "{label} must lie between {minimum} and {maximum}, or 0 ({zero}).",
                label=tr(self.label),
                minimum=low,
                maximum=high,
                zero=tr(self.zero),
            )
        return tr(
            "{label} must lie between {minimum} and {maximum}.",
            label=tr(self.label),
            minimum=low,
            maximum=high,
        )

    def written(self, value: Value) -> str:
        """`value` as it is typed on a command line; `parse` reads it back."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, tuple):
            return " ".join(value) or NO_NAMES
        if self.zero and value == 0:
            return self.zero
        if isinstance(value, float):
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
        return str(value)

    def shown(self, value: Value) -> str:
        """`value` as a person reads it, translated and with its unit."""
        if self.zero and value == 0 and not isinstance(value, bool):
            return tr(self.zero)
        if isinstance(value, bool):
            return tr("on") if value else tr("off")
        if value == ():
            return tr("nothing")
        label = next((tr(each.label) for each in self.choices if each.value == value), "")
        return f"{label or self.written(value)} {tr(self.unit) if self.unit else ''}".rstrip()

    def means_zero(self, text: str) -> bool:
        """Whether `text` is a word for 0, as "off" is; False if 0 has no meaning of its own."""
        return text.strip().lower() in self._zero_words()

    def may_become_zero(self, text: str) -> bool:
        """Whether `text` is the beginning of a word for 0, as "of" is."""
        word = text.strip().lower()
        return bool(word) and any(zero.startswith(word) for zero in self._zero_words())

    def _zero_words(self) -> tuple[str, ...]:
        own = (self.zero.lower(), tr(self.zero).lower()) if self.zero else ()
        return (*own, *ZERO_WORDS) if own else ()

    def read_number(self, text: str) -> float | None:
        """The number that a person has typed; None if it is none, or not one yet.

        It may be followed by the unit, and be a word for 0. Digits may stand in groups of three
        ("1,000", "10 000"). A single comma is a decimal point in a float setting ("12,5"), unless
        it makes a group and the number with the group is in range. In an int setting it is never
        one: "12,5" is no number there.
        """
        word = text.strip()
        if self.means_zero(word):
            return 0.0
        if self.unit:
            for unit in (tr(self.unit), self.unit, self.unit.removesuffix("s")):
                if word.endswith(unit):
                    word = word.removesuffix(unit).strip()
                    break
        if grouped := _GROUPED.fullmatch(word):
            plain = float(re.sub(r"[^-+\d]", "", word))
            whole = isinstance(self.default, int) or grouped[1] != ","
            if whole or self.minimum <= plain <= self.maximum:
                return plain
        if word.count(",") == 1 and "." not in word and isinstance(self.default, float):
            word = word.replace(",", ".")
        if not word or any(character in word for character in " _nN"):
            return None  # float() reads "1_0", "nan" and "inf"
        try:
            return float(word)
        except ValueError:
            return None

    def parse(self, text: str) -> Value:
        """The value that `text` stands for, as typed on a command line.

        Raises FlowerError if it stands for none. Ranges are left to `problem`.
        """
        word = text.strip()
        if isinstance(self.default, bool):
            if word.lower() in (*ON_WORDS, "1"):
                return True
            if word.lower() in (*OFF_WORDS, "0"):
                return False
            raise FlowerError(
                tr("{label}: {text} is neither on nor off.", label=tr(self.label), text=repr(text))
            )
        if isinstance(self.default, int | float):
            if self.switched_on and word.lower() in ON_WORDS:
                return self.switched_on
            read = self.read_number(word)
            if read is None:
                raise FlowerError(
                    tr("{label}: {text} is not a number.", label=tr(self.label), text=repr(text))
                )
            whole = isinstance(self.default, int) and read.is_integer()
            return int(read) if whole else read
        if isinstance(self.default, tuple):
            return () if word == NO_NAMES else tuple(word.replace(",", " ").split())
        return word


def setting(default: Any, group: str, label: str, help: str, **more: Any) -> Any:
    """A dataclass field whose metadata are those of its Setting, without the name."""
    choices = more.pop("choices", ())
    description: dict[str, Any] = {
        "unit": "",
        "minimum": 0,
        "maximum": math.inf,
        "step": 1,
        "logarithmic": False,
        "zero": "",
        "switched_on": 0.0,
        "matters": lambda recipe: True,
        **more,
        "choices": tuple(Choice(value, text) for value, text in choices),
    }
    metadata = {"group": group, "label": label, "help": help, **description}
    return field(default=default, metadata=metadata)
