"""What a recipe's "auto" values came to on this machine."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """Image size, normalization, device and dtype of a run. They stay the same when it is resumed,
    unless the user changes them.

    `image_size` is in pixels; `mean` and `std` are per RGB channel, for values from 0 to 1.
    """

    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    device: torch.device
    dtype: torch.dtype
    speedup: float = 0.0
    """How many times as fast as the other dtype a step was; 0.0 if only one was tried."""

    @property
    def precision(self) -> str:
        """The dtype under its name in recipes: "float32", "bfloat16" or "float16"."""
        return str(self.dtype).removeprefix("torch.")
