"""The optimizers, and their state beyond what torch does."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from flowergui.config.recipe import Recipe
from flowergui.facts import StageFacts
from flowergui.learning.models.build import expand_head

RATE_FACTOR = "lr_scale"
"""The key of a parameter group's learning-rate factor, as in BEiT and timm."""


def parameter_groups(
    net: nn.Module, recipe: Recipe, stages: Iterable[StageFacts] = ()
) -> list[dict[str, Any]]:
    """All parameters, frozen ones too: they may be unfrozen later. Biases and normalization layers
    (all parameters of one dimension) get no weight decay (He et al. 2019, arXiv 1812.01187). With
    `stages`, the learning rate falls from stage to stage as the recipe says."""
    groups: list[dict[str, Any]] = []
    for parameters, options in _parts(net, recipe, stages):
        weights, others = (
            [p for p in parameters if p.ndim > 1],
            [p for p in parameters if p.ndim <= 1],
        )
        groups.append({"params": weights, "weight_decay": recipe.weight_decay, **options})
        groups.append({"params": others, "weight_decay": 0.0, **options})
    return [group for group in groups if group["params"]]


def make_optimizer(
    net: nn.Module, recipe: Recipe, device: torch.device, stages: Iterable[StageFacts] = ()
) -> torch.optim.Optimizer:
    """The recipe's optimizer over all parameters; see `parameter_groups`."""
    groups = parameter_groups(net, recipe, stages)
    rate = recipe.learning_rate
    fused = device.type in ("cpu", "cuda")
    if recipe.optimizer == "adam":
        return torch.optim.Adam(groups, lr=rate, fused=fused)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=fused)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, fused=fused)
    return torch.optim.RMSprop(groups, lr=rate, momentum=recipe.momentum)


def _parts(
    net: nn.Module, recipe: Recipe, stages: Iterable[StageFacts]
) -> Iterable[tuple[list[nn.Parameter], dict[str, float]]]:
    """Parameters that have one learning rate, with its factor unless it is 1 for all."""
    decay = recipe.learning_rate_decay
    if decay == 1:
        yield list(net.parameters()), {}
        return
    named = dict(net.named_parameters())
    for stage in stages:
        factor = stage.learning_rate_factor(decay)
        yield [named[name] for name in stage.parameters], {RATE_FACTOR: factor}


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Sets the learning rate of the head; other stages have their share of it."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group.get(RATE_FACTOR, 1.0)


def init_momentum_buffers(optimizer: torch.optim.Optimizer) -> None:
    """Creates zero momentum buffers for newly unfrozen parameters: torch's fused SGD needs a
    buffer for all parameters or for none."""
    for group in optimizer.param_groups:
        if not group.get("momentum") or not isinstance(optimizer, torch.optim.SGD):
            continue
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            if parameter.requires_grad and state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)


def expand_optimizer_state(
    optimizer: torch.optim.Optimizer, stored: Mapping[str, Any]
) -> dict[str, Any]:
    """The state dict `stored` for the parameters as they are now: zeros for the rows of classes
    that the head has gained. Its settings are those of `optimizer`, which are the recipe's, but for
    the learning rate of the last step."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state = {}
    for index, known in stored["state"].items():
        shape = parameters[index].shape
        fresh = {
            key: torch.zeros(shape, dtype=each.dtype)
            for key, each in known.items()
            if isinstance(each, Tensor) and each.ndim == len(shape) and each.ndim > 0
        }
        state[index] = {**known, **expand_head({k: known[k] for k in fresh}, fresh)}
    groups = optimizer.state_dict()["param_groups"]
    for group, known in zip(groups, stored["param_groups"], strict=True):
        group["lr"] = known.get("lr", group["lr"])
    return {"state": state, "param_groups": groups}


def has_state_of(
    stored: Mapping[str, Any], net: nn.Module, recipe: Recipe, stages: Iterable[StageFacts] = ()
) -> bool:
    """Whether the state dict `stored` is one of the recipe's optimizer of `net`, which may be on
    the meta device. A parameter has no state before its first step."""
    groups = [group["params"] for group in parameter_groups(net, recipe, stages)]
    parameters = [parameter for group in groups for parameter in group]
    if [len(group.get("params", ())) for group in stored["param_groups"]] != [*map(len, groups)]:
        return False
    needed, optional = _state_names(recipe)
    return all(
        index < len(parameters)
        and (not state or needed <= state.keys() <= needed | optional)
        and all(_fits(name, each, parameters[index]) for name, each in state.items())
        for index, state in stored["state"].items()
    )


def _state_names(recipe: Recipe) -> tuple[set[str], set[str]]:
    """What the recipe's optimizer keeps of a parameter, and what it may keep."""
    if recipe.optimizer in ("adam", "adamw"):
        return {"step", "exp_avg", "exp_avg_sq"}, set()
    if recipe.optimizer == "sgd":
        return set(), {"momentum_buffer"}
    momentum = {"momentum_buffer"} if recipe.momentum else set()
    return {"step", "square_avg"} | momentum, {"momentum_buffer"}


def _fits(name: str, value: Tensor | None, parameter: Tensor) -> bool:
    """Whether `value` may be this part of the state of `parameter`."""
    if value is None:
        return name == "momentum_buffer"
    return value.is_floating_point() and value.shape == (() if name == "step" else parameter.shape)
