"""The network that the recipe wants, described before a run, and which of its layers freeze."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.config.frozen_patterns import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE
from flowergui.config.presets import PRESETS
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.layers.network_dialog import NetworkDialog
from flowergui.desktop.session import Store
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import ModelDescribed

JOB = "describe"

SUPPOSED_CLASSES = 5
"""How many classes a network is shown with while no photos are open."""

PATIENCE = 150
"""Milliseconds without a change before the network is described anew."""


class NetworkController(QObject):
    """Keeps the layer tree at the network that the form and the photos ask for."""

    changed = Signal()
    """A network was described or refused, or is to be described anew."""

    def __init__(
        self,
        store: Store,
        form: RecipeForm,
        layers: LayerPanel,
        banner: Banner,
        jobs: Jobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._form, self._layers, self._banner, self._jobs = form, layers, banner, jobs
        self._class_count = SUPPOSED_CLASSES
        self._asked: tuple[str, int, int] | None = None
        self._wants_dialog = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE)
        self._soon.timeout.connect(self._describe)

    @property
    def described(self) -> ModelDescribed | None:
        """The network that the recipe asks for; None until it is described."""
        return self._store.session.network

    def problem(self) -> str:
        """Why no run can start with this network, in a sentence; empty where one can."""
        if problem := self._store.session.network_problem:
            return problem
        if self.described is None:
            return "The network is being looked at…"
        return self._layers.problem()

    def set_class_count(self, count: int) -> None:
        """How many classes the photos have, 0 while that is not known."""
        self._class_count = count or SUPPOSED_CLASSES
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Describes the network anew, if another one is wanted."""
        if self._wish() != self._asked:
            self._store.update(network=None, network_problem="")
            self._soon.start()
            self.changed.emit()

    @Slot()
    def show_frozen(self) -> None:
        """Ticks the layers that the recipe freezes."""
        if self._layers.described() is not None:
            self._tick(None)

    def frozen_for(self, frozen: tuple[str, ...], mode: str) -> tuple[str, ...]:
        """What stays frozen when another network is chosen: names of the old one's layers mean
        nothing there, words do."""
        if {ALL_BUT_HEAD, ALL_BUT_LAST_STAGE}.issuperset(frozen):
            return frozen
        usual = PRESETS["recommended"][mode]["frozen"]
        assert isinstance(usual, tuple)
        return usual

    @Slot()
    def show_dialog(self) -> None:
        """Opens "Show network", now or once the network is described."""
        self._wants_dialog = self.described is None
        if self.described is not None:
            parent = self.parent()
            assert isinstance(parent, QWidget)
            dialog = NetworkDialog(self.described, parent)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        """The architecture can't be as the recipe wants it."""
        if not isinstance(error, FlowerError):
            self._jobs.report(error)
            return
        self._store.update(network_problem=str(error))
        if self._form.recipe().image_size:
            self._banner.offer(str(error), "Use its own size", self._use_own_size, "warning")
        else:
            self._banner.show_error(error)
        self.changed.emit()

    def _use_own_size(self) -> None:
        recipe = self._form.recipe()
        self._form.set_recipe(replace(recipe, image_size=0, training_size=0, first_training_size=0))

    def _wish(self) -> tuple[str, int, int]:
        recipe = self._form.recipe()
        return recipe.model, self._class_count, recipe.image_size

    @Slot()
    def _describe(self) -> None:
        self._asked = wish = self._wish()
        self._jobs.do(JOB, lambda: tasks.describe_model(*wish), self._told, self._failed)

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, ModelDescribed) and self._wish() == self._asked:
                self._store.update(network=event)
                self._tick(event)
                if self._wants_dialog:
                    self.show_dialog()
        self.changed.emit()

    def _tick(self, described: ModelDescribed | None) -> None:
        recipe = self._form.recipe()
        try:
            if described is not None:
                self._layers.show_network(described, recipe.frozen)
            else:
                self._layers.set_frozen(recipe.frozen)
        except FlowerError:  # names of another network
            self._layers.set_frozen(self.frozen_for(recipe.frozen, recipe.mode))
