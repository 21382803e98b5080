"""Which parameters stay frozen, in words that fit every network."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from flowergui.errors import FlowerError

ALL_BUT_HEAD = "all-but-head"
ALL_BUT_LAST_STAGE = "all-but-last-stage"
"""Words that `frozen` understands beside names and patterns: they fit every architecture."""


def frozen_names(
    frozen: Iterable[str],
    parameters: Iterable[str],
    head: Iterable[str],
    last_stage: Iterable[str],
) -> tuple[str, ...]:
    """The parameters that `frozen` means, in the order of `parameters`.

    A word of `frozen` is a name, a shell-style pattern (layer1.*), a module's name (layer1),
    or one of the two words above. `head` and `last_stage` are those of `ModelDescribed`.
    Raises FlowerError for a word that fits nothing.
    """
    parameters = tuple(parameters)
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
                f"No parameter of this network is called {word!r}.",
                hint="Names and patterns look like layer1.*, layer4.1.conv2.weight or fc.",
            )
        chosen.update(matched)
    return tuple(name for name in parameters if name in chosen)
