"""The window: it builds the panels and the controllers, connects them, and closes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from flowergui.desktop.batch_prediction.batch_controller import BatchController
from flowergui.desktop.dataset.dataset_controller import DatasetController
from flowergui.desktop.evaluation.evaluation_controller import EvaluationController
from flowergui.desktop.layers.network_controller import NetworkController
from flowergui.desktop.linear_probe.confidence_controller import ConfidenceController
from flowergui.desktop.linear_probe.networks_controller import NetworksController
from flowergui.desktop.linear_probe.small_dataset_controller import SmallDatasetController
from flowergui.desktop.menus.actions import language_action
from flowergui.desktop.menus.menu_bar import THEMES, MenuBar
from flowergui.desktop.plots.zoom_windows import ALL_STEPS
from flowergui.desktop.prediction.prediction_controller import PredictionController
from flowergui.desktop.preferences import preferences
from flowergui.desktop.preferences.preferences_controller import PreferencesController
from flowergui.desktop.runs.runs_controller import RunsController
from flowergui.desktop.session import Mode, Session, Store, continuable, listed_run
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
from flowergui.desktop.training.run_history import replayed
from flowergui.desktop.training.run_presenter import RunPresenter
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.transitions import handed_over
from flowergui.desktop.widgets.problem_report import report
from flowergui.desktop.widgets.windows import bring_to_front, screen_size
from flowergui.desktop.window.file_drops import FileDrops
from flowergui.desktop.window.guide_window import CURVES_CHAPTER, GuideWindow
from flowergui.desktop.window.handover import Handover
from flowergui.desktop.window.language_controller import LanguageController
from flowergui.desktop.window.layout import Layout
from flowergui.desktop.window.run_notice import RunNotice
from flowergui.desktop.window.shutdown import Shutdown
from flowergui.language import Language

LOAD_MS = 1_000
"""Milliseconds after which torch is loaded also where the window has not been painted yet."""


class MainWindow(QMainWindow):
    """From a folder of images to a prediction. Takes no arguments; show it and use it."""

    language_due = Signal(object)
    """A window in this Language is to take the place of this one; no run goes."""

    def __init__(self) -> None:
        super().__init__()
        self._settings = preferences.settings_file()
        self._store = store = Store(parent=self)
        self._panels = panels = Layout(self)
        self._banner = banner = panels.banner
        self.setCentralWidget(panels)
        self._jobs = jobs = Jobs(self._report, self)
        store.changed.connect(self._show)  # before the controllers: they may ask the user
        self._control = TrainingController(store, self)
        self._closing = Shutdown(store, self._control, jobs, banner, self)
        self._undo = undo = RecipeUndo(store, self)
        self._datasets = DatasetController(store, panels.photos, jobs, self._settings, banner, self)
        self._start_from = StartController(store, panels.modes, undo, banner, jobs, self)
        self._weights = WeightsController(store, panels.modes.weights, banner, jobs, self)
        self._resume = ResumeController(store, panels.modes, banner, jobs, self)
        self._launch = LaunchController(
            store, panels.run, panels.form, self._resume, self._control, banner, self
        )
        self._recipes = RecipeController(store, panels.form, undo, self)
        self._memory = MemoryController(store, self._settings, banner, self)
        self._networks = NetworkController(store, panels.layers, banner, jobs, self)
        self._estimate = EstimateController(store, jobs, banner, self)
        self._predictions = PredictionController(store, panels.predictions, jobs, self)
        self._batch = BatchController(store, jobs, self)
        self._evaluation = EvaluationController(store, jobs, self)
        self._comparison = RunsController(store, jobs, self)
        self._network_comparison = NetworksController(store, jobs, self)
        self._confidence = ConfidenceController(store, jobs, self)
        self._small_dataset = SmallDatasetController(store, jobs, banner, self)
        self._presenter = RunPresenter(store, self._control, panels.run, banner, self)
        self._preferences = PreferencesController(self._settings, jobs, banner, self)
        self._support = SupportController(store, self._preferences, banner, jobs, self)
        self._notice = RunNotice(store, self._control, banner, self)
        self._drops = FileDrops(self)
        self.languages = LanguageController(store, self._settings, banner, self)
        """Its slot `choose` takes the Language that the user wants."""
        self._menus = MenuBar(self._acts(), self)
        self.setMenuBar(self._menus)
        self._connect()
        self._restore()

    def _connect(self) -> None:
        run, predictions = self._panels.run, self._panels.predictions
        run.welcome.folder_requested.connect(self._panels.photos.ask)
        run.welcome.samples_requested.connect(self._panels.photos.samples_requested)
        run.speedup_requested.connect(self._take_speedup)
        run.comparison_requested.connect(self._comparison.open)
        run.guide_requested.connect(self._show_guide)
        run.advice_requested.connect(self._show_advice)
        run.messages_requested.connect(self._banner.show_log)
        predictions.evaluation_requested.connect(self._evaluation.open)
        predictions.folder_requested.connect(self._batch.ask_for_folder)
        self._predictions.many_dropped.connect(self._batch.predict)
        self._panels.modes.models.comparison_requested.connect(self._network_comparison.open)
        self._panels.photos.confidence_requested.connect(self._confidence.open)
        for source in (predictions, self._drops):
            source.images_dropped.connect(self._predictions.predict)
            source.checkpoint_dropped.connect(self._predictions.use_checkpoint)
            source.folder_dropped.connect(self.open_folder)
            source.refused.connect(self._banner.refuse)
            source.left_out.connect(self._banner.show_warning)
        self._predictions.save_requested.connect(self._control.save_now)
        self._batch.save_requested.connect(self._control.save_now)
        self._presenter.checkpoint_saved.connect(self._predictions.run_saved)
        self._presenter.save_failed.connect(self._predictions.wait_no_longer)
        self._presenter.evaluation_requested.connect(self._evaluation.open_of)
        self._presenter.run_finished.connect(self._small_dataset.run_finished)
        self._evaluation.dataset_changed.connect(self._datasets.scan_again)
        self._small_dataset.details_requested.connect(self._confidence.open)
        self.languages.due.connect(self.language_due)
        self._control.failed.connect(self._start_from.offer_network)
        self._start_from.dataset_requested.connect(self.open_folder)
        self._comparison.list_requested.connect(self._resume.refresh)
        self._comparison.evaluation_requested.connect(self._evaluation.open_of)
        self._comparison.removed.connect(self._banner.clear)
        self._comparison.noted.connect(self._banner.show_note)
        self._comparison.resume_requested.connect(self._resume.choose)
        self._comparison.settings_requested.connect(self._start_from.take_settings)
        for signal in (self._comparison.resume_requested, self._comparison.settings_requested):
            signal.connect(self.activateWindow)
        self._connect_menus()

    def _connect_menus(self) -> None:
        self._store.changed.connect(self._show_in_menus)
        self._menus.recent_chosen.connect(self.open_folder)
        self._datasets.recent_changed.connect(self._menus.show_recent)
        self._menus.show_recent(self._datasets.recent)
        self._menus.follow_undo(self._undo)
        self._support.guide_requested.connect(self._show_guide)
        self._preferences.changed.connect(self._show_scheme)
        self._preferences.language_requested.connect(self.languages.choose)
        self._show_scheme()

    def _acts(self) -> dict[str, Callable[[], object]]:
        """What each action of the menu bar does."""
        panels, wishes, plot = self._panels, self._preferences, self._panels.run.plot
        mode, preset = self._start_from.choose_mode, self._recipes.take_preset
        return {
            "openFolderAction": panels.photos.ask,
            "drawSamplesAction": self._datasets.draw_samples,
            "openPhotosAction": panels.predictions.browse,
            "saveNowAction": self._control.save_now,
            "closeAction": self._close_active_window,
            "quitAction": self.close,
            "undoAction": self._undo.undo,
            "redoAction": self._undo.redo,
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
            "fullScreenAction": self._toggle_full_screen,
            "startAction": self._launch.start,
            "pauseAction": self._pause_or_continue,
            "stopAction": self._control.stop,
            "resumeLastAction": self._launch.resume_last,
            "scratchAction": partial(mode, Mode.SCRATCH),
            "resumeAction": partial(mode, Mode.RESUME),
            "transferAction": partial(mode, Mode.TRANSFER),
            "recommendedAction": partial(preset, "recommended"),
            "tutorialAction": partial(preset, "tutorial"),
            "speedupAction": self._take_speedup,
            "runsAction": self._comparison.open,
            "evaluationAction": self._evaluation.open,
            "networksAction": self._network_comparison.open,
            "confidenceAction": self._confidence.open,
            "networkAction": self._networks.show_dialog,
            "messagesAction": self._banner.show_log,
            "modelsFolderAction": wishes.show_models_folder,
            "clearCacheAction": wishes.ask_to_clear_cache,
            "guideAction": self._show_guide,
            "diagnosticsAction": self._support.copy_diagnostics,
            "aboutAction": self._support.open_about,
        }

    def _restore(self) -> None:
        self.resize(QSize(1360, 860).boundedTo(screen_size()))
        geometry = self._settings.value("geometry")
        if isinstance(geometry, QByteArray):  # the file may hold anything
            self.restoreGeometry(geometry)
        self._panels.restore(self._settings)
        self._resume.refresh()
        QTimer.singleShot(LOAD_MS, self, self._start_from.load_models)
        QTimer.singleShot(LOAD_MS, self, self._support.look_for_reports)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.session.models:  # there is a window to look at meanwhile
            QTimer.singleShot(0, self, self._start_from.load_models)

    @Slot(object, object)
    def _show(self, before: Session, after: Session) -> None:
        if before.runs is not after.runs and replace(before, **_progress(after)) == after:
            self._panels.modes.runs.show_session(after)  # a run has done an epoch
            self._panels.run.show_session(after)
            return
        if _user_choices(before) != _user_choices(after):
            self._banner.take_back()
        for panel in (self._panels.modes, self._panels.form, self._panels.layers, self._panels.run):
            panel.show_session(after)

    @Slot(object, object)
    def _show_in_menus(self, before: Session, after: Session) -> None:
        self._menus.show_session(after)

    @Slot(object)
    def _report(self, error: BaseException) -> None:
        """Shows an error that nobody else does."""
        report(error, self._banner, self)

    @Slot(object)
    def open_folder(self, folder: str) -> None:
        """Opens a folder of images and shows its classes."""
        self._datasets.open(folder)

    def reopen_folder(self) -> None:
        """Opens the folder that was open last, if it is still there."""
        self._datasets.reopen()

    @property
    def session(self) -> Session:
        """What the window knows."""
        return self._store.session

    @Slot()
    def _take_speedup(self) -> None:
        self._panels.form.finish_typing()
        self._estimate.take_speedup()

    @Slot()
    def _pause_or_continue(self) -> None:
        if checkpoint := continuable(self.session):
            self._resume.resume(checkpoint)
        else:
            self._control.pause_or_continue()

    # --- its place in another language ----------------------------------------------------

    def handover(self) -> Handover:
        """What another window needs to go on where this one is."""
        photos = tuple(each.path for each in self._panels.predictions.photos)
        return Handover(self.session, self._presenter.ended, photos)

    def take_over(self, handover: Handover) -> None:
        """Goes on where a window was that is closed now. Sentences are made anew: the folder is
        scanned again, the curves are read from the run's history."""
        session, started = handover.session, handover.session.run_started
        if started is not None and listed_run(session, started.run) is not None:
            events = replayed(started, handover.ended)
            self._jobs.do("replay", lambda: events, self._presenter.show_again)
        self._store.update(**handed_over(session))
        self._memory.keep()
        self._resume.refresh()
        if session.dataset is not None:
            self.open_folder(session.dataset.folder)
        if handover.photos:
            self._predictions.predict([*handover.photos])

    # --- the window itself ----------------------------------------------------------------

    @Slot()
    def _show_guide(self, chapter: int | None = None) -> None:
        guide = self.findChild(GuideWindow) or GuideWindow(self)
        bring_to_front(guide)
        if chapter is not None:
            guide.show_chapter(chapter)

    @Slot()
    def _show_advice(self) -> None:
        self._show_guide(CURVES_CHAPTER)

    @Slot()
    def _show_scheme(self) -> None:
        wishes = self._preferences
        fixed = wishes.fixed_scheme
        self._menus.show_scheme(fixed or wishes.preferences.scheme, fixed=fixed is not None)

    @Slot()
    def _close_active_window(self) -> None:
        (QApplication.activeWindow() or self).close()

    @Slot()
    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.WindowStateChange:
            self._menus.show_full_screen(self.isFullScreen())
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:  # nobody else had a use for it
            self._banner.dismiss_newest()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.setValue("geometry", self.saveGeometry())
        self._panels.save(self._settings)
        self._settings.sync()  # the program may end here
        self._estimate.close()
        event.setAccepted(self._closing.may())

    @Slot()
    def end(self) -> None:
        """Closes the window without a question, whatever comes; a run is stopped and, where that
        can be, saved first."""
        self._closing.end()

    @Slot()
    def end_session(self) -> None:
        """The user logs out: see `Shutdown.end_session`."""
        self._closing.end_session()


def _progress(session: Session) -> dict[str, Any]:
    """What an epoch changes. Epochs on cached features take milliseconds."""
    return {"runs": session.runs, "resume_from": session.resume_from}


def _user_choices(session: Session) -> tuple[Any, ...]:
    """What the user wants; messages about something else pass when it changes."""
    return session.mode, session.recipe, session.checkpoint
