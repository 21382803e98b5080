"""What the precision "auto" comes to for a network: measured on a few batches of it."""

from collections.abc import Generator
from dataclasses import dataclass

import torch

from flowergui.config.recipe import Recipe
from flowergui.events import Preparing
from flowergui.learning.acceleration.step_timer import StepTimer, sample_batch_size
from flowergui.learning.device import hardware

ROUNDS = 3
"""Steps in each precision, by turns; the first of them warms up."""

CLEAR = 1.5
"""How many times as fast one must be that a second round can't change the answer."""

WORTH = 1.1
"""How many times as fast float32 must be to be taken: below, it is noise or nearly so, and the
other takes half the memory."""


@dataclass(frozen=True, slots=True)
class Precision:
    """The dtype that a run computes in, and its `speedup`: how many times as fast its steps are as
    in the other precision that was timed; 0 if none was."""

    dtype: torch.dtype
    speedup: float = 0.0


def choose(
    recipe: Recipe, classes: int, size: int, device: torch.device
) -> Generator[Preparing, None, Precision]:
    """The precision of a new run. Where "auto" would have the processor compute in less than
    float32, steps of the network itself are timed in both, and the faster one is taken: what a
    processor gains depends on what the network consists of. Where a head alone trains, nothing is
    tried: by far the most of it is the forward pass of convolutions, and those were measured
    (`hardware.bfloat16_pays`). Raises FlowerError as `StepTimer` does."""
    half = hardware.precision(recipe.precision, device)
    photos = sample_batch_size(recipe, size)
    told = recipe.precision != "auto"
    if told or half == torch.float32 or device.type != "cpu" or not photos:
        return Precision(half)
    trial = StepTimer(recipe, classes, size, device, half)
    if trial.halves.is_small:
        return Precision(half)
    side = recipe.training_size or size
    spent = {half: float("inf"), torch.float32: float("inf")}
    tries = ROUNDS * len(spent)
    for turn in range(ROUNDS):
        for place, dtype in enumerate(spent):
            yield Preparing("Trying precisions", turn * len(spent) + place, tries)
            trial.compute_in(dtype)
            try:
                seconds = trial.step(photos, side)
            except (RuntimeError, MemoryError):  # the run, which will fail too, says why
                return Precision(half)
            if turn > 0:
                spent[dtype] = min(spent[dtype], seconds)
        gain = spent[torch.float32] / spent[half] if turn > 0 else 1.0
        if max(gain, 1 / gain) > CLEAR:
            break
    yield Preparing("Trying precisions", tries, tries)
    if 1 / gain >= WORTH:
        return Precision(torch.float32, 1 / gain)
    return Precision(half, gain)
