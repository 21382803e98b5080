"""A new run that starts with all weights of a file, its head included."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event, Warned
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data.class_folders import class_name
from flowergui.learning.data.photos import Photos
from flowergui.learning.data.scan import scan_to_split
from flowergui.learning.data.split import split_after, split_photos
from flowergui.learning.models import weights
from flowergui.learning.models.identify import IdentifiedArchitecture, identify_architecture
from flowergui.learning.models.pretrained import Pretrained
from flowergui.learning.training import new_run
from flowergui.requests import LiveRequests
from flowergui.text import enumerated, tr


def train_from_weights(
    stored: Mapping[str, Any],
    path: Path,
    live: LiveRequests,
    changes: Mapping[str, Any],
    models: Path,
) -> Iterator[Event]:
    """Trains a new run under `models` that starts with all weights in `stored`, the content of the
    file `path`. `changes` are fields of its recipe, `photos` among them. Raises FlowerError."""
    if not changes.get("photos"):
        raise FlowerError(
            tr("{file} holds weights alone: its training set is unknown.", file=path.name),
            hint=tr("Choose the dataset that it was trained on."),
            option="--photos",
        )
    tensors = weights.rename_keys(checkpoint.extract_state_dict(stored, path))
    known = _identified(tensors, path, changes.get("model", ""))
    ours = (
        weights.from_file(path, known.model) if checkpoint.is_flowergui_checkpoint(stored) else None
    )
    recipe = _recipe(known, ours, changes)
    found = yield from new_run.unless_stopped(scan_to_split(Path(recipe.photos)), live)
    if found is None:
        return
    _raise_if_other_classes(path, known, tuple(stored["classes"]) if ours else (), found)
    yield Warned(
        tr(
            "{file} is a {model} for {count} classes. It holds weights alone: optimizer, schedule "
            "and epochs start from the beginning, and its classes are taken to be yours in "
            "alphabetical order.",
            file=path.name,
            model=known.model,
            count=known.class_count,
        )
    )
    if ours:
        split = split_after(found, ours, recipe, path)
    else:
        split = split_photos(found, recipe.validation_fraction, recipe.seed)
    normalization = (ours.mean, ours.std) if ours else None
    new = new_run.NewRun(split, models, whole=(path.name, tensors), normalisation=normalization)
    yield from new_run.begin(recipe, live, new)


def _recipe(
    known: IdentifiedArchitecture, ours: Pretrained | None, changes: Mapping[str, Any]
) -> Recipe:
    """The recommended recipe with what is known of the weights, and the changes. `ours` is what a
    checkpoint or an export of this program says of them. Raises FlowerError."""
    # Weights don't say at which image size they were trained; the network's own is the likeliest.
    usual = replace(
        with_preset(Recipe(mode="scratch"), "recommended"),
        model=known.model,
        image_size=known.image_size,
        first_training_size=0,
    )
    if ours is None:
        return replace(usual, **changes).checked()
    before = Recipe.from_dict(dict(ours.recipe))
    usual = replace(
        usual,
        image_size=ours.image_size,
        seed=before.seed,
        validation_fraction=before.validation_fraction,
    )
    recipe = replace(usual, **changes).checked()
    return recipe if recipe.image_size else replace(recipe, image_size=ours.image_size)


def _raise_if_other_classes(
    path: Path, known: IdentifiedArchitecture, theirs: tuple[str, ...], found: Photos
) -> None:
    """Raises FlowerError if the dataset has other classes than the weights. `theirs`
    are the names of these, if they are known."""
    hint = tr("Open the dataset that it was trained on, or start a transfer from it.")
    if theirs and tuple(map(class_name, theirs)) != found.classes:
        raise FlowerError(
            tr(
                "{file} was trained on the classes {theirs}, and {folder} has {classes}.",
                file=path.name,
                theirs=enumerated(theirs),
                folder=found.folder.name,
                classes=enumerated(found.classes),
            ),
            hint=hint,
        )
    if known.class_count != len(found.classes):
        raise FlowerError(
            tr(
                "{file} was trained on {theirs} classes, and {folder} has {count}.",
                file=path.name,
                theirs=known.class_count,
                folder=found.folder.name,
                count=len(found.classes),
            ),
            hint=hint,
        )


def _identified(tensors: dict[str, Tensor], path: Path, wanted: str) -> IdentifiedArchitecture:
    """The architecture that bare weights are of. Raises FlowerError if it is none of the catalogue,
    or not the `wanted` one ("" for any)."""
    known = identify_architecture(tensors)
    if known is None:
        raise FlowerError(
            tr("{file} does not fit any network of the catalogue.", file=path.name),
            hint=tr(
                "If it is a variant of one, start a transfer from it with that network: it takes "
                "the weights that fit."
            ),
        )
    if wanted and wanted != known.model:
        raise FlowerError(
            tr(
                "{file} holds the weights of a {model}, not of a {wanted}.",
                file=path.name,
                model=known.model,
                wanted=wanted,
            ),
            hint=tr("Choose {model}.", model=known.model),
        )
    return known
