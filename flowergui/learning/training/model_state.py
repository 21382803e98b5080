"""A network in training: its weights and all that changes them. It needs no run folder."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event
from flowergui.learning.acceleration.compiled import CompiledHead
from flowergui.learning.acceleration.frozen_split import (
    Features,
    FrozenSplit,
    split_at_frozen,
    unsplit,
)
from flowergui.learning.acceleration.linear_head import LinearHead, linear_head_name
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.device.batch_randomness import RowsOfBatch
from flowergui.learning.device.distributed import Share, world
from flowergui.learning.models.build import expand_head, load_state_dict
from flowergui.learning.models.describe import describe
from flowergui.learning.models.freeze import freeze, frozen_parameters
from flowergui.learning.training.ema import Ema
from flowergui.learning.training.optimizers import (
    expand_optimizer_state,
    init_momentum_buffers,
    make_optimizer,
    set_learning_rate,
)
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.text import tr


class NonFiniteError(FlowerError):
    """The loss or the network became NaN or infinite."""


class NonFiniteLossError(NonFiniteError):
    """The `loss` became NaN or infinite."""

    def __init__(self, message: str, *, loss: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.loss = loss


def loss_and_correct(
    loss: Tensor, logits: Tensor, targets: Tensor
) -> Callable[[], tuple[float, int]]:
    """Starts copying the loss (a scalar) and the number of correct predictions to the host; call
    the result to wait for them. `logits` are (B, classes) float; `targets` are labels (B,) int64,
    or probabilities (B, classes) float, of which the likeliest counts."""
    labels = targets.argmax(1) if targets.ndim == 2 else targets
    correct = (logits.argmax(1) == labels).sum()
    fetched = transfers.fetch(torch.stack([loss.detach(), correct.to(loss.dtype)]))

    def wait() -> tuple[float, int]:
        value, count = fetched()
        return value, int(count)

    return wait


def eval_but_synced(net: nn.Module) -> None:
    """Evaluation mode, but for batch normalization that sees the images of all processes and
    trains: each of them has to take part in that, also without an image."""
    synced = [each for each in net.modules() if isinstance(each, nn.SyncBatchNorm)]
    training = [each for each in synced if each.training]
    net.eval()
    for each in training:
        each.train()


class ModelState:
    """A network, the moving average of its weights, its optimizer and gradient scaler, and which of
    its parameters are frozen. Owned by one thread.

    Nothing is frozen at first: call `freeze` or `load_state_dict`.
    """

    def __init__(
        self, net: nn.Module, recipe: Recipe, config: RuntimeConfig, class_count: int
    ) -> None:
        """`net` is the recipe's network with `class_count` outputs; it is moved to the device."""
        self.config, self.class_count = config, class_count
        self._architecture, self._label_smoothing = recipe.model, recipe.label_smoothing
        self._freeze_batch_norm = recipe.freeze_batch_norm and recipe.mode == "transfer"
        hardware.allow_tf32(config.device)
        hardware.choose_deterministic_convolutions(config.device)
        self._world = world()
        net = self._world.prepared(net, config.device)
        # torch's overloads of `to` leave out memory_format beside a device.
        self.net = net.to(config.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = Ema(self.net, recipe.ema) if recipe.ema else None
        stages = describe(recipe.model, class_count, config.image_size).stages
        self.optimizer = make_optimizer(self.net, recipe, config.device, stages)
        self.scaler = torch.amp.GradScaler(
            config.device.type, enabled=config.dtype == torch.float16
        )
        self.steps = 0
        """Optimizer steps done so far."""
        self.frozen: tuple[str, ...] = ()
        """Names of the frozen parameters."""
        self.frozen_split = self.eval_split = unsplit(self.net)
        self._parallel: Callable[..., Tensor] | None = None
        self._compiled = CompiledHead(recipe, config.device, config.dtype)

    # --- freezing

    def freeze(self, patterns: Iterable[str]) -> None:
        """Freezes the parameters that match, from the next step on, and unfreezes all others.

        The optimizer keeps its state of frozen ones (Adam's moments): parameters without a
        gradient are skipped. Raises FlowerError if nothing would be left to train.
        """
        self._freeze(
            frozen_parameters(
                patterns, self._architecture, self.class_count, self.config.image_size
            )
        )

    def _freeze(self, names: tuple[str, ...]) -> None:
        """Freezes the parameters of these names, and splits the network that trains, and the one
        that is validated, behind the last layer that is frozen from the input on."""
        freeze(self.net, names, batch_norm=self._freeze_batch_norm)
        init_momentum_buffers(self.optimizer)
        self.frozen = names
        self.frozen_split = split_at_frozen(
            self.net,
            self._architecture,
            self.class_count,
            self.config.image_size,
            names,
            self.config.dtype,
        )
        self.eval_split = self._split_for_eval()
        self._parallel = None  # it trains what required a gradient when it was made

    def _split_for_eval(self) -> FrozenSplit:
        if self.ema is None:
            return self.frozen_split
        self.ema.track(self.net)
        if self.frozen_split.is_split and self.ema.in_sync:
            return replace(self.frozen_split, head=self.frozen_split.head_of(self.ema.net))
        return unsplit(self.ema.net)  # the average of what was frozen just now still moves

    def trainable(self) -> tuple[int, int]:
        """The number of values that train, and of all values."""
        sizes = [(p.numel(), p.requires_grad) for p in self.net.parameters()]
        return sum(size for size, trains in sizes if trains), sum(size for size, _ in sizes)

    # --- the head alone

    def linear_head(self) -> LinearHead | None:
        """The last linear layer, with all before it as a frozen backbone as it is now; None if the
        head of this network is something else."""
        if not linear_head_name(self.net, self._architecture):
            return None
        return LinearHead(
            self.net,
            self._architecture,
            self.class_count,
            self.config.image_size,
            self.config.dtype,
        )

    def load_head(self, weight: Tensor, bias: Tensor) -> None:
        """Copies `weight` (classes, D) and `bias` (classes,) into the last linear layer, and into
        that of the averaged network."""
        name = linear_head_name(self.net, self._architecture)
        with torch.no_grad():
            for net in (self.net, self.eval_model):
                linear = net.get_submodule(name)
                assert isinstance(linear, nn.Linear)
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)

    # --- steps

    def train(self) -> None:
        """Training mode, with frozen batch normalization in evaluation mode."""
        freeze(self.net, self.frozen, batch_norm=self._freeze_batch_norm)

    def compile(self, image_size: int) -> Iterator[Event]:
        """Compiles the part that trains for whole batches of this image size (pixels), if the
        recipe asks for it and it is not done yet; see `CompiledHead.prepare`."""
        if not self._world.is_alone:
            return iter(())  # DistributedDataParallel wraps the network itself
        return self._compiled.prepare(self.frozen_split, image_size)

    def step(
        self,
        inputs: Features | Tensor | None,
        targets: Tensor,
        learning_rate: float,
        share: Share | None = None,
    ) -> tuple[float, int]:
        """One optimizer step. Returns the mean loss and the number of correct predictions.
        `learning_rate` is that of the head; the stages before it have their share of it.

        `inputs` are normalized images (B, 3, S, S) float32 or what `frozen_split.backbone` makes
        of them, each (B, ...), on the device; `targets` are labels (B,) int64, or (B, classes)
        float if they are mixed. Of several processes, each has its `share` of a batch, whose
        loss is returned; one without an image takes part with None. Raises NonFiniteLossError; the
        weights are unchanged then.
        """
        features = self.frozen_split.backbone(inputs) if isinstance(inputs, Tensor) else inputs
        with hardware.one_core(alone=self.frozen_split.is_small):
            if share is not None:
                return self._step_together(features, targets, learning_rate, share)
            assert features is not None
            return self._step(features, targets, learning_rate)

    def _step(self, features: Features, targets: Tensor, learning_rate: float) -> tuple[float, int]:
        set_learning_rate(self.optimizer, learning_rate)
        split, config = self.frozen_split, self.config
        with autocast(config.device, config.dtype, spare_depthwise=split.depthwise):
            logits = self._compiled.head_for(split, features)(*features)
        loss = nn.functional.cross_entropy(
            logits.float(), targets, label_smoothing=self._label_smoothing
        )
        fetched = loss_and_correct(loss, logits, targets)
        # A GPU works on this while its numbers are copied. torch gives backward no types.
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        value, correct = fetched()
        self._take_step(value)
        return value, correct

    def _take_step(self, loss: float) -> None:
        """Applies the gradients, unless the `loss` of the batch is NaN or infinite."""
        if not math.isfinite(loss):
            self.optimizer.zero_grad(set_to_none=True)
            raise NonFiniteLossError(tr("The loss became {loss}.", loss=loss), loss=loss)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema is not None:
            self.ema.update(self.steps)
        self.steps += 1

    def has_stepped_together(self) -> bool:
        """Whether the processes have done a step with what trains now; True of one that is
        alone."""
        return self._world.is_alone or self._parallel is not None

    def try_step(self, features: Features | None, targets: Tensor) -> None:
        """Takes the memory of a step, forward and backward, and changes nothing: no process waits
        for another one meanwhile, and none is in the midst of a step if it has not enough. See
        `step` for the arguments."""
        if features is None:
            return
        split, config = self.frozen_split, self.config
        self.net.eval()  # no statistics of batches, no random numbers
        try:
            with autocast(config.device, config.dtype, spare_depthwise=split.depthwise):
                logits = split.head(*features)
            loss = nn.functional.cross_entropy(logits.float(), targets)
            loss.backward()  # type: ignore[no-untyped-call]
        finally:
            self.optimizer.zero_grad(set_to_none=True)
            self.train()

    def _step_together(
        self, features: Features | None, targets: Tensor, learning_rate: float, share: Share
    ) -> tuple[float, int]:
        """A step of several processes. Their gradients are averaged alike, so the loss of a share
        is weighted by its size. A process without images takes part with a batch of none: the
        others wait for its gradients, and on CUDA for its statistics (SyncBatchNorm)."""
        set_learning_rate(self.optimizer, learning_rate)
        split, config, world = self.frozen_split, self.config, self._world
        count, places = len(share.places), share.places
        if features is None:
            side = config.image_size
            image = torch.zeros(1, 3, side, side, device=config.device)  # no backbone takes none
            features = tuple(each[:0] for each in split.backbone(image))
            targets = torch.zeros(0, dtype=torch.int64, device=config.device)
            eval_but_synced(self.net)
        elif count == 1 and world.has_own_statistics(self.net):  # a variance needs two values
            features = tuple(torch.cat((each, each)) for each in features)
            targets, places = torch.cat((targets, targets)), (*places, *places)
        if self._parallel is None:
            self._parallel = world.parallel(split.head)
        with (
            RowsOfBatch(share.size, places),
            autocast(config.device, config.dtype, spare_depthwise=split.depthwise),
        ):
            logits = self._parallel(*features)
        own = right = 0.0
        if count:
            loss = nn.functional.cross_entropy(
                logits.float(), targets, label_smoothing=self._label_smoothing
            )
            weighted = loss * (count * world.size / share.readable)
            self.scaler.scale(weighted).backward()  # type: ignore[no-untyped-call]
            own, right = loss_and_correct(loss, logits, targets)()
        else:
            self.scaler.scale(logits.float().sum()).backward()  # type: ignore[no-untyped-call]
            self.train()
        summed, correct = world.all_reduce_sum(own * count, right * count / max(len(targets), 1))
        world.average_statistics(self.net, took_part=count > 0)
        self._take_step(summed / share.readable)
        return summed / share.readable, int(correct)

    @property
    def eval_model(self) -> nn.Module:
        """The network that validates and predicts: the averaged one if there is one."""
        return self.net if self.ema is None else self.ema.net

    def evaluate(self, inputs: Features | Tensor, labels: Tensor) -> tuple[float, int]:
        """The mean loss (without label smoothing) and the number of correct predictions. `inputs`
        are as for `step`, from `eval_split.backbone`; `labels` are (B,) int64."""
        config = self.config
        features = self.eval_split.backbone(inputs) if isinstance(inputs, Tensor) else inputs
        self.eval_model.eval()  # freezing puts it in training mode
        with (
            torch.inference_mode(),
            hardware.one_core(alone=self.eval_split.is_small),
            autocast(config.device, config.dtype),
        ):
            logits = self.eval_split.head(*features).float()
            loss = nn.functional.cross_entropy(logits, labels)
            return loss_and_correct(loss, logits, labels)()

    def is_finite(self, *, trained: bool = False) -> bool:
        """Whether no weight and no statistic of batch normalization is NaN or infinite; if
        `trained`, of those that a step changes now: the head of a network has few of them."""
        modules = [each for each in self.net.modules() if each.training or not trained]
        tensors = [p.detach() for p in self.net.parameters() if p.requires_grad or not trained]
        tensors += [
            each
            for module in modules
            for each in module.buffers(recurse=False)
            if each.is_floating_point()
        ]
        # A sum is eight times as fast as isfinite, and not finite if one of its values is not.
        if bool(torch.isfinite(torch.stack([each.sum() for each in tensors])).all()):
            return True
        return all(bool(torch.isfinite(each).all()) for each in tensors)

    # --- as a part of a checkpoint

    def state_dict(self) -> dict[str, Any]:
        """Builtins and tensors, under the keys that checkpoints have. The tensors are the live
        ones: they change with the next step."""
        return {
            "model": self.net.state_dict(),
            "ema": None if self.ema is None else self.ema.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "frozen": list(self.frozen),
            "step": self.steps,
        }

    def load_state_dict(
        self, state: Mapping[str, Any], *, frozen: Iterable[str] | None = None
    ) -> None:
        """Continues from `state`, with `frozen` (names or patterns) instead of its own if given.
        If this network's head has more outputs, the rows of new classes stay as initialized.
        Raises FlowerError if nothing would be left to train."""
        load_state_dict(self.net, expand_head(state["model"], self.net.state_dict()))
        if self.ema is not None:
            averaged = state.get("ema") or state["model"]
            load_state_dict(self.ema.net, expand_head(averaged, self.ema.net.state_dict()))
        self.optimizer.load_state_dict(expand_optimizer_state(self.optimizer, state["optimizer"]))
        if state.get("scaler"):
            self.scaler.load_state_dict(state["scaler"])
        self.steps = int(state.get("step", 0))
        self.freeze(state.get("frozen", ()) if frozen is None else frozen)
