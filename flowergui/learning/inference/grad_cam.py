"""Why a network says what it says: the places in a photo that speak for a class.

Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391): of the last layer whose values still have a
place in the photo, each channel counts for as much as its mean gradient towards the class's logit;
what speaks against the class is left out.
"""

from collections import Counter
from collections.abc import Callable
from itertools import count
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
from flowergui.facts import (
    MIN_BRIGHTNESS,
    Heatmap,
)
from flowergui.learning.data import image_io

LARGEST = 1024
"""Most pixels of a side of the pictures that show it."""


def target_layer(net: nn.Module, images: Tensor) -> str:
    """The name of the module whose values `explain` looks at: of those that are called once, the
    last one that gives (B, C, h, w) with more than one place. A Vision Transformer has none but its
    first; of its tokens, those that its last block attends to are taken. "" where there is no such
    module, as where images are so small that nothing in them keeps its place."""
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


def explain(
    net: nn.Module, layer: str, images: Tensor, most: int
) -> tuple[Tensor, tuple[int, ...], tuple[Tensor, ...]]:
    """One image (1, 3, S, S), normalised -> its logits (classes,); the `most` likeliest classes;
    and for each of them a map (h, w) float32 from 0 to 1, all 0 where nothing speaks for it.

    `net` is in evaluation mode, and none of its parameters wants a gradient; `layer` is its
    `looking_layer`. What comes before that layer is computed once and without a graph.
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
            logits = net(images)[0]
            shares = logits.detach().float().softmax(0)
            likeliest = tuple(shares.topk(min(most, len(shares))).indices.tolist())
            gradients = [
                torch.autograd.grad(logits[label], kept[0], retain_graph=True)[0]
                for label in likeliest
            ]
    finally:
        handle.remove()
    places = _by_place(kept[0].detach())
    maps = tuple(_lit(places, _by_place(gradient)) for gradient in gradients)
    return logits.detach(), likeliest, maps


def _by_place(values: Tensor) -> Tensor:
    """(1, C, h, w), or tokens (1, 1 + h h, C) of which the first has no place -> (C, h, w)."""
    if values.ndim == 4:
        return values[0].float()
    side = isqrt(values.shape[1] - 1)
    return values[0, 1:].T.reshape(-1, side, side).float()


def _lit(places: Tensor, gradient: Tensor) -> Tensor:
    heat = (places * gradient.mean((1, 2), keepdim=True)).sum(0).relu()
    top = heat.max()
    return heat / top if top > 0 else heat


def as_rows(heat: Tensor) -> Heatmap:
    """A map as plain numbers, to three digits."""
    lines: list[list[float]] = heat.tolist()
    return tuple(tuple(round(value, 3) for value in line) for line in lines)


def overlay(photo: Path, heat: Heatmap, folder: Path) -> Path:
    """Writes the middle square of a photo, dark where nothing speaks for the class, into `folder`
    as <photo>-why.jpg, and returns that path; what is there already is kept. Raises FlowerError."""
    whole = image_io.read(photo, at_least=LARGEST)
    side = min(*whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    square = whole.crop((left, top, left + side, top + side))
    if side > LARGEST:
        square = square.resize((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    lit = np.rint(255 * (MIN_BRIGHTNESS + (1 - MIN_BRIGHTNESS) * np.array(heat))).astype(np.uint8)
    mask = Image.fromarray(lit).resize(square.size, Image.Resampling.BICUBIC)
    shown = Image.composite(square, Image.new("RGB", square.size), mask)
    names = (f"{photo.stem}-why{'' if number == 1 else f' {number}'}.jpg" for number in count(1))
    path = next(folder / name for name in names if not (folder / name).exists())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shown.save(path, "JPEG", quality=90)
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(f"{path.name} can't be written into {folder}: {reason}.") from error
    return path
