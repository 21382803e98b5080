"""What all windows have in common: the program's name in titles, their screen, and how they come to
the front; a dialog that Escape does not close, and one with a table."""

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QEvent, QObject, QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QScrollArea,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.text import tr

DISPLAY_NAME = "Flowergui"
"""The program's name as people read it; the command is called flowergui."""

SCREEN_SHARE = 0.95
"""How much of the screen's width and height a new window takes at most: it has a frame, too."""
MIN_LINES = 8
"""Lines that a window with scrolling rows is high at least."""
TABLE_CHARACTERS, TABLE_LINES = 100, 24
"""The size that a table opens with, in average characters and lines."""


def bring_to_front(window: QWidget) -> None:
    """Shows a window above the others and gives it the keyboard; a minimized one is restored."""
    if not window.isVisible():
        theme.fit_to_zoom(window)
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.activateWindow()


def copy_and_close(window: QDialog, name: str, copy: Callable[[], object]) -> QHBoxLayout:
    """The buttons at the foot of a window with a text to copy; `name` is the object name of the
    one that copies."""
    copying = QPushButton(tr("Copy as text"))
    copying.setObjectName(name)
    copying.setAutoDefault(False)
    copying.clicked.connect(copy)
    closing = QPushButton(tr("Close"))
    closing.clicked.connect(window.close)
    closing.setDefault(True)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(copying)
    row.addWidget(closing)
    return row


def screen_size() -> QSize:
    """Pixels of the screen that windows may take.

    Not QWidget.screen(): PySide 6.11 takes the screen for a child of the widget then, and with a
    widget that Python deletes, the screen is gone.
    """
    return QGuiApplication.primaryScreen().availableSize()


def resize_within_screen(window: QWidget, width: int, height: int) -> None:
    """Gives a new window this size in pixels, or as much of it as the screen has room for."""
    window.resize(QSize(width, height).boundedTo(screen_size() * SCREEN_SHARE))


class ScrollingRows(QScrollArea):
    """All that is in a window: it scrolls where the window is lower than its rows need, as on a
    small screen or with large text."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._inner = _Rows()
        self.rows = QVBoxLayout(self._inner)
        """What is in the window, from top to bottom."""
        self.rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        self.rows.setSpacing(theme.SPACE)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it scrolls to what the Tab key reaches
        self.setWidget(self._inner)
        whole = QVBoxLayout(window)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self)

    def minimumSizeHint(self) -> QSize:
        """No lower than a few lines; as wide as its rows need, where the screen has room."""
        width = self._inner.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        least = QSize(width, MIN_LINES * self.fontMetrics().height())
        return least.boundedTo(screen_size() * SCREEN_SHARE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class _Rows(QWidget):
    """Asks for its minimum height at a width, not for its preferred one: the scroll area makes it
    at least that high."""

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.totalMinimumHeightForWidth(width) if layout else -1


class LastingDialog(QDialog):
    """Escape does not close it: what it shows took long to compute, and would be lost. Its close
    button does, and Ctrl+W."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Cancel):
            event.ignore()
        else:
            super().keyPressEvent(event)


class TableDialog(QDialog):
    """Shows a table model; does not block the window that it belongs to. A subclass gives its
    `text`."""

    def __init__(
        self, title: str, names: tuple[str, str, str], parent: QWidget | None = None
    ) -> None:
        """`names` are the object names of the dialog, its table, and its button that copies."""
        super().__init__(parent)
        self.setObjectName(names[0])
        self.setWindowTitle(title)
        self._view = view = QTableView()
        view.setObjectName(names[1])
        view.setAccessibleName(title)
        view.setShowGrid(False)
        view.setTabKeyNavigation(False)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.verticalHeader().hide()
        header = view.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self).activated.connect(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.SPACE] * 4)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(view, 1)
        layout.addLayout(copy_and_close(self, names[2], self._copy))
        width, line = self.fontMetrics().averageCharWidth(), self.fontMetrics().height()
        resize_within_screen(self, width * TABLE_CHARACTERS, line * TABLE_LINES)

    def set_model(self, model: QAbstractTableModel) -> None:
        """Shows what the model has."""
        self._view.setModel(model)

    def text(self) -> str:
        """The table as lines with tabs, as spreadsheets read them."""
        raise NotImplementedError

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())
