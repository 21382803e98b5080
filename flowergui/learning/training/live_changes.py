"""What changes in a running run between two batches: what a frontend asks of it, and layers that
are unfrozen."""

from collections.abc import Generator

from flowergui.errors import FlowerError
from flowergui.events import Event, FrozenChanged, LearningRateChanged, Warned
from flowergui.learning.training.failures import require_finite
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests


def apply_requests(run: Run, live: LiveRequests) -> Generator[Event, None, bool]:
    """Applies what a frontend has asked for since the last batch, and what other processes have
    asked for by a file in the run folder. Returns whether to stop. Raises
    NonFiniteError where the network can't be saved any more."""
    if (asked := run.folder_requests.take()) is not None:
        live.save = live.save or asked.save
        live.stop = live.stop or asked.stop
    if live.frozen is not None:
        patterns, live.frozen = live.frozen, None
        try:
            yield run.freeze_as_asked(patterns)
        except FlowerError as error:
            yield Warned(str(error))
    if live.unfreeze_schedule is not None:
        schedule, live.unfreeze_schedule = live.unfreeze_schedule, None
        try:
            run.set_unfreeze_schedule(schedule)
        except FlowerError as error:
            yield Warned(str(error))
    if live.learning_rate is not None:
        rate, live.learning_rate = live.learning_rate, None
        run.set_learning_rate(rate)
        changed = LearningRateChanged(run.progress.step, rate)
        run.record(changed)
        yield changed
    if live.save:
        live.save = False
        require_finite(run)
        yield from run.save()
    return live.stop


def unfreeze_due(run: Run) -> Generator[FrozenChanged, None, bool]:
    """Unfreezes, at the start of an epoch, the layers that train from this epoch on. Returns
    whether there are any."""
    epochs = run.unfreeze_epochs(run.model.frozen)
    still = [name for name, epoch in epochs.items() if not 0 < epoch <= run.progress.epoch]
    if len(still) == len(epochs):
        return False
    yield run.freeze(still)
    return True
