"""What keyboards and screen readers find in a window."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

NAMELESS_ROLES = (QAccessible.Role.NoRole, QAccessible.Role.Client, QAccessible.Role.Border)
"""Roles that tell a screen reader nothing of what a widget is for."""
SIGNS = "▸▾›‹✕▴"
LEAST_CONTRAST = 3.0
"""Of a focus indicator against what was there before (WCAG 1.4.11 and 2.4.13)."""
LEAST_PIXELS = 24
"""Pixels of a window that the focus has to change so much; a caret alone has fewer."""


def focusable(window: QWidget) -> list[QWidget]:
    """The widgets of a window that are seen and can have the focus, each once."""
    return [
        each
        for each in (window, *window.findChildren(QWidget))
        if each.window() is window
        and each.isVisible()
        and each.isEnabled()
        and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and each.focusProxy() is None
        and not (isinstance(each, QLabel) and not each.text())
    ]


def text(widget: QWidget, what: QAccessible.Text = QAccessible.Text.Name) -> str:
    """What a screen reader says of a widget."""
    return QAccessible.queryAccessibleInterface(widget).text(what)


def role(widget: QWidget) -> QAccessible.Role:
    """What a screen reader takes a widget for."""
    return QAccessible.queryAccessibleInterface(widget).role()


def label(widget: QWidget) -> str:
    """Says in a failed test which widget it is."""
    kind = type(widget).__name__
    above = widget.parentWidget()
    place = f" in {type(above).__name__} {above.objectName()}" if above else ""
    return f"{kind} {widget.objectName()!r} {text(widget)!r}{place}"


def badly_named(window: QWidget) -> list[str]:
    """Widgets that take the focus, and whose name or role tells nobody what they are."""
    wrong = []
    for each in focusable(window):
        name = text(each)
        spoken = any(sign.isalnum() for sign in name) and not set(name) & set(SIGNS)
        if not spoken or role(each) in NAMELESS_ROLES:
            wrong.append(f"{label(each)}: {role(each).name}")
        if "<" in (more := text(each, QAccessible.Text.Description)):  # the marks of a tooltip
            wrong.append(f"{label(each)}: {more}")
    return wrong


def tab_stops(window: QWidget) -> Iterator[QWidget]:
    """Where the Tab key leads, from the first stop on, until it comes around."""
    first = window.focusWidget()
    if first is not None:
        first.clearFocus()
    seen: list[QWidget] = []
    for _ in range(4 * len(focusable(window)) + 8):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is None or now in seen:
            continue
        seen.append(now)
        yield now


def not_reached(window: QWidget) -> list[str]:
    """Widgets that neither Tab nor, in a choice of several, an arrow key reaches."""
    reached = set(tab_stops(window))
    groups = {
        each.group() for each in reached if isinstance(each, QAbstractButton) and each.group()
    }
    return [
        label(each)
        for each in focusable(window)
        if each not in reached
        and not (isinstance(each, QAbstractButton) and each.group() in groups)
    ]


def contrast(one: QColor, other: QColor) -> float:
    """The contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: QColor) -> float:
    channels = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def without_visible_focus(window: QWidget) -> list[str]:
    """Widgets that look the same, or nearly so, with the focus and without."""
    wrong = []
    for each in focusable(window):
        each.setFocus(Qt.FocusReason.TabFocusReason)
        focused = _picture(each)
        each.clearFocus()
        changed = _changed_pixels(focused, _picture(each))
        if changed < LEAST_PIXELS:
            wrong.append(f"{label(each)}: {changed} pixels")
    return wrong


def _picture(widget: QWidget) -> QImage:
    window = widget.window()
    area = widget.rect().translated(widget.mapTo(window, widget.rect().topLeft()))
    return window.grab(area.adjusted(-4, -4, 4, 4)).toImage()


def _changed_pixels(one: QImage, other: QImage) -> int:
    return sum(
        one.pixel(x, y) != other.pixel(x, y)
        and contrast(one.pixelColor(x, y), other.pixelColor(x, y)) >= LEAST_CONTRAST
        for x in range(min(one.width(), other.width()))
        for y in range(min(one.height(), other.height()))
    )
