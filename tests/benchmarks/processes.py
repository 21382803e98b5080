"""What several processes of one thread cost, against one process with as many threads.

    python tests/benchmarks/processes.py FOLDER [--model resnet18] [--image-size 96] [--rounds 3]

All layers train from scratch on the CPU in float32, two epochs, of which the second is timed
(decoded images are in memory then). In turns:

- one process with two threads, batches of 32;
- two processes with one thread each, batches of 32 that they share;
- two processes that know nothing of each other, with one thread each and batches of 16, on half of
  the images: what sharing would cost if it were free.

Printed are medians of images per second, and the share of the time that the second way loses to the
third: gradients that are sent, processes that wait for each other, and agreement.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BATCH, PROCESSES = 32, 2


def linked(folder: Path, into: Path, first: int, step: int) -> Path:
    """A dataset of every `step`-th image, from the `first` on."""
    for label in (each for each in folder.iterdir() if each.is_dir()):
        (into / label.name).mkdir(parents=True)
        for path in sorted(each for each in label.iterdir() if each.is_file())[first::step]:
            try:
                os.link(path, into / label.name / path.name)
            except OSError:  # another file system
                shutil.copyfile(path, into / label.name / path.name)
    return into


def started(
    photos: Path, models: Path, wanted: argparse.Namespace, threads: int, batch: int, processes: int
) -> "subprocess.Popen[str]":
    """A run that prints its events."""
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    options = {
        "mode": "scratch", "model": wanted.model, "image-size": wanted.image_size, "epochs": 2,
        "batch-size": batch, "augmentation": "light", "device": "cpu", "precision": "float32",
        "ema": 0, "first-training-size": 0, "models-folder": models,
    }  # fmt: skip
    given = [f"--{name}={value}" for name, value in options.items()]
    command = [*launcher, "-m", "flowergui", "train", str(photos), *given, "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )


def rate(runs: list["subprocess.Popen[str]"]) -> float:
    """Images per second, of all runs together, in the batches of the second epoch."""
    total = 0.0
    for run in runs:
        lines = run.communicate()[0].splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        batches = [e for e in events if e["event"] == "BatchDone" and e["epoch"] == 2]
        (epoch,) = [e for e in events if e["event"] == "EpochDone" and e["epoch"] == 2]
        total += sum(each["photos"] for each in batches) / epoch["seconds"]
    return total


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=4, help="use every n-th image")
    wanted = parser.parse_args()
    found: dict[str, list[float]] = {"one": [], "shared": [], "apart": []}
    with tempfile.TemporaryDirectory() as here:
        root = Path(here)
        whole = linked(wanted.folder, root / "whole", 0, wanted.every)
        halves = [
            linked(wanted.folder, root / f"half{part}", part * wanted.every, 2 * wanted.every)
            for part in range(PROCESSES)
        ]
        for number in range(wanted.rounds):
            models = root / f"models{number}"
            found["one"].append(rate([started(whole, models / "one", wanted, PROCESSES, BATCH, 1)]))
            found["shared"].append(
                rate([started(whole, models / "shared", wanted, 1, BATCH, PROCESSES)])
            )
            apart = [
                started(half, models / half.name, wanted, 1, BATCH // PROCESSES, 1)
                for half in halves
            ]
            found["apart"].append(rate(apart))
    middle = {name: statistics.median(rates) for name, rates in found.items()}
    print(f"{wanted.model}, {wanted.image_size} px, batches of {BATCH}, images/s:")
    for name, text in (
        ("one", "one process, two threads"),
        ("shared", "two processes, one thread each"),
        ("apart", "two that share nothing"),
    ):
        rates = ", ".join(f"{each:.1f}" for each in found[name])
        print(f"  {text:<32} {middle[name]:6.1f}   ({rates})")
    print(f"  two against one: {middle['shared'] / middle['one']:.2f}")
    print(f"  lost to sharing: {1 - middle['shared'] / middle['apart']:.0%}")


if __name__ == "__main__":
    main()
