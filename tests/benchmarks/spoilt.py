"""Spoils the files of a run in thousands of ways, uses the run each time, and counts tracebacks.

    python tests/benchmarks/spoilt.py [--every 1] [--show 5] [--processes N]

Every field of a checkpoint and of the JSON files gets a dozen and more wrong values, every column
of the tables some twenty cells; files are cut, overwritten with zeros, and replaced by others.
Then the run is listed, predicts, is evaluated and exported, is checked, and is resumed to its end,
by the commands themselves; and what the window reads of it is read. Ends with code 1 if there was a
traceback, or a refusal without a sentence.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from spoiling import User, trained, ways

from flowergui.config.recipe import Recipe
from flowergui.learning.models.mynet import MyNet


@dataclass
class Outcome:
    """How many files were spoilt, by their names, and what became of it."""

    tried: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    resumed: int = 0
    rescued: int = 0


def main() -> int:
    """Spoils, uses, counts and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1, help="tries every n-th way alone")
    parser.add_argument("--show", type=int, default=5, help="prints so many tracebacks")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    wishes = parser.parse_args()
    began = time.monotonic()
    whole, count = Outcome(), wishes.processes
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        for part in pool.map(tried, range(count), [count] * count, [wishes.every] * count):
            whole.tried += part.tried
            whole.found += part.found
            whole.resumed += part.resumed
            whole.rescued += part.rescued
    for problem in whole.found[: wishes.show]:
        print(problem, "\n")
    print(", ".join(f"{file}: {number:,}" for file, number in whole.tried.items()))
    print(
        f"{whole.tried.total():,} spoilt files in {time.monotonic() - began:.0f} s. The run could "
        f"go on from previous.pth {whole.rescued:,} times, and went on {whole.resumed:,} times. "
        f"{len(whole.found)} tracebacks."
    )
    return 1 if whole.found else 0


def tried(part: int, parts: int, every: int) -> Outcome:
    """One of so many parts of all ways."""
    torch.set_num_threads(1)
    MyNet.WIDTHS = (4, 4, 8, 8)
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        used = home / "used"
        used.mkdir()
        os.environ["FLOWERGUI_MODELS"], os.environ["FLOWERGUI_CACHE"] = str(used), str(home / "c")
        user, run = prepared(home, used)
        for way in islice(ways(run), part * every, None, parts * every):
            outcome.tried[way.file] += 1
            outcome.found += user.uses(way)
    outcome.resumed, outcome.rescued = user.resumed, user.rescued
    return outcome


def prepared(home: Path, used: Path) -> tuple[User, Path]:
    """Who uses a run, and its folder."""
    chance = np.random.default_rng(0)
    photos = home / "photos"
    for flower in ("daisy", "iris", "lily"):
        (photos / flower).mkdir(parents=True)
        for number in range(8):
            pixels = chance.integers(0, 256, (40, 40, 3), np.uint8)
            Image.fromarray(pixels).save(photos / flower / f"{number}.png")
    recipe = Recipe(
        photos=str(photos), mode="scratch", model="mynet", image_size=32, batch_size=6, ema=0.9,
        epochs=2, device="cpu", precision="float32", scheduler="one-cycle",
    )  # fmt: skip
    run = trained(recipe, home / "models")
    return User(run, photos / "iris" / "0.png", used), run


if __name__ == "__main__":
    sys.exit(main())
