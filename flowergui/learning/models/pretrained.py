"""Pretrained weights in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

Rgb = tuple[float, float, float]

MEAN: Rgb = (0.485, 0.456, 0.406)
STD: Rgb = (0.229, 0.224, 0.225)
"""Normalization of RGB from 0 to 1 with ImageNet's statistics, as in torchvision's references."""

IMAGENET_CLASSES = 1_000


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A state dict, its input size in pixels and its RGB normalization.

    A run's weights also have its `recipe`, in the form of recipe.json, and the `fingerprint` of its
    split.
    """

    name: str
    tensors: Mapping[str, Tensor]
    image_size: int
    mean: Rgb
    std: Rgb
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
