"""How well and how fast a preset learns real photos from scratch, beside the tutorial's values.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/scratch_accuracy.py [recommended] [tutorial]
        [--told FILE ...] [-- MORE OPTIONS OF train]

Runs `flowergui train FOLDER --mode scratch --preset PRESET` as a user would, every layer training,
and prints the accuracy of best.pth on the photos held back, the seconds of all epochs, and after
how many of them each run was first as good as the others became. The tutorial's values (Adam,
224 px, no augmentation, 30 epochs) run in our loop too, which is as fast as the tutorial's own or
faster (speed.py). `--told` takes what a run has told with --json instead of running it again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRESETS = ("recommended", "tutorial")


@dataclass(frozen=True)
class Run:
    """What a run came to: after each epoch the seconds so far and the accuracy on photos held
    back."""

    name: str
    told: str
    reached: tuple[tuple[float, float], ...]

    @property
    def best(self) -> float:
        return max(accuracy for _, accuracy in self.reached)

    def until(self, wanted: float) -> float | None:
        """Seconds until it was as good as `wanted`; None where it never was."""
        return next((seconds for seconds, accuracy in self.reached if accuracy >= wanted), None)


def trained(preset: str, more: list[str]) -> list[dict[str, Any]]:
    """The events of a run."""
    with tempfile.TemporaryDirectory() as models:
        command = [sys.executable, "-m", "flowergui", "train", os.environ["FLOWERGUI_PHOTOS"]]
        command += ["--mode", "scratch", "--preset", preset, "--models-folder", models, *more]
        run = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def of(name: str, events: list[dict[str, Any]]) -> Run:
    """Prints the course of a run, and keeps what is compared."""
    opened = next(event for event in events if event["event"] == "RunStarted")
    epochs = [event for event in events if event["event"] == "EpochDone"]
    seconds, reached = 0.0, []
    for epoch in epochs:
        seconds += epoch["seconds"]
        reached.append((seconds, epoch["val_accuracy"]))
    for epoch in epochs[:: max(len(epochs) // 10, 1)]:
        print(f"epoch {epoch['epoch']:3}  validation accuracy {epoch['val_accuracy']:.1%}")
    told = (
        f"{opened['model']} at {opened['image_size']} px, {opened['precision']}, "
        f"{len(epochs)} epochs"
    )
    run = Run(name, told, tuple(reached))
    last, best = epochs[-1], epochs[-1]["best_epoch"]
    print(
        f"{name}: {told}: best {run.best:.1%} (epoch {best}), last {last['val_accuracy']:.1%}, "
        f"{seconds:.0f} s in all\n"
    )
    return run


def main() -> None:
    """Measures and prints."""
    words = sys.argv[1:]
    more = words[words.index("--") + 1 :] if "--" in words else []
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=[], help=" or ".join(PRESETS))
    parser.add_argument("--told", nargs="+", type=Path, default=[])
    wishes = parser.parse_args(words[: len(words) - len(more) - ("--" in words)])
    runs = []
    for path in wishes.told:
        lines = path.read_text("utf-8").splitlines()
        runs.append(of(path.stem, [json.loads(line) for line in lines]))
    presets = wishes.presets or ([] if wishes.told else PRESETS[:1])
    runs.extend(of(preset, trained(preset, more)) for preset in presets)
    for run in runs:
        for other in runs:
            if other is run:
                continue
            after, took = run.until(other.best), other.until(other.best)
            assert took is not None
            if after is None:
                print(f"{run.name} never reached the {other.best:.1%} of {other.name}")
            else:
                print(
                    f"{run.name} reached the {other.best:.1%} of {other.name} after {after:.0f} s, "
                    f"which took {took:.0f} s there: {took / after:.1f} times as fast"
                )


if __name__ == "__main__":
    main()
