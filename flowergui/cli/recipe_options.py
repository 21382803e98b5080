"""From the options of the command line to a recipe."""

import argparse
import os
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from flowergui import tasks
from flowergui.cli.console import say
from flowergui.cli.shared_options import absolute_folder
from flowergui.config.presets import with_epochs, with_preset
from flowergui.config.recipe import DEFAULT_MODELS, SETTING, Recipe
from flowergui.config.setting import Value
from flowergui.errors import FlowerError
from flowergui.events import ModelsListed
from flowergui.store import recipe_file
from flowergui.text import tr

DEFAULT_PRESET = "recommended"


def explicit_settings(args: argparse.Namespace) -> dict[str, Value]:
    """The settings that are given on the command line."""
    given = {name: value for name, value in vars(args).items() if name in SETTING}
    for name, value in given.items():
        if isinstance(SETTING[name].default, tuple):
            given[name] = tuple(chain.from_iterable(value))
    return given


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe of a new run: that of --recipe, else the values of the preset, each with the
    settings that are given. Raises FlowerError."""
    explicit: dict[str, Any] = explicit_settings(args)
    if "epochs" in explicit and explicit.get("minutes"):
        raise FlowerError(
            tr("--epochs and --minutes can't both be given."),
            hint=tr("A time budget chooses the number of epochs."),
        )
    if "weights" in explicit and os.path.isfile(explicit["weights"]):
        explicit["weights"] = os.path.abspath(explicit["weights"])  # as the folder of the images
    if explicit.keys() & {"frozen", "unfreeze_schedule"}:  # what is frozen stays so otherwise
        explicit.setdefault("freeze_epochs", 0)
    if args.recipe:
        return _recipe_from_file(args, explicit)
    if "weights" in explicit:
        _check_starts_from_weights(explicit.setdefault("mode", "transfer"))
    mode = explicit.get("mode") or _usual_mode(explicit.get("model", ""))
    model = DEFAULT_MODELS.get(mode, "")
    recipe = Recipe(photos=absolute_folder(args.folder), mode=mode, model=model)
    recipe = with_preset(recipe, args.preset or DEFAULT_PRESET)
    recipe = _with_explicit(recipe, explicit).checked()
    if "image_size" not in explicit:
        return _with_fitting_size(recipe)
    list(tasks.describe_model(recipe.model, 2, recipe.image_size))  # raises, before any download
    return recipe


def _recipe_from_file(args: argparse.Namespace, explicit: dict[str, Any]) -> Recipe:
    """The recipe in the file --recipe, with the settings that are given. A file of weights that it
    names may be beside it."""
    if args.preset:
        raise FlowerError(
            tr("--recipe and --preset can't both be given."),
            hint=tr("Leave --preset out: the file has all settings."),
        )
    path = Path(args.recipe)
    if os.path.isdir(path):
        path /= "recipe.json"
    try:
        recipe = recipe_file.read(path)
    except FileNotFoundError:
        raise FlowerError(tr("There is no file {path}.", path=path)) from None
    beside = path.absolute().parent / recipe.weights
    if recipe.mode == "transfer" and os.path.isfile(beside):
        recipe = replace(recipe, weights=str(beside))
    if "frozen" in explicit:  # the schedule of the file is for what is frozen there
        explicit.setdefault("unfreeze_schedule", ())
    if "weights" in explicit:
        _check_starts_from_weights(explicit.get("mode", recipe.mode))
    recipe = _with_explicit(recipe, {**explicit, "photos": absolute_folder(args.folder)}).checked()
    list(tasks.describe_model(recipe.model, 2, recipe.image_size))  # raises, before any download
    return recipe


def _with_explicit(recipe: Recipe, explicit: dict[str, Any]) -> Recipe:
    if "epochs" in explicit and "minutes" not in explicit:
        return with_epochs(recipe, explicit["epochs"], explicit)
    return replace(recipe, **explicit)


def _check_starts_from_weights(mode: str) -> None:
    """Raises FlowerError if a new run in this mode starts from random weights."""
    if mode != "transfer":
        raise FlowerError(
            tr("Only a transfer starts from pretrained weights."),
            hint=tr("Leave --weights out, or add --mode transfer."),
        )


def _usual_mode(model: str) -> str:
    """The mode of a run that names none: transfer, unless this network ("" for none) has no
    pretrained weights to start from."""
    if model:
        for event in tasks.list_models():
            if isinstance(event, ModelsListed):
                found = next((each for each in event.models if each.name == model), None)
                return "scratch" if found and not found.weights else Recipe().mode
    return Recipe().mode


def _with_fitting_size(recipe: Recipe) -> Recipe:
    """The recipe, with the network's own image size if it can't take that of the preset."""
    try:
        list(tasks.describe_model(recipe.model, 2, recipe.image_size))
    except FlowerError:
        list(tasks.describe_model(recipe.model, 2))  # raises if the network is unknown
        say(
            tr(
                "{model} can't take images of {size} px; its own size is used.",
                model=recipe.model,
                size=recipe.image_size,
            ),
            sys.stderr,
        )
        return replace(recipe, image_size=0, training_size=0, first_training_size=0)
    return recipe
