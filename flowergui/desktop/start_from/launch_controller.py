"""Starts runs: a new one, or one that is resumed, as the session says."""

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui import tasks
from flowergui.desktop.session import Mode, RunState, Store, continuable, is_idle, why_not_start
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.start_from.resume_controller import ResumeController
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.transitions import new_run_recipe
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.confirm import confirm
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.text import tr


class LaunchController(QObject):
    """Follows the buttons of the run panel. What is still being typed in the form counts."""

    def __init__(
        self,
        store: Store,
        panel: RunPanel,
        form: RecipeForm,
        resume: ResumeController,
        training: TrainingController,
        banner: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._store, self._form, self._resume = store, form, resume
        self._training, self._banner, self._window = training, banner, window
        panel.start_requested.connect(self.start)
        panel.resume_last_requested.connect(self.resume_last)
        panel.resume_requested.connect(resume.resume)
        panel.pause_requested.connect(training.pause)
        panel.continue_requested.connect(training.unpause)
        panel.stop_requested.connect(self.stop)
        panel.save_requested.connect(training.save_again)
        resume.resume_requested.connect(self._begin_resumed)

    @Slot()
    def start(self) -> None:
        """Starts what the session says, if that can be; by Start, or by Ctrl+Return."""
        self._form.finish_typing()
        session = self._store.session
        if not is_idle(session) or why_not_start(session):
            return
        if session.mode is Mode.RESUME:
            self._resume.start()
        else:
            recipe = new_run_recipe(session)
            self._begin(lambda live: tasks.train(recipe, live))

    @Slot()
    def resume_last(self) -> None:
        """Resumes the newest run."""
        self._form.finish_typing()
        self._resume.resume_last()

    @Slot(str, object, object)
    def _begin_resumed(self, path: str, changes: dict[str, Any], options: ResumeOptions) -> None:
        self._begin(lambda live: tasks.resume(path, live, changes, options=options))

    @Slot()
    def pause_or_continue(self) -> None:
        """Does what the coloured button would do while a run goes, or was stopped."""
        if checkpoint := continuable(self._store.session):
            self._resume.resume(checkpoint)
        else:
            self._training.pause_or_continue()

    @Slot()
    def stop(self) -> None:
        """Stops the run. Asks first where it could not be saved, since it is discarded then."""
        if self._training.state is not RunState.UNSAVED:
            self._training.stop()
            return
        text = tr("This run could not be saved. Discard it?")
        more = tr("All progress since the last save is lost then.")
        yes = QMessageBox.StandardButton.Discard, tr("Discard")
        confirm(self._window, "discardQuestion", text, more, yes, self._discard)

    @Slot()
    def _discard(self) -> None:
        if self._training.state is RunState.UNSAVED:
            self._training.stop()

    def _begin(self, job: Callable[[LiveRequests], Iterator[Any]]) -> None:
        if is_idle(self._store.session):
            self._banner.clear()
            self._training.begin(job)
