"""The state of a run: everything that the loop changes, that a checkpoint keeps."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, EpochDone, RolledBack, RunStarted, SaveFailed
from flowergui.learning.acceleration.compiled import CompiledHead
from flowergui.learning.acceleration.frozen_split import (
    Features,
    FrozenSplit,
    split_at_frozen,
    unsplit,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.checkpoints.checkpoint_writer import CheckpointWriter, SaveEvent
from flowergui.learning.data.split import Split
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.models.build import expand_head, load_state_dict
from flowergui.learning.models.freeze import freeze, frozen_parameters
from flowergui.learning.training.ema import Ema
from flowergui.learning.training.optimizers import init_momentum_buffers, make_optimizer
from flowergui.learning.training.schedule import Schedule, training_size
from flowergui.store.run_folder import RunFolder


class NotANumberError(FlowerError):
    """The loss, or the weights, became infinite or no number."""


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What "auto" came to: fixed for the whole run, also when it is resumed."""

    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    device: torch.device
    dtype: torch.dtype
    speedup: float = 0.0
    """How many times as fast as in the other precision, where both were tried."""

    @property
    def precision(self) -> str:
        """The dtype by its name in recipes."""
        return str(self.dtype).removeprefix("torch.")


@dataclass(slots=True)
class RunningMetrics:
    """What an epoch has added up so far: losses and right answers over `photos` photos, and
    the seconds that it took."""

    loss: float = 0.0
    right: int = 0
    photos: int = 0
    seconds: float = 0.0

    def add(self, loss: float, right: int, photos: int) -> None:
        """Adds a batch with this mean loss."""
        self.loss += loss * photos
        self.right += right
        self.photos += photos


@dataclass(slots=True)
class Progress:
    """Where a run stands: `batch` batches of `epoch` are done, `step` steps in all. `returns`
    counts how often it went back because its loss was no number."""

    epoch: int = 1
    batch: int = 0
    step: int = 0
    best_accuracy: float = 0.0
    best_loss: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0
    returns: int = 0
    sums: RunningMetrics = field(default_factory=RunningMetrics)


def loss_and_correct(
    loss: Tensor, logits: Tensor, targets: Tensor
) -> Callable[[], tuple[float, int]]:
    """What gives, once the device has them, the loss (a scalar) and how many of the logits
    (B, classes), both float, are largest where the targets are: labels (B,) int64, or (B, classes)
    float."""
    likeliest = targets.argmax(1) if targets.ndim == 2 else targets
    right = (logits.argmax(1) == likeliest).sum()
    coming = transfers.fetch(torch.stack([loss.detach(), right.to(loss.dtype)]))

    def come() -> tuple[float, int]:
        value, count = coming()
        return value, int(count)

    return come


class TrainState:
    """A run that can be stepped, saved and restored. Owned by one thread."""

    def __init__(
        self,
        recipe: Recipe,
        plan: RuntimeConfig,
        split: Split,
        run: RunFolder,
        net: nn.Module,
        batches: int,
    ) -> None:
        self.recipe, self.plan, self.split, self.run = recipe, plan, split, run
        self.batches = batches
        hardware.allow_tf32(plan.device)
        # torch's overloads of `to` leave out memory_format beside a device.
        self.net = net.to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = Ema(self.net, recipe.ema) if recipe.ema else None
        self.optimizer = make_optimizer(self.net, recipe, plan.device)
        self.scaler = torch.amp.GradScaler(plan.device.type, enabled=plan.dtype == torch.float16)
        self.schedule = Schedule.of(recipe, batches)
        self.progress = Progress()
        self.epochs: list[EpochDone] = []
        self.frozen: tuple[str, ...] = ()
        self.frozen_split = self.eval_split = unsplit(self.net)
        self.compiled = CompiledHead(recipe, plan.device, plan.dtype)
        self.lost: set[str] = set()
        """Photos that were passed over, by their path; each is named once."""
        self.gone = 0
        """How many of them could be read before: see LOST_SHARE."""
        self._saved_at = time.monotonic()
        self._saved_step: tuple[int, int] | None = None
        self._saving = CheckpointWriter(run, self._furnish)
        self.freeze(recipe.frozen)

    # --- what is frozen

    def freeze(self, words: Iterable[str]) -> None:
        """Freezes the parameters that `words` mean, from the next step on, and thaws the others.

        The optimizer keeps what it knows of them (Adam's moments): parameters without a
        gradient are passed over. Raises FlowerError where nothing would be left to train.
        """
        frozen = frozen_parameters(
            words, self.recipe.model, len(self.split.classes), self.plan.image_size
        )
        self._freeze(frozen)

    def _freeze(self, names: tuple[str, ...]) -> None:
        """Freezes these parameters, and cuts the network, and the one that is judged, where what
        is frozen at the beginning ends."""
        freeze(self.net, names)
        init_momentum_buffers(self.optimizer)
        self.frozen = names
        self.frozen_split = split_at_frozen(
            self.net,
            self.recipe.model,
            len(self.split.classes),
            self.plan.image_size,
            names,
            self.plan.dtype,
        )
        self.eval_split = self._judging()

    def _judging(self) -> FrozenSplit:
        if self.ema is None:
            return self.frozen_split
        self.ema.track(self.net)
        if self.frozen_split.is_split and self.ema.in_sync:
            return replace(self.frozen_split, head=self.frozen_split.head_of(self.ema.net))
        return unsplit(self.ema.net)  # what was frozen just now still moves in the average

    def trainable(self) -> tuple[int, int]:
        """Values that train, and all values."""
        sizes = [(p.numel(), p.requires_grad) for p in self.net.parameters()]
        return sum(size for size, trains in sizes if trains), sum(size for size, _ in sizes)

    # --- one step

    @property
    def largest_training_size(self) -> int:
        """The side, in pixels, of the largest squares that are trained on. Smaller than the
        image size, it makes up for augmentation's cuts, in which things look larger than they
        will later (Touvron et al. 2019, arXiv 1906.06423)."""
        return self.recipe.training_size or self.plan.image_size

    def training_size(self, epoch: int) -> int:
        """The side, in pixels, of the squares that `epoch` trains on."""
        first, last = self.recipe.first_training_size, self.largest_training_size
        return training_size(first, last, epoch, self.recipe.epochs)

    def step(self, values: Features, targets: Tensor) -> tuple[float, int]:
        """One optimizer step on what the first of the `halves` gives, each (B, ...), against
        `targets`: labels (B,) int64, or (B, classes) where they are mixed. Returns the loss and
        how many of the B answers are right. Raises NotANumberError where the loss is none; the
        weights are as they were then."""
        rate = self.schedule.rate(self.progress.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        plan = self.plan
        with autocast(plan.device, plan.dtype, spare_depthwise=self.frozen_split.depthwise):
            logits = self.compiled.end(self.frozen_split, values)(*values)
        loss = nn.functional.cross_entropy(
            logits.float(), targets, label_smoothing=self.recipe.label_smoothing
        )
        told = loss_and_correct(loss, logits, targets)
        # A graphics card goes on with this while its numbers come. torch gives backward no types.
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        value, right = told()
        if not math.isfinite(value):
            self.optimizer.zero_grad(set_to_none=True)
            other = ", or float32" if plan.dtype != torch.float32 else ""
            kept = "; what was saved before is in last.pth" if self.run.last.exists() else ""
            raise NotANumberError(
                f"The loss became {value} in epoch {self.progress.epoch}, batch "
                f"{self.progress.batch + 1}{kept}.",
                hint=f"Try a lower learning rate than {self.schedule.base:g}{other}.",
            )
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema is not None:
            self.ema.update(self.progress.step)
        return value, right

    @property
    def eval_model(self) -> nn.Module:
        """The network that is validated and predicts: the averaged one where there is one."""
        return self.net if self.ema is None else self.ema.net

    # --- telling and keeping

    def opened(self, *, resumed: bool) -> RunStarted:
        """The facts that a run opens with."""
        trainable, parameters = self.trainable()
        return RunStarted(
            run=str(self.run.path),
            model=self.recipe.model,
            mode=self.recipe.mode,
            classes=self.split.classes,
            train_photos=len(self.split.train),
            validation_photos=len(self.split.validation),
            image_size=self.plan.image_size,
            device=str(self.plan.device),
            precision=self.plan.precision,
            speedup=self.plan.speedup,
            epochs=self.recipe.epochs,
            batches=self.batches,
            epoch=self.progress.epoch,
            batch=self.progress.batch,
            step=self.progress.step,
            trainable=trainable,
            parameters=parameters,
            frozen=self.frozen,
            resumed=resumed,
        )

    def record(self, event: BatchDone | EpochDone) -> None:
        """Keeps a row for history.csv; it is written with the next checkpoint."""
        self._saving.record(event)
        if isinstance(event, EpochDone):
            self.epochs.append(event)

    def save_is_due(self) -> bool:
        """Whether the end of an epoch is one to save at; see `CheckpointWriter.min_interval`."""
        return self.unsaved_seconds() > self._saving.min_interval(60 * self.recipe.save_minutes)

    def unsaved_seconds(self) -> float:
        """How long ago last.pth was written, or could not be."""
        return time.monotonic() - self._saved_at

    @property
    def saved(self) -> bool:
        """Whether last.pth holds, or is about to hold, what there is now."""
        return self._saved_step == (self.progress.step, self.progress.epoch)

    def save(self, *, best: bool = False) -> list[SaveEvent]:
        """Writes last.pth and the history so far and, where it is the `best`, best.pth. Weights
        that are no numbers are not saved: what is there is better. Returns what became of the
        saves that are over."""
        return self._saved_by(self._saving.save, best)

    def save_async(self, *, best: bool = False) -> list[SaveEvent]:
        """The same while training goes on. A best that is held, and nearer to now than the save
        before, is saved in place of what there is now: it is copied already, and one file does
        for last.pth and best.pth. The next save is due the sooner then."""
        held = self._saving.staged_since
        if not best and held is not None and time.monotonic() - held < held - self._saved_at:
            self._saved_at = held
            return self.flush_best()
        return self._saved_by(self._saving.save_async, best)

    def _saved_by(self, put: Callable[..., list[SaveEvent]], best: bool) -> list[SaveEvent]:
        self._saved_at = time.monotonic()
        if not self.is_finite():
            reason = "the weights hold values that are no numbers"
            paths = (self.run.last, self.run.best) if best else (self.run.last,)
            self._saving.wait()
            return self.collect_saves() + [SaveFailed(str(path), reason) for path in paths]
        self._saved_step = (self.progress.step, self.progress.epoch)
        return self._noted(put(self.state(), best=best))

    def stage_best(self) -> list[SaveEvent]:
        """Keeps what there is until the next save, which writes it as best.pth at least."""
        return self._noted(self._saving.stage_best(self.state())) if self.is_finite() else []

    def flush_best(self) -> list[SaveEvent]:
        """Begins to write a best that is held, as last.pth and best.pth."""
        return self._noted(self._saving.flush_best())

    def collect_saves(self) -> list[SaveEvent]:
        """What became of the saves that are over since this was asked."""
        return self._noted(self._saving.collect())

    def finish_saving(self) -> list[SaveEvent]:
        """Writes a best that is held, waits for it, and returns what became of it."""
        outcomes = self.flush_best()
        self._saving.wait()
        return outcomes + self.collect_saves()

    def _noted(self, outcomes: list[SaveEvent]) -> list[SaveEvent]:
        if any(isinstance(outcome, SaveFailed) for outcome in outcomes):
            self._saved_step = None
        return outcomes

    def _furnish(self) -> None:
        self.run.path.mkdir(parents=True, exist_ok=True)
        self.run.write_recipe(self.recipe)
        self.run.write_split(self.split.classes, self.split.rows(), self.split.folder)

    def is_finite(self) -> bool:
        """Whether all weights, and the statistics with them, are numbers: others are not saved."""
        tensors = [each.detach() for each in self.net.parameters()]
        tensors += [each for each in self.net.buffers() if each.is_floating_point()]
        # A sum is eight times as fast as isfinite, and no number where one of its numbers is none.
        if bool(torch.isfinite(torch.stack([each.sum() for each in tensors])).all()):
            return True
        return all(bool(torch.isfinite(each).all()) for each in tensors)

    def roll_back(self, error: NotANumberError) -> RolledBack:
        """Takes up the last checkpoint again, with half the learning rate. Raises FlowerError
        where it can't be read."""
        returns, frozen, base = self.progress.returns + 1, self.frozen, self.schedule.base
        self._saving.discard_pending()
        stored, _ = checkpoint.newest(self.run)
        self.restore(stored)
        self._freeze(frozen)  # as the user wants it now
        self.schedule.base = min(base, self.schedule.base) / 2
        self.progress.returns = returns
        self.run.history.cut_back(self.progress.step, self.progress.epoch)
        where = self.progress.epoch, self.progress.batch, self.progress.step
        return RolledBack(*where, self.schedule.base, error.message)

    # --- as a checkpoint

    @cached_property
    def fingerprint(self) -> str:
        """That of its split, which stays as it is."""
        return self.split.fingerprint()

    def state(self) -> dict[str, Any]:
        """The checkpoint: builtins and tensors."""
        return {
            "format": checkpoint.FORMAT,
            "recipe": self.recipe.as_dict(),
            "classes": list(self.split.classes),
            "model": self.net.state_dict(),
            "ema": None if self.ema is None else self.ema.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "progress": asdict(self.progress),
            "epoch": self.progress.epoch,
            "batch": self.progress.batch,
            "step": self.progress.step,
            "best_accuracy": self.progress.best_accuracy,
            "history": [asdict(epoch) for epoch in self.epochs],
            "frozen": list(self.frozen),
            "image_size": self.plan.image_size,
            "normalisation": {"mean": list(self.plan.mean), "std": list(self.plan.std)},
            "device": str(self.plan.device),
            "precision": self.plan.precision,
            "fingerprint": self.fingerprint,
            "versions": {"torch": str(torch.__version__)},
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Takes up where `state` left off. Where this network's head knows more classes than
        that one's, the rows of the new ones stay as they were drawn."""
        load_state_dict(self.net, expand_head(stored["model"], self.net.state_dict()))
        if self.ema is not None and stored.get("ema"):
            averaged = self.ema.net
            load_state_dict(averaged, expand_head(stored["ema"], averaged.state_dict()))
        self.optimizer.load_state_dict(self._grown_optimizer(stored["optimizer"]))
        self.schedule.load_state_dict(stored["schedule"])
        if stored["scaler"]:
            self.scaler.load_state_dict(stored["scaler"])
        progress = dict(stored["progress"])
        self.progress = Progress(**{**progress, "sums": RunningMetrics(**progress["sums"])})
        self.epochs = [EpochDone(**row) for row in stored["history"]]
        self.freeze(stored["frozen"])

    def _grown_optimizer(self, stored: dict[str, Any]) -> dict[str, Any]:
        """The optimizer's state with room for the parameters as they are now: it knows nothing
        yet of rows that are new."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        state = {}
        for index, known in stored["state"].items():
            shape = parameters[index].shape
            fresh = {
                key: torch.zeros(shape, dtype=each.dtype)
                for key, each in known.items()
                if isinstance(each, Tensor) and each.ndim == len(shape) and each.ndim > 0
            }
            state[index] = {**known, **expand_head({k: known[k] for k in fresh}, fresh)}
        return {**stored, "state": state}

    def restart_epoch(self) -> None:
        """Other photos than before: the epoch that stands begins anew, and so does the search for
        the best, since accuracy is measured on others from now on."""
        progress = self.progress
        self.schedule.restart_epoch(progress.step, progress.epoch, progress.batch)
        progress.batch, progress.sums = 0, RunningMetrics()
        progress.best_accuracy, progress.best_epoch, progress.best_loss = 0.0, 0, math.inf
