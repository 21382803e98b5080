"""The real window for a benchmark, and how long it keeps its user waiting."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.style import theme


@contextmanager
def shown() -> Iterator[tuple[MainWindow, Path]]:
    """The window, without the user's settings and runs, and the folder that its runs go to."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FLOWERGUI_MODELS"] = scratch
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        app = QApplication.instance() or QApplication([])
        assert isinstance(app, QApplication)
        theme.apply(app)
        window = MainWindow()
        window.show()
        yield window, Path(scratch)
        window.close()


def until(holds: Callable[[], bool]) -> None:
    """Lets the window live until `holds()`, which is asked every 50 ms."""
    loop, clock = QEventLoop(), QTimer()
    clock.timeout.connect(lambda: loop.quit() if holds() else None)
    clock.start(50)
    loop.exec()


class Gaps:
    """Ticks every 5 ms of the window's thread from when it is made until `stop`."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._last = time.perf_counter()
        self._clock = QTimer()
        self._clock.setTimerType(Qt.TimerType.PreciseTimer)
        self._clock.timeout.connect(self._tick)
        self._clock.start(5)

    def stop(self) -> dict[str, float]:
        """Milliseconds by name: median, p99, p99.9, longest."""
        self._clock.stop()
        gaps = sorted(self._gaps)
        shares = {"median": 0.5, "p99": 0.99, "p99.9": 0.999, "longest": 1.0}
        return {
            name: gaps[min(int(len(gaps) * share), len(gaps) - 1)] for name, share in shares.items()
        }

    def _tick(self) -> None:
        now = time.perf_counter()
        self._gaps.append((now - self._last) * 1000)
        self._last = now
