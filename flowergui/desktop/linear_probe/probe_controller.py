"""What both windows of this folder have in common: a job that computes something about the open
dataset, begins when the window opens, and ends when it closes."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from flowergui.desktop.linear_probe.confidence_window import ConfidenceWindow
from flowergui.desktop.linear_probe.networks_window import NetworksWindow
from flowergui.desktop.session import Session, Store, open_dataset
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress, Event, Preparing, Scanned, ScanProgress
from flowergui.text import tr

Content = tuple[str, tuple[tuple[str, int, int], ...]]
"""A dataset's folder; and of each class its name, and its images for training and validation."""

Window = TypeVar("Window", bound=ConfidenceWindow | NetworksWindow)


class ProbeController(QObject, Generic[Window]):
    """Owns a window and its job, which starts again when another dataset is opened, or the same one
    with other images."""

    job: str
    """The name of the job: a new one cancels the one before."""

    def __init__(self, store: Store, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._parent = store, jobs, parent
        self._window: Window | None = None
        self._content: Content | None = None
        store.changed.connect(self._follow)

    @Slot()
    def open(self) -> None:
        """Shows the window; the job starts unless it was shown already."""
        if self._window is None:
            self._window = window = self._make_window()
            window.rerun_requested.connect(self._start)
            window.cancel_requested.connect(self._cancel)
            window.finished.connect(self._closed)
            self._start()
        bring_to_front(self._window)

    # --- what differs ---------------------------------------------------------------------

    def _make_window(self) -> Window:
        """The window, whose other signals are connected."""
        raise NotImplementedError

    @Slot()
    def _start(self) -> None:
        """Calls `_compute`."""
        raise NotImplementedError

    def _show_result(self, event: Any) -> None:
        """Shows an event of the job that is no progress."""
        raise NotImplementedError

    # --- the job --------------------------------------------------------------------------

    def _compute(self, events: Callable[[str], Iterator[Event]]) -> None:
        """Starts the job: `events` of the folder of the open dataset, in a thread."""
        window, dataset = self._window, open_dataset(self._store.session)
        self._content = _content(dataset) if dataset else None
        if window is None:
            return
        if dataset is None:
            window.show_error(tr("Choose a folder of images first."))
            return
        folder = dataset.folder
        self._jobs.do(self.job, lambda: events(folder), self._show_events, self._failed)

    @Slot()
    def _cancel(self) -> None:
        self._jobs.cancel(self.job)
        if self._window is not None:
            self._window.end()

    @Slot(object)
    def _show_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if self._window is None:
                return
            if isinstance(event, Preparing | ScanProgress | DownloadProgress):
                self._window.show_progress(event)
            else:
                self._show_result(event)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.show_error(str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        dataset, was_open = open_dataset(after), open_dataset(before) is not None
        if self._window is None or dataset is None or was_open:
            return  # while a dataset stays open, its files are only checked
        if _content(dataset) != self._content:
            self._start()

    @Slot()
    def _closed(self) -> None:
        self._jobs.cancel(self.job)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _content(dataset: Scanned) -> Content:
    return dataset.folder, tuple(
        (each.name, each.train, each.validation) for each in dataset.classes
    )
