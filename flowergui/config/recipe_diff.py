"""In what the recipes of runs differ."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowergui.config.recipe import SETTINGS, Recipe
from flowergui.config.setting import Setting

CONTEXT_SETTINGS = 3
"""Up to so many frozen parameters are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same in all of some runs: its label, what it does, and its value
    in each of them as a person reads it, "" where it does not matter."""

    label: str
    help: str
    values: tuple[str, ...]


def differences(recipes: Sequence[Recipe]) -> tuple[Difference, ...]:
    """Those between `recipes`, in the order of the form: the photos first. What has no effect in
    a recipe (the momentum of Adam) is no difference."""
    found = []
    if len({recipe.photos for recipe in recipes}) > 1:
        folders = tuple(recipe.photos for recipe in recipes)
        found.append(Difference("Photos", "The folder to learn from.", folders))
    for each in SETTINGS:
        values = [getattr(recipe, each.name) for recipe in recipes if each.matters(recipe)]
        if len(set(values)) > 1 or 0 < len(values) < len(recipes):
            told = tuple(_told(each, recipe) for recipe in recipes)
            if len(set(told)) < len(set(values)) and each.name == "frozen":
                told = _by_their_own(told, values)
            found.append(Difference(each.label, each.help, told))
    return tuple(found)


def _by_their_own(told: tuple[str, ...], values: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """As many parameters, but others: adds to each the first of its names that not all have."""
    common = set.intersection(*map(set, values))
    own = ([name for name in names if name not in common] for names in values)
    return tuple(
        f"{text}, with {names[0]}{'…' if names[1:] else ''}" if names else text
        for text, names in zip(told, own, strict=True)
    )


def _told(setting: Setting, recipe: Recipe) -> str:
    if not setting.matters(recipe):
        return ""
    value = getattr(recipe, setting.name)
    if isinstance(value, tuple) and len(value) > CONTEXT_SETTINGS:
        return f"{len(value):,} parameters"
    label = next((each.label for each in setting.choices if each.value == value), "")
    words = label or setting.written(value)
    unit = setting.unit and not (setting.zero and value == 0)
    return f"{words} {setting.unit}" if unit else words
