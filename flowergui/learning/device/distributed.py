"""Several processes that train one network together, started by torchrun.

Each process (rank) goes through the same loop, on its share of every batch, with a copy of the
network; torch's DistributedDataParallel keeps the copies equal. Rank 0 is the main process: it
lists the images, writes the run folder, and yields the events. A program that torchrun has not
started is a world of one process, for which everything here is the identity.
"""

import atexit
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from inspect import signature
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from flowergui.errors import FlowerError
from flowergui.learning.device import hardware
from flowergui.system.torchrun import processes_on_this_machine, started_by_torchrun
from flowergui.text import tr

log = logging.getLogger(__name__)

Result = TypeVar("Result")

TIMEOUT = timedelta(minutes=5)
"""How long a rank waits for those of other machines in the midst of an epoch, before it takes one
for lost."""

SETUP_TIMEOUT = timedelta(days=7)
"""How long it waits while rank 0 lists images and downloads weights. If that fails, torchrun ends
the rest."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several processes has of a batch of `size` images, of which `readable` could be
    read: the images at `places` in it."""

    size: int
    readable: int
    places: tuple[int, ...]


class OutOfMemoryOnAllRanksError(torch.OutOfMemoryError):
    """Memory was full on some rank, and all ranks know."""


class World:
    """The processes that train together: this one is `rank` of `size`.

    All methods but `share`, `rows`, `owns_group` and `own_groups` are collective: every rank must
    call them, in the same order.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self._control: Any = None
        self._setup: Any = None

    @classmethod
    def joined(cls, environment: Mapping[str, str]) -> "World":
        """Joins the process group that torchrun describes in the `environment`: with NCCL on CUDA,
        with Gloo on CPUs. Small numbers and objects always go through Gloo."""
        rank, size = int(environment["RANK"]), int(environment["WORLD_SIZE"])
        world = cls(rank, size)
        if environment.get("OMP_NUM_THREADS") == "1":  # torchrun's default for several processes
            torch.set_num_threads(hardware.cores())
        if size == 1:
            return world
        os.environ.setdefault("USE_LIBUV", "0" if os.name == "nt" else "1")
        backend, cards = "gloo", torch.cuda.device_count()
        if cards:
            torch.cuda.set_device(int(environment.get("LOCAL_RANK", 0)) % cards)
            # NCCL wants a card for each process, and is not there on Windows.
            if distributed.is_nccl_available() and processes_on_this_machine() <= cards:
                backend = "cpu:gloo,cuda:nccl"
        # On one machine torchrun notices a lost process at once, and a run may be paused.
        local = environment.get("LOCAL_WORLD_SIZE") == environment["WORLD_SIZE"]
        timeout = SETUP_TIMEOUT if local else TIMEOUT
        # Processes that torchrun started again must not find the addresses of those before them.
        found, _, _ = next(rendezvous("env://", timeout=timeout))
        attempt = environment.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = PrefixStore(f"attempt {attempt}", found)
        distributed.init_process_group(
            backend, timeout=timeout, store=store, rank=rank, world_size=size
        )
        atexit.register(_leave)
        world._control = distributed.new_group(backend="gloo", timeout=timeout)
        world._setup = distributed.new_group(backend="gloo", timeout=SETUP_TIMEOUT)
        return world

    @property
    def is_alone(self) -> bool:
        """Whether this is the only process."""
        return self.size == 1

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, the process that lists, writes and reports."""
        return self.rank == 0

    # --- what belongs to which rank

    def share(self, indices: tuple[int, ...]) -> tuple[int, ...]:
        """This rank's share of a batch: every `size`-th of its images. May be empty."""
        return indices[self.rank :: self.size]

    def rows(self, batch: Tensor) -> Tensor:
        """This rank's share of a whole batch (B, ...)."""
        return batch if self.is_alone else batch[self.rank :: self.size]

    def owns_group(self, number: int) -> bool:
        """Whether this rank has the `number`-th of groups that are dealt out in turn."""
        return number % self.size == self.rank

    def own_groups(self, groups: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """The groups that this rank owns; empty ones are added where others own one more."""
        rounds = -(-len(groups) // self.size)
        own = [*groups[self.rank :: self.size]]
        return own + [()] * (rounds - len(own))

    # --- agreeing

    def all_reduce_sum(self, *values: float) -> tuple[float, ...]:
        """The sum of each value over all ranks, in float64."""
        if self.is_alone:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total, group=self._control)
        return tuple(total.tolist())

    def any_rank(self, flag: bool) -> bool:
        """Whether it is True on some rank."""
        return flag if self.is_alone else self.all_reduce_sum(float(flag))[0] > 0

    def all_gather(self, value: Result) -> list[Result]:
        """The values of all ranks, in their order, on each of them."""
        if self.is_alone:
            return [value]
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value, group=self._control)
        return values

    def from_rank_0(self, decide: Callable[[], Result]) -> Result:
        """What `decide` returns on rank 0, which alone calls it. If it raises, all ranks do."""
        if self.is_alone:
            return decide()
        outcome: tuple[bool, Any] = True, None
        if self.is_main:
            try:
                outcome = True, decide()
            except Exception as error:
                outcome = False, error
        done, value = self._broadcast_over(outcome, self._control)
        if not done:
            raise value
        return cast(Result, value)

    def broadcast(self, value: object = None) -> object:
        """The `value` of rank 0, on all ranks; the others wait for it for as long as it takes."""
        return value if self.is_alone else self._broadcast_over(value, self._setup)

    def _broadcast_over(self, value: Any, group: Any) -> Any:
        values = [value]
        distributed.broadcast_object_list(values, src=0, group=group)
        return values[0]

    @contextmanager
    def out_of_memory_on_all_ranks(self) -> Iterator[None]:
        """If memory is full on one rank, raises OutOfMemoryOnAllRanksError on all of them, after
        what is in the `with` block, in which no rank may wait for another one."""
        failed: BaseException | None = None
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not hardware.out_of_memory(error):
                raise
            failed = error
        if self.any_rank(failed is not None):
            raise OutOfMemoryOnAllRanksError from failed

    @contextmanager
    def report_lost_rank(self) -> Iterator[None]:
        """Raises FlowerError for what torch raises when another rank has ended or is silent."""
        try:
            yield
        except RuntimeError as error:
            text = str(error)
            if self.is_alone or not (isinstance(error, distributed.DistError) or "gloo" in text):
                raise
            raise FlowerError(
                tr("Another process of this run has ended, or does not answer."),
                hint=tr("Its own message says why. Start the job again: the run goes on."),
            ) from error

    # --- the network

    def prepared(self, net: nn.Module, device: torch.device) -> nn.Module:
        """The network with batch normalization that sees the images of all ranks. torch has that
        for CUDA only (SyncBatchNorm); on CPUs see `average_statistics`."""
        if self.is_alone or device.type != "cuda":
            return net
        # torch gives it no types.
        return cast(nn.Module, nn.SyncBatchNorm.convert_sync_batchnorm(net))  # type: ignore[no-untyped-call]

    def parallel(self, head: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """The part of a network that trains, whose gradients are averaged over the ranks in each
        backward pass. Make it again when other parameters train than before."""
        assert isinstance(head, nn.Module)
        if self.is_alone or not any(each.requires_grad for each in head.parameters()):
            return head
        ddp = nn.parallel.DistributedDataParallel
        options: dict[str, Any] = {"gradient_as_bucket_view": True}
        new, old = "forward_sync_buffers", "broadcast_buffers"  # renamed in torch 2.14
        options[new if new in signature(ddp).parameters else old] = False
        return ddp(head, **options)

    def has_own_statistics(self, net: nn.Module) -> bool:
        """Whether some batch normalization is trained on this rank's images alone."""
        return any(map(_has_own_statistics, net.modules()))

    def average_statistics(self, net: nn.Module, *, took_part: bool) -> None:
        """Averages the running statistics of batch normalization over the ranks that `took_part` in
        the last step, so that all copies of the network stay equal. Batches are still normalized
        by the statistics of a rank's own share.

        The mean of moving averages is the moving average of means, so doing this after each step
        gives what timm's distribute_bn gives at the end of an epoch, up to rounding.
        """
        if self.is_alone:
            return
        normalizing = filter(_has_own_statistics, net.modules())
        statistics = [each for module in normalizing for each in module.buffers(recurse=False)]
        if not statistics:
            return
        flat = torch.cat([each.detach().double().flatten() for each in statistics]).cpu()
        flat = torch.cat((flat, torch.ones(1, dtype=torch.float64))) * float(took_part)
        distributed.all_reduce(flat, group=self._control)
        flat = flat[:-1] / flat[-1]
        parts = torch.split(flat, [each.numel() for each in statistics])
        for each, mean in zip(statistics, parts, strict=True):
            each.copy_(mean.view_as(each))


def _has_own_statistics(module: nn.Module) -> bool:
    """Whether it is a batch normalization that updates statistics of this rank's images alone."""
    return (
        isinstance(module, nn.modules.batchnorm._BatchNorm)
        and not isinstance(module, nn.SyncBatchNorm)
        and module.training
        and module.track_running_stats
    )


def _leave() -> None:
    with suppress(Exception):  # another rank may have ended before
        distributed.destroy_process_group()


@cache
def world() -> World:
    """The world of this process; joins it at the first call."""
    if started_by_torchrun():
        return World.joined(os.environ)
    return World()


def merged(parts: Iterable[Sequence[Result]]) -> list[Result]:
    """Lists of all ranks as one."""
    return [each for part in parts for each in part]
