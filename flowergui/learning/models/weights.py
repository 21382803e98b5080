"""Weights that training may start from: torchvision's, downloaded once, or a file of yours."""

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torchvision.models import WeightsEnum

from flowergui.errors import FlowerError, OtherArchitectureError
from flowergui.events import DownloadProgress, WeightsSaved
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import load_state_dict
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.download import cache_folder, download
from flowergui.learning.models.identify import identify_architecture
from flowergui.learning.models.torchvision_models import weights_of
from flowergui.text import percent, tr

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Normalization of RGB from 0 to 1 with ImageNet's statistics, as in torchvision's references."""

_TENSORFLOW, HALF = ("googlenet", "inception_v3"), (0.5, 0.5, 0.5)
"""Two networks whose ImageNet weights came from TensorFlow, and their normalization. torchvision
normalizes a second time inside them (`transform_input`); we do it in one step."""

IMAGENET = 1_000
"""The number of classes of ImageNet."""

_MLP = {"1": "0", "2": "3"}
"""ViT's two linear layers: their place in the sequence that holds them today."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A state dict, its input size in pixels and its RGB normalization.

    A run's weights also have its `recipe`, in the form of recipe.json, and the `fingerprint` of its
    split.
    """

    name: str
    tensors: Mapping[str, Tensor]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""


def load(model: str, weights: str) -> Generator[DownloadProgress, None, Pretrained]:
    """The weights that a recipe names: "imagenet", a version of it, or a file.

    Raises FlowerError if there are none of that name, if the download fails, and if the file
    doesn't hold weights.
    """
    chosen = _version(model, weights)
    if chosen is None:
        return from_file(Path(weights), model)
    path = yield from download(chosen.url, cache_folder())
    transforms = chosen.transforms()
    tensorflow = model in _TENSORFLOW
    return Pretrained(
        name=chosen.name,
        tensors=remap_legacy_keys(checkpoint.extract_state_dict(checkpoint.read(path), path)),
        image_size=transforms.crop_size[0],
        mean=HALF if tensorflow else tuple(transforms.mean),
        std=HALF if tensorflow else tuple(transforms.std),
    )


def save(model: str, weights: str, models: Path) -> Iterator[DownloadProgress | WeightsSaved]:
    """Writes torchvision's weights into `models` as a plain state dict: <model>.pth, or
    <model>_<version>.pth if they are not the default. Raises FlowerError."""
    chosen = _version(model, weights)
    if chosen is None and (Path(weights).suffix or Path(weights).exists()):
        raise FlowerError(
            tr("{weights} is a file already.", weights=weights),
            hint=tr("Transfer learning can start from it."),
        )
    if chosen is None:
        raise _no_such_weights(weights, model)
    path = yield from download(chosen.url, cache_folder())
    tensors = remap_legacy_keys(checkpoint.extract_state_dict(checkpoint.read(path), path))
    default = chosen is weights_of(model)[0]
    target = models / (f"{model}.pth" if default else f"{model}_{chosen.name}.pth")
    try:
        models.mkdir(parents=True, exist_ok=True)
        checkpoint.write(tensors, target)
    except OSError as error:
        raise FlowerError(
            tr(
                "{name} can't be written into {folder}: {reason}.",
                name=target.name,
                folder=models,
                reason=error.strerror or error,
            ),
            hint=tr("Free some space there, or choose another folder for models."),
        ) from error
    yield WeightsSaved(str(target))


def _version(model: str, weights: str) -> WeightsEnum | None:
    """torchvision's weights that a recipe names; None if it names a file. Raises FlowerError if
    there are none of that name."""
    model_info(model)
    versions = {each.name.lower(): each for each in weights_of(model)}
    word = weights.lower()
    if word in versions:
        return versions[word]
    if word in ("imagenet", "default") and versions:
        return next(iter(versions.values()))
    if word in ("imagenet", "default") or word.startswith("imagenet1k_"):
        raise _no_such_weights(weights, model)
    return None


def _no_such_weights(weights: str, model: str) -> FlowerError:
    known = ", ".join(each.name for each in weights_of(model))
    return FlowerError(
        tr("{model} has no weights called {weights}.", model=model, weights=weights),
        hint=tr("It has {names}.", names=known)
        if known
        else tr("Choose a .pth file of your own, or another network."),
    )


def from_file(path: Path, model: str) -> Pretrained:
    """Weights from a checkpoint of ours (the EMA weights if it has them), or from a state dict."""
    stored = checkpoint.read(path)
    ours = checkpoint.is_flowergui_checkpoint(stored)
    recipe = stored["recipe"] if ours else {}
    normalisation = stored.get("normalisation", {}) if ours else {}
    tensors = remap_legacy_keys(checkpoint.extract_state_dict(stored, path))
    if not normalisation and model in _TENSORFLOW and _class_count(tensors, model) == IMAGENET:
        normalisation = {"mean": HALF, "std": HALF}
    return Pretrained(
        name=path.name,
        tensors=tensors,
        image_size=int(stored.get("image_size", 0)) if recipe.get("model") == model else 0,
        mean=tuple(normalisation.get("mean", MEAN)),
        std=tuple(normalisation.get("std", STD)),
        recipe=recipe,
        fingerprint=str(stored.get("fingerprint", "")) if ours else "",
    )


def _class_count(tensors: Mapping[str, Tensor], model: str) -> int:
    """The number of classes of weights of `model`; 0 if they have no head."""
    heads = [tensors[name] for name in head_of(model) if name in tensors]
    return heads[0].shape[0] if heads else 0


def own_image_size(model: str, weights: str) -> int:
    """The input size in pixels of torchvision's `weights` of `model`, without loading them; for
    other weights the architecture's own."""
    versions: dict[str, WeightsEnum] = {e.name.lower(): e for e in weights_of(model)}
    if weights.lower() in versions:
        size: int = versions[weights.lower()].transforms().crop_size[0]
        return size
    return model_info(model).image_size


def load_pretrained(net: nn.Module, pretrained: Pretrained, model: str) -> list[str]:
    """Copies the tensors that fit into `net`, without the head. Returns the names of those that
    did not fit.

    Raises OtherArchitectureError if less than half of the backbone's values fit.
    """
    head = set(head_of(model))
    own = net.state_dict()
    fitting = {
        name: tensor
        for name, tensor in pretrained.tensors.items()
        if name in own and name not in head and own[name].shape == tensor.shape
    }
    wanted = {name: tensor for name, tensor in own.items() if name not in head}
    share = _values(fitting) / max(_values(wanted), 1)
    if share < 0.5:
        raise _other_architecture(pretrained, model, share)
    load_state_dict(net, fitting, strict=False)
    return [name for name in wanted if name not in fitting]


def _other_architecture(pretrained: Pretrained, model: str, share: float) -> FlowerError:
    found = identify_architecture(pretrained.tensors)
    own = found.model if found else str(pretrained.recipe.get("model", ""))
    if own in ("", model):
        return OtherArchitectureError(
            tr(
                "{name} holds weights of another network: only {share} of {model} fits.",
                name=pretrained.name,
                share=percent(share),
                model=model,
            ),
            hint=tr("Choose the network that they were trained with."),
        )
    return OtherArchitectureError(
        tr(
            "{name} holds weights of {own}, not of {model}.",
            name=pretrained.name,
            own=own,
            model=model,
        ),
        hint=tr("Choose the network {own}.", own=own),
        model=own,
    )


def remap_legacy_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with today's names: torchvision's files of DenseNet and ViT have older names for
    some layers, which its own loading renames too."""

    def renamed(name: str) -> str:
        name = re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", name)
        return re.sub(r"(\.mlp)\.linear_([12])\.", lambda m: f"{m[1]}.{_MLP[m[2]]}.", name)

    return {renamed(name): tensor for name, tensor in tensors.items()}


def _values(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())
