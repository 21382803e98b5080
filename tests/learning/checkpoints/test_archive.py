"""What a disk has damaged, and what other programs have written, is refused by name."""

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last.pth"


def overwritten(path: Path, name: str) -> None:
    """4 KB of zeros in the middle of a member."""
    with zipfile.ZipFile(path) as archive:
        member = next(each for each in archive.infolist() if each.filename.endswith(name))
    with path.open("r+b") as file:
        file.seek(member.header_offset + 200 + member.file_size // 2)
        file.write(bytes(4096))


def test_a_checkpoint_that_is_damaged_inside_is_refused(path: Path) -> None:
    torch.save({"w": torch.rand(50_000)}, path)
    overwritten(path, "data/0")
    with pytest.raises(FlowerError, match=r"last\.pth is damaged: the checksum of last/data/0"):
        checkpoint.read(path)


def test_a_file_that_was_saved_without_checksums_is_read(path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.ones(3)}, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(checkpoint.read(path)["w"], torch.ones(3))


def test_a_program_of_torchscript_is_called_one(path: Path) -> None:
    with warnings.catch_warnings(action="ignore"):  # it is deprecated, and files of it stay
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), path)
    with pytest.raises(FlowerError, match=r"last\.pth is a program of TorchScript") as refused:
        checkpoint.read(path)
    assert "torch.jit.load" in refused.value.hint


def test_an_archive_of_other_files_is_called_one(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, w=np.zeros(3))
    with pytest.raises(FlowerError, match=r"zip archive of other files \(w\.npy\)"):
        checkpoint.read(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "x.pth",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
            "pointer of Git LFS",
        ),
        ("x.pth", b"\n<!DOCTYPE html><html>", "is a web page"),
        ("x.onnx", b"\x08\x08\x12\x07pytorch", "is an ONNX file"),
        ("x.pth", b"\x89HDF\r\n\x1a\n" + bytes(9), r"is a file of Keras \(HDF5\)"),
        ("x.pth", bytes(4) + b"TFL3", "is a file of TensorFlow Lite"),
        ("x.pth", b"\x1f\x8b\x08", "is a file of gzip"),
        ("x.pth", bytes(257) + b"ustar", "is a file of tar"),
    ],
)
def test_files_of_other_programs_are_called_what_they_are(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FlowerError, match=says):
        checkpoint.read(tmp_path / name)


def test_safetensors_and_checkpoints_are_known_by_their_content(path: Path) -> None:
    from safetensors.torch import save

    path.write_bytes(save({"w": torch.ones(3)}))
    assert torch.equal(checkpoint.read(path)["w"], torch.ones(3))
    other = path.with_name("x.safetensors")
    torch.save({"w": torch.ones(3)}, other)
    assert torch.equal(checkpoint.read(other)["w"], torch.ones(3))
