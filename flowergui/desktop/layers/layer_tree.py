"""The layers panel: a tree of the network's parameters, ticked where they are frozen."""

from PySide6.QtCore import QEvent, QLocale, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStyledItemDelegate,
    QTreeView,
    QWidget,
)

from flowergui.config.frozen_patterns import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE, frozen_names
from flowergui.desktop.accessibility import radio_group
from flowergui.desktop.layers.layer_model import (
    EPOCH_COLUMN,
    RATE_COLUMN,
    SHAPE_COLUMN,
    SIZE_COLUMN,
    LayerModel,
)
from flowergui.desktop.layers.stage_column import LayerTree
from flowergui.desktop.layers.stage_schedule import parameter_epochs
from flowergui.desktop.session import (
    Session,
    editable,
    epochs_until_unfrozen,
    frozen,
    frozen_problem,
)
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.watched_run import read_only_text
from flowergui.desktop.widgets.card import MARGIN, FoldingCard
from flowergui.events import ModelDescribed
from flowergui.text import N_, percent, tr, trn

PRESETS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "freezeAllButHead",
        N_("Only the head"),
        (ALL_BUT_HEAD,),
        N_("Only the last layer is trained. Fast, and right for few images."),
    ),
    (
        "freezeAllButLastStage",
        N_("Last stage and head"),
        (ALL_BUT_LAST_STAGE,),
        N_("The last stage and the head are trained; all else stays frozen."),
    ),
    ("freezeNothing", N_("All layers"), (), N_("Nothing is frozen.")),
)
LETTERS = 38
"""The width in average letters of the least panel that shows shapes."""
MORE_LETTERS = 14
"""How much wider it is if another column is shown."""
WIDEST = {
    SHAPE_COLUMN: "BatchNorm2d",
    SIZE_COLUMN: "99.9 M",
    EPOCH_COLUMN: "Trains from",
    RATE_COLUMN: "× 0.064",
}
"""What the columns must have room for."""
CELL = 14
"""What a cell takes besides its text, in pixels."""


class _ShortNames(QStyledItemDelegate):
    """Below its branch a parameter needs no more than the last part of its name."""

    def displayText(self, value: object, locale: QLocale | QLocale.Language) -> str:
        return str(value).rpartition(".")[2]


class LayerPanel(FoldingCard):
    """A tree of layers with a tick for each frozen one, three presets, and what is left to
    train. Ticks may change at any time, also while a run goes."""

    frozen_requested = Signal(object)
    """The user wants these parameters frozen: their names, in the network's order; once for each
    thing that he did."""
    stage_epoch_requested = Signal(object, int)
    """The user wants a stage (StageFacts) to train from this epoch on; see stage_schedule.py."""
    schedule_cleared = Signal()
    """The user wants no schedule: what is frozen stays so."""
    network_requested = Signal()
    """The user wants to see the whole network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Layers"), "foldLayersButton", parent)
        self.setObjectName("layerPanel")
        self._network: ModelDescribed | None = None
        self._model = LayerModel(self)
        self._model.chosen.connect(self._ticked)
        self._model.epoch_chosen.connect(self.stage_epoch_requested)
        self._has_schedule = False
        self._tree = self._make_tree()

        self._show = QPushButton(tr("Show network"))
        self._show.setObjectName("showNetworkButton")
        self._show.setToolTip(tr("The whole network: every module with its output shape."))
        self._show.clicked.connect(self.network_requested)
        theme.style(self._show, role="quiet")
        self._explanation = explanation = QLabel()
        explanation.setToolTip(tr("Frozen layers keep their values; the others are trained."))
        explanation.setWordWrap(True)
        theme.style(explanation, role="caption")
        self._show_unfreezing(0)
        self._row = QHBoxLayout()
        self._row.setSpacing(2)
        self._presets: dict[QPushButton, tuple[str, ...]] = {}
        for name, text, words, tip in PRESETS:
            button = QPushButton(tr(text))
            button.setObjectName(name)
            button.setToolTip(tr(tip))
            button.clicked.connect(self._choose_preset)
            theme.style(button, role="segment")
            self._presets[button] = words
            self._row.addWidget(button)
        radio_group(self._presets, self, exclusive=False)
        self._row.addStretch(1)

        self._count = QLabel()
        self._count.setObjectName("trainableCount")
        self._error = QLabel()
        self._error.setObjectName("layersError")
        for label, role in ((self._count, "caption"), (self._error, "error")):
            label.setWordWrap(True)
            theme.style(label, role=role)
        theme.tabular(self._count)
        self._by_stage = QPushButton(tr("Unfreeze by stage"))
        self._by_stage.setObjectName("unfreeze_schedule")
        self._by_stage.setCheckable(True)
        self._by_stage.setEnabled(False)  # until a network with stages is described
        self._by_stage.setToolTip(
            tr(
                "Choose for each stage the epoch from which on it trains (gradual unfreezing). If "
                "this is off, what is frozen does not depend on its stage."
            )
        )
        self._by_stage.clicked.connect(self._toggle_stages)
        theme.style(self._by_stage, role="segment")
        self._foot = foot = QHBoxLayout()
        foot.addWidget(self._count, 1)
        foot.addWidget(self._by_stage, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)

        self.body.setSpacing(theme.SPACE - 2)
        self.body.addWidget(explanation)
        self.body.addLayout(self._row)
        self.body.addWidget(self._tree, 1)
        self.body.addLayout(foot)
        self.body.addWidget(self._error)
        self.body.addWidget(self._show, 0, Qt.AlignmentFlag.AlignLeft)
        self._show.setEnabled(False)
        self._show_state()
        theme.signals.changed.connect(self._repaint)

    # --- for the window -------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Shows the network, once it is described, and ticks its frozen layers."""
        may_freeze = "frozen" in editable(session)
        self.setToolTip("" if may_freeze else read_only_text())
        self._model.editable = may_freeze and session.network is not None
        if session.network is None:  # the one before stays until the new one is there
            self._show_presets()
            self._by_stage.setEnabled(False)
            return
        if session.network is not self._network:
            self._show_network(session.network)
        if frozen(session) != self._model.frozen:
            self._model.set_frozen(frozen(session))
        self._show_state(frozen_problem(session))
        recipe = session.recipe
        self._model.set_schedule(parameter_epochs(session), recipe.learning_rate_decay)
        self._has_schedule = bool(recipe.unfreeze_schedule)
        self._by_stage.setEnabled(bool(session.network.stages) and self._model.editable)
        self._show_columns(
            epochs=self._has_schedule or self._by_stage.isChecked(),
            rates=recipe.learning_rate_decay < 1,
        )
        self._show_unfreezing(epochs_until_unfrozen(session))

    def _show_unfreezing(self, epochs: int) -> None:
        """`epochs` is how many epochs the layers stay frozen; 0 for the whole run."""
        if self._has_schedule:
            text = tr("Ticked layers are frozen until the epoch beside them. Train:")
        elif not epochs:
            text = tr("Ticked layers are frozen: they keep their values. Train:")
        else:
            text = trn(
                "Ticked layers are frozen for {count} epoch, then all are fine-tuned. Train:",
                "Ticked layers are frozen for {count} epochs, then all are fine-tuned. Train:",
                epochs,
            )
        if text != self._explanation.text():
            self._explanation.setText(text)

    def _show_network(self, network: ModelDescribed) -> None:
        """Branches that are open stay so in a network with the same parameters."""
        names = tuple(parameter.name for parameter in network.parameters)
        opened = self._opened() if self._model.names == names else set()
        self._network = network
        self._model.show(network)
        for row in range(self._model.rowCount()):
            if self._model.index(row, 0).data() in opened:
                self._tree.expand(self._model.index(row, 0))
        self._show.setEnabled(True)
        self._by_stage.setEnabled(bool(network.stages))
        if not self._tree.isColumnHidden(EPOCH_COLUMN):
            self._reveal_stages()

    def _show_columns(self, *, epochs: bool, rates: bool) -> None:
        """Shows the columns that are used, and the stages that they are for."""
        self._by_stage.setChecked(epochs)
        hidden = {EPOCH_COLUMN: not epochs, RATE_COLUMN: not rates}
        changed = [c for c, hide in hidden.items() if self._tree.isColumnHidden(c) != hide]
        for column in changed:
            self._tree.setColumnHidden(column, hidden[column])
        if changed:
            self._fit()
        if any(not hidden[column] for column in changed):
            self._reveal_stages()

    def _reveal_stages(self) -> None:
        for row in self._model.stage_rows():
            above = row.parent()
            while above.isValid():
                self._tree.expand(above)
                above = above.parent()

    # --- how ------------------------------------------------------------------------------

    def _make_tree(self) -> LayerTree:
        tree = LayerTree()
        tree.setObjectName("layerTree")
        tree.setAccessibleName(tr("Layers; ticked ones are frozen"))
        tree.setModel(self._model)
        tree.setItemDelegateForColumn(0, _ShortNames(tree))
        tree.setUniformRowHeights(True)
        tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of stages end in numbers
        tree.setIndentation(11)
        tree.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        tree.setMinimumHeight(220)
        theme.style(tree, flat=True)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (EPOCH_COLUMN, RATE_COLUMN):
            tree.setColumnHidden(column, True)
        return tree

    def minimumSizeHint(self) -> QSize:
        """As wide as its buttons are one above the other, as they stand where it is narrow."""
        buttons = (*self._presets, self._by_stage, self._show)
        hint = super().minimumSizeHint()
        hint.setWidth(max(button.sizeHint().width() for button in buttons) + 2 * MARGIN)
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
        for column, text in WIDEST.items():
            self._tree.setColumnWidth(column, metrics.horizontalAdvance(text) + CELL)
        more = [c for c in (EPOCH_COLUMN, RATE_COLUMN) if not self._tree.isColumnHidden(c)]
        room = self.width() - 2 * MARGIN
        letters = room / metrics.averageCharWidth() - MORE_LETTERS * len(more)
        self._tree.setColumnHidden(SHAPE_COLUMN, letters < LETTERS)
        self._tree.setColumnHidden(SIZE_COLUMN, letters < LETTERS / 2)
        presets = sum(button.sizeHint().width() + 2 for button in self._presets)
        foot = 2 * self._by_stage.sizeHint().width()
        for row, needed in ((self._row, presets), (self._foot, foot)):
            narrow = needed > room
            row.setDirection(
                QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
            )
        self._keep_lines()

    def _keep_lines(self) -> None:
        """Has the count keep as many lines as it wraps into: a splitter, which asks for the least
        height without asking for which width, would take them from the buttons."""
        self._count.setMinimumHeight(0)  # else it would never ask for less again
        width = self.width() - 2 * MARGIN
        if self._foot.direction() == QBoxLayout.Direction.LeftToRight:
            width -= self._by_stage.sizeHint().width() + self._foot.spacing()
        self._count.setMinimumHeight(self._count.heightForWidth(width))

    def _opened(self) -> set[str]:
        rows = (self._model.index(row, 0) for row in range(self._model.rowCount()))
        return {str(row.data()) for row in rows if self._tree.isExpanded(row)}

    def _names_of(self, words: tuple[str, ...]) -> tuple[str, ...]:
        network = self._network
        if network is None:
            return ()
        return frozen_names(words, self._model.names, network.head, network.last_stage)

    @Slot()
    def _choose_preset(self) -> None:
        button = self.sender()
        assert isinstance(button, QPushButton)
        names = self._names_of(self._presets[button])
        if names != self._model.frozen:
            self.frozen_requested.emit(names)
        self._show_presets()  # a second click on the same one has unchecked it

    @Slot()
    def _ticked(self) -> None:
        self.frozen_requested.emit(self._model.frozen)

    @Slot(bool)
    def _toggle_stages(self, shown: bool) -> None:
        if not shown and self._has_schedule:
            self.schedule_cleared.emit()
        else:
            self._show_columns(epochs=shown, rates=not self._tree.isColumnHidden(RATE_COLUMN))

    def _show_presets(self) -> None:
        for button, words in self._presets.items():
            button.setEnabled(self._network is not None and self._model.editable)
            names = self._names_of(words)
            button.setChecked(self._network is not None and names == self._model.frozen)

    def _show_state(self, problem: str = "") -> None:
        self._show_presets()
        if self._network is not None:
            counts = {"trainable": f"{self._model.trainable:,}", "all": f"{self._model.size:,}"}
            self._count.setText(tr("{trainable} of {all} parameters trainable", **counts))
            share = self._model.trainable / max(self._model.size, 1)
            self.show_summary(tr("{share} trainable", share=percent(share)))
        else:
            self._count.setText(tr("The layers of the chosen network appear here."))
        self._keep_lines()
        self._error.setText(problem)
        self._error.setVisible(bool(problem))
        if problem:  # a hidden reason would be a riddle
            self.fold(False)

    @Slot(object)
    def _repaint(self, colors: Theme) -> None:
        self._tree.viewport().update()
