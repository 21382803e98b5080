"""The program with its window."""

import logging
import sys
from contextlib import closing

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from flowergui import language
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.preferences import preferences
from flowergui.desktop.style import theme
from flowergui.desktop.support import qt_messages
from flowergui.desktop.threads.unix_signals import EndSignals
from flowergui.desktop.window.handover import Handover
from flowergui.desktop.window.language_controller import speak, system_language
from flowergui.desktop.window.shutdown import LOGOUT_WAIT_MS
from flowergui.language import Language
from flowergui.store import paths
from flowergui.system.crash_report import CrashReport
from flowergui.system.tuning import set_switch_interval

log = logging.getLogger(__name__)


class Program(QObject):
    """The window, and its language: in another one, another window takes its place."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._handover: Handover | None = None
        self._closing: MainWindow | None = None
        self._next = Language.ENGLISH
        self._ends = False
        settings = preferences.settings_file()
        speak(language.asked_for() or preferences.chosen_language(settings) or system_language())
        self.window: MainWindow | None = self._made()

    @Slot()
    def end(self) -> None:
        """Closes the window without a question, see MainWindow."""
        if self.window is not None:
            self.window.end()
        elif self._handover is not None and self._handover.run is not None:
            self._ends = True  # the next window saves the run
        else:
            self._app.quit()

    @Slot()
    def end_session(self) -> None:
        """The user logs out, see MainWindow."""
        if self.window is not None:
            self.window.end_session()
            return
        if self._handover is not None and self._handover.run is not None:
            self._handover.run.ongoing.stop(LOGOUT_WAIT_MS)
        self.end()

    def _made(self) -> MainWindow:
        window = MainWindow()
        theme.fit_to_zoom(window)
        window.language_due.connect(self._change)
        return window

    @Slot(object)
    def _change(self, wanted: Language) -> None:
        """Closes the window, as soon as its jobs have ended; then another is made."""
        window = self.window
        if window is None or not window.isVisible():  # it closes already
            return
        # Kept until Qt has deleted it: Python's garbage collector deletes layout items before the
        # layouts that hold them (PySide6 6.11).
        self.window, self._closing = None, window
        self._next, self._handover = wanted, window.hand_over()
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.destroyed.connect(self._gone)
        self._app.setQuitOnLastWindowClosed(False)
        window.close()

    @Slot()
    def _gone(self) -> None:
        self._closing = None
        QTimer.singleShot(0, self, self._go_on)  # not in the middle of its end

    @Slot()
    def _go_on(self) -> None:
        assert self._handover is not None
        speak(self._next)
        self.window = self._made()
        self.window.show()
        self.window.take_over(self._handover)
        self._handover = None
        self._app.setQuitOnLastWindowClosed(True)
        if self._ends:
            self.window.end()


def main(folder: str | None = None) -> int:
    """Shows the window, with `folder` opened where one is given; returns the exit code. Raises
    FlowerError where the environment names a theme that there is not."""
    scheme = preferences.scheme_of_environment()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    set_switch_interval()
    with closing(CrashReport(paths.reports_folder())), qt_messages.logged():
        try:
            return _run(scheme, folder)
        except Exception:  # the report ends before Python's own hook hears of it
            log.exception("The program has ended with an error.")
            raise


def _run(scheme: theme.Scheme | None, folder: str | None) -> int:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("flowergui")
    app.setOrganizationName("flowergui")
    app.setDesktopFileName("flowergui")
    app.setWindowIcon(QIcon(str(paths.resource("icons/flowergui.svg"))))
    preferred = preferences.read(preferences.settings_file())
    theme.apply(app, scheme or preferred.scheme)
    theme.set_zoom(app, preferred.zoom)
    program = Program(app)
    signals = EndSignals(app)
    signals.asked.connect(program.end)
    app.commitDataRequest.connect(program.end_session)
    assert program.window is not None
    program.window.show()
    if folder is not None:
        program.window.open_folder(folder)
    else:
        program.window.reopen_folder()
    code = app.exec()
    signals.close()
    return code
