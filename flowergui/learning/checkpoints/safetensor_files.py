"""Weights as .safetensors: a form that holds numbers and text and can't hold anything else.

What a predictor needs to know of them (classes, network, image size, normalisation) is JSON in
the file's metadata, so that such a file answers like a checkpoint. A file without it is read as
a bare state dict.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from flowergui.errors import FlowerError

SUFFIX: Final = ".safetensors"
_KEY: Final = "flowergui"


def read(path: Path) -> dict[str, Any]:
    """The tensors under "model" beside what the metadata say; tensors alone where they say
    nothing. Raises FlowerError that names the file."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise FlowerError(f"{path.name} is no safetensors file, or it is damaged.") from error
    return {**facts, "model": tensors} if isinstance(facts, dict) and facts else tensors


def packed(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """The file's content. `facts` are JSON-ready."""
    # Cloned, since tensors that share their memory are refused.
    whole = {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return save(whole, {"format": "pt", _KEY: json.dumps(facts)})
