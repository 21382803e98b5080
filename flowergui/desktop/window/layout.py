"""The panels and where they stand."""

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.prediction.prediction_panel import PredictionPanel
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.card import Card

SLACK = 48
"""Pixels that each column beside the plots gives up in a small window."""

FIRST = 1000
"""Their stretch: they are as wide as they may be before the plots get more."""


class Layout(QWidget):
    """Left what goes in, in the middle how it goes, right what comes out. Nothing is wired.

    Each panel is made where it stands. With a stylesheet, whatever is put into another parent is
    told so together with all that it holds: hundreds of widgets, level by level, took half the time
    in which this window is made.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        line = self.fontMetrics().height()  # larger fonts get wider columns
        self.banner = Banner(self)
        left = _Column(max(350, 17 * line), self)
        self._fill_left(left.inner)
        left.fit()
        self.run = RunPanel(self)
        right = _Column(max(312, 15 * line), self)
        self._fill_right(right.inner)
        right.fit()
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

    def _fill_left(self, inner: QWidget) -> None:
        self.photos = DatasetPanel(inner)
        self.modes = ModeSelector(inner)
        self.form = RecipeForm(inner)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, theme.SPACE, 0)
        column.setSpacing(theme.SPACE)
        for panel in (self.photos, self.modes, self.form):
            column.addWidget(panel)
        column.addStretch(1)

    def _fill_right(self, inner: QWidget) -> None:
        pair = _Pair(inner)
        self.predictions = PredictionPanel(pair)
        card = Card(parent=pair)
        self.layers = LayerPanel(card)
        card.body.addWidget(self.layers, 1)
        pair.share_between(self.predictions, card)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(pair)


class _Column(QScrollArea):
    """A column beside the plots. It scrolls where the window is too low for what is in `inner`, and
    is never too narrow for it."""

    def __init__(self, width: int, parent: QWidget) -> None:
        """`width` is the most that it takes, in pixels, unless it needs more."""
        super().__init__(parent)
        self.inner, self._wanted = QWidget(), width
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it scrolls to what has the focus
        self.setWidget(self.inner)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Is as wide as what is in it needs; to be called when that is there, and from then on it
        sees to it by itself."""
        least = self.inner.minimumSizeHint()
        bar = self.verticalScrollBar().sizeHint().width()
        needed = least.width() + (bar if least.height() > self.height() else 0)
        self.setMinimumWidth(max(self._wanted - SLACK, needed))
        self.setMaximumWidth(max(self._wanted, needed))


class _Pair(QSplitter):
    """One above the other. Until the border is moved by hand, what is above has the height that it
    would like, where the other can spare it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._by_hand = False
        self._shared_out = (0, 0)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(theme.SPACE)
        self.splitterMoved.connect(self._moved)

    def share_between(self, above: QWidget, below: QWidget) -> None:
        """Takes these two; to be called once."""
        self._above, self._below = above, below
        for widget in (above, below):
            self.addWidget(widget)
            self.setStretchFactor(self.indexOf(widget), 1)

    @Slot()
    def _moved(self) -> None:
        self._by_hand = True

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and not self._by_hand and self.count() == 2:
            self._share_out()
        return handled

    def _share_out(self) -> None:
        height, rest = self.sizes()
        wanted = self._above.sizeHint().height()
        lacking = min(wanted - height, rest - self._below.minimumSizeHint().height())
        if lacking > 0 and self._shared_out != (wanted, self.height()):
            self._shared_out = (wanted, self.height())  # once: what it sets lays itself out anew
            self.setSizes([height + lacking, rest - lacking])
