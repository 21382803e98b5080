"""What saving costs: ours, and the tutorial's `torch.save(net.state_dict())` after every batch.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/saving.py [--epochs 90] [--model resnet18]

Both in one run: after every batch, beside the run's own clock, the tutorial's line is timed too.
Prints each one's share of the training time that it would have been part of, and what a power cut
would lose. The last save weighs the less the longer a run is: 90 epochs are a quarter of an hour.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from flowergui import tasks
from flowergui.events import BatchDone
from flowergui.learning.saving import Saving
from flowergui.learning.training import Training
from flowergui.presets import with_preset
from flowergui.recipe import Recipe

trainings: list[Training] = []
standing: list[float] = []
"""Seconds that training stood still for each save."""
writing: list[float] = []
"""Seconds of one core that each write took beside it."""


def watch() -> None:
    """Notes how long training stands still for each save, and what the thread spends."""
    save, write = Training.save, Saving._write

    def timed_save(training: Training, **how: bool) -> object:
        trainings[:] = [training]
        began = time.perf_counter()
        try:
            return save(training, **how)
        finally:
            standing.append(time.perf_counter() - began)

    def timed_write(*arguments: Any) -> object:
        began = time.thread_time()
        try:
            return write(*arguments)
        finally:
            writing.append(time.thread_time() - began)

    Training.save = timed_save  # type: ignore[method-assign,assignment]
    Saving._write = timed_write  # type: ignore[method-assign,assignment]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=90)
    parser.add_argument("--model", default="resnet18")
    wishes = parser.parse_args()
    recipe = with_preset(
        Recipe(photos=os.environ["FLOWERGUI_PHOTOS"], model=wishes.model), "recommended"
    )
    recipe = Recipe.from_dict(recipe.as_dict() | {"epochs": wishes.epochs})
    watch()
    theirs: list[float] = []
    batches, beside = 0, 0.0
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        for event in tasks.train(recipe, models=Path(scratch)):
            if isinstance(event, BatchDone):
                batches += 1
                if trainings and batches % 10 == 0:  # a sample: they need not all be timed
                    start = time.perf_counter()
                    torch.save(trainings[0].net.state_dict(), Path(scratch) / "tutorial.pth")
                    theirs.append(time.perf_counter() - start)
                    beside += theirs[-1]
        seconds = time.perf_counter() - began - beside
    their_sum = statistics.median(theirs) * batches
    core = sum(writing) / (seconds * (os.cpu_count() or 1))
    lost = sum(standing) / seconds
    without = seconds - sum(standing)
    print(f"{recipe.model}, {batches} batches, {seconds:.0f} s in all")
    print(f"ours: {len(standing)} saves with fsync and check; training stood still for "
          f"{1000 * statistics.median(standing):.0f} ms (median) each, {standing[-1]:.2f} s "
          f"for the last one, which is waited for, {lost:.2%} of the time; "
          f"writing beside it took {core:.2%} of the cores' time; a power cut loses at most "
          f"{recipe.save_minutes:g} minutes")  # fmt: skip
    print(f"the tutorial: {batches} saves, median {1000 * statistics.median(theirs):.0f} ms; "
          f"{their_sum / (without + their_sum):.2%} of the time; a power cut loses one batch, or "
          "the file that is being written")  # fmt: skip
    print(f"ratio: {sum(standing) / their_sum:.4f} standing still, "
          f"{(sum(standing) + sum(writing) / (os.cpu_count() or 1)) / their_sum:.4f} with what "
          "the writing takes from the cores")  # fmt: skip


if __name__ == "__main__":
    main()
