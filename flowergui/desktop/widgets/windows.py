"""What all windows have in common: the program's name in titles, their screen, and how they come to
the front."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from flowergui.desktop.style import theme

DISPLAY_NAME = "Flowergui"
"""The program's name as people read it; the command is called flowergui."""


def bring_to_front(window: QWidget) -> None:
    """Shows a window above the others and gives it the keyboard; a minimized one is restored."""
    if not window.isVisible():
        theme.fit_to_zoom(window)
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.activateWindow()


def screen_size() -> QSize:
    """Pixels of the screen that windows may take.

    Not QWidget.screen(): PySide 6.11 takes the screen for a child of the widget then, and with a
    widget that Python deletes, the screen is gone.
    """
    return QGuiApplication.primaryScreen().availableSize()
