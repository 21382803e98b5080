"""Three columns beside each other: each scrolls, those at the sides can be narrowed and folded."""

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QPushButton,
    QScrollArea,
    QSplitter,
    QSplitterHandle,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.text import tr

LEAST_WIDTH = 160
"""Pixels to which a column can be narrowed; what is wider scrolls."""
HANDLE_WIDTH = 10
"""Pixels between two columns, in which the button to fold stands."""
LEFT, MIDDLE, RIGHT = range(3)
WIDE = 1_400
"""Pixels from which on the sides grow too: plots wider than that show no more."""
MAX_MORE = {LEFT: 50, RIGHT: 240}
"""Pixels by which they do at most."""


class Column(QScrollArea):
    """A column that scrolls where the window is too small for what is in `inner`.

    The vertical scroll bar has its room also where there is nothing to scroll (it is not seen
    then), so that nothing moves when it comes. In a column too narrow for that, it takes room when
    it comes.
    """

    content_changed = Signal()
    """What is in `inner` may need another width."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._width = 0
        self.inner = QWidget()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it scrolls to what has the focus
        self.setMinimumWidth(LEAST_WIDTH)
        self.setWidget(self.inner)
        self.rows = QVBoxLayout(self.inner)
        self.rows.setSpacing(theme.SPACE)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.verticalScrollBar().rangeChanged.connect(self._show_bar)
        self._show_bar(0, 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            # What needs more width now may take the bar's room; that the column gives it back only
            # when it is resized keeps both from changing in turns.
            if self.width() < self.needed_width():
                self._keep_bar(False)
            self.content_changed.emit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.width() != self._width:  # the event is that of the viewport
            self._width = self.width()
            self._keep_bar(self._width >= self.needed_width())

    def needed_width(self) -> int:
        """Pixels that the column needs, so that nothing has to be scrolled sideways."""
        bar = self.verticalScrollBar().sizeHint().width()
        return self.inner.minimumSizeHint().width() + bar

    def _keep_bar(self, kept: bool) -> None:
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAlwaysOn if kept else policy.ScrollBarAsNeeded
        )

    @Slot(int, int)
    def _show_bar(self, minimum: int, maximum: int) -> None:
        self.verticalScrollBar().setEnabled(maximum > minimum)  # else it is not painted


class Columns(QSplitter):
    """Left, middle and right. Until the user moves a border or folds a column, the sides are as
    wide as they would like to be, where the middle can spare it."""

    folded = Signal(bool, bool)
    """A border was moved: whether the left and the right column are folded."""

    def __init__(self, left_width: int, right_width: int, parent: QWidget) -> None:
        """The widths, in pixels, are what the sides would like to have."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("columns")
        self._wanted = {LEFT: left_width, RIGHT: right_width}
        self._by_hand = False
        self._shared_out: tuple[int, ...] = ()  # the width, and what the columns needed
        self.setHandleWidth(HANDLE_WIDTH)
        self.left, self.middle, self.right = (Column(self) for _ in range(3))
        for column in (self.left, self.middle, self.right):
            self.addWidget(column)
            column.content_changed.connect(self._share_out)
        for place in (LEFT, MIDDLE, RIGHT):
            self.setStretchFactor(place, int(place == MIDDLE))
            self.setCollapsible(place, place != MIDDLE)
        self.splitterMoved.connect(self._moved)

    def want(self, left_width: int, right_width: int) -> None:
        """The sides would like to have these widths, in pixels, from now on."""
        self._wanted = {LEFT: left_width, RIGHT: right_width}
        self._shared_out = ()
        self._share_out()

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)

    def tab_last(self) -> None:
        """The Tab key comes to the buttons that fold after everything in the columns."""
        last = self.window().previousInFocusChain()
        while last is not None and last.focusPolicy() == Qt.FocusPolicy.NoFocus:
            last = last.previousInFocusChain()
        for place in (MIDDLE, RIGHT):
            handle = self.handle(place)
            if last is not None and isinstance(handle, _Handle):
                QWidget.setTabOrder(last, handle.button)
                last = handle.button

    def is_folded(self, side: int) -> bool:
        """Whether the LEFT or RIGHT column is folded."""
        return self.sizes()[side] == 0

    def fold(self, side: int, folded: bool) -> None:
        """Folds the LEFT or RIGHT column, or opens it again."""
        sizes = self.sizes()
        room = sizes[side] + sizes[MIDDLE]
        sizes[side] = 0 if folded else min(self._wanted[side], room // 2)
        sizes[MIDDLE] = room - sizes[side]
        self.setSizes(sizes)
        self._moved()

    def toggle(self, side: int) -> None:
        """Folds the LEFT or RIGHT column if it is open, else opens it."""
        self.fold(side, not self.is_folded(side))

    def reset(self) -> None:
        """Arranges them as if the user had not moved any border."""
        self.setSizes([1, 1, 1])  # none is folded
        self._moved()
        self._by_hand, self._shared_out = False, ()
        self._share_out()

    def save(self, settings: QSettings) -> None:
        """Remembers where the borders are, if the user has moved them."""
        if self._by_hand:
            settings.setValue("columns", self.saveState())

    def restore(self, settings: QSettings) -> None:
        """Puts the borders where they were when `save` was called."""
        state = settings.value("columns")
        if isinstance(state, QByteArray) and self.restoreState(state):
            self.setHandleWidth(HANDLE_WIDTH)  # the state holds that of an older version
            self._moved()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    @Slot()
    def _share_out(self) -> None:
        needed = (column.needed_width() for column in (self.left, self.middle, self.right))
        shared_out = (self.width(), *needed)
        if self._by_hand or shared_out == self._shared_out:
            return
        self._shared_out = shared_out
        room = self.width() - 2 * self.handleWidth()
        spare = max(0, room - WIDE)
        left = self._wanted[LEFT] + min(spare // 20, MAX_MORE[LEFT])
        right = self._wanted[RIGHT] + min(spare // 4, MAX_MORE[RIGHT])
        lacking = self.middle.needed_width() - (room - left - right)
        if lacking > 0:
            spare_left = max(left - self.left.needed_width(), 0)
            spare_right = max(right - self.right.needed_width(), 0)
            given = min(1.0, lacking / max(spare_left + spare_right, 1))
            left -= round(given * spare_left)
            right -= round(given * spare_right)
        self.setSizes([left, room - left - right, right])

    @Slot()
    def _moved(self) -> None:
        self._by_hand = True
        for side, column in ((LEFT, self.left), (RIGHT, self.right)):
            # Qt only moves a folded column out of sight: the Tab key would still lead there.
            column.inner.setVisible(not self.is_folded(side))
        for place in (MIDDLE, RIGHT):
            handle = self.handle(place)
            if isinstance(handle, _Handle):
                handle.show_state()
        self.folded.emit(self.is_folded(LEFT), self.is_folded(RIGHT))


class _Handle(QSplitterHandle):
    """A border between two columns, with a button that folds the one at the side."""

    def __init__(self, orientation: Qt.Orientation, columns: Columns) -> None:
        super().__init__(orientation, columns)
        self._columns = columns
        self.button = QPushButton(self)
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._fold)
        theme.style(self.button, role="fold")
        self.setToolTip(tr("Drag to make the column wider or narrower."))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        height = 3 * self.fontMetrics().height()
        self.button.setGeometry(0, (self.height() - height) // 2, self.width(), height)
        self.show_state()

    def show_state(self) -> None:
        """Shows whether the column is folded."""
        side = self._side()
        folded = self._columns.is_folded(side)
        self.button.setObjectName("foldLeftButton" if side == LEFT else "foldRightButton")
        self.button.setText("›" if folded == (side == LEFT) else "‹")
        if side == LEFT:
            text = tr("Show the left column") if folded else tr("Fold the left column")
        else:
            text = tr("Show the right column") if folded else tr("Fold the right column")
        self.button.setAccessibleName(text)
        self.button.setToolTip(text)

    def _side(self) -> int:
        return LEFT if self._columns.indexOf(self) == MIDDLE else RIGHT

    @Slot()
    def _fold(self) -> None:
        self._columns.toggle(self._side())
