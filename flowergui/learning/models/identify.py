"""Which architecture of the catalogue a state dict belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.catalogue import model_catalogue, provider_of
from flowergui.learning.models.describe import head_of

AUXILIARY_HEADS = ("aux1.", "aux2.", "AuxLogits.")
"""Prefixes of the auxiliary heads of GoogLeNet and Inception, which our networks leave out."""


@dataclass(frozen=True, slots=True)
class IdentifiedArchitecture:
    """An architecture, its number of classes, and the image size in pixels that it was built for
    (its own unless the weights show another)."""

    model: str
    class_count: int
    image_size: int


def identify_architecture(tensors: Mapping[str, Tensor]) -> IdentifiedArchitecture | None:
    """The architecture of these weights by their names and shapes; None if the catalogue has none
    that fits. No two architectures have the same names and shapes, heads aside."""
    total = sum(tensor.numel() for tensor in tensors.values())
    # By size, the nearest first: most need a handful of tries of some 80 ms each.
    for facts in sorted(model_catalogue(), key=lambda facts: abs(facts.parameters - total)):
        for size in dict.fromkeys(
            (facts.image_size, *provider_of(facts.name).built_for_sizes(facts.name))
        ):
            if classes := _classes_in(tensors, facts.name, size):
                return IdentifiedArchitecture(facts.name, classes, size)
    return None


def image_size_of(tensors: Mapping[str, Tensor], model: str) -> int:
    """The image size in pixels that weights of `model` were made for, where their shapes tell it,
    as those of a Vision Transformer's position embedding do; else 0."""
    for size in provider_of(model).built_for_sizes(model):
        if _classes_in(tensors, model, size):
            return size
    return 0


def _classes_in(tensors: Mapping[str, Tensor], model: str, image_size: int) -> int:
    """The number of classes of weights that fit this architecture; 0 if they don't fit."""
    head = head_of(model)
    if not all(name in tensors for name in head):
        return 0
    own = _shapes(model, image_size)
    # Files from before torch 0.4.1 lack batch normalization's counter, which is not needed.
    needed = [name for name in own if not name.endswith("num_batches_tracked")]
    known = own.keys() | {name for name in tensors if name.startswith(AUXILIARY_HEADS)}
    same = all(
        name in tensors and (name in head or tensors[name].shape == own[name]) for name in needed
    )
    classes = {tensors[name].shape[0] if tensors[name].ndim else 0 for name in head}
    return classes.pop() if same and known.issuperset(tensors) and len(classes) == 1 else 0


def _shapes(model: str, image_size: int) -> dict[str, torch.Size]:
    """Shapes in the state dict of this architecture, for two classes."""
    own = build_on_meta(model, 2, image_size).state_dict()
    return {name: tensor.shape for name, tensor in own.items()}
