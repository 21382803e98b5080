"""The window: it builds the panels and the controllers, connects them, and closes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from flowergui.config.presets import as_asked
from flowergui.desktop.controllers import Controllers
from flowergui.desktop.menus.menu_bar import MenuBar
from flowergui.desktop.preferences import preferences
from flowergui.desktop.session import Session, Store, listed_run
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.training.run_history import replayed
from flowergui.desktop.transitions import handed_over
from flowergui.desktop.watching.watch_transitions import with_watch_left
from flowergui.desktop.widgets.problem_report import report
from flowergui.desktop.widgets.windows import bring_to_front, screen_size
from flowergui.desktop.window.columns import LEFT, RIGHT
from flowergui.desktop.window.guide_window import CURVES_CHAPTER, GuideWindow
from flowergui.desktop.window.handover import Handover
from flowergui.desktop.window.layout import Layout

LOAD_MS = 1_000
"""Milliseconds after which torch is loaded also where the window has not been painted yet."""


class MainWindow(QMainWindow):
    """From a folder of images to a prediction. Takes no arguments; show it and use it."""

    language_due = Signal(object)
    """A window in this Language is to take the place of this one."""

    def __init__(self) -> None:
        super().__init__()
        self._settings = preferences.settings_file()
        self._store = store = Store(parent=self)
        self._panels = panels = Layout(self)
        self._banner = panels.banner
        self.setCentralWidget(panels)
        self._jobs = Jobs(self._report, self)
        store.changed.connect(self._show)  # before the controllers: they may ask the user
        self.controllers = Controllers(store, panels, self._jobs, self._settings, self)
        self._menus = MenuBar(self._acts(), self)
        self.setMenuBar(self._menus)
        self._connect()
        self._restore()

    def _connect(self) -> None:
        controllers, run = self.controllers, self._panels.run
        run.guide_requested.connect(self._show_guide)
        run.advice_requested.connect(self._show_advice)
        controllers.languages.due.connect(self.language_due)
        comparison = controllers.comparison
        for signal in (comparison.resume_requested, comparison.settings_requested):
            signal.connect(self.activateWindow)
        self._connect_menus()

    def _connect_menus(self) -> None:
        self._store.changed.connect(self._show_in_menus)
        self._menus.recent_chosen.connect(self.open_folder)
        self.controllers.datasets.recent_changed.connect(self._menus.show_recent)
        self._menus.show_recent(self.controllers.datasets.recent)
        self._menus.follow_undo(self.controllers.undo)
        self._panels.columns.folded.connect(self._show_columns)
        self._show_columns(False, False)
        self.controllers.support.guide_requested.connect(self._show_guide)
        self.controllers.preferences.changed.connect(self._show_scheme)
        self.controllers.preferences.was_reset.connect(self._panels.reset)
        self.controllers.preferences.was_reset.connect(self.controllers.datasets.forget_recent)
        self.controllers.preferences.language_requested.connect(self.controllers.languages.choose)
        self._show_scheme()

    def _acts(self) -> dict[str, Callable[[], object]]:
        """What each action of the menu bar does."""
        return {
            **self.controllers.acts(self._panels),
            "closeAction": self._close_active_window,
            "quitAction": self.close,
            "fullScreenAction": self._toggle_full_screen,
            "leftColumnAction": partial(self._panels.columns.toggle, LEFT),
            "rightColumnAction": partial(self._panels.columns.toggle, RIGHT),
            "guideAction": self._show_guide,
        }

    def _restore(self) -> None:
        self.resize(QSize(1360, 860).boundedTo(screen_size()))
        geometry = self._settings.value("geometry")
        if isinstance(geometry, QByteArray):  # the file may hold anything
            self.restoreGeometry(geometry)
        self._panels.restore(self._settings)
        self.controllers.resume.refresh()
        QTimer.singleShot(LOAD_MS, self, self.controllers.start_from.load_models)
        QTimer.singleShot(LOAD_MS, self, self.controllers.support.look_for_reports)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.session.models:  # there is a window to look at meanwhile
            QTimer.singleShot(0, self, self.controllers.start_from.load_models)

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
        self.controllers.datasets.open(folder)

    def reopen_folder(self) -> None:
        """Opens the folder that was open last, if it is still there."""
        self.controllers.datasets.reopen()

    @property
    def session(self) -> Session:
        """What the window knows."""
        return self._store.session

    # --- its place in another language ----------------------------------------------------

    def hand_over(self) -> Handover:
        """What another window needs to go on where this one is. A run goes on, and this window,
        which is to be closed then, hears no more of it."""
        run = self.controllers.hand_over()
        photos = tuple(each.path for each in self._panels.predictions.photos)
        session, watched = self.session, self.session.watched
        if watched is not None:
            predicts = {"run_checkpoint": session.run_checkpoint}
            session = replace(session, **{**with_watch_left(session), **predicts})
        path, folder = watched.path if watched else "", self.controllers.datasets.folder
        ended, untouched = self.controllers.presenter.ended, self.controllers.memory.hand_over()
        messages = self._banner.log.entries
        return Handover(session, folder, ended, photos, untouched, path, run, messages)

    def take_over(self, handover: Handover) -> None:
        """Goes on where a window was that is closed now. Sentences are made anew: the folder is
        scanned again, unless a run goes, and the curves of one that has ended are read from its
        history."""
        session, started = handover.session, handover.session.run_started
        self._banner.log.take_over(handover.messages)
        if (
            handover.run is None
            and started is not None
            and listed_run(session, started.run) is not None
        ):
            events = replayed(started, handover.ended)
            self._jobs.do("replay", lambda: events, self.controllers.presenter.show_again)
        opened = session.dataset.folder if session.dataset else ""
        self.controllers.memory.take_over(handover.untouched, opened)
        self._store.update(**handed_over(session))
        if handover.run is not None:
            self.controllers.take_over(handover.run)
        self.controllers.resume.refresh()
        if handover.folder and handover.run is None:
            self.controllers.datasets.open(handover.folder, remembers=False)
        if handover.watched:
            self.controllers.watch.open(handover.watched)
            self._store.update(
                chosen_checkpoint=session.chosen_checkpoint, run_checkpoint=session.run_checkpoint
            )
        if handover.photos:
            self.controllers.predictions.show_again([*handover.photos])
        if handover.run is not None:
            handover.run.ongoing.worker.release()  # at last: what it says changes all this

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
        wishes = self.controllers.preferences
        fixed = wishes.fixed_scheme
        self._menus.show_scheme(fixed or wishes.preferences.scheme, fixed=fixed is not None)

    @Slot(bool, bool)
    def _show_columns(self, left_folded: bool, right_folded: bool) -> None:
        self._menus.show_columns(left=not left_folded, right=not right_folded)

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
        event.setAccepted(self.controllers.closing.may())
        if event.isAccepted():
            self.controllers.estimate.close()

    @Slot()
    def end(self) -> None:
        """Closes the window without a question, whatever comes; a run is stopped and, where that
        can be, saved first."""
        self.controllers.closing.end()

    @Slot()
    def end_session(self) -> None:
        """The user logs out: see `Shutdown.end_session`."""
        self.controllers.closing.end_session()


def _progress(session: Session) -> dict[str, Any]:
    """What an epoch changes. Epochs on cached features take milliseconds."""
    return {"runs": session.runs, "resume_from": session.resume_from}


def _user_choices(session: Session) -> tuple[Any, ...]:
    """What the user wants; messages about something else pass when it changes."""
    return session.mode, as_asked(session.recipe), session.checkpoint
