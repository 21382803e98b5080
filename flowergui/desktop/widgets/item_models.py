"""Parts of Qt item models: their indexes, and a list of rows."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from flowergui.desktop.widgets.labels import escape_tooltip

ModelIndex = QModelIndex | QPersistentModelIndex
"""An index as Qt hands it to a model."""
ROOT_INDEX = QModelIndex()
"""The invisible parent of a model's first level."""


class ListModel(QAbstractListModel):
    """A list of rows. UserRole gives a row itself; a subclass says what other roles give."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Any] = []

    def show_rows(self, rows: Iterable[Any]) -> None:
        """Replaces all rows."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        text = self.text_of(row, role)
        return escape_tooltip(text) if text and role == Qt.ItemDataRole.ToolTipRole else text

    @abstractmethod
    def text_of(self, row: Any, role: int) -> str | None:
        """The text of a row in this role; None for none."""
