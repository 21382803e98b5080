"""Which run is resumed: it lists the runs on disk, checks the chosen one, and resumes it."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.session import (
    Mode,
    Session,
    Store,
    is_idle,
    moved_photos,
    resumable,
    resume_changes,
    unfinished_run,
    why_not_resume,
)
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.transitions import (
    with_checkpoint,
    with_mode,
    with_resume_check,
    with_run_ended,
    with_run_found,
    with_runs,
)
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import Preparing, ResumeChecked, RunFound, RunsFound
from flowergui.facts import Check, Problem, RunFacts, Verdict
from flowergui.requests import UNCHANGED, ResumeOptions
from flowergui.text import number, tr, trn

RUNS, FIND, CHECK = "runs", "find run", "check resume"
"""The names of its jobs."""

DEBOUNCE_MS = 150
"""Milliseconds without a change before a run is checked."""

CheckKey = tuple[str, tuple[tuple[str, Any], ...], ResumeOptions]


class ResumeController(QObject):
    """Keeps `Session.runs` at the runs on disk, and `Session.resume_check` at what the chosen one
    would meet."""

    resume_requested = Signal(str, object, object)
    """The user wants to resume this checkpoint, with these changes (Recipe fields) and these
    ResumeOptions."""

    def __init__(
        self,
        store: Store,
        panel: ModeSelector,
        banner: Banner,
        jobs: Jobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._banner, self._jobs = store, banner, jobs
        self._panel = panel.resume_check
        self._checked: CheckKey | None = None
        self._offered_last_run = False
        self._named: set[Problem] = set()
        self.debounce = single_shot_timer(self, DEBOUNCE_MS, self._check)
        panel.runs.checkpoint_requested.connect(self.choose)
        panel.resume_check.options_requested.connect(self._choose_options)
        jobs.ended.connect(self._job_ended)
        store.changed.connect(self._follow)

    # --- the runs on disk -----------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Lists the runs on disk."""
        self._jobs.do(RUNS, tasks.find_runs, self._on_events)
        checkpoint = self._store.session.checkpoint
        if checkpoint and checkpoint == self._store.session.other_checkpoint:
            self._find(checkpoint)

    @Slot(str)
    def choose(self, checkpoint: str) -> None:
        """The user wants to see how this checkpoint would be resumed. Refused while a run goes:
        the recipe is that run's."""
        if not is_idle(self._store.session):
            self._banner.refuse(tr("Stop the run first, then resume another."))
            return
        if self._store.session.mode is not Mode.RESUME:
            self._store.update(**with_mode(self._store.session, Mode.RESUME))
        if checkpoint != self._store.session.checkpoint:
            self._store.update(**with_checkpoint(self._store.session, checkpoint))
        if self._store.session.finding_run:
            self._find(checkpoint)

    def _find(self, checkpoint: str) -> None:
        self._jobs.do(FIND, lambda: tasks.find_run(checkpoint), self._on_events)

    @Slot(object)
    def _on_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case RunsFound():
                    self._store.update(**with_runs(self._store.session, event))
                    self._name_problems(event.problems)
                    self._offer_last_run()
                case RunFound(checkpoint=checkpoint, run=run):
                    if checkpoint == self._store.session.checkpoint:
                        self._take_run(run)

    def _name_problems(self, problems: tuple[Problem, ...]) -> None:
        """Names the folders of runs that can't be read, once."""
        new = [each for each in problems if each not in self._named]
        self._named.update(new)
        if new:
            text = trn(
                "A run can't be listed: {path} ({reason})",
                "{count} runs can't be listed; the first one is {path} ({reason})",
                len(new),
                path=new[0].path,
                reason=new[0].reason,
            )
            self._banner.show_warning(text)

    def _take_run(self, run: RunFacts | None) -> None:
        session = self._store.session
        if session.finding_run:
            self._store.update(**with_run_found(session, run))
        else:  # the recipe may have been edited since
            self._store.update(resume_from=run)

    def _offer_last_run(self) -> None:
        """A run that was stopped, or died with its machine, is one click away: once, when the
        window opens."""
        offered, self._offered_last_run = self._offered_last_run, True
        run = unfinished_run(self._store.session)
        if run is None or offered or not is_idle(self._store.session):
            return
        where = {"epoch": run.epochs_done + 1, "epochs": run.recipe.epochs, "batch": run.batch}
        name = run.note or run.recipe.model
        if run.batch:
            text = tr(
                "Your last run ({name}) stopped at epoch {epoch} of {epochs}, batch {batch}.",
                name=name,
                **where,
            )
        else:
            text = tr(
                "Your last run ({name}) stopped after epoch {done} of {epochs}.",
                name=name,
                done=run.epochs_done,
                epochs=run.recipe.epochs,
            )
        self._banner.offer(text, tr("Resume it"), lambda: self.resume(run.last))

    # --- the check ------------------------------------------------------------------------

    @Slot(object)
    def _choose_options(self, options: ResumeOptions) -> None:
        self._store.update(resume_options=options)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        session = self._store.session
        if not is_idle(before) and is_idle(after):
            self._checked = None
            self._store.update(**with_run_ended(session))
            self.refresh()
        if before.checkpoint != after.checkpoint:
            self._jobs.cancel(CHECK)  # what it finds of that one is not true of this one
        if session.resume_from is not None and is_idle(session):
            self._store.update(moved_photos=moved_photos(session))
            self._check_soon()
        elif session.resume_from is None:
            self._stop_checking()

    def _check_soon(self) -> None:
        key = _key(self._store.session)
        if key != self._checked:
            self._checked = key
            self.debounce.start()

    def _stop_checking(self) -> None:
        self._checked = None
        self.debounce.stop()
        self._jobs.cancel(CHECK)

    @Slot()
    def _check(self) -> None:
        session = self._store.session
        if session.resume_from is None or not is_idle(session) or session.recipe.problems():
            return
        if self._jobs.is_running(CHECK):  # one at a time: they read the same files
            self._jobs.cancel(CHECK)
            self._checked = None
            return  # `_job_ended` has it done again
        checkpoint, changes = session.checkpoint, resume_changes(session)
        options = session.resume_options
        self._jobs.do(
            CHECK,
            lambda: tasks.check_resume(checkpoint, changes, options=options),
            self._on_check,
            self._on_check_error,
        )

    @Slot(object)
    def _on_check(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, ResumeChecked):
                self._take_check(event)
            elif isinstance(event, Preparing) and self._store.session.resume_check is None:
                self._panel.show_progress(event)

    def _take_check(self, event: ResumeChecked) -> None:
        changes = with_resume_check(self._store.session, event)
        # What the run was changed to while it went is no change that the user wants now.
        self._checked = _key(replace(self._store.session, **changes))
        self._store.update(**changes)

    @Slot(object)
    def _on_check_error(self, error: BaseException) -> None:
        if isinstance(error, FlowerError):
            detail = tr("it can't be resumed")
            check = Check(tr("Checkpoint"), Verdict.BLOCKING, detail, str(error))
            self._store.update(resume_check=ResumeChecked("", (check,), 0, (), (), 0))
        else:
            self._jobs.report(error)

    @Slot(str)
    def _job_ended(self, name: str) -> None:
        session = self._store.session
        if name == CHECK and self._checked is None and session.resume_from is not None:
            self._check_soon()

    # --- resuming -------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Resumes the chosen checkpoint as the form says; the run checks its images itself."""
        session = self._store.session
        self._stop_checking()
        options = UNCHANGED if session.resume_from is None else session.resume_options
        self.resume_requested.emit(session.checkpoint, resume_changes(session), options)

    @Slot()
    def resume_last(self) -> None:
        """Resumes the newest run."""
        if offered := resumable(self._store.session):
            self.resume(offered[0].checkpoint)

    @Slot(str)
    def resume(self, checkpoint: str) -> None:
        """Resumes this checkpoint: as the form says, where it shows it already."""
        self.choose(checkpoint)
        if not is_idle(self._store.session):
            return
        session = self._store.session
        run = session.resume_from
        if run is not None and _is_done(run, session.recipe):
            self._offer_more(run)
        elif reason := why_not_resume(session):
            self._banner.refuse(reason)
        else:
            self.start()

    def _offer_more(self, run: RunFacts) -> None:
        epochs, minutes = run.epochs_done, run.recipe.minutes
        if _may_have_more_minutes(run):
            self._banner.offer(
                tr(
                    "This run has used its time budget of {minutes} min. Give it more, or start a "
                    "new run.",
                    minutes=number(minutes),
                ),
                tr("Train {minutes} more min", minutes=number(minutes)),
                self._resume_longer,
                kind="warning",
            )
            return
        self._banner.offer(
            trn(
                "This run has done its {count} epoch. Give it more, or start a new run.",
                "This run has done all its {count} epochs. Give it more, or start a new run.",
                epochs,
            ),
            trn("Train {count} more epoch", "Train {count} more epochs", epochs),
            self._resume_longer,
            kind="warning",
        )

    def _resume_longer(self) -> None:
        """Resumes the chosen run for as many minutes more as its time budget had, or as many epochs
        more as it has done."""
        session = self._store.session
        if (run := session.resume_from) is None or not is_idle(session):
            return
        if _may_have_more_minutes(run):
            recipe = replace(session.recipe, minutes=2 * run.recipe.minutes)
        else:
            recipe = replace(session.recipe, epochs=2 * run.epochs_done, minutes=0.0)
        self._store.update(recipe=recipe)
        if problems := recipe.problems():
            self._banner.refuse(next(iter(problems.values())))
        else:
            self.start()


def _is_done(run: RunFacts, recipe: Recipe) -> bool:
    """Whether the run has nothing left to do by this recipe, with which it would go on."""
    has_more_time = recipe.minutes > run.recipe.minutes > 0
    return run.epochs_done >= recipe.epochs and not has_more_time


def _may_have_more_minutes(run: RunFacts) -> bool:
    """Whether a time budget ended the run, as far as its recipe tells: a head that trains alone may
    have ended before."""
    recipe = run.recipe
    trains_all = not recipe.frozen or recipe.freeze_epochs or recipe.unfreeze_schedule
    return bool(recipe.minutes and trains_all)


def _key(session: Session) -> CheckKey:
    """What a check depends on."""
    return session.checkpoint, tuple(resume_changes(session).items()), session.resume_options
