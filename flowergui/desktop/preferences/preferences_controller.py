"""Applies the preferences, live, and keeps them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal, Slot
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from flowergui import language, tasks
from flowergui.desktop.preferences import preferences as kept
from flowergui.desktop.preferences.preferences import Preferences
from flowergui.desktop.preferences.preferences_dialog import PreferencesDialog
from flowergui.desktop.style import theme
from flowergui.desktop.style.theme import Scheme
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.confirm import confirm
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import CacheState
from flowergui.store import paths
from flowergui.store.paths import ModelsFolder
from flowergui.text import tr
from flowergui.wording import photo_cache_text

CACHE, CLEAR, FOLDER = "size of the cache", "clear cache", "folder of models"
"""The names of its jobs."""


class PreferencesController(QObject):
    """Owns the preferences of the running program, and the window that asks for them."""

    language_requested = Signal(object)
    """The user wants this Language; None for the system's."""
    changed = Signal(object)
    """The Preferences are others."""
    was_reset = Signal()
    """All that the settings file had is forgotten."""

    def __init__(self, settings: QSettings, jobs: Jobs, banner: Banner, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings, self._jobs, self._banner, self._parent = settings, jobs, banner, parent
        self._dialog: PreferencesDialog | None = None
        self.preferences = kept.read(settings)
        """What the user prefers."""
        self.fixed_scheme = kept.scheme_of_environment()
        """The scheme that the environment decides; None for none."""

    # --- what is preferred ----------------------------------------------------------------

    @Slot(object)
    def take(self, preferences: Preferences) -> None:
        """The user wants these: the window looks so at once, and at the next start."""
        before, self.preferences = self.preferences, preferences
        kept.write(self._settings, preferences)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if preferences.scheme != before.scheme and self.fixed_scheme is None:
            theme.apply(app, preferences.scheme)
        theme.set_zoom(app, preferences.zoom)
        if self._dialog is not None:
            self._dialog.show_preferences(preferences, self.fixed_scheme)
            if preferences.zoom != before.zoom:
                self._dialog.fit()
        self.changed.emit(preferences)

    def choose_scheme(self, scheme: Scheme) -> None:
        """The user wants this Scheme."""
        self.take(replace(self.preferences, scheme=scheme))

    def zoom_by(self, steps: int) -> None:
        """Text and controls become so many steps larger, or smaller where `steps` is negative."""
        self.take(replace(self.preferences, zoom=self.preferences.zoomed(steps)))

    @Slot()
    def reset_zoom(self) -> None:
        """Text and controls have the system's size."""
        self.take(replace(self.preferences, zoom=Preferences().zoom))

    # --- the window -----------------------------------------------------------------------

    @Slot()
    def open(self) -> None:
        """Shows the window that asks for the preferences."""
        if self._dialog is None:
            self._dialog = self._make_dialog()
            self._dialog.fit()
        bring_to_front(self._dialog)

    def _make_dialog(self) -> PreferencesDialog:
        dialog = PreferencesDialog(self._parent)
        dialog.show_preferences(self.preferences, self.fixed_scheme)
        fixed = language.asked_for()
        dialog.show_language(fixed or kept.chosen_language(self._settings), fixed=fixed is not None)
        dialog.language_requested.connect(self.language_requested)
        dialog.preferences_requested.connect(self.take)
        dialog.models_folder_requested.connect(self._choose_folder)
        dialog.models_folder_opened.connect(self.show_models_folder)
        dialog.cache_clearing_requested.connect(self.ask_to_clear_cache)
        dialog.reset_requested.connect(self._ask_to_reset)
        dialog.finished.connect(self._closed)
        self._jobs.do(CACHE, tasks.cached_photos, self._show_cache)
        self._jobs.do(FOLDER, lambda: iter([paths.next_models_folder()]), self._show_folder)
        return dialog

    @Slot()
    def _closed(self) -> None:
        self._jobs.cancel(CACHE)
        self._dialog = None

    @Slot()
    def _ask_to_reset(self) -> None:
        confirm(
            self._dialog or self._parent,
            "resetQuestion",
            tr("Forget all settings?"),
            tr(
                "Theme, size, language, the folder of runs, the columns, the recent folders and "
                "the settings of the last run on each of them are as in a new program again. Your "
                "images and runs stay."
            ),
            (QMessageBox.StandardButton.Yes, tr("Reset")),
            self._reset,
        )

    def _reset(self) -> None:
        self._settings.clear()
        self.was_reset.emit()
        self.take(Preferences())
        self._choose_folder("")
        if language.asked_for() is None:
            if self._dialog is not None:
                self._dialog.show_language(None, fixed=False)
            self.language_requested.emit(None)

    # --- folders --------------------------------------------------------------------------

    @Slot(str)
    def _choose_folder(self, folder: str) -> None:
        self._jobs.do(
            FOLDER,
            lambda: iter([paths.choose_models_folder(folder)]),
            self._show_folder,
            self._folder_failed,
        )

    @Slot(object)
    def _show_folder(self, events: Sequence[ModelsFolder]) -> None:
        if self._dialog is not None:
            self._dialog.show_problem("")
            self._dialog.show_models_folder(events[-1])

    @Slot(object)
    def _folder_failed(self, error: BaseException) -> None:
        if self._dialog is not None and isinstance(error, FlowerError):
            self._dialog.show_problem(str(error))
        else:
            self._jobs.report(error)

    @Slot()
    def show_models_folder(self) -> None:
        """Opens the folder of runs in the file manager."""
        if problem := show_folder(paths.models_folder()):
            if self._dialog is not None:
                self._dialog.show_problem(problem)
            else:
                self._banner.refuse(problem)

    # --- the cache ------------------------------------------------------------------------

    @Slot()
    def ask_to_clear_cache(self) -> None:
        """Asks whether the decoded images that are kept from run to run may go."""
        confirm(
            self._dialog or self._parent,
            "clearCacheQuestion",
            tr("Clear the image cache?"),
            tr("Decoded images are deleted; the next run decodes them again. Your own files stay."),
            (QMessageBox.StandardButton.Yes, tr("Clear")),
            self._clear_cache,
        )

    def _clear_cache(self) -> None:
        self._jobs.do(CLEAR, lambda: tasks.cached_photos(clear=True), self._cleared)

    @Slot(object)
    def _cleared(self, events: Sequence[Any]) -> None:
        self._show_cache(events)
        for event in events:
            if isinstance(event, CacheState):
                self._banner.show_note(photo_cache_text(event))

    @Slot(object)
    def _show_cache(self, events: Sequence[Any]) -> None:
        for event in events:
            if self._dialog is not None and isinstance(event, CacheState):
                self._dialog.show_cache(event)
