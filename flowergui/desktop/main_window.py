"""The window: it owns the panels, and it alone wires them to each other and to the tasks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QPaintEvent,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.dataset.dataset_controller import DatasetController
from flowergui.desktop.evaluation.evaluation_controller import EvaluationController
from flowergui.desktop.layers.network_controller import NetworkController
from flowergui.desktop.prediction.drop_zone import local_paths, sorted_paths
from flowergui.desktop.prediction.prediction_controller import PredictionController
from flowergui.desktop.runs.runs_controller import RunsController
from flowergui.desktop.session import Mode, RunState, Store
from flowergui.desktop.settings.estimate_controller import EstimateController
from flowergui.desktop.start_from.resume_controller import ResumeController
from flowergui.desktop.start_from.weights_controller import WeightsController
from flowergui.desktop.threads import preload_torch
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.training.run_presenter import RunPresenter
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.widgets.problem_report import report
from flowergui.desktop.window.guide_window import GuideWindow
from flowergui.desktop.window.layout import Layout
from flowergui.desktop.window.shutdown import Shutdown
from flowergui.events import ModelsListed, Scanned
from flowergui.requests import LiveRequests, ResumeOptions

LATEST = 1_000
"""Milliseconds after which torch is loaded also where the window has not been painted yet."""


class MainWindow(QMainWindow):
    """From a folder of photos to a prediction. Takes no arguments; show it and use it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("flowergui")
        self.setAcceptDrops(True)
        self._settings = QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
        )
        self._warm = False
        self._panels = panels = Layout(self)
        self._banner, self._dataset, self._modes = panels.banner, panels.photos, panels.modes
        self._form, self._run = panels.form, panels.run
        self._drop_panel, self._layers = panels.predictions, panels.layers
        self.setCentralWidget(panels)
        self._store = Store(parent=self)
        self._jobs = Jobs(self._report, self)
        self._control = TrainingController(self._store, self)
        self._closing = Shutdown(self._control, self._jobs, self._banner, self)
        self._photos = DatasetController(
            self._store, self._dataset, self._jobs, self._settings, self
        )
        self._network = NetworkController(
            self._store, self._form, self._layers, self._banner, self._jobs, self
        )
        self._predictions = PredictionController(self._store, self._drop_panel, self._jobs, self)
        self._evaluation = EvaluationController(self._store, self._jobs, self)
        self._resume = ResumeController(
            self._store, self._modes, self._form, self._run, self._photos, self._jobs, self
        )
        self._estimate = EstimateController(self._form, self._jobs, self._banner, self)
        self._weights = WeightsController(self._modes, self._banner, self._jobs, self)
        self._comparison = RunsController(self._store, self._jobs, self)
        self._story = RunPresenter(self._run, self._layers, self._banner, self)
        self._wire()
        self._restore()

    def _wire(self) -> None:
        self._dataset.folder_chosen.connect(self.open_folder)
        self._dataset.samples_requested.connect(self._draw_sample)
        self._dataset.cancel_requested.connect(self._photos.cancel)
        self._dataset.clear_cache_requested.connect(self._photos.clear_cache)
        self._photos.message.connect(self._banner.show_note)
        self._photos.opened.connect(self._photos_opened)
        self._photos.samples_drawn.connect(self._sample_drawn)
        self._modes.mode_changed.connect(self._mode_changed)
        self._modes.model_changed.connect(self._model_changed)
        self._modes.weights_changed.connect(self._weights_changed)
        self._modes.save_weights_requested.connect(self._weights.save)
        self._modes.cancel_weights_requested.connect(self._weights.cancel)
        self._modes.checkpoint_changed.connect(self._resume.choose)
        self._resume.listed.connect(self._runs_listed)
        self._resume.changed.connect(self._run_chosen)
        self._resume.refused.connect(self._banner.refuse)
        self._resume.already_finished.connect(self._offer_more_epochs)
        self._resume.resume_requested.connect(self._go_on)
        self._resume.checked.connect(self._allow)
        self._form.recipe_changed.connect(self._recipe_changed)
        self._form.preset_chosen.connect(self._network.show_frozen)
        self._form.learning_rate_changed.connect(self._learning_rate_changed)
        self._layers.frozen_changed.connect(self._frozen_changed)
        self._layers.network_requested.connect(self._network.show_dialog)
        self._network.changed.connect(self._allow)
        self._drop_panel.images_dropped.connect(self._predictions.predict)
        self._drop_panel.checkpoint_dropped.connect(self._predictions.use_checkpoint)
        self._drop_panel.folder_dropped.connect(self.open_folder)
        self._drop_panel.refused.connect(self._banner.refuse)
        self._drop_panel.evaluation_requested.connect(self._evaluation.open)
        self._story.evaluation_requested.connect(self._evaluation.open_of)
        self._predictions.save_requested.connect(self._control.save_now)
        self._story.checkpoint_saved.connect(self._predictions.run_saved)
        self._story.save_failed.connect(self._predictions.wait_no_longer)
        self._run.comparison_requested.connect(self._comparison.open)
        self._run.guide_requested.connect(self._show_guide)
        self._run.messages_requested.connect(self._banner.show_log)
        self._comparison.list_requested.connect(self._find_runs)
        self._comparison.evaluation_requested.connect(self._evaluation.open_of)
        self._control.produced.connect(self._comparison.follow)
        self._comparison.removed.connect(self._banner.clear)
        self._comparison.noted.connect(self._banner.show_note)
        self._comparison.resume_requested.connect(self._show_resume)
        self._comparison.settings_requested.connect(self._take_settings)
        self._run.start_requested.connect(self._start)
        self._run.speedup_requested.connect(self._estimate.take)
        self._run.resume_last_requested.connect(self._resume.start_last)
        self._run.resume_requested.connect(self._resume.start_with)
        self._run.pause_requested.connect(self._control.pause)
        self._run.continue_requested.connect(self._control.go_on)
        self._run.stop_requested.connect(self._control.stop)
        self._run.save_requested.connect(self._control.save_again)
        self._control.changed.connect(self._state_changed)
        self._control.produced.connect(self._run.header.feed)
        self._control.produced.connect(self._story.show)
        self._control.failed.connect(self._run_failed)
        self._jobs.ended.connect(self._allow)
        self._estimate.changed.connect(self._allow)
        for keys, act in (
            (QKeySequence("Ctrl+Return"), self._start_by_key),
            (QKeySequence(QKeySequence.StandardKey.Open), self._dataset.ask),
            (QKeySequence("F1"), self._show_guide),
        ):
            QShortcut(keys, self).activated.connect(act)

    def _restore(self) -> None:
        self.resize(QSize(1360, 860).boundedTo(self.screen().availableSize()))
        if geometry := self._settings.value("geometry"):
            self.restoreGeometry(geometry)
        self._panels.restore(self._settings)
        self._form.set_start(model=self._modes.model, weights=self._modes.weights)
        self._store.update(recipe=self._form.recipe())
        self._resume.refresh()
        self._weights.refresh()
        self._offer_last_run()
        QTimer.singleShot(LATEST, self, self._warm_up)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._warm:
            QTimer.singleShot(0, self, self._warm_up)

    @Slot()
    def _warm_up(self) -> None:
        """Loads torch, once there is a window to look at: that takes seconds, in which Python
        has little time for anything else."""
        if not self._warm:
            self._warm = True
            self._jobs.do("catalogue", preload_torch.load, self._catalogue_told)

    @Slot(object)
    def _catalogue_told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, ModelsListed):
                self._modes.show_catalogue(event)
        self._weights.refresh()
        self._network.refresh()

    @Slot(object)
    def _report(self, error: BaseException) -> None:
        """Tells the user of an error that nobody else does."""
        report(error, self._banner, self)

    # --- photos ---------------------------------------------------------------------------

    @Slot(str)
    def open_folder(self, folder: str) -> None:
        """Looks at a folder of photos and shows its classes."""
        if self._control.state != RunState.IDLE:
            self._banner.show_warning("Stop the run first, then open other photos.")
            return
        self._banner.clear()
        self._photos.open(folder)
        self._allow()

    @Slot()
    def _draw_sample(self) -> None:
        self._banner.clear()
        self._photos.draw()

    @Slot()
    def _sample_drawn(self) -> None:
        if self._modes.mode == "scratch":
            self._modes.model = "mynet"  # curves within a minute, on any laptop

    @Slot(object)
    def _photos_opened(self, scanned: Scanned) -> None:
        if self._resume.chosen is None:  # else it is the run's photos that count
            self._form.set_start(photos=scanned.folder)
            self._network.set_class_count(len(scanned.classes))
        self._resume.check()  # the photos of a run may have moved here

    # --- where a run starts from ----------------------------------------------------------

    @Slot(str)
    def _mode_changed(self, mode: str) -> None:
        self._banner.take_back()
        self._store.update(mode=Mode(mode))
        if mode == "resume":
            self._resume.enter()
            return
        self._resume.leave()
        if mode != self._form.recipe().mode:
            self._estimate.take_back()
        model, weights = self._modes.model, self._modes.weights
        photos = self._photos.folder
        self._form.set_start(mode=mode, model=model, weights=weights, photos=photos)
        self._network.set_class_count(self._photos.class_count)
        self._network.show_frozen()
        self._runs_listed()

    @Slot(str)
    def _show_resume(self, checkpoint: str) -> None:
        self._modes.mode = "resume"
        self._modes.checkpoint = checkpoint
        self.activateWindow()

    @Slot(object)
    def _take_settings(self, recipe: Recipe) -> None:
        self._modes.mode = recipe.mode
        self._modes.model, self._modes.weights = recipe.model, recipe.weights
        taken = replace(recipe, model=self._modes.model, weights=self._modes.weights)
        self._form.set_recipe(replace(taken, photos=self._photos.folder))
        self._network.show_frozen()
        if recipe.photos and not self._photos.folder and not self._photos.looking:
            self.open_folder(recipe.photos)
        if taken.model != recipe.model:
            self._banner.show_warning(f"There is no network {recipe.model} here; choose one.")
        else:
            photos = ", for the photos that are open" if self._photos.folder else ""
            self._banner.show_note(f"These are the settings of that run{photos}.")
        self.activateWindow()

    @Slot()
    def _find_runs(self) -> None:
        self._resume.refresh(look=self._control.state == RunState.IDLE)

    @Slot()
    def _runs_listed(self) -> None:
        self._allow()

    @Slot()
    def _run_chosen(self) -> None:
        self._banner.take_back()
        if chosen := self._resume.chosen:
            self._network.set_class_count(chosen.class_count)
            self._network.show_frozen()
        self._runs_listed()

    @Slot(str)
    def _model_changed(self, model: str) -> None:
        recipe = self._form.recipe()
        frozen = self._network.frozen_for(recipe.frozen, recipe.mode)
        self._form.set_start(model=model, weights=self._modes.weights, frozen=frozen)
        self._weights.refresh()

    @Slot(str)
    def _weights_changed(self, weights: str) -> None:
        self._form.set_start(weights=weights)

    @Slot()
    def _recipe_changed(self) -> None:
        self._banner.take_back()
        self._store.update(recipe=self._form.recipe())
        self._dataset.set_validation_fraction(self._form.recipe().validation_fraction)
        self._network.refresh()
        if self._control.state == RunState.IDLE:
            self._resume.check()
        self._allow()

    @Slot(object)
    def _frozen_changed(self, names: tuple[str, ...]) -> None:
        if self._control.state == RunState.IDLE:
            self._form.set_start(frozen=names)
        elif not self._layers.problem():
            self._control.live.frozen = names
        self._allow()

    @Slot(float)
    def _learning_rate_changed(self, rate: float) -> None:
        self._control.live.learning_rate = rate

    # --- a run ----------------------------------------------------------------------------

    def _why_not(self) -> str:
        """Why Start can't be pressed, in a sentence; empty where it can."""
        if self._resume.active:
            return self._resume.problem()
        if self._photos.scanned is None:
            return "Choose a folder of photos first."
        if problems := self._form.problems():
            return next(iter(problems.values()))
        return self._network.problem()

    @Slot()
    def _allow(self) -> None:
        why_not, scanned = self._why_not(), self._photos.scanned
        idle = self._control.state == RunState.IDLE
        if idle and self._warm and not why_not and not self._resume.active and scanned:
            self._estimate.want(self._form.recipe(), scanned)
        else:
            self._estimate.rest()
        self._run.allow(
            start=why_not,
            resume=self._resume.nothing(),
            estimate=self._estimate.text,
            quicker=self._estimate.speedups,
            how=self._estimate.how,
        )

    @Slot()
    def _start_by_key(self) -> None:
        if self._control.state == RunState.IDLE and not self._why_not():
            self._start()

    @Slot()
    def _start(self) -> None:
        if self._resume.active:
            self._resume.start()
        else:
            recipe = self._form.recipe()
            self._begin(lambda live: tasks.train(recipe, live))

    @Slot(str, object, object)
    def _go_on(self, path: str, changes: dict[str, Any], how: ResumeOptions) -> None:
        self._begin(lambda live: tasks.resume(path, live, changes, how=how))

    def _begin(self, job: Callable[[LiveRequests], Iterator[Any]]) -> None:
        self._banner.clear()
        self._story.begin()
        self._control.begin(job)

    @Slot(str)
    def _state_changed(self, state: RunState) -> None:
        idle = state == RunState.IDLE
        self._run.show_state(state)
        self._dataset.set_running(not idle)
        self._modes.set_running(not idle)
        self._form.set_running(not idle)
        if not idle:
            self._photos.leave_be()
        else:
            self._resume.allow_editing()
            self._resume.refresh()
        self._allow()
        self._closing.follow(state)

    @Slot(object)
    def _run_failed(self, error: BaseException) -> None:
        self._run.header.failed()
        self._report(error)

    @Slot(int)
    def _offer_more_epochs(self, epochs: int) -> None:
        self._banner.offer(
            f"This run has done all its epochs ({epochs:,}). Give it more, or begin a new one from "
            "scratch or by transfer.",
            f"Train {epochs:,} more",
            self._resume.start_longer,
            kind="warning",
        )

    def _offer_last_run(self) -> None:
        """A run that was stopped, or died with its machine, is one click away."""
        if run := self._resume.left():
            where = f"epoch {run.epochs_done + 1} of {run.recipe.epochs}, batch {run.batch:,}"
            self._banner.offer(
                f"Your last run ({run.recipe.model}) stopped at {where}.",
                "Resume it",
                lambda: self._resume.start_with(run.last),
            )

    # --- the window itself ----------------------------------------------------------------

    @Slot()
    def _show_guide(self) -> None:
        guide = self.findChild(GuideWindow) or GuideWindow(self)
        guide.show()
        guide.activateWindow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:  # nobody else had a use for it
            self._banner.dismiss_newest()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        dropped = sorted_paths(local_paths(event.mimeData()))
        event.acceptProposedAction()
        if dropped.folders:
            self.open_folder(dropped.folders[0])
        if dropped.checkpoints:
            self._predictions.use_checkpoint(dropped.checkpoints[0])
        if dropped.images:
            self._predictions.predict(list(dropped.images))

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.setValue("geometry", self.saveGeometry())
        self._panels.save(self._settings)
        self._estimate.rest()
        event.setAccepted(self._closing.may())

    @Slot()
    def end(self) -> None:
        """Closes the window without a question, whatever comes; a run is stopped and, where that
        can be, saved first."""
        self._closing.end()
