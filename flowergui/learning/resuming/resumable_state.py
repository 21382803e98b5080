"""Whether a run can go on from what a checkpoint holds: whether its parts fit together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from flowergui.config.recipe import SETTING, Recipe
from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.checkpoints.checkpoint_schema import RECIPE_ERROR
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.describe import describe
from flowergui.learning.models.freeze import frozen_parameters
from flowergui.learning.training.optimizers import has_state_of
from flowergui.text import tr


class WeightsOnlyError(FlowerError):
    """A file that was to be resumed holds weights and nothing else of a run."""

    def __init__(self, stored: Mapping[str, Any], path: Path) -> None:
        super().__init__(
            tr("{file} holds weights alone.", file=path.name),
            hint=tr("Choose the dataset that it was trained on: a new run starts from it."),
        )
        self.stored, self.path = stored, path


def check_resumable(stored: Mapping[str, Any], path: Path) -> None:
    """Raises WeightsOnlyError if the content of the file `path` is no state of a run, and
    FlowerError if its weights, its optimizer's state or its frozen parameters are not those of its
    own network: a run could not go on from it. The fields themselves were checked when it was
    read."""
    if not checkpoint.is_resumable(stored):
        raise WeightsOnlyError(stored, path)
    if reason := stored.get(RECIPE_ERROR):
        raise _unusable(path, "recipe", str(reason))
    for name in ("device", "precision"):
        choices = [each.value for each in SETTING[name].choices if each.value != "auto"]
        if (value := stored.get(name)) is not None and value not in choices:
            raise _unusable(path, name)
    recipe = Recipe.from_dict(stored["recipe"])
    network = recipe.model, len(stored["classes"]), stored["image_size"]
    try:
        frozen_parameters(stored.get("frozen", ()), *network)
    except FlowerError as error:
        raise FlowerError(
            tr("{file} can't be used: {reason}", file=path.name, reason=error.message),
            hint=error.hint,
        ) from error
    net = build_on_meta(*network)
    shapes = {name: tensor.shape for name, tensor in net.state_dict().items()}
    for part in ("model", "ema"):
        if (weights := stored.get(part)) is not None and not _fit(weights, shapes):
            raise _unfit(path, part)
    if not has_state_of(stored["optimizer"], net, recipe, describe(*network).stages):
        raise _unfit(path, "optimizer")


def _fit(weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> bool:
    """Whether these are all weights of a network with these `shapes`, and finite."""
    return {name: each.shape for name, each in weights.items()} == shapes and all(
        bool(torch.isfinite(each).all()) for each in weights.values()
    )


def _unusable(path: Path, field: str, reason: str = "") -> FlowerError:
    return FlowerError(
        tr("{file} can't be resumed: it holds no valid {field}.", file=path.name, field=field),
        hint=reason or tr("Choose another checkpoint of its run: previous.pth or best.pth."),
    )


def _unfit(path: Path, part: str) -> FlowerError:
    return FlowerError(
        tr("{file} is damaged: its {part} does not fit its own network.", file=path.name,
           part=part),
        hint=tr("Choose another checkpoint of its run: previous.pth or best.pth."),
    )  # fmt: skip
