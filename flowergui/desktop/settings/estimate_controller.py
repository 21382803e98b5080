"""How long a run would take, found by a dry run while the window rests, and said beside Start;
and a way that would take less."""

import logging
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import (
    Estimated,
    Scanned,
)
from flowergui.facts import (
    Speedup,
)
from flowergui.text import (
    file_size,
    rough_duration,
)
from flowergui.wording import speedup_explanation, speedup_text

log = logging.getLogger(__name__)

JOB = "estimate"

PATIENCE = 700
"""Milliseconds without a change before a step is tried: it takes the processor for a moment."""

SHORT = 1.0
"""Seconds below which an epoch takes a moment."""


class EstimateController(QObject):
    """Tries a step of the recipe that Start would train, each time it has changed and rests."""

    changed = Signal()
    """There is something else to say."""

    def __init__(
        self, form: RecipeForm, jobs: Jobs, banner: Banner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._form, self._jobs, self._banner = form, jobs, banner
        self.text = ""
        self._quicker: Speedup | None = None
        self._taken: tuple[dict[str, Any], dict[str, Any]] = {}, {}
        self._wanted: tuple[Recipe, Scanned] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE)
        self._soon.timeout.connect(self._try)

    def want(self, recipe: Recipe, scanned: Scanned) -> None:
        """This is what Start would train."""
        if (recipe, scanned) == self._wanted:
            return
        self.rest()
        self._wanted = recipe, scanned
        self._soon.start()

    def rest(self) -> None:
        """Nothing can be started, or it goes already."""
        self._wanted = self._quicker = None
        self.text = ""
        self._soon.stop()
        self._jobs.cancel(JOB)

    @property
    def speedups(self) -> str:
        """What would take far less time, in a few words; "" where nothing is known to."""
        return speedup_text(self._quicker) if self._quicker else ""

    @property
    def how(self) -> str:
        """By which means."""
        return speedup_explanation(self._quicker) if self._quicker else ""

    @Slot()
    def take(self) -> None:
        """Does so: the form's settings become those that take less time."""
        recipe = self._form.recipe()  # what was still being typed is another wish
        if self._quicker is None:
            return
        how, values = self.how, dict[str, Any](self._quicker.values)
        before = {name: getattr(recipe, name) for name in values}
        self._form.set_recipe(replace(recipe, **values))
        self._taken = values, before
        self._banner.offer(how, "Undo", self.take_back, passing=True)

    @Slot()
    def take_back(self) -> None:
        """The settings become again what they were before, unless they were changed since: what
        one mode gains by, another may lose by."""
        recipe = self._form.recipe()
        values, before = self._taken
        if all(getattr(recipe, name) == value for name, value in values.items()):
            self._form.set_recipe(replace(recipe, **before))
        self._taken = {}, {}

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        """No step could be tried. What the user can mend is said when it matters, by Start."""
        if isinstance(error, FlowerError):
            log.info("No estimate.", exc_info=error)
        else:
            self._jobs.report(error)

    @Slot()
    def _try(self) -> None:
        if self._wanted is None:
            return
        recipe, scanned = self._wanted
        train, validation = scanned.split_counts(recipe.validation_fraction)
        examples = [path for each in scanned.classes[:4] for path in each.examples[:2]]
        self._jobs.do(
            JOB,
            lambda: tasks.estimate(recipe, train, validation, len(scanned.classes), examples),
            self._told,
            self._failed,
        )

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Estimated) and self._wanted is not None:
                self.text = in_words(event, self._wanted[0])
                self._quicker = event.speedups
                self.changed.emit()


def in_words(told: Estimated, recipe: Recipe) -> str:
    """About 9:20 in all, 14 s an epoch."""
    if told.largest_batch < recipe.batch_size:
        fits = f"about {told.largest_batch:,} do" if told.largest_batch else "not even one does"
        return f"Batches of {recipe.batch_size:,} may not fit into memory; {fits}."
    text = f"About {rough_duration(told.seconds)} in all"
    if recipe.epochs > 1 and told.first_epoch > 2 * told.epoch:
        later = "a moment" if told.epoch < SHORT else rough_duration(told.epoch)
        text += f"; later epochs take {later}"
    elif recipe.epochs > 1:
        text += f", {rough_duration(told.epoch)} an epoch"
    size = file_size(told.size)
    if told.where == "file":
        text += f". What frozen layers give takes {size} of the disk until the end"
    elif told.size and not told.where:
        text += f": what frozen layers give has no room ({size})"
    return f"{text}."
