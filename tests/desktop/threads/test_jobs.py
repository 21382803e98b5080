"""Short jobs: each has its own handlers."""

import threading
from collections.abc import Iterator
from typing import Any

from flowergui.desktop.threads.jobs import Jobs


def refuse(text: str) -> Iterator[Any]:
    raise ValueError(text)
    yield


def test_each_job_has_its_own_handlers(qtbot):
    reported: list[str] = []
    heard: list[Any] = []
    failed: list[str] = []
    jobs = Jobs(lambda error: reported.append(str(error)))
    ended: list[str] = []
    jobs.ended.connect(ended.append)
    jobs.do("a", lambda: iter((1, 2)), heard.extend)
    jobs.do("b", lambda: refuse("b fails"), heard.extend, lambda error: failed.append(str(error)))
    jobs.do("c", lambda: refuse("c fails"), heard.extend)
    assert jobs.is_running("a")
    qtbot.waitUntil(lambda: sorted(ended) == ["a", "b", "c"])
    assert (heard, failed, reported) == ([1, 2], ["b fails"], ["c fails"])
    assert not jobs.is_running("a")


def test_a_job_that_is_cancelled_is_heard_no_more(qtbot):
    reported: list[BaseException] = []
    heard: list[Any] = []
    jobs = Jobs(reported.append)
    jobs.do("a", lambda: refuse("it fails"), heard.extend)
    with qtbot.waitSignal(jobs.ended):
        jobs.cancel("a")
    assert (heard, reported) == ([], [])
    jobs.closed = True
    jobs.do("a", lambda: iter((1,)), heard.extend)
    assert not jobs.is_running("a")


def test_what_the_end_of_the_window_would_stop_is_known_while_it_goes(qtbot):
    goes_on = threading.Event()

    def job() -> Iterator[Any]:
        goes_on.wait()
        yield 1

    jobs = Jobs(lambda error: None)
    for name in ("a", "b"):
        jobs.do(name, job, lambda events: None, warning=f"{name} would be stopped.")
    jobs.do("c", job, lambda events: None)
    assert jobs.warnings == ("a would be stopped.", "b would be stopped.")
    jobs.cancel("b")
    assert jobs.warnings == ("a would be stopped.",)
    goes_on.set()
    qtbot.waitUntil(lambda: not any(map(jobs.is_running, "abc")))
    assert jobs.warnings == ()
