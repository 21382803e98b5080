"""Building a network of the catalogue, and giving it weights."""

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from flowergui.learning.models.catalogue import provider_of
from flowergui.learning.models.meta_init import MetaInit


def build(model: str, class_count: int, image_size: int) -> nn.Module:
    """A network with fresh weights, drawn from torch's default generator.

    It takes (B, 3, image_size, image_size) float and returns logits (B, class_count). Raises
    FlowerError for an unknown model.
    """
    return provider_of(model).create(model, class_count, image_size)


def build_on_meta(model: str, class_count: int, image_size: int) -> nn.Module:
    """The same network without weights; `load_state_dict(..., assign=True)` gives it some."""
    provider = provider_of(model)
    with MetaInit():
        return provider.create(model, class_count, image_size)


def build_blank(model: str, class_count: int, image_size: int) -> nn.Module:
    """The same network with weights of 0, to be loaded by name; no random numbers are drawn."""
    net = build_on_meta(model, class_count, image_size)
    blank = {
        name: torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in net.state_dict().items()
        if tensor.is_meta
    }
    load_state_dict(net, blank, strict=False, assign=True)
    return net


def expand_head(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`tensors` with the missing rows of the classifier added from `fresh`.

    A tensor with fewer rows than its namesake in `fresh` gets that one's last rows.
    """
    expanded = {}
    for name, tensor in tensors.items():
        rows = len(tensor) if tensor.ndim else 0
        if name in fresh and tensor.ndim and rows < len(fresh[name]):
            more = fresh[name][rows:].to(tensor.device, tensor.dtype)
            expanded[name] = torch.cat((tensor, more))
        else:
            expanded[name] = tensor
    return expanded


def load_state_dict(net: nn.Module, tensors: Mapping[str, Tensor], **options: bool) -> None:
    """Loads tensors that carry no version metadata, for which MNASNet asks.

    `options` are those of `nn.Module.load_state_dict`. Raises RuntimeError if they don't fit.
    """
    versioned = OrderedDict(tensors)
    versioned._metadata = {"": {"version": net._version}}  # type: ignore[attr-defined]
    net.load_state_dict(versioned, **options)
