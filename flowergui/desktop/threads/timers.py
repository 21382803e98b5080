"""Timers of controllers and widgets."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def single_shot_timer(
    parent: QObject, milliseconds: int, on_timeout: Callable[[], object]
) -> QTimer:
    """A timer that calls `on_timeout` once, `milliseconds` after its last `start()`.

    Started at each of many changes, it debounces them: `on_timeout` is called when they rest.
    """
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(on_timeout)
    return timer
