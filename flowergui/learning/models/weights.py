"""Weights that training may start from: torchvision's, downloaded once, or a file of yours."""

import hashlib
import os
import re
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress, WeightsSaved
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import load_state_dict
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.torchvision_models import weights_of

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Normalisation of RGB from 0 to 1: ImageNet's, as in torchvision's references."""

_TENSORFLOW, HALF = ("googlenet", "inception_v3"), (0.5, 0.5, 0.5)
"""Two networks whose ImageNet weights came from TensorFlow, and their normalisation: torchvision
normalises for them once more inside (`transform_input`); ours leave that out and do it at once."""

IMAGENET = 1_000
"""The classes of ImageNet."""

_MLP = {"1": "0", "2": "3"}
"""ViT's two linear layers: their place in the sequence that holds them today."""

_CHUNK = 1 << 18
_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A state dict and what it was made for: input size in pixels, RGB normalisation. Where it is
    a run's, its `recipe` in the form of recipe.json and the `fingerprint` of its split."""

    name: str
    tensors: Mapping[str, Tensor]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""


def load(model: str, weights: str) -> Generator[DownloadProgress, None, Pretrained]:
    """The weights that a recipe names: imagenet, a version of it, or a file.

    Raises FlowerError where there are none of that name, where a download fails, and where
    the file is no weights.
    """
    chosen = _version(model, weights)
    if chosen is None:
        return from_file(Path(weights), model)
    path = yield from download(chosen.url, _cache_folder())
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
    """Puts torchvision's weights into `models` as a plain state dict: <model>.pth, and
    <model>_<version>.pth for those that are not the default. Raises FlowerError."""
    chosen = _version(model, weights)
    if chosen is None and (Path(weights).suffix or Path(weights).exists()):
        raise FlowerError(f"{weights} is a file already.", hint="Transfer can start from it.")
    if chosen is None:
        raise _no_such_weights(weights, model)
    path = yield from download(chosen.url, _cache_folder())
    tensors = remap_legacy_keys(checkpoint.extract_state_dict(checkpoint.read(path), path))
    default = chosen is weights_of(model)[0]
    target = models / (f"{model}.pth" if default else f"{model}_{chosen.name}.pth")
    try:
        models.mkdir(parents=True, exist_ok=True)
        checkpoint.write(tensors, target)
    except OSError as error:
        raise FlowerError(
            f"{target.name} can't be written into {models}: {error.strerror or error}.",
            hint="Make room there, or choose another folder for models.",
        ) from error
    yield WeightsSaved(str(target))


def _version(model: str, weights: str) -> WeightsEnum | None:
    """torchvision's weights that a recipe names; None where it names a file. Raises FlowerError
    where there are none of that name."""
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
    hint = f"It has {known}." if known else "Choose a .pth file of yours, or another network."
    return FlowerError(f"{model} has no weights called {weights}.", hint=hint)


def from_file(path: Path, model: str) -> Pretrained:
    """Weights from a checkpoint of ours (its averaged ones where it has them) or a state dict."""
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
    """How many classes weights of `model` know; 0 where they have no head."""
    heads = [tensors[name] for name in head_of(model) if name in tensors]
    return heads[0].shape[0] if heads else 0


def own_image_size(model: str, weights: str) -> int:
    """The input size in pixels that torchvision's `weights` of `model` were made for, without
    loading them; the architecture's own for other weights."""
    versions: dict[str, WeightsEnum] = {e.name.lower(): e for e in weights_of(model)}
    if weights.lower() in versions:
        size: int = versions[weights.lower()].transforms().crop_size[0]
        return size
    return model_info(model).image_size


def load_pretrained(net: nn.Module, pretrained: Pretrained, model: str) -> list[str]:
    """Copies what fits into `net`; the head stays fresh. Returns the names that did not fit.

    Raises FlowerError where less than half of the backbone's values find a place: those are
    weights of another architecture.
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
        raise FlowerError(
            f"{pretrained.name} holds weights of another network: {share:.0%} of {model} fits.",
            hint="Choose the network that they were trained with.",
        )
    load_state_dict(net, fitting, strict=False)
    return [name for name in wanted if name not in fitting]


def remap_legacy_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by the names of today: torchvision's files of DenseNet and of ViT are older
    than the present names of some of their layers, as its own loading knows too."""

    def renamed(name: str) -> str:
        name = re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", name)
        return re.sub(r"(\.mlp)\.linear_([12])\.", lambda m: f"{m[1]}.{_MLP[m[2]]}.", name)

    return {renamed(name): tensor for name, tensor in tensors.items()}


def _values(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())


# --- downloading ------------------------------------------------------------------------------


def _cache_folder() -> Path:
    """Where torchvision itself keeps its weights: what it has downloaded is found by us."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, folder: Path) -> Generator[DownloadProgress, None, Path]:
    """The file behind `url`, downloaded into `folder` unless it is there already.

    torchvision's names end in the first digits of the content's SHA-256 (it publishes no more of
    it), and what comes, or was there, is held against all that there are. A file that is cut,
    wrong or not waited for leaves nothing behind. Raises FlowerError.
    """
    name = url.rpartition("/")[2]
    target = folder / name
    digits = re.search(r"-([0-9a-f]{8,64})\.", name)
    if target.is_file() and (not digits or _sha256(target).startswith(digits[1])):
        return target
    partial = Path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        request = urllib.request.Request(url, headers={"User-Agent": "flowergui"})
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT) as answer,
            tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as file,
        ):
            partial = Path(file.name)
            total, done, digest = (
                int(answer.headers.get("Content-Length") or 0),
                0,
                hashlib.sha256(),
            )
            yield DownloadProgress(name, 0, total)
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                yield DownloadProgress(name, done, total)
        if total and done < total:
            raise FlowerError(f"The download of {name} was cut off.", hint="Try again.")
        if digits and not digest.hexdigest().startswith(digits[1]):
            raise FlowerError(f"What came as {name} is not what it should be.", hint="Try again.")
        os.replace(partial, target)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        reason = getattr(error, "reason", error)
        if isinstance(reason, socket.gaierror):  # "Name or service not known" helps nobody
            reason = f"{urlsplit(url).hostname} can't be reached from here"
        raise FlowerError(
            f"The weights {name} could not be downloaded: {reason}.",
            hint="Connect to the internet, choose a .pth file of yours, or train from scratch. "
            f"You can also put the file into {folder}.",
        ) from error
    except OSError as error:
        raise FlowerError(
            f"The weights {name} could not be kept in {folder}: {error.strerror or error}."
        ) from error
    finally:
        if partial.name:
            partial.unlink(missing_ok=True)
    return target
