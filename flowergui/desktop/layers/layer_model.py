"""The parameters of a network as a tree of modules, with checkboxes: ticked means frozen."""

from collections.abc import Iterable, Mapping
from typing import Any, overload

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal

from flowergui.desktop.layers.stage_schedule import NEVER, START, stage_epoch
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ModelIndex as Index
from flowergui.events import ModelDescribed
from flowergui.facts import StageFacts
from flowergui.text import N_, short_count, tr, trn

COLUMNS = (N_("Layer"), N_("Shape"), N_("Parameters"), N_("Trains from"), N_("Rate"))
SHAPE_COLUMN, SIZE_COLUMN, EPOCH_COLUMN, RATE_COLUMN = range(1, 5)
PATH_ROLE = Qt.ItemDataRole.UserRole
"""The full dotted name of a row's module or parameter."""
TO_THE_RIGHT = (SIZE_COLUMN, RATE_COLUMN)
"""Columns of numbers."""

Role = Qt.ItemDataRole


class Node:
    """A module (with children) or a parameter (without).

    `size` counts the numbers in it; `total` and `ticked` count the parameters below it, or itself.
    `stage` is the stage that it stands for, if it does.
    """

    __slots__ = ("children", "kind", "number", "parent", "row", "size", "stage", "text", "ticked",
                 "total")  # fmt: skip

    def __init__(self, number: int, text: str, kind: str, size: int, parent: "Node | None") -> None:
        self.number = number
        self.text = text
        self.kind = kind
        self.size = size
        self.parent = parent
        self.children: list[Node] = []
        self.row = 0
        self.total = 0
        self.ticked = 0
        self.stage: StageFacts | None = None
        if parent is not None:
            self.row = len(parent.children)
            parent.children.append(self)


class LayerModel(QAbstractItemModel):
    """Modules are branches with their own short name; parameters are leaves with their full
    dotted name, one for each entry of `named_parameters()`, in its order."""

    chosen = Signal()
    """A checkbox was changed through `setData`, by the user or a script; emitted once for each."""
    epoch_chosen = Signal(object, int)
    """A stage (StageFacts) shall train from this epoch on; see stage_schedule.py."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = Node(0, "", "", 0, None)
        # Indexes carry numbers, not nodes: one that a script kept of another network is harmless.
        self._nodes = [self._root]
        self._leaves: dict[str, Node] = {}
        self._stages: list[Node] = []
        self._epochs: Mapping[str, int] = {}
        self._decay = 1.0
        self.editable = True
        """Whether ticks and epochs may be changed."""

    # --- what it holds --------------------------------------------------------------------

    def show(self, described: ModelDescribed) -> None:
        """Shows another network; nothing is ticked."""
        self.beginResetModel()
        kinds = {module.name: module.kind for module in described.modules}
        self._nodes, self._leaves = [], {}
        self._root = root = self._add("", "", 0, None)
        modules = {"": root}
        for parameter in described.parameters:
            above = root
            parts = parameter.name.split(".")
            for depth, part in enumerate(parts[:-1], 1):
                path = ".".join(parts[:depth])
                if path not in modules:
                    modules[path] = self._add(part, kinds.get(path, ""), 0, above)
                above = modules[path]
            shape = "×".join(map(str, parameter.shape)) or tr("scalar")
            leaf = self._add(parameter.name, shape, parameter.size, above)
            self._leaves[parameter.name] = leaf
            leaf.total = 1
            for node in _upwards(above):
                node.total += 1
                node.size += parameter.size
        self._stages = []
        for stage in described.stages:
            for name in stage.modules:
                node = modules.get(name) or self._leaves[name]
                node.stage = stage
                self._stages.append(node)
        self.endResetModel()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters, in the network's order."""
        return tuple(self._leaves)

    @property
    def frozen(self) -> tuple[str, ...]:
        """The names of the frozen parameters, in the network's order."""
        return tuple(name for name, leaf in self._leaves.items() if leaf.ticked)

    @property
    def trainable(self) -> int:
        """How many numbers are trained."""
        return sum(leaf.size for leaf in self._leaves.values() if not leaf.ticked)

    @property
    def size(self) -> int:
        """How many numbers the network has."""
        return self._root.size

    def set_frozen(self, names: Iterable[str]) -> None:
        """Ticks exactly these parameters."""
        wanted = set(names)
        changed = [
            leaf for name, leaf in self._leaves.items() if bool(leaf.ticked) != (name in wanted)
        ]
        self._toggle(changed)

    def set_schedule(self, epochs: Mapping[str, int], decay: float) -> None:
        """Shows from which epoch on each parameter (name) trains, and stages with learning rates
        that fall by `decay`."""
        if (epochs, decay) == (self._epochs, self._decay):
            return
        self._epochs, self._decay = epochs, decay
        for node in self._stages:
            first = self.createIndex(node.row, EPOCH_COLUMN, node.number)
            last = self.createIndex(node.row, RATE_COLUMN, node.number)
            self.dataChanged.emit(first, last, [Role.DisplayRole, Role.ForegroundRole])

    def stage_rows(self) -> list[QModelIndex]:
        """The rows that stand for stages, each as the index of its first column."""
        return [self.createIndex(node.row, 0, node.number) for node in self._stages]

    # --- what a view asks -----------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        node = self._node(parent)
        if 0 <= row < len(node.children) and 0 <= column < len(COLUMNS):
            return self.createIndex(row, column, node.children[row].number)
        return QModelIndex()

    @overload
    def parent(self) -> QObject | None: ...

    @overload
    def parent(self, index: Index) -> QModelIndex: ...

    def parent(self, index: Index | None = None) -> QObject | QModelIndex | None:
        if index is None:
            return super().parent()
        above = self._node(index).parent if index.isValid() else None
        if above is None or above is self._root:
            return QModelIndex()
        return self.createIndex(above.row, 0, above.number)

    def rowCount(self, parent: Index | None = None) -> int:
        if parent is not None and parent.column() > 0:
            return 0
        return len(self._node(parent).children)

    def columnCount(self, parent: Index | None = None) -> int:
        return len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return tr(COLUMNS[section])
        if role == Role.ToolTipRole and section == RATE_COLUMN:
            return tr("The learning rate of a stage, as a multiple of that of the head.")
        if role == Role.TextAlignmentRole and section in TO_THE_RIGHT:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not self.editable:
            return flags
        if index.column() == EPOCH_COLUMN and self._node(index).stage is not None:
            return flags | Qt.ItemFlag.ItemIsEditable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node, column = self._node(index), index.column()
        if role == Role.DisplayRole:
            return self._text(node, column)
        if role == Role.EditRole and column == EPOCH_COLUMN and node.stage is not None:
            epoch = stage_epoch(node.stage, self._epochs)
            return NEVER if epoch is None else epoch
        if role == Role.CheckStateRole and column == 0:
            return check_state(node)
        if role == PATH_ROLE:
            return path_of(node)
        if role == Role.ForegroundRole and column == EPOCH_COLUMN:
            return theme.current().color("accent")  # like a link: a click changes it
        if role == Role.ForegroundRole and (column > 0 or node.ticked == node.total):
            return theme.current().color("muted")
        if role == Role.TextAlignmentRole and column in TO_THE_RIGHT:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Role.ToolTipRole:
            if column == EPOCH_COLUMN and node.stage is not None:
                return tr("From which epoch on it trains. Click here, or press F2, to change it.")
            return _tooltip(node)
        return None

    def _text(self, node: Node, column: int) -> str:
        if column < EPOCH_COLUMN:
            return (node.text, node.kind, short_count(node.size))[column]
        if node.stage is None:
            return ""
        if column == EPOCH_COLUMN:
            epoch = stage_epoch(node.stage, self._epochs)
            return tr("mixed") if epoch is None else epoch_text(epoch)
        return tr("× {factor}", factor=f"{node.stage.learning_rate_factor(self._decay):.2g}")

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        if not self.editable:
            return False
        stage = self._node(index).stage
        if role == Role.EditRole and index.column() == EPOCH_COLUMN and stage is not None:
            if int(value) != stage_epoch(stage, self._epochs):
                self.epoch_chosen.emit(stage, int(value))
            return True
        if role != Role.CheckStateRole or not index.isValid() or index.column() != 0:
            return False
        freeze = Qt.CheckState(value) == Qt.CheckState.Checked
        changed = [leaf for leaf in _leaves_of(self._node(index)) if bool(leaf.ticked) != freeze]
        if changed:
            self._toggle(changed)
            self.chosen.emit()
        return True

    # --- how ------------------------------------------------------------------------------

    def _node(self, index: Index | None) -> Node:
        if index is None or not index.isValid():
            return self._root
        number = index.internalId()
        return self._nodes[number] if number < len(self._nodes) else self._root

    def _add(self, text: str, kind: str, size: int, parent: Node | None) -> Node:
        node = Node(len(self._nodes), text, kind, size, parent)
        self._nodes.append(node)
        return node

    def _toggle(self, leaves: list[Node]) -> None:
        parents: set[Node] = set()
        for leaf in leaves:
            step = -1 if leaf.ticked else 1
            leaf.ticked += step
            assert leaf.parent is not None
            for node in _upwards(leaf.parent):
                node.ticked += step
                parents.add(node)
        # One signal for each module whose children changed, not one for each parameter.
        for above in parents:
            rows = len(above.children) - 1
            first = self.createIndex(0, 0, above.children[0].number)
            number = above.children[rows].number
            last = self.createIndex(rows, len(COLUMNS) - 1, number)
            self.dataChanged.emit(first, last, [Role.CheckStateRole, Role.ForegroundRole])


def epoch_text(epoch: int) -> str:
    """From which epoch on a stage trains, in a word or two: start, epoch 3, never."""
    if epoch == NEVER:
        return tr("never")
    return tr("start") if epoch == START else tr("epoch {epoch}", epoch=f"{epoch:,}")


def check_state(node: Node) -> Qt.CheckState:
    """Ticked where everything below is frozen, half ticked where some of it is."""
    if node.ticked == 0:
        return Qt.CheckState.Unchecked
    return Qt.CheckState.Checked if node.ticked == node.total else Qt.CheckState.PartiallyChecked


def _tooltip(node: Node) -> str:
    if node.ticked == 0:
        state = tr("It is trained.")
    elif node.ticked == node.total:
        state = tr("It is frozen: training does not change it.")
    else:
        state = trn(
            "{frozen} of {count} tensor is frozen.",
            "{frozen} of {count} tensors are frozen.",
            node.total,
            frozen=f"{node.ticked:,}",
        )
    size = trn("{kind}, {count} number", "{kind}, {count} numbers", node.size, kind=node.kind)
    return f"{path_of(node)}\n{size}\n{state}"


def path_of(node: Node) -> str:
    """The full dotted name of a module or parameter."""
    if not node.children:
        return node.text
    names = [each.text for each in _upwards(node)]
    return ".".join(reversed(names[:-1]))


def _upwards(node: Node) -> Iterable[Node]:
    above: Node | None = node
    while above is not None:
        yield above
        above = above.parent


def _leaves_of(node: Node) -> Iterable[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves_of(child)
