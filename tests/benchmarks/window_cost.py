"""What the window costs: the same run in it and without it, by turns.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/window_cost.py [--rounds 3]

- heavy: all layers of resnet18 at 224 px, one epoch.
- cached: the head of resnet18 on features that are kept, 400 epochs of some 20 ms; what the frozen
  layers take at first is not counted.

Each run has a process of its own. Printed are seconds and the share of the speed that the window
leaves (medians over the rounds), and in the window the gaps between ticks of a timer of 5 ms, the
longest one when the run ends and the window says what came of it, and how much memory grew, in MB,
over the run's later nine tenths.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, EpochDone, Finished
from flowergui.system import tuning

EPOCHS = {"heavy": 1, "cached": 400}
AFTER = 500
"""Milliseconds that the window is watched after the run has ended."""


def recipe_of(kind: str, scratch: Path) -> Recipe:
    """What is trained, with random weights where it starts from some."""
    folder = os.environ["FLOWERGUI_PHOTOS"]
    mode = "scratch" if kind == "heavy" else "transfer"
    plain = with_preset(Recipe(mode=mode, photos=folder, model="resnet18"), "tutorial")
    weights = "imagenet"
    if kind == "cached":
        import torch
        from torchvision.models import get_model

        weights = str(scratch / "weights.pth")
        torch.save(get_model("resnet18", weights=None).state_dict(), weights)
    return replace(plain, weights=weights, epochs=EPOCHS[kind], step_size=1000)


class Watch:
    """Notes, where a run is pulled, when what counts began and ended."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.began = self.ended = 0.0
        self.memory: list[float] = []

    def over(self, events: Iterator[Any]) -> Iterator[Any]:
        """The events as they are."""
        first = BatchDone if self.kind == "heavy" else EpochDone
        for event in events:
            if not self.began and isinstance(event, first):
                self.began = time.perf_counter()
            if isinstance(event, EpochDone) and event.epoch % (EPOCHS[self.kind] // 10 or 1) == 0:
                self.memory.append(resident())
            if isinstance(event, Finished):
                self.ended = time.perf_counter()
            yield event


def resident() -> float:
    """This process's memory in MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def without(recipe: Recipe, watch: Watch, models: Path) -> tuple[list[float], list[float]]:
    """As the command line does it."""
    for _ in watch.over(tasks.train(recipe, models=models)):
        pass
    return [], []


def within(recipe: Recipe, watch: Watch, models: Path) -> tuple[list[float], list[float]]:
    """In the window; the gaps between the timer's ticks, in milliseconds: while it trains, and at
    the end."""
    from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from flowergui.desktop.main_window import MainWindow
    from flowergui.desktop.style import theme

    os.environ["FLOWERGUI_MODELS"] = str(models)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(models))
    tuning.set_switch_interval()
    app = QApplication([])
    theme.apply(app)
    window = MainWindow()
    window.show()
    loop, gaps = QEventLoop(), [time.perf_counter()]
    ready = QTimer()
    ready.timeout.connect(lambda: loop.quit() if window.session.network else None)
    ready.start(50)
    loop.exec()
    ready.stop()
    ticks: tuple[list[float], list[float]] = ([], [])
    clock = QTimer()
    clock.setTimerType(Qt.TimerType.PreciseTimer)

    def tick() -> None:
        now = time.perf_counter()
        if watch.began:
            ticks[bool(watch.ended)].append(1000 * (now - gaps[-1]))
        gaps[-1] = now

    clock.timeout.connect(tick)
    clock.start(5)
    window.controllers.training.changed.connect(
        lambda state: QTimer.singleShot(AFTER, loop.quit) if state == "idle" else None
    )
    window.controllers.training.begin(lambda live: watch.over(tasks.train(recipe, live)))
    loop.exec()
    window.close()
    return ticks


def once(kind: str, where: str) -> None:
    """One run, told in JSON."""
    tuning.tune_malloc()  # as the program does first of all
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        watch = Watch(kind)
        run = within if where == "window" else without
        gaps, end = run(recipe_of(kind, scratch), watch, scratch / "models")
    grown = watch.memory[-1] - watch.memory[0] if watch.memory else 0.0
    seconds = watch.ended - watch.began
    print(json.dumps({"seconds": seconds, "gaps": sorted(gaps), "end": end, "grown": grown}))


def main() -> None:
    """Measures by turns and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=["heavy", "cached"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", choices=("window", "none"), help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.once:
        once(wishes.kinds[0], wishes.once)
        return
    for kind in wishes.kinds:
        shares, seconds, p99, longest, end, grown = [], [], [], [], [], []
        for _ in range(wishes.rounds):
            told = {}
            for where in ("none", "window"):
                command = [sys.executable, __file__, kind, "--once", where]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                told[where] = json.loads(out.splitlines()[-1])
            window = told["window"]
            seconds.append(told["none"]["seconds"])
            shares.append(told["none"]["seconds"] / window["seconds"])
            p99.append(window["gaps"][int(0.99 * len(window["gaps"]))])
            longest.append(window["gaps"][-1])
            end.append(max(window["end"]))
            grown.append(window["grown"])
        print(
            f"{kind}: {statistics.median(seconds):.1f} s without the window; in it "
            f"{statistics.median(shares):.3f} of the speed ({min(shares):.3f} to "
            f"{max(shares):.3f}); gaps p99 {statistics.median(p99):.1f} ms, longest "
            f"{statistics.median(longest):.1f} ms, at the end {statistics.median(end):.1f} ms; "
            f"memory grew by {statistics.median(grown):.0f} MB"
        )


if __name__ == "__main__":
    main()
