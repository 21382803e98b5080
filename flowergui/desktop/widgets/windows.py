"""What all windows have in common: the program's name in titles, their screen, and how they come to
the front."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QWidget

from flowergui.desktop.style import theme
from flowergui.text import tr

DISPLAY_NAME = "Flowergui"
"""The program's name as people read it; the command is called flowergui."""


def bring_to_front(window: QWidget) -> None:
    """Shows a window above the others and gives it the keyboard; a minimized one is restored."""
    if not window.isVisible():
        theme.fit_to_zoom(window)
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.activateWindow()


def copy_and_close(window: QDialog, name: str, copy: Callable[[], object]) -> QHBoxLayout:
    """The buttons at the foot of a window with a text to copy; `name` is the object name of the
    one that copies."""
    copying = QPushButton(tr("Copy as text"))
    copying.setObjectName(name)
    copying.setAutoDefault(False)
    copying.clicked.connect(copy)
    closing = QPushButton(tr("Close"))
    closing.clicked.connect(window.close)
    closing.setDefault(True)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(copying)
    row.addWidget(closing)
    return row


def screen_size() -> QSize:
    """Pixels of the screen that windows may take.

    Not QWidget.screen(): PySide 6.11 takes the screen for a child of the widget then, and with a
    widget that Python deletes, the screen is gone.
    """
    return QGuiApplication.primaryScreen().availableSize()
