"""A confusion matrix as a table model."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from flowergui.confusion_matrix import ConfusionMatrix
from flowergui.desktop.evaluation.evaluated_photos import Choice
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.facts import ClassScore, Confusion
from flowergui.text import percent_digits, tiny_count, tr, trn


class ConfusionModel(QAbstractTableModel):
    """A row for each true class, a column for each predicted one; the last column has the recall,
    the last row the precision. UserRole gives the Choice of a cell, None in the corner."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[str, ...] = ()
        self._matrix = ConfusionMatrix()

    def show_matrix(self, classes: Sequence[str], matrix: ConfusionMatrix) -> None:
        """Shows a matrix, which may grow: see `grown`."""
        self.beginResetModel()
        self._classes, self._matrix = tuple(classes), matrix
        self.endResetModel()

    def grown(self) -> None:
        """The matrix counts more photos now."""
        if self._classes:
            last = len(self._classes)
            self.dataChanged.emit(self.index(0, 0), self.index(last, last))

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() or not self._classes else len(self._classes) + 1

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return self.rowCount(parent)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        across = way == Qt.Orientation.Horizontal
        is_score = section == len(self._classes)
        name = "" if is_score else self._classes[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("recall, %") if across else tr("precision, %")) if is_score else name
        if role != Qt.ItemDataRole.ToolTipRole:
            return None
        if is_score and across:
            return tr("Recall: share of the images of a class that are predicted as it")
        if is_score:
            return tr("Precision: share of the images predicted as a class that belong to it")
        if across:
            return escape_tooltip(tr("Predicted as {label}", label=name))
        return escape_tooltip(tr("Images of {label}", label=name))

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        choice = self._choice(index.row(), index.column())
        if role == Qt.ItemDataRole.UserRole or choice is None:
            return choice
        if role == Qt.ItemDataRole.DisplayRole:
            return self._figure(choice)
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape_tooltip(self._sentence(choice))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._sentence(choice)
        return None

    def _figure(self, choice: Choice) -> str:
        label, predicted = choice
        if label is not None and predicted is not None:
            count = self._matrix.count(label, predicted)
            return tiny_count(count) if count else ""
        score = self._matrix.score(label or predicted or "")
        share = score.precision if label is None else score.recall
        return "" if share is None else percent_digits(share)

    def _sentence(self, choice: Choice) -> str:
        label, predicted = choice
        if label is None:
            score = self._matrix.score(predicted or "")
            return trn(
                "{correct} of {count} image predicted as {predicted} is correct",
                "{correct} of {count} images predicted as {predicted} are correct",
                score.predicted,
                correct=f"{score.correct:,}",
                predicted=predicted,
            )
        photos = self._matrix.score(label).photos
        if predicted in (None, label):
            return trn(
                "{correct} of {count} image of {label} predicted correctly",
                "{correct} of {count} images of {label} predicted correctly",
                photos,
                correct=f"{self._matrix.count(label, label):,}",
                label=label,
            )
        return trn(
            "{part} of {count} image of {label} predicted as {predicted}",
            "{part} of {count} images of {label} predicted as {predicted}",
            photos,
            part=f"{self._matrix.count(label, predicted or ''):,}",
            label=label,
            predicted=predicted,
        )

    def share(self, index: ModelIndex) -> float:
        """The share of its row's photos that a cell has; 0 for recall and precision."""
        if max(index.row(), index.column()) >= len(self._classes):
            return 0.0
        label, predicted = self._classes[index.row()], self._classes[index.column()]
        count = self._matrix.count(label, predicted)
        return count / self._matrix.score(label).photos if count else 0.0

    def exact_rows(self) -> Iterator[list[str]]:
        """The rows of the table as texts with all digits, the heads first. They are those of now,
        and are made one by one, in the thread that asks for them: there may be thousands."""
        scores = [self._matrix.score(name) for name in self._classes]
        return _exact_rows(scores, self._matrix.confusions())

    def place(self, choice: Choice) -> QModelIndex:
        """The cell of a choice; an invalid index if there is none."""
        last = len(self._classes)
        at = {name: number for number, name in enumerate(self._classes)} | {None: last}
        row, column = (at.get(name, -1) for name in choice)
        known = min(row, column) >= 0 and row + column < 2 * last
        return self.index(row, column) if known else QModelIndex()

    def _choice(self, row: int, column: int) -> Choice | None:
        last = len(self._classes)
        if row == column == last:
            return None
        return (
            self._classes[row] if row < last else None,
            self._classes[column] if column < last else None,
        )


def _exact_rows(
    scores: Sequence[ClassScore], confusions: Iterable[Confusion]
) -> Iterator[list[str]]:
    if not scores:
        return
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for each in confusions:
        counts[each.label][each.predicted] = each.photos
    names = [score.name for score in scores]
    yield ["", *names, tr("recall, %")]
    for score in scores:
        row = counts[score.name] | {score.name: score.correct}
        yield [score.name, *(str(row.get(name) or "") for name in names), _percent(score.recall)]
    yield [tr("precision, %"), *(_percent(score.precision) for score in scores), ""]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.6g}"
