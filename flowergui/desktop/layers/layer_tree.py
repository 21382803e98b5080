"""The layers panel: which parameters stay frozen."""

from PySide6.QtCore import QEvent, QLocale, QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStyledItemDelegate,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from flowergui.config.frozen_patterns import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE, frozen_names
from flowergui.desktop.layers.layer_model import LayerModel
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.errors import FlowerError
from flowergui.events import ModelDescribed

PRESETS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "freezeAllButHead",
        "All but the head",
        (ALL_BUT_HEAD,),
        "Only the last layer learns. Fast, and right for few photos.",
    ),
    (
        "freezeAllButLastStage",
        "All but the last stage",
        (ALL_BUT_LAST_STAGE,),
        "The last stage and the head after it learn; all else stays frozen.",
    ),
    ("freezeNothing", "Nothing", (), "Every layer learns."),
)
LETTERS = 38
"""The width in average letters of the least panel that shows shapes."""
WIDEST = ("BatchNorm2d", "99.9 M")
"""What the columns of shapes and of sizes must have room for."""
CELL = 14
"""What a cell takes besides its text, in pixels."""
EVERYTHING_FROZEN = "Everything is frozen: nothing could learn. Untick at least the head."


class _ShortNames(QStyledItemDelegate):
    """Below its branch a parameter needs no more than the last part of its name."""

    def displayText(self, value: object, locale: QLocale | QLocale.Language) -> str:
        return str(value).rpartition(".")[2]


class LayerPanel(QWidget):
    """A tree of layers with a tick for each frozen one, three presets, and what is left to
    train. Ticks may change at any time, also while a run goes."""

    frozen_changed = Signal(object)
    """The names of the frozen parameters, in the network's order; once for each thing the
    user did. Not emitted for `show_network` and `set_frozen`."""
    network_requested = Signal()
    """The user wants to see the whole network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layerPanel")
        self._described: ModelDescribed | None = None
        self._touched = False
        self._model = LayerModel(self)
        self._model.chosen.connect(self._choose)
        self._tree = self._make_tree()

        title = QLabel("Layers")
        theme.style(title, role="title")
        self._show = QPushButton("Show network")
        self._show.setObjectName("showNetworkButton")
        self._show.setToolTip("The whole network: every module with its output shape.")
        self._show.clicked.connect(self.network_requested)
        theme.style(self._show, role="quiet")
        self._head = head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self._show)

        explanation = QLabel("Ticked layers stay frozen. Freeze:")
        explanation.setToolTip("They keep their values; what isn't ticked learns.")
        explanation.setWordWrap(True)
        theme.style(explanation, role="caption")
        self._row = QHBoxLayout()
        self._row.setSpacing(2)
        self._presets: dict[QPushButton, tuple[str, ...]] = {}
        for name, text, words, tip in PRESETS:
            button = QPushButton(text)
            button.setObjectName(name)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.clicked.connect(self._preset)
            theme.style(button, role="segment")
            self._presets[button] = words
            self._row.addWidget(button)
        self._row.addStretch(1)

        self._count = QLabel()
        self._count.setObjectName("trainableCount")
        self._error = QLabel()
        self._error.setObjectName("layersError")
        for label, role in ((self._count, "caption"), (self._error, "error")):
            label.setWordWrap(True)
            theme.style(label, role=role)
        theme.tabular(self._count)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACE - 2)
        layout.addLayout(head)
        layout.addWidget(explanation)
        layout.addLayout(self._row)
        layout.addWidget(self._tree, 1)
        layout.addWidget(self._count)
        layout.addWidget(self._error)
        self.clear()
        theme.signals.changed.connect(self._repaint)

    # --- for the window -------------------------------------------------------------------

    def show_network(self, described: ModelDescribed, frozen: tuple[str, ...]) -> None:
        """Shows a network. `frozen` are names, patterns or the words that Recipe knows; where
        the user has ticked something in a network with the same parameters, his choice stays.

        Raises FlowerError for a word that fits no parameter.
        """
        same = (
            self._described is not None
            and self._described.model == described.model
            and self._model.names == tuple(parameter.name for parameter in described.parameters)
        )
        kept = self.frozen() if same and self._touched else None
        opened = self._opened() if same else set()
        self._described = described
        self._model.show(described)
        for row in range(self._model.rowCount()):
            if self._model.index(row, 0).data() in opened:
                self._tree.expand(self._model.index(row, 0))
        self._show.setEnabled(True)
        if kept is None:
            self.set_frozen(frozen)
        else:
            self._model.set_frozen(kept)
            self._tell()

    def set_frozen(self, names: tuple[str, ...]) -> None:
        """Ticks what `names` mean (names, patterns or words) in the network that is shown.
        Raises FlowerError for a word that fits no parameter; then nothing is ticked."""
        self._touched = False
        try:
            self._model.set_frozen(self._meant(names))
        except FlowerError:
            self._model.set_frozen(())
            raise
        finally:
            self._tell()

    def frozen(self) -> tuple[str, ...]:
        """The names of the frozen parameters, in the network's order."""
        return self._model.frozen

    def problem(self) -> str:
        """Why this choice can't be trained with, in a sentence; empty where it can."""
        names = self._model.names
        return EVERYTHING_FROZEN if names and len(self.frozen()) == len(names) else ""

    def described(self) -> ModelDescribed | None:
        """The network that is shown."""
        return self._described

    @Slot()
    def clear(self) -> None:
        """Shows no network."""
        self._described = None
        self._touched = False
        self._model.show(ModelDescribed("", 0, 0, (), (), (), ()))
        self._show.setEnabled(False)
        self._tell()

    # --- how ------------------------------------------------------------------------------

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setObjectName("layerTree")
        tree.setAccessibleName("Layers; ticked ones are frozen")
        tree.setModel(self._model)
        tree.setItemDelegateForColumn(0, _ShortNames(tree))
        tree.setUniformRowHeights(True)
        tree.setIndentation(11)
        tree.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        tree.setMinimumHeight(72)
        theme.style(tree, flat=True)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return tree

    def minimumSizeHint(self) -> QSize:
        """As wide as its presets are one above the other, as they stand where it is narrow."""
        widths = [button.sizeHint().width() for button in self._presets]
        hint = super().minimumSizeHint()
        hint.setWidth(max(*widths, self._head.minimumSize().width()))
        return hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        """Names come first: what is too narrow for shapes does without (tooltips have them)."""
        metrics = self.fontMetrics()
        for column, text in enumerate(WIDEST, start=1):
            self._tree.setColumnWidth(column, metrics.horizontalAdvance(text) + CELL)
        self._tree.setColumnHidden(1, self.width() < LETTERS * metrics.averageCharWidth())
        needed = sum(button.sizeHint().width() + 2 for button in self._presets)
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom
            if needed > self.width()
            else QBoxLayout.Direction.LeftToRight
        )
        self._keep_lines()

    def _keep_lines(self) -> None:
        """Has the count keep as many lines as it wraps into: a splitter, which asks for the least
        height without asking for which width, would take them from the buttons."""
        self._count.setMinimumHeight(0)  # else it would never ask for less again
        self._count.setMinimumHeight(self._count.heightForWidth(self.width()))

    def _opened(self) -> set[str]:
        rows = (self._model.index(row, 0) for row in range(self._model.rowCount()))
        return {str(row.data()) for row in rows if self._tree.isExpanded(row)}

    def _meant(self, words: tuple[str, ...]) -> tuple[str, ...]:
        described = self._described
        if described is None:
            return ()
        return frozen_names(words, self._model.names, described.head, described.last_stage)

    @Slot()
    def _preset(self) -> None:
        button = self.sender()
        assert isinstance(button, QPushButton)
        meant = self._meant(self._presets[button])
        if meant != self.frozen():
            self._model.set_frozen(meant)
            self._choose()
        self._tell()

    @Slot()
    def _choose(self) -> None:
        self._touched = True
        self._tell()
        self.frozen_changed.emit(self.frozen())

    def _tell(self) -> None:
        known = self._described is not None
        frozen = self.frozen()
        for button, words in self._presets.items():
            button.setEnabled(known)
            button.setChecked(known and self._meant(words) == frozen)
        if known:
            total = self._model.size
            self._count.setText(f"{self._model.trainable:,} of {total:,} parameters train")
        else:
            self._count.setText("The layers of the chosen network appear here.")
        self._keep_lines()
        self._error.setText(self.problem())
        self._error.setVisible(bool(self.problem()))

    @Slot(object)
    def _repaint(self, colors: Theme) -> None:
        self._tree.viewport().update()
