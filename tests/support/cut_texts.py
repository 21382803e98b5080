"""Texts of a window that are not seen whole."""

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QPushButton, QRadioButton, QWidget

from flowergui.desktop.widgets.labels import (
    ElidedCheckBox,
    ElidedLabel,
    OptionalLabel,
    QuietButton,
)

SLACK_PX = 1
"""Pixels that rounding may take."""


def cut_texts(window: QWidget) -> list[str]:
    """Labels and buttons whose text has no room, or lies outside of what they are in. Labels that
    may be shortened are left out: they end in "…", and have a tooltip."""
    found = []
    for each in window.findChildren(QWidget):
        if not each.isVisible() or each.window() is not window:
            continue
        if isinstance(each, QLabel) and each.text() and each.pixmap().isNull():
            problem = _label_problem(each)
        elif isinstance(each, QAbstractButton) and each.text():
            problem = _button_problem(each)
        else:
            continue
        if problem := problem or _hidden_part(each):
            found.append(f"{type(each).__name__} {each.objectName()} {each.text()!r}: {problem}")
    return found


def _label_problem(label: QLabel) -> str:
    if isinstance(label, OptionalLabel):
        return ""
    room = label.contentsRect()
    if isinstance(label, ElidedLabel):
        needed = label.fontMetrics().height()
        return f"{room.height()} of {needed} px high" if room.height() < needed - SLACK_PX else ""
    if label.wordWrap():
        needed = label.heightForWidth(label.width())
        return f"{label.height()} of {needed} px high" if label.height() < needed - SLACK_PX else ""
    needed = label.sizeHint()
    if label.width() < needed.width() - SLACK_PX:
        return f"{label.width()} of {needed.width()} px wide"
    if label.height() < label.fontMetrics().height() - SLACK_PX:
        return f"{label.height()} px high"
    return ""


def _button_problem(button: QAbstractButton) -> str:
    if isinstance(button, QuietButton):
        shown = button.shown_text()
        return "" if shown in button.texts else f"shows {shown!r}"
    if isinstance(button, ElidedCheckBox):
        return "" if button.shown_text() == button.text() else f"shows {button.shown_text()!r}"
    if not isinstance(button, QPushButton | QCheckBox | QRadioButton):
        return ""
    metrics = button.fontMetrics()
    text = metrics.size(Qt.TextFlag.TextShowMnemonic.value, button.text())
    if button.width() < text.width() - SLACK_PX or button.height() < text.height() - SLACK_PX:
        return f"{button.width()}x{button.height()} of {text.width()}x{text.height()} px"
    return ""


def _hidden_part(widget: QWidget) -> str:
    """What its parents cut off; what can be scrolled to is not cut."""
    area = widget.rect()
    at: QWidget = widget
    while at.parentWidget() is not None and at is not widget.window():
        place, at = QPoint(at.pos()), at.parentWidget()
        area = area.translated(place)
        if at.objectName() == "qt_scrollarea_viewport":
            return ""
        if not at.rect().adjusted(-2, -2, 2, 2).contains(QRect(area)):
            return f"outside of {type(at).__name__} {at.objectName()}"
    return ""
