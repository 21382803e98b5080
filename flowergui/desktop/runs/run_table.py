"""The table of runs."""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSortFilterProxyModel, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from flowergui.desktop.runs.runs_model import SORT_ROLE, RunColumn, RunsModel
from flowergui.desktop.style import theme
from flowergui.events import RunListed
from flowergui.text import tr

MAX_FOLDER_SHARE = 1 / 8
"""Of the table's width: the rest of a longer folder name is in the tooltip."""


class RunTable(QTreeView):
    """Shows the runs; a click on a column's head sorts. Space checks the current run."""

    current_run_changed = Signal()
    """Another run is the current one, which buttons are for."""
    note_requested = Signal()
    """The user wants to write a note on the current run."""

    def __init__(self, runs: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runTable")
        self.setAccessibleName(tr("Runs"))
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(runs)
        self._sorted.setSortRole(SORT_ROLE)
        self._sorted.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._sorted.setFilterKeyColumn(-1)
        self._sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setModel(self._sorted)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        theme.style(self, flat=True)
        theme.tabular(self)
        head = self.header()
        head.setStretchLastSection(False)
        head.setSectionsMovable(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setResizeContentsPrecision(0)  # what is in sight: each cell takes a call into Python
        head.setSectionResizeMode(RunColumn.NOTE, QHeaderView.ResizeMode.Stretch)
        head.setSortIndicatorClearable(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)  # newest first, as they come
        self.setSortingEnabled(True)
        self.selectionModel().selectionChanged.connect(self.current_run_changed)
        self.doubleClicked.connect(self._double_clicked)

    @property
    def current(self) -> RunListed | None:
        """The current run."""
        rows = self.selectionModel().selectedRows()
        return rows[0].data(Qt.ItemDataRole.UserRole) if rows else None

    def set_current(self, path: str) -> None:
        """Makes the run in this folder the current one; the first if it is not there."""
        rows = [self._sorted.index(row, 0) for row in range(self._sorted.rowCount())]
        wanted = (index for index in rows if index.data(Qt.ItemDataRole.UserRole).run.path == path)
        if index := next(wanted, next(iter(rows), None)):
            self.selectionModel().setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect
                | QItemSelectionModel.SelectionFlag.Rows,
            )

    @Slot(str)
    def search(self, text: str) -> None:
        """Shows only the runs that have this in one of their columns."""
        self._sorted.setFilterFixedString(text.strip())

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() == RunColumn.NOTE:
            self.note_requested.emit()

    def sizeHintForColumn(self, column: int) -> int:
        hint = super().sizeHintForColumn(column)
        if column == RunColumn.DATASET:
            return min(hint, round(MAX_FOLDER_SHARE * self.viewport().width()))
        # Qt takes the check box for smaller than the stylesheet makes it in large fonts.
        return hint + (0 if column else self.fontMetrics().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            box = self.currentIndex().siblingAtColumn(0)
            on = box.data(Qt.ItemDataRole.CheckStateRole) != Qt.CheckState.Checked
            state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            self._sorted.setData(box, state, Qt.ItemDataRole.CheckStateRole)
        elif event.key() == Qt.Key.Key_F2:
            self.note_requested.emit()
        else:
            super().keyPressEvent(event)
