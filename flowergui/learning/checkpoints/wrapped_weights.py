"""State dicts as other programs save them: under keys, and with prefixes to the names."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from torch import Tensor

KEYS: Final = ("state_dict", "model_state_dict", "model", "net", "network", "params", "weights")
"""Where state dicts usually are in a file. Other keys are searched too, after these."""

MAX_DEPTH: Final = 4
"""How many dicts within each other are searched."""

WRAPPERS: Final = frozenset(
    {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
)
"""What DataParallel and AveragedModel, torch.compile, FSDP and activation checkpointing put into
names, wherever they wrap a module."""

ATTRIBUTES: Final = frozenset({"model", "net", "network", "backbone", "_model"})
"""Names that networks usually have in a module around them, as in a LightningModule, which may have
a loss or metrics with tensors beside it."""

OWN: Final = frozenset({"features", "layers"})
"""What all names of a network of the catalogue without its head may begin with."""


def find_weights(stored: Mapping[Any, Any]) -> dict[str, Tensor]:
    """The state dict in what a file holds, without wrappers: the first one under KEYS, or else the
    largest dict of tensors. Empty if there is none."""
    for key in KEYS:
        inner = stored.get(key)
        if isinstance(inner, Mapping) and (found := _largest(inner)):
            return unwrapped(found)
    return unwrapped(_largest(stored))


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by the names that they have in the network itself."""
    named = dict(tensors)
    while prefix := _prefix([name for name in named if "." in name]):
        named = {
            name.removeprefix(prefix): tensor
            for name, tensor in named.items()
            if name.startswith(prefix)
        }
    return {_without_wrappers(name): tensor for name, tensor in named.items()}


def _largest(stored: Mapping[Any, Any]) -> dict[str, Tensor]:
    """The dict with the most values in its tensors, among `stored` and the dicts in it."""
    found = list(_dicts_of_tensors(stored, MAX_DEPTH))
    return max(found, key=lambda each: sum(t.numel() for t in each.values()), default={})


def _dicts_of_tensors(stored: Mapping[Any, Any], depth: int) -> Iterator[dict[str, Tensor]]:
    own = {
        name: tensor
        for name, tensor in stored.items()
        if isinstance(name, str) and isinstance(tensor, Tensor)
    }
    if own:
        yield own
    if depth > 1:
        for inner in stored.values():
            if isinstance(inner, Mapping):
                yield from _dicts_of_tensors(inner, depth - 1)


def _without_wrappers(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _prefix(names: list[str]) -> str:
    """The first part of the names, with its dot, that is not the network's own: one that a wrapper
    has given some of them, or that all of them share, of more than a single layer. "" if there is
    none."""
    first = Counter(name.partition(".")[0] for name in names)
    for part, count in first.most_common():
        shared = count == len(names) and part not in OWN
        if part in WRAPPERS | ATTRIBUTES or (shared and any(n.count(".") > 1 for n in names)):
            return f"{part}."
    return ""
