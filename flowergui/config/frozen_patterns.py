"""Which parameters are frozen, in patterns that fit every network."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from flowergui.errors import FlowerError
from flowergui.text import tr

ALL_BUT_HEAD = "all-but-head"
ALL_BUT_LAST_STAGE = "all-but-last-stage"
"""Words that `frozen` understands beside names and patterns. They fit every architecture."""


def frozen_names(
    frozen: Iterable[str],
    parameters: Iterable[str],
    head: Iterable[str],
    last_stage: Iterable[str],
) -> tuple[str, ...]:
    """The names of the parameters that `frozen` selects, in the order of `parameters`.

    An entry of `frozen` is the name of a parameter, a shell-style pattern (layer1.*), the name of
    a module (layer1), or one of the two words above. `head` and `last_stage` are those of
    `ModelDescribed`. Raises FlowerError for an entry that selects nothing.

    The last answers are remembered: the window asks at each change of its session, and 60 names
    among 60 parameters take some 3 ms.
    """
    return _frozen_names(tuple(frozen), tuple(parameters), tuple(head), tuple(last_stage))


@lru_cache(maxsize=32)
def _frozen_names(
    frozen: tuple[str, ...],
    parameters: tuple[str, ...],
    head: tuple[str, ...],
    last_stage: tuple[str, ...],
) -> tuple[str, ...]:
    kept = {ALL_BUT_HEAD: set(head), ALL_BUT_LAST_STAGE: {*head, *last_stage}}
    chosen: set[str] = set()
    for word in frozen:
        if word in kept:
            matched = [name for name in parameters if name not in kept[word]]
        else:
            matched = [
                name
                for name in parameters
                if fnmatchcase(name, word) or name.startswith(word + ".")
            ]
        if not matched:
            raise FlowerError(
                tr("No parameter of this network is called {name}.", name=repr(word)),
                hint=tr("Names and patterns look like layer1.*, layer4.1.conv2.weight or fc."),
            )
        chosen.update(matched)
    return tuple(name for name in parameters if name in chosen)
