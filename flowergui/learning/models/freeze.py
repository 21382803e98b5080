"""Freezing: which parameters a recipe's patterns name, and a network with those frozen."""

from collections.abc import Iterable

from torch import nn

from flowergui.config import unfreeze_schedule
from flowergui.config.frozen_patterns import frozen_names
from flowergui.config.recipe import SETTING, Recipe
from flowergui.config.time_budget import MAX_HEAD_EPOCHS
from flowergui.errors import FlowerError
from flowergui.learning.models.describe import describe
from flowergui.text import tr


def frozen_parameters(
    patterns: Iterable[str], model: str, class_count: int, image_size: int
) -> tuple[str, ...]:
    """Names of the parameters that `patterns` freeze in this network.

    Raises FlowerError for a pattern that matches nothing, and if nothing would be left to train.
    """
    names, head, last_stage = _names(model, class_count, image_size)
    frozen = frozen_names(patterns, names, head, last_stage)
    if len(frozen) == len(names):
        raise FlowerError(
            tr("Everything is frozen, so nothing can be trained."),
            hint=tr("Unfreeze at least the last layer."),
        )
    return frozen


def unfreeze_epochs(
    schedule: Iterable[str], model: str, class_count: int, image_size: int
) -> dict[str, int]:
    """Maps names of parameters of this network to the epoch (from 1) from which on they train.
    Raises FlowerError for an entry of `schedule` that matches nothing."""
    return unfreeze_schedule.unfreeze_epochs(schedule, *_names(model, class_count, image_size))


def most_epochs(recipe: Recipe, class_count: int, image_size: int, done: int = 0) -> int:
    """The number of epochs that a time budget allows at most: MAX_HEAD_EPOCHS for a transfer of
    which the head alone trains to the end, unless more are `done`: then others trained before.

    Raises FlowerError for a pattern of frozen parameters that matches nothing.
    """
    names, head, last_stage = _names(recipe.model, class_count, image_size)
    trained = set(names).difference(frozen_names(recipe.frozen, names, head, last_stage))
    head_alone = recipe.mode == "transfer" and not recipe.unfreezes and trained <= set(head)
    if head_alone and done <= MAX_HEAD_EPOCHS:
        return MAX_HEAD_EPOCHS
    return int(SETTING["epochs"].maximum)


def without_parameters(
    schedule: Iterable[str], names: Iterable[str], model: str, class_count: int, image_size: int
) -> tuple[str, ...]:
    """The schedule without what it says of the parameters `names` of this network."""
    known = _names(model, class_count, image_size)
    return unfreeze_schedule.without_parameters(schedule, names, *known)


def _names(
    model: str, class_count: int, image_size: int
) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    """The names of a network's parameters, of those of its head, and of its last stage."""
    facts = describe(model, class_count, image_size)
    return [parameter.name for parameter in facts.parameters], facts.head, facts.last_stage


def freeze(net: nn.Module, frozen: Iterable[str], *, batch_norm: bool = False) -> None:
    """Puts `net` in training mode with the named parameters frozen and all others trainable.

    A batch normalization whose own parameters are all frozen is put in evaluation mode, and with
    `batch_norm` every one: otherwise its running statistics, and with them the features, would
    drift.
    """
    names = set(frozen)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in names)
        if name in names:
            parameter.grad = None  # the optimizer would still apply an old gradient
    net.train()
    for module in net.modules():
        own = list(module.parameters(recurse=False))
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and own:
            module.train(not batch_norm and any(each.requires_grad for each in own))
