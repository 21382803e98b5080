"""How fast a run goes, and how long it will still take: measured, with progressive resizing."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size, training_size
from flowergui.config.time_budget import TRAINING_FACTOR
from flowergui.events import BatchDone, EpochDone, Event, RunStarted, ValidationProgress

SAMPLES = 60
"""Chunks of batches that are remembered."""
MAX_SLOWDOWN = 5.0
"""A chunk so many times slower than the median (a laptop that slept, say) is no measure."""
VALIDATION_SHARE = 0.4
"""What validating a photo costs, compared with training on it, until it has been measured:
a forward pass is about a third of a training step, and photos have to be read too."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    seconds: float
    batches: int
    photos: int
    size: int
    """The side in pixels of the images that were trained on; negative while the head is fitted."""


class Eta:
    """Takes chunks of a run's events, and the seconds of a steady clock at which they came."""

    def __init__(self, started: RunStarted, recipe: Recipe | None = None) -> None:
        """`recipe` says whether the images grow, and whether the first epoch fits the head (None:
        neither)."""
        self._started, self._epochs = started, started.epochs
        self._recipe = recipe
        size = recipe.training_size if recipe else 0
        if started.training_size is not None:  # the time budget may have chosen another
            size = started.training_size
        self._sizes = (
            recipe.first_training_size if recipe else 0,
            largest_training_size(size, started.image_size),
        )
        self._chunks: deque[_Chunk] = deque(maxlen=SAMPLES)
        self._validations: deque[float] = deque(maxlen=3)
        self._validation = 0.0
        self._batch: BatchDone | None = None
        self._epochs_done = started.epoch - 1
        self._last: float | None = None
        self._spent = 0.0

    def interrupted(self) -> None:
        """The run rests: the time until its next event is no measure."""
        self._last = None

    def took(self, events: Sequence[Event], now: float) -> None:
        """The time since the chunk before is what these events took. The first batch only
        starts the clock: it warms up."""
        batches = [event for event in events if isinstance(event, BatchDone)]
        ended = [event for event in events if isinstance(event, EpochDone)]
        validated = ended or any(isinstance(event, ValidationProgress) for event in events)
        if not (batches or validated):
            return
        seconds = 0.0 if self._last is None else now - self._last
        self._last = now
        self._spent += seconds
        if batches:
            self._batch = batches[-1]
            if seconds > 0:
                photos = sum(batch.photos for batch in batches)
                size = self._size(batches[-1].epoch)
                self._chunks.append(_Chunk(seconds, len(batches), photos, size))
        else:
            self._validation += seconds
        if ended:
            self._epochs_done, self._epochs = ended[-1].epoch, ended[-1].epochs
            self._validations.append(self._validation)
            self._validation = 0.0

    def photos_per_second(self) -> float | None:
        """While training, over the last chunks; None before anything was measured."""
        chunks = self._steady(self._chunks[-1].size) if self._chunks else []
        if not chunks:
            return None
        return sum(chunk.photos for chunk in chunks) / sum(chunk.seconds for chunk in chunks)

    def seconds_left(self) -> float | None:
        """Until the last epoch is validated; None before anything was measured."""
        batch, started = self._batch, self._started
        if batch is None or not self._chunks:
            return None
        costs = self._batch_seconds()
        training = (batch.batches - batch.batch) * self._cost(costs, batch.epoch)
        for epoch in range(batch.epoch + 1, self._epochs + 1):
            training += batch.batches * self._cost(costs, epoch)
        if self._validations:
            validation = mean(self._validations)
        else:
            share = started.validation_photos / max(1, started.train_photos)
            last = self._cost(costs, self._epochs)  # validation images have their full size
            validation = VALIDATION_SHARE * share * batch.batches * last
        left = training + max(0, self._epochs - self._epochs_done) * validation
        if self._recipe is None or not self._recipe.minutes or self._started.resumed:
            return left
        return min(left, max(60 * self._recipe.minutes - self._spent, 0.0))

    def _size(self, epoch: int) -> int:
        if self._recipe is not None and self._recipe.fits_head_in(epoch):
            return -self._started.image_size
        first, last = self._sizes
        return training_size(first, last, epoch, self._epochs)

    def _batch_seconds(self) -> dict[int, float]:
        """What a batch took, by the size of its images."""
        costs = {}
        for size in {chunk.size for chunk in self._chunks}:
            chunks = self._steady(size)
            costs[size] = sum(c.seconds for c in chunks) / sum(c.batches for c in chunks)
        return costs

    def _cost(self, costs: dict[int, float], epoch: int) -> float:
        """What a batch of `epoch` takes in seconds: as measured for the size nearest to its own,
        by the number of pixels."""
        size = self._size(epoch)
        if size in costs:
            return costs[size]
        if not (trained := [measured for measured in costs if measured > 0]):
            fitted = next(iter(costs))
            return TRAINING_FACTOR * costs[fitted] * (size / fitted) ** 2
        nearest = min(trained, key=lambda measured: abs(measured - size))
        return costs[nearest] * (size / nearest) ** 2

    def _steady(self, size: int) -> list[_Chunk]:
        """The chunks of this size, but for those that took far too long."""
        chunks = [chunk for chunk in self._chunks if chunk.size == size]
        usual = median(chunk.seconds / chunk.batches for chunk in chunks)
        return [c for c in chunks if c.seconds / c.batches <= MAX_SLOWDOWN * usual]
