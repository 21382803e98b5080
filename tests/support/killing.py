"""A training process that is killed at random moments and taken up again, until it has ended."""

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from flowergui.config.recipe import Recipe
from flowergui.store import library
from flowergui.store.atomic_io import TMP_SUFFIX
from flowergui.store.run_folder import RunFolder

TRAIN = """
import json, sys
from pathlib import Path
import torch
from flowergui import tasks
from flowergui.events import BatchDone
from flowergui.store import library
from flowergui.learning.checkpoints import checkpoint_writer
from flowergui.requests import LiveRequests
from flowergui.config.recipe import Recipe

# Many kills shall hit a save: those that go on beside the training,
checkpoint_writer.MIN_SECONDS_BETWEEN_SAVES, checkpoint_writer.MAX_SHARE_OF_TIME = 0.0, 1.0
torch.set_num_threads(1)  # as whom it is compared with
live, models = LiveRequests(), Path(sys.argv[2])
if any(run.last for run in library.runs(models)):
    events = tasks.resume(None, live, {}, models)
else:
    events = tasks.train(Recipe.from_dict(json.loads(sys.argv[1])), live, models)
for event in events:
    live.save = isinstance(event, BatchDone) and event.step % 3 == 1  # and at those
    print(type(event).__name__, flush=True)
"""


@dataclass(slots=True)
class Killed:
    """The run in the end, how often its process was killed, and how often in a save."""

    run: RunFolder
    kills: int = 0
    in_saves: int = 0


def train(recipe: Recipe, models: Path, kills: int, *, seed: int, longest: float = 1.0) -> Killed:
    """Trains, killed (SIGKILL) `kills` times within `longest` seconds of its first batch, unless
    it ends before. Raises AssertionError where a process ends badly by itself."""
    chance = random.Random(seed)
    command = [sys.executable, "-c", TRAIN, json.dumps(recipe.as_dict()), str(models)]
    told: Killed | None = None
    count = in_saves = 0
    while told is None:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() in ("RunStarted", "Finished"):
                break
        if count < kills:
            time.sleep(chance.uniform(0, longest))
            process.kill()
            count += 1
        process.stdout.read()
        process.stdout.close()
        code = process.wait()
        assert code in (0, -9), code
        if code:
            in_saves += any(models.glob(f"*/.*{TMP_SUFFIX}"))
        else:
            told = Killed(RunFolder(Path(library.runs(models)[0].path)), count, in_saves)
    return told
