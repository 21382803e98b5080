"""What every panel is made of: a card with a title, and the segmented control."""

from collections.abc import Iterable

from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme


class Card(QFrame):
    """A surface. Panels add to `head`, the row of its title, and to `body` below it; without a
    title there is no `head`."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.style(self, card=True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(12, 10, 12, 12)
        self.body.setSpacing(theme.SPACE)
        if title:
            self.head = QHBoxLayout()
            self.head.setSpacing(theme.SPACE // 2)
            name = QLabel(title)
            theme.style(name, role="title")
            self.head.addWidget(name)
            self.head.addStretch(1)
            self.body.addLayout(self.head)


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
