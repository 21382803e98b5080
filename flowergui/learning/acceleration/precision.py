"""Chooses the precision for "auto" by timing a few steps of the network itself.

What was measured on a machine that was not busy is kept in the cache folder: from then on, runs
with the same settings have the same precision, however busy it is.
"""

import json
import logging
import os
import platform
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size
from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.acceleration.step_timer import StepTimer, sample_batch_size
from flowergui.learning.device import hardware
from flowergui.learning.models.describe import supports_size
from flowergui.store import atomic_io, paths
from flowergui.text import tr

log = logging.getLogger(__name__)

ROUNDS = 3
"""Steps in each precision, in turns; the first is a warm-up and does not count."""

CLEAR_SPEEDUP = 1.5
"""From this speedup on, a further round could not change the choice."""

MIN_FLOAT32_SPEEDUP = 1.1
"""float32 is chosen from this speedup on: less is close to noise, and the other precision needs
half the memory."""


@dataclass(frozen=True, slots=True)
class Precision:
    """The dtype that a run computes in.

    `speedup` is how many times as fast its steps are as in the other precision that was timed; 0
    if none was.
    """

    dtype: torch.dtype
    speedup: float = 0.0


def choose(
    recipe: Recipe, classes: int, size: int, device: torch.device
) -> Generator[Preparing, None, Precision]:
    """The precision of a new run.

    If "auto" means less than float32 on this CPU, steps of the network are timed in both
    precisions, and the faster one is taken: the gain depends on the network's layers. Layers that
    the run unfreezes are timed as those that train. If only a head trains, nothing is timed: most
    of its work is the forward pass of convolutions, which `hardware.bfloat16_pays` has measured.
    Raises FlowerError as `StepTimer` does.
    """
    reduced = hardware.precision(recipe.precision, device)
    photos = sample_batch_size(recipe, size)
    if not (_is_open(recipe, device, reduced) and photos):
        return Precision(reduced)
    recipe = _as_it_trains_most(recipe)
    timer = StepTimer(recipe, classes, size, device, reduced)
    if timer.split.is_small:
        return Precision(reduced)
    side = _training_side(recipe, size)
    key = _key(recipe, side)
    if speedup := _measured().get(key, 0.0):
        return _faster(reduced, speedup)
    seconds = {reduced: float("inf"), torch.float32: float("inf")}
    speedup = 1.0
    steps = ROUNDS * len(seconds)
    for turn in range(ROUNDS):
        for place, dtype in enumerate(seconds):
            yield Preparing(
                tr("Trying which number format is faster"), turn * len(seconds) + place, steps
            )
            timer.compute_in(dtype)
            try:
                cost = timer.step(photos, side)
            except (RuntimeError, MemoryError):  # the run will fail too, and report it
                return Precision(reduced)
            if turn > 0:
                seconds[dtype] = min(seconds[dtype], cost.seconds)
        speedup = seconds[torch.float32] / seconds[reduced] if turn > 0 else 1.0
        if max(speedup, 1 / speedup) > CLEAR_SPEEDUP:
            break
    yield Preparing(tr("Trying which number format is faster"), steps, steps)
    _keep(key, speedup)
    return _faster(reduced, speedup)


def expected(recipe: Recipe, size: int, device: torch.device) -> torch.dtype:
    """The precision that a new run will have, as far as that is known without timing it."""
    reduced = hardware.precision(recipe.precision, device)
    if not _is_open(recipe, device, reduced):
        return reduced
    recipe = _as_it_trains_most(recipe)
    speedup = _measured().get(_key(recipe, _training_side(recipe, size)), 0.0)
    return _faster(reduced, speedup).dtype if speedup else reduced


def _is_open(recipe: Recipe, device: torch.device, reduced: torch.dtype) -> bool:
    """Whether timing decides on the precision."""
    return recipe.precision == "auto" and reduced != torch.float32 and device.type == "cpu"


def _as_it_trains_most(recipe: Recipe) -> Recipe:
    """`recipe` without frozen layers, if the run unfreezes them."""
    return replace(recipe, frozen=()) if recipe.unfreezes else recipe


def _training_side(recipe: Recipe, size: int) -> int:
    """The side of the training images in pixels, as a run has it."""
    side = largest_training_size(recipe.training_size, size)
    return side if supports_size(recipe.model, size, side) else size


def _key(recipe: Recipe, side: int) -> str:
    """Of a measurement."""
    return f"{_machine()}, {recipe.model}, {side} px, {' '.join(recipe.frozen)}"


def _faster(reduced: torch.dtype, speedup: float) -> Precision:
    """`reduced`, unless float32 is clearly faster. `speedup` is that of `reduced`."""
    if 1 / speedup >= MIN_FLOAT32_SPEEDUP:
        return Precision(torch.float32, 1 / speedup)
    return Precision(reduced, speedup)


# --- what was measured before -------------------------------------------------------------------


def _file() -> Path:
    return paths.cache_folder() / "precision.json"


def _machine() -> str:
    capability = torch.backends.cpu.get_cpu_capability()
    threads = torch.get_num_threads()
    return f"{platform.node()} {capability} {threads} threads, torch {torch.__version__}"


def _measured() -> dict[str, float]:
    """The speedups that were measured, by machine and settings; {} if none can be read."""
    with suppress(OSError, ValueError, AttributeError):
        found = json.loads(_file().read_text(encoding="utf-8"))
        return {
            str(key): float(value)
            for key, value in found.items()
            if isinstance(value, int | float) and value > 0
        }
    return {}


def _keep(key: str, speedup: float) -> None:
    """Adds a measurement, unless the machine was too busy for one that lasts. A cache folder that
    can't be written is no obstacle."""
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > hardware.cores():
        log.info("The machine is busy: the choice of the precision holds for this run alone.")
        return
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        atomic_io.write(_file(), json.dumps(_measured() | {key: speedup}, indent=2))
    except (OSError, FlowerError) as error:
        log.info("The choice of the precision can't be kept: %s", error)
