"""How far a run has come: counters, running metrics of the epoch, and the clock."""

import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

from flowergui.events import EpochDone, Event
from flowergui.learning.device.distributed import World

Record = TypeVar("Record")


def from_mapping(kind: type[Record], stored: Mapping[str, Any]) -> Record:
    """A dataclass of numbers from a checkpoint of any version: unknown fields are ignored, and
    missing ones get their default, or None or 0 if they have none. Raises TypeError or ValueError
    if a value is no number."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]
        numeric = hints[each.name] if hints[each.name] in (int, float) else None
        value = stored.get(each.name)
        if value is not None:
            values[each.name] = (numeric or float)(value)
        elif each.default is MISSING and each.default_factory is MISSING:
            values[each.name] = numeric(0) if numeric else None
    return kind(**values)


def epochs_from(stored: object) -> list[EpochDone]:
    """The epochs in a checkpoint's `history`; none if it has no such list."""
    rows = stored if isinstance(stored, list) else []
    return [from_mapping(EpochDone, row) for row in rows if isinstance(row, Mapping)]


@dataclass(slots=True)
class RunningMetrics:
    """Sums over the images of an epoch so far: `loss` and `right` (correct predictions) over
    `photos` images, and the seconds that they took, `caching` of them to cache features of training
    images, and `validation_caching` those of validation images."""

    loss: float = 0.0
    right: int = 0
    photos: int = 0
    seconds: float = 0.0
    caching: float = 0.0
    validation_caching: float = 0.0

    def add(self, loss: float, correct: int, images: int) -> None:
        """Adds a batch of `images` with this mean loss."""
        self.loss += loss * images
        self.right += correct
        self.photos += images

    def sum_over(self, world: World) -> None:
        """Adds up what the processes have counted, each on its share of the images."""
        if not world.is_alone:
            loss, right, photos = world.all_reduce_sum(self.loss, self.right, self.photos)
            self.loss, self.right, self.photos = loss, int(right), int(photos)

    @property
    def mean_loss(self) -> float | None:
        """None before the first image."""
        return self.loss / self.photos if self.photos else None

    @property
    def accuracy(self) -> float | None:
        """From 0 to 1; None before the first image."""
        return self.right / self.photos if self.photos else None


@dataclass(slots=True)
class CachingRate:
    """How fast features are cached: the `seconds` of the images after the `first` ones, up to
    `done` images. The first group of images warms up, and does not count."""

    first: int = 0
    done: int = 0
    seconds: float = 0.0

    def count(self, done: int, seconds: float) -> None:
        """`done` images are cached now, the last group of them in so many seconds. If there are no
        more than before, features are cached anew."""
        if done <= self.done or not self.first:
            self.first, self.seconds = done, 0.0
        else:
            self.seconds += seconds
        self.done = done

    @property
    def image_seconds(self) -> float:
        """What an image takes; 0.0 before the second group."""
        return self.seconds / (self.done - self.first) if self.done > self.first else 0.0


@dataclass(slots=True)
class Progress:
    """Counters of a run: `batch` batches of `epoch` (from 1) are done, `step` optimizer steps in
    all. `returns` counts its rollbacks. `best_epoch` is 0 before the first best one.
    `validation_images` of the validation set are measured; 0 for all of them. `image_size` is the
    side in pixels of the images that were trained on last; 0 before any. The fields' names are
    those in checkpoints."""

    epoch: int = 1
    batch: int = 0
    step: int = 0
    best_accuracy: float = 0.0
    best_loss: float = math.inf
    best_epoch: int = 0
    seconds: float = 0.0
    returns: int = 0
    sums: RunningMetrics = field(default_factory=RunningMetrics)
    validation_images: int = 0
    image_size: int = 0

    @property
    def validated(self) -> bool:
        """Whether the best epoch was measured on a validation set."""
        return math.isfinite(self.best_loss)

    def add_seconds(self, seconds: float) -> None:
        """Counts time for the run and for its epoch."""
        self.seconds += seconds
        self.sums.seconds += seconds

    def is_best(self, accuracy: float | None, loss: float | None, *, validated: bool) -> bool:
        """Whether an epoch with these validation figures is the best so far. Without a validation
        set (`validated` is False) every epoch is. If its images could not be read, none is: nobody
        knows whether it is better."""
        if self.best_epoch == 0:
            return True
        if accuracy is None:
            return not validated
        return (accuracy, -(loss or 0.0)) > (self.best_accuracy, -self.best_loss)

    def set_best(self, accuracy: float | None, loss: float | None) -> None:
        """Makes the present epoch the best one."""
        self.best_accuracy = accuracy or 0.0
        self.best_loss = loss if loss is not None else math.inf
        self.best_epoch = self.epoch

    def forget_best(self) -> None:
        """Looks for the best epoch from here on: accuracies before can't be compared, or the
        checkpoint of the best one is gone."""
        self.best_accuracy, self.best_epoch, self.best_loss = 0.0, 0, math.inf

    def next_epoch(self) -> None:
        """The present epoch is over."""
        self.epoch += 1
        self.restart_epoch()

    def restart_epoch(self) -> None:
        """The present epoch starts at its first batch."""
        self.batch, self.sums = 0, RunningMetrics()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps under `progress`."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from `state`, of any version: see `from_mapping`."""
        sums = state.get("sums")
        numbers = {name: value for name, value in state.items() if name != "sums"}
        loaded = from_mapping(Progress, numbers)
        for each in fields(self):
            setattr(self, each.name, getattr(loaded, each.name))
        self.sums = from_mapping(RunningMetrics, sums if isinstance(sums, Mapping) else {})


Result = TypeVar("Result")


class Clock:
    """Counts the seconds that a run computes. The time between an event and the request for the
    next one belongs to the frontend: a run is paused by not asking."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seconds = 0.0
        self._since: float | None = None

    def timed(self, events: Generator[Event, None, Result]) -> Generator[Event, None, Result]:
        """Passes `events` on, and counts the time that each takes to come."""
        try:
            while True:
                self._since = self._now()
                try:
                    event = next(events)
                except StopIteration as end:
                    result: Result = end.value
                    return result
                finally:
                    self._seconds += self._now() - self._since
                    self._since = None
                yield event
        finally:
            events.close()

    def lap(self) -> float:
        """The seconds since the last lap."""
        seconds, self._seconds = self._seconds, 0.0
        if self._since is not None:
            now = self._now()
            seconds += now - self._since
            self._since = now
        return seconds
