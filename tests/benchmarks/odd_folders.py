"""A hundred folders as odd as people's are: names, kinds of files, permissions, links, layouts.

    python tests/benchmarks/odd_folders.py [--folders 100] [--first 0]

Each is scanned, trained on for two batches, resumed, evaluated and predicted from, in a child that
is watched. Printed are the outcomes of each step,
the sentences of what was refused, and every traceback and hang. Root, whom no permission stops,
needs util-linux's setpriv.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

LIMIT_S = 20
"""Seconds after which a step is a hang: of computing, or of waiting with nothing to compute. While
other programs have the processors, no time passes."""

POLL_S = 0.5

Step = tuple[int, str, str, str, float]
"""A folder's number, the step, its outcome, what it said, and the seconds that it computed."""

STEPS = ("inspect", "train", "resume", "predict", "evaluate")


def child(home: Path, first: int, last: int) -> None:
    """Visits the folders from `first` on, and prints a line of JSON after each step."""
    from odd_folders import good_images, make, open_again, visit

    images = good_images(home / f"images-{first}")
    for number in range(first, last):
        folder = home / str(number)
        make(folder, number, images)
        began = time.process_time()
        for outcome in visit(folder, home / f"models-{number}"):
            took = time.process_time() - began
            print(json.dumps([number, outcome.step, outcome.kind, outcome.says, took]), flush=True)
            began = time.process_time()
        open_again(folder)
        print(json.dumps([number, "", "", "", 0.0]), flush=True)


class Clock:
    """The seconds that a process computed, and those in which all its threads waited."""

    def __init__(self, process: int) -> None:
        self._threads = Path(f"/proc/{process}/task")
        self.restart()

    def restart(self) -> None:
        self._began, self._waited = self._computed(), 0.0

    def tick(self) -> float:
        """The larger one of both, half a second later."""
        stats = []
        for each in self._threads.iterdir():
            with suppress(OSError):  # a thread that has just ended
                stats.append((each / "stat").read_text().rpartition(")")[2])
        self._waited = 0.0 if any(" R " in stat for stat in stats) else self._waited + POLL_S
        return max(self._waited, self._computed() - self._began)

    def _computed(self) -> float:
        fields = (self._threads.parent / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watched(home: Path, first: int, last: int) -> Iterator[Step]:
    """What the child printed, and the step that it never ended: that is a hang."""
    command = [sys.executable, __file__, "--child", str(home), str(first), str(last)]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        dropped = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", *command]
    lines: Queue[str] = Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout
        Thread(target=lambda: [lines.put(line) for line in chain(output, ("",))]).start()
        clock, folder, done = Clock(process.pid), first, 0
        while True:
            try:
                line = lines.get(timeout=POLL_S)
            except Empty:
                if clock.tick() < LIMIT_S:
                    continue
                yield folder, STEPS[done], "hang", "", LIMIT_S
                break
            if not line:
                break
            folder, step, kind, says, took = json.loads(line)
            yield folder, step, kind, says, took
            folder, done = (folder, done + 1) if step else (folder + 1, 0)
            clock.restart()
        process.kill()


def main() -> None:
    """Visits and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--child", nargs=3)
    wishes = parser.parse_args()
    if wishes.child:
        home, first, last = wishes.child
        child(Path(home), int(first), int(last))
        return
    counts: Counter[tuple[str, str]] = Counter()
    slowest, ended = 0.0, 0
    number, last = wishes.first, wishes.first + wishes.folders
    with tempfile.TemporaryDirectory() as name:
        while number < last:
            for folder, step, kind, says, took in watched(Path(name), number, last):
                number = folder + 1
                ended += not step
                counts[step, kind] += bool(step)
                slowest = max(slowest, took)
                if kind not in ("done", ""):
                    print(f"{folder} {step} {kind}: {says!r}", flush=True)
    for step in STEPS:
        print(step, {kind: n for (each, kind), n in sorted(counts.items()) if each == step})
    print(f"{ended} of {wishes.folders} folders; the slowest step took {slowest:.1f} s of CPU")
    bad = sum(count for (_, kind), count in counts.items() if kind in ("traceback", "hang"))
    print(f"{bad} tracebacks and hangs")


if __name__ == "__main__":
    main()
