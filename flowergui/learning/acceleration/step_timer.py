"""Training steps of a recipe on made-up photos, timed."""

import time
from itertools import chain

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from flowergui.config.recipe import Recipe
from flowergui.learning.acceleration.frozen_split import STOCHASTIC_LAYERS, split_at_frozen
from flowergui.learning.device.autocast import autocast
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.freeze import freeze, frozen_parameters

FEW, FEWER = 4, 2
"""Photos of a short step, for a small network and for a large one."""

LARGE, LARGEST = 30e6, 300e6
"""Parameters, counted once for each area of 224 x 224 px: above the second number nothing is
tried, for that takes longer than patience."""


def sample_batch_size(recipe: Recipe, size: int) -> int:
    """So many photos of `size` x `size` px that a step of them is short; 0 where none is."""
    parameters = model_info(recipe.model).parameters
    weight = max(parameters, parameters * (size / 224) ** 2)
    if weight > LARGEST:
        return 0
    return FEWER if weight > LARGE else FEW


class StepTimer:
    """The recipe's network, its weights all zero, that trains on blank photos; draws from no
    generator. Of the last step: `seconds` in all; seconds a photo of the `first` half and of the
    `second`, backward pass included; bytes a photo that the first half `gives`, and that are `kept`
    for the backward pass."""

    def __init__(
        self, recipe: Recipe, classes: int, size: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        """Raises FlowerError where the recipe's network can't be, or nothing in it would train."""
        self.device = device
        self.seconds = self.first = self.second = self.gives = self.kept = 0.0
        net = build_on_meta(recipe.model, classes, size).to_empty(device=device)
        for tensor in chain(net.parameters(), net.buffers()):
            tensor.detach().zero_()
        self.net = net.to(memory_format=torch.channels_last)
        self._where = recipe.model, classes, size
        self._frozen = frozen_parameters(recipe.frozen, *self._where)
        freeze(self.net, self._frozen)
        for module in self.net.modules():
            if isinstance(module, STOCHASTIC_LAYERS):
                module.eval()  # it would draw from the generator that belongs to a run
        self.compute_in(dtype)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Takes the next steps in `dtype`."""
        self.dtype = dtype
        self.halves = split_at_frozen(self.net, *self._where, self._frozen, dtype)

    def step(self, photos: int, side: int) -> float:
        """A step on so many blank photos of `side` x `side` pixels. Returns its seconds."""
        images = torch.zeros(photos, 3, side, side, device=self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(photos, dtype=torch.int64, device=self.device)
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            if not isinstance(tensor, nn.Parameter):
                kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        began = self._now()
        values = self.halves.backbone(images)
        between = self._now()
        with (
            autocast(self.device, self.dtype, spare_depthwise=self.halves.depthwise),
            saved_tensors_hooks(pack, lambda tensor: tensor),
        ):
            logits = self.halves.head(*values)
        # torch gives Tensor.backward no types.
        nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        ended = self._now()
        self.seconds = ended - began
        self.first, self.second = (between - began) / photos, (ended - between) / photos
        self.gives = sum(value.nbytes for value in values) / photos
        self.kept = sum(kept.values()) / photos
        return self.seconds

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()
