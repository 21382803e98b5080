"""The panels and where they stand."""

from PySide6.QtCore import QEvent, QSettings, Qt, Slot
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
    """Left what goes in, in the middle how it goes, right what comes out. Nothing is wired.

    Each panel is made where it stands. With a stylesheet, whatever is put into another parent is
    told so together with all that it holds: hundreds of widgets, level by level, took half the time
    in which this window is made.
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

    def restore(self, settings: QSettings) -> None:
        """Arranges the columns as they were when `save` was called."""
        self._columns.restore(settings)

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
        pair = _Pair(column.inner)
        self.predictions = PredictionPanel(pair)
        card = Card(parent=pair)
        self.layers = LayerPanel(card)
        card.body.addWidget(self.layers, 1)
        pair.share_between(self.predictions, card)
        column.rows.addWidget(pair)


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
