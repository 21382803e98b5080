"""The epochs of a run as a table: the numbers behind its curves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QObject, Qt
from PySide6.QtWidgets import QWidget

from flowergui.desktop.plots.column_buffer import ColumnBuffer
from flowergui.desktop.plots.metric import ACCURACY, LOSS, Metric
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.windows import TableDialog
from flowergui.text import N_, tr

COLUMNS: Sequence[tuple[str, str, Metric | None]] = (
    ("epoch", N_("Epoch"), None),
    ("train_loss", N_("Training loss"), LOSS),
    ("val_loss", N_("Validation loss"), LOSS),
    ("train_accuracy", N_("Training accuracy"), ACCURACY),
    ("val_accuracy", N_("Validation accuracy"), ACCURACY),
)
"""The column of the buffer, its title, and what it measures."""
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class EpochsModel(QAbstractTableModel):
    """A row for each epoch that is done, the newest last. What is not known is "–"."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, ...]] = []
        self._values = np.empty((len(COLUMNS), 0))  # of these rows

    def show_epochs(self, epochs: ColumnBuffer) -> None:
        """Shows these epochs; where they only go on, what is selected stays so."""
        values = np.array([epochs[name] for name, _, _ in COLUMNS], dtype=np.float64)
        old, count = self._values.shape[1], values.shape[1]
        if np.array_equal(values[:, :old], self._values, equal_nan=True):
            if count > old:
                self.beginInsertRows(ROOT_INDEX, old, count - 1)
                self._rows += _rows(values[:, old:])
                self._values = values
                self.endInsertRows()
        else:
            self.beginResetModel()
            self._rows, self._values = _rows(values), values
            self.endResetModel()

    def as_text(self) -> str:
        """All of it as lines with tabs, as spreadsheets read them."""
        titles = tuple(tr(title) for _, title, _ in COLUMNS)
        return "".join("\t".join(row) + "\n" for row in (titles, *self._rows))

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        return RIGHT if role == Qt.ItemDataRole.TextAlignmentRole else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return tr(COLUMNS[section][1])
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return RIGHT
        return None


def _rows(values: np.ndarray) -> list[tuple[str, ...]]:
    """The cells of epochs whose `values` (columns, epochs) these are."""
    return [tuple(map(_cell, COLUMNS, each)) for each in values.T.tolist()]


def _cell(column: tuple[str, str, Metric | None], value: float) -> str:
    metric = column[2]
    if metric is None:
        return f"{value:,.0f}"
    return metric.text(value) if np.isfinite(value) else "–"


class EpochsWindow(TableDialog):
    """Shows the epochs of the run that its plots show, and follows it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Epochs of the run"), ("epochsWindow", "epochsTable", "copyEpochs"), parent
        )
        self._model = EpochsModel(self)
        self.set_model(self._model)

    def show_epochs(self, epochs: ColumnBuffer) -> None:
        """Shows these epochs."""
        self._model.show_epochs(epochs)

    def text(self) -> str:
        """The table as lines with tabs, as spreadsheets read them."""
        return self._model.as_text()
