"""What the tests of learning share: one core, one folder of photos, one little recipe."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from flowergui.recipe import Recipe


@pytest.fixture(scope="session", autouse=True)
def one_core() -> Iterator[None]:
    """One thread: the machine may be shared, and little networks gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def folder(make_photos: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of eight photos; six of each train and two are held back."""
    return make_photos(tmp_path_factory.mktemp("photos") / "blumen")


@pytest.fixture
def little(folder: Path) -> Callable[..., Recipe]:
    """A recipe that trains in a second: two epochs of three batches."""

    def make(**changes: object) -> Recipe:
        values = {
            "photos": str(folder),
            "model": "mynet",
            "image_size": 32,
            "epochs": 2,
            "batch_size": 6,
            "augmentation": "none",
            "device": "cpu",
            "precision": "float32",
            "workers": 0,
            "ema": 0.0,
        }
        return Recipe(**{**values, **changes})

    return make
