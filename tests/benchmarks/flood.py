"""A run that tells more than anybody can look at: what becomes of the window.

    python tests/benchmarks/flood.py [--batches 1000000] [--rate 50000]

A scripted run tells so many batches a second in the real window. Printed are how many points its
curves got, the gaps between ticks of a timer of 5 ms while it told them, what drawing all of them
takes at the end, and how much memory grew between the first tenth and the end.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication, QPushButton
from real_window import Gaps, shown, until

from flowergui.events import BatchDone, EpochDone, Finished, RunStarted

EPOCHS = 10


def memory() -> float:
    """Of this process, in MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def told(batches: int, rate: float, run: Path) -> Iterator[Any]:
    """The events of a run, at so many a second."""
    each = batches // EPOCHS
    yield RunStarted(
        str(run), "resnet18", "scratch", ("a", "b"), 32 * each, 32, 224, "cpu", "float32", EPOCHS,
        each, 1, 0, 0, 11_000_000, 11_000_000, (), False,
    )  # fmt: skip
    began, step = time.perf_counter(), 0
    for epoch in range(1, EPOCHS + 1):
        for batch in range(1, each + 1):
            step += 1
            loss = 2.0 / (1 + step / 1e5) + (step * 2654435761 % 1000) / 1000
            yield BatchDone(epoch, batch, each, step, loss, 0.5, 0.001, 32)
            if step % 500 == 0:
                time.sleep(max(began + step / rate - time.perf_counter(), 0))
        yield EpochDone(epoch, EPOCHS, step, 1.0, 0.5, 1.0, 0.5, 0.5, 1, 0.001, 1.0)
    print(f"told {step:,} batches in {time.perf_counter() - began:.1f} s")
    yield Finished(str(run), EPOCHS, 0.5, 1, 1.0)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=50_000)
    wishes = parser.parse_args()
    with shown() as (window, scratch):
        plot = window._panels.run.plot
        until(lambda: window.session.network is not None)
        rested = time.monotonic() + 3
        until(lambda: time.monotonic() > rested)
        gaps = Gaps()
        window.controllers.training.begin(
            lambda live: told(wishes.batches, wishes.rate, scratch / "run")
        )
        stop = window.findChild(QPushButton, "stopButton")
        until(lambda: plot._batches.length > wishes.batches / 10)
        before = memory()
        until(lambda: not stop.isEnabled())
        waits = gaps.stop()
        print(f"{plot._batches.length:,} points in each curve")
        print("gaps in the window's events:", end=" ")
        print(*(f"{name} {wait:.1f} ms" for name, wait in waits.items()), sep=", ")
        print(f"memory grew by {memory() - before:.0f} MB since the first tenth of the run")
        frames = []
        for _ in range(60):
            began = time.perf_counter()
            plot.draw()
            QApplication.processEvents()
            frames.append(time.perf_counter() - began)
        frames.sort()
        print(f"all of it drawn anew: median {1000 * frames[30]:.1f} ms a frame")


if __name__ == "__main__":
    main()
