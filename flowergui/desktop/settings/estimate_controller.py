"""Estimates how long a run would take, by a dry run while the window rests."""

import logging
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Slot

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Session, Store, can_estimate
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.transitions import with_speedup, without_speedup
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import Estimated, Scanned
from flowergui.text import tr
from flowergui.wording import speedup_explanation

log = logging.getLogger(__name__)

JOB = "estimate"

DEBOUNCE_MS = 700
"""Milliseconds without a change before a step is tried: that takes the CPU for a moment."""


class EstimateController(QObject):
    """Keeps `Session.estimate` at the recipe that Start would train."""

    def __init__(
        self,
        store: Store,
        undo: RecipeUndo,
        jobs: Jobs,
        banner: Banner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._undo, self._jobs, self._banner = store, undo, jobs, banner
        self._requested: tuple[Recipe, Scanned] | None = None
        self.debounce = single_shot_timer(self, DEBOUNCE_MS, self._estimate)
        store.changed.connect(self._follow)

    @Slot()
    def take_speedup(self) -> None:
        """The settings become those of the suggested speed-up, which can be undone."""
        way = self._store.session.estimate
        if way is not None and way.speedup is not None:
            text = speedup_explanation(way.speedup)
            self._undo.change(tr("the speed-up"), with_speedup(self._store.session))
            self._banner.offer(text, tr("Undo"), self._give_up_speedup, passing=True)

    def close(self) -> None:
        """The window closes: nothing is tried any more."""
        self.debounce.stop()
        self._jobs.cancel(JOB)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        session = self._store.session
        dataset = session.dataset
        request = (session.recipe, dataset) if can_estimate(session) and dataset else None
        if request == self._requested:
            return
        self._requested = request
        self.close()
        self._store.update(estimate=None)
        if request is not None and not self._jobs.closed:
            self.debounce.start()

    def _give_up_speedup(self) -> None:
        """What else was edited since stays."""
        self._undo.change(tr("the speed-up"), without_speedup(self._store.session))

    @Slot()
    def _estimate(self) -> None:
        if self._requested is None:
            return
        recipe, dataset = self._requested
        train, validation = dataset.split_counts(recipe.validation_fraction)
        examples = [path for each in dataset.classes[:4] for path in each.examples[:2]]
        classes = len(dataset.classes)
        self._jobs.do(
            JOB,
            lambda: tasks.estimate(recipe, train, validation, classes, examples),
            self._on_events,
            self._on_error,
        )

    @Slot(object)
    def _on_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Estimated) and self._requested is not None:
                self._show(event, *self._requested)

    def _show(self, estimated: Estimated, recipe: Recipe, dataset: Scanned) -> None:
        """The estimate, and as many epochs as the time budget allows, if there is one. Nobody asked
        for that number, so it needs no other estimate."""
        if recipe.minutes and estimated.epochs:
            recipe = replace(recipe, epochs=estimated.epochs)
            self._requested = recipe, dataset
        self._store.update(estimate=estimated, recipe=recipe)

    @Slot(object)
    def _on_error(self, error: BaseException) -> None:
        """What the user can mend is said when it matters, by Start; a defect is said at once."""
        if isinstance(error, FlowerError):
            log.info("No estimate.", exc_info=error)
        else:
            self._jobs.report(error)
