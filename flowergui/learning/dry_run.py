"""A step on made-up photos before a run begins: how long it will take, and whether it fits."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from flowergui import allocator
from flowergui.events import Estimated, Preparing
from flowergui.learning import augmentation, batches, machine, network, pictures, weights
from flowergui.learning.autocast import autocast
from flowergui.learning.halves import RANDOM, Halves, halves
from flowergui.learning.schedule import training_size
from flowergui.learning.sides import changing, views_of
from flowergui.recipe import Recipe

FEW, FEWER = 4, 2
"""Photos of the step that warms up, for a small network and for a large one; it is timed too,
where one more would take too long."""

PATIENCE = 0.4
"""Seconds of a first step, above which there is no second one."""

LARGE, LARGEST = 30e6, 300e6
"""Parameters, counted once for each area of 224 x 224 px: above the second number nothing is
tried, for that takes longer than patience."""

SPARE = 0.8
"""The share of free memory that a run may count on."""

BACKWARD = 1.5
"""How much more memory the backward pass takes than what the forward pass keeps for it."""


def look(
    recipe: Recipe, counts: tuple[int, int], classes: int, examples: Sequence[str]
) -> Iterator[Preparing | Estimated]:
    """Tries a step of `recipe` on noise, with `counts` photos to train and to validate on;
    `examples` are some of them. Draws from no generator. Raises FlowerError for what can't be."""
    size = recipe.image_size or weights.own_image_size(recipe.model, recipe.weights)
    parameters = network.known(recipe.model).parameters
    weight = max(parameters, parameters * (size / 224) ** 2)
    if weight > LARGEST:
        return
    device = machine.device(recipe.device)
    dtype = machine.precision(recipe.precision, device)
    allocator.keep_pages()
    yield Preparing("Trying a step", 0, 3)
    net = network.build_hollow(recipe.model, classes, size).to_empty(device=device)
    for tensor in chain(net.parameters(), net.buffers()):
        tensor.detach().zero_()
    net = net.to(memory_format=torch.channels_last)
    frozen = network.frozen_by(recipe.frozen, recipe.model, classes, size)
    network.freeze(net, frozen)
    for module in net.modules():
        if isinstance(module, RANDOM):
            module.eval()  # it would draw from the generator that belongs to a run
    two = halves(net, recipe.model, classes, size, frozen, dtype)
    step = _Step(two, classes, device, dtype)
    side = recipe.training_size or size
    step.take(FEWER if weight > LARGE else FEW, side)
    yield Preparing("Trying a step", 1, 3)
    if step.seconds < PATIENCE:
        count = min(recipe.batch_size, 16)
        step.take(count, side)
    yield Preparing("Trying a step", 2, 3)
    epochs = _epochs(recipe, counts, step, _loading(recipe, side, examples), side)
    views = views_of(recipe) if step.two.split and recipe.feature_cache else 0
    later = epochs[max(views, 1) :] or epochs[-1:]
    yield Estimated(
        epoch=sum(later) / len(later),
        first_epoch=epochs[0],
        seconds=sum(epochs),
        largest_batch=_largest_batch(recipe, step, net, side),
        cached=views > 0 and not changing(recipe),
    )


@dataclass(frozen=True, slots=True)
class _Loading:
    """Seconds that a photo takes: to decode it, and to show it once more."""

    decoding: float
    showing: float


class _Step:
    """Times training steps. Of the last one: `seconds` in all; seconds a photo of the `first` half
    and of the `second`, backward pass included; bytes a photo `kept` for the backward pass."""

    def __init__(self, two: Halves, classes: int, device: torch.device, dtype: torch.dtype) -> None:
        self.two, self.classes, self.device, self.dtype = two, classes, device, dtype
        self.seconds = self.first = self.second = self.kept = 0.0

    def take(self, photos: int, side: int) -> None:
        """A step on so many blank photos of `side` x `side` pixels."""
        images = torch.zeros(photos, 3, side, side, device=self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(photos, dtype=torch.int64, device=self.device)
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            if not isinstance(tensor, nn.Parameter):
                kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        began = self._now()
        values = self.two.begin(images)
        between = self._now()
        with (
            autocast(self.device, self.dtype, spare_depthwise=self.two.depthwise),
            saved_tensors_hooks(pack, lambda tensor: tensor),
        ):
            logits = self.two.end(*values)
        # torch gives Tensor.backward no types.
        nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        ended = self._now()
        self.seconds = ended - began
        self.first, self.second = (between - began) / photos, (ended - between) / photos
        self.kept = sum(kept.values()) / photos

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def _loading(recipe: Recipe, side: int, examples: Sequence[str]) -> _Loading:
    """Seconds to decode one of these photos, and to look at it once more when it is decoded."""
    prepare = batches.for_training(side, recipe.augmentation)
    decoding, showing = [0.0], [0.0]
    for index, example in enumerate(examples):
        try:
            began = time.perf_counter()
            pixels = prepare(Path(example))
            between = time.perf_counter()
        except pictures.UnreadableError:
            continue
        augmentation.view(pixels, recipe.augmentation, side, recipe.seed, 1, index)
        decoding.append(between - began)
        showing.append(time.perf_counter() - between)
    share = 1 / max(len(decoding) - 1, 1) / machine.cores()
    return _Loading(sum(decoding) * share, sum(showing) * share)


def _epochs(
    recipe: Recipe, counts: tuple[int, int], step: _Step, loading: _Loading, side: int
) -> list[float]:
    """Seconds of each epoch."""
    train, validation = counts
    kept = step.two.split and recipe.feature_cache
    views = views_of(recipe) if kept and not changing(recipe) else 0
    forward = step.second / 3  # the backward pass takes twice as long
    seconds = []
    for epoch in range(1, recipe.epochs + 1):
        size = training_size(recipe.first_training_size, side, epoch, recipe.epochs)
        area = (size / side) ** 2
        spent = train * step.second * area + validation * forward
        if epoch == 1:
            spent += (train + validation) * loading.decoding
        if epoch == 1 or not kept:
            spent += validation * step.first
        if epoch <= views or not views:
            spent += train * (step.first * area + loading.showing)
        seconds.append(spent)
    return seconds


def _largest_batch(recipe: Recipe, step: _Step, net: nn.Module, side: int) -> int:
    """How many photos fit into memory beside weights, gradients, the optimizer's moments and the
    averaged weights; 0 for none."""
    weights_size = sum(p.nbytes for p in net.parameters())
    trained = sum(p.nbytes for p in net.parameters() if p.requires_grad)
    moments = 1 if recipe.optimizer == "sgd" else 2
    fixed = weights_size * (1 + bool(recipe.ema)) + trained * (1 + moments)
    room = SPARE * machine.free_memory(step.device) - fixed
    images = 2 * 3 * side * side * 4  # float32, and once more while they are dressed
    return max(math.floor(room / (step.kept * BACKWARD + images)), 0)
