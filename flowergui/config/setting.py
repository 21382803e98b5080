"""The description of one setting: what the form, the command line and the checks read."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowergui.errors import FlowerError

if TYPE_CHECKING:
    from flowergui.config.recipe import Recipe

Value = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a setting may take, as it is written in files and as a person reads it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What every face needs to know of one field of Recipe.

    The kind of value is that of `default`. `minimum` and `maximum` bound numbers, inclusive.
    `zero` is what a person reads where 0 has a meaning of its own ("off"), and
    `switched_on` the value that stands for "on" there. `step` is a sensible click of a spin
    box; where `logarithmic`, a click multiplies instead.
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
    matters: Callable[["Recipe"], bool]

    def problem(self, value: Value) -> str:
        """Why `value` can't be, in a sentence; empty where it can."""
        if self.choices and value not in [choice.value for choice in self.choices]:
            known = ", ".join(choice.value for choice in self.choices)
            return f"{self.label} must be one of: {known}."
        if isinstance(self.default, bool):
            return "" if isinstance(value, bool) else f"{self.label} is either on or off."
        if isinstance(self.default, int | float):
            if isinstance(value, bool) or not isinstance(value, int | float):
                return f"{self.label} must be a number."
            finite = math.isfinite(value)
            if isinstance(self.default, int) and finite and value != int(value):
                return f"{self.label} must be a whole number."
            if not finite or not self.minimum <= value <= self.maximum:
                if self.zero and value == 0:
                    return ""
                span = f"{self.minimum:g} and {self.maximum:g}"
                return f"{self.label} must lie between {span}."
            return ""
        if isinstance(self.default, str):
            return "" if isinstance(value, str) else f"{self.label} must be text."
        good = isinstance(value, tuple) and all(isinstance(name, str) for name in value)
        return "" if good else f"{self.label} must be a list of names."

    def written(self, value: Value) -> str:
        """`value` as it is typed on a command line."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, tuple):
            return " ".join(value) or "nothing"
        if self.zero and value == 0:
            return self.zero
        if isinstance(value, float):
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
        return str(value)

    def parse(self, text: str) -> Value:
        """The value that `text` writes, as typed on a command line.

        Raises FlowerError where it writes none; ranges are left to `problem`.
        """
        word = text.strip()
        if isinstance(self.default, bool):
            if word.lower() in ("on", "true", "yes", "1"):
                return True
            if word.lower() in ("off", "false", "no", "0"):
                return False
            raise FlowerError(f"{self.label}: {text!r} is neither on nor off.")
        if self.zero and word.lower() in ("off", "false", "no", "auto", "own", self.zero):
            # A setting with a `zero` is a number; its type can't say so.
            return type(self.default)(0)  # type: ignore[arg-type]
        if self.switched_on and word.lower() in ("on", "true", "yes"):
            return self.switched_on
        if isinstance(self.default, int | float):
            try:
                number = float(word)
            except ValueError:
                raise FlowerError(f"{self.label}: {text!r} is not a number.") from None
            if isinstance(self.default, int) and number.is_integer():
                return int(number)
            return number
        if isinstance(self.default, tuple):
            return tuple(name for name in word.replace(",", " ").split() if name)
        return word


def setting(default: Any, group: str, label: str, help: str, **more: Any) -> Any:
    """A dataclass field that carries its Setting (less the name, which the field has)."""
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
