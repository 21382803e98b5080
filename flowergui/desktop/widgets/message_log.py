"""The messages of a session, each with its time, and the window that lists them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip, small_label
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.text import N_, tr

MAX_ENTRIES = 1_000
"""Messages that the log keeps; older ones are dropped."""


class MessageKind(StrEnum):
    """How serious a message is. The value is the `kind` hook of the stylesheet."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


SIGNS = {
    MessageKind.INFO: "ℹ",
    MessageKind.SUCCESS: "✓",
    MessageKind.WARNING: "!",
    MessageKind.ERROR: "✕",
}
"""What stands before a message of each kind."""

KIND_NAMES = {
    MessageKind.INFO: N_("Information"),
    MessageKind.SUCCESS: N_("Done"),
    MessageKind.WARNING: N_("Warning"),
    MessageKind.ERROR: N_("Error"),
}

HEADERS = (N_("Time"), N_("Kind"), N_("Message"))


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message that was shown."""

    time: datetime
    kind: MessageKind
    text: str

    def cells(self) -> tuple[str, str, str]:
        """Time of day, kind and text, as the table shows them."""
        return f"{self.time:%H:%M:%S}", tr(KIND_NAMES[self.kind]), self.text


class MessageLog(QAbstractTableModel):
    """The messages of this session, newest first: a table of time, kind and text."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: deque[LogEntry] = deque()

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """All that is kept, newest first."""
        return tuple(self._entries)

    def add(self, kind: MessageKind, text: str) -> None:
        """Adds a message, with the time now."""
        if len(self._entries) == MAX_ENTRIES:
            self.beginRemoveRows(ROOT_INDEX, MAX_ENTRIES - 1, MAX_ENTRIES - 1)
            self._entries.pop()
            self.endRemoveRows()
        self.beginInsertRows(ROOT_INDEX, 0, 0)
        self._entries.appendleft(LogEntry(datetime.now(), kind, text))
        self.endInsertRows()

    def take_over(self, entries: Sequence[LogEntry]) -> None:
        """Lists the messages of another log (newest first) too, as older than its own."""
        known = [*self._entries, *entries][:MAX_ENTRIES]
        self.beginResetModel()
        self._entries = deque(known)
        self.endResetModel()

    def as_text(self) -> str:
        """All messages as lines of text, oldest first."""
        return "".join("  ".join(entry.cells()) + "\n" for entry in reversed(self._entries))

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(HEADERS)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = next(islice(self._entries, index.row(), None))
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.cells()[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape_tooltip(entry.text)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return theme.current().color(entry.kind.value)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return theme.current().color("muted")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return tr(HEADERS[section])


class MessageLogWindow(QDialog):
    """Lists the messages of a session; it does not block the window, and follows what comes."""

    def __init__(self, log: MessageLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageLog")
        self.setWindowTitle(tr("Messages"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._log = log
        self._table = QTableView()
        self._table.setObjectName("messageLogTable")
        self._table.setAccessibleName(tr("Messages of this session"))
        self._table.setModel(log)
        self._table.setStyleSheet("QTableView::item { padding: 4px; border: none; }")
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)
        self._table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self._table.verticalHeader().hide()
        resize = QHeaderView.ResizeMode
        self._table.verticalHeader().setSectionResizeMode(resize.ResizeToContents)
        header = self._table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        for column, mode in enumerate((resize.ResizeToContents,) * 2 + (resize.Stretch,)):
            header.setSectionResizeMode(column, mode)
        self._empty = small_label(text=tr("There are no messages yet."))
        copy = QPushButton(tr("Copy as text"))
        copy.setObjectName("copyMessages")
        copy.setAutoDefault(False)
        copy.clicked.connect(self._copy)
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.close)
        close.setDefault(True)
        close.setFocus()
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.SPACE] * 4)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(self._empty)
        layout.addWidget(self._table, 1)
        layout.addLayout(buttons)
        log.rowsInserted.connect(self._show_emptiness)
        log.modelReset.connect(self._show_emptiness)
        self._show_emptiness()
        width, line = self.fontMetrics().averageCharWidth(), self.fontMetrics().height()
        resize_within_screen(self, width * 100, line * 24)

    @Slot()
    def _show_emptiness(self) -> None:
        self._empty.setVisible(not self._log.entries)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._log.as_text())
