"""Which run to resume: those on disk, newest first, or a checkpoint from elsewhere."""

from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.context_menus.saving import say
from flowergui.desktop.run_names import ResumableRun
from flowergui.desktop.session import Session, offered_runs
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_file
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.search_field import SearchField
from flowergui.text import enumerated, tr

VISIBLE_ROWS = 4
"""Rows that are seen without scrolling."""


class RunList(QWidget):
    """Shows the checkpoints that can be resumed, and asks for one of them, or another."""

    checkpoint_requested = Signal(str)
    """The user wants to resume this checkpoint."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[ResumableRun, ...] | None = None
        self._showing = False
        self._chosen = ""  # the checkpoint to resume
        self._rows = _RunModel(self)
        self._list = QListView()
        self._list.setObjectName("runList")
        self._list.setAccessibleName(tr("Runs"))
        self._list.setUniformItemSizes(True)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setModel(self._rows)
        self._list.setItemDelegate(_RunDelegate(self._list))
        self._list.selectionModel().currentChanged.connect(self._selected)
        self._make_menu()
        self._search = SearchField("runSearch", tr("Search runs"))
        self._search.searched.connect(self._show_found)
        self._nothing = small_label(text=tr("Nothing to resume yet. Runs appear here."))
        self._browse = quiet_button(tr("Another checkpoint…"), "browseCheckpointButton", flush=True)
        self._browse.setToolTip(tr("A last.pth from elsewhere, or a file that has only weights"))
        self._browse.clicked.connect(self._ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._search)
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        column.addWidget(self._browse, 0, Qt.AlignmentFlag.AlignLeft)

    def _make_menu(self) -> None:
        folder = QAction(tr("Open its &folder"), self._list)
        folder.setObjectName("openRunFolder")
        folder.triggered.connect(self._open_folder)
        self._list.addAction(folder)
        self._list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def show_session(self, session: Session) -> None:
        """Shows what can be resumed; the chosen one is selected."""
        rows = offered_runs(session)
        self._chosen = session.checkpoint
        if rows != self._shown:
            self._shown = rows
            self._search.show_for(len(rows))
            self._fit()
            self._show_found()
        self._select_chosen()

    @Slot()
    def _show_found(self) -> None:
        """Shows the runs that are looked for; the list stays as tall."""
        self._showing = True
        self._rows.show_rows(
            each
            for each in self._shown or ()
            if self._search.finds(each.title, each.detail, each.when, each.tip)
        )
        self._showing = False
        self._select_chosen()

    def _select_chosen(self) -> None:
        selection = self._list.selectionModel()
        self._showing = True
        for row, run in enumerate(self._rows.rows):
            index = self._rows.index(row)
            if run.checkpoint == self._chosen and selection.currentIndex() != index:
                selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._showing = False

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        count = len(self._shown or ())
        self._list.setVisible(count > 0)
        self._nothing.setVisible(count == 0)
        more = 0.5 if count > VISIBLE_ROWS else 0
        height = (min(count, VISIBLE_ROWS) + more) * _row_height(self.fontMetrics().height())
        self._list.setFixedHeight(int(height) + 2 * self._list.frameWidth() + 2)

    @Slot()
    def _selected(self) -> None:
        index = self._list.selectionModel().currentIndex()
        if index.isValid() and not self._showing:
            self.checkpoint_requested.emit(self._rows.rows[index.row()].checkpoint)

    @Slot()
    def _open_folder(self) -> None:
        run: ResumableRun | None = self._list.currentIndex().data(Qt.ItemDataRole.UserRole)
        if run is not None and (problem := show_folder(Path(run.checkpoint).parent)):
            say(self, problem)

    @Slot()
    def _ask(self) -> None:
        choose_file(self, tr("Choose a checkpoint"), CHECKPOINTS, self._choose_file)

    @Slot(str)
    def _choose_file(self, path: str) -> None:
        self.checkpoint_requested.emit(path)


class _RunModel(ListModel):
    def text_of(self, row: ResumableRun, role: int) -> str | None:
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return enumerated(filter(None, (row.title, row.detail, row.when)))
        return None


class _RunDelegate(QStyledItemDelegate):
    """Two lines: the network and when; how far it came."""

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(120, _row_height(option.fontMetrics.height()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        run: ResumableRun = index.data(Qt.ItemDataRole.UserRole)
        look = theme.current()
        style = option.widget.style()
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        metrics = option.fontMetrics
        area = QRectF(option.rect).adjusted(8, 4, -8, -4)
        height = metrics.height()
        first = QRectF(area.left(), area.top(), area.width(), height)
        second = QRectF(area.left(), area.bottom() - height, area.width(), height)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setPen(look.color("muted"))
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(first, right, run.when)
        elide = Qt.TextElideMode.ElideRight
        detail = metrics.elidedText(run.detail, elide, int(area.width()))
        painter.drawText(second, int(Qt.AlignmentFlag.AlignVCenter), detail)
        painter.setPen(look.color("accent" if chosen else "text"))
        room = int(area.width()) - metrics.horizontalAdvance(run.when) - theme.SPACE
        title = metrics.elidedText(run.title, elide, room)
        painter.drawText(first, int(Qt.AlignmentFlag.AlignVCenter), title)
        painter.restore()


def _row_height(text_height: int) -> int:
    return 2 * text_height + 10
