"""How fast a run goes, and how long it will still take; measured, never promised."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from flowergui.events import BatchDone, EpochDone, Event, RunStarted, ValidationProgress

SAMPLES = 60
"""Chunks of batches that are remembered."""
FAR_OUT = 5.0
"""A chunk so many times slower than the median (a laptop that slept, say) is no measure."""
VALIDATION_SHARE = 0.4
"""What validating a photo costs, compared with training on it, until it has been measured:
a forward pass is about a third of a training step, and photos have to be read too."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    seconds: float
    batches: int
    photos: int


class Eta:
    """Takes chunks of a run's events, and the seconds of a steady clock at which they came."""

    def __init__(self, opened: RunStarted) -> None:
        self._opened = opened
        self._chunks: deque[_Chunk] = deque(maxlen=SAMPLES)
        self._validations: deque[float] = deque(maxlen=3)
        self._validation = 0.0
        self._batch: BatchDone | None = None
        self._epochs_done = opened.epoch - 1
        self._last: float | None = None

    def interrupted(self) -> None:
        """The run rests: the time until its next event is no measure."""
        self._last = None

    def took(self, events: Sequence[Event], now: float) -> None:
        """The time since the chunk before is what these events took. The first batch only
        starts the clock: it warms up."""
        batches = [event for event in events if isinstance(event, BatchDone)]
        ended = [event.epoch for event in events if isinstance(event, EpochDone)]
        validated = ended or any(isinstance(event, ValidationProgress) for event in events)
        if not (batches or validated):
            return
        seconds = 0.0 if self._last is None else now - self._last
        self._last = now
        if batches:
            self._batch = batches[-1]
            if seconds > 0:
                photos = sum(batch.photos for batch in batches)
                self._chunks.append(_Chunk(seconds, len(batches), photos))
        else:
            self._validation += seconds
        if ended:
            self._epochs_done = ended[-1]
            self._validations.append(self._validation)
            self._validation = 0.0

    def photos_per_second(self) -> float | None:
        """While training, over the last chunks; None before anything was measured."""
        chunks = self._steady()
        if not chunks:
            return None
        return sum(chunk.photos for chunk in chunks) / sum(chunk.seconds for chunk in chunks)

    def seconds_left(self) -> float | None:
        """Until the last epoch is validated; None before anything was measured."""
        opened, batch, chunks = self._opened, self._batch, self._steady()
        if batch is None or not chunks:
            return None
        per_batch = sum(c.seconds for c in chunks) / sum(c.batches for c in chunks)
        epochs = max(0, opened.epochs - batch.epoch)
        batches = batch.batches - batch.batch + epochs * batch.batches
        if self._validations:
            validation = mean(self._validations)
        else:
            share = opened.validation_photos / max(1, opened.train_photos)
            validation = VALIDATION_SHARE * share * batch.batches * per_batch
        return batches * per_batch + max(0, opened.epochs - self._epochs_done) * validation

    def _steady(self) -> list[_Chunk]:
        if not self._chunks:
            return []
        usual = median(chunk.seconds / chunk.batches for chunk in self._chunks)
        return [c for c in self._chunks if c.seconds / c.batches <= FAR_OUT * usual]
