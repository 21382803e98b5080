"""The panels and where they stand."""

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from flowergui.desktop import theme
from flowergui.desktop.banner import Banner
from flowergui.desktop.card import Card
from flowergui.desktop.dataset_panel import DatasetPanel
from flowergui.desktop.layer_tree import LayerPanel
from flowergui.desktop.mode_selector import ModeSelector
from flowergui.desktop.prediction_panel import PredictionPanel
from flowergui.desktop.recipe_form import RecipeForm
from flowergui.desktop.run_panel import RunPanel

SLACK = 48
"""Pixels that each column beside the plots gives up in a small window."""

FIRST = 1000
"""Their stretch: they are as wide as they may be before the plots get more."""


class Panels(QWidget):
    """Left what goes in, in the middle how it goes, right what comes out. Nothing is wired."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.banner = Banner()
        self.photos = DatasetPanel()
        self.modes = ModeSelector()
        self.form = RecipeForm()
        self.run = RunPanel()
        self.predictions = PredictionPanel()
        self.layers = LayerPanel()

        line = self.fontMetrics().height()  # larger fonts get wider columns
        left = _Column(self._left(), max(350, 17 * line))
        right = _Column(self._right(), max(312, 15 * line))
        columns = QHBoxLayout()
        columns.setSpacing(theme.SPACE)
        columns.addWidget(left, FIRST)
        columns.addWidget(self.run, 1)
        columns.addWidget(right, FIRST)
        rows = QVBoxLayout(self)
        margin = theme.SPACE + 2
        rows.setContentsMargins(margin, margin, margin, margin)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self.banner)
        rows.addLayout(columns, 1)

    def _left(self) -> QWidget:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, theme.SPACE, 0)
        column.setSpacing(theme.SPACE)
        for panel in (self.photos, self.modes, self.form):
            column.addWidget(panel)
        column.addStretch(1)
        return inner

    def _right(self) -> QWidget:
        layers = Card()
        layers.body.addWidget(self.layers, 1)
        right = QWidget()  # a splitter sets its greatest width itself
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(_Pair(self.predictions, layers))
        return right


class _Column(QScrollArea):
    """A column beside the plots. It scrolls where the window is too low for what is in it, and is
    never too narrow for it."""

    def __init__(self, inner: QWidget, width: int) -> None:
        """`width` is the most that it takes, in pixels, unless it needs more."""
        super().__init__()
        self._inner, self._wanted = inner, width
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it scrolls to what has the focus
        self.setWidget(inner)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        least = self._inner.minimumSizeHint()
        bar = self.verticalScrollBar().sizeHint().width()
        needed = least.width() + (bar if least.height() > self.height() else 0)
        self.setMinimumWidth(max(self._wanted - SLACK, needed))
        self.setMaximumWidth(max(self._wanted, needed))


class _Pair(QSplitter):
    """One above the other. Until the border is moved by hand, what is above has the height that it
    would like, where the other can spare it."""

    def __init__(self, above: QWidget, below: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._above, self._below = above, below
        self._by_hand = False
        self._shared_out = (0, 0)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(theme.SPACE)
        for widget in (above, below):
            self.addWidget(widget)
            self.setStretchFactor(self.indexOf(widget), 1)
        self.splitterMoved.connect(self._moved)

    @Slot()
    def _moved(self) -> None:
        self._by_hand = True

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and not self._by_hand:
            self._share_out()
        return handled

    def _share_out(self) -> None:
        height, rest = self.sizes()
        wanted = self._above.sizeHint().height()
        lacking = min(wanted - height, rest - self._below.minimumSizeHint().height())
        if lacking > 0 and self._shared_out != (wanted, self.height()):
            self._shared_out = (wanted, self.height())  # once: what it sets lays itself out anew
            self.setSizes([height + lacking, rest - lacking])
