"""Dropout and stochastic depth that don't depend on how many processes share a batch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class RowsOfBatch(TorchFunctionMode):
    """Draws random numbers for a whole batch of `total` images and takes those of the images at
    `places` in it, which are the rows of the tensors here.

    So a process drops what one process with the whole batch would drop, from the same seed: on CPUs
    exactly that, while a GPU's fused dropout draws other numbers. It covers torch's dropout, and
    what draws by `bernoulli_`, as torchvision's stochastic depth does.
    """

    def __init__(self, total: int, places: Sequence[int]) -> None:
        super().__init__()
        self._total, self._places = total, torch.tensor(places)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Any = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.dropout and kwargs.get("training") and 0 < kwargs["p"] < 1:
            kept = 1 - kwargs["p"]
            return args[0] * self._drawn(args[0], kept).div_(kept)
        if func is Tensor.bernoulli_ and args[0].ndim and len(args[0]) == len(self._places):
            return args[0].copy_(self._drawn(args[0], *args[1:], **kwargs))
        return func(*args, **kwargs)

    def _drawn(self, like: Tensor, probability: float, **kwargs: Any) -> Tensor:
        """Zeros and ones, each one with this probability: the rows of `places`."""
        whole = like.new_empty((self._total, *like.shape[1:]))
        if like.ndim == 4 and like.is_contiguous(memory_format=torch.channels_last):
            whole = whole.contiguous(memory_format=torch.channels_last)
        return whole.bernoulli_(probability, **kwargs)[self._places.to(like.device)]
