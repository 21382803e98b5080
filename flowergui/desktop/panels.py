"""The panels and where they stand."""

from PySide6.QtCore import Qt
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
        left, right = self._left(), self._right()
        left.setFixedWidth(max(350, 17 * line))
        right.setFixedWidth(max(312, 15 * line))
        columns = QHBoxLayout()
        columns.setSpacing(theme.SPACE)
        columns.addWidget(left)
        columns.addWidget(self.run, 1)
        columns.addWidget(right)
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
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        return scroll

    def _right(self) -> QWidget:
        layers = Card()
        layers.body.addWidget(self.layers, 1)
        right = QSplitter(Qt.Orientation.Vertical)
        right.setChildrenCollapsible(False)
        right.setHandleWidth(theme.SPACE)
        right.addWidget(self.predictions)
        right.addWidget(layers)
        right.setStretchFactor(0, 1)
        right.setStretchFactor(1, 1)
        return right
