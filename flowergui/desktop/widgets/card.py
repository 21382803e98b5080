"""What every panel is made of: a card with a title, and the small labels in it."""

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
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

ModelIndex = QModelIndex | QPersistentModelIndex
"""What a Qt model is asked with."""
ROOT_INDEX = QModelIndex()
"""The invisible parent of a model's first level."""


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
            row.addWidget(button, 1)


def small_label(role: str = "caption", text: str = "") -> QLabel:
    """A label that wraps and never asks for width: a caption, or an error beside a field."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)  # file and class names may hold anything
    label.setWordWrap(True)
    label.setMinimumWidth(0)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)
    theme.style(label, role=role)
    return label


class ElidedLabel(QLabel):
    """A label of one line that never asks for width: what it has no room for becomes "…", where
    `mode` says. `text` is the whole of it."""

    def __init__(
        self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)  # file and class names may hold anything
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
        painter = QPainter(self)
        role = self.foregroundRole()
        where = int(self.alignment())
        self.style().drawItemText(
            painter, area, where, self.palette(), self.isEnabled(), shown, role
        )
        painter.end()


def quiet_button(text: str, name: str, *, flush: bool = False) -> QPushButton:
    """A small, secondary button; `flush` with the text above and below it."""
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAutoDefault(False)  # in a dialog, Return is not for it
    theme.style(button, role="quiet", flush=flush)
    return button


def escape_tooltip(text: str) -> str:
    """A tooltip that shows `text` as it is: class and file names may hold anything."""
    if "<" not in text:  # Qt takes it for plain
        return text
    return "<span>{}</span>".format(escape(text).replace("\n", "<br>"))


def paint_tile(painter: QPainter, where: QRectF, picture: QPixmap | None, name: str) -> None:
    """A small picture with round corners, cut to fill `where`; the first letter of `name`
    where there is no picture (yet)."""
    look = theme.current()
    shape = QPainterPath()
    shape.addRoundedRect(where, 5, 5)
    painter.save()
    painter.setRenderHints(
        QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
    )
    if picture is None or picture.isNull():
        painter.fillPath(shape, look.color("hover"))
        painter.setPen(look.color("muted"))
        painter.drawText(where, int(Qt.AlignmentFlag.AlignCenter), name[:1].upper())
    else:
        painter.setClipPath(shape)
        side = min(picture.width(), picture.height())
        middle = QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
        painter.drawPixmap(where, picture, middle)
    painter.restore()


def paint_flower(painter: QPainter, where: QRectF, petals: QColor, heart: QColor) -> None:
    """A line drawing of a flower with eight petals, for empty places."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(where.center())
    painter.scale(where.width() / 100, where.height() / 100)
    painter.setPen(QPen(petals, 3.5))
    for _ in range(8):
        painter.drawEllipse(QRectF(-11, -48, 22, 32))
        painter.rotate(45)
    painter.setPen(QPen(heart, 3.5))
    painter.drawEllipse(QRectF(-12, -12, 24, 24))
    painter.restore()
