"""The panels and where they stand."""

from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.prediction.prediction_panel import PredictionPanel
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_panel import RunPanel
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.window.columns import Column, Columns


class Layout(QWidget):
    """Inputs on the left, the run in the middle, predictions on the right.

    It wires nothing. Each panel is created with its final parent: with a stylesheet, Qt sends a
    style change to a widget that gets another parent, and to all widgets in it, which took half the
    time in which this window is made. `columns` are the three of them.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns = Columns(*self._side_widths(), self)
        self._fill_left(self.columns.left)
        self._fill_middle(self.columns.middle)
        self._fill_right(self.columns.right)
        rows = QVBoxLayout(self)
        margin = theme.SPACE + 2
        rows.setContentsMargins(margin, margin, 0, margin)  # the gutter is the right margin
        rows.addWidget(self.columns)
        self.columns.tab_last()

    def _side_widths(self) -> tuple[int, int]:
        """Pixels that the left and the right column would like: larger fonts get wider ones."""
        line = self.fontMetrics().height()
        return max(350, 20 * line), max(312, 18 * line)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.columns.want(*self._side_widths())

    def save(self, settings: QSettings) -> None:
        """Remembers how the user has arranged the columns, and what is folded."""
        self.columns.save(settings)
        for card in self._cards:
            card.save(settings)

    def restore(self, settings: QSettings) -> None:
        """Arranges all as it was when `save` was called."""
        self.columns.restore(settings)
        # A state holds an orientation too, and a settings file that of any splitter.
        self.columns.setOrientation(Qt.Orientation.Horizontal)
        for card in self._cards:
            card.restore(settings)

    def reset(self) -> None:
        """Arranges all as in a new program; cards that are open stay so until the next start."""
        self.columns.reset()
        for card in self._cards:
            card.reset()

    def _fill_left(self, column: Column) -> None:
        """What comes to matter later is folded until then."""
        self.photos = DatasetPanel(column.inner, invites=False)
        self.modes = ModeSelector(column.inner)
        self.form = RecipeForm(column.inner)
        self.layers = LayerPanel(column.inner)
        self._cards = (self.modes, self.form, self.layers)
        for card in self._cards:
            card.fold(True)
        for panel in (self.photos, *self._cards):
            column.rows.addWidget(panel)
        column.rows.addStretch(1)

    def _fill_middle(self, column: Column) -> None:
        self.run = RunPanel(column.inner)
        column.rows.addWidget(self.run)
        self.banner = Banner(self.run)
        self.banner.float_over(self.run.stage)

    def _fill_right(self, column: Column) -> None:
        self.predictions = PredictionPanel(column.inner)
        column.rows.addWidget(self.predictions)
