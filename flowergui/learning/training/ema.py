"""The exponential moving average (EMA) of a network's weights."""

from copy import deepcopy

import torch
from torch import Tensor, nn


class Ema:
    """`net`, a copy whose weights and batch normalization statistics follow those of another.

    The decay grows with the number of steps n, (1 + n) / (10 + n), up to `decay`, so that early
    weights are soon forgotten (as in TensorFlow's ExponentialMovingAverage with num_updates). What
    does not train and is equal in both is skipped. torch's AveragedModel goes through all of it at
    every step, which takes longer than a step on cached features.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.net = deepcopy(net).requires_grad_(False).eval()
        self.in_sync = True
        self._decay = decay
        self._pairs: list[tuple[Tensor, Tensor]] = []
        self._counters: list[tuple[Tensor, Tensor]] = []
        self.track(net)

    def track(self, net: nn.Module) -> None:
        """Finds what moves. Call it whenever other parameters of `net`, in training mode, train
        than before. `in_sync` is whether all the rest is equal in both."""
        self._pairs, self._counters, self.in_sync = [], [], True
        averaged = dict(self.net.named_parameters()) | dict(self.net.named_buffers())
        for prefix, module in net.named_modules():
            own = [*module.named_parameters(prefix, recurse=False)]
            buffers = [*module.named_buffers(prefix, recurse=False)]
            trains = not own or any(parameter.requires_grad for _, parameter in own)
            moving = {name: parameter.requires_grad for name, parameter in own}
            moving |= {name: trains and module.training for name, _ in buffers}
            for name, tensor in (*own, *buffers):
                if not moving[name] and torch.equal(tensor, averaged[name]):
                    continue
                self.in_sync &= moving[name]
                pairs = self._pairs if tensor.is_floating_point() else self._counters
                pairs.append((averaged[name], tensor.detach()))

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Follows a step that came after `steps` others; the first step is copied."""
        for averaged, current in self._counters:
            averaged.copy_(current)
        if not self._pairs:
            return
        mine, theirs = (list(tensors) for tensors in zip(*self._pairs, strict=True))
        if steps == 0:
            torch._foreach_copy_(mine, theirs)
        else:
            share = 1 - min(self._decay, (1 + steps) / (10 + steps))
            torch._foreach_lerp_(mine, theirs, share)
