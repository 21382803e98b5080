"""What a plot stands in: it makes the plot usable by keyboard and by screen reader."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from flowergui.desktop.accessibility import describe, set_role
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.style import theme
from flowergui.text import sentences, tr

PAN_SHARE = 0.15
"""The part of what is in sight by which an arrow key pans."""
ZOOM = 1.25
"""What is in sight becomes so many times less, or more, with a key."""
KEYPAD = Qt.KeyboardModifier.KeypadModifier
PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
"""Modifiers beside the keypad's: "+" may need the Shift key. Ctrl and + zooms the interface."""
Range = tuple[float, float]


class ChartFrame(QFrame):
    """A frame that the Tab key comes to and that screen readers call a chart; its accessible
    description says what the curves show.

    Return asks for the numbers as a table and the menu key for the context menu. The arrow keys
    pan, + and - zoom, 0 and Home show all. A subclass makes its plot and calls `adopt`.
    """

    table_requested = Signal()
    """The user wants to read the numbers: Return was pressed."""
    menu_requested = Signal()
    """The user wants the context menu: the menu key was pressed."""
    moved_by_keys = Signal()
    """The user has zoomed or panned: the plot shows another range."""
    all_requested = Signal()
    """The user wants to see everything again."""

    plot: pg.PlotWidget

    def adopt(self, plot: pg.PlotWidget, title: str, *, vertical: bool = True) -> None:
        """Makes the frame work for this plot. Without `vertical`, its vertical axis fits the data
        in sight by itself, and only the horizontal one pans and zooms."""
        self.plot, self._vertical = plot, vertical
        for widget in (self, plot):
            widget.setAccessibleName(title)
        set_role(self, QAccessible.Role.Chart, "request_table")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def tell(self, text: str) -> None:
        """Tells screen readers what the curves show, and what the keys do."""
        keys = tr("The arrow keys pan, + and - zoom, 0 shows all.")
        for widget in (self, self.plot):
            describe(widget, sentences(text, keys))

    @Slot()
    def request_table(self) -> None:
        """Asks for the numbers, as Return does."""
        self.table_requested.emit()

    def pan(self, right: float, up: float) -> None:
        """Pans by these shares of what is in sight."""
        (left_end, right_end), (low, high) = self.plot.getViewBox().viewRange()
        across, upwards = right * (right_end - left_end), up * (high - low)
        self._show((left_end + across, right_end + across), (low + upwards, high + upwards))

    def zoom(self, factor: float) -> None:
        """Shows so many times less around the middle of the plot."""
        ranges = self.plot.getViewBox().viewRange()
        middles = [(low + high) / 2 for low, high in ranges]
        halves = [(high - low) / 2 / factor for low, high in ranges]
        across, upwards = (
            (middle - half, middle + half) for middle, half in zip(middles, halves, strict=True)
        )
        self._show(across, upwards)

    def _show(self, across: Range, upwards: Range) -> None:
        self.plot.setXRange(*across, padding=0)
        if self._vertical:
            self.plot.setYRange(*upwards, padding=0)
        self.moved_by_keys.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_requested.emit()
        else:
            super().contextMenuEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key() if event.modifiers() & ~KEYPAD in PLAIN else None
        match key:
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.request_table()
            case Qt.Key.Key_Left:
                self.pan(-PAN_SHARE, 0)
            case Qt.Key.Key_Right:
                self.pan(PAN_SHARE, 0)
            case Qt.Key.Key_Up if self._vertical:
                self.pan(0, PAN_SHARE)
            case Qt.Key.Key_Down if self._vertical:
                self.pan(0, -PAN_SHARE)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(ZOOM)
            case Qt.Key.Key_Minus:
                self.zoom(1 / ZOOM)
            case Qt.Key.Key_0 | Qt.Key.Key_Home:
                self.all_requested.emit()
            case _:
                super().keyPressEvent(event)


class PlotFrame(ChartFrame):
    """A chart whose range is its own: it fits its curves until a key has moved it, and again when
    all of it is asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.style(self, chart=True)
        self._by_hand = False
        self._whole: tuple[Range, Range] | None = None
        self.moved_by_keys.connect(self._keep)
        self.all_requested.connect(self.show_all)

    def fit(self, across: Range, upwards: Range) -> None:
        """Shows this range, in which all curves lie, unless the user looks at another."""
        self._whole = across, upwards
        if not self._by_hand:
            self.plot.setRange(xRange=across, yRange=upwards, padding=0)

    @Slot()
    def show_all(self) -> None:
        """Shows all curves again."""
        self._by_hand = False
        if self._whole is not None:
            self.fit(*self._whole)

    @Slot()
    def _keep(self) -> None:
        self._by_hand = True
