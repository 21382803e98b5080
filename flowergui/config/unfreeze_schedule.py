"""When frozen layers begin to train: entries like layer4=2, a pattern and an epoch (gradual
unfreezing; Howard and Ruder 2018, arXiv 1801.06146)."""

from collections.abc import Iterable, Sequence

from flowergui.config.frozen_patterns import frozen_names
from flowergui.errors import FlowerError
from flowergui.text import tr


def parse_entry(entry: str) -> tuple[str, int]:
    """The pattern of an entry, as in `frozen`, and the epoch (from 1) from which on what it matches
    trains. Raises FlowerError if it is no such entry."""
    pattern, _, epoch = entry.rpartition("=")
    if not pattern or not (epoch.isascii() and epoch.isdecimal()) or int(epoch) < 1:
        raise FlowerError(
            tr("{entry} does not say from which epoch on a layer trains.", entry=repr(entry)),
            hint=tr("Write it like layer4=2: the name of a layer, and an epoch from 1 on."),
        )
    return pattern, int(epoch)


def unfreeze_epochs(
    schedule: Iterable[str],
    parameters: Sequence[str],
    head: Sequence[str],
    last_stage: Sequence[str],
) -> dict[str, int]:
    """Maps names of parameters to the epoch (from 1) from which on they train. If several entries
    match a parameter, the last one counts. Raises FlowerError for an entry that is none, or that
    matches nothing; `parameters`, `head` and `last_stage` are as for `frozen_names`."""
    found: dict[str, int] = {}
    for entry in schedule:
        pattern, epoch = parse_entry(entry)
        found |= dict.fromkeys(frozen_names((pattern,), parameters, head, last_stage), epoch)
    return found


def without_parameters(
    schedule: Iterable[str],
    names: Iterable[str],
    parameters: Sequence[str],
    head: Sequence[str],
    last_stage: Sequence[str],
) -> tuple[str, ...]:
    """The schedule without what it says of the parameters `names`. Raises FlowerError as
    `unfreeze_epochs` does."""
    dropped = set(names)
    kept: list[str] = []
    for entry in schedule:
        pattern, epoch = parse_entry(entry)
        matched = frozen_names((pattern,), parameters, head, last_stage)
        left = [f"{name}={epoch}" for name in matched if name not in dropped]
        kept += [entry] if len(left) == len(matched) else left
    return tuple(kept)
