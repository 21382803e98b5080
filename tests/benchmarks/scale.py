"""A million photos in ten thousand classes: listing, splitting, opening in the window, training.

    python tests/benchmarks/scale.py [--photos 1000000] [--classes 10000] [--folder FOLDER]

The photos are hard links to a few files of 2 kB, made in FOLDER (a temporary one, if none is
named; what is there already is used as it is). Each step runs in a process of its own, whose peak
memory is told. The system's cache of file names is warm, as it is after a look with any program.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

LINKS = 50_000
"""To one file: ext4 allows 65,000."""

LIST = """
import sys, time
from pathlib import Path
from flowergui.learning.data import photos
began = time.perf_counter()
scan = photos.scan(Path(sys.argv[1]), thorough=False)
try:
    while True:
        next(scan)
except StopIteration as end:
    found = end.value
listed = time.perf_counter()
split = photos.split(found, 0.2, 0)
print(f"listed {len(found.train):,} photos of {len(found.classes):,} classes in "
      f"{listed - began:.1f} s, split them in {time.perf_counter() - listed:.1f} s")
began = time.perf_counter()
split.fingerprint()
print(f"fingerprint {time.perf_counter() - began:.1f} s")
"""

SHOW = """
import sys, time
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.dataset.dataset_controller import DatasetController
app = QApplication([])
panel = DatasetPanel()
panel.resize(380, 600)
panel.show()
jobs = Jobs(lambda error: (print(error), app.quit()))
control = DatasetController(panel, jobs, QSettings(sys.argv[2], QSettings.Format.IniFormat))
longest, last = 0.0, time.perf_counter()
def tick():
    global longest, last
    now = time.perf_counter()
    longest, last = max(longest, now - last), now
timer = QTimer(interval=1)
timer.timeout.connect(tick)
timer.start()
def opened(scanned):
    shown = time.perf_counter()
    bar = panel.findChild(object, "classList").verticalScrollBar()
    frames = []
    for step in range(200):
        bar.setValue(bar.maximum() * step // 200)
        start = time.perf_counter()
        app.processEvents()
        frames.append(time.perf_counter() - start)
    frames.sort()
    print(f"open in the window after {shown - began:.1f} s, no gap in its events longer than "
          f"{1000 * longest:.0f} ms; scrolling the classes: median {1000 * frames[100]:.1f} ms, "
          f"longest {1000 * frames[-1]:.1f} ms a frame")
    control.cancel()
    app.quit()
control.opened.connect(opened)
began = time.perf_counter()
control.open(sys.argv[1])
app.exec()
"""

TRAIN = """
import sys, time
from pathlib import Path
from flowergui import tasks
from flowergui.store import library
from flowergui.events import BatchDone
from flowergui.learning import beginning  # torch is there by the time of a click
from flowergui.requests import LiveRequests
from flowergui.config.recipe import Recipe
models = Path(sys.argv[2]).parent / "models"
recipe = Recipe(
    photos=sys.argv[1], mode="scratch", model="mynet", image_size=32, batch_size=32
)
def go(begin, what):
    live, began, first, stopped = LiveRequests(), time.perf_counter(), 0.0, 0.0
    for event in begin(live):
        if isinstance(event, BatchDone) and not first:
            first = time.perf_counter()
        if isinstance(event, BatchDone) and not stopped and time.perf_counter() - first > 5:
            live.stop, stopped = True, time.perf_counter()
    print(f"{what}: its first batch after {first - began:.1f} s; Stop takes "
          f"{time.perf_counter() - stopped:.1f} s")
go(lambda live: tasks.train(recipe, live, models), "a run")
go(lambda live: tasks.resume(None, live, models=models), "resumed")
began = time.perf_counter()
library.runs(models)
print(f"the list of runs {time.perf_counter() - began:.2f} s")
"""

PEAK = """
with open("/proc/self/status") as status:
    print("peak memory", next(line.split()[1] for line in status if line.startswith("VmHWM")))
import os; os._exit(0)
"""


def make(folder: Path, photos: int, classes: int) -> None:
    """`photos` hard links in `classes` folders."""
    began = time.perf_counter()
    sources = folder.parent / f"{folder.name}-sources"
    sources.mkdir()
    flowers = []
    for number in range(-(-photos // LINKS)):
        flowers.append(sources / f"{number}.jpg")
        Image.effect_noise((48, 48), number + 1).convert("RGB").save(flowers[-1], "JPEG")
    for label in range(classes):
        here = folder / f"species {label:05}"
        here.mkdir(parents=True)
        for number in range(label, photos, classes):
            os.link(flowers[number // LINKS], here / f"photo {number:07}.jpg")
    print(f"made {photos:,} links in {time.perf_counter() - began:.0f} s")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = wishes.folder or Path(scratch) / "photos"
        if not folder.exists():
            make(folder, wishes.photos, wishes.classes)
        for step in (LIST, SHOW, TRAIN):
            done = subprocess.run(
                [sys.executable, "-c", step + PEAK, folder, Path(scratch) / "settings.ini"],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
            )
            *lines, peak = done.stdout.splitlines()
            print("\n".join(lines), f"peak memory {int(peak.split()[-1]) / 1024:.0f} MiB", sep="\n")


if __name__ == "__main__":
    main()
