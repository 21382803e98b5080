"""Copies between main memory and a device that don't make the CPU wait for a GPU.

A GPU works through a queue, some milliseconds behind the CPU. A CPU that waits for it in every
step leaves the queue empty; torch's copies wait unless they are told not to.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """`tensor` on a device; a copy to a GPU is asynchronous if it comes from pinned memory."""
    return tensor.to(device, non_blocking=device.type == "cuda")


def pinned_buffer(shape: Sequence[int], device: torch.device) -> Tensor:
    """An empty uint8 tensor in main memory, to be sent to `device` later. For a GPU it is pinned;
    `send` would block otherwise."""
    return torch.empty(*shape, dtype=torch.uint8, pin_memory=device.type == "cuda")


def fetch(tensor: Tensor) -> Callable[[], list[float]]:
    """Starts to copy `tensor` (N,) to main memory. The result waits for the copy and returns its
    values; work that is queued on a GPU in between is not waited for."""
    if tensor.device.type != "cuda":
        values: list[float] = tensor.tolist()
        return lambda: values
    buffer = torch.empty_like(tensor, device="cpu", pin_memory=True)
    buffer.copy_(tensor, non_blocking=True)
    # A blocking event leaves the core to threads that decode images. torch gives it no types.
    copied = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    copied.record()

    def wait() -> list[float]:
        copied.synchronize()
        values: list[float] = buffer.tolist()
        return values

    return wait
