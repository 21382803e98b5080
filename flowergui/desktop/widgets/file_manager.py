"""Showing folders in the system's file manager."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from flowergui.store.archives import archive_of
from flowergui.text import tr


def folder_of(path: str) -> str:
    """The folder that a file is in; of one in an archive, the folder that the archive is in. That
    is told by the path alone."""
    return str(Path(archive_of(path) or path).parent)


def show_folder(folder: str | Path) -> str:
    """Opens `folder` in the file manager. Returns why that can't be, in a sentence; else ""."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        return tr("No file manager could be opened. The folder is {folder}.", folder=folder)
    return ""
