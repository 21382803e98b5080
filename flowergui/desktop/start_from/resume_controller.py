"""Which run is gone on with: the newest, another one, or weights from elsewhere."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from flowergui import tasks
from flowergui.config.recipe import RESUMABLE, SETTINGS, Recipe
from flowergui.desktop.dataset.dataset_controller import DatasetController
from flowergui.desktop.run_names import ResumableRun, resumable_runs
from flowergui.desktop.session import Store
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.errors import FlowerError
from flowergui.events import (
    Preparing,
    ResumeChecked,
)
from flowergui.facts import (
    Check,
    RunFacts,
)
from flowergui.requests import UNCHANGED
from flowergui.store import library

JOB = "preflight"

PLACES = ("Photos", "Classes")
"""The checks that fail where the photos of a run are in another folder now."""

PATIENCE = 150
"""Milliseconds without a change before a run is looked at anew."""


class ResumeController(QObject):
    """Offers the runs on disk. While the mode is resume, the form shows the chosen run's recipe,
    and only what a run can follow may be edited."""

    listed = Signal()
    """Other runs are there."""
    changed = Signal()
    """Another one is chosen."""
    refused = Signal(str)
    """It can't be gone on with what the user wants, and why."""
    resume_requested = Signal(str, object, object)
    """The user wants to go on with this checkpoint, with these changes (Recipe fields) and this
    ResumeOptions."""
    already_finished = Signal(int)
    """The user wants to go on with a run that has done all its epochs, and how many it has done."""
    checked = Signal()
    """It was held against the photos and the wishes of now."""

    def __init__(
        self,
        store: Store,
        modes: ModeSelector,
        form: RecipeForm,
        panel: RunPanel,
        photos: DatasetController,
        jobs: Jobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._modes, self._form, self._panel, self._photos = modes, form, panel, photos
        self._jobs, self._preflight = jobs, modes.resume_check
        self._preflight.edited.connect(self.check)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE)
        self._soon.timeout.connect(self._check)
        self._elsewhere = ""  # where the photos of the chosen run have moved, if they have
        self._busy = self._again = False
        jobs.ended.connect(self._job_ended)
        self._offered: tuple[ResumableRun, ...] = ()
        self._before = Recipe()  # what the form held before a run was looked at
        self.active = False

    @property
    def runs(self) -> tuple[RunFacts, ...]:
        """The runs on disk, newest first."""
        return self._store.session.runs

    @property
    def chosen(self) -> RunFacts | None:
        """The run to resume; None for bare weights, and unless the mode is resume."""
        return self._store.session.resume_from

    def _choose(self, checkpoint: str) -> None:
        run = library.run_of(checkpoint) if checkpoint else None
        self._store.update(checkpoint=checkpoint, resume_from=run)

    def refresh(self, *, look: bool = True) -> None:
        """Looks for runs on disk, and, unless told otherwise, at the chosen one."""
        self._store.update(runs=tuple(library.runs()), bare_weights=library.bare_weights())
        session = self._store.session
        self._offered = resumable_runs(session.runs, session.bare_weights)
        self._modes.set_runs(self._offered)
        self._panel.set_runs(self._offered)
        if self.chosen is not None:
            self._choose(self._modes.checkpoint)
            if look:
                self._preflight.forget()
                self.check()
        self.listed.emit()

    def left(self) -> RunFacts | None:
        """The newest run, where it has not done all its epochs."""
        run = next((run for run in self.runs if run.last), None)
        return run if run and not run.finished else None

    def nothing(self) -> str:
        """Why no run can be gone on with, in a sentence; empty where one can."""
        return "" if self._offered else "There is no run to resume yet."

    def problem(self) -> str:
        """Why the chosen one can't be, in a sentence; empty where it can."""
        if not self._modes.checkpoint:
            return "There is no run to resume yet."
        if self.chosen is None and not self._photos.folder:
            return "These are weights alone: choose the photos that they learned from."
        return next(iter(self._form.problems().values()), "") or self._preflight.blocked()

    # --- the mode -------------------------------------------------------------------------

    def enter(self) -> None:
        """The mode is resume now; the newest is chosen until the user chooses another."""
        if not self.active:
            self._before = self._form.recipe()
            self.active = True
            if self._offered:
                self._modes.checkpoint = self._offered[0].checkpoint
        self.choose(self._modes.checkpoint)

    def leave(self) -> None:
        """The mode is another one: the form holds what it held before."""
        if self.active:
            self.active = False
            self._store.update(checkpoint="", resume_from=None, resume_check=None)
            self._jobs.cancel(JOB)
            self._form.set_recipe(self._before)
            self._form.set_editable(None)

    @Slot(str)
    def choose(self, path: str) -> None:
        """Another checkpoint is chosen, "" for none."""
        if not self.active:
            return
        self._choose(path)
        if self.chosen is not None:
            self._form.set_recipe(self.chosen.recipe)
        elif path:
            # Weights alone: a new run, of a network that will be recognised, at its own size.
            own = replace(self._before, image_size=0, training_size=0, first_training_size=0)
            self._form.set_recipe(replace(own, mode="scratch"))
        self.allow_editing()
        self._elsewhere = ""
        self._jobs.cancel(JOB)
        self._preflight.forget()
        self._preflight.setVisible(self.chosen is not None)
        self.check()
        self.changed.emit()

    def allow_editing(self) -> None:
        """What may be edited while no run goes."""
        of_a_run = self.active and self.chosen is not None
        self._form.set_editable(frozenset(RESUMABLE) if of_a_run else None)

    # --- what has changed since -----------------------------------------------------------

    @Slot()
    def check(self) -> None:
        """Holds the chosen run against the photos and the wishes of now, as soon as these rest."""
        if self.active and self.chosen is not None:
            self._soon.start()

    @Slot()
    def _check(self) -> None:
        if not self.active or self.chosen is None or self._form.problems():
            return
        if self._busy:  # one at a time: they read the same files
            self._again = True
            self._jobs.cancel(JOB)  # what it has seen of the photos is remembered
            return
        self._busy = True
        path, changes, how = self._modes.checkpoint, self._changes(), self._preflight.resumption()
        self._jobs.do(
            JOB, lambda: tasks.check_resume(path, changes, how=how), self._told, self._failed
        )

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        if self.chosen is None:
            return
        extended = self.chosen.finished or self._form.recipe().epochs > self.chosen.recipe.epochs
        for event in events:
            if isinstance(event, ResumeChecked):
                self._store.update(resume_check=event)
                self._preflight.show_check(event, extended=extended)
                self._look_elsewhere(event)
                self.checked.emit()
            elif isinstance(event, Preparing):
                self._preflight.show_progress(event)

    def _look_elsewhere(self, told: ResumeChecked) -> None:
        """Photos that are not where they were may be in the folder that is open."""
        lost = any(c.verdict == "blocking" and c.subject in PLACES for c in told.checks)
        here = self._photos.folder
        if lost and here and here not in (self._elsewhere, self._form.recipe().photos):
            self._elsewhere = here
            self.check()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        """The chosen run can't be looked at."""
        if not isinstance(error, FlowerError):
            self._jobs.report(error)
            return
        check = Check("Checkpoint", "blocking", error.message, error.hint)
        self._preflight.show_check(ResumeChecked("", (check,), 0, (), (), 0))
        self.checked.emit()

    @Slot(str)
    def _job_ended(self, name: str) -> None:
        if name == JOB:
            self._busy = False
            if self._again:
                self._again = False
                self.check()

    # --- going on -------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Goes on with the chosen one as the form says; the run looks at its photos itself."""
        self._soon.stop()
        self._again = False
        self._jobs.cancel(JOB)
        self._preflight.rest()
        how = UNCHANGED if self.chosen is None else self._preflight.resumption()
        self.resume_requested.emit(self._modes.checkpoint, self._changes(), how)

    @Slot()
    def start_last(self) -> None:
        """Goes on with the newest."""
        self.start_with(self._offered[0].checkpoint)

    @Slot(str)
    def start_with(self, path: str) -> None:
        """Goes on with this one; as the form says, where it shows that already."""
        shown = self.active and self._modes.checkpoint == path
        if not shown:
            self._modes.mode = "resume"
            self._modes.checkpoint = path
        if self.chosen and self.chosen.epochs_done >= self._form.recipe().epochs:
            self.already_finished.emit(self.chosen.epochs_done)
        elif reason := self.problem():
            self.refused.emit(reason)
        else:
            self.start()

    @Slot()
    def start_longer(self) -> None:
        """Goes on with the chosen run for as many epochs more as it has done."""
        if self.chosen is None:
            return
        self._form.set_recipe(replace(self._form.recipe(), epochs=2 * self.chosen.epochs_done))
        if problems := self._form.problems():
            self.refused.emit(next(iter(problems.values())))
        else:
            self.start()

    def _changes(self) -> dict[str, Any]:
        """What the user changed of the chosen run; for weights alone, all that the form has of
        a new one."""
        recipe = self._form.recipe()
        if self.chosen is None:
            names = [s.name for s in SETTINGS if s.name not in ("mode", "model", "weights")]
            photos = self._photos.folder
            return {"photos": photos, **{name: getattr(recipe, name) for name in names}}
        before = self.chosen.recipe
        changed = [name for name in RESUMABLE if getattr(recipe, name) != getattr(before, name)]
        changes = {name: getattr(recipe, name) for name in changed}
        if self._elsewhere:
            changes["photos"] = self._elsewhere
        return changes
