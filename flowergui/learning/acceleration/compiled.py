"""The head of a network, compiled by torch for whole batches."""

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from flowergui.config.recipe import Recipe
from flowergui.events import Event, Preparing, Warned
from flowergui.learning.acceleration.frozen_split import Features, FrozenSplit
from flowergui.learning.device.autocast import autocast
from flowergui.text import tr

log = logging.getLogger(__name__)

DEVICE_TYPES = ("cuda",)
"""Devices for which compiling pays. On a CPU (two cores, float32, batches of 16) resnet18 and
mobilenet_v3_small were 5% slower, after 76 and 126 s of compiling."""

BACKEND = "inductor"


class CompiledHead:
    """Compiles the head if the recipe asks for it, once for each training size.

    A smaller last batch and validation use the network itself. Its modules, and with them the names
    in checkpoints, stay as they are. Batches of one shape always take the same path, so a resumed
    run ends as it would have ended without the interruption.
    """

    def __init__(self, recipe: Recipe, device: torch.device, dtype: torch.dtype) -> None:
        self._batch_size, self._device, self._dtype = recipe.batch_size, device, dtype
        self._wanted = recipe.compiled and device.type in DEVICE_TYPES
        self._split: FrozenSplit | None = None
        self._sizes: set[int] = set()
        self._compiled: dict[tuple[int, ...], Callable[..., Tensor]] = {}

    def prepare(self, split: FrozenSplit, size: int) -> Iterator[Event]:
        """Compiles the head of `split` for whole batches of `size` x `size` pixels, if that is
        wanted and not done yet.

        It draws from no random generator and leaves running statistics as they are. If compiling
        fails, Warned is yielded, and the head trains uncompiled.
        """
        if not self._wanted or split.is_small:
            return
        if self._split is not split:
            self._split, self._sizes, self._compiled = split, set(), {}
            torch.compiler.reset()  # else torch gives up after a few recompilations
        if size in self._sizes:
            return
        self._sizes.add(size)
        images = torch.zeros(self._batch_size, 3, size, size, device=self._device)
        features = split.backbone(images.contiguous(memory_format=torch.channels_last))
        yield Preparing(tr("Compiling the network"), 0, 0)
        try:
            self._compiled[_shape(features)] = self._compile(split, features)
        except Exception as error:  # compilers raise many types
            log.warning("The network could not be compiled", exc_info=True)
            self._wanted = False
            inner = getattr(error, "inner_exception", error)  # torch wraps it in long advice
            reason = str(inner).strip().partition("\n")[0] or type(inner).__name__
            yield Warned(
                tr(
                    "The network could not be compiled, so it trains uncompiled: {reason}",
                    reason=reason,
                )
            )

    def head_for(self, split: FrozenSplit, features: Features) -> Callable[..., Tensor]:
        """The function that computes the logits (B, classes) of these features."""
        compiled = self._compiled.get(_shape(features)) if self._split is split else None
        return split.head if compiled is None else compiled

    def _compile(self, split: FrozenSplit, features: Features) -> Callable[..., Tensor]:
        head = split.head
        assert isinstance(head, nn.Module)
        fast: Callable[..., Tensor] = torch.compile(head, dynamic=False, backend=BACKEND)
        before = [(buffer, buffer.clone()) for buffer in head.buffers()]
        try:
            with torch.random.fork_rng([self._device] if self._device.type == "cuda" else []):
                with autocast(self._device, self._dtype, spare_depthwise=split.depthwise):
                    logits = fast(*features)
                # torch gives Tensor.backward no types.
                logits.float().sum().backward()  # type: ignore[no-untyped-call]
        finally:
            for parameter in head.parameters():
                parameter.grad = None
            for buffer, was in before:
                buffer.copy_(was)
        return fast


def _shape(features: Features) -> tuple[int, ...]:
    return tuple(number for value in features for number in value.shape)
