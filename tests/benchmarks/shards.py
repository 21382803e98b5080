"""Large sets as archives against the same as a folder: opening, splitting, the first batch.

    python tests/benchmarks/shards.py [--photos 1000000] [--per-shard 10000] [--classes 1000]
        [--files 200000] [--folder FOLDER]

`--photos` images of 32 pixels, of few distinct contents, are put into .tar shards in FOLDER (a
temporary one, if none is named; what is there already is used as it is), and the first `--files` of
them into a folder of classes. Each step runs in a process of its own, whose peak memory is told.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from PIL import Image

CONTENTS = 50

OPEN = """
import sys, time
from pathlib import Path
from flowergui.learning.data.scan import scan
from flowergui.learning.data.split import split_photos
steps = scan(Path(sys.argv[1]), thorough=False)
began = time.perf_counter()
try:
    while True:
        next(steps)
except StopIteration as end:
    found = end.value
opened = time.perf_counter()
split = split_photos(found, 0.2, 0)
parted = time.perf_counter()
print(f"{len(found.train):,} photos of {len(found.classes):,} classes: opened in "
      f"{opened - began:.1f} s, split in {parted - opened:.1f} s")
"""

TRAIN = """
import sys, time
from pathlib import Path
from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone
from flowergui.learning.training import new_run, resume  # torch is there by the time of a click
from flowergui.requests import LiveRequests
models = Path(sys.argv[2])
recipe = Recipe(photos=sys.argv[1], mode="scratch", model="mynet", image_size=32, batch_size=32)
def go(begin, what):
    live, began, first, stopped, batches = LiveRequests(), time.perf_counter(), 0.0, 0.0, 0
    for event in begin(live):
        if isinstance(event, BatchDone):
            batches += 1
            first = first or time.perf_counter()
            if not stopped and time.perf_counter() - first > 5:
                live.stop, stopped = True, time.perf_counter()
                rate = (batches - 1) * 32 / (stopped - first)
    print(f"{what}: the first batch after {first - began:.1f} s, then {rate:.0f} photos/s; Stop "
          f"took {time.perf_counter() - stopped:.1f} s")
go(lambda live: tasks.train(recipe, live, models), "a run")
go(lambda live: tasks.resume(None, live, models=models), "resumed")
"""

READ = """
import random, sys, time
from pathlib import Path
from flowergui.learning.data import image_io
from flowergui.learning.data.scan import scan
steps = scan(Path(sys.argv[1]), thorough=False)
try:
    while True:
        next(steps)
except StopIteration as end:
    found = end.value
some = random.Random(0).sample(found.train, min(20_000, len(found.train)))
began = time.perf_counter()
for photo in some:
    image_io.read(found.folder / photo.path)
spent = time.perf_counter() - began
print(f"reading at random: {1e6 * spent / len(some):.0f} us a photo")
"""

PEAK = """
with open("/proc/self/status") as status:
    print("peak memory", next(line.split()[1] for line in status if line.startswith("VmHWM")))
import os; os._exit(0)
"""


def contents() -> list[bytes]:
    """The few images, as JPEGs of some 1 kB."""
    made = []
    for _ in range(CONTENTS):
        file = io.BytesIO()
        Image.effect_noise((32, 32), 40).convert("RGB").save(file, "JPEG")
        made.append(file.getvalue())
    return made


def make(folder: Path, photos: int, per_shard: int, classes: int, files: int) -> None:
    """Shards in `folder`/shards, and a folder of classes in `folder`/classes."""
    images = contents()
    shards, plain = folder / "shards", folder / "classes"
    shards.mkdir(parents=True)
    began = time.perf_counter()
    for first in range(0, photos, per_shard):
        with tarfile.open(shards / f"shard-{first // per_shard:06}.tar", "w") as archive:
            for number in range(first, min(first + per_shard, photos)):
                content = images[number % CONTENTS]
                member = tarfile.TarInfo(f"species {number % classes:04}/photo {number:07}.jpg")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    print(f"packed {photos:,} photos in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    for label in range(classes):
        (plain / f"species {label:04}").mkdir(parents=True)
    for number in range(files):
        path = plain / f"species {number % classes:04}" / f"photo {number:07}.jpg"
        path.write_bytes(images[number % CONTENTS])
    print(f"wrote {files:,} files in {time.perf_counter() - began:.0f} s")


def measure(title: str, step: str, *arguments: Path, cache: Path) -> None:
    """Runs a step in a process of its own, and prints what it says."""
    done = subprocess.run(
        [sys.executable, "-c", step + PEAK, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"FLOWERGUI_CACHE": str(cache)},
    )
    *lines, peak = done.stdout.splitlines()
    for line in lines:
        print(f"{title}: {line}")
    print(f"{title}: peak memory {int(peak.split()[-1]) / 1024:.0f} MiB", flush=True)


def main() -> None:
    """Makes the photos, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--per-shard", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "photos"
        if not folder.exists():
            make(folder, asked.photos, asked.per_shard, asked.classes, asked.files)
        cache = Path(scratch) / "cache"
        shards, plain = folder / "shards", folder / "classes"
        measure("shards, no index yet", OPEN, shards, cache=cache)
        measure("shards", OPEN, shards, cache=cache)
        measure("files", OPEN, plain, cache=cache)
        for title, place in (("shards", shards), ("files", plain)):
            measure(title, READ, place, cache=cache)
            measure(title, TRAIN, place, Path(scratch) / f"models of {title}", cache=cache)


if __name__ == "__main__":
    main()
