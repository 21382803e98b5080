"""What values in files may be, and the first place where one is something else.

A file may have been cut, overwritten or edited. What it holds is compared with a specification
once, where it is read; all else may trust it.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, get_type_hints

MAX_WHOLE: Final = 2**53 - 1
"""The largest whole number. All up to it are exact as floats too, as in JSON."""

MAX_SECONDS: Final = 1e11
"""Some 3,000 years."""

Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Record:
    """A mapping. Fields that are missing are good, unless they are `required`; unknown ones are of
    another version."""

    fields: Mapping[str, "Spec"]
    required: Iterable[str] = ()


@dataclass(frozen=True)
class Many:
    """A list of values that are all `each`."""

    each: "Spec"


Spec = Test | Record | Many


def first_wrong(value: Any, spec: Spec, name: str = "") -> str | None:
    """The name of the first field of `value` that is not as specified, with dots between the names
    of nested ones; None if all are. `name` is that of `value` itself."""
    if isinstance(spec, Record):
        return _first_wrong_field(value, spec, name)
    if isinstance(spec, Many):
        if not isinstance(value, list):
            return name
        inner = (first_wrong(each, spec.each, f"{name}.{at}") for at, each in enumerate(value))
        return next((wrong for wrong in inner if wrong is not None), None)
    return None if spec(value) else name


def _first_wrong_field(value: Any, record: Record, name: str) -> str | None:
    if not isinstance(value, Mapping):
        return name
    dotted = {field: f"{name}.{field}" if name else field for field in record.fields}
    for field in record.required:
        if field not in value:
            return dotted[field]
    for field, spec in record.fields.items():
        if field in value:
            wrong = first_wrong(value[field], spec, dotted[field])
            if wrong is not None:
                return wrong
    return None


# --- tests ----------------------------------------------------------------------------------------


def whole(value: Any) -> bool:
    """A whole number from 0 on, as counters are."""
    return type(value) is int and 0 <= value <= MAX_WHOLE


def number(value: Any) -> bool:
    """A number, which may be NaN or infinite, as losses may be."""
    return isinstance(value, float) or (type(value) is int and abs(value) <= MAX_WHOLE)


def finite(value: Any) -> bool:
    """A number that is neither NaN nor infinite."""
    return number(value) and math.isfinite(value)


def seconds(value: Any) -> bool:
    """A duration."""
    return finite(value) and 0 <= value <= MAX_SECONDS


def text(value: Any) -> bool:
    """Text without NULs, which names of files can't have."""
    return isinstance(value, str) and "\0" not in value


def names(value: Any) -> bool:
    """A list of texts."""
    return isinstance(value, list | tuple) and all(map(text, value))


def unique_names(value: Any) -> bool:
    """A list of different texts; at least one."""
    return names(value) and 0 < len(value) == len(set(value))


def optional(test: Test) -> Test:
    """None, or what passes the test."""
    return lambda value: value is None or test(value)


_TESTS: Final[Mapping[Any, Test]] = {
    int: whole,
    float: number,
    float | None: optional(number),
    str: text,
    tuple[str, ...]: names,
}


def record_of(kind: type) -> Record:
    """The specification of a dataclass of numbers and texts, by the types of its fields."""
    hints = get_type_hints(kind)
    tests = {each.name: _TESTS[hints[each.name]] for each in fields(kind)}
    return Record(tests | ({"seconds": seconds} if "seconds" in tests else {}))
