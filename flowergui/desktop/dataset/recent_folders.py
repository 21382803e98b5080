"""The button with the menu of the folders that were open before."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from flowergui.desktop.style import theme
from flowergui.text import tr

MAX_CHARACTERS = 60
"""Width of a folder in the menu; its tooltip has all of it."""


class RecentFolders(QPushButton):
    """Hidden until there are folders to choose from."""

    chosen = Signal(str)
    """The user wants this folder."""
    archive_requested = Signal()
    """The user wants to choose an archive of images."""
    samples_requested = Signal()
    """The user wants the sample flowers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Recent"), parent)
        self.setObjectName("recentButton")
        self.setToolTip(tr("Folders that were open before"))
        self.setAutoDefault(False)
        theme.style(self, role="quiet")
        self.setStyleSheet("QPushButton { padding-right: 20px; }")  # room for the arrow
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.triggered.connect(self._triggered)
        self._samples = QAction(tr("Sample flowers"), self)
        self._samples.setObjectName("sampleAction")
        self._archive = QAction(tr("An archive of images…"), self)
        self._archive.setObjectName("archiveAction")
        self.setMenu(self._menu)
        self.hide()

    def show_folders(self, folders: Sequence[str]) -> None:
        """Offers these folders, newest first."""
        fill_with_folders(self._menu, folders)
        self._menu.addSeparator()
        self._menu.addAction(self._archive)
        self._menu.addAction(self._samples)
        self.setVisible(bool(folders))

    @Slot(QAction)
    def _triggered(self, action: QAction) -> None:
        if action is self._samples:
            self.samples_requested.emit()
        elif action is self._archive:
            self.archive_requested.emit()
        else:
            self.chosen.emit(str(action.data()))


def fill_with_folders(menu: QMenu, folders: Sequence[str]) -> None:
    """Fills a menu with folders; each action has its path as data."""
    menu.clear()
    metrics = menu.fontMetrics()
    width = MAX_CHARACTERS * metrics.averageCharWidth()
    for folder in folders:
        path = Path(folder)
        text = f"{path.name}  ({path.parent})"
        text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width)
        action = menu.addAction(text.replace("&", "&&"))
        action.setToolTip(folder)
        action.setData(folder)
