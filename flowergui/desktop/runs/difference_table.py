"""The settings in which runs differ, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from flowergui.config.recipe_diff import Difference
from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.run_names import when
from flowergui.desktop.runs.runs_model import dot
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.facts import RunFacts
from flowergui.text import tr

Colored = tuple[RunFacts, int]
"""A run, and the number of its colour."""
MAX_LETTERS = 16
"""Those of a note that stand above a column; its tooltip has them all."""
MAX_COLUMN_PX = 160
"""The rest of a longer text is in its tooltip."""


def _brief(note: str) -> str:
    """The beginning of a note: a column is narrow."""
    return note if len(note) <= MAX_LETTERS else f"{note[: MAX_LETTERS - 1].rstrip()}…"


class DifferenceModel(QAbstractTableModel):
    """A row for each difference, a column for each run."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[Colored, ...] = ()
        self._rows: tuple[Difference, ...] = ()

    def show_differences(self, runs: Sequence[Colored], rows: Sequence[Difference]) -> None:
        """Shows these runs side by side."""
        self.beginResetModel()
        self._runs, self._rows = tuple(runs), tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._runs)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if way == Qt.Orientation.Vertical:
            row = self._rows[section]
            texts = {
                Qt.ItemDataRole.DisplayRole: row.label,
                Qt.ItemDataRole.ToolTipRole: f"<qt>{row.help}</qt>",
            }
            return texts.get(Qt.ItemDataRole(role))
        run, slot = self._runs[section]
        if role == Qt.ItemDataRole.DisplayRole:
            name = Path(run.path).name
            began = when(name)[len("2026-") :]  # short: the more runs have room beside each other
            return f"{_brief(run.note) or run.recipe.model}\n{began or name}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape_tooltip("\n".join(filter(None, (run.note, run.path))))
        return dot(slot) if role == Qt.ItemDataRole.DecorationRole else None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        text = self._rows[index.row()].values[index.column()] or "–"
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape_tooltip(text)
        return None


class DifferenceTable(QTableView):
    """Shows the differences; nothing can be chosen. The names of the settings stay when many runs
    scroll."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("differences")
        self.setAccessibleName(tr("Differences"))
        self._model = DifferenceModel(self)
        self.setModel(self._model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setStyleSheet(
            "QTableCornerButton::section, QHeaderView::section:vertical"
            " { border: none; background: transparent; }"
        )
        theme.style(self, flat=True)
        runs, names = self.horizontalHeader(), self.verticalHeader()
        runs.setMaximumSectionSize(MAX_COLUMN_PX)
        for head in (runs, names):
            head.setHighlightSections(False)
            head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        TableActions(self, "differences.csv", rows=False)

    def show_differences(self, runs: Sequence[Colored], rows: Sequence[Difference]) -> None:
        """Shows these runs side by side."""
        self._model.show_differences(runs, rows)
