"""What changes while a run goes on: the learning rate, and the size of what it looks at."""

import math
from dataclasses import dataclass

from flowergui.config.recipe import Recipe

WARM_UP, FIRST, LAST = 0.3, 1 / 25, 1 / 25 / 1e4
"""one-cycle as torch's OneCycleLR has it: the share of steps that warm up, and the first and
last learning rates as shares of the highest (Smith and Topin 2018, arXiv 1708.07120)."""


GROWING = 0.8
"""The share of a run's epochs in which squares grow."""

GRID = 32
"""Squares grow in steps of so many pixels: most networks halve a picture five times, and work
fastest where that leaves nothing over (a step of resnet18 at 128 px takes 1.06 times as long as
one at 112 px)."""


def training_size(first: int, last: int, epoch: int, epochs: int) -> int:
    """The side in pixels of the squares that `epoch` (from 1) trains on: it grows from `first`
    to `last` with the epochs (progressive resizing; Howard 2018, fast.ai's DAWNBench entry;
    Tan and Le 2021, arXiv 2104.00298). `last` all the time where `first` is 0 or not smaller."""
    if not 0 < first < last:
        return last
    share = min((epoch - 1) / max(GROWING * epochs, 1), 1.0)
    return min(first + round((last - first) * share / GRID) * GRID, last)


@dataclass(slots=True)
class Schedule:
    """What the learning rate is multiplied by: a pure function of the step, except for plateau,
    which remembers the best validation loss.

    `base` is the learning rate that the factor applies to; it may be changed while a run goes.
    It begins after `start` steps, more than 0 where it was begun anew for epochs that a run was
    given later. `shift` is what the steps done lack to those that as many epochs of `batches`
    would have: not 0 where epochs got longer.
    """

    kind: str
    base: float
    epochs: int
    batches: int
    step_size: int
    gamma: float
    best_loss: float = math.inf
    stale_epochs: int = 0
    lowered: float = 1.0
    start: int = 0
    shift: int = 0

    @classmethod
    def of(cls, recipe: Recipe, batches: int) -> "Schedule":
        """The recipe's schedule for epochs of `batches` steps."""
        return cls(
            kind=recipe.scheduler,
            base=recipe.learning_rate,
            epochs=recipe.epochs,
            batches=batches,
            step_size=recipe.step_size,
            gamma=recipe.gamma,
        )

    def rate(self, step: int) -> float:
        """The learning rate of the step after `step` steps were done."""
        return self.base * self._factor(step + self.shift - self.start)

    def restart(self, step: int) -> None:
        """Begins anew after `step` steps, for the epochs that are left."""
        self.start = step + self.shift
        self.best_loss, self.stale_epochs, self.lowered = math.inf, 0, 1.0

    def restart_epoch(self, step: int, epoch: int, batch: int) -> None:
        """`batch` batches of `epoch` (from 1), the last of `step` steps, don't count: it begins
        anew. Epochs may have had other lengths before."""
        whole = step + self.shift - batch  # steps of the epochs before, as long as they were
        now = (epoch - 1) * self.batches
        if whole > 0:  # batches whose photos are all lost are no steps
            self.start = round(self.start * now / whole)
        self.start = min(self.start, now)  # it may have begun in the epoch that begins anew
        self.shift = now - step

    def epoch_ended(self, loss: float) -> None:
        """Tells plateau the epoch's validation loss."""
        if self.kind != "plateau":
            return
        if loss < self.best_loss * (1 - 1e-4):  # torch's ReduceLROnPlateau: threshold, relative
            self.best_loss, self.stale_epochs = loss, 0
            return
        self.stale_epochs += 1
        if self.stale_epochs > max(self.step_size // 3, 1):
            self.lowered, self.stale_epochs = self.lowered * self.gamma, 0

    def state_dict(self) -> dict[str, float | int]:
        """What a checkpoint keeps."""
        return {
            "base": float(self.base),
            "best_loss": float(self.best_loss),
            "stale_epochs": self.stale_epochs,
            "lowered": float(self.lowered),
            "start": self.start,
            "shift": self.shift,
        }

    def load_state_dict(self, state: dict[str, float | int]) -> None:
        """Takes up `state`."""
        self.base = float(state["base"])
        self.best_loss = float(state["best_loss"])
        self.stale_epochs = int(state["stale_epochs"])
        self.lowered = float(state["lowered"])
        self.start, self.shift = int(state.get("start", 0)), int(state.get("shift", 0))

    def _factor(self, step: int) -> float:
        if self.kind == "step":
            epochs_done = step // self.batches
            return float(self.gamma ** (epochs_done // self.step_size))
        total = max(self.epochs * self.batches - self.start, 1)
        if self.kind == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(step / total, 1)))
        if self.kind == "one-cycle":
            turn = WARM_UP * total - 1
            if step <= turn:
                return _between(FIRST, 1.0, step / turn)
            return _between(1.0, LAST, min((step - turn) / max(total - 1 - turn, 1), 1.0))
        if self.kind == "plateau":
            return self.lowered
        return 1.0


def _between(start: float, end: float, share: float) -> float:
    """On a half cosine from `start` (share 0) to `end` (share 1)."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
