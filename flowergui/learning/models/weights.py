"""Weights that training can start from: those of the catalogue, or a file."""

import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

from torch import Tensor, nn

from flowergui.errors import FlowerError, OtherArchitectureError
from flowergui.events import DownloadProgress, WeightsSaved
from flowergui.facts import WeightsFacts
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import load_state_dict
from flowergui.learning.models.catalogue import PROVIDERS, model_info, provider_of
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.identify import identify_architecture, image_size_of
from flowergui.learning.models.pretrained import Pretrained
from flowergui.text import enumerated, percent, tr


def load(model: str, weights: str) -> Generator[DownloadProgress, None, Pretrained]:
    """The weights that a recipe names: "imagenet", a version of it, or a file.

    Raises FlowerError if there are none of that name, if the download fails, and if the file
    doesn't hold weights.
    """
    chosen = _version(model, weights)
    if chosen is None:
        return from_file(Path(weights), model)
    return (yield from provider_of(model).load_weights(model, chosen.name))


def save(model: str, weights: str, models: Path) -> Iterator[DownloadProgress | WeightsSaved]:
    """Writes pretrained weights into `models` as a plain state dict: <model>.pth, or
    <model>_<version>.pth if they are not the network's default. Raises FlowerError."""
    chosen = _version(model, weights)
    if chosen is None and (Path(weights).suffix or os.path.exists(weights)):
        raise FlowerError(
            tr("{weights} is a file already.", weights=weights),
            hint=tr("Transfer learning can start from it."),
        )
    if chosen is None:
        raise _no_such_weights(weights, model)
    pretrained = yield from provider_of(model).load_weights(model, chosen.name)
    default = chosen is model_info(model).weights[0]
    target = models / (f"{model}.pth" if default else f"{model}_{chosen.name}.pth")
    try:
        models.mkdir(parents=True, exist_ok=True)
        checkpoint.write(dict(pretrained.tensors), target)
    except OSError as error:
        raise FlowerError(
            tr(
                "{name} can't be written into {folder}: {reason}.",
                name=target.name,
                folder=models,
                reason=error.strerror or error,
            ),
            hint=tr("Free some space there, or choose another folder for runs and weights."),
        ) from error
    yield WeightsSaved(str(target))


def _version(model: str, weights: str) -> WeightsFacts | None:
    """The weights of the catalogue that a recipe names; None if it names a file. Raises FlowerError
    if there are none of that name."""
    versions = {each.name.lower(): each for each in model_info(model).weights}
    word = weights.lower()
    if word in versions:
        return versions[word]
    if word in ("imagenet", "default") and versions:
        return next(iter(versions.values()))
    if word in ("imagenet", "default") or word.startswith("imagenet1k_"):
        raise _no_such_weights(weights, model)
    return None


def _no_such_weights(weights: str, model: str) -> FlowerError:
    known = enumerated(each.name for each in model_info(model).weights)
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
    tensors = rename_keys(checkpoint.extract_state_dict(stored, path))
    mean, std = provider_of(model).normalization(model, _class_count(tensors, model))
    return Pretrained(
        name=path.name,
        tensors=tensors,
        image_size=(
            stored["image_size"] if recipe.get("model") == model else image_size_of(tensors, model)
        ),
        mean=tuple(normalisation.get("mean", mean)),
        std=tuple(normalisation.get("std", std)),
        recipe=recipe,
        fingerprint=stored.get("fingerprint", "") if ours else "",
    )


def _class_count(tensors: Mapping[str, Tensor], model: str) -> int:
    """The number of classes of weights of `model`; 0 if they have no head."""
    heads = [tensors[name] for name in head_of(model) if name in tensors]
    return heads[0].shape[0] if heads and heads[0].ndim else 0


def own_image_size(model: str, weights: str) -> int:
    """The input size in pixels of the pretrained `weights` of `model`, without loading them; for
    other weights the architecture's own."""
    info = model_info(model)
    sizes = {each.name.lower(): each.image_size for each in info.weights}
    return sizes.get(weights.lower(), info.image_size)


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
            hint=tr("Choose the network that they were trained with.")
            if share
            else tr("Choose weights of a network that is in the list of networks."),
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


def rename_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file with the names that our networks have, for all providers."""
    renamed = dict(tensors)
    for provider in PROVIDERS:
        renamed = provider.rename_keys(renamed)
    return renamed


def _values(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())
