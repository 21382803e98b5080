"""What tests of pretrained networks share: a file of weights, and what a generator returns."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flowergui.learning.models.build import build


def returned(generator: Generator[Any, None, Any]) -> Any:
    """What a generator returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def saved(model: str, path: Path, size: int, classes: int = 7) -> nn.Module:
    """A network with random weights, in evaluation mode, whose state dict is written to `path`."""
    torch.manual_seed(0)
    net = build(model, classes, size)
    torch.save(net.state_dict(), path)
    return net.eval()
