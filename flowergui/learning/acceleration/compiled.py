"""The half of a network that trains, compiled by torch for whole batches."""

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from flowergui.config.recipe import Recipe
from flowergui.events import Event, Preparing, Warned
from flowergui.learning.acceleration.frozen_split import Features, FrozenSplit
from flowergui.learning.device.autocast import autocast

log = logging.getLogger(__name__)

GAINING = ("cuda",)
"""Devices that gain by it. A processor doesn't: on two cores (float32, batches of 16) resnet18 and
mobilenet_v3_small were 5% slower, after 76 and 126 s of compiling."""

BACKEND = "inductor"


class CompiledHead:
    """Compiles what a recipe wants compiled, once for every size of squares; a batch that is not
    whole, and validation, go through the network as it is. The modules stay what they are, and so
    do the names in checkpoints. Batches of one shape always take the same way, so that a run that
    is resumed ends as it would have."""

    def __init__(self, recipe: Recipe, device: torch.device, dtype: torch.dtype) -> None:
        self._batch_size, self._device, self._dtype = recipe.batch_size, device, dtype
        self._wanted = recipe.compiled and device.type in GAINING
        self._of: FrozenSplit | None = None
        self._sizes: set[int] = set()
        self._made: dict[tuple[int, ...], Callable[..., Tensor]] = {}

    def prepare(self, halves: FrozenSplit, size: int) -> Iterator[Event]:
        """Compiles the second of the `halves` for whole batches of squares of `size` pixels, where
        that is wanted and not done yet; draws from no generator, and moves no statistics. What
        can't be compiled trains as it is, and that is told."""
        if not self._wanted or halves.is_small:
            return
        if self._of is not halves:
            self._of, self._sizes, self._made = halves, set(), {}
            torch.compiler.reset()  # else it gives up after a few networks of one kind
        if size in self._sizes:
            return
        self._sizes.add(size)
        images = torch.zeros(self._batch_size, 3, size, size, device=self._device)
        values = halves.backbone(images.contiguous(memory_format=torch.channels_last))
        yield Preparing("Compiling the network", 0, 0)
        try:
            self._made[_shape(values)] = self._compile(halves, values)
        except Exception as error:  # compilers, and those of cards, raise what they like
            log.warning("The network could not be compiled", exc_info=True)
            self._wanted = False
            inner = getattr(error, "inner_exception", error)  # torch wraps it in pages of advice
            reason = str(inner).strip().partition("\n")[0] or type(inner).__name__
            yield Warned(f"The network could not be compiled and trains as it is. {reason}")

    def end(self, halves: FrozenSplit, values: Features) -> Callable[..., Tensor]:
        """What gives the logits (B, classes) of these values."""
        made = self._made.get(_shape(values)) if self._of is halves else None
        return halves.head if made is None else made

    def _compile(self, halves: FrozenSplit, values: Features) -> Callable[..., Tensor]:
        end = halves.head
        assert isinstance(end, nn.Module)
        fast: Callable[..., Tensor] = torch.compile(end, dynamic=False, backend=BACKEND)
        before = [(buffer, buffer.clone()) for buffer in end.buffers()]
        try:
            with torch.random.fork_rng([self._device] if self._device.type == "cuda" else []):
                with autocast(self._device, self._dtype, spare_depthwise=halves.depthwise):
                    logits = fast(*values)
                # torch gives Tensor.backward no types.
                logits.float().sum().backward()  # type: ignore[no-untyped-call]
        finally:
            for parameter in end.parameters():
                parameter.grad = None
            for buffer, was in before:
                buffer.copy_(was)
        return fast


def _shape(values: Features) -> tuple[int, ...]:
    return tuple(number for value in values for number in value.shape)
