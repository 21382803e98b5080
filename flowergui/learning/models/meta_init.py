"""Networks without memory for their weights, for questions about shapes and names alone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


class MetaInit(TorchFunctionMode):
    """Builds networks on the meta device, without drawing random weights.

    It is fast, and torch's default generator, which belongs to the trainer, is left alone. The
    device "meta" alone would not do: some architectures compute their layout with real tensors.
    """

    _INITIALIZERS = frozenset(
        {"uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_"}
        | {"xavier_normal_", "trunc_normal_", "orthogonal_", "random_", "bernoulli_"}
    )

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty:
            return func(*args, **{**kwargs, "device": "meta"})
        if getattr(func, "__name__", "") in self._INITIALIZERS:
            tensor = args[0] if args else kwargs["tensor"]
            tensor.detach().zero_()
            return tensor
        return func(*args, **kwargs)


def count_parameters(create: Callable[[], nn.Module]) -> int:
    """The number of parameters of the network that `create` builds, without building it."""
    with MetaInit():
        return sum(parameter.numel() for parameter in create().parameters())
