"""Files of other programs that are taken for checkpoints: what each of them is, in a sentence."""

from pathlib import Path
from typing import BinaryIO, Final

from flowergui.errors import FlowerError
from flowergui.text import tr

_FORMATS: Final = (
    (0, b"\x89HDF\r\n\x1a\n", "Keras (HDF5)"),
    (4, b"TFL3", "TensorFlow Lite"),
    (0, b"GGUF", "llama.cpp (GGUF)"),
    (0, b"\x93NUMPY", "NumPy"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!", "RAR"),
    (257, b"ustar", "tar"),
)
"""Where each format has which bytes, and its name."""

_HEAD_BYTES: Final = 512


def refuse(file: BinaryIO, path: Path) -> None:
    """Raises FlowerError that says what the file is, if it is of a known other format. It is at its
    beginning afterwards."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if head.startswith(b"version https://git-lfs"):
        raise FlowerError(
            tr("{file} is a pointer of Git LFS; the file itself was not downloaded.",
               file=path.name),
            hint=tr("Download it: {command}", command="git lfs pull"),
        )  # fmt: skip
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise FlowerError(
            tr("{file} is a web page, not a checkpoint.", file=path.name),
            hint=tr("Its download failed: download it again."),
        )
    if path.suffix.lower() == ".onnx":
        raise FlowerError(
            tr("{file} is an ONNX file, which can predict but not be trained.", file=path.name),
            hint=tr("Choose the checkpoint that it was exported from."),
        )
    for at, mark, name in _FORMATS:
        if head[at : at + len(mark)] == mark:
            raise FlowerError(
                tr("{file} is a file of {format}, not a checkpoint of PyTorch.", file=path.name,
                   format=name),
                hint=tr("Choose a .pth or .safetensors file."),
            )  # fmt: skip
