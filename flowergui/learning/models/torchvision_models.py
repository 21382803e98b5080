"""torchvision's classification networks, as a provider of the catalogue."""

import math
from functools import cache
from typing import Any

import torchvision
from torch import nn
from torchvision import models
from torchvision.models import WeightsEnum, get_model, get_model_weights

from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.learning.models.meta_init import count_parameters

_FAMILIES = {
    "alexnet": "AlexNet",
    "convnext": "ConvNeXt",
    "densenet": "DenseNet",
    "efficientnet": "EfficientNet",
    "googlenet": "GoogLeNet",
    "inception": "Inception",
    "maxvit": "MaxViT",
    "mnasnet": "MNASNet",
    "mobilenetv2": "MobileNet",
    "mobilenetv3": "MobileNet",
    "regnet": "RegNet",
    "resnet": "ResNet",
    "shufflenetv2": "ShuffleNet",
    "squeezenet": "SqueezeNet",
    "swin_transformer": "Swin Transformer",
    "vgg": "VGG",
    "vision_transformer": "Vision Transformer",
}
"""Names of families by torchvision's module. A module that is not listed keeps its own name."""

_DEFAULT_SIZE_PX = 224


def list_models() -> tuple[ModelFacts, ...]:
    """All of torchvision's classification architectures, by family and size."""
    entries = [_facts(name) for name in _names()]
    return tuple(sorted(entries, key=lambda facts: (facts.family, facts.parameters)))


def create(model: str, class_count: int, image_size: int) -> nn.Module:
    """The network with fresh weights, without the auxiliary heads of GoogLeNet and Inception."""
    options: dict[str, Any] = {}
    if model in ("googlenet", "inception_v3"):
        options = {"aux_logits": False, "init_weights": True}
    if image_size in built_for_sizes(model):
        options = {"image_size": image_size}
    net: nn.Module = get_model(model, weights=None, num_classes=class_count, **options)
    return net


def built_for_sizes(model: str) -> tuple[int, ...]:
    """The image sizes of a Vision Transformer's weights: its position embedding has one size,
    the one that it was built for. Other networks don't depend on it."""
    if not model.startswith("vit_"):
        return ()
    return tuple(dict.fromkeys(_image_size(each) for each in weights_of(model)))


def weights_of(model: str) -> list[WeightsEnum]:
    """torchvision's pretrained weights of an architecture, the default first; none for one that
    is not torchvision's.

    Weights without a classifier are left out: the one in VGG16's IMAGENET1K_FEATURES is all NaN,
    and so would be the loss.
    """
    if model not in _names():
        return []
    weights = get_model_weights(model)
    default = weights.DEFAULT if "DEFAULT" in weights.__members__ else None
    classifiers = [each for each in weights if math.isfinite(_accuracy(each))]
    return sorted(classifiers, key=lambda each: each is not default)


@cache
def _names() -> tuple[str, ...]:
    return tuple(models.list_models(module=torchvision.models))


def _facts(model: str) -> ModelFacts:
    weights = weights_of(model)
    family = models.get_model_builder(model).__module__.rpartition(".")[2]
    return ModelFacts(
        name=model,
        family=_FAMILIES.get(family, family),
        parameters=weights[0].meta["num_params"]
        if weights
        else count_parameters(lambda: create(model, 2, 0)),
        image_size=_image_size(weights[0]) if weights else _DEFAULT_SIZE_PX,
        weights=tuple(
            WeightsFacts(
                name=each.name,
                accuracy=_accuracy(each) / 100,
                image_size=_image_size(each),
                megabytes=each.meta["_file_size"],
            )
            for each in weights
        ),
    )


def _accuracy(weights: WeightsEnum) -> float:
    """Top-1 accuracy on ImageNet, in percent."""
    accuracy: float = weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    return accuracy


def _image_size(weights: WeightsEnum) -> int:
    size: int = weights.transforms().crop_size[0]
    return size
