"""The room between widgets, larger or smaller with the zoom of the interface."""

from PySide6.QtWidgets import QBoxLayout, QFormLayout, QGridLayout, QLayout, QWidget

_BASE = "unzoomed"
"""The property in which a layout keeps its spacing and margins at 100%, and those that it was
given last: where others have set new ones since, these are its base."""


def zoom_layouts(window: QWidget, percent: int) -> None:
    """Sets spacing and margins of all layouts in a window to `percent` of what they were made
    with."""
    for layout in window.findChildren(QLayout):
        if isinstance(layout, QBoxLayout | QFormLayout | QGridLayout):
            _zoom(layout, percent)


def _zoom(layout: QLayout, percent: int) -> None:
    now = _measures(layout)
    base, given = layout.property(_BASE) or (now, now)
    if now != list(given):
        base = now
    given = [round(each * percent / 100) if each > 0 else each for each in base]
    layout.setProperty(_BASE, [base, given])
    spacing, *margins = given
    if spacing >= 0:  # else its columns and rows have different ones
        layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)


def _measures(layout: QLayout) -> list[int]:
    margins = layout.contentsMargins()
    sides = margins.left(), margins.top(), margins.right(), margins.bottom()
    return [layout.spacing(), *sides]
