"""Copies between main memory and a device, for which a graphics card is not waited.

A card does its work in order, and some milliseconds after it was given it. Whoever waits for it in
every step gives it nothing to do meanwhile; torch does so at each copy that isn't told otherwise.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def send(numbers: Tensor, to: torch.device) -> Tensor:
    """`numbers` on a device."""
    return numbers.to(to, non_blocking=to.type == "cuda")


def room(shape: Sequence[int], on: torch.device) -> Tensor:
    """An empty tensor of bytes in main memory, to be sent to a device later. It is pinned, so that
    a graphics card can fetch it by itself: `send` would wait for the card after all."""
    return torch.empty(*shape, dtype=torch.uint8, pin_memory=on.type == "cuda")


def fetch(numbers: Tensor) -> Callable[[], list[float]]:
    """Has a device send `numbers` (N,), and returns what gives them once they are here. What a
    graphics card is given to do between the two calls is not waited for."""
    if numbers.device.type != "cuda":
        here: list[float] = numbers.tolist()
        return lambda: here
    arriving = torch.empty_like(numbers, device="cpu", pin_memory=True)
    arriving.copy_(numbers, non_blocking=True)
    # Blocking, it leaves the core to threads that decode photos. torch gives its events no types.
    arrived = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    arrived.record()

    def arrive() -> list[float]:
        arrived.synchronize()
        there: list[float] = arriving.tolist()
        return there

    return arrive
