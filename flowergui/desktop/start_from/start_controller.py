"""Where a new run starts: the mode and the network."""

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Mode, Store
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.threads import preload_torch
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import with_mode, with_model, with_settings_of
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import OtherArchitectureError
from flowergui.events import DeviceNoticed, ModelsListed
from flowergui.text import sentences, tr
from flowergui.wording import device_notice_remedy, device_notice_text

MODELS = "models"
"""The name of its job."""


class StartController(QObject):
    """Keeps the start of a new run at what the user wants and the catalogue knows."""

    dataset_requested = Signal(str)
    """The settings that were taken come with this folder of images, while none is open."""

    def __init__(
        self,
        store: Store,
        panel: ModeSelector,
        undo: RecipeUndo,
        banner: Banner,
        jobs: Jobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._undo, self._banner, self._jobs = store, undo, banner, jobs
        self._loading = False
        panel.mode_requested.connect(self.choose_mode)
        panel.models.model_requested.connect(self.choose_model)

    @Slot()
    def load_models(self) -> None:
        """Loads torch and the catalogue of networks. That takes seconds, in which Python has
        little time for anything else: there should be a window to look at."""
        if not self._loading:
            self._loading = True
            self._jobs.do(MODELS, preload_torch.load, self._on_events)

    @Slot(str)
    def choose_mode(self, mode: str) -> None:
        """The user wants this Mode."""
        self._store.update(**with_mode(self._store.session, Mode(mode)))

    @Slot(str)
    def choose_model(self, model: str) -> None:
        """The user wants this network."""
        if model != self._store.session.recipe.model:
            self._store.update(**with_model(self._store.session, model))

    @Slot(object)
    def take_settings(self, recipe: Recipe) -> None:
        """The user wants a new run with the settings of another."""
        changes = with_settings_of(self._store.session, recipe)
        self._undo.change(tr("the settings of that run"), changes)
        session = self._store.session
        if recipe.photos and session.dataset is None and not session.scanning:
            self.dataset_requested.emit(recipe.photos)
        if session.recipe.model != recipe.model:
            self._banner.show_warning(
                tr("There is no network {model} here; choose one.", model=recipe.model)
            )
        elif session.dataset is not None:
            self._banner.show_note(tr("These are the settings of that run, for the open dataset."))
        else:
            self._banner.show_note(tr("These are the settings of that run."))

    @Slot(object)
    def offer_network(self, error: BaseException) -> None:
        """A run failed as its weights are of another network: that one is a click away, and the
        weights stay chosen."""
        if isinstance(error, OtherArchitectureError) and error.model:
            model = error.model
            self._banner.offer(
                str(error),
                tr("Use {model}", model=model),
                lambda: self.choose_model(model),
                kind="error",
                passing=True,
            )
        else:
            self._jobs.report(error)

    @Slot(object)
    def _on_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case ModelsListed():
                    self._take_models(event)
                case DeviceNoticed():
                    self._show_notice(event)

    def _show_notice(self, event: DeviceNoticed) -> None:
        """A GPU that this PyTorch can't use."""
        command = event.command
        self._banner.offer(
            sentences(device_notice_text(event), device_notice_remedy(event)),
            tr("Copy the command"),
            lambda: QGuiApplication.clipboard().setText(command),
        )

    def _take_models(self, event: ModelsListed) -> None:
        model, known = self._store.session.recipe.model, [each.name for each in event.models]
        self._store.update(models=event.models)
        if known and model not in known and self._store.session.watched is None:
            self._banner.show_warning(tr("There is no network {model} here.", model=model))
            self.choose_model(known[0])
