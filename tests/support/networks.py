"""Small networks: one of each family in the catalogue, with uneven weights, and a tiny one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from flowergui.learning.models.build import build
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.mynet import MyNet

SMALLEST = [
    "mynet",
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_lite0",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "swin_t",
    "vgg11",
    "vit_b_32",
]

SIZES = {"inception_v3": 96, "maxvit_t": 224, "vit_b_32": 224}
"""The images are as small as a family allows."""


@contextmanager
def tiny_mynet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MyNet has two thousand parameters while this holds, and torch one thread."""
    _forget_networks()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with monkeypatch.context() as patch:
        patch.setattr(MyNet, "WIDTHS", (4, 4, 8, 8))
        yield
    torch.set_num_threads(threads)
    _forget_networks()


def _forget_networks() -> None:
    """Clears what is cached of networks by their names."""
    for name, module in list(sys.modules.items()):
        if name.startswith("flowergui.learning."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


def made(model: str) -> tuple[nn.Module, int]:
    """A network with weights and statistics that are as uneven as trained ones."""
    size = SIZES.get(model, 64)
    torch.manual_seed(1)
    net = build(model, 5, size).to(memory_format=torch.channels_last)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.8, 1.2)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, std=0.1)
    for name, parameter in net.named_parameters():
        if name in head_of(model) and parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.1)  # some begin with zeros
    return net, size
