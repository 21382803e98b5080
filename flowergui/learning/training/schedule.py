"""The schedules of a run: its learning rate, and the size of its training images."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowergui.config.recipe import Recipe

WARM_UP, FIRST, LAST = 0.3, 1 / 25, 1 / 25 / 1e4
"""one-cycle as torch's OneCycleLR has it: the share of steps that warm up, and the first and
last learning rates as shares of the highest (Smith and Topin 2018, arXiv 1708.07120)."""

PLATEAU_THRESHOLD = 1e-4
"""The relative improvement of the loss that plateau counts, as in torch's ReduceLROnPlateau."""


@dataclass(slots=True)
class Schedule:
    """The learning rate, as a function of the step; only plateau depends on the loss too.

    `base` is multiplied by the schedule's factor, and may be changed during a run. Epochs have
    `batches` steps. The schedule starts after `start` steps: more than 0 if it was restarted when
    a run was given more epochs. `shift` is added to the number of steps done; it is not 0 if the
    epochs before had another number of batches. `patience` is how many epochs plateau waits for an
    improvement. `cut` batches of the last epoch are left out, by a time budget.
    """

    kind: str
    base: float
    epochs: int
    batches: int
    step_size: int
    gamma: float
    patience: int
    best_loss: float = math.inf
    stale_epochs: int = 0
    lowered: float = 1.0
    start: int = 0
    shift: int = 0
    cut: int = 0

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
            patience=recipe.plateau_patience,
        )

    def rate(self, step: int) -> float:
        """The learning rate of the next step after `step` steps."""
        return self.base * self._factor(step + self.shift - self.start)

    def batches_in(self, epoch: int) -> int:
        """The number of batches of `epoch` (from 1)."""
        return self.batches - (self.cut if epoch == self.epochs else 0)

    def restart(self, step: int) -> None:
        """Restarts the schedule after `step` steps, for the epochs that are left."""
        self.start = step + self.shift
        self.best_loss, self.stale_epochs, self.lowered = math.inf, 0, 1.0

    def skip(self, batches: int) -> None:
        """So many batches of an epoch are left out: the epochs after it, if any, go on from where
        it would have ended."""
        self.shift += batches

    def restart_epoch(self, step: int, epoch: int, batch: int) -> None:
        """`epoch` (from 1) starts again: its `batch` batches, the last of `step` steps, don't
        count. Epochs may have had another number of batches before."""
        whole = step + self.shift - batch  # steps of the epochs before, with their lengths
        now = (epoch - 1) * self.batches
        if whole > 0:  # a batch without a readable image is no step
            self.start = round(self.start * now / whole)
        self.start = min(self.start, now)  # the schedule may have started in this epoch
        self.shift = now - step

    def epoch_ended(self, loss: float) -> None:
        """Lets plateau compare an epoch's mean loss: on the validation set, or on the training set
        if there is none."""
        if self.kind != "plateau":
            return
        if loss < self.best_loss * (1 - PLATEAU_THRESHOLD):
            self.best_loss, self.stale_epochs = loss, 0
            return
        self.stale_epochs += 1
        if self.stale_epochs > self.patience:
            self.lowered, self.stale_epochs = self.lowered * self.gamma, 0

    def state_dict(self) -> dict[str, float | int]:
        """What a checkpoint keeps under `schedule`. All else comes from the recipe."""
        return {
            "base": float(self.base),
            "best_loss": float(self.best_loss),
            "stale_epochs": self.stale_epochs,
            "lowered": float(self.lowered),
            "start": self.start,
            "shift": self.shift,
            "cut": self.cut,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from `state`, of any version: what it lacks stays as it is."""
        self.base = float(state.get("base", self.base))
        self.best_loss = float(state.get("best_loss", self.best_loss))
        self.stale_epochs = int(state.get("stale_epochs", self.stale_epochs))
        self.lowered = float(state.get("lowered", self.lowered))
        self.start, self.shift = int(state.get("start", 0)), int(state.get("shift", 0))
        self.cut = int(state.get("cut", 0))

    def _factor(self, step: int) -> float:
        if self.kind == "step":
            epochs_done = step // self.batches
            return float(self.gamma ** (epochs_done // self.step_size))
        total = max(self.epochs * self.batches - self.cut - self.start, 1)
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
    """A point on a half cosine from `start` (share 0) to `end` (share 1)."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
