"""What a right click on a plot offers: its picture, and its numbers."""

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu

from flowergui.desktop.context_menus.plot_picture import Heading, PlotPicture
from flowergui.desktop.context_menus.saving import save_in_background
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.widgets.file_dialogs import choose_picture
from flowergui.store import atomic_io
from flowergui.text import tr

Rows = Callable[[], Sequence[Sequence[Any]]]
"""The numbers of a plot; the first row has the names of the columns."""


class PlotMenu(QObject):
    """The context menu of a plot. A right click opens it, while a right drag still zooms."""

    def __init__(
        self, plot: pg.PlotWidget, name: str, rows: Rows, heading: Callable[[], Heading]
    ) -> None:
        """`name` is what a saved picture is called at first, without its ending; `heading` is what
        stands above the plot in it."""
        super().__init__(plot)
        self._plot, self._name, self._rows = plot, name, rows
        self._picture = PlotPicture(plot, heading)
        self.menu = QMenu(plot)
        self.menu.setObjectName(f"{name}Menu")
        for text, object_name, act in (
            (tr("&Copy picture"), "copyPicture", self._copy_picture),
            (tr("&Save picture…"), "savePicture", self._ask),
            (tr("Copy &data as CSV"), "copyData", self._copy_data),
        ):
            self.add(text, object_name, act)
        plot.scene().sigMouseClicked.connect(self._clicked)

    def add(self, text: str, object_name: str, act: Callable[[], object]) -> None:
        """Adds an entry."""
        action = QAction(text, self.menu)
        action.setObjectName(object_name)
        action.triggered.connect(act)
        self.menu.addAction(action)

    @Slot()
    def open_in_the_middle(self) -> None:
        """Opens the menu over the plot, as the menu key asks for."""
        self.menu.popup(self._plot.mapToGlobal(self._plot.rect().center()))

    @Slot(object)
    def _clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            event.accept()
            self.menu.popup(event.screenPos().toPoint())

    @Slot()
    def _copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(self._picture.pixmap().toImage())

    @Slot()
    def _copy_data(self) -> None:
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(map(_cell, row) for row in self._rows())
        QGuiApplication.clipboard().setText(text.getvalue())

    @Slot()
    def _ask(self) -> None:
        choose_picture(self._plot, tr("Save picture"), f"{self._name}.png", self._save)

    @Slot(str)
    def _save(self, path: str) -> None:
        """Draws it at once, as only this thread may; another writes the file."""
        is_svg = Path(path).suffix.lower() == ".svg"
        content = self._picture.svg() if is_svg else self._picture.png()
        save_in_background(self._plot, lambda: atomic_io.write_bytes(Path(path), content))


def _cell(value: Any) -> str:
    """A number so that it reads back as itself; a missing one is an empty cell."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.7g}"
    return str(value)
