"""What each choice of fine-tuning is worth, after the fitted head.

    python tests/benchmarks/fine_tuning.py FOLDER [--epochs 8] [--splits 2] [--ways NAME...]

Of the images (one subfolder per class) a third of every class judges and is not seen in training.
Each way is the recommended transfer with efficientnet_lite0, with the changes that its name says,
and trains for the same number of epochs after the fit of the head, whatever time they take. The
splits, the fitted head and the order of the images are the same for all.

Printed are, for the judged images, the accuracy and the mean loss (cross entropy) of best.pth and
of last.pth: means over the splits, and seconds. The loss tells more: an accuracy on 500 images has
a standard error of 1.3 points.
"""

import argparse
import math
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transfer_accuracy import MODEL, divided

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.events import PhotoEvaluated, RunStarted

JUDGED = 1 / 3
STAGES = 7

WAYS: dict[str, dict[str, Any]] = {
    "recommended": {},
    "AdamW at 3e-5": {"learning_rate": 3e-5},
    "AdamW at 3e-4": {"learning_rate": 3e-4},
    "SGD at 0.003": {"optimizer": "sgd", "learning_rate": 0.003},
    "layer decay 0.9": {"layer_decay": 0.9},
    "layer decay 0.75": {"layer_decay": 0.75},
    "batch norm statistics trained": {"freeze_batch_norm": False},
    "without EMA": {"ema": 0.0},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "no augmentation": {"augmentation": "none"},
    "strong augmentation": {"augmentation": "strong"},
    "norm layers alone": {
        "freeze_epochs": 0,
        "unfreeze_schedule": ("*.norm.weight=2", "*.norm.bias=2"),
    },
    "a stage an epoch, the last first": {
        "freeze_epochs": 0,
        "unfreeze_schedule": (
            "last_conv.*=2",
            *(f"stages.{STAGES - 1 - place}.*={place + 2}" for place in range(STAGES)),
        ),
    },
    "head not fitted before": {"fit_head": False, "freeze_epochs": 0, "frozen": ()},
    "256 px": {"training_size": 256},
    "the last stage alone": {
        "freeze_epochs": 0,
        "unfreeze_schedule": ("last_conv.*=2", f"stages.{STAGES - 1}.*=2"),
    },
}


@dataclass(frozen=True)
class Judged:
    """The accuracy and the mean loss on the judged images."""

    accuracy: float
    loss: float


def judge(checkpoint: Path, folder: Path) -> Judged:
    """How good the network in this checkpoint is on the images in `folder`."""
    seen = [e for e in tasks.evaluate(checkpoint, folder) if isinstance(e, PhotoEvaluated)]
    losses = [-math.log(max(each.label_probability, 1e-12)) for each in seen]
    return Judged(statistics.mean(each.correct for each in seen), statistics.mean(losses))


def measured(way: str, folder: Path, split: int, epochs: int) -> tuple[float, Judged, Judged]:
    """The seconds of training, and what best.pth and last.pth are worth."""
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        for path, label in divided(folder, split, JUDGED, here / "photos"):
            (here / "judged" / label).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, here / "judged" / label / Path(path).name)
        os.environ["FLOWERGUI_CACHE"] = str(here / "cache")
        recipe = Recipe(mode="transfer", model=MODEL, photos=str(here / "photos"))
        recipe = replace(with_preset(recipe, "recommended"), minutes=0.0, **WAYS[way])
        recipe = replace(recipe, epochs=epochs + recipe.fit_head)
        began = time.perf_counter()
        for event in tasks.train(recipe, models=here / "models"):
            if isinstance(event, RunStarted):
                run = Path(event.run)
        seconds = time.perf_counter() - began
        best, last = (judge(run / f"{name}.pth", here / "judged") for name in ("best", "last"))
    return seconds, best, last


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[*WAYS])
    wanted = parser.parse_args()
    print(f"{'':<34} best.pth          last.pth")
    for way in wanted.ways:
        results = [measured(way, wanted.folder, s, wanted.epochs) for s in range(wanted.splits)]
        seconds = statistics.mean(each[0] for each in results)
        texts = []
        for place in (1, 2):
            accuracy = statistics.mean(each[place].accuracy for each in results)
            loss = statistics.mean(each[place].loss for each in results)
            texts.append(f"{accuracy:6.1%}  {loss:.3f}")
        print(f"{way:<34} {'   '.join(texts)}   {seconds:5.0f} s", flush=True)


if __name__ == "__main__":
    main()
