"""Kills a training process a hundred times at random moments, saves included, and compares.

    python tests/benchmarks/kills.py [--kills 100] [--seed 0]

Prints how many kills hit a save, and whether the run's end is that of a run never killed: the
weights, the averaged ones, the optimizer, the schedule and the history, to the bit.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import Finished
from flowergui.store.run_folder import RunFolder

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from killing import train
from runs import same_end


def main() -> None:
    """Kills, compares and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    wishes = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        chance = np.random.default_rng(0)
        for flower in ("daisy", "iris", "lily"):
            (home / "photos" / flower).mkdir(parents=True)
            for number in range(8):
                pixels = chance.integers(0, 256, (40, 40, 3), np.uint8)
                Image.fromarray(pixels).save(home / "photos" / flower / f"{number}.png")
        recipe = Recipe(
            photos=str(home / "photos"), mode="scratch", model="mynet", image_size=32,
            batch_size=6, ema=0.9, epochs=5 * wishes.kills, scheduler="one-cycle", device="cpu",
        )  # fmt: skip
        killed = train(recipe, home / "killed", wishes.kills, seed=wishes.seed)
        *_, done = tasks.train(recipe, models=home / "whole")
        assert isinstance(done, Finished)
        same_end(killed.run, RunFolder(Path(done.run)))
    print(f"{killed.kills} kills, {killed.in_saves} of them in a save: the end is the same")


if __name__ == "__main__":
    main()
