"""How long the window keeps its user waiting while resnet18 trains on real photos.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/event_loop.py [--seconds 60]

A timer of 5 ms in the real window; printed are the gaps between its ticks, in milliseconds. The
start of the run, where photos are decoded and the first batch is trained, is part of it.
"""

import argparse
import os
import time

from PySide6.QtWidgets import QComboBox, QPushButton, QWidget
from real_window import Gaps, shown, until


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--model", default="resnet18")
    wishes = parser.parse_args()
    with shown() as (window, _):

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
        gaps = Gaps()
        began = time.monotonic()
        start.click()
        until(lambda: time.monotonic() - began > wishes.seconds)
        waits = gaps.stop()
        batches = window._run.plot._batches.length
        stop.click()
        until(start.isEnabled)
    print(f"{wishes.seconds:g} s of {wishes.model}, {batches} batches; gaps in the window's events")
    for name, wait in waits.items():
        print(f"{name:8} {wait:7.1f} ms")


if __name__ == "__main__":
    main()
