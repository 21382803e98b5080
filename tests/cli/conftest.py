"""A dataset of two classes, a run trained on it, and folders of runs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from command_line import PLAIN
from PIL import Image

from flowergui import tasks
from flowergui.cli import commands
from flowergui.config.recipe import Recipe
from flowergui.events import Event


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of ten pictures: mostly red, mostly blue; and a file that is no picture."""
    folder = tmp_path_factory.mktemp("photos") / "flowers"
    draw = np.random.default_rng(0)
    for label, name in enumerate(("poppy", "violet")):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            pixels = draw.integers(0, 60, (40, 40, 3), dtype=np.uint8)
            pixels[..., 2 * label] += 180
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "poppy" / "torn.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def trained(flowers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder of a finished run of two epochs."""
    models = tmp_path_factory.mktemp("models")
    arguments = ["--epochs", "2", "--batch-size", "4", "--models-folder", str(models)]
    assert commands.run(["train", str(flowers), *PLAIN, *arguments, "--json"]) == 0
    return models


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder, which FLOWERGUI_MODELS names."""
    monkeypatch.setenv("FLOWERGUI_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Keeps the recipes that would be trained; nothing is."""
    kept: list[Recipe] = []

    def train(recipe: Recipe, *_: object) -> Iterator[Event]:
        kept.append(recipe)
        yield from ()

    monkeypatch.setattr(tasks, "train", train)
    return kept
