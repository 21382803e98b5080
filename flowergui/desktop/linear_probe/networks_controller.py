"""Compares networks on the open dataset, in a window of its own."""

from dataclasses import fields, replace
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.linear_probe.networks_window import NetworksWindow
from flowergui.desktop.linear_probe.probe_controller import ProbeController
from flowergui.desktop.session import Mode, Store, is_idle
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import with_mode, with_model, with_weights
from flowergui.events import NetworkCompared, NetworkFailed, NetworksCompared
from flowergui.text import tr


class NetworksController(ProbeController[NetworksWindow]):
    """Compares the networks whose weights are on this machine, and files that the user adds."""

    job = "compare networks"

    def __init__(self, store: Store, undo: RecipeUndo, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(store, jobs, parent)
        self._undo = undo
        self._files: tuple[str, ...] = ()

    def _make_window(self) -> NetworksWindow:
        window = NetworksWindow(self._parent)
        window.network_requested.connect(self._take)
        window.file_requested.connect(self._add_file)
        return window

    @Slot()
    def _start(self) -> None:
        self._begin(self._files)

    @Slot(str)
    def _add_file(self, path: str) -> None:
        """Compares one more file, beside those that are compared already."""
        self._files = tuple(dict.fromkeys((*self._files, path)))
        if self._window is not None and self._window.is_running:
            self._start()
        else:
            self._begin((path,), more=True)

    def _begin(self, files: tuple[str, ...], *, more: bool = False) -> None:
        """Compares these files, and unless they are just `more`, all networks on this machine."""
        self._jobs.cancel(self.job)
        if self._window is not None:
            self._window.begin(more=more)
        device = self._store.session.recipe.device
        self._compute(
            lambda folder: tasks.compare_networks(folder, files, local=not more, device=device)
        )

    def _show_result(self, event: Any) -> None:
        if self._window is None:
            return
        match event:
            case NetworkCompared():
                self._window.show_network(event)
            case NetworkFailed():
                self._window.show_failed(event)
            case NetworksCompared():
                self._window.show_result(event)

    @Slot(str, str)
    def _take(self, model: str, weights: str) -> None:
        """A transfer from this network; not while a run goes, whose recipe is fixed."""
        if not is_idle(self._store.session):
            if self._window is not None:
                self._window.show_error(tr("A run is training. Choose a network when it is over."))
            return
        session = self._store.session
        taken = replace(session, **with_mode(session, Mode.TRANSFER))
        taken = replace(taken, **with_model(taken, model))
        taken = replace(taken, **with_weights(taken, weights))
        names = (field.name for field in fields(session))
        changes = {name: getattr(taken, name) for name in names}
        changed = {
            name: value for name, value in changes.items() if value != getattr(session, name)
        }
        self._undo.change(tr("the network"), changed)
        self._parent.activateWindow()
