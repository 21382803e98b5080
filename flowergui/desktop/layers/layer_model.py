"""The parameters of a network as a tree of modules, with checkboxes: ticked means frozen."""

from collections.abc import Iterable
from typing import Any, overload

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.item_models import ModelIndex as Index
from flowergui.events import ModelDescribed
from flowergui.text import N_, short_count, tr, trn

COLUMNS = (N_("Layer"), N_("Shape"), N_("Size"))

Role = Qt.ItemDataRole


class Node:
    """A module (with children) or a parameter (without).

    `size` counts the numbers in it; `total` and `ticked` count the parameters below it, or itself.
    """

    __slots__ = ("children", "kind", "number", "parent", "row", "size", "text", "ticked", "total")

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
        if parent is not None:
            self.row = len(parent.children)
            parent.children.append(self)


class LayerModel(QAbstractItemModel):
    """Modules are branches with their own short name; parameters are leaves with their full
    dotted name, one for each entry of `named_parameters()`, in its order."""

    chosen = Signal()
    """A checkbox was changed through `setData`, by the user or a script; emitted once for each."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = Node(0, "", "", 0, None)
        # Indexes carry numbers, not nodes: one that a script kept of another network is harmless.
        self._nodes = [self._root]
        self._leaves: dict[str, Node] = {}

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
        if role == Role.TextAlignmentRole and section == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node, column = self._node(index), index.column()
        if role == Role.DisplayRole:
            return (node.text, node.kind, short_count(node.size))[column]
        if role == Role.CheckStateRole and column == 0:
            return check_state(node)
        if role == Role.ForegroundRole and (column > 0 or node.ticked == node.total):
            return theme.current().color("muted")
        if role == Role.TextAlignmentRole and column == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Role.ToolTipRole:
            return _tooltip(node)
        return None

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
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
