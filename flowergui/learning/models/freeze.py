"""Freezing: which parameters a recipe's patterns name, and a network with those frozen."""

from collections.abc import Iterable

from torch import nn

from flowergui.config.frozen_patterns import frozen_names
from flowergui.errors import FlowerError
from flowergui.learning.models.describe import describe
from flowergui.text import tr


def frozen_parameters(
    patterns: Iterable[str], model: str, class_count: int, image_size: int
) -> tuple[str, ...]:
    """Names of the parameters that `patterns` freeze in this network.

    Raises FlowerError for a pattern that matches nothing, and if nothing would be left to train.
    """
    facts = describe(model, class_count, image_size)
    names = [parameter.name for parameter in facts.parameters]
    frozen = frozen_names(patterns, names, facts.head, facts.last_stage)
    if len(frozen) == len(names):
        raise FlowerError(
            tr("Everything is frozen, so nothing can be trained."),
            hint=tr("Unfreeze at least the last layer."),
        )
    return frozen


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
