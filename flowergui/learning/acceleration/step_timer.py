"""Times training steps of a recipe on blank images."""

import time
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from flowergui.config.recipe import Recipe
from flowergui.learning.acceleration.frozen_split import STOCHASTIC_LAYERS, split_at_frozen
from flowergui.learning.device import hardware
from flowergui.learning.device.autocast import autocast
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.freeze import freeze, frozen_parameters

SAMPLE_IMAGES, SAMPLE_IMAGES_LARGE = 4, 2
"""Images of a short step, for a small and for a large network."""

LARGE_PARAMETERS, MAX_PARAMETERS = 30e6, 300e6
"""Parameters per area of 224 x 224 px from which a network counts as large, and above which no
step is timed: it would take too long."""


def sample_batch_size(recipe: Recipe, size: int) -> int:
    """The number of images of `size` x `size` px for a short step; 0 if no step is short."""
    parameters = model_info(recipe.model).parameters
    weight = max(parameters, parameters * (size / 224) ** 2)
    if weight > MAX_PARAMETERS:
        return 0
    return SAMPLE_IMAGES_LARGE if weight > LARGE_PARAMETERS else SAMPLE_IMAGES


@dataclass(frozen=True, slots=True)
class StepCost:
    """The cost of a training step, per image.

    `backbone` and `head` are the seconds of the frozen part and of the part that trains, the
    latter with its backward pass. `feature_bytes` is the size of the backbone's output, and
    `saved_bytes` is what the forward pass saves for the backward pass.
    """

    backbone: float
    head: float
    feature_bytes: float
    saved_bytes: float

    @property
    def seconds(self) -> float:
        """Of both parts."""
        return self.backbone + self.head


class StepTimer:
    """The recipe's network with all weights 0, trained on blank images.

    It draws from no random generator.
    """

    def __init__(
        self, recipe: Recipe, classes: int, size: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        """Raises FlowerError if the network can't be built, or everything in it is frozen."""
        self.device = device
        net = build_on_meta(recipe.model, classes, size).to_empty(device=device)
        for tensor in chain(net.parameters(), net.buffers()):
            tensor.detach().zero_()
        self.net = net.to(memory_format=torch.channels_last)
        self._architecture = recipe.model, classes, size
        self._frozen = frozen_parameters(recipe.frozen, *self._architecture)
        freeze(self.net, self._frozen, batch_norm=recipe.freeze_batch_norm)
        for module in self.net.modules():
            if isinstance(module, STOCHASTIC_LAYERS):
                module.eval()  # it would draw from the trainer's generator
        self.compute_in(dtype)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Runs the next steps in `dtype`."""
        self.dtype = dtype
        self.split = split_at_frozen(self.net, *self._architecture, self._frozen, dtype)

    def step(self, photos: int, side: int) -> StepCost:
        """Trains on one batch of `photos` blank images of `side` x `side` px."""
        images = torch.zeros(photos, 3, side, side, device=self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(photos, dtype=torch.int64, device=self.device)
        saved: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            if not isinstance(tensor, nn.Parameter):
                saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        start = self._now()
        features = self.split.backbone(images)
        middle = self._now()
        with (
            autocast(self.device, self.dtype, spare_depthwise=self.split.depthwise),
            saved_tensors_hooks(pack, lambda tensor: tensor),
        ):
            logits = self.split.head(*features)
        # torch gives Tensor.backward no types.
        nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        end = self._now()
        return StepCost(
            backbone=(middle - start) / photos,
            head=(end - middle) / photos,
            feature_bytes=sum(value.nbytes for value in features) / photos,
            saved_bytes=sum(saved.values()) / photos,
        )

    def _now(self) -> float:
        hardware.synchronize(self.device)
        return time.perf_counter()
