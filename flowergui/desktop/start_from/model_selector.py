"""Which network: a searchable list of all architectures, by family."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFocusEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import Shiboken

from flowergui.config.recipe import DEFAULT_MODELS
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import WheelScrollsPanel
from flowergui.desktop.widgets.item_models import ModelIndex
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.facts import ModelFacts
from flowergui.text import fine_percent, megabytes, megaparameters, percent, tr

BEFORE = (DEFAULT_MODELS["transfer"], DEFAULT_MODELS["scratch"], "resnet50", "mynet")
"""What is offered until the catalogue is there."""

_FACTS = Qt.ItemDataRole.UserRole
_SEARCH = Qt.ItemDataRole.UserRole + 1


class ModelSelector(QWidget):
    """Shows the network of a new run and what is known of it; asks for another."""

    model_requested = Signal(str)
    """The user wants this network."""
    comparison_requested = Signal()
    """The user wants to know which network suits the open dataset."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelFacts, ...] | None = None
        self._typed = ""  # before the catalogue is there, a name that it may know
        self._box = _SearchBox()
        self._box.setObjectName("modelSelector")
        self._box.setAccessibleName(tr("Network"))
        self._box.setToolTip(tr("Choose a network, or type a part of its name."))
        self._box.chosen.connect(self._choose)
        self._box.unknown.connect(self._remember)
        self._caption = small_label()
        heading = QLabel(tr("Network"))
        heading.setBuddy(self._box)
        theme.style(heading, role="heading")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.addWidget(heading, 1)
        compare = quiet_button(tr("Compare networks…"), "compareNetworksButton", flush=True)
        compare.setToolTip(tr("Which of them suits your images? It takes seconds for each."))
        compare.clicked.connect(self.comparison_requested)
        row.addWidget(compare)
        column.addLayout(row)
        column.addWidget(self._box)
        column.addWidget(self._caption)

    def show_models(self, models: tuple[ModelFacts, ...], model: str) -> None:
        """Offers these networks, () while they are not known yet, and shows the chosen one."""
        if models != self._models:
            self._models = models
            self._box.fill(_rows(models), families=bool(models))
        self._box.show_chosen(model)
        self._show_facts(next((each for each in models if each.name == model), None))
        if models and self._typed:
            typed, self._typed = self._typed, ""
            self._box.choose(typed)

    def _show_facts(self, facts: ModelFacts | None) -> None:
        if not self._models:
            self._caption.setText(tr("Loading the catalogue of networks…"))
        elif facts:
            self._caption.setText(_caption(facts))
            self._caption.setToolTip(
                tr(
                    "Its size, the image size that suits it, and how accurate its best "
                    "weights are on ImageNet's 1,000 classes."
                )
            )

    @Slot(str)
    def _choose(self, name: str) -> None:
        self._typed = ""
        self.model_requested.emit(name)

    @Slot(str)
    def _remember(self, name: str) -> None:
        if not self._models:
            self._typed = name


def _rows(models: tuple[ModelFacts, ...]) -> list[tuple[str, ModelFacts | None]]:
    """The networks: first those whose weights are on this machine, then each family. Headings have
    no facts."""
    if not models:
        return [(name, None) for name in BEFORE]
    rows: list[tuple[str, ModelFacts | None]] = []
    here = [facts for facts in models if facts.local]
    if here:
        rows = [(tr("On this machine"), None), *((facts.name, facts) for facts in here)]
    family = None
    for facts in models:
        if facts.local:
            continue
        if facts.family != family:
            family = facts.family
            rows.append((family, None))
        rows.append((facts.name, facts))
    return rows


class _SearchBox(WheelScrollsPanel, QComboBox):
    """A combo box to type a part of a name into. Families are headings that can't be chosen."""

    chosen = Signal(str)
    unknown = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.setMaxVisibleItems(16)
        line = _SearchLine()
        line.editingFinished.connect(self._settle)
        self.setLineEdit(line)
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        completer = QCompleter(self._items, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionRole(_SEARCH)
        completer.setMaxVisibleItems(12)
        self.setCompleter(completer)
        delegate = _ModelDelegate(self)
        self.setItemDelegate(delegate)
        with self._found() as found:
            found.setItemDelegate(delegate)
        self.editTextChanged.connect(self._look_up)
        self.currentIndexChanged.connect(self._tell)

    @contextmanager
    def _found(self) -> Iterator[QAbstractItemView]:
        """The list of found networks, which belongs to the completer alone.

        Python forgets it at once. It is not told when the completer deletes the list: what it kept
        would stand for whatever is at that address then, and could delete that.
        """
        completer = self.completer()
        assert completer is not None
        view = completer.popup()
        assert view is not None
        try:
            yield view
        finally:
            Shiboken.invalidate(view)

    def fill(self, rows: list[tuple[str, ModelFacts | None]], *, families: bool = False) -> None:
        """Offers these instead of those before. With `families`, rows without facts are
        headings. What is chosen stays, where it is still offered."""
        before = self.currentText()
        self.blockSignals(True)
        self._items.clear()
        for name, facts in rows:
            item = QStandardItem(name)
            if families and facts is None:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            else:
                item.setData(name, _SEARCH)
                item.setData(facts, _FACTS)
            item.setEditable(False)
            self._items.appendRow(item)
        row = self._row(before)
        self.setCurrentIndex(row if row >= 0 else self._row(BEFORE[0]))
        self.blockSignals(False)
        widest = max(self.fontMetrics().horizontalAdvance(name) for name, _ in rows)
        beside = self.fontMetrics().horizontalAdvance("000.0 M   000 px   00.0%   0,000 MB")
        with self._found() as found:
            for view in (self.view(), found):
                view.setMinimumWidth(widest + beside * families + 70)

    def show_chosen(self, name: str) -> None:
        """Shows the chosen network, also one that is not offered yet."""
        row = self._row(name)
        if row < 0:
            item = QStandardItem(name)
            item.setData(name, _SEARCH)
            item.setEditable(False)
            self._items.appendRow(item)
            row = self._items.rowCount() - 1
        if row != self.currentIndex():
            self.blockSignals(True)
            self.setCurrentIndex(row)
            self.blockSignals(False)

    def choose(self, name: str) -> bool:
        """Chooses a network; says whether it is offered."""
        row = self._row(name)
        if row >= 0:
            self.setCurrentIndex(row)
        return row >= 0

    def _row(self, name: str) -> int:
        matches = self._items.findItems(name, Qt.MatchFlag.MatchExactly) if name else []
        return next((m.row() for m in matches if m.isEnabled()), -1)

    @Slot(str)
    def _look_up(self, text: str) -> None:
        if not self.choose(text):
            self.unknown.emit(text)

    @Slot()
    def _tell(self) -> None:
        if item := self._items.item(self.currentIndex()):
            self.chosen.emit(item.text())

    @Slot()
    def _settle(self) -> None:
        """Half a name is no network: shows the chosen one again."""
        with self._found() as found:
            is_open = found.isVisible()
        if self.currentIndex() >= 0 and not is_open:
            self.setEditText(self.itemText(self.currentIndex()))


class _SearchLine(QLineEdit):
    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(False)  # the window opens what is dropped

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # After the click that gave the focus, which would place the cursor: typing replaces.
        if event.reason() == Qt.FocusReason.MouseFocusReason:
            QTimer.singleShot(0, self.selectAll)


class _ModelDelegate(QStyledItemDelegate):
    """A name, and what is known of it in muted words; headings for families."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(120, option.fontMetrics.height() + theme.SPACE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        look = theme.current()
        name = str(index.data(Qt.ItemDataRole.DisplayRole))
        area = QRectF(option.rect).adjusted(10, 0, -10, 0)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.save()
        if not index.flags() & Qt.ItemFlag.ItemIsEnabled:
            font = painter.font()
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(look.color("accent"))
            painter.drawText(area, middle, name)
        else:
            option.widget.style().drawPrimitive(
                QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
            )
            if option.state & QStyle.StateFlag.State_Selected:
                painter.fillRect(option.rect, look.color("accent_soft"))
            painter.setPen(look.color("text"))
            painter.drawText(area.adjusted(8, 0, 0, 0), middle, name)
            facts: ModelFacts | None = index.data(_FACTS)
            if facts:
                self._paint_facts(painter, option, area, facts)
        painter.restore()

    def _paint_facts(
        self, painter: QPainter, option: QStyleOptionViewItem, area: QRectF, facts: ModelFacts
    ) -> None:
        """Four columns from the right: download, accuracy, input size, parameters."""
        painter.setPen(theme.current().color("muted"))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        accuracy = fine_percent(facts.weights[0].accuracy) if facts.weights else "–"
        download = megabytes(facts.weights[0].megabytes) if facts.weights else ""
        edge = area.right()
        for text, widest in (
            ("" if facts.local else download, "0,000 MB"),
            (accuracy, "00.0%"),
            (f"{facts.image_size} px", "000 px"),
            (megaparameters(facts.parameters), "000.0 M"),
        ):
            painter.drawText(
                QRectF(area.left(), area.top(), edge - area.left(), area.height()), right, text
            )
            edge -= option.fontMetrics.horizontalAdvance(widest) + 12


def _caption(facts: ModelFacts) -> str:
    """11.7 M parameters, 224 px, ImageNet 70%"""
    values = {"size": megaparameters(facts.parameters), "side": facts.image_size}
    if not facts.weights:
        return tr("{size} parameters, {side} px, no ImageNet weights", **values)
    accuracy = percent(facts.weights[0].accuracy)
    return tr("{size} parameters, {side} px, ImageNet {accuracy}", accuracy=accuracy, **values)
