"""Weights as .safetensors, a format that can hold tensors and text but no code.

What predictions need besides the weights (classes, architecture, image size, normalization) is JSON
in the file's metadata. A file without it is read as a bare state dict.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.text import tr

SUFFIX: Final = ".safetensors"
_KEY: Final = "flowergui"


def is_one(file: BinaryIO) -> bool:
    """Whether this is a safetensors file, whatever its name: the length of a header (8 bytes,
    little-endian) and that header, which is JSON. It is at its beginning afterwards."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(9)
    file.seek(0)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= size - 8


def read(path: Path) -> dict[str, Any]:
    """The metadata, with the tensors under "model"; only the tensors if there are no metadata.
    Raises FlowerError that names the file."""
    try:
        with safe_open(path, framework="pt") as file:
            # Cloned, since they are mapped to the file, which may be overwritten or cut.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            facts = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except Exception as error:  # damaged files fail in many ways
        raise damaged(path) from error
    return {**facts, "model": tensors} if isinstance(facts, dict) and facts else tensors


def damaged(path: Path) -> FlowerError:
    """The error for a file that is not what its name says."""
    return FlowerError(tr("{file} is no safetensors file, or it is damaged.", file=path.name))


def packed(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """The content of a file with these tensors and metadata; `facts` are JSON-ready."""
    # Cloned, since safetensors refuses tensors that share memory.
    whole = {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return save(whole, {"format": "pt", _KEY: json.dumps(facts)})
