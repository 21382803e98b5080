"""A list whose rows have pictures: what all such lists have in common."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.thumbnails import Thumbnails

LAYOUT_BATCH = 500
"""Rows that are laid out at a time: each takes a call into Python."""
MAX_THUMBNAILS = 1_000
"""Thumbnails that a list keeps: fewer, in as much memory, where they are larger."""


class TileDelegate(QStyledItemDelegate):
    """Paints rows with a thumbnail; a subclass says how large they are, and paints them."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject) -> None:
        super().__init__(parent)
        self.thumbnails = thumbnails


class TileListView(QListView):
    """Shows the rows of a model, whose UserRole gives a row itself. Pictures are read only for the
    rows that are seen."""

    chosen = Signal(object)
    """The row that became the current one, as the model holds it."""

    def __init__(
        self,
        rows: QAbstractItemModel,
        delegate: type[TileDelegate],
        thumbnail_px: int,
        parent: QWidget | None = None,
        *,
        flat: bool = False,
    ) -> None:
        """`thumbnail_px` is the longer side of the pictures that are read; a `flat` list has no
        frame of its own."""
        super().__init__(parent)
        if rows.parent() is None:
            rows.setParent(self)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(LAYOUT_BATCH)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if flat:
            self.setFrameShape(QListView.Shape.NoFrame)
            theme.style(self, flat=True)
        most = MAX_THUMBNAILS * 100**2 // max(theme.zoom(), 100) ** 2
        self.thumbnails = Thumbnails(thumbnail_px, most, self)
        self.thumbnails.ready.connect(self.viewport().update)
        self.setModel(rows)
        self.setItemDelegate(delegate(self.thumbnails, self))
        self.selectionModel().currentChanged.connect(self._current_changed)

    def choose(self, row: int) -> None:
        """Makes a row, counted from 0, the current one."""
        self.selectionModel().setCurrentIndex(
            self.model().index(row, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect
        )

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.data(Qt.ItemDataRole.UserRole))
