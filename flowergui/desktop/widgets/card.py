"""What panels are made of: a card, one that folds, the segmented control, a row that wraps, and
editors over which the wheel scrolls."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSettings, QSize, Qt, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.accessibility import DisclosureButton
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import ElidedLabel

if TYPE_CHECKING:  # a mixin stands before the Qt class that it extends
    from PySide6.QtWidgets import QWidget as _Widget
else:
    _Widget = object

MARGIN = 12
"""Pixels between the card's edge and what is in it."""


class Card(QFrame):
    """A surface. Panels add to `head`, the row of its title, and to `body` below it; without a
    title there is no `head`."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.style(self, card=True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(MARGIN, MARGIN - 2, MARGIN, MARGIN)
        self.body.setSpacing(theme.SPACE)
        if title:
            self.head = QHBoxLayout()
            self.head.setSpacing(theme.SPACE // 2)
            name = QLabel(title)
            theme.style(name, role="title")
            self.head.addWidget(name)
            self.head.addStretch(1)
            self.body.addLayout(self.head)


class FoldingCard(QFrame):
    """A surface with a title. Panels add to `head`, the row of the title, and to `body` below it.

    Folded, only the title is seen, with a short summary of what is in the card. What the user has
    folded or opened stays so: `unfold` has no effect any more, and `save` remembers it.
    """

    def __init__(self, title: str, name: str, parent: QWidget | None = None) -> None:
        """`name` is the object name of the button, and the key in the settings."""
        super().__init__(parent)
        theme.style(self, card=True)
        self._by_hand = False
        self._button = DisclosureButton(title)
        self._button.setObjectName(name)
        theme.style(self._button, role="title")
        self._button.clicked.connect(self._folded_by_hand)
        self._in_brief = ElidedLabel()
        self._in_brief.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.style(self._in_brief, role="caption")
        self.head = QHBoxLayout()
        self.head.setSpacing(theme.SPACE // 2)
        self.head.addWidget(self._button)
        self.head.addWidget(self._in_brief, 1)
        self._inner = QWidget(self)
        self.body = QVBoxLayout(self._inner)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.SPACE)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(MARGIN, MARGIN - 2, MARGIN, MARGIN)
        rows.setSpacing(theme.SPACE)
        rows.addLayout(self.head)
        rows.addWidget(self._inner, 1)
        self.fold(False)

    @property
    def is_folded(self) -> bool:
        """Whether only the title is seen."""
        return not self._button.isChecked()

    def fold(self, folded: bool) -> None:
        """Folds the card, or opens it."""
        self._button.setChecked(not folded)
        self._inner.setVisible(not folded)
        self._in_brief.setVisible(folded)

    def unfold(self) -> None:
        """Opens the card as it has come to matter, unless the user has a will of his own."""
        if self.is_folded and not self._by_hand:
            self.fold(False)

    def show_summary(self, text: str) -> None:
        """What is in the card in a few words, seen while it is folded."""
        self._in_brief.setText(text)
        self._in_brief.setToolTip(text)

    def save(self, settings: QSettings) -> None:
        """Remembers whether it is folded, if the user has a will of his own."""
        if self._by_hand:
            settings.setValue(f"folded/{self._button.objectName()}", self.is_folded)

    def restore(self, settings: QSettings) -> None:
        """Folds the card or opens it as it was when `save` was called."""
        stored = settings.value(f"folded/{self._button.objectName()}")
        if stored in (True, False, "true", "false"):  # the file may hold anything
            self._by_hand = True
            self.fold(stored in (True, "true"))

    def reset(self) -> None:
        """Forgets whether the user has folded or opened the card."""
        self._by_hand = False

    @Slot()
    def _folded_by_hand(self) -> None:
        self._by_hand = True
        self.fold(self.is_folded)


class Segments(QFrame):
    """A segmented control: checkable neighbours in one frame."""

    def __init__(self, buttons: Iterable[QPushButton], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.style(self, card=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for button in buttons:
            button.setCheckable(True)
            # A narrow panel may cut a button; it may not make the window wider.
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(40)
            theme.style(button, role="segment")
            # Each is as wide as its text asks for, so that a narrow panel cuts none before all.
            row.addWidget(button, button.sizeHint().width())


class WrappingRow(QWidget):
    """Two groups of widgets: the second stands beside the first, and below it where there is no
    room for both."""

    def __init__(
        self,
        *,
        spacing: int,
        least_width: int = 0,
        apart: bool = True,
        fills: bool = False,
        second_fills: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """`spacing` is kept between all widgets. The row asks for the width of its widgets up to
        `least_width`, and for more only if one group has no room else; both in pixels. `apart`
        has the second group end at the right; `fills` has the last widget of the first group take
        the room that is left; `second_fills` that of the second group."""
        super().__init__(parent)
        self._apart, self._fills, self._second_fills = apart, fills, second_fills
        self._least_width = least_width
        self._groups = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._groups.setContentsMargins(0, 0, 0, 0)
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        self._groups.setSpacing(spacing)
        for group in (self._first, self._second):
            group.setSpacing(spacing)
        self._groups.addLayout(self._first, int(apart and not second_fills))
        self._groups.addLayout(self._second, int(second_fills or not apart))

    def add(self, first: Iterable[QWidget], second: Iterable[QWidget]) -> None:
        """Adds the widgets of the two groups; to be called once."""
        for widget in first:
            self._first.addWidget(widget)
        if self._fills:
            self._first.setStretch(self._first.count() - 1, 1)
        else:
            self._first.addStretch(1)
        if self._apart and not self._second_fills:
            self._second.addStretch(1)
        for widget in second:
            self._second.addWidget(widget)
        if self._second_fills:
            self._second.setStretch(self._second.count() - 1, 1)
        elif not self._apart:
            self._second.addStretch(1)

    @property
    def is_wrapped(self) -> bool:
        """Whether the second group stands below the first."""
        return self._groups.direction() == QBoxLayout.Direction.TopToBottom

    def minimumSizeHint(self) -> QSize:
        widest = max(group.minimumSize().width() for group in (self._first, self._second))
        width = max(widest, min(self._line_width(), self._least_width))
        return QSize(width, self._groups.minimumSize().height())

    def sizeHint(self) -> QSize:
        return QSize(self._line_width(), self._groups.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._arrange()
        return handled

    def _arrange(self) -> None:
        narrow = self.width() < self._line_width()
        self._groups.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )

    def _line_width(self) -> int:
        groups = self._first.minimumSize().width(), self._second.minimumSize().width()
        return sum(groups) + self._groups.spacing()


class WheelScrollsPanel(_Widget):
    """A mixin of editors: unless it has the focus, the wheel scrolls the panel, and does not change
    the value. To be used with a focus policy that the wheel does not give the focus by."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
