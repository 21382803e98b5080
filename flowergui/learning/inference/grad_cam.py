"""Grad-CAM: which places of an image speak for a class.

Selvaraju et al. 2017, arXiv 1610.02391: the channels of the last layer with spatial dimensions are
summed, each weighted by the mean gradient of the class's logit; negative values become 0.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from math import isqrt
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import SwinTransformer, VisionTransformer

from flowergui.errors import FlowerError
from flowergui.facts import MIN_BRIGHTNESS, Heatmap
from flowergui.learning.data import image_io
from flowergui.store.photo_files import TakenNames, free_names
from flowergui.text import tr

MAX_SIDE_PX = 1024
"""Most pixels of a side of the pictures that show a map."""

MAX_STEM_BYTES = 200
"""Of a longer name of a photo, the rest is cut: file systems take 255 bytes."""


def target_layer(net: nn.Module, images: Tensor) -> str:
    """The name of the module whose output Grad-CAM uses: of those that are called once, the last
    one that gives (B, C, h, w) with h and w above 1. In a Vision Transformer only the first layer
    does; the tokens that its last block attends to are taken instead. "" if there is no such
    module, as for very small images."""
    if isinstance(net, VisionTransformer):
        return f"encoder.layers.encoder_layer_{len(net.encoder.layers) - 1}.ln_1"
    channels_last = isinstance(net, SwinTransformer)  # all but what it permutes at its end
    found: list[str] = []
    calls: Counter[str] = Counter()
    thread = get_ident()

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if get_ident() != thread:  # another one may be asking the same network
                return
            calls[name] += 1
            places = isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1
            if places and (not channels_last or name == "permute"):
                found.append(name)

        return hook

    hooks = [
        module.register_forward_hook(note(name)) for name, module in net.named_modules() if name
    ]
    try:
        with torch.inference_mode():
            net(images)
    finally:
        for hook in hooks:
            hook.remove()
    return next((name for name in reversed(found) if calls[name] == 1), "")


def class_activation_maps(
    net: nn.Module, layer: str, image: Tensor, labels: Sequence[int]
) -> tuple[Tensor, ...]:
    """Grad-CAM of one image (1, 3, S, S), normalized: for each of `labels` a map (h, w) float32
    from 0 to 1 on the CPU, all 0 if nothing speaks for that class.

    `net` is in evaluation mode, and none of its parameters takes gradients; `layer` is its
    `target_layer`. Layers before that one are computed once and without a graph.
    """
    kept: list[Tensor] = []
    thread = get_ident()

    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        if get_ident() != thread:
            return None
        kept.append(output.detach().requires_grad_())
        return kept[-1].clone()  # what comes next may work in place

    handle = net.get_submodule(layer).register_forward_hook(hook)
    try:
        with torch.enable_grad():
            logits = net(image)[0]
            gradients = [
                torch.autograd.grad(logits[label], kept[0], retain_graph=True)[0]
                for label in labels
            ]
    finally:
        handle.remove()
    activations = _by_place(kept[0].detach())
    return tuple(_map(activations, _by_place(gradient)).cpu() for gradient in gradients)


def _by_place(values: Tensor) -> Tensor:
    """(1, C, h, w), or tokens (1, 1 + h h, C) of which the first has no place -> (C, h, w)."""
    if values.ndim == 4:
        return values[0].float()
    side = isqrt(values.shape[1] - 1)
    return values[0, 1:].T.reshape(-1, side, side).float()


def _map(activations: Tensor, gradient: Tensor) -> Tensor:
    heat = (activations * gradient.mean((1, 2), keepdim=True)).sum(0).relu()
    top = heat.max()
    return heat / top if top > 0 else heat


def as_rows(heat: Tensor) -> Heatmap:
    """A map (h, w) as plain numbers, to three digits."""
    lines: list[list[float]] = heat.tolist()
    return tuple(tuple(round(value, 3) for value in line) for line in lines)


def overlay(photo: Path, heat: Heatmap, folder: Path, taken: TakenNames | None = None) -> Path:
    """Writes the center crop of a photo, dark where nothing speaks for the class, into `folder` as
    <photo>-why.jpg, and returns that path; no file is replaced. `taken` is as in `free_names`.
    Raises FlowerError."""
    whole = image_io.read(photo, at_least=MAX_SIDE_PX)
    side = min(*whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    square = whole.crop((left, top, left + side, top + side))
    if side > MAX_SIDE_PX:
        square = square.resize((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    lit = np.rint(255 * (MIN_BRIGHTNESS + (1 - MIN_BRIGHTNESS) * np.array(heat))).astype(np.uint8)
    mask = Image.fromarray(lit).resize(square.size, Image.Resampling.BICUBIC)
    shown = Image.composite(square, Image.new("RGB", square.size), mask)
    stem = os.fsencode(photo.stem)[:MAX_STEM_BYTES].decode(sys.getfilesystemencoding(), "ignore")
    names = free_names(folder / f"{stem}-why.jpg", taken, " {number}")
    path = next(path for path in names if not os.path.exists(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shown.save(path, "JPEG", quality=90)
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(
            tr(
                "{name} can't be written into {folder}: {reason}.",
                name=path.name,
                folder=folder,
                reason=reason,
            )
        ) from error
    return path
