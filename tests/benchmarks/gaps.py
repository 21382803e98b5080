"""How long a window keeps its user waiting: the gaps between ticks of a timer."""

import time

from PySide6.QtCore import Qt, QTimer


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
