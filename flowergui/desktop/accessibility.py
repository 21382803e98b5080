"""What screen readers are told beyond what Qt tells them by itself: roles, what is folded, and
announcements."""

from collections.abc import Iterable

from PySide6.QtCore import QMetaObject, QObject, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleInterface,
    QAccessibleStateChangeEvent,
)
from PySide6.QtWidgets import QAccessibleWidget, QButtonGroup, QPushButton, QWidget

PRESS_ACTION = "Press"
"""QAccessibleActionInterface::pressAction(), which PySide6 has as a method of no class."""
ROLE = "accessibleRole"
PRESS = "accessiblePress"
"""The dynamic properties that hold what `set_role` was told."""


def set_role(widget: QWidget, role: QAccessible.Role, press: str = "") -> None:
    """Tells screen readers what a widget is that Qt takes for a frame: a chart, a message. `press`
    is the name of its slot that they can call, as Return does. The widget has to be of a class of
    ours: Qt answers for its own."""
    widget.setProperty(ROLE, role.value)
    widget.setProperty(PRESS, press)


def announce(widget: QWidget, text: str, *, urgent: bool = False) -> None:
    """Has screen readers say `text`, wherever the focus is. What is `urgent` interrupts them;
    "" is nothing to say."""
    if not text:
        return
    event = QAccessibleAnnouncementEvent(widget, text)
    politeness = QAccessible.AnnouncementPoliteness
    event.setPoliteness(politeness.Assertive if urgent else politeness.Polite)
    QAccessible.updateAccessibility(event)


def describe(widget: QWidget, text: str) -> None:
    """Sets the accessible description; where it is the same already, nobody is told."""
    if widget.accessibleDescription() != text:
        widget.setAccessibleDescription(text)


def radio_group(
    buttons: Iterable[QPushButton], parent: QObject, *, exclusive: bool = True
) -> QButtonGroup:
    """Makes checkable buttons one choice, which screen readers call radio buttons: one stop of the
    Tab key, and the arrow keys go on from there. Where it is not `exclusive`, none may be
    checked."""
    group = QButtonGroup(parent)
    group.setExclusive(exclusive)
    for button in buttons:
        button.setCheckable(True)
        button.setAutoExclusive(True)  # which gives it its role; the group decides what it does
        group.addButton(button)
    return group


class DisclosureButton(QPushButton):
    """Opens and closes what it is named after; an arrow before the name shows which. Screen
    readers hear the name, and "expanded" or "collapsed"."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.setCheckable(True)
        self.setAutoDefault(False)  # in a dialog, Return is not for it
        self.setAccessibleName(title)
        set_role(self, QAccessible.Role.Button, "click")
        self.toggled.connect(self._show)
        self._show(False)

    @Slot(bool)
    def _show(self, opened: bool) -> None:
        self.setText(f"{'▾' if opened else '▸'}  {self._title}")
        changed = QAccessible.State()
        changed.expanded = changed.collapsed = True
        QAccessible.updateAccessibility(QAccessibleStateChangeEvent(self, changed))


class _WidgetWithRole(QAccessibleWidget):
    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget, QAccessible.Role(widget.property(ROLE)))
        self._press = widget.property(PRESS)

    def actionNames(self) -> list[str]:
        return [*([PRESS_ACTION] if self._press else []), *super().actionNames()]

    def doAction(self, action: str) -> None:
        if action == PRESS_ACTION and self._press:
            QMetaObject.invokeMethod(self.object(), self._press)
        else:
            super().doAction(action)


class _Disclosure(_WidgetWithRole):
    """Not Qt's own for buttons, which calls what is checkable a check box."""

    def state(self) -> QAccessible.State:
        state, button = super().state(), self.object()
        opened = isinstance(button, DisclosureButton) and button.isChecked()
        state.expandable = True
        state.expanded, state.collapsed = opened, not opened
        return state


def _interface(name: str, widget: QObject) -> QAccessibleInterface | None:
    """Qt asks for each class `name` of a widget, the most derived first; None leaves it to Qt."""
    if isinstance(widget, DisclosureButton):
        return _Disclosure(widget)
    if isinstance(widget, QWidget) and widget.property(ROLE) is not None:
        return _WidgetWithRole(widget)
    return None


QAccessible.installFactory(_interface)
