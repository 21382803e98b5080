"""The column of the layer tree in which one chooses the epoch from which on a stage trains."""

import re

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QKeyEvent, QValidator
from PySide6.QtWidgets import (
    QSpinBox,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from flowergui.desktop.layers.layer_model import EPOCH_COLUMN, PATH_ROLE, epoch_text
from flowergui.desktop.layers.stage_schedule import NEVER, START
from flowergui.desktop.style import theme
from flowergui.text import tr

LAST_EPOCH = 10_000
"""The last epoch that can be chosen, as many as a run can have."""

EDIT_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter)
Index = QModelIndex | QPersistentModelIndex


class EpochEditor(QSpinBox):
    """Edits the epoch from which on a stage trains: never, start, epoch 2, epoch 3 ..."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(NEVER, LAST_EPOCH)
        theme.style(self, cell=True)

    def textFromValue(self, value: int) -> str:
        return epoch_text(value)

    def valueFromText(self, text: str) -> int:
        read = _read(text)
        return self.value() if read is None else read

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        good = _read(text) is not None
        state = QValidator.State.Acceptable if good else QValidator.State.Intermediate
        return state, text, position

    def fixup(self, text: str) -> str:
        return self.textFromValue(self.value())


def _read(text: str) -> int | None:
    """The epoch that `text` stands for: a number, with any words around it, or one of the two
    words."""
    words = {epoch_text(epoch): epoch for epoch in (NEVER, START)}
    if (epoch := words.get(text.strip().lower())) is not None:
        return epoch
    digits = re.search(r"\d[\d,]*", text, re.ASCII)
    return min(int(digits[0].replace(",", "")), LAST_EPOCH) if digits else None


class EpochDelegate(QStyledItemDelegate):
    """Puts an EpochEditor into a cell."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = EpochEditor(parent)
        layer = index.data(PATH_ROLE)
        editor.setAccessibleName(tr("The epoch from which {layer} trains", layer=layer))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, EpochEditor)
        editor.setValue(int(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, EpochEditor)
        editor.interpretText()
        model.setData(index, editor.value())

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        editor.setGeometry(option.rect)


class LayerTree(QTreeView):
    """The tree of layers. A click into the column of epochs edits it, and so do F2 and Return in
    any column of a stage."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)  # what `edit_epoch` does
        self.setItemDelegateForColumn(EPOCH_COLUMN, EpochDelegate(self))
        self.clicked.connect(self._clicked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # An editor that Return closes passes the key on.
        editing = self.state() == QTreeView.State.EditingState
        if editing or event.key() not in EDIT_KEYS or not self.edit_epoch(self.currentIndex()):
            super().keyPressEvent(event)

    def edit_epoch(self, index: QModelIndex) -> bool:
        """Edits the epoch in the row of `index`. Returns whether it can be edited."""
        cell = index.siblingAtColumn(EPOCH_COLUMN)
        if self.isColumnHidden(EPOCH_COLUMN) or not cell.flags() & Qt.ItemFlag.ItemIsEditable:
            return False
        self.setCurrentIndex(cell)
        self.edit(cell)
        return True

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        if index.column() == EPOCH_COLUMN:
            self.edit_epoch(index)
