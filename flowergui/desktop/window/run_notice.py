"""What is seen of a run while the window is not: its progress in the title and on the program's
icon, and a word when a long run is over."""

import shutil
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, QProcess, Qt, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from flowergui.desktop.session import Session, Store, is_idle
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.windows import DISPLAY_NAME, bring_to_front
from flowergui.desktop.window.taskbar import TaskbarProgress
from flowergui.events import BatchDone, EpochDone, RunStarted
from flowergui.text import tr

LONG_RUN_S = 60
"""Seconds after which nobody is expected to have looked on."""


class RunProgress(NamedTuple):
    """When a run began, in seconds of a steady clock, how many epochs it has, and which share of it
    is done, from 0 to 1."""

    began: float
    epochs: int
    share: float


class RunNotice(QObject):
    """Keeps the window's title and icon, and calls the user back from other programs."""

    def __init__(
        self,
        store: Store,
        training: TrainingController,
        banner: Banner,
        window: QWidget,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds; tests bring their own."""
        super().__init__(window)
        self._store, self._banner, self._window, self._clock = store, banner, window, clock
        self._began = clock()
        self._epochs = 0
        self._share = 0.0
        self._tray: QSystemTrayIcon | None = None
        self._taskbar = TaskbarProgress(window)
        store.changed.connect(self._follow)
        training.produced.connect(self.take)
        self._show_title()

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        if is_idle(before) and not is_idle(after):
            self._began, self._share = self._clock(), 0.0
        elif is_idle(after) and not is_idle(before):
            self._run_ended()
        self._show_title()

    @Slot(object)
    def take(self, events: tuple[Any, ...]) -> None:
        """Takes a chunk of the events of a run."""
        for event in events:
            if isinstance(event, RunStarted):
                self._epochs, self._share = event.epochs, (event.epoch - 1) / max(1, event.epochs)
            elif isinstance(event, EpochDone):  # a time budget adapts their number
                self._epochs, self._share = event.epochs, event.epoch / max(1, event.epochs)
        if isinstance(last := events[-1], BatchDone):
            self._share = (last.epoch - 1 + last.batch / last.batches) / max(1, self._epochs)
        self._show_title()

    @property
    def progress(self) -> RunProgress:
        """Since when the run goes, and how far it is."""
        return RunProgress(self._began, self._epochs, self._share)

    def take_over(self, progress: RunProgress) -> None:
        """Goes on where the notice of another window was."""
        self._began, self._epochs, self._share = progress
        self._show_title()

    def _show_title(self) -> None:
        title = window_title(self._store.session, self._share)
        if title != self._window.windowTitle():
            self._window.setWindowTitle(title)
        self._taskbar.show_share(None if is_idle(self._store.session) else self._share)

    # --- the end of a run -----------------------------------------------------------------

    def _run_ended(self) -> None:
        if self._clock() - self._began < LONG_RUN_S or QApplication.activeWindow() is not None:
            return
        QApplication.alert(self._window)
        text = self._banner.text or tr("The run is over.")
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._show_message(text)
        elif program := shutil.which("notify-send"):  # on Linux, without a tray (GNOME)
            title = window_title(self._store.session)
            options = ["--app-name", DISPLAY_NAME, "--icon", "flowergui", "--"]
            QProcess.startDetached(program, [*options, title, escape(text, quote=False)])

    def _show_message(self, text: str) -> None:
        """Shows it beside an icon, which goes when the user comes back."""
        if self._tray is None:
            self._tray = QSystemTrayIcon(QApplication.windowIcon(), self)
            self._tray.setToolTip(DISPLAY_NAME)
            self._tray.activated.connect(self._call_back)
            self._tray.messageClicked.connect(self._call_back)
            app = QApplication.instance()
            if isinstance(app, QApplication):
                app.applicationStateChanged.connect(self._hide_tray)
        self._tray.show()
        self._tray.showMessage(window_title(self._store.session), text, self._tray.icon())

    @Slot()
    def _call_back(self) -> None:
        bring_to_front(self._window)

    @Slot(Qt.ApplicationState)
    def _hide_tray(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive and self._tray is not None:
            self._tray.hide()


def window_title(session: Session, share: float = 0.0) -> str:
    """What is open, or trains; and which `share` of the run, from 0 to 1, is done: "43% · Roses –
    Flowergui"."""
    if is_idle(session):
        folder = session.dataset.folder if session.dataset else ""
    else:
        folder = session.moved_photos or session.recipe.photos
    name = Path(folder).name
    if is_idle(session):
        if not name:
            return DISPLAY_NAME
        return tr("{folder} – {program}", folder=name, program=DISPLAY_NAME)
    return tr(
        "{percent}% · {folder} – {program}",
        percent=int(100 * min(share, 1.0)),
        folder=name,
        program=DISPLAY_NAME,
    )
