"""The weights of a transfer: which ones are on this machine, and saving them for use offline."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication

from flowergui import tasks
from flowergui.desktop.session import Mode, Session, Store
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import settled_weights, with_saved_weights, with_weights
from flowergui.desktop.widgets.banner import Banner
from flowergui.events import DownloadProgress, ModelsListed, WeightsFound, WeightsSaved
from flowergui.text import tr

FIND, SAVE, REFRESH = "weights", "save weights", "refresh models"
"""The names of its jobs."""


class WeightsController(QObject):
    """Keeps the weights of a transfer at what the user wants and the network has."""

    def __init__(
        self,
        store: Store,
        panel: WeightsSelector,
        banner: Banner,
        jobs: Jobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._banner, self._jobs = store, banner, jobs
        panel.weights_requested.connect(self._choose)
        panel.save_requested.connect(self._save)
        panel.cancel_requested.connect(self._cancel)
        panel.copy_requested.connect(self._copy)
        store.changed.connect(self._follow)

    @Slot(str)
    def _choose(self, weights: str) -> None:
        self._store.update(**with_weights(self._store.session, weights))

    @Slot(str)
    def _copy(self, command: str) -> None:
        QGuiApplication.clipboard().setText(command)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        if after.models and (before.recipe.model, bool(before.models)) != (
            after.recipe.model,
            True,
        ):
            self._find(self._on_found)
        started = after.run_started
        if started is not before.run_started and started and started.mode == Mode.TRANSFER:
            self._refresh()  # it may have downloaded its weights
        session = self._store.session
        weights = settled_weights(session)
        new = session.mode is not Mode.RESUME and session.watched is None
        if weights != session.recipe.weights and new:
            self._store.update_recipe(weights=weights)

    # --- which there are ------------------------------------------------------------------

    def _refresh(self) -> None:
        """Looks again which weights are on this machine."""
        self._jobs.do(REFRESH, tasks.list_models, self._on_refreshed)

    @Slot(object)
    def _on_refreshed(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, ModelsListed):  # a notice was shown when they were loaded
                self._store.update(models=event.models)

    def _find(self, on_events: Callable[[Any], None]) -> None:
        """Looks for files of weights of the chosen network."""
        model = self._store.session.recipe.model
        self._jobs.do(FIND, lambda: tasks.find_weights(model), on_events)

    @Slot(object)
    def _on_found(self, events: tuple[Any, ...]) -> None:
        """The network was just chosen."""
        session = self._store.session
        for event in events:
            if isinstance(event, WeightsFound) and event.model == session.recipe.model:
                self._store.update(**with_saved_weights(session, event.files))

    @Slot(object)
    def _on_found_again(self, events: tuple[Any, ...]) -> None:
        """One more file has been saved; what is chosen stays."""
        for event in events:
            if isinstance(event, WeightsFound) and event.model == self._store.session.recipe.model:
                self._store.update(saved_weights=event.files)

    # --- saved for use offline ------------------------------------------------------------

    @Slot()
    def _save(self) -> None:
        """Downloads the chosen weights, unless they are here already, and keeps them."""
        recipe = self._store.session.recipe
        self._store.update(download=DownloadProgress(recipe.model, 0, 0))
        self._jobs.do(
            SAVE,
            lambda: tasks.save_weights(recipe.model, recipe.weights),
            self._on_saving,
            self._on_save_error,
        )

    @Slot()
    def _cancel(self) -> None:
        self._jobs.cancel(SAVE)
        self._store.update(download=None)

    @Slot(object)
    def _on_save_error(self, error: BaseException) -> None:
        self._store.update(download=None)
        self._jobs.report(error)

    def _show_progress(self, done: int, total: int) -> None:
        """So many bytes are here. The session names the network: another may be chosen since."""
        if (download := self._store.session.download) is not None:
            self._store.update(download=replace(download, done=done, total=total))

    @Slot(object)
    def _on_saving(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case DownloadProgress(done=done, total=total):
                    self._show_progress(done, total)
                case WeightsSaved():
                    self._store.update(download=None)
                    self._find(self._on_found_again)
                    self._refresh()
                    self._banner.show_success(
                        tr(
                            "The weights are in {path}; a transfer can start from there without "
                            "the internet.",
                            path=event.path,
                        )
                    )
