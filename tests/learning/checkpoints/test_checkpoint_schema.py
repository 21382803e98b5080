"""A checkpoint is compared with its schema when it is read; what is wrong is named."""

from pathlib import Path
from typing import Any

import pytest
import torch

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.checkpoints.checkpoint_schema import CHECKPOINT

EPOCH = {"epoch": 1, "epochs": 2, "step": 3, "train_loss": 0.5, "val_loss": None, "seconds": 2.0}

GOOD: dict[str, Any] = {
    "format": checkpoint.FORMAT,
    "recipe": Recipe(photos="/flowers", mode="scratch", model="mynet").as_dict(),
    "classes": ["daisy", "iris"],
    "model": {"w": torch.zeros(2), "n": torch.tensor(3)},
    "image_size": 32,
    "ema": None,
    "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"params": [0]}]},
    "scaler": {},
    "frozen": ["w"],
    "step": 3,
    "schedule": {"base": 0.1, "best_loss": float("inf"), "lowered": 1.0, "shift": -2},
    "progress": {"epoch": 2, "batch": 0, "sums": {"loss": float("nan"), "right": 0}},
    "epoch": 2,
    "batch": 0,
    "best_accuracy": 0.5,
    "history": [EPOCH],
    "normalisation": {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]},
    "device": "cpu",
    "precision": "float32",
    "fingerprint": "abc",
    "versions": {"torch": "2.14"},
}

WRONG: list[tuple[str, Any, str]] = [
    ("recipe", None, "recipe"),
    ("recipe", {"epochs": 0}, "recipe"),
    ("recipe", {"photos": None}, "recipe"),
    ("recipe", {"epochs": 10**400}, "recipe"),
    ("classes", [], "classes"),
    ("classes", ["daisy", "daisy"], "classes"),
    ("model", {}, "model"),
    ("model", {"w": torch.zeros(2, dtype=torch.complex64)}, "model"),
    ("model", {"w": torch.zeros(2, dtype=torch.float64)}, "model"),
    ("model", {3: torch.zeros(2)}, "model"),
    ("image_size", 0, "image_size"),
    ("image_size", 10**6, "image_size"),
    ("image_size", 32.0, "image_size"),
    ("ema", [1], "ema"),
    ("optimizer", None, "optimizer"),
    ("optimizer", {"state": {}}, "optimizer.param_groups"),
    ("optimizer", {"state": {0: 3}, "param_groups": []}, "optimizer.state"),
    ("optimizer", {"state": {}, "param_groups": [3]}, "optimizer.param_groups.0"),
    ("scaler", {"scale": 1.0}, "scaler"),
    ("frozen", "w", "frozen"),
    ("step", -1, "step"),
    ("schedule", [], "schedule"),
    ("schedule", {"base": float("nan")}, "schedule.base"),
    ("progress", {"epoch": 0}, "progress.epoch"),
    ("progress", {"sums": {"right": "x"}}, "progress.sums.right"),
    ("epoch", "2", "epoch"),
    ("history", {}, "history"),
    ("history", [{**EPOCH, "seconds": None}], "history.0.seconds"),
    ("normalisation", {"mean": [0.5]}, "normalisation.mean"),
    ("normalisation", {"std": [0.0, 1.0, 1.0]}, "normalisation.std"),
    ("device", 1, "device"),
    ("device", None, "device"),
    ("precision", ["float32"], "precision"),
    ("fingerprint", 3, "fingerprint"),
    ("versions", {"torch": 2}, "versions.torch"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last.pth"


def test_every_field_is_described() -> None:
    assert {"format", *CHECKPOINT.fields} == GOOD.keys()


def test_what_is_good_is_read(path: Path) -> None:
    torch.save(GOOD, path)
    assert checkpoint.read(path).keys() == GOOD.keys()


def test_what_an_export_lacks_may_be_missing(path: Path) -> None:
    needed = ("format", *CHECKPOINT.required)
    torch.save({key: GOOD[key] for key in needed} | {"of a later version": [1]}, path)
    assert checkpoint.is_flowergui_checkpoint(checkpoint.read(path))
    for name in CHECKPOINT.required:
        torch.save({key: GOOD[key] for key in needed if key != name}, path)
        with pytest.raises(FlowerError, match=f"it holds no valid {name}"):
            checkpoint.read(path)


@pytest.mark.parametrize(("field", "value", "named"), WRONG)
def test_what_is_wrong_is_named(path: Path, field: str, value: Any, named: str) -> None:
    torch.save({**GOOD, field: value}, path)
    with pytest.raises(FlowerError, match=rf"last\.pth is damaged: it holds no valid {named}\."):
        checkpoint.read(path)


def test_a_recipe_of_an_older_version_has_all_fields(path: Path) -> None:
    torch.save({**GOOD, "recipe": {"model": "mynet", "epochs": 3.0}}, path)
    recipe = checkpoint.read(path)["recipe"]
    assert recipe == Recipe(mode="scratch", model="mynet", epochs=3).as_dict()
