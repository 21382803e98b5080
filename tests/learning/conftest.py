"""What the tests of learning share: one core, one folder of photos, one little recipe."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from flowergui.config.recipe import Recipe
from flowergui.learning.checkpoints import checkpoint_writer
from flowergui.learning.models.torchvision_models import weights_of


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
            "mode": "scratch",
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


@pytest.fixture
def saves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No save goes on beside the training, so that one can say when each is over."""
    monkeypatch.setattr(checkpoint_writer, "SYNC_BELOW_BYTES", 1 << 40)


@pytest.fixture
def cached_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a state dict be torchvision's weights of a network, downloaded before: a file in
    torch's cache whose name ends in the digits of its hash, as torchvision's do."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)

    def make(model: str, tensors: dict[str, torch.Tensor], version: int = 0) -> Path:
        chosen = weights_of(model)[version]
        torch.save(tensors, folder / "whole")
        digits = hashlib.sha256((folder / "whole").read_bytes()).hexdigest()[:8]
        path = (folder / "whole").rename(folder / f"{model}-{digits}.pth")
        monkeypatch.setattr(chosen.value, "url", f"http://127.0.0.1:9/{path.name}")
        return path

    return make
