"""Several processes of torchrun train as one does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, as_dict
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import build
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

WORKER = Path(__file__).parents[2] / "support" / "distributed_worker.py"

COMMON = {
    "model": "mynet",
    "image_size": 32,
    "epochs": 2,
    "batch_size": 8,
    "augmentation": "light",
    "device": "cpu",
    "precision": "float32",
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "ema": 0.9,
    "seed": 3,
}

# Batch normalization sees each process's share alone, so its statistics are frozen, or there is
# none. 18 images in batches of 8: the last one has two, of which a third process gets none.
CASES: dict[str, dict[str, Any]] = {
    "all layers": {"mode": "transfer", "freeze_batch_norm": True},
    "mixup": {"mode": "transfer", "freeze_batch_norm": True, "mixup": 0.4, "cutmix": 0.4},
    "feature cache": {
        "mode": "transfer",
        "frozen": ["all-but-head"],
        "augmentation": "none",
        "epochs": 3,
        "optimizer": "adamw",
        "learning_rate": 0.01,
    },
    "fitted head": {
        "mode": "transfer",
        "freeze_batch_norm": True,
        "fit_head": True,
        "learning_rate": 1e-6,
    },
    "layer norm": {"mode": "scratch", "model": "convnext_tiny", "epochs": 1},
}

BATCH_NORM = {"mode": "scratch"}

ASKED: dict[str, dict[str, Any]] = {
    "asked": {"2": {"frozen": ["stem.*"]}, "3": {"learning_rate": 0.01}, "4": {"stop": True}},
    "not finite": {"4": {"learning_rate": 1e30}},
}
"""Runs of which something is asked after these batches."""

SMALLER = {**CASES["all layers"], "batch_size": 4}
"""What is left of "all layers" where the last process has memory for steps of 4 images, not 8."""


def torchrun(
    processes: int, jobs: list[dict[str, Any]], folder: Path, *options: str
) -> tuple[list[list[dict[str, Any]]], list[list[str]]]:
    """The events of each job, and the digests of the weights in each process."""
    folder.mkdir(exist_ok=True)
    (folder / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    results = folder / "results.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *(f"--nproc-per-node={processes}", *options, str(WORKER)),
            *(str(folder / "jobs.json"), str(results)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    digests = [
        Path(f"{results}.rank{rank}").read_text("utf-8").split() for rank in range(processes)
    ]
    return json.loads(results.read_text("utf-8")), digests


def alone(fields: dict[str, Any], models: Path) -> list[dict[str, Any]]:
    """The events of the same run in this process."""
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
    told = tasks.train(Recipe(**values), LiveRequests(), models)
    return [as_dict(event) for event in told]


def run_in(models: Path) -> RunFolder:
    (folder,) = [each for each in models.iterdir() if each.is_dir()]
    return RunFolder(folder)


def weights_in(models: Path) -> dict[str, torch.Tensor]:
    stored = checkpoint.read(run_in(models).last)
    return {**stored["model"], **{f"ema.{n}": each for n, each in (stored["ema"] or {}).items()}}


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest distance of two tensors, relative to their length."""
    assert one.keys() == other.keys()
    lengths = {name: one[name].double().norm().clamp(min=1e-9) for name in one}
    apart = {name: (one[name].double() - other[name].double()).norm() for name in one}
    return max(float(apart[name] / lengths[name]) for name in one)


@pytest.fixture(scope="module")
def recipes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    torch.manual_seed(3)
    weights = tmp_path_factory.mktemp("weights") / "theirs.pth"
    torch.save(build("mynet", 9, 32).state_dict(), weights)

    def recipe(case: dict[str, Any]) -> dict[str, Any]:
        start = {"weights": str(weights)} if case["mode"] == "transfer" else {}
        return {"photos": str(folder), **COMMON, **start, **case}

    cases = {**CASES, "batch norm": BATCH_NORM, "smaller": SMALLER}
    cases |= {name: {**BATCH_NORM, "recover": True} for name in ASKED}
    return {name: recipe(case) for name, case in cases.items()}


@pytest.fixture(scope="module")
def one(recipes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What one process makes of a case: its events, and the folder of its run."""
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in made:
            models = tmp_path_factory.mktemp("one")
            made[name] = alone(recipes[name], models), models
        return made[name]

    return get


@pytest.fixture(scope="module", params=[2, 3])
def several(
    request: pytest.FixtureRequest, recipes: dict[str, Any], tmp_path_factory: Any
) -> dict[str, Any]:
    """What that many processes make of each case, and the digests of their weights."""
    root = tmp_path_factory.mktemp("several")
    jobs: list[dict[str, Any]] = [
        {"recipe": recipe, "models": str(root / name), "asks": ASKED.get(name, {})}
        for name, recipe in recipes.items()
    ]
    jobs.append({"resume": str(root / "asked")})
    processes = request.param
    memory = {"memory": 4 // processes, "models": str(root / "memory")}
    jobs.append({"recipe": recipes["all layers"], **memory})
    events, digests = torchrun(processes, jobs, root / "told")
    told = zip([*recipes, "resumed", "memory"], events, strict=True)
    return {"digests": digests, **{name: (each, root / name) for name, each in told}}


@pytest.mark.parametrize("name", CASES)
def test_the_weights_are_those_of_one_process(
    name: str, one: Callable[[str], Any], several: dict[str, Any]
) -> None:
    assert difference(weights_in(one(name)[1]), weights_in(several[name][1])) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_the_figures_are_those_of_one_process(
    name: str, one: Callable[[str], Any], several: dict[str, Any]
) -> None:
    def figures(events: list[dict[str, Any]], kind: str, *fields: str) -> list[float]:
        return [each[field] for each in events if each["event"] == kind for field in fields]

    theirs, ours = one(name)[0], several[name][0]
    for kind, exact, close in (
        ("BatchDone", ("accuracy", "photos", "step", "learning_rate"), ("loss",)),
        ("EpochDone", ("val_accuracy", "train_accuracy", "best_epoch"), ("val_loss",)),
    ):
        assert figures(ours, kind, *exact) == figures(theirs, kind, *exact)
        assert figures(ours, kind, *close) == pytest.approx(figures(theirs, kind, *close), rel=1e-5)


def test_all_processes_have_the_same_weights(several: dict[str, Any]) -> None:
    first, *others = several["digests"]
    assert len(first) == len(CASES) + 6
    assert all(each == first for each in others)


def test_one_process_writes_the_run(several: dict[str, Any]) -> None:
    events, models = several["batch norm"]
    run = run_in(models)
    assert sum(isinstance(each, BatchDone) for each in run.history.events()) == 6
    assert [each["event"] for each in events].count("BatchDone") == 6


def test_requests_reach_all_processes(several: dict[str, Any]) -> None:
    events, models = several["asked"]
    kinds = [each["event"] for each in events]
    assert kinds.count("BatchDone") == 4
    assert {"FrozenChanged", "LearningRateChanged"} <= set(kinds)
    assert kinds[-1] == "Stopped"
    resumed, _ = several["resumed"]
    (started,) = [each for each in resumed if each["event"] == "RunStarted"]
    assert (started["epoch"], started["batch"], started["resumed"]) == (2, 1, True)
    assert started["frozen"]
    assert resumed[-1]["event"] == "Finished"
    assert run_in(models).recipe().frozen == ("stem.*",)


def test_all_processes_take_smaller_batches_if_one_lacks_memory(
    one: Callable[[str], Any], several: dict[str, Any]
) -> None:
    events, models = several["memory"]
    warnings = [each["message"] for each in events if each["event"] == "Warned"]
    assert any("The batch size is 4 now" in each for each in warnings), warnings
    assert events[-1]["event"] == "Finished"
    assert difference(weights_in(one("smaller")[1]), weights_in(models)) < 1e-5


def test_all_processes_roll_back(several: dict[str, Any]) -> None:
    events, _ = several["not finite"]
    kinds = [each["event"] for each in events]
    assert "RolledBack" in kinds
    assert kinds[-1] == "Finished"
