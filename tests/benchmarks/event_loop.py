"""How long the window keeps its user waiting while resnet18 trains on real photos.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/event_loop.py [--seconds 60]

A timer of 5 ms in the real window; printed are the gaps between its ticks, in milliseconds. The
start of the run, where photos are decoded and the first batch is trained, is part of it.
"""

import argparse
import os
import tempfile
import time

from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget

from flowergui.desktop import theme
from flowergui.desktop.main_window import MainWindow


def until(holds) -> None:
    """Lets the window live until `holds()`."""
    loop, clock = QEventLoop(), QTimer()
    clock.timeout.connect(lambda: loop.quit() if holds() else None)
    clock.start(50)
    loop.exec()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--model", default="resnet18")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FLOWERGUI_MODELS"] = scratch
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        app = QApplication([])
        theme.apply(app)
        window = MainWindow()
        window.show()

        def find(name: str) -> QWidget:
            widget = window.findChild(QWidget, name)
            assert isinstance(widget, QWidget), name
            return widget

        start, stop = find("startButton"), find("stopButton")
        assert isinstance(start, QPushButton)
        assert isinstance(stop, QPushButton)
        model = find("modelSelector")
        assert isinstance(model, QComboBox)
        model.setCurrentText(wishes.model)
        window.open_folder(os.environ["FLOWERGUI_PHOTOS"])
        until(start.isEnabled)
        gaps: list[float] = []
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            gaps.append((now - last) * 1000)
            last = now

        clock = QTimer()
        clock.setTimerType(Qt.TimerType.PreciseTimer)
        clock.timeout.connect(tick)
        clock.start(5)
        began = time.monotonic()
        start.click()
        until(lambda: time.monotonic() - began > wishes.seconds)
        clock.stop()
        batches = window._run.plot._batches.length
        stop.click()
        until(start.isEnabled)
        window.close()
    gaps.sort()
    print(f"{len(gaps)} ticks over {wishes.seconds:g} s of {wishes.model}, {batches} batches")
    for name, share in (("median", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("longest", 1.0)):
        print(f"{name:8} {gaps[min(int(len(gaps) * share), len(gaps) - 1)]:7.1f} ms")


if __name__ == "__main__":
    main()
