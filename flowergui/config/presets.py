"""Presets: values that go together.

Recommended from scratch was chosen by measuring on 1,500 photos of five flowers (resnet18, 300
photos held back, two cores): the growing squares and the learning rate on two other splits than
the program's own, there on seed 0: best.pth 81.3% after 541 s (last epoch 78.7%; with 44
epochs 79.7 and 79.0%). A validation of 300 photos is sure to some 2.4 points. Half and twice
the learning rate, ten times the weight decay, MixUp and stronger augmentation were all worse in
that time. tests/benchmarks/scratch_accuracy.py measures it again.

Recommended for transfer was chosen with resnet18 that had learned three of the flowers, on the
600 photos of the other two (mean of best.pth over three seeds, 120 photos held back): 75.6% at a
learning rate of 0.01, 68.6% at 0.002, 66.1% at 0.0005; the tutorial's values gave 71.1%.
Training the last stage too gave 83.6%. Four cached views instead of new ones changed nothing
(75.3% both, in half the time), and make epochs cheap: 60 of them gave 79.7% in a third of the
time of 15 without; 100 gave 81.1%, eight views 79.4%, and no augmentation 76.9%. ImageNet's
weights could not be had where that was done.
"""

from dataclasses import replace
from typing import Any

from flowergui.config.frozen_patterns import ALL_BUT_HEAD
from flowergui.config.recipe import Recipe
from flowergui.config.setting import Value

PRESETS: dict[str, dict[str, dict[str, Value]]] = {
    # The values that the program grew out of, in either mode.
    "tutorial": {
        mode: {
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
        }
        for mode, frozen in (("scratch", ()), ("transfer", (ALL_BUT_HEAD,)))
    },
    "recommended": {
        "scratch": {
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
        },
        "transfer": {
            "epochs": 60,
            "batch_size": 32,
            "learning_rate": 0.01,
            "optimizer": "adamw",
            "weight_decay": 0.01,
            "scheduler": "one-cycle",
            "label_smoothing": 0.1,
            "ema": 0.0,
            "image_size": 0,
            "training_size": 0,
            "first_training_size": 0,
            "augmentation": "light",
            "cached_views": 4,
            "mixup": 0.0,
            "cutmix": 0.0,
            "drop_last": False,
            "frozen": (ALL_BUT_HEAD,),
        },
    },
}


def with_preset(recipe: Recipe, preset: str) -> Recipe:
    """`recipe` with the values of the preset ("tutorial" or "recommended") for its mode."""
    values: dict[str, Any] = PRESETS[preset][recipe.mode]
    return replace(recipe, **values)


def preset_of(recipe: Recipe) -> str:
    """The preset whose values `recipe` has (frozen layers aside), or "" for none."""
    for preset, modes in PRESETS.items():
        values = modes[recipe.mode].items()
        if all(getattr(recipe, name) == value for name, value in values if name != "frozen"):
            return preset
    return ""
