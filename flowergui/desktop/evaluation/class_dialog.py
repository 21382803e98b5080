"""The question for one of many classes, more than a menu has room for."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.search_field import SearchField
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.text import tr


class ClassDialog(QDialog):
    """Lists classes, and asks which one an image is moved to; `open` does not block."""

    class_requested = Signal(str)
    """The user wants this class."""

    def __init__(self, classes: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classDialog")
        self.setWindowTitle(tr("Move to…"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._classes = classes
        self._names = _NameModel(self)
        self._list = QListView()
        self._list.setObjectName("classChoices")
        self._list.setAccessibleName(tr("Classes"))
        self._list.setUniformItemSizes(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setModel(self._names)
        self._list.setItemDelegate(_NameDelegate(self._list))
        self._list.doubleClicked.connect(self._choose)
        self._search = SearchField("classChoiceSearch", tr("Search classes"))
        self._search.searched.connect(self._show_found)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self._search)
        self._search.show_for(len(classes))  # in this dialog by now
        rows.addWidget(self._list, 1)
        rows.addLayout(self._make_buttons())
        self._show_found()
        line = self.fontMetrics().height()
        resize_within_screen(self, 24 * line, 30 * line)
        self._search.setFocus()

    def _make_buttons(self) -> QHBoxLayout:
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.close)
        self._move = QPushButton(tr("Move"))
        self._move.setObjectName("moveToClassButton")
        self._move.setDefault(True)
        self._move.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self._move)
        return row

    @Slot()
    def _show_found(self) -> None:
        """Shows the classes that are looked for; Return takes the first of them."""
        self._names.show_rows(each for each in self._classes if self._search.finds(each))
        self._list.setCurrentIndex(self._names.index(0, 0))
        self._move.setEnabled(bool(self._names.rows))

    @Slot()
    def _choose(self) -> None:
        chosen = self._list.currentIndex().data(Qt.ItemDataRole.UserRole)
        if chosen is not None:
            self.class_requested.emit(chosen)
            self.close()


class _NameModel(ListModel):
    def text_of(self, row: str, role: int) -> str | None:
        return row if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None


class _NameDelegate(QStyledItemDelegate):
    """A name that asks for no width is shortened where it has no room."""

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(0, super().sizeHint(option, index).height() + theme.SPACE)
