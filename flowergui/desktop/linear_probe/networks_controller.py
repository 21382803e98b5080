"""Compares networks on the open dataset, in a window of its own."""

from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.linear_probe.networks_window import NetworksWindow
from flowergui.desktop.session import Mode, Session, Store, is_idle, open_dataset
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import with_mode, with_model, with_weights
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import (
    DownloadProgress,
    NetworkCompared,
    NetworkFailed,
    NetworksCompared,
    Preparing,
    ScanProgress,
)
from flowergui.text import tr

COMPARE = "compare networks"


class NetworksController(QObject):
    """Compares the networks whose weights are on this machine, and files that the user adds."""

    def __init__(self, store: Store, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._parent = store, jobs, parent
        self._window: NetworksWindow | None = None
        self._files: tuple[str, ...] = ()
        self._folder = ""
        store.changed.connect(self._follow)

    @Slot()
    def open(self) -> None:
        """Shows the comparison on the open dataset, which begins unless it was shown already."""
        if self._window is None:
            self._window = self._make_window()
            self._compare()
        bring_to_front(self._window)

    def _make_window(self) -> NetworksWindow:
        window = NetworksWindow(self._parent)
        window.network_requested.connect(self._take)
        window.file_requested.connect(self._add_file)
        window.rerun_requested.connect(self._compare)
        window.cancel_requested.connect(self._cancel)
        window.finished.connect(self._closed)
        return window

    # --- the comparison -------------------------------------------------------------------

    @Slot()
    def _compare(self) -> None:
        self._begin(self._files)

    @Slot(str)
    def _add_file(self, path: str) -> None:
        """Compares one more file, beside those that are compared already."""
        self._files = tuple(dict.fromkeys((*self._files, path)))
        if self._window is not None and self._window.is_running:
            self._compare()
        else:
            self._begin((path,), more=True)

    def _begin(self, files: tuple[str, ...], *, more: bool = False) -> None:
        """Compares these files, and unless they are just `more`, all networks on this machine."""
        if self._window is None:
            return
        dataset = open_dataset(self._store.session)
        self._jobs.cancel(COMPARE)
        self._window.begin(more=more)
        self._folder = dataset.folder if dataset else ""
        if dataset is None:
            self._window.show_error(tr("Choose a folder of images first."))
            return
        folder, device = dataset.folder, self._store.session.recipe.device
        self._jobs.do(
            COMPARE,
            lambda: tasks.compare_networks(folder, files, local=not more, device=device),
            self._show_events,
            self._failed,
        )

    @Slot()
    def _cancel(self) -> None:
        self._jobs.cancel(COMPARE)
        if self._window is not None:
            self._window.end()

    @Slot(object)
    def _show_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if self._window is None:
                return
            match event:
                case Preparing() | ScanProgress() | DownloadProgress():
                    self._window.show_progress(event)
                case NetworkCompared():
                    self._window.show_network(event)
                case NetworkFailed():
                    self._window.show_failed(event)
                case NetworksCompared():
                    self._window.show_result(event)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.show_error(str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    # --- what follows ---------------------------------------------------------------------

    @Slot(str, str)
    def _take(self, model: str, weights: str) -> None:
        """A transfer from this network; not while a run goes, whose recipe is fixed."""
        if not is_idle(self._store.session):
            if self._window is not None:
                self._window.show_error(tr("A run is training. Choose a network when it is over."))
            return
        store = self._store
        store.update(**with_mode(store.session, Mode.TRANSFER))
        store.update(**with_model(store.session, model))
        store.update(**with_weights(store.session, weights))
        self._parent.activateWindow()

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        """Another dataset is compared anew."""
        dataset = open_dataset(after)
        if self._window is not None and dataset and dataset.folder != self._folder:
            self._compare()

    @Slot()
    def _closed(self) -> None:
        self._jobs.cancel(COMPARE)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()
