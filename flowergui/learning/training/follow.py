"""A training task on all ranks of a torchrun job."""

from collections.abc import Iterator

from flowergui.events import Event
from flowergui.learning.device import hardware
from flowergui.learning.device.distributed import World, world
from flowergui.learning.training import loop
from flowergui.learning.training.failures import OutOfMemoryError
from flowergui.learning.training.run import Run
from flowergui.learning.training.run_copy import RunCopy
from flowergui.requests import LiveRequests
from flowergui.system import tuning


def run_on_all_ranks(events: Iterator[Event], live: LiveRequests) -> Iterator[Event]:
    """The `events` of a task that trains, on rank 0. Other ranks train along until rank 0 is done,
    and yield nothing."""
    ranks = world()
    if ranks.is_main:
        yield from events
        ranks.broadcast()
        return
    tuning.tune_malloc()
    with ranks.report_lost_rank():
        while (run := _next_run(ranks)) is not None:
            follow(run, live)
            del run  # before the next one takes memory
            hardware.release()


def _next_run(ranks: World) -> Run | None:
    """The run that rank 0 trains next; None if it is done."""
    copy = ranks.broadcast()
    return copy.restored() if isinstance(copy, RunCopy) else None


def follow(run: Run, live: LiveRequests) -> None:
    """Trains `run` on this rank, along with rank 0. Returns too if memory is full in the first
    step, and all ranks know: rank 0 begins again with smaller batches then, or ends the job."""
    try:
        for _ in loop.fit(run, live):
            pass
    except OutOfMemoryError as error:
        if not (run.is_before_first_step and error.on_all_ranks):
            raise
