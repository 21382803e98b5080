"""State dicts are found in whatever other programs wrap them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from networks import SMALLEST
from torch import Tensor, nn

from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.checkpoints.wrapped_weights import find_weights
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.describe import head_of


class Little(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 2)


class Around(nn.Module):
    """What Lightning's users write: the network, and what else they need."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.add_module(name, Little())
        self.loss = nn.CrossEntropyLoss(torch.ones(2))


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": each for name, each in Little().state_dict().items()}


WRAPPED: dict[str, Callable[[], dict[str, Any]]] = {
    "bare": lambda: Little().state_dict(),
    "torch.compile": lambda: torch.compile(Little()).state_dict(),
    "DataParallel": lambda: nn.DataParallel(Little()).state_dict(),
    "both": lambda: nn.DataParallel(torch.compile(Little())).state_dict(),
    "AveragedModel": lambda: torch.optim.swa_utils.AveragedModel(Little()).state_dict(),
    "Lightning": lambda: {"epoch": 3, "state_dict": Around("model").state_dict()},
    "net": lambda: {"state_dict": Around("net").state_dict(), "loss": torch.tensor(0.5)},
    "any name": lambda: prefixed("classifier_of_flowers."),
    "deeper": lambda: prefixed("student.backbone."),
    "params": lambda: {"params": Little().state_dict()},
    "any key": lambda: {"epoch": 1, "generation": {"best": Little().state_dict()}},
    "optimizer beside": lambda: {
        "weights_of_it": Little().state_dict(),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(4, 3, 3, 3)}}},
        "loss": torch.tensor(0.5),
    },
    "a wrapped part": lambda: {
        name.replace("stem.", "stem._orig_mod."): each
        for name, each in Little().state_dict().items()
    },
}


@pytest.mark.parametrize("how", WRAPPED)
def test_the_names_are_those_of_the_network(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.pth"
    torch.save(WRAPPED[how](), path)
    found = checkpoint.extract_state_dict(checkpoint.read(path), path)
    Little().load_state_dict(found)  # strict


@pytest.mark.parametrize("model", SMALLEST)
def test_no_name_of_the_catalogue_is_taken_for_a_wrapper(model: str) -> None:
    own = build_on_meta(model, 2, 224).state_dict()
    assert find_weights(own).keys() == own.keys()
    headless = {name: each for name, each in own.items() if name not in head_of(model)}
    assert find_weights(headless).keys() == headless.keys()


def test_what_holds_no_weights_gives_none() -> None:
    assert find_weights({"epoch": 3, "state_dict": {}, 3: "x"}) == {}
