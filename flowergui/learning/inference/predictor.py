"""A trained network, read from a checkpoint, with all that prediction needs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.device import hardware
from flowergui.learning.inference import grad_cam
from flowergui.learning.models import pretrained
from flowergui.learning.models.build import build_on_meta, load_state_dict
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
"""By their names in checkpoints; all others compute in float32."""


@dataclass(frozen=True)
class Predictor:
    """A trained network in evaluation mode, on the CPU, and what its images must be.

    `classes` are in the order of the logits; `mean` and `std` normalize RGB from 0 to 1. `epoch` is
    the last that the weights have seen, whole or in part. The network was trained on a device of
    the kind `trained_on` and validated in `dtype`; its recipe asks for `device`.
    """

    net: nn.Module
    classes: tuple[str, ...]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    epoch: int
    trained_on: str
    dtype: torch.dtype
    device: str

    @cached_property
    def cam_layer(self) -> str:
        """The name of the module that Grad-CAM looks at; "" if there is none."""
        size = self.image_size
        return grad_cam.target_layer(self.net, torch.zeros(1, 3, size, size))


def device_for(predictor: Predictor, wish: str = "") -> torch.device:
    """The device `wish` ("auto", "cpu", "cuda" or "mps"); if it is empty, the one that the
    checkpoint's recipe asks for, or "auto" if this machine does not have that. Raises FlowerError
    if it does not have the wish."""
    if wish:
        return hardware.device(wish)
    try:
        return hardware.device(predictor.device)
    except (FlowerError, RuntimeError):  # RuntimeError: a name that torch does not know
        return hardware.device("auto")


def probabilities(logits: Tensor, path: Path) -> Tensor:
    """Softmax of logits (..., classes), float32. Raises FlowerError if one is NaN or infinite, and
    names the checkpoint at `path`."""
    shares = logits.float().softmax(-1)
    if not shares.isfinite().all():
        raise FlowerError(
            tr(
                "{checkpoint} predicts NaN: its training went wrong before it was saved.",
                checkpoint=path.name,
            ),
            hint=tr("Choose another checkpoint."),
        )
    return shares


def checkpoint_of(source: Path) -> Path:
    """`source`, or the checkpoint to use if it is a run folder. Raises FlowerError if that has
    none yet."""
    return RunFolder(source).checkpoint_to_use() if os.path.isdir(source) else source


def load(path: Path) -> Predictor:
    """The network in a checkpoint, with its averaged weights if it has them. The last one that was
    read is kept. Raises FlowerError."""
    try:
        modified_ns = path.stat().st_mtime_ns
    except OSError:
        raise FlowerError(tr("There is no file {path}.", path=path)) from None
    predictor = _load(path, modified_ns)
    names = renamed_classes(path, predictor.classes)
    return predictor if names == predictor.classes else replace(predictor, classes=names)


def renamed_classes(path: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    """`classes` by the names that the run of this checkpoint has for them now: a run that is
    resumed may rename some, which its older checkpoints can't know. A classes.json that somebody
    else put beside a checkpoint renames nothing."""
    run = RunFolder(path.parent)
    if path not in (run.last, run.previous, run.best, run.resumed):
        return classes
    names = run.current_classes(classes)
    return classes if set(names) == set(classes) else names  # a run never reorders them


@lru_cache(maxsize=1)
def _load(path: Path, modified_ns: int) -> Predictor:
    return from_stored(checkpoint.read(path), path)


def from_stored(stored: Mapping[str, Any], path: Path) -> Predictor:
    """The network in what `checkpoint.read` gave for the file at `path`, with the names of classes
    that are in it. Raises FlowerError, which names the file."""
    if not checkpoint.is_flowergui_checkpoint(stored):
        raise FlowerError(
            tr(
                "{checkpoint} has only weights: it does not say which network and classes they "
                "belong to.",
                checkpoint=path.name,
            ),
            hint=tr("Use a best.pth or last.pth that Flowergui saved."),
        )
    classes = tuple(stored["classes"])
    size = int(stored["image_size"])
    net = build_on_meta(stored["recipe"]["model"], len(classes), size)
    try:
        load_state_dict(net, checkpoint.extract_state_dict(stored, path), assign=True)
    except RuntimeError as error:
        raise FlowerError(
            tr("{checkpoint} does not fit its own network; it is damaged.", checkpoint=path.name)
        ) from error
    net.requires_grad_(False)
    normalisation = stored.get("normalisation", {})
    return Predictor(
        net=net.eval().to(memory_format=torch.channels_last),
        classes=classes,
        image_size=size,
        mean=tuple(normalisation.get("mean", pretrained.MEAN)),
        std=tuple(normalisation.get("std", pretrained.STD)),
        epoch=_epoch(stored),
        trained_on=str(stored.get("device", "cpu")).partition(":")[0],
        dtype=DTYPES.get(str(stored.get("precision")), torch.float32),
        device=str(stored["recipe"].get("device", "auto")),
    )


def _epoch(stored: Mapping[str, Any]) -> int:
    """The last epoch that the weights have seen, whole or in part."""
    epoch, batch = stored.get("epoch", 1), stored.get("batch", 0)
    assert isinstance(epoch, int)
    return epoch if batch else max(epoch - 1, 1)
