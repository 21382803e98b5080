"""What saving costs: ours, and the tutorial's `torch.save(net.state_dict())` after every batch.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/saving.py [--epochs 10] [--model resnet18]

Both in one run: after every batch, beside the run's own clock, the tutorial's line is timed too.
Prints each one's share of the training time that it would have been part of, and what a power cut
would lose.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import torch

from flowergui import tasks
from flowergui.events import BatchDone
from flowergui.learning.training import Training
from flowergui.presets import with_preset
from flowergui.recipe import Recipe

trainings: list[Training] = []
ours: list[float] = []


def watch() -> None:
    """Notes how long each save takes, and whose it is."""
    save = Training.save_last

    def timed(training: Training) -> object:
        trainings[:] = [training]
        began = time.perf_counter()
        try:
            return save(training)
        finally:
            ours.append(time.perf_counter() - began)

    Training.save_last = timed  # type: ignore[method-assign]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
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
    training = seconds - sum(ours)
    their_sum = statistics.median(theirs) * batches
    print(f"{recipe.model}, {batches} batches, {seconds:.0f} s in all")
    print(f"ours: {len(ours)} saves, median {1000 * statistics.median(ours):.0f} ms with fsync and "
          f"check; {sum(ours) / (training + sum(ours)):.2%} of the time; a power cut loses at "
          f"most {recipe.save_minutes:g} minutes")  # fmt: skip
    print(f"the tutorial: {batches} saves, median {1000 * statistics.median(theirs):.0f} ms; "
          f"{their_sum / (training + their_sum):.2%} of the time; a power cut loses one batch, or "
          "the file that is being written")  # fmt: skip
    print(f"ratio: {sum(ours) / their_sum:.3f}")


if __name__ == "__main__":
    main()
