"""Counters are read from checkpoints of any version; a clock doesn't count pauses."""

from collections.abc import Generator
from typing import Any

import pytest

from flowergui.events import EpochDone, Event, Warned
from flowergui.learning.training.progress import (
    CachingRate,
    Clock,
    Progress,
    RunningMetrics,
    epochs_from,
    from_mapping,
)

STORED = Progress(3, 1, 7, 0.5, 0.9, 2, 12.5, 1, RunningMetrics(3.5, 4, 6, 0.25), 60).state_dict()


def test_what_is_kept_is_read() -> None:
    progress = Progress()
    progress.load_state_dict(STORED)
    assert progress == Progress(3, 1, 7, 0.5, 0.9, 2, 12.5, 1, RunningMetrics(3.5, 4, 6, 0.25), 60)


@pytest.mark.parametrize("name", list(STORED))
def test_a_field_that_is_missing_has_its_default(name: str) -> None:
    progress = Progress()
    progress.load_state_dict({key: each for key, each in STORED.items() if key != name})
    assert getattr(progress, name) == getattr(Progress(), name)
    others = {key: each for key, each in progress.state_dict().items() if key != name}
    assert others == {key: each for key, each in STORED.items() if key != name}


def test_fields_of_later_versions_are_ignored() -> None:
    progress = Progress()
    sums: dict[str, Any] = STORED["sums"]
    progress.load_state_dict({**STORED, "later": 1, "sums": {"loss": 2.0, "later": sums}})
    assert progress.sums == RunningMetrics(2.0)
    assert progress.step == 7


def test_epochs_of_any_version_are_read() -> None:
    row = {"epoch": 2, "epochs": 3, "train_loss": 0.5, "val_loss": None, "later": "x"}
    (done,) = epochs_from([row])
    assert done == from_mapping(EpochDone, row)
    assert (done.epoch, done.train_loss, done.val_loss, done.val_accuracy) == (2, 0.5, None, None)
    assert (done.best_epoch, done.seconds) == (0, 0.0)
    assert epochs_from(None) == []


def test_pauses_are_not_counted() -> None:
    now = [0.0]
    clock = Clock(lambda: now[0])

    def working() -> Generator[Event, None, str]:
        now[0] += 2
        yield Warned("1")
        now[0] += 3
        laps.append(clock.lap())
        now[0] += 4
        yield Warned("2")
        return "over"

    def outer() -> Generator[Event, None, None]:
        results.append((yield from clock.timed(working())))

    laps: list[float] = []
    results: list[str] = []
    for _ in outer():
        now[0] += 100  # a pause
    assert (laps, clock.lap(), clock.lap(), results) == ([5.0], 4.0, 0.0, ["over"])


def test_what_is_closed_closes_what_it_passes_on() -> None:
    closed = []

    def working() -> Generator[Event, None, None]:
        try:
            yield Warned("1")
        finally:
            closed.append(True)

    going = Clock().timed(working())
    next(going)
    going.close()
    assert closed


def test_the_first_group_that_is_cached_does_not_count() -> None:
    rate = CachingRate()
    rate.count(16, 5.0)
    assert rate.image_seconds == 0.0
    rate.count(32, 1.6)
    rate.count(48, 3.2)
    assert rate.image_seconds == pytest.approx(0.15)
    rate.count(16, 5.0)  # another version of the images
    assert rate.image_seconds == 0.0
    rate.count(32, 0.8)
    assert rate.image_seconds == pytest.approx(0.05)
