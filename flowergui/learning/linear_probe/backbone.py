"""A pretrained network without its last linear layer, whose input is an image's feature vector."""

import os
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from flowergui.config.recipe import DEFAULT_MODELS
from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.learning.acceleration.frozen_split import Features, FrozenSplit, split_at_frozen
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import augmentation
from flowergui.learning.data.layout import VALIDATION_NAMES, split_name
from flowergui.learning.device import hardware, transfers
from flowergui.learning.models import weights
from flowergui.learning.models.build import build_blank
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.identify import identify_architecture
from flowergui.learning.models.pretrained import Pretrained, Rgb
from flowergui.store import archives
from flowergui.text import shortened, tr

CLASSES = 2
"""Classes of the networks that are built here: no head is used, so any number does."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A frozen network on a device, with all that its images must be.

    Its images have `image_size` pixels; `mean` and `std` normalize RGB from 0 to 1. `megabytes` is
    the size of its parameters in float32, without those of the last layer. `trained_on` is the
    folder of images that the weights were trained on, if a run of flowergui did it and says so.
    """

    model: str
    weights: str
    image_size: int
    mean: Rgb
    std: Rgb
    device: torch.device
    megabytes: float
    split: FrozenSplit
    trained_on: str = ""

    def features(self, images: Tensor) -> Tensor:
        """Images (B, S, S, 3) of bytes, on the CPU -> features (B, D) float32, on the CPU."""
        sent = transfers.send(images, self.device)
        normalized = augmentation.normalize(sent, self.mean, self.std)
        return as_matrix(self.split.backbone(normalized)).float().cpu()

    def columns(self) -> int:
        """D, the number of features of an image. The network computes those of a blank one."""
        blank = torch.zeros(1, self.image_size, self.image_size, 3, dtype=torch.uint8)
        return self.features(blank).shape[1]

    def refuse_leakage(self, folder: Path) -> None:
        """Raises FlowerError if the weights were trained on images in `folder`: they would seem
        better than they are."""
        if self.trained_on and _has_images_of(folder, Path(self.trained_on)):
            raise FlowerError(
                tr(
                    "{weights} was trained on these images, so its accuracy on them would say "
                    "nothing (data leakage).",
                    weights=self.weights,
                ),
                hint=tr("Evaluate its run: flowergui evaluate RUN"),
            )


def as_matrix(features: Features) -> Tensor:
    """What a backbone gives, each (B, ...), as one matrix (B, D): maps (B, C, H, W) are averaged
    over their places, as those of SqueezeNet, whose last layer is a convolution."""
    return torch.cat([each.flatten(2).mean(2) if each.ndim > 2 else each for each in features], 1)


def load_backbone(
    model: str = "", weights_name: str = "imagenet", device: str = "auto"
) -> Generator[DownloadProgress, None, Backbone]:
    """The backbone with the weights that `weights_name` names, as a recipe does, on `device`. It
    computes in bfloat16 where that is faster.

    Without `model`, a file says which architecture it belongs to; for other weights it is the
    default of a transfer. Draws no random numbers. Raises FlowerError if the weights can't be had
    or don't fit, or if memory is short.
    """
    is_file = bool(Path(weights_name).suffix) or os.path.isfile(weights_name)
    size = 0
    if not model:
        model, size = (
            _architecture(Path(weights_name)) if is_file else (DEFAULT_MODELS["transfer"], 0)
        )
    pretrained = yield from weights.load(model, weights_name)
    size = pretrained.image_size or size or weights.own_image_size(model, weights_name)
    with report_out_of_memory(model):
        net = build_blank(model, CLASSES, size)
        missing = set(weights.load_pretrained(net, pretrained, model))
    if missing := missing & {name for name, _ in net.named_parameters()}:
        raise FlowerError(
            tr(
                "{name} lacks tensors of {model}, or they have other shapes: {tensors}.",
                name=pretrained.name,
                model=model,
                tensors=shortened(sorted(missing)),
            ),
            hint=tr("Choose other weights."),
        )
    with report_out_of_memory(model):
        return _frozen(net, pretrained, model, size, hardware.device(device))


def report_out_of_memory(model: str) -> AbstractContextManager[None]:
    """Raises FlowerError for what a device or the system raises when memory is full; `model` is the
    network that needs it."""
    return hardware.report_out_of_memory(
        tr("There is not enough memory to run {model} now.", model=model),
        tr("Wait until a run is over, or close other programs."),
    )


def _frozen(
    net: nn.Module, pretrained: Pretrained, model: str, size: int, device: torch.device
) -> Backbone:
    net = net.requires_grad_(False).eval().to(device).to(memory_format=torch.channels_last)
    head = set(head_of(model))
    frozen = {name: parameter for name, parameter in net.named_parameters() if name not in head}
    dtype = hardware.precision("auto", device)
    return Backbone(
        model=model,
        weights=pretrained.name,
        image_size=size,
        mean=pretrained.mean,
        std=pretrained.std,
        device=device,
        megabytes=sum(4 * each.numel() for each in frozen.values()) / 1e6,
        split=split_at_frozen(net, model, CLASSES, size, frozen, dtype),
        trained_on=str(pretrained.recipe.get("photos", "")),
    )


def _architecture(path: Path) -> tuple[str, int]:
    """The architecture of a file and the image size that it was built for; 0 if it is unknown.
    Raises FlowerError if no network of the catalogue fits."""
    stored = checkpoint.read(path)
    if checkpoint.is_flowergui_checkpoint(stored):
        return str(stored["recipe"]["model"]), 0
    found = identify_architecture(weights.rename_keys(checkpoint.extract_state_dict(stored, path)))
    if found is None:
        raise FlowerError(
            tr("{name} holds weights of no network of the catalogue.", name=path.name),
            hint=tr("Name the network, or choose another file."),
        )
    return found.model, found.image_size


def _has_images_of(folder: Path, trained_on: Path) -> bool:
    """Whether `folder` has images that a run on the folder `trained_on` trained with: it is that
    folder, holds it, or is in it. Folders for validation and tests have none."""
    below = _names_below(trained_on, folder)
    if below is not None:
        return not any(split_name(name) in VALIDATION_NAMES for name in below)
    return archives.is_dataset(trained_on) and _names_below(folder, trained_on) is not None


def _names_below(outer: Path, inner: Path) -> tuple[str, ...] | None:
    """The names of the folders from `outer` down to `inner`, links resolved: none if they are the
    same. None if `inner` is elsewhere."""
    place = Path(os.path.realpath(inner))
    for depth, each in enumerate((place, *place.parents)):
        if _same_folder(each, outer):
            return place.parts[len(place.parts) - depth :]
    return None


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
