"""The numbers behind the curves of a plot, as a table."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHeaderView, QTableView, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.windows import copy_and_close

Table = Sequence[Sequence[str]]
"""Rows of texts; the first row has the titles of the columns."""
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class _TableModel(QAbstractTableModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._titles: Sequence[str] = ()
        self._rows: Table = ()

    def show_table(self, table: Table) -> None:
        self.beginResetModel()
        self._titles, *rows = table
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._titles)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(index.column())
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._titles[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(section)
        return None

    def _alignment(self, column: int) -> int:
        """Names stand at the left, numbers at the right."""
        numbers = all(row[column][:1].isdigit() or row[column] == "–" for row in self._rows)
        return RIGHT if numbers else LEFT


class CurveTable(QDialog):
    """Shows a table that can be copied; does not block the window that it belongs to."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("curveTable")
        self.setWindowTitle(title)
        self._table: Table = ((),)
        self._model = _TableModel(self)
        view = QTableView()
        view.setObjectName("curveNumbers")
        view.setAccessibleName(title)
        view.setModel(self._model)
        view.setShowGrid(False)
        view.setTabKeyNavigation(False)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.verticalHeader().hide()
        header = view.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self).activated.connect(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.SPACE] * 4)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(view, 1)
        layout.addLayout(copy_and_close(self, "copyNumbers", self._copy))
        width, line = self.fontMetrics().averageCharWidth(), self.fontMetrics().height()
        self.resize(width * 100, line * 24)

    def show_table(self, table: Table) -> None:
        """Shows these numbers instead of those before."""
        self._table = table
        self._model.show_table(table)

    @Slot()
    def _copy(self) -> None:
        lines = ("\t".join(row) + "\n" for row in self._table)
        QGuiApplication.clipboard().setText("".join(lines))
