"""Presets: values of settings that go together.

Recommended from scratch was chosen on 1,500 images of five classes (resnet18, 300 of them for
validation, two cores). Progressive resizing and the learning rate were chosen on two other splits
than the program's own; on its own split, seed 0, best.pth reaches 81.3% after 541 s (last epoch
78.7%; with 44 epochs 79.7 and 79.0%). The standard error with 300 validation images is 2.4 points.
Half and twice the learning rate, ten times the weight decay, MixUp and stronger augmentation were
all worse in that time. tests/benchmarks/scratch_accuracy.py measures it again.

Recommended for transfer fits the head, then fine-tunes all layers from there for as many epochs as
its five minutes allow. Measured with efficientnet_lite0 at its own 288 px on 1,500 images of five
flowers, of which 1,000 train and 500 others judge, in three splits: the fitted head has 89.0, 89.4
and 90.2%, best.pth after five minutes (12 epochs) 91.4, 89.6 and 92.2%; the mean loss falls from
0.313 to 0.253. Some of these images have wrong labels. Averages of the weights at both ends (WiSE-
FT, arXiv 2109.01903), with a quarter, half and three quarters of the fine-tuned end, had 90.3, 90.9
and 91.1% (loss 0.281, 0.262 and 0.254), and the mean of the best states of a run (a soup) 90.1%:
none is better than the end of one-cycle with EMA, so weights are not averaged further.

Where the head can't be fitted it is trained, by values that were chosen with a resnet18 that was
trained on three of the classes, on the 600 images of the other two (mean of best.pth over three
seeds, 120 validation images): 75.6% at a learning rate of 0.01, 68.6% at 0.002, 66.1% at 0.0005;
the tutorial's values gave 71.1%. Four cached augmentations instead of new ones in every epoch gave
the same 75.3% in half the time; then 60 epochs gave 79.7% in a third of the time of 15 without the
cache; 100 gave 81.1%, eight cached augmentations 79.4%, and no augmentation 76.9%.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flowergui.config.frozen_patterns import ALL_BUT_HEAD
from flowergui.config.recipe import Recipe
from flowergui.config.setting import Value

PRESETS: dict[str, dict[str, dict[str, Value]]] = {
    # The values of the tutorial that the program began as, in both modes.
    "tutorial": {
        mode: {
            "minutes": 0.0,
            "fit_head": False,
            "freeze_epochs": 0,
            "freeze_batch_norm": False,
            "layer_decay": 1.0,
            "epochs": 30,
            "batch_size": 32,
            "learning_rate": 0.001,
            "optimizer": "adam",
            "weight_decay": 0.0,
            "scheduler": "step",
            "step_size": 30,
            "gamma": 0.1,
            "label_smoothing": 0.0,
            "ema": 0.0,
            "image_size": 224,
            "training_size": 0,
            "first_training_size": 0,
            "augmentation": "none",
            "cached_views": 0,
            "mixup": 0.0,
            "cutmix": 0.0,
            "drop_last": True,
            "frozen": frozen,
            "unfreeze_schedule": (),
        }
        for mode, frozen in (("scratch", ()), ("transfer", (ALL_BUT_HEAD,)))
    },
    "recommended": {
        "scratch": {
            "minutes": 0.0,
            "fit_head": False,
            "freeze_epochs": 0,
            "freeze_batch_norm": False,
            "layer_decay": 1.0,
            "epochs": 40,
            "batch_size": 32,
            "learning_rate": 0.002,
            "optimizer": "adamw",
            "weight_decay": 0.05,
            "scheduler": "one-cycle",
            "label_smoothing": 0.1,
            "ema": 0.99,
            "image_size": 128,
            "training_size": 0,
            "first_training_size": 64,
            "augmentation": "light",
            "cached_views": 0,
            "mixup": 0.0,
            "cutmix": 0.0,
            "drop_last": False,
            "frozen": (),
            "unfreeze_schedule": (),
        },
        "transfer": {
            "minutes": 5.0,
            "fit_head": True,
            "freeze_epochs": 1,
            "freeze_batch_norm": True,
            "layer_decay": 1.0,
            "epochs": 10,
            "batch_size": 32,
            "learning_rate": 1e-4,
            "optimizer": "adamw",
            "weight_decay": 0.01,
            "scheduler": "one-cycle",
            "label_smoothing": 0.0,
            "ema": 0.99,
            "image_size": 0,
            "training_size": 192,
            "first_training_size": 0,
            "augmentation": "light",
            "cached_views": 0,
            "mixup": 0.0,
            "cutmix": 0.0,
            "drop_last": False,
            "frozen": (ALL_BUT_HEAD,),
            "unfreeze_schedule": (),
        },
    },
}


CACHED_VIEWS = 4
"""Augmented versions of each image that are cached where layers stay frozen."""

TRAINED_HEAD: dict[str, Value] = {
    "fit_head": False,
    "freeze_epochs": 0,
    "epochs": 60,
    "learning_rate": 0.01,
    "label_smoothing": 0.1,
    "ema": 0.0,
    "cached_views": CACHED_VIEWS,
    "training_size": 0,
}
"""What "recommended" has for a transfer to a network whose head can't be fitted."""


def with_trained_head(recipe: Recipe) -> Recipe:
    """Returns `recipe` with a head that is trained instead of fitted: by the recommended values if
    it has the recommended ones, else by its own."""
    if preset_of(recipe) != "recommended":
        return replace(recipe, fit_head=False)
    values: dict[str, Any] = TRAINED_HEAD
    return replace(recipe, **values)


def with_epochs(recipe: Recipe, epochs: int, given: Mapping[str, Any] | None = None) -> Recipe:
    """Returns `recipe` with so many epochs, all of them, and the settings `given` by the user.

    A time budget ends. What is frozen then stays frozen, so that a few augmented versions of each
    image can be cached, unless the user wants it otherwise.
    """
    given, had_budget = given or {}, recipe.minutes > 0
    if had_budget:
        recipe = replace(recipe, minutes=0.0, freeze_epochs=0)
    recipe = replace(recipe, **{"epochs": epochs, **given})
    if had_budget and "cached_views" not in given and _keeps_frozen(recipe):
        recipe = replace(recipe, cached_views=recipe.cached_views or CACHED_VIEWS)
    return recipe


def _keeps_frozen(recipe: Recipe) -> bool:
    """Whether some layers stay frozen to the end, whose features of whole images can be cached."""
    return bool(recipe.frozen) and not (recipe.unfreezes or recipe.mixup or recipe.cutmix)


def as_asked(recipe: Recipe) -> Recipe:
    """Returns `recipe` without its number of epochs where that follows from a time budget: nobody
    asked for it, and each estimate may plan another."""
    return replace(recipe, epochs=0) if recipe.minutes else recipe


def with_preset(recipe: Recipe, preset: str) -> Recipe:
    """Returns `recipe` with the values of `preset` ("tutorial" or "recommended") for its mode."""
    values: dict[str, Any] = PRESETS[preset][recipe.mode]
    return replace(recipe, **values)


def preset_of(recipe: Recipe) -> str:
    """The preset whose values `recipe` has, frozen layers aside, and epochs too if they follow from
    a time budget; "" if it has those of none."""
    aside = {"frozen", "epochs"} if recipe.minutes else {"frozen"}
    for preset, modes in PRESETS.items():
        values = modes[recipe.mode].items()
        if all(getattr(recipe, name) == value for name, value in values if name not in aside):
            return preset
    return ""
