"""What a checkpoint of this program holds: each field, and what its value may be.

It is checked once, when the file is read. Fields of a run (all but the first four) may be missing,
as in exports and in files of older versions; unknown ones are of a later version.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from flowergui.config.recipe import SETTING, Recipe
from flowergui.errors import FlowerError
from flowergui.events import EpochDone
from flowergui.store.schema import (
    Many,
    Record,
    finite,
    first_wrong,
    names,
    number,
    optional,
    record_of,
    seconds,
    text,
    unique_names,
    whole,
)
from flowergui.text import tr

RECIPE_ERROR: Final = "recipe_error"
"""The key under which `checked` says what is wrong with a recipe. No file holds it."""

DTYPES: Final = (torch.float32, torch.int64, torch.float16)
"""Those of weights, of batch normalization's counters, and of weights in small exports."""


def _tensor(value: Any) -> bool:
    """A plain tensor with its values in main memory."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not (value.is_quantized or value.is_complex())
    )


def _weights(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(
            text(name) and _tensor(each) and each.dtype in DTYPES for name, each in value.items()
        )
    )


def _optimizer_state(value: Any) -> bool:
    """Names and values (tensors, or None before the first step) by the number of a parameter."""
    return isinstance(value, Mapping) and all(
        whole(index)
        and isinstance(state, Mapping)
        and all(text(name) and (each is None or _tensor(each)) for name, each in state.items())
        for index, state in value.items()
    )


def _share(value: Any) -> bool:
    return finite(value) and 0 <= value <= 1


def _from_zero(value: Any) -> bool:
    return finite(value) and value >= 0


def _positive(value: Any) -> bool:
    return finite(value) and value > 0


def _from_one(value: Any) -> bool:
    return whole(value) and value > 0


def _integer(value: Any) -> bool:
    return finite(value) and isinstance(value, int)


def _image_size(value: Any) -> bool:
    return _from_one(value) and bool(value <= SETTING["image_size"].maximum)


def _rgb(test: Any) -> Any:
    return lambda value: (
        isinstance(value, list | tuple) and len(value) == 3 and all(map(test, value))
    )


_SCALER: Final = {
    "scale": _positive,
    "growth_factor": _positive,
    "backoff_factor": _positive,
    "growth_interval": whole,
    "_growth_tracker": whole,
}

CHECKPOINT: Final = Record(
    required=("recipe", "classes", "model", "image_size"),
    fields={
        "recipe": Record({}),  # its fields are those of Recipe
        "classes": unique_names,
        "model": _weights,
        "image_size": _image_size,
        "ema": optional(_weights),
        "optimizer": Record(
            {"state": _optimizer_state, "param_groups": Many(Record({"params": Many(whole)}))},
            required=("state", "param_groups"),
        ),
        "scaler": lambda value: value == {} or first_wrong(value, Record(_SCALER, _SCALER)) is None,
        "frozen": names,
        "step": whole,
        "schedule": Record(
            {
                "base": _from_zero,
                "best_loss": number,
                "stale_epochs": whole,
                "lowered": _from_zero,
                "start": _integer,
                "shift": _integer,
                "cut": whole,
            }
        ),
        "progress": Record(
            {
                "epoch": _from_one,
                "batch": whole,
                "step": whole,
                "best_accuracy": _share,
                "best_loss": number,
                "best_epoch": whole,
                "seconds": seconds,
                "returns": whole,
                "validation_images": whole,
                "image_size": whole,
                "sums": Record(
                    {
                        "loss": number,
                        "right": whole,
                        "photos": whole,
                        "seconds": seconds,
                        "caching": seconds,
                        "validation_caching": seconds,
                    }
                ),
            }
        ),
        "epoch": _from_one,
        "batch": whole,
        "best_accuracy": _share,
        "history": Many(record_of(EpochDone)),
        "normalisation": Record({"mean": _rgb(finite), "std": _rgb(_positive)}),
        "device": text,  # which ones can be resumed with: see resumable_state
        "precision": optional(text),
        "fingerprint": text,
        "versions": Record({"torch": text}),
    },
)


def checked(stored: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the file at `path` holds, with all fields of its recipe. Raises FlowerError if a value
    is not possible.

    Weights of an export in float16 are float32 again.

    A recipe of a later version may have values that this one does not know: its network still
    predicts. They are left out, and the reason stands under RECIPE_ERROR: the run can't be resumed.
    """
    wrong = first_wrong(stored, CHECKPOINT)
    if wrong is not None:
        raise _impossible(path, wrong)
    stored = {**stored, "model": _in_float32(stored["model"])}
    try:
        recipe = Recipe.from_dict(stored["recipe"])
    except FlowerError as error:
        known = _known(stored["recipe"])
        if "model" not in known:
            raise _impossible(path, "recipe", str(error)) from error
        return {**stored, "recipe": Recipe.from_dict(known).as_dict(), RECIPE_ERROR: str(error)}
    return {**stored, "recipe": recipe.as_dict()}


def _in_float32(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: each.float() if each.dtype == torch.float16 else each
        for name, each in weights.items()
    }


def _known(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a recipe that this version knows."""
    known: dict[str, Any] = {}
    for name, value in recipe.items():
        try:
            Recipe.from_dict({**known, name: value})
        except FlowerError:
            continue
        known[name] = value
    return known


def _impossible(path: Path, field: str, reason: str = "") -> FlowerError:
    return FlowerError(
        tr("{file} is damaged: it holds no valid {field}.", file=path.name, field=field),
        hint=reason or tr("Choose another checkpoint of its run: previous.pth or best.pth."),
    )
