"""Checkpoint + image -> ranked guesses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.events import (
    Event,
    Explained,
    Predicted,
    PredictionFailed,
)
from flowergui.facts import (
    Heatmap,
    Prediction,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import augmentation, batches
from flowergui.learning.inference import grad_cam
from flowergui.learning.models import network, weights
from flowergui.store.run_folder import RunFolder

TOP_K = 5

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
"""By their names in checkpoints; all others compute in float32."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A trained network in evaluation mode on the CPU, and what it takes and tells; and how it was
    trained: on which kind of `device` and in which `dtype`."""

    net: nn.Module
    classes: tuple[str, ...]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    epoch: int
    device: str
    dtype: torch.dtype


def predict(
    source: Path, images: Sequence[Path], *, why: bool = False, out: Path | None = None
) -> Iterator[Event]:
    """Predicted or PredictionFailed for each image, by a checkpoint or by a run folder's best;
    after each Predicted, where they want to know `why` and the network can tell, Explained, with a
    picture in the folder `out`, where there is one.

    Nothing is drawn at random, so a training beside it goes on the same. Raises FlowerError
    where the checkpoint can't answer, and where the pictures can't be written.
    """
    path = RunFolder(source).checkpoint_to_use() if source.is_dir() else source
    predictor = load(path)
    prepare = batches.eval_transform(predictor.image_size)
    layer = _looking_layer(predictor) if why else ""
    for image in images:
        try:
            pixels = prepare(image)
        except FlowerError as error:
            yield PredictionFailed(str(image), str(error))
            continue
        views = torch.from_numpy(pixels.copy())[None]
        batch = augmentation.normalize(views, predictor.mean, predictor.std)
        heats: tuple[Heatmap, ...] = ()
        if layer:
            logits, _, maps = grad_cam.explain(predictor.net, layer, batch, TOP_K)
            heats = tuple(grad_cam.as_rows(heat) for heat in maps)
        else:
            with torch.inference_mode():
                logits = predictor.net(batch)[0]
        top = probabilities(logits, path).topk(min(TOP_K, len(predictor.classes)))
        guesses = tuple(
            Prediction(predictor.classes[index], probability)
            for probability, index in zip(top.values.tolist(), top.indices.tolist(), strict=True)
        )
        yield Predicted(str(image), guesses, str(path), predictor.epoch)
        if layer:
            picture = grad_cam.overlay(image, heats[0], out) if out else ""
            yield Explained(str(image), heats, str(picture))


def probabilities(logits: Tensor, path: Path) -> Tensor:
    """Of logits (..., classes), float32. Raises FlowerError where the network at `path` gives
    none."""
    shares = logits.float().softmax(-1)
    if not shares.isfinite().all():
        raise FlowerError(
            f"{path.name} gives no numbers: its training went wrong before it was saved.",
            hint="Choose another checkpoint.",
        )
    return shares


def load(path: Path) -> Predictor:
    """The network in a checkpoint; its averaged weights where it has them. Raises FlowerError."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        raise FlowerError(f"There is no file {path}.") from None
    predictor = _load(path, stamp)
    # A class may be called otherwise since the checkpoint was saved; new ones stand behind.
    names = RunFolder(path.parent).classes()[: len(predictor.classes)]
    renamed = len(names) == len(predictor.classes)
    return replace(predictor, classes=names) if renamed else predictor


@lru_cache(maxsize=1)
def _looking_layer(predictor: Predictor) -> str:
    size = predictor.image_size
    return grad_cam.target_layer(predictor.net, torch.zeros(1, 3, size, size))


@lru_cache(maxsize=1)
def _load(path: Path, stamp: int) -> Predictor:
    stored = checkpoint.read(path)
    if not checkpoint.is_flowergui_checkpoint(stored):
        raise FlowerError(
            f"{path.name} holds weights alone: it does not say which network and classes they are.",
            hint="Use a best.pth or last.pth that flowergui saved.",
        )
    classes = tuple(stored["classes"])
    size = int(stored["image_size"])
    net = network.build_on_meta(stored["recipe"]["model"], len(classes), size)
    try:
        network.load_state_dict(net, checkpoint.extract_state_dict(stored, path), assign=True)
    except RuntimeError as error:
        raise FlowerError(f"{path.name} does not fit its own network; it is damaged.") from error
    net.requires_grad_(False)
    normalisation = stored.get("normalisation", {})
    return Predictor(
        net=net.eval(),
        classes=classes,
        image_size=size,
        mean=tuple(normalisation.get("mean", weights.MEAN)),
        std=tuple(normalisation.get("std", weights.STD)),
        epoch=_epoch(stored),
        device=str(stored.get("device", "cpu")).partition(":")[0],
        dtype=DTYPES.get(str(stored.get("precision")), torch.float32),
    )


def _epoch(stored: dict[str, object]) -> int:
    """The last epoch that the weights have seen whole or in part."""
    epoch, batch = stored.get("epoch", 1), stored.get("batch", 0)
    assert isinstance(epoch, int)
    return epoch if batch else max(epoch - 1, 1)
