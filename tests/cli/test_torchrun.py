"""The program under torchrun, as on a cluster: a lost process, and another number of them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import EpochDone, Finished, RunStarted
from flowergui.learning.checkpoints import checkpoint
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")

OPTIONS = (
    *("--mode", "scratch", "--model", "mynet", "--image-size", "32", "--epochs", "4"),
    *("--batch-size", "8", "--augmentation", "light", "--device", "cpu"),
    *("--precision", "float32", "--ema", "0.9", "--json"),
)


def launched(photos: Path, models: Path, job: str) -> subprocess.Popen[str]:
    """A job of two processes that are started again up to three times."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"),
            *("--max-restarts=3", "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"),
            *(f"--rdzv-id={job}", "-m", "flowergui", "train", str(photos), *OPTIONS),
            *("--models-folder", str(models)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """The events, as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def process_of_rank(rank: int, launcher: int) -> int:
    """The id of a process that torchrun has started."""
    for children in Path(f"/proc/{launcher}/task").glob("*/children"):
        for child in children.read_text().split():
            if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                return int(child)
    raise AssertionError(f"torchrun has no process of rank {rank}")


def ended(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The events until it has ended well."""
    events = list(told(process))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors[-3000:]
    return events


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = checkpoint.read(run / "last.pth")
    return {**stored["model"], **{f"ema.{name}": each for name, each in stored["ema"].items()}}


@pytest.fixture(scope="module")
def photos(make_photos: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = make_photos(tmp_path_factory.mktemp("photos") / "flowers")
    return folder


def test_a_job_whose_process_is_killed_ends_as_if_undisturbed(photos: Path, tmp_path: Path) -> None:
    whole = ended(launched(photos, tmp_path, "tulips"))
    assert [each["resumed"] for each in whole if each["event"] == "RunStarted"] == [False]

    process = launched(photos, tmp_path, "roses")
    events = []
    for event in told(process):
        events.append(event)
        if event["event"] == "BatchDone" and event["epoch"] == 3:
            os.kill(process_of_rank(1, process.pid), signal.SIGKILL)
            break
    events += ended(process)
    assert [each["resumed"] for each in events if each["event"] == "RunStarted"] == [False, True]
    assert events[-1]["event"] == "Finished"

    one, other = weights(tmp_path / "tulips"), weights(tmp_path / "roses")
    assert all(torch.equal(one[name], other[name]) for name in one)
    histories = [RunFolder(tmp_path / name).history.epochs() for name in ("tulips", "roses")]
    losses = [[(each.train_loss, each.val_loss) for each in epochs] for epochs in histories]
    assert losses[0] == losses[1]

    # One process goes on with what two have done.
    resumed = list(tasks.resume(tmp_path / "roses", LiveRequests(), {"epochs": 5}, models=tmp_path))
    assert [event.epoch for event in resumed if isinstance(event, EpochDone)] == [5]


def test_several_processes_go_on_with_a_run_of_one(photos: Path, tmp_path: Path) -> None:
    """As the window starts them."""
    recipe = {"mode": "scratch", "model": "mynet", "image_size": 32, "device": "cpu"}
    first = tasks.train(
        Recipe(photos=str(photos), epochs=1, batch_size=8, **recipe), LiveRequests(), tmp_path
    )
    (run,) = [event.run for event in list(first) if isinstance(event, Finished)]
    live, stopped, seen = LiveRequests(), None, []
    for event in tasks.resume(run, live, {"epochs": 9, "processes": 2}, models=tmp_path):
        seen.append(event)
        if isinstance(event, EpochDone) and event.epoch == 2:
            live.learning_rate = 0.005
        if isinstance(event, EpochDone) and event.epoch == 3:
            live.stop = True
        stopped = event
    assert [event.epoch for event in seen if isinstance(event, RunStarted)] == [2]
    assert type(stopped).__name__ == "Stopped"
    recipe_now = RunFolder(Path(run)).recipe()
    assert (recipe_now.processes, recipe_now.learning_rate) == (2, 0.005)
