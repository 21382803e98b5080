"""Reads from a drive that may not answer: in threads that nobody has to wait for.

A thread in a system call on a stalled network drive can't be ended. Those of ThreadPoolExecutor
would keep the program from ending too.
"""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

from flowergui.errors import FlowerError
from flowergui.text import tr

STALL_S = 2.0
"""Seconds after which people are told what is waited for."""

MAX_WAIT_S = 60.0
"""Seconds after which a read is given up: longer than a disk takes to start spinning."""

JOIN_S = 2.0
"""Seconds that the end of a pool waits for its threads."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Params = ParamSpec("Params")


class DaemonThreads(Executor):
    """Like ThreadPoolExecutor, but the program may end while its threads are in a system call."""

    def __init__(self, count: int, name: str = "photos") -> None:
        self.count = count
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self, fn: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Future[Result]:
        """Does `fn` in the next thread that is free."""
        future: Future[Result] = Future()
        self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the threads once nothing is left to do; waits for them, but not for ever."""
        with suppress(Empty):
            while cancel_futures:
                if (job := self._jobs.get_nowait()) is not None:
                    job[0].cancel()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads if wait else ():
            thread.join(JOIN_S)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del job, future, call  # what they hold is free while the thread waits


def why_stalled() -> str:
    """Why a read was given up."""
    return tr("its drive did not answer for {seconds} s", seconds=f"{MAX_WAIT_S:g}")


@dataclass(frozen=True, slots=True)
class Stalled:
    """What is waited for: the path of a file or folder."""

    path: str


class StalledError(FlowerError):
    """A drive doesn't answer; `reason` says so without the path."""

    def __init__(self, path: str) -> None:
        self.reason = why_stalled()
        super().__init__(
            tr("{path} can't be read: {reason}.", path=path, reason=self.reason),
            hint=tr("Check the drive or the network, or copy the images to another drive."),
        )


def patient(
    future: Future[Result], waits_for: Callable[[], str]
) -> Generator[Stalled, None, Result]:
    """Waits for a result. Yields Stalled every STALL_S seconds, and raises StalledError after
    MAX_WAIT_S seconds, in which `waits_for()` stayed the same."""
    waited, path = 0.0, waits_for()
    while True:
        wait((future,), STALL_S)
        if future.done():
            return future.result()
        waited, path = (waited + STALL_S if path == waits_for() else 0.0), waits_for()
        if waited >= MAX_WAIT_S:
            raise StalledError(path)
        yield Stalled(path)


def in_background(
    steps: Generator[Item, None, Result], waits_for: Callable[[], str]
) -> Generator[Item | Stalled, None, Result]:
    """The items of `steps`, which are made in a thread, and what it returns; with Stalled between
    them, and StalledError, as in `patient`."""
    pool = DaemonThreads(1, "listing")
    try:
        while True:
            is_end, value = yield from patient(pool.submit(_step, steps), waits_for)
            if is_end:
                result: Result = value
                return result
            yield value
    finally:
        pool.shutdown()


def _step(steps: Generator[Any, None, Any]) -> tuple[bool, Any]:
    try:
        return False, next(steps)
    except StopIteration as end:
        return True, end.value
