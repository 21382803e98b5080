"""Rows that a list shows, and what is said of each."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractListModel, QObject, Qt

from flowergui.desktop.widgets.card import ROOT_INDEX, ModelIndex, escape_tooltip


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
