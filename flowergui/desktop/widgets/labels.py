"""The small texts in every panel: labels that wrap or are shortened, quiet buttons, tooltips."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolTip,
    QWidget,
)

from flowergui.desktop.style import theme


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


def reserve_lines(label: QWidget, lines: int) -> None:
    """Keeps room for so many lines of text in a label, or in a page of some, so that nothing around
    it moves when its text grows to that."""
    label.ensurePolished()  # the stylesheet sets its font
    label.setMinimumHeight(lines * label.fontMetrics().lineSpacing())


class ElidedLabel(QLabel):
    """A label of one line that never asks for width: what it has no room for becomes "…", where
    `mode` says, unless one of the `shorter` texts fits, the first that does. `text` is the whole
    of it, and the first line of its tooltip while it is shortened."""

    def __init__(
        self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._shorter: tuple[str, ...] = ()
        self.setTextFormat(Qt.TextFormat.PlainText)  # file and class names may hold anything
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_shorter(self, texts: Sequence[str]) -> None:
        """What to show where the text has no room, the longest first."""
        self._shorter = tuple(texts)

    def shown_text(self) -> str:
        """What there is room for."""
        room, metrics = self.contentsRect().width(), self.fontMetrics()
        texts = (self.text(), *self._shorter)
        for text in texts:
            if metrics.horizontalAdvance(text) <= room:
                return text
        return metrics.elidedText(texts[-1], self._mode, room)

    def shown_tip(self) -> str:
        """Its tooltip, after the whole text where that is shortened."""
        text, tip = self.text(), self.toolTip()
        if self.shown_text() == text or tip.startswith(text):
            return tip
        if tip.startswith("<"):
            return f"<span>{escape(text)}</span><br>{tip}"
        return escape_tooltip("\n".join(filter(None, (text, tip))))

    def event(self, event: QEvent) -> bool:
        is_asked_for = event.type() == QEvent.Type.ToolTip
        if isinstance(event, QHelpEvent) and is_asked_for and (tip := self.shown_tip()):
            QToolTip.showText(event.globalPos(), tip, self)  # else that of what it is in
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        area, shown = self.contentsRect(), self.shown_text()
        painter = QPainter(self)
        role = self.foregroundRole()
        where = int(self.alignment())
        self.style().drawItemText(
            painter, area, where, self.palette(), self.isEnabled(), shown, role
        )
        painter.end()


class OptionalLabel(QLabel):
    """A label of one line that is seen whole or not at all: it asks for no width."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.width() >= self.sizeHint().width():
            super().paintEvent(event)


class ElidedCheckBox(QCheckBox):
    """A check box that never asks for the width of its text, which ends in "…" where it lacks
    room."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, self.sizePolicy().verticalPolicy())

    def shown_text(self) -> str:
        """What there is room for."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        element = QStyle.SubElement.SE_CheckBoxContents
        room = self.style().subElementRect(element, option, self).width()
        flags = Qt.TextFlag.TextShowMnemonic.value
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room, flags)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.shown_text()
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_CheckBox, option)
        painter.end()


ARROW = "▸"
"""Ends the text of a button that leads to more."""


class QuietButton(QPushButton):
    """A button whose text may end in an arrow, which screen readers would spell out. Where it is
    given less room than it asks for, its text becomes shorter and ends in "…"."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._least_width: int | None = None
        self._shorter = ""
        self.setText(text)

    def shorten_to(self, width: int) -> None:
        """Lets the button become as narrow as this, in pixels."""
        self._least_width = width
        self.setSizePolicy(QSizePolicy.Policy.Preferred, self.sizePolicy().verticalPolicy())

    def set_shorter(self, text: str) -> None:
        """What is shown instead where the whole text has no room."""
        self._shorter = text
        self.setSizePolicy(QSizePolicy.Policy.Preferred, self.sizePolicy().verticalPolicy())
        self.updateGeometry()

    @property
    def texts(self) -> tuple[str, ...]:
        """The text, and what stands for it where it has no room."""
        return (self.text(), self._shorter) if self._shorter else (self.text(),)

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        if self._shorter:
            least.setWidth(self._frame_width() + self._advance(self._shorter))
        if self._least_width is not None:
            least.setWidth(min(least.width(), self._least_width))
        return least

    def shown_text(self) -> str:
        """What there is room for."""
        room = max(0, self.width() - self._frame_width())
        for text in self.texts:
            if self._advance(text) <= room:
                return text
        return self.fontMetrics().elidedText(self.texts[-1], Qt.TextElideMode.ElideRight, room)

    def _frame_width(self) -> int:
        return self.sizeHint().width() - self._advance(self.text())

    def _advance(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.shown_text()
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.end()

    def setText(self, text: str) -> None:
        super().setText(text)
        if ARROW in text:
            self.setAccessibleName(text.removesuffix(ARROW).rstrip())


def quiet_button(text: str, name: str, *, flush: bool = False) -> QuietButton:
    """A small, secondary button; `flush` with the text above and below it."""
    button = QuietButton(text)
    button.setObjectName(name)
    button.setAutoDefault(False)  # in a dialog, Return is not for it
    theme.style(button, role="quiet", flush=flush)
    return button


def escape_tooltip(text: str) -> str:
    """A tooltip that shows `text` as it is: class and file names may hold anything."""
    if "<" not in text:  # Qt takes it for plain
        return text
    return "<span>{}</span>".format(escape(text).replace("\n", "<br>"))
