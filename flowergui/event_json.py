"""Events as lines of JSON between two processes of this program, both ways without loss."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from flowergui import events
from flowergui.events import Event


def encoded(event: Event) -> str:
    """The event in one line, with the name of its class. NaN and infinity are kept."""
    return json.dumps({"event": type(event).__name__, "fields": asdict(event)})


def decoded(line: str) -> Event | None:
    """The event that `encoded` gave; None for a line that holds none."""
    try:
        found = json.loads(line)
        kind = getattr(events, found["event"])
        event: Event = _as(kind, found["fields"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return event


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _as(kind: Any, value: Any) -> Any:
    """What JSON made of `value`, as the type that it had."""
    if kind is Any or value is None:
        return value
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        (inner,) = (each for each in arguments if each is not NoneType)
        return _as(inner, value)
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1:] == (...,) else arguments
        return tuple(_as(each, part) for each, part in zip(kinds, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {_as(arguments[0], key): _as(arguments[1], each) for key, each in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{each.name: _as(hints[each.name], value[each.name]) for each in fields(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value
