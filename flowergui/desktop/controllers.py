"""The controllers of the window, and what they do for each other."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QSettings, Slot
from PySide6.QtWidgets import QMainWindow

from flowergui.desktop.batch_prediction.batch_controller import BatchController
from flowergui.desktop.cluster_job.job_controller import JobController
from flowergui.desktop.dataset.dataset_controller import DatasetController
from flowergui.desktop.evaluation.evaluation_controller import EvaluationController
from flowergui.desktop.layers.network_controller import NetworkController
from flowergui.desktop.linear_probe.confidence_controller import ConfidenceController
from flowergui.desktop.linear_probe.networks_controller import NetworksController
from flowergui.desktop.linear_probe.small_dataset_controller import SmallDatasetController
from flowergui.desktop.menus.actions import language_action
from flowergui.desktop.menus.menu_bar import THEMES
from flowergui.desktop.plots.zoom_windows import ALL_STEPS
from flowergui.desktop.prediction.prediction_controller import PredictionController
from flowergui.desktop.preferences.preferences_controller import PreferencesController
from flowergui.desktop.runs.runs_controller import RunsController
from flowergui.desktop.session import Mode, Store
from flowergui.desktop.settings.estimate_controller import EstimateController
from flowergui.desktop.settings.memory_controller import MemoryController
from flowergui.desktop.settings.recipe_controller import RecipeController
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.start_from.launch_controller import LaunchController
from flowergui.desktop.start_from.resume_controller import ResumeController
from flowergui.desktop.start_from.start_controller import StartController
from flowergui.desktop.start_from.weights_controller import WeightsController
from flowergui.desktop.support.support_controller import SupportController
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.training.run_presenter import RunPresenter
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.watching.watch_controller import WatchController
from flowergui.desktop.window.file_drops import FileDrops
from flowergui.desktop.window.handover import RunHandover
from flowergui.desktop.window.language_controller import LanguageController
from flowergui.desktop.window.layout import Layout
from flowergui.desktop.window.run_notice import RunNotice
from flowergui.desktop.window.shutdown import Shutdown
from flowergui.language import Language


class Controllers(QObject):
    """Makes all controllers, in the order in which they hear of a new session, and connects them
    with the panels and with each other."""

    def __init__(
        self, store: Store, panels: Layout, jobs: Jobs, settings: QSettings, window: QMainWindow
    ) -> None:
        super().__init__(window)
        banner = panels.banner
        self._jobs, self._form, self._header = jobs, panels.form, panels.run.header
        self.training = TrainingController(store, window)
        self.closing = Shutdown(store, self.training, jobs, banner, window)
        self.undo = undo = RecipeUndo(store, window)
        self.datasets = DatasetController(store, panels.photos, jobs, settings, banner, window)
        self.start_from = StartController(store, panels.modes, undo, banner, jobs, window)
        self.weights = WeightsController(store, panels.modes.weights, banner, jobs, window)
        self.resume = ResumeController(store, panels.modes, banner, jobs, window)
        self.launch = LaunchController(
            store, panels.run, panels.form, self.resume, self.training, banner, window
        )
        self.recipes = RecipeController(store, panels.form, undo, window)
        self.memory = MemoryController(store, undo, settings, banner, window)
        self.networks = NetworkController(store, panels.layers, undo, banner, jobs, window)
        self.estimate = EstimateController(store, undo, jobs, banner, window)
        self.predictions = PredictionController(store, panels.predictions, jobs, window)
        self.batch = BatchController(store, jobs, window)
        self.evaluation = EvaluationController(store, jobs, window)
        self.comparison = RunsController(store, jobs, window)
        self.network_comparison = NetworksController(store, undo, jobs, window)
        self.confidence = ConfidenceController(store, jobs, window)
        self.small_dataset = SmallDatasetController(store, jobs, banner, window)
        self.presenter = RunPresenter(store, self.training, panels.run, banner, window)
        self.watch = WatchController(store, jobs, banner, window)
        self.cluster_job = JobController(store, panels.form, jobs, settings, banner, window)
        self.preferences = PreferencesController(settings, jobs, banner, window)
        self.support = SupportController(
            store, self.preferences, lambda: self.datasets.recent, banner, jobs, window
        )
        self.notice = RunNotice(store, self.training, banner, window)
        self.drops = FileDrops(window)
        self.languages = LanguageController(store, settings, banner, self._lost_with_window, window)
        self._connect(panels)

    def _connect(self, panels: Layout) -> None:
        run, predictions, banner = panels.run, panels.predictions, panels.banner
        run.welcome.folder_requested.connect(panels.photos.ask)
        run.welcome.samples_requested.connect(panels.photos.samples_requested)
        run.speedup_requested.connect(self._take_speedup)
        run.comparison_requested.connect(self.comparison.open)
        run.messages_requested.connect(banner.show_log)
        predictions.evaluation_requested.connect(self.evaluation.open)
        predictions.folder_requested.connect(self.batch.ask_for_folder)
        self.predictions.many_dropped.connect(self.batch.predict)
        panels.modes.models.comparison_requested.connect(self.network_comparison.open)
        panels.photos.confidence_requested.connect(self.confidence.open)
        for source in (predictions, self.drops):
            source.images_dropped.connect(self.predictions.predict)
            source.checkpoint_dropped.connect(self.predictions.use_checkpoint)
            source.folder_dropped.connect(self.datasets.open)
            source.refused.connect(banner.refuse)
            source.left_out.connect(banner.show_warning)
        run.leave_requested.connect(self.watch.leave)
        run.stop_requested.connect(self.watch.stop)
        self.watch.produced.connect(self.presenter.show)
        self.watch.produced.connect(self.notice.take)
        self.watch.checkpoint_saved.connect(self.predictions.run_saved)
        self.comparison.watch_requested.connect(self.watch.open)
        self.comparison.other_watch_requested.connect(self.watch.ask_for_run)
        self.predictions.save_requested.connect(self.training.save_now)
        self.batch.save_requested.connect(self.training.save_now)
        self.presenter.checkpoint_saved.connect(self.predictions.run_saved)
        self.presenter.save_failed.connect(self.predictions.wait_no_longer)
        self.presenter.evaluation_requested.connect(self.evaluation.open_of)
        self.presenter.run_validated.connect(self.small_dataset.run_validated)
        self.evaluation.dataset_changed.connect(self.datasets.scan_again)
        self.small_dataset.details_requested.connect(self.confidence.open)
        self.training.begun.connect(self.memory.remember)
        self.training.failed.connect(self.start_from.offer_network)
        self.start_from.dataset_requested.connect(self.datasets.open)
        self.comparison.list_requested.connect(self.resume.refresh)
        self.comparison.evaluation_requested.connect(self.evaluation.open_of)
        self.comparison.removed.connect(self.presenter.dismiss_outcome)
        self.comparison.noted.connect(banner.show_note)
        self.comparison.resume_requested.connect(self.resume.choose)
        self.comparison.settings_requested.connect(self.start_from.take_settings)

    def acts(self, panels: Layout) -> dict[str, Callable[[], object]]:
        """What the actions of the menu bar do, but for those of the window itself."""
        wishes, plot = self.preferences, panels.run.plot
        mode, preset = self.start_from.choose_mode, self.recipes.take_preset
        return {
            "openFolderAction": panels.photos.ask,
            "openArchiveAction": panels.photos.ask_for_archive,
            "drawSamplesAction": self.datasets.draw_samples,
            "openPhotosAction": panels.predictions.browse,
            "saveNowAction": self._save_now,
            "undoAction": self.undo.undo,
            "redoAction": self.undo.redo,
            "pasteAction": panels.predictions.paste,
            "settingsAction": wishes.open,
            **{name: partial(wishes.choose_scheme, each) for name, each in THEMES.items()},
            **{language_action(each): partial(self.languages.choose, each) for each in Language},
            "zoomInAction": partial(wishes.zoom_by, 1),
            "zoomOutAction": partial(wishes.zoom_by, -1),
            "zoomResetAction": wishes.reset_zoom,
            "followAllAction": partial(plot.follow, ALL_STEPS),
            "followThousandAction": partial(plot.follow, 1_000),
            "followFewAction": partial(plot.follow, 200),
            "startAction": self.launch.start,
            "pauseAction": self.launch.pause_or_continue,
            "stopAction": self._stop,
            "watchAction": self.watch.watch_or_leave,
            "runElsewhereAction": self.cluster_job.open,
            "resumeLastAction": self.launch.resume_last,
            "scratchAction": partial(mode, Mode.SCRATCH),
            "resumeAction": partial(mode, Mode.RESUME),
            "transferAction": partial(mode, Mode.TRANSFER),
            "recommendedAction": partial(preset, "recommended"),
            "tutorialAction": partial(preset, "tutorial"),
            "speedupAction": self._take_speedup,
            "runsAction": self.comparison.open,
            "evaluationAction": self.evaluation.open,
            "predictFolderAction": self.batch.ask_for_folder,
            "networksAction": self.network_comparison.open,
            "confidenceAction": self.confidence.open,
            "networkAction": self.networks.show_dialog,
            "messagesAction": panels.banner.show_log,
            "modelsFolderAction": wishes.show_models_folder,
            "clearCacheAction": wishes.ask_to_clear_cache,
            "diagnosticsAction": self.support.copy_diagnostics,
            "aboutAction": self.support.open_about,
        }

    def _lost_with_window(self) -> tuple[str, ...]:
        """What another window would not go on with, in sentences."""
        return (*self._jobs.warnings, *self.batch.warnings, *self.evaluation.warnings)

    def hand_over(self) -> RunHandover | None:
        """The run that goes, for the controllers of another window; None for none. This one closes
        without a question then."""
        self.closing.ask_nothing()
        shown = self.presenter.hand_over()
        run = self.training.hand_over()
        if run is None:
            return None
        return RunHandover(run, shown, self._header.status, self.notice.progress)

    def take_over(self, handover: RunHandover) -> None:
        """Goes on with the run of another window, whose worker is still held."""
        self.training.take_over(handover.ongoing)
        if handover.shown is not None:
            self.presenter.take_over(handover.shown)
        self._header.take_over(handover.status)
        self.notice.take_over(handover.progress)

    @Slot()
    def _save_now(self) -> None:
        """Has the run save that goes here, or the one that is watched."""
        self.training.save_now()
        self.watch.save()

    @Slot()
    def _stop(self) -> None:
        """Stops the run that goes here, or asks whether the one that is watched is to stop."""
        self.launch.stop()
        self.watch.stop()

    @Slot()
    def _take_speedup(self) -> None:
        self._form.finish_typing()
        self.estimate.take_speedup()
