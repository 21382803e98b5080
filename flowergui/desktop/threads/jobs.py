"""The short jobs beside a run: looking at photos, describing a network, predicting."""

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from flowergui.desktop.threads.worker import Worker


class Jobs(QObject):
    """Runs jobs by name, each in a thread of its own; a new one cancels that of the same name."""

    failed = Signal(str, object)
    """A job's name and the exception that ended it."""
    ended = Signal(str)
    """A job's name; also after `failed` and where it was cancelled."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.closed = False
        """Whether no job starts any more: the window has gone, and would not wait for it."""
        self._workers: dict[str, Worker] = {}

    def do(self, name: str, job: Callable[[], Iterator[Any]], told: Callable[[Any], None]) -> None:
        """Starts a job; `told` is a slot that takes chunks of its events."""
        if self.closed:
            return
        self.cancel(name)
        worker = Worker(job)
        worker.setObjectName(name)
        worker.produced.connect(told)
        worker.failed.connect(self._failed)
        worker.ended.connect(self._ended)
        self._workers[name] = worker
        worker.start()

    def cancel(self, name: str) -> None:
        """Ends the job of this name, if one goes; it tells nothing more."""
        if name in self._workers:
            self._workers[name].cancel()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self.failed.emit(self.sender().objectName(), error)

    @Slot()
    def _ended(self) -> None:
        worker = self.sender()
        name = worker.objectName()
        if self._workers.get(name) is worker:
            del self._workers[name]
        self.ended.emit(name)
