"""What moves the weights."""

from typing import Any

import torch
from torch import nn

from flowergui.config.recipe import Recipe


def make_optimizer(net: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """The recipe's optimizer over all parameters, frozen ones too, for they may thaw. Biases and
    normalisation (all that has one dimension) are spared weight decay (He et al. 2019,
    arXiv 1812.01187)."""
    parameters = list(net.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate = recipe.learning_rate
    fused = device.type in ("cpu", "cuda")
    if recipe.optimizer == "adam":
        return torch.optim.Adam(groups, lr=rate, fused=fused)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=fused)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, fused=fused)
    return torch.optim.RMSprop(groups, lr=rate, momentum=recipe.momentum)


def init_momentum_buffers(optimizer: torch.optim.Optimizer) -> None:
    """Gives what trains from now on, and never did, the momentum that it would have had: none.
    torch's fused SGD takes parameters with a buffer and others without one for an error."""
    for group in optimizer.param_groups:
        if not group.get("momentum") or not isinstance(optimizer, torch.optim.SGD):
            continue
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            if parameter.requires_grad and state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)
