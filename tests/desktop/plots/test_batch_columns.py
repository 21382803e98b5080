"""Batches as columns."""

import math
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from flowergui import tasks
from flowergui.desktop.plots.batch_columns import BatchColumns
from flowergui.desktop.session import RunState, Store
from flowergui.desktop.training import run_history
from flowergui.desktop.training.run_history import HistoryLoaded
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.events import BatchDone, EpochDone, RunStarted


def batch(step: int, batches: int = 40, loss: float = 1.0) -> BatchDone:
    return BatchDone(1 + step // batches, step % batches, batches, step, loss, 0.5, 0.01, 32)


@pytest.mark.parametrize(("batches", "span"), [(4, 10), (40, 20), (5_000, 500)])
def test_they_are_smoothed_over_half_an_epoch(batches: int, span: float) -> None:
    assert BatchColumns.of([batch(1, batches)]).span == span
    assert BatchColumns.of([batch(1, batches)], 7.0).span == 7.0


def test_in_pieces_they_are_what_they_are_at_once() -> None:
    batches = [batch(step, loss=math.sin(step)) for step in range(1, 101)]
    whole, first = BatchColumns.of(batches), BatchColumns.of(batches[:60])
    then = BatchColumns.of(batches[60:], first.span, first.loss_smooth, first.accuracy_smooth)
    for name, column in whole.columns().items():
        pieces = np.append(first.columns()[name], then.columns()[name])
        np.testing.assert_allclose(pieces, column)


def test_what_is_not_finite_is_left_out() -> None:
    points = BatchColumns.of([batch(1), batch(2, loss=math.inf), batch(3, loss=math.nan)])
    np.testing.assert_array_equal(points.loss, [1.0, math.nan, math.nan])
    np.testing.assert_allclose(points.loss_smooth, 1.0)


def test_nothing_is_nothing() -> None:
    assert {len(column) for column in BatchColumns.of([]).columns().values()} == {0}


def test_what_a_run_had_told_is_gone_through_beside_the_windows_thread(qtbot, monkeypatch) -> None:
    """The window would wait a quarter of a second for 200,000 batches."""
    where: list[threading.Thread] = []

    class Noting(BatchColumns):
        @classmethod
        def of(cls, *args, **more):
            where.append(threading.current_thread())
            return BatchColumns.of(*args, **more)

    opened = RunStarted(
        "run", "mynet", "scratch", ("a", "b"), 240, 60, 64, "cpu", "float32", 3, 40, 2, 0, 40,
        36, 36, (), True,
    )  # fmt: skip
    done = EpochDone(1, 3, 40, 1.0, 0.5, 1.0, 0.5, 0.5, 1, 0.001, 1.0)
    monkeypatch.setattr(run_history, "BatchColumns", Noting)
    monkeypatch.setattr(
        tasks, "history", lambda run: iter([*(batch(step) for step in range(1, 451)), done])
    )
    breaths: list[float] = []
    monkeypatch.setattr(run_history, "time", SimpleNamespace(sleep=breaths.append))
    control, told = TrainingController(Store()), []
    control.produced.connect(told.extend)
    control.begin(lambda live: iter([opened]))
    qtbot.waitUntil(lambda: control.state == RunState.IDLE)
    (recalled,) = [event for event in told if isinstance(event, HistoryLoaded)]
    assert recalled.points.step.tolist() == list(range(1, 451))
    assert breaths == [run_history.PAINT_SECONDS, *5 * [run_history.SLEEP_SECONDS]]
    assert recalled.epochs == (done,)
    assert where
    assert threading.main_thread() not in where
