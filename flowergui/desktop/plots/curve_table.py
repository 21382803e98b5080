"""The numbers behind the curves of a plot, as a table."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt
from PySide6.QtWidgets import QWidget

from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.windows import TableDialog

Table = Sequence[Sequence[str]]
"""Rows of texts; the first row has the titles of the columns."""
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class _TableModel(QAbstractTableModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._titles: Sequence[str] = ()
        self._rows: Table = ()
        self._alignments: Sequence[int] = ()

    def show_table(self, table: Table) -> None:
        self.beginResetModel()
        self._titles, *rows = table
        self._rows = rows
        self._alignments = tuple(map(self._alignment, range(len(self._titles))))
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._titles)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignments[index.column()]
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._titles[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return self._alignments[section]
        return None

    def _alignment(self, column: int) -> int:
        """Names stand at the left, numbers at the right."""
        numbers = all(row[column][:1].isdigit() or row[column] == "–" for row in self._rows)
        return RIGHT if numbers else LEFT


class CurveTable(TableDialog):
    """Shows the numbers of curves."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, ("curveTable", "curveNumbers", "copyNumbers"), parent)
        self._table: Table = ((),)
        self._model = _TableModel(self)
        self.set_model(self._model)

    def show_table(self, table: Table) -> None:
        """Shows these numbers instead of those before."""
        self._table = table
        self._model.show_table(table)

    def text(self) -> str:
        """The table as lines with tabs, as spreadsheets read them."""
        return "".join("\t".join(row) + "\n" for row in self._table)
