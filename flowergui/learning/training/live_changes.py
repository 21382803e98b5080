"""What a frontend asks of a running run, applied between two batches."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace

from flowergui.errors import FlowerError
from flowergui.events import Event, FrozenChanged, LearningRateChanged, Warned
from flowergui.learning.training.failures import require_finite
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests


def apply_requests(run: Run, live: LiveRequests) -> Generator[Event, None, bool]:
    """Applies what a frontend has asked for since the last batch. Returns whether to stop. Raises
    NonFiniteError where the network can't be saved any more."""
    if live.frozen is not None:
        patterns, live.frozen = live.frozen, None
        try:
            yield from change_frozen(run, patterns)
            run.recipe = replace(run.recipe, freeze_epochs=0)  # what is asked for lasts
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


def change_frozen(run: Run, patterns: Iterable[str]) -> Iterator[FrozenChanged]:
    """Freezes what matches `patterns`, and nothing else, from the next step on. Raises FlowerError
    if nothing would be left to train."""
    run.freeze(patterns)
    changed = FrozenChanged(run.progress.step, run.model.frozen, *run.model.trainable())
    run.record(changed)
    yield changed
