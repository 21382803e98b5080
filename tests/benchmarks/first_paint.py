"""How long from launch to the window's first paint, and to its networks being ready.

    python tests/benchmarks/first_paint.py [--runs 7]

Each run is a fresh process of the real program. Prints medians in seconds. The first run, which
warms the file cache, does not count.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

CHILD = """
import sys, time
began = float(sys.argv[1])
from PySide6.QtCore import QEvent, QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QComboBox
from flowergui.desktop import app as program, main_window

QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[2])

class Watch(QObject):
    painted = False
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.painted:
            self.painted = True
            QTimer.singleShot(0, lambda: print("paint", time.time() - began, flush=True))
        return False

watch = Watch()
made = main_window.MainWindow

def make():
    window = made()
    window.centralWidget().installEventFilter(watch)
    box = window.findChild(QComboBox, "modelSelector")
    clock = QTimer(window)
    def look():
        if window._network.described is not None:
            clock.stop()
            print("ready", time.time() - began, flush=True)
            window.close()
    clock.timeout.connect(look)
    clock.start(20)
    return window

program.MainWindow = make
program.main(None)
"""


def measure(scratch: str) -> dict[str, float]:
    """Seconds to the first paint ("paint") and to a described network ("ready")."""
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(time.time()), scratch],
        capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "FLOWERGUI_MODELS": scratch},
    )  # fmt: skip
    return {name: float(value) for name, value in map(str.split, run.stdout.splitlines())}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    count = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        measure(scratch)
        times = [measure(scratch) for _ in range(count)]
    for name, meaning in (("paint", "first paint"), ("ready", "networks ready")):
        values = sorted(each[name] for each in times)
        print(
            f"{meaning:15} median {statistics.median(values):.2f} s"
            f"   ({values[0]:.2f} to {values[-1]:.2f}, {count} runs)"
        )


if __name__ == "__main__":
    main()
