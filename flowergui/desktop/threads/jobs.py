"""The short jobs beside a run: scanning images, describing a network, predicting."""

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from flowergui.desktop.threads.worker import Worker


class Jobs(QObject):
    """Runs jobs by name, each in a thread of its own; a new one cancels that of the same name."""

    ended = Signal(str)
    """A job's name; also after an error and where it was cancelled. Always comes last."""

    def __init__(
        self, report: Callable[[BaseException], None], parent: QObject | None = None
    ) -> None:
        """`report` shows an error to the user; it is what a job without `on_error` has."""
        super().__init__(parent)
        self.report = report
        self.closed = False
        """Whether no job starts any more: the window has gone, and would not wait for it."""
        self._workers: dict[str, Worker] = {}
        self._warnings: dict[str, str] = {}

    def do(
        self,
        name: str,
        job: Callable[[], Iterator[Any]],
        on_events: Callable[[Any], None],
        on_error: Callable[[BaseException], None] | None = None,
        *,
        warning: str = "",
    ) -> None:
        """Starts a job. `on_events` takes tuples of its events, in their order; `on_error` takes
        the exception that ended it (None: it is reported). Both are called in the window's
        thread, and no more once the job is cancelled. `warning` is a sentence for the user, who
        is asked before the end of the window cancels the job; "" where nobody needs to be."""
        if self.closed:
            return
        self.cancel(name)
        worker = Worker(job)
        worker.setObjectName(name)
        worker.produced.connect(on_events)
        worker.failed.connect(on_error or self.report)
        worker.ended.connect(self._ended)
        self._workers[name] = worker
        if warning:
            self._warnings[name] = warning
        worker.start()

    def is_running(self, name: str) -> bool:
        """Whether a job of this name goes."""
        return name in self._workers

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the end of the window would stop, in sentences."""
        return tuple(self._warnings.values())

    def cancel(self, name: str) -> None:
        """Ends the job of this name, if one goes; nothing more is heard of it."""
        if name in self._workers:
            self._workers[name].cancel()
            self._warnings.pop(name, None)

    @Slot()
    def _ended(self) -> None:
        worker = self.sender()
        name = worker.objectName()
        if self._workers.get(name) is worker:
            del self._workers[name]
            self._warnings.pop(name, None)
        self.ended.emit(name)
