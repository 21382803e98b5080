"""torchvision's classification networks, as a provider of the catalogue."""

import math
import os
import re
from collections.abc import Generator, Mapping
from functools import cache
from typing import Any

import torchvision
from torch import Tensor, nn
from torchvision import models
from torchvision.models import WeightsEnum, get_model, get_model_weights

from flowergui.events import DownloadProgress
from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.download import cache_folder, download, file_name
from flowergui.learning.models.meta_init import count_parameters
from flowergui.learning.models.pretrained import IMAGENET_CLASSES, MEAN, STD, Pretrained, Rgb

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

_TENSORFLOW, _HALF = ("googlenet", "inception_v3"), (0.5, 0.5, 0.5)
"""Two networks whose ImageNet weights came from TensorFlow, and their normalization. torchvision
normalizes a second time inside them (`transform_input`); we do it in one step."""

_MLP = {"1": "0", "2": "3"}
"""ViT's two linear layers: their place in the sequence that holds them today."""


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
    """torchvision's pretrained weights of an architecture, the default first.

    Weights without a classifier are left out: the one in VGG16's IMAGENET1K_FEATURES is all NaN,
    and so would be the loss.
    """
    weights = get_model_weights(model)
    default = weights.DEFAULT if "DEFAULT" in weights.__members__ else None
    classifiers = [each for each in weights if math.isfinite(_accuracy(each))]
    return sorted(classifiers, key=lambda each: each is not default)


def is_local(model: str, weights: str) -> bool:
    """Whether the file is in the folder of downloads. Its content is not read."""
    version = _version(model, weights)
    return os.path.isfile(cache_folder() / file_name(version.url))


def load_weights(model: str, weights: str) -> Generator[DownloadProgress, None, Pretrained]:
    """The weights of this name, downloaded once. Raises FlowerError if that fails."""
    version = _version(model, weights)
    path = yield from download(version.url, cache_folder())
    transforms = version.transforms()
    tensorflow = model in _TENSORFLOW
    return Pretrained(
        name=version.name,
        tensors=rename_keys(checkpoint.extract_state_dict(checkpoint.read(path), path)),
        image_size=transforms.crop_size[0],
        mean=_HALF if tensorflow else tuple(transforms.mean),
        std=_HALF if tensorflow else tuple(transforms.std),
    )


def normalization(model: str, class_count: int) -> tuple[Rgb, Rgb]:
    """Those of torchvision's default weights where the classes are ImageNet's own; else ImageNet's
    statistics."""
    if class_count != IMAGENET_CLASSES:
        return MEAN, STD
    if model in _TENSORFLOW:
        return _HALF, _HALF
    transforms = weights_of(model)[0].transforms()
    return tuple(transforms.mean), tuple(transforms.std)


def rename_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with today's names: torchvision's files of DenseNet and ViT have older names for
    some layers, which its own loading renames too."""

    def renamed(name: str) -> str:
        name = re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", name)
        return re.sub(r"(\.mlp)\.linear_([12])\.", lambda m: f"{m[1]}.{_MLP[m[2]]}.", name)

    return {renamed(name): tensor for name, tensor in tensors.items()}


def _version(model: str, weights: str) -> WeightsEnum:
    return next(each for each in weights_of(model) if each.name == weights)


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
