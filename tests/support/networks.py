"""One small network of each family in the catalogue, with uneven weights."""

import torch
from torch import nn

from flowergui.learning.models.build import build
from flowergui.learning.models.describe import head_of

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
