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
    """UserRole gives a row itself; a subclass says what DisplayRole and the others give."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Any] = []

    def show_rows(self, rows: Iterable[Any]) -> None:
        """Shows these instead of those before."""
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
        said = self.said(row, role)
        return escape_tooltip(said) if said and role == Qt.ItemDataRole.ToolTipRole else said

    @abstractmethod
    def said(self, row: Any, role: int) -> str | None:
        """What is said of a row in this role; None for nothing."""
