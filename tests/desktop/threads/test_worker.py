"""The worker: every event arrives, in order, in bounded chunks, and the window stays alive."""

import itertools
import subprocess
import sys
import threading
import time

import pytest
from PySide6.QtCore import QThread, QTimer

from flowergui.desktop.threads import worker as worker_module
from flowergui.desktop.threads.worker import (
    CHUNK_INTERVAL_MS,
    MAX_CHUNK_EVENTS,
    MAX_WAITING_EVENTS,
    Worker,
    end_all,
)
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, Saved


def batch(step: int) -> BatchDone:
    return BatchDone(1, step, 10, step, 1.0 / step, 0.5, 0.001, 32)


@pytest.fixture
def run(qtbot):
    """Starts a worker over a generator function and collects what it emits."""
    started = []

    def start(job, *, begin=True):
        worker = Worker(job)
        worker.chunks = []
        worker.order = []
        worker.produced.connect(worker.chunks.append)
        worker.produced.connect(lambda chunk: worker.order.append("produced"))
        worker.paused.connect(lambda: worker.order.append("paused"))
        worker.failed.connect(lambda error: worker.order.append(error))
        worker.ended.connect(lambda: worker.order.append("ended"))
        started.append(worker)
        if begin:
            worker.start()
        return worker

    yield start
    for worker in started:
        worker.cancel()
        assert worker.wait(5000)
    qtbot.waitUntil(lambda: not worker_module._running)


def events_of(worker):
    return [event for chunk in worker.chunks for event in chunk]


def test_events_arrive_in_order_and_ended_comes_last(run, qtbot):
    worker = run(lambda: (batch(step) for step in range(1, 1001)), begin=False)
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert [event.step for event in events_of(worker)] == list(range(1, 1001))
    assert worker.order[-1] == "ended"
    assert worker.isFinished()


def test_the_job_runs_in_a_thread_of_its_own_and_slots_do_not(run, qtbot):
    threads = []

    def job():
        threads.append(QThread.currentThread())
        yield batch(1)

    worker = run(job, begin=False)
    worker.produced.connect(lambda chunk: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert threads == [worker, worker.thread()]


def test_a_slow_generator_is_shown_event_by_event(run, qtbot):
    """An event must not wait for the one after it."""
    seen = threading.Semaphore(0)

    def job():
        for step in range(1, 6):
            yield batch(step)
            assert seen.acquire(timeout=5)

    worker = run(job, begin=False)
    worker.produced.connect(lambda chunk: seen.release())
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert [len(chunk) for chunk in worker.chunks] == [1] * 5


def test_a_flood_loses_nothing_is_bounded_and_starves_no_timer(run, qtbot):
    count = 100_000
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    worker = run(lambda: (batch(step) for step in range(1, count + 1)), begin=False)
    timer.start(10)
    begun = time.perf_counter()
    with qtbot.waitSignal(worker.ended, timeout=20_000):
        worker.start()
    timer.stop()
    seconds = time.perf_counter() - begun
    assert [event.step for event in events_of(worker)] == list(range(1, count + 1))
    assert max(map(len, worker.chunks)) <= MAX_CHUNK_EVENTS
    # The chunks of the remainder come at once when the job is over.
    assert (
        len(worker.chunks)
        <= seconds * 1000 / CHUNK_INTERVAL_MS + MAX_WAITING_EVENTS / MAX_CHUNK_EVENTS + 2
    )
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    # Some 0.1 s on a busy two-core machine; one signal per event would starve it for seconds.
    assert max(gaps) < 0.5


def test_the_generator_waits_for_a_window_that_is_far_behind(run, qtbot):
    told = []

    def job():
        for step in range(1, 3 * MAX_WAITING_EVENTS):
            told.append(step)
            yield batch(step)

    worker = run(job)
    # The event loop stands still here, so nothing is taken from the worker.
    assert not worker.wait(300)
    assert len(told) <= MAX_WAITING_EVENTS + 1
    with qtbot.waitSignal(worker.ended, timeout=20_000):
        pass
    assert len(events_of(worker)) == 3 * MAX_WAITING_EVENTS - 1


def test_pause_asks_for_nothing_and_go_on_asks_again(run, qtbot):
    worker = run(lambda: (batch(step) for step in range(1, 11)), begin=False)
    worker.pause()
    with qtbot.waitSignal(worker.paused):
        worker.start()
    assert [event.step for event in events_of(worker)] == [1]
    assert worker.order == ["produced", "paused"]
    assert not worker.wait(50)
    with qtbot.waitSignal(worker.ended):
        worker.unpause()
    assert len(events_of(worker)) == 10


def test_pause_after_a_kind_rests_exactly_there(run, qtbot):
    def job():
        for step in range(1, 101):
            yield Saved("last.pth", 1, step) if step == 60 else batch(step)

    worker = run(job, begin=False)
    worker.pause(at=lambda event: isinstance(event, Saved))
    with qtbot.waitSignal(worker.paused):
        worker.start()
    assert isinstance(events_of(worker)[-1], Saved)
    assert len(events_of(worker)) == 60
    with qtbot.waitSignal(worker.ended):
        worker.unpause()
    assert len(events_of(worker)) == 100


@pytest.mark.parametrize(
    "error", [FlowerError("No such folder."), ValueError("a defect"), SystemExit(3)]
)
def test_what_is_raised_is_told_after_the_events(run, qtbot, error):
    def job():
        yield batch(1)
        raise error

    worker = run(job, begin=False)
    with qtbot.waitSignal(worker.ended):
        worker.start()
    assert worker.order == ["produced", error, "ended"]


def test_a_job_that_cannot_even_begin_is_told(run, qtbot):
    def job():
        raise FlowerError("There is no run to resume.")

    worker = run(job, begin=False)
    with qtbot.waitSignals([worker.failed, worker.ended]):
        worker.start()


def test_cancel_closes_the_generator_and_silences_it(run, qtbot):
    closed_in = []

    def job():
        try:
            for step in range(1, 10**9):
                yield batch(step)
        finally:
            closed_in.append(QThread.currentThread())

    worker = run(job, begin=False)
    with qtbot.waitSignal(worker.produced):
        worker.start()
    with qtbot.waitSignal(worker.ended):
        worker.cancel()
        produced = len(worker.chunks)
    assert closed_in == [worker]
    assert len(worker.chunks) == produced


def test_cancel_wakes_a_paused_job(run, qtbot):
    worker = run(lambda: iter([batch(1), batch(2)]), begin=False)
    worker.pause()
    with qtbot.waitSignal(worker.paused):
        worker.start()
    with qtbot.waitSignal(worker.ended):
        worker.cancel()
    assert len(events_of(worker)) == 1


def test_a_worker_that_nobody_holds_lives_until_it_ended(qtbot):
    done = threading.Event()
    may_end = threading.Event()

    def job():
        assert may_end.wait(5)
        yield batch(1)
        done.set()

    Worker(job).start()
    may_end.set()
    qtbot.waitUntil(lambda: not worker_module._running)
    assert done.is_set()


def test_end_all_leaves_no_thread(run):
    workers = [run(lambda: (batch(step) for step in range(1, 10**9))) for _ in range(3)]
    assert end_all(5000)
    assert all(worker.isFinished() for worker in workers)


EMITS_AND_REDRAWS = """
import sys
import threading
from PySide6.QtWidgets import QApplication
from flowergui.desktop.threads import worker
from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.events import BatchDone

app = QApplication([])
plot = LivePlot()
plot.show()
worker.CHUNK_INTERVAL_MS = 0
chunks = []
redraws = []
taken = threading.Semaphore(0)

def job():
    for step in range(1, 5001):
        yield BatchDone(1, step, 5000, step, 1 / step, 0.5, 0.001, 32)
        taken.acquire()

def take(chunk):
    chunks.append(chunk)
    plot.append(chunk)
    if len(chunks) % 16 == 0:
        plot.draw()
        redraws.append(plot.grab())
    taken.release()

thread = worker.Worker(job)
thread.produced.connect(take)
thread.ended.connect(app.quit)
thread.start()
app.exec()
assert len(chunks) == 5000, len(chunks)
assert len(redraws) >= 300, len(redraws)
sys.exit(0)
"""


def test_5000_emits_and_300_redraws_end_cleanly():
    """Reference counting across threads has aborted PySide6 before (6.12.0 on Python 3.11)."""
    ended = subprocess.run(
        [sys.executable, "-c", EMITS_AND_REDRAWS], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(("error", "is_logged"), [(FlowerError("No."), False), (OSError(), True)])
def test_of_a_cancelled_job_only_a_defect_is_logged(run, qtbot, caplog, error, is_logged):
    """What is refused would be a traceback on the terminal, for something nobody waits for."""
    begun, over = threading.Event(), threading.Event()

    def job():
        begun.set()
        over.wait()
        raise error
        yield

    worker = run(job)
    begun.wait()
    worker.cancel()
    with qtbot.waitSignal(worker.ended):
        over.set()
    assert worker.order == ["ended"]
    assert ("A cancelled job failed." in caplog.text) == is_logged
