"""The modules of a network with their output shapes, as a tree and as text to copy."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from wcwidth import ljust, rjust, width

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.windows import copy_and_close, resize_within_screen
from flowergui.events import ModelDescribed
from flowergui.facts import ModuleFacts
from flowergui.text import N_, tr

HEADERS = (N_("Module"), N_("Type"), N_("Output"), N_("Parameters"))


def shape_text(shape: tuple[int, ...] | None) -> str:
    """The shape of a tensor, as "64 × 56 × 56"; a dash if a module returns no single tensor."""
    return "–" if shape is None else " × ".join(map(str, shape)) or tr("scalar")


def network_text(described: ModelDescribed) -> str:
    """The modules as plain text in four columns."""
    rows = [tuple(tr(each) for each in HEADERS)]
    for module in described.modules:
        depth = module.name.count(".") + 1 if module.name else 0
        name = module.name.rpartition(".")[2] or described.model
        count = f"{module.parameters:,}"
        rows.append(("  " * depth + name, module.kind, shape_text(module.output), count))
    *widths, last = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join([*map(ljust, row[:3], widths), rjust(row[3], last)]) for row in rows]
    return "\n".join([_summary(described), "", *lines]) + "\n"


class NetworkDialog(QDialog):
    """Shows one network; it does not block the window."""

    def __init__(self, described: ModelDescribed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("networkDialog")
        self.setWindowTitle(tr("Network {model}", model=described.model))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._text = network_text(described)

        title = QLabel(described.model)
        summary = QLabel(_summary(described))
        summary.setWordWrap(True)
        theme.style(title, role="title")
        theme.style(summary, role="caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.SPACE] * 4)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(title)
        layout.addWidget(summary)
        self._tree = self._make_tree(described.modules, described.model)
        layout.addWidget(self._tree, 1)
        layout.addLayout(copy_and_close(self, "copyNetwork", self._copy))
        width = self.fontMetrics().averageCharWidth()
        resize_within_screen(self, width * 110, self.fontMetrics().height() * 34)
        theme.signals.changed.connect(self._recolor)
        self._recolor()

    def _make_tree(self, modules: tuple[ModuleFacts, ...], model: str) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setObjectName("networkTree")
        tree.setHeaderLabels([tr(each) for each in HEADERS])
        tree.setAccessibleName(tr("Modules of the network"))
        tree.setUniformRowHeights(True)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        tree.headerItem().setTextAlignment(3, right)
        items: dict[str, QTreeWidgetItem] = {}
        for module in modules:
            above, _, name = module.name.rpartition(".")
            texts = [
                name or model,
                module.kind,
                shape_text(module.output),
                f"{module.parameters:,}",
            ]
            item = QTreeWidgetItem(texts)
            item.setTextAlignment(3, right)
            items[module.name] = item
            if module.name and above in items:
                items[above].addChild(item)
            else:
                tree.addTopLevelItem(item)
        tree.expandToDepth(0)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return tree

    @Slot()
    def _recolor(self) -> None:
        muted = theme.current().color("muted")
        everywhere = Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive
        for item in self._tree.findItems("", everywhere):
            item.setForeground(1, muted)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)


def _summary(described: ModelDescribed) -> str:
    total = sum(parameter.size for parameter in described.parameters)
    size = described.image_size
    return tr(
        "{parameters} parameters; RGB images of {size} × {size} pixels; {classes} classes.",
        parameters=f"{total:,}",
        size=size,
        classes=f"{described.class_count:,}",
    )
