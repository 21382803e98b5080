"""How long from launch to the window's first paint, to torch, and to a described network.

    python tests/benchmarks/first_paint.py [--runs 7]

Each run is a fresh process of the real program, and between two of them one imports torch and
torchvision and nothing else. Prints medians in seconds, the ratio of torch in the window to that
bare import (median of the pairs), and the longest gap in the window's events while torch is
imported. The first run, which warms the file cache, does not count.
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
import flowergui.__main__ as program

pause_gc = program.tuning.pause_gc_at_start

def begin():  # as the program does, and then in time to see its window come
    pause_gc()
    exec(WATCHING, globals())

WATCHING = '''
from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QComboBox
from flowergui.desktop import app, main_window

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
    clock, ticker = QTimer(window), QTimer(window)
    ticker.setTimerType(Qt.TimerType.PreciseTimer)
    global last, longest, told
    last, longest, told = None, 0.0, False
    def tick():
        global last, longest, told
        now = time.time()
        if last is None and watch.painted:
            ticker.setInterval(2)
        elif last is not None:
            longest = max(longest, now - last)
        if watch.painted:
            last = now
        if box.count() > 10 and not told:
            told = True
            print("torch", time.time() - began, flush=True)
    ticker.timeout.connect(tick)
    ticker.start(2)
    def look():
        if window.session.network is not None:
            clock.stop()
            print("ready", time.time() - began, flush=True)
            print("gap", longest, flush=True)
            window.close()
    clock.timeout.connect(look)
    clock.start(20)
    return window

app.MainWindow = make
'''
program.tuning.pause_gc_at_start = begin
sys.exit(program.main([]))
"""


def measure(scratch: str) -> dict[str, float]:
    """Seconds to the first paint ("paint"), to the catalogue of networks, for which torch and
    torchvision are imported ("torch"), and to a described network ("ready"), the longest "gap",
    and how long a "bare" import takes."""
    began = time.time()
    subprocess.run([sys.executable, "-c", "import torch, torchvision"], check=True)
    bare = time.time() - began
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(time.time()), scratch],
        capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "FLOWERGUI_MODELS": scratch},
    )  # fmt: skip
    told = {name: float(value) for name, value in map(str.split, run.stdout.splitlines())}
    return told | {"bare": bare}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    count = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        measure(scratch)
        times = [measure(scratch) for _ in range(count)]
    for name, meaning in (
        ("paint", "first paint"),
        ("torch", "torch there"),
        ("ready", "network described"),
        ("bare", "bare import"),
        ("gap", "longest gap"),
    ):
        values = sorted(each[name] for each in times)
        print(
            f"{meaning:18} median {statistics.median(values):.2f} s"
            f"   ({values[0]:.2f} to {values[-1]:.2f}, {count} runs)"
        )
    ratio = statistics.median(each["torch"] / each["bare"] for each in times)
    print(f"torch in the window / bare import: {ratio:.2f} (median of {count} pairs)")


if __name__ == "__main__":
    main()
