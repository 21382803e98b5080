"""Which run to resume: those on disk, newest first, or a checkpoint from elsewhere."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QItemSelectionModel,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.run_names import ResumableRun, elsewhere
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_file
from flowergui.desktop.widgets.item_models import ListModel, ModelIndex
from flowergui.desktop.widgets.labels import quiet_button, small_label

ROWS = 4
"""Rows that are seen without scrolling."""


class RunList(QWidget):
    """Asks for a checkpoint to go on from."""

    checkpoint_changed = Signal(str)
    """Another checkpoint is chosen, "" for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[ResumableRun, ...] = ()
        self._other: ResumableRun | None = None
        self._checkpoint = ""
        self._rows = _RunModel(self)
        self._list = QListView()
        self._list.setObjectName("runList")
        self._list.setAccessibleName("Runs")
        self._list.setUniformItemSizes(True)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setModel(self._rows)
        self._list.setItemDelegate(_RunDelegate(self._list))
        self._list.selectionModel().currentChanged.connect(self._selected)
        self._nothing = small_label(text="Nothing to resume yet. Runs appear here.")
        self._browse = quiet_button("Another checkpoint …", "browseCheckpointButton", flush=True)
        self._browse.setToolTip("A last.pth from elsewhere, or a file of bare weights")
        self._browse.clicked.connect(self._ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        column.addWidget(self._browse, 0, Qt.AlignmentFlag.AlignLeft)
        self._show()

    @property
    def checkpoint(self) -> str:
        """The path of the chosen checkpoint; empty where there is none."""
        return self._checkpoint

    @checkpoint.setter
    def checkpoint(self, path: str) -> None:
        if path and path not in [run.checkpoint for run in self._runs]:
            self._other = elsewhere(path)
        self._show()
        self._take(path)

    def set_runs(self, runs: Sequence[ResumableRun]) -> None:
        """Offers these, newest first."""
        self._runs = tuple(runs)
        known = [run.checkpoint for run in self._runs]
        if self._other and self._other.checkpoint in known:
            self._other = None
        self._show()
        offered = [row.checkpoint for row in self._rows.rows]
        keep = self._checkpoint in offered
        self._take(self._checkpoint if keep else next(iter(offered), ""))

    def _show(self) -> None:
        rows = self._runs if self._other is None else (self._other, *self._runs)
        self._list.blockSignals(True)
        self._rows.show_rows(rows)
        self._list.blockSignals(False)
        self._list.setVisible(bool(rows))
        self._nothing.setVisible(not rows)
        more = 0.5 if len(rows) > ROWS else 0
        height = (min(len(rows), ROWS) + more) * _row_height(self.fontMetrics().height())
        self._list.setFixedHeight(int(height) + 2 * self._list.frameWidth() + 2)

    def _take(self, path: str) -> None:
        for row, run in enumerate(self._rows.rows):
            if run.checkpoint == path:
                self._list.selectionModel().setCurrentIndex(
                    self._rows.index(row), QItemSelectionModel.SelectionFlag.ClearAndSelect
                )
        if path != self._checkpoint:
            self._checkpoint = path
            self.checkpoint_changed.emit(path)

    @Slot()
    def _selected(self) -> None:
        index = self._list.selectionModel().currentIndex()
        if index.isValid():
            self._take(self._rows.rows[index.row()].checkpoint)

    @Slot()
    def _ask(self) -> None:
        choose_file(self, "Choose a checkpoint", CHECKPOINTS, self._take_file)

    @Slot(str)
    def _take_file(self, path: str) -> None:
        self.checkpoint = path


class _RunModel(ListModel):
    def text_of(self, row: ResumableRun, role: int) -> str | None:
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.title}, {row.detail}, {row.when}"
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
