"""Trains runs in the processes of torchrun: `torchrun ... distributed_worker.py JOBS RESULTS`.

JOBS is a JSON file: a list of objects with `recipe` (fields of a Recipe) and `models` (a
folder), or else `resume` (a folder with one run, which is resumed), and with `asks`: batches
(from 1, over all epochs) -> what is asked of the run after them, fields of LiveRequests. With
`memory`, the last rank has memory for a step of so many images only. Rank 0
writes RESULTS: for each job a list of its events. Every rank writes the SHA-256 of its weights
after each run beside it, as RESULTS.rank0 and so on.
"""

import hashlib
import json
import sys
from pathlib import Path
from unittest.mock import patch

import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, as_dict
from flowergui.learning.acceleration.frozen_split import Features
from flowergui.learning.device.distributed import world
from flowergui.learning.training import loop
from flowergui.learning.training.model_state import ModelState
from flowergui.requests import LiveRequests


def digest(run: loop.Run) -> str:
    """The SHA-256 of a network's weights and statistics, and of their moving averages."""
    hashed = hashlib.sha256()
    for net in (run.model.net, run.model.eval_model):
        for name, tensor in sorted(net.state_dict().items()):
            hashed.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return hashed.hexdigest()


def trained(job: dict, digests: list[str]) -> list[dict]:
    """The events of a job."""
    live, events, batches = LiveRequests(), [], 0
    asks = job.get("asks", {})
    fit = loop.fit

    def observed(run: loop.Run, requests: LiveRequests):
        yield from fit(run, requests)
        digests.append(digest(run))

    memory, try_step = job.get("memory"), ModelState.try_step

    def limited(state: ModelState, features: Features | None, targets: torch.Tensor) -> None:
        if memory and world().rank == world().size - 1 and len(targets) > memory:
            raise torch.OutOfMemoryError
        try_step(state, features, targets)

    with patch.object(loop, "fit", observed), patch.object(ModelState, "try_step", limited):
        if job.get("resume"):
            (run,) = Path(job["resume"]).iterdir()
            stream = tasks.resume(run, live)
        else:
            fields = {n: tuple(v) if isinstance(v, list) else v for n, v in job["recipe"].items()}
            stream = tasks.train(Recipe(**fields), live, Path(job["models"]))
        for event in stream:
            events.append({"event": type(event).__name__, **as_dict(event)})
            if isinstance(event, BatchDone):
                batches += 1
                for name, value in asks.get(str(batches), {}).items():
                    setattr(live, name, tuple(value) if isinstance(value, list) else value)
    return events


def main() -> None:
    """Trains them one after the other."""
    torch.set_num_threads(1)
    jobs, results = (Path(each) for each in sys.argv[1:3])
    digests: list[str] = []
    told = [trained(job, digests) for job in json.loads(jobs.read_text("utf-8"))]
    Path(f"{results}.rank{world().rank}").write_text("\n".join(digests), "utf-8")
    if world().is_main:
        results.write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()
