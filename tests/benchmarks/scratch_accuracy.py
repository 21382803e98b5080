"""How well and how fast the Recommended preset learns real photos from scratch.

    FLOWERGUI_PHOTOS=FOLDER python tests/benchmarks/scratch_accuracy.py [-- MORE OPTIONS OF train]

Runs `flowergui train FOLDER --mode scratch --preset recommended` as a user would, and prints
the accuracy of best.pth on the photos held back and the seconds of the whole job.
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def main() -> None:
    """Measures and prints."""
    more = [word for word in sys.argv[1:] if word != "--"]
    with tempfile.TemporaryDirectory() as models:
        command = [sys.executable, "-m", "flowergui", "train", os.environ["FLOWERGUI_PHOTOS"]]
        command += ["--mode", "scratch", "--preset", "recommended", "--models-folder", models]
        began = time.monotonic()
        run = subprocess.run(
            [*command, *more, "--json"], capture_output=True, text=True, check=True
        )
        seconds = time.monotonic() - began
    events = [json.loads(line) for line in run.stdout.splitlines()]
    opened = next(event for event in events if event["event"] == "Opened")
    epochs = [event for event in events if event["event"] == "EpochDone"]
    for epoch in epochs[:: max(len(epochs) // 10, 1)]:
        print(f"epoch {epoch['epoch']:3}  validation accuracy {epoch['val_accuracy']:.1%}")
    last = epochs[-1]
    print(
        f"{opened['model']} at {opened['image_size']} px, {opened['precision']}, {len(epochs)} "
        f"epochs: best {last['best_accuracy']:.1%} (epoch {last['best_epoch']}), "
        f"last {last['val_accuracy']:.1%}, {seconds:.0f} s in all"
    )


if __name__ == "__main__":
    main()
