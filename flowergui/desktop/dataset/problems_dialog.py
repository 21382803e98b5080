"""Which files of a dataset are left out, and why."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QObject, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ROOT_INDEX, ModelIndex
from flowergui.desktop.widgets.labels import escape_tooltip, small_label
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.facts import Problem
from flowergui.text import N_, tr
from flowergui.wording import problem_path

HEADERS = (N_("File"), N_("Reason"))


class ProblemsDialog(QDialog):
    """A table of the files that are left out, and below them of the `leftovers` that nobody takes
    for images; it does not block the window."""

    def __init__(
        self,
        problems: Sequence[Problem],
        leftovers: Sequence[Problem] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("problemsDialog")
        self.setWindowTitle(tr("Left out"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        table = QTableView()
        table.setObjectName("problemsTable")
        table.setAccessibleName(tr("Files that are left out"))
        table.setModel(ProblemModel((*problems, *leftovers), table))
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        TableActions(table, "left-out.csv")
        buttons = QDialogButtonBox()
        close = buttons.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        close.setFocus()
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.SPACE] * 4)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(
            small_label(text=tr("These files are left out. All others are used as they are."))
        )
        layout.addWidget(table, 1)
        layout.addWidget(buttons)
        width, line = self.fontMetrics().averageCharWidth(), self.fontMetrics().height()
        resize_within_screen(self, width * 100, line * 25)


class ProblemModel(QAbstractTableModel):
    """Column 0 is the path, column 1 the reason."""

    def __init__(self, problems: Sequence[Problem], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._problems = problems

    def rowCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(self._problems)

    def columnCount(self, parent: ModelIndex = ROOT_INDEX) -> int:
        return 0 if parent.isValid() else len(HEADERS)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        problem = self._problems[index.row()]
        text = problem.reason if index.column() else problem_path(problem)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        return escape_tooltip(text) if role == Qt.ItemDataRole.ToolTipRole else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return tr(HEADERS[section])
