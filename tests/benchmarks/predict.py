"""How many photos a second `flowergui predict` and `flowergui evaluate` get through.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/predict.py [--photos 500] [--pairs 3]
        [--model mynet] [--image-size 0]

Both run as whole commands on the same photos, in turns, each in a process of its own; start-up is
part of it, as it is for whoever waits. The network is not trained: that changes no time. Prints
photos per second (medians), and their ratio (median of the pairs), which is to be at least 0.8.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

EXPECTED_RATIO = 0.8


def checkpoint_for(model: str, image_size: int, classes: list[str], path: Path) -> None:
    """Writes a checkpoint of an untrained network."""
    from flowergui.config.recipe import Recipe
    from flowergui.learning.checkpoints import checkpoint
    from flowergui.learning.models.build import build
    from flowergui.learning.models.describe import describe

    size = image_size or describe(model, len(classes), 0).image_size
    net = build(model, len(classes), size)
    content = {
        "format": checkpoint.FORMAT,
        "recipe": Recipe(model=model).as_dict(),
        "classes": classes,
        "image_size": size,
        "model": net.state_dict(),
    }
    checkpoint.write(content, path)


def seconds(*command: str) -> float:
    """How long a flowergui command takes."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "flowergui", *command], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--model", default="mynet")
    parser.add_argument("--image-size", type=int, default=0)
    wishes = parser.parse_args()
    source = Path(os.environ["FLOWERGUI_PHOTOS"])
    with tempfile.TemporaryDirectory() as scratch:
        # Every n-th photo, so that all classes are there; links, so that both see the same.
        every = sorted(path for path in source.rglob("*.jpg"))
        step = max(1, len(every) // wishes.photos)
        photos = []
        for number, path in enumerate(islice(every, 0, step * wishes.photos, step)):
            folder = Path(scratch, "photos", path.parent.name)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.jpg").symlink_to(path)
            photos.append(str(folder / f"{number}.jpg"))
        classes = sorted(path.name for path in Path(scratch, "photos").iterdir())
        network_file = Path(scratch, "network.pth")
        checkpoint_for(wishes.model, wishes.image_size, classes, network_file)
        pairs = [
            (
                seconds("predict", str(network_file), *photos),
                seconds("evaluate", str(network_file), str(Path(scratch, "photos"))),
            )
            for _ in range(wishes.pairs)
        ]
    for name, times in zip(("predict", "evaluate"), zip(*pairs, strict=True), strict=True):
        rate = len(photos) / statistics.median(times)
        print(f"{name:9} {rate:7.1f} photos/s   ({min(times):.1f} to {max(times):.1f} s)")
    ratio = statistics.median(evaluate / predict for predict, evaluate in pairs)
    verdict = "enough" if ratio >= EXPECTED_RATIO else "TOO SLOW"
    print(
        f"predict / evaluate: {ratio:.2f} (median of {len(pairs)} pairs, {len(photos)} photos; "
        f"{EXPECTED_RATIO} or more: {verdict})"
    )


if __name__ == "__main__":
    main()
