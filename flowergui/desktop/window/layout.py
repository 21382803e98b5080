"""The panels and where they stand."""

from PySide6.QtCore import QByteArray, QEvent, QSettings, Qt, Slot
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.prediction.prediction_panel import PredictionPanel
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.window.columns import Column, Columns


class Layout(QWidget):
    """Inputs on the left, the run in the middle, predictions and layers on the right.

    It wires nothing. Each panel is created with its final parent: with a stylesheet, Qt sends a
    style change to a widget that gets another parent, and to all widgets in it, which took half the
    time in which this window is made.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        line = self.fontMetrics().height()  # larger fonts get wider columns
        self._columns = Columns(max(350, 17 * line), max(312, 15 * line), self)
        self._fill_left(self._columns.left)
        self._fill_middle(self._columns.middle)
        self._fill_right(self._columns.right)
        rows = QVBoxLayout(self)
        margin = theme.SPACE + 2
        rows.setContentsMargins(margin, margin, 0, margin)  # the gutter is the right margin
        rows.addWidget(self._columns)
        self._columns.tab_last()

    def save(self, settings: QSettings) -> None:
        """Remembers how the user has arranged the columns."""
        self._columns.save(settings)
        self._pair.save(settings)

    def restore(self, settings: QSettings) -> None:
        """Arranges the columns as they were when `save` was called."""
        self._columns.restore(settings)
        self._pair.restore(settings)
        # A state holds an orientation too, and a settings file that of any splitter.
        self._columns.setOrientation(Qt.Orientation.Horizontal)
        self._pair.setOrientation(Qt.Orientation.Vertical)

    def _fill_left(self, column: Column) -> None:
        self.photos = DatasetPanel(column.inner)
        self.modes = ModeSelector(column.inner)
        self.form = RecipeForm(column.inner)
        for panel in (self.photos, self.modes, self.form):
            column.rows.addWidget(panel)
        column.rows.addStretch(1)

    def _fill_middle(self, column: Column) -> None:
        """Messages stand above the plots, which give them room: nothing else moves."""
        self.banner = Banner(column.inner)
        self.run = RunPanel(column.inner)
        column.rows.addWidget(self.banner)
        column.rows.addWidget(self.run, 1)

    def _fill_right(self, column: Column) -> None:
        self._pair = pair = Pair(column.inner)
        self.predictions = PredictionPanel(pair)
        card = Card(parent=pair)
        self.layers = LayerPanel(card)
        card.body.addWidget(self.layers, 1)
        pair.share_between(self.predictions, card)
        column.rows.addWidget(pair)


class Pair(QSplitter):
    """Two widgets, one above the other. Until the user moves the border, the upper one has the
    height that it prefers, if the other can spare it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._by_hand = False
        self._shared_out = (0, 0)
        self.setObjectName("predictionsAndLayers")
        self.setChildrenCollapsible(False)
        self.setHandleWidth(theme.SPACE)
        self.splitterMoved.connect(self._moved)

    def share_between(self, above: QWidget, below: QWidget) -> None:
        """Adds these two widgets; to be called once."""
        self._above, self._below = above, below
        for widget in (above, below):
            self.addWidget(widget)
            self.setStretchFactor(self.indexOf(widget), 1)

    def save(self, settings: QSettings) -> None:
        """Remembers where the border is, if the user has moved it."""
        if self._by_hand:
            settings.setValue(self.objectName(), self.saveState())

    def restore(self, settings: QSettings) -> None:
        """Puts the border where it was when `save` was called."""
        state = settings.value(self.objectName())
        if isinstance(state, QByteArray) and self.restoreState(state):
            self._by_hand = True

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
