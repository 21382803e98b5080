"""Rank 0 of a torchrun job leads; its other processes train along."""

from collections.abc import Iterator

from flowergui.events import Event
from flowergui.learning.device.distributed import world
from flowergui.learning.training import loop
from flowergui.learning.training.run_copy import RunCopy
from flowergui.requests import LiveRequests
from flowergui.system import tuning


def led(events: Iterator[Event], live: LiveRequests) -> Iterator[Event]:
    """The `events` of a task that trains, in the process that leads. Any other process trains along
    until that one is done, and yields nothing."""
    ranks = world()
    if ranks.leads:
        yield from events
        ranks.assign()
        return
    tuning.tune_malloc()
    with ranks.report_lost_rank():
        while isinstance(copy := ranks.assign(), RunCopy):
            for _ in loop.fit(copy.restored(), live):
                pass
