"""Describes the network that the recipe asks for, before a run, and freezes its layers."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.layers.network_dialog import NetworkDialog
from flowergui.desktop.layers.stage_schedule import with_frozen, with_stage_epoch
from flowergui.desktop.session import Session, Store, class_count
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.transitions import OWN_SIZE, with_recipe
from flowergui.desktop.widgets.banner import Banner, Message
from flowergui.errors import FlowerError
from flowergui.events import ModelDescribed
from flowergui.facts import StageFacts
from flowergui.text import tr

JOB = "describe"

DEBOUNCE_MS = 150
"""Milliseconds without a change before the network is described."""


class NetworkController(QObject):
    """Keeps `Session.network` at the network that the recipe and the dataset ask for."""

    def __init__(
        self,
        store: Store,
        layers: LayerPanel,
        undo: RecipeUndo,
        banner: Banner,
        jobs: Jobs,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._store, self._undo, self._banner, self._jobs = store, undo, banner, jobs
        self._requested: tuple[str, int, int] | None = None
        self._dialog_requested = False
        self._refusal: Message | None = None
        self._debounce = single_shot_timer(self, DEBOUNCE_MS, self._describe)
        layers.frozen_requested.connect(self._freeze)
        layers.stage_epoch_requested.connect(self._set_stage_epoch)
        layers.schedule_cleared.connect(self._clear_schedule)
        layers.network_requested.connect(self.show_dialog)
        store.changed.connect(self._follow)

    @Slot(object)
    def _freeze(self, names: tuple[str, ...]) -> None:
        """What the user freezes stays frozen."""
        self._change(tr("the frozen layers"), with_frozen(self._store.session, names))

    @Slot(object, int)
    def _set_stage_epoch(self, stage: StageFacts, epoch: int) -> None:
        values = with_stage_epoch(self._store.session, stage, epoch)
        self._change(tr("unfreezing by stage"), values)

    @Slot()
    def _clear_schedule(self) -> None:
        self._change(tr("unfreezing by stage"), {"unfreeze_schedule": ()})

    def _change(self, text: str, values: dict[str, Any]) -> None:
        """Changes these fields of the recipe, which can be undone."""
        session = self._store.session
        self._undo.change(text, with_recipe(session, replace(session.recipe, **values)))

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        request = _request(self._store.session)
        if after.models and request != self._requested:
            self._requested = request
            if self._refusal is not None:
                self._refusal.dismiss()
            self._jobs.cancel(JOB)  # what it says is true of another network
            self._store.update(network=None, network_problem="")
            self._debounce.start()

    @Slot()
    def _describe(self) -> None:
        if request := self._requested:
            self._jobs.do(
                JOB, lambda: tasks.describe_model(*request), self._on_events, self._on_error
            )

    @Slot(object)
    def _on_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, ModelDescribed):
                self._store.update(network=event)
                if self._dialog_requested:
                    self.show_dialog()

    @Slot(object)
    def _on_error(self, error: BaseException) -> None:
        self._dialog_requested = False
        if isinstance(error, FlowerError):
            self._store.update(network_problem=str(error))
            self._show_problem()
        else:
            self._jobs.report(error)

    def _show_problem(self) -> None:
        """Says why there can be no such network, and offers another image size if that may help."""
        session = self._store.session
        if session.recipe.image_size:
            self._refusal = self._banner.offer(
                session.network_problem, tr("Use its own size"), self._use_own_size, "warning"
            )
        else:
            self._refusal = self._banner.show_error(session.network_problem)

    def _use_own_size(self) -> None:
        self._store.update_recipe(**OWN_SIZE)

    @Slot()
    def show_dialog(self) -> None:
        """Opens "Show network", now or once the network is described; where there can be none,
        says why."""
        network, problem = self._store.session.network, self._store.session.network_problem
        self._dialog_requested = network is None and not problem
        if problem:
            self._show_problem()
        elif network is not None:
            parent = self.parent()
            assert isinstance(parent, QWidget)
            dialog = NetworkDialog(network, parent)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()


def _request(session: Session) -> tuple[str, int, int]:
    """What a network is described by: its name, the number of classes, the image size."""
    return session.recipe.model, class_count(session), session.recipe.image_size
