"""A GPU that PyTorch can't use is reported, with the command that changes it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from flowergui import tasks
from flowergui.cli import commands
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import DeviceNoticed, ModelsListed
from flowergui.facts import DeviceNotice
from flowergui.learning.device import gpu_check, hardware

SENTENCE = "This PyTorch was built without CUDA, so your NVIDIA card is not used."

Little = Callable[..., Recipe]


@pytest.fixture
def built_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cuda", "hip", "xpu"):
        monkeypatch.setattr(torch.version, name, None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(params=["nvidia-smi", "proc", "nvcuda.dll"])
def nvidia(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with NVIDIA's driver, found in one of three ways."""
    places = {
        "nvidia-smi": tmp_path / "bin" / "nvidia-smi",
        "proc": tmp_path / "version",
        "nvcuda.dll": tmp_path / "System32" / "nvcuda.dll",
    }
    place = places[request.param]
    place.parent.mkdir(exist_ok=True)
    place.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    monkeypatch.setattr(gpu_check, "NVIDIA_DRIVER", tmp_path / "version")


@pytest.fixture
def no_nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("SYSTEMROOT", raising=False)
    monkeypatch.setattr(gpu_check, "NVIDIA_DRIVER", tmp_path / "version")


@pytest.mark.usefixtures("built_without_cuda", "nvidia")
def test_an_nvidia_card_without_cuda_is_reported() -> None:
    notice = gpu_check.unused_gpu()
    assert notice is not None
    assert notice.kind == DeviceNotice.TORCH_WITHOUT_CUDA
    assert sys.executable in notice.command
    assert "pip install --force-reinstall torch torchvision --index-url https://" in notice.command
    listed, noticed = tasks.list_models()
    assert isinstance(listed, ModelsListed)
    assert noticed == notice
    with pytest.raises(FlowerError, match="built without CUDA") as refused:
        hardware.device("cuda")
    assert "pip install" in refused.value.hint


@pytest.mark.usefixtures("built_without_cuda", "no_nvidia")
def test_without_a_card_nothing_is_said() -> None:
    assert gpu_check.unused_gpu() is None
    (listed,) = tasks.list_models()
    assert isinstance(listed, ModelsListed)
    with pytest.raises(FlowerError, match="no NVIDIA or AMD GPU"):
        hardware.device("cuda")


@pytest.mark.usefixtures("built_without_cuda", "nvidia")
def test_where_nothing_can_be_installed_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)  # as PyInstaller does
    assert gpu_check.unused_gpu() is None


@pytest.mark.usefixtures("nvidia")
@pytest.mark.parametrize("name", ["cuda", "hip", "xpu"])
def test_a_pytorch_for_gpus_is_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("cuda", "hip", "xpu"):
        monkeypatch.setattr(torch.version, each, "13.0" if each == name else None)
    assert gpu_check.unused_gpu() is None


@pytest.mark.usefixtures("built_without_cuda", "nvidia")
def test_training_warns_of_it_on_the_command_line(
    folder: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(folder), "--model", "mynet", "--image-size", "16", "--epochs", "1"]
    words += ["--models-folder", str(models)]
    assert commands.run(words) == 0
    warned = capsys.readouterr().err
    assert SENTENCE in warned
    assert gpu_check.install_command() in warned
    assert commands.run([*words, "--json"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["event"], first["kind"]) == ("DeviceNoticed", "torch-without-cuda")


@pytest.mark.usefixtures("built_without_cuda", "nvidia")
def test_who_chose_the_cpu_is_not_warned(little: Little) -> None:
    run = tasks.train(little(device="cpu"))
    assert not isinstance(next(run), DeviceNoticed)
    run.close()
