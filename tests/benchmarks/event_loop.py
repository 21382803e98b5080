"""How long the window keeps its user waiting while resnet18 trains on real photos.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/event_loop.py [--seconds 60] [--points 200000]

A timer of 5 ms in the real window; printed are the gaps between its ticks, in milliseconds. The
start of the run, where photos are decoded and the first batch is trained, is part of it. The run
has told so many batches before, as one that is resumed: each of its four curves has as many points.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QComboBox, QPushButton, QWidget
from real_window import Gaps, shown, until

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.training.run_history import load_history, throttled
from flowergui.events import BatchDone, RunStarted
from flowergui.requests import LiveRequests


def gone_on_with(recipe: Recipe, live: LiveRequests, points: int) -> Iterator[Any]:
    """The events of a run that has told so many batches before."""
    for event in tasks.train(recipe, live):
        step = getattr(event, "step", None)
        yield event if step is None else replace(event, step=step + points)
        if isinstance(event, RunStarted):
            yield load_history(throttled(before(points, event.batches)))


def before(points: int, batches: int) -> Iterator[BatchDone]:
    for step in range(1, points + 1):
        loss = 2.0 / (1 + step / 1e5) + (step * 2654435761 % 1000) / 1000
        yield BatchDone(step // batches + 1, step % batches + 1, batches, step, loss, 0.5, 0.1, 32)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--points", type=int, default=200_000)
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
        scratch = find("modeScratch")
        assert isinstance(scratch, QPushButton)
        scratch.click()
        model = find("modelSelector")
        assert isinstance(model, QComboBox)
        model.setCurrentText(wishes.model)
        window.open_folder(os.environ["FLOWERGUI_PHOTOS"])
        until(start.isEnabled)
        gaps = Gaps()
        began = time.monotonic()
        recipe = window.session.recipe
        window.controllers.training.begin(lambda live: gone_on_with(recipe, live, wishes.points))
        until(lambda: time.monotonic() - began > wishes.seconds)
        waits = gaps.stop()
        points = window._panels.run.plot._batches.length
        stop.click()
        until(start.isEnabled)
    print(f"{wishes.seconds:g} s of {wishes.model}, {points:,} points in each curve at last,")
    print(f"{points - wishes.points} of them its own; gaps in the window's events")
    for name, wait in waits.items():
        print(f"{name:8} {wait:7.1f} ms")


if __name__ == "__main__":
    main()
