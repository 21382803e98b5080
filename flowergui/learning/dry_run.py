"""A step on made-up photos before a run begins: how long it will take, and whether it fits."""

import math
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from flowergui.errors import FlowerError
from flowergui.events import Estimated, Preparing
from flowergui.frozen import frozen_names
from flowergui.learning import augmentation, batches, machine, network, pictures, weights
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
    machine.keep_pages()
    yield Preparing("Trying a step", 0, 3)
    net = network.build_hollow(recipe.model, classes, size).to_empty(device=device)
    for tensor in chain(net.parameters(), net.buffers()):
        tensor.detach().zero_()
    net = net.to(memory_format=torch.channels_last)
    facts = network.describe(recipe.model, classes, size)
    names = [parameter.name for parameter in facts.parameters]
    frozen = frozen_names(recipe.frozen, names, facts.head, facts.last_stage)
    if len(frozen) == len(names):
        raise FlowerError("Everything is frozen: nothing could learn.")
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
    decoding, showing = _loading(recipe, side, examples)
    yield _estimated(recipe, counts, step, _Loading(decoding, showing), net, side)


class _Loading:
    """Seconds that a photo takes: to decode it, and to show it once more."""

    def __init__(self, decoding: float, showing: float) -> None:
        self.decoding, self.showing = decoding, showing


class _Step:
    """Times a training step: seconds in all, of the first half alone, and bytes kept for the
    backward pass, by photo."""

    def __init__(self, two: Halves, classes: int, device: torch.device, dtype: torch.dtype) -> None:
        self.two, self.classes, self.device, self.dtype = two, classes, device, dtype
        self.seconds = self.first = self.second = self.kept = 0.0

    def take(self, photos: int, side: int) -> None:
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
            torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32),
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


def _loading(recipe: Recipe, side: int, examples: Sequence[str]) -> tuple[float, float]:
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
    return sum(decoding) * share, sum(showing) * share


def _estimated(
    recipe: Recipe,
    counts: tuple[int, int],
    step: _Step,
    loading: _Loading,
    net: nn.Module,
    side: int,
) -> Estimated:
    train, validation = counts
    first_size = recipe.first_training_size
    sizes = [
        training_size(first_size, side, epoch, recipe.epochs)
        for epoch in range(1, recipe.epochs + 1)
    ]
    area = [(each / side) ** 2 for each in sizes]
    views = views_of(recipe) if step.two.split and recipe.feature_cache else 0
    cached = views > 0 and not changing(recipe)
    validated = validation * (step.first + step.second / 3)  # forward alone
    if step.two.split and recipe.feature_cache:
        validated_once, validated = validation * step.first, validation * step.second / 3
    else:
        validated_once = 0.0
    epochs = []
    for epoch, share in enumerate(area, start=1):
        seconds = train * (step.second * share) + validated
        if epoch == 1:
            seconds += validated_once + validation * loading.decoding
            seconds += train * loading.decoding
        if not cached:
            seconds += train * (step.first * share + loading.showing)
        elif epoch <= views:
            seconds += train * (step.first + loading.showing)
        epochs.append(seconds)
    trained = sum(p.nbytes for p in net.parameters() if p.requires_grad)
    whole = sum(p.nbytes for p in net.parameters())
    moments = {"sgd": 1, "rmsprop": 2}.get(recipe.optimizer, 2)
    fixed = whole * (1 + bool(recipe.ema)) + trained * (1 + moments)
    room = SPARE * machine.free_memory(step.device) - fixed
    per_photo = step.kept * BACKWARD + 3 * side * side * 4 * 2
    later = epochs[max(views, 1) :] or epochs[-1:]
    return Estimated(
        epoch=sum(later) / len(later),
        first_epoch=epochs[0],
        seconds=sum(epochs),
        largest_batch=max(math.floor(room / per_photo), 0),
        cached=cached,
    )
