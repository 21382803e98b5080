"""Short jobs: each has its own handlers."""

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
