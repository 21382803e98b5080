"""Which photos are shown, and how: their group, their names, and what counts as unsure."""

from collections.abc import Iterator, Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.accessibility import radio_group
from flowergui.desktop.batch_prediction.photo_filter import ALL, Group, PhotoFilter, PhotoGroup
from flowergui.desktop.style import theme
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.widgets.card import Segments, WheelScrollsPanel, WrappingRow
from flowergui.desktop.widgets.labels import escape_tooltip
from flowergui.desktop.widgets.search_field import FilterField
from flowergui.facts import UNSURE_BELOW
from flowergui.text import percent, tr

DEBOUNCE_MS = 80
"""Milliseconds without another change after which the photos are filtered."""
GROUP_CHARACTERS = 14
"""How much of a group's name has room at least; the name of a class may be of any length."""
MIN_FIELD_LINES = 6
"""The width that the field for names and the slider have at least, in heights of a line."""
TEXT_MARGIN_PX = 3
"""Pixels at each side of the text of a combo box that styles leave free."""


class FilterBar(QWidget):
    """The controls of a PhotoFilter, and of which view is seen."""

    filter_changed = Signal(object)
    """The PhotoFilter that the user wants."""
    view_changed = Signal(int)
    """The view that the user wants: 0 is the grid, 1 the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: dict[Group, int] = {}
        self._changed = single_shot_timer(self, DEBOUNCE_MS, self._emit_filter)
        self._groups = _GroupBox()
        self._groups.setObjectName("photoGroup")
        self._groups.setAccessibleName(tr("Show"))
        self._groups.currentIndexChanged.connect(self._emit_filter)
        self._name = FilterField("photoNameFilter", tr("File name"))
        self._name.textChanged.connect(self._start_timer)
        self._threshold = _Slider(Qt.Orientation.Horizontal)
        self._threshold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._threshold.setObjectName("unsureBelow")
        self._threshold.setAccessibleName(tr("Unsure below, in percent"))
        self._threshold.setToolTip(
            tr("A prediction counts as unsure if its probability is lower than this.")
        )
        self._threshold.setRange(0, 100)
        self._threshold.setPageStep(10)
        self._threshold.setValue(round(100 * UNSURE_BELOW))
        self._threshold.valueChanged.connect(self._threshold_moved)
        self._threshold_text = QLabel()
        theme.tabular(self._threshold_text)
        self._lay_out()
        self._threshold_moved()
        self.show_counts({})

    def _lay_out(self) -> None:
        views = []
        for text, name in ((tr("Grid"), "gridButton"), (tr("Table"), "tableButton")):
            button = QPushButton(text)
            button.setObjectName(name)
            button.setAutoDefault(False)
            views.append(button)
        group = radio_group(views, self)
        for number, button in enumerate(views):
            group.setId(button, number)
        segments = Segments(views)
        segments.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        views[0].setChecked(True)
        group.idClicked.connect(self.view_changed)
        self._threshold_text.setMinimumWidth(
            self._threshold_text.fontMetrics().horizontalAdvance(_threshold_text(1.0))
        )
        line = self.fontMetrics().height()
        for widget in (self._name, self._threshold):
            widget.setMinimumWidth(MIN_FIELD_LINES * line)
        filters = QWidget()
        fields = QHBoxLayout(filters)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setSpacing(theme.SPACE)
        fields.addWidget(self._name, 1)
        fields.addSpacing(theme.SPACE)
        fields.addWidget(self._threshold_text)
        fields.addWidget(self._threshold, 1)
        row = WrappingRow(spacing=theme.SPACE, second_fills=True)
        row.add((segments, self._groups), (filters,))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(row)

    @property
    def filter(self) -> PhotoFilter:
        """What the user wants to see."""
        group: Group = self._groups.currentData() or ALL
        return PhotoFilter(group, self._name.text().strip(), self._threshold.value() / 100)

    def show_counts(self, counts: Mapping[Group, int]) -> None:
        """Says how many photos there are in each group. The chosen one stays, if it is there."""
        if counts == self._counts and self._groups.count():
            return
        self._counts = dict(counts)
        chosen = self.filter.group
        with QSignalBlocker(self._groups):
            self._groups.clear()
            for group, text in _entries(counts, chosen):
                self._groups.addItem(text, group)
                tip = escape_tooltip(text)
                self._groups.setItemData(self._groups.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
                if group == chosen:
                    self._groups.setCurrentIndex(self._groups.count() - 1)
        self._groups.setToolTip(escape_tooltip(self._groups.currentText()))

    @Slot()
    def _threshold_moved(self) -> None:
        self._threshold_text.setText(_threshold_text(self._threshold.value() / 100))
        self._start_timer()

    @Slot()
    def _start_timer(self) -> None:
        self._changed.start()

    @Slot()
    def _emit_filter(self) -> None:
        self._groups.setToolTip(escape_tooltip(self._groups.currentText()))
        self._changed.stop()
        self.filter_changed.emit(self.filter)


class _Slider(WheelScrollsPanel, QSlider):
    """Its value is set by dragging and by keys."""


class _GroupBox(WheelScrollsPanel, QComboBox):
    """Shortens a name in the middle where it has no room: the count stands at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(GROUP_CHARACTERS)

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        part, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(part, option, field, self).width() - 2 * TEXT_MARGIN_PX
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideMiddle, room
        )


def _threshold_text(share: float) -> str:
    return tr("Unsure below {probability}", probability=percent(share))


def _entries(counts: Mapping[Group, int], chosen: Group) -> Iterator[tuple[Group, str]]:
    """The groups to choose from, with their texts; the chosen one is there also if it is empty."""
    yield ALL, _entry(tr("All images"), sum(counts.values()))
    groups = {group: count for group, count in counts.items() if count or group == chosen}
    groups.setdefault(chosen, 0)
    for group in sorted(groups):
        kind, label = group
        match kind:
            case PhotoGroup.CLASS:
                yield group, _entry(label, groups[group])
            case PhotoGroup.UNSURE:
                yield group, _entry(tr("Unsure"), groups[group])
            case PhotoGroup.UNREADABLE:
                yield group, _entry(tr("Can't be read"), groups[group])
            case PhotoGroup.WAITING | PhotoGroup.ALL:
                pass


def _entry(name: str, count: int) -> str:
    return tr("{name} ({count})", name=name, count=f"{count:,}")
