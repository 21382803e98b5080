"""The program with its window."""

import logging
import sys

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.style import theme
from flowergui.desktop.threads.unix_signals import EndSignals
from flowergui.store import paths
from flowergui.system.tuning import set_switch_interval


def main(folder: str | None = None) -> int:
    """Shows the window, with `folder` opened where one is given; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    set_switch_interval()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("flowergui")
    app.setOrganizationName("flowergui")
    app.setDesktopFileName("flowergui")
    app.setWindowIcon(QIcon(str(paths.resource("icons/flowergui.svg"))))
    theme.apply(app)
    window = MainWindow()
    signals = EndSignals(app)
    signals.asked.connect(window.end)
    app.commitDataRequest.connect(window.end_session)
    window.show()
    if folder is not None:
        window.open_folder(folder)
    else:
        window.reopen_folder()
    code = app.exec()
    signals.close()
    return code
