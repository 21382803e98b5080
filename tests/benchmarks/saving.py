"""What saving costs: ours, and the tutorial's `torch.save(net.state_dict())` after every batch.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/saving.py [--epochs 90] [--model resnet18]

Both in one run: after every batch, beside the run's own clock, the tutorial's line is timed too.
Prints each one's share of the training time that it would have been part of, and what a power cut
would lose. Ours is the time that training stands still (copies of a best that is held included)
and what the thread that writes takes meanwhile of the cores. The last save weighs the less the
longer a run is: 90 epochs are a quarter of an hour.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone
from flowergui.learning.checkpoints.checkpoint_writer import CheckpointWriter
from flowergui.learning.training.run import Run

trainings: list[Run] = []
standing: list[float] = []
"""Seconds that training stood still for each save."""
holding: list[float] = []
"""Seconds that training stood still for each copy of a best that is written later."""
writing: list[float] = []
"""Seconds of one core that each write took beside the training."""


def watch() -> None:
    """Notes how long training stands still for each save, and what the thread spends."""
    write = CheckpointWriter._write

    def timed_write(*arguments: Any) -> object:
        beside = threading.current_thread() is not threading.main_thread()  # else it stands still
        with taking(time.thread_time, writing if beside else []):
            return write(*arguments)

    def time_it(name: str, into: list[float]) -> None:
        method = getattr(Run, name)

        def timed(training: Run, **how: bool) -> object:
            trainings[:] = [training]
            if at_it:  # one of them calls another
                return method(training, **how)
            at_it.append(name)
            try:
                with taking(time.perf_counter, into):
                    return method(training, **how)
            finally:
                at_it.clear()

        setattr(Run, name, timed)

    at_it: list[str] = []
    for name in ("save", "save_async"):
        time_it(name, standing)
    for name in ("stage_best", "flush_best"):
        time_it(name, holding)
    CheckpointWriter._write = timed_write  # type: ignore[method-assign,assignment]


@contextmanager
def taking(clock: Callable[[], float], into: list[float]) -> Iterator[None]:
    """Notes the seconds, by this clock, that its block took."""
    began = clock()
    try:
        yield
    finally:
        into.append(clock() - began)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=90)
    parser.add_argument("--model", default="resnet18")
    wishes = parser.parse_args()
    recipe = with_preset(
        Recipe(photos=os.environ["FLOWERGUI_PHOTOS"], mode="scratch", model=wishes.model),
        "recommended",
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
                    torch.save(trainings[0].model.net.state_dict(), Path(scratch) / "tutorial.pth")
                    theirs.append(time.perf_counter() - start)
                    beside += theirs[-1]
        seconds = time.perf_counter() - began - beside
    their_sum = statistics.mean(theirs) * batches
    held = [each for each in holding if each > 0.001] or [0.0]  # most ask for what isn't there
    core = sum(writing) / (seconds * (os.cpu_count() or 1))
    stood = sum(standing) + sum(holding)
    lost, without = stood / seconds, seconds - stood
    print(f"{recipe.model}, {batches} batches, {seconds:.0f} s in all")
    print(f"ours: {len(standing)} saves with fsync and check; training stood still for "
          f"{1000 * statistics.median(standing):.0f} ms (median) each, {standing[-1]:.2f} s "
          f"for the last one, which is waited for; {len(held)} bests were held in between, "
          f"{1000 * statistics.median(held):.0f} ms each; {lost:.2%} of the time; "
          f"writing beside it took {core:.2%} of the cores' time; a power cut loses at most "
          f"{recipe.save_minutes:g} minutes")  # fmt: skip
    print(f"the tutorial: {batches} saves, {1000 * statistics.median(theirs):.0f} ms (median; "
          f"mean {1000 * statistics.mean(theirs):.0f}); "
          f"{their_sum / (without + their_sum):.2%} of the time; a power cut loses one batch, or "
          "the file that is being written")  # fmt: skip
    print(f"ratio: {stood / their_sum:.4f} standing still, "
          f"{(stood + sum(writing) / (os.cpu_count() or 1)) / their_sum:.4f} with what "
          "the writing takes from the cores")  # fmt: skip


if __name__ == "__main__":
    main()
