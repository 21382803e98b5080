"""What changes in a running run between two batches: what a frontend asks of it, and layers that
are unfrozen."""

from collections.abc import Generator, Iterator
from dataclasses import replace

from flowergui.errors import FlowerError
from flowergui.events import Event, FrozenChanged, LearningRateChanged, Warned
from flowergui.learning.training.failures import require_finite
from flowergui.learning.training.run import Run
from flowergui.requests import NO_REQUESTS, LiveRequests


def apply_requests(run: Run, live: LiveRequests) -> Generator[Event, None, bool]:
    """Applies what a frontend has asked for since the last batch, and what other processes have
    asked for by a file in the run folder. Returns whether to stop. Raises
    NonFiniteError where the network can't be saved any more."""
    if run.world.is_main and (written := run.folder_requests.take()) is not None:
        live.save = live.save or written.save
        live.stop = live.stop or written.stop
    asked = _agreed(run, live)
    if asked.frozen is not None:
        try:
            yield run.freeze_as_asked(asked.frozen)
        except FlowerError as error:
            yield Warned(str(error))
    if asked.unfreeze_schedule is not None:
        try:
            run.set_unfreeze_schedule(asked.unfreeze_schedule)
        except FlowerError as error:
            yield Warned(str(error))
    if asked.learning_rate is not None:
        run.set_learning_rate(asked.learning_rate)
        changed = LearningRateChanged(run.progress.step, asked.learning_rate)
        run.record(changed)
        yield changed
    if asked.save:
        require_finite(run)
        yield from run.save()
    run.stopping = asked.stop
    return asked.stop


def _agreed(run: Run, live: LiveRequests) -> LiveRequests:
    """What all processes do now: the requests to rank 0, and to stop if one of them shall stop."""
    asked = live.take()
    if run.world.is_alone:
        return asked
    stop, more = run.world.all_reduce_sum(asked.stop, run.world.is_main and asked != NO_REQUESTS)
    if more:
        asked = run.world.from_rank_0(lambda: asked)
    return replace(asked, stop=stop > 0)


def unfreeze_due(run: Run) -> Iterator[FrozenChanged]:
    """Unfreezes, at the start of an epoch, the layers that train from this epoch on."""
    epochs = run.unfreeze_epochs(run.model.frozen)
    still = [name for name, epoch in epochs.items() if not 0 < epoch <= run.progress.epoch]
    if len(still) < len(epochs):
        yield run.freeze(still)
