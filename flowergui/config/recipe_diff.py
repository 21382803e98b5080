"""In which settings the recipes of runs differ."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowergui.config.recipe import SETTINGS, Recipe
from flowergui.config.setting import Setting
from flowergui.text import tr, trn

MAX_NAMED_PARAMETERS = 3
"""Up to so many frozen parameters are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs between runs: its label, its help, and its value in each run as a
    person reads it, "" where the setting has no effect."""

    label: str
    help: str
    values: tuple[str, ...]


def differences(recipes: Sequence[Recipe]) -> tuple[Difference, ...]:
    """The settings in which `recipes` differ, in the order of the form, the dataset first.

    A setting that has no effect in a recipe, as the momentum of Adam, counts as no value.
    """
    found = []
    if len({recipe.photos for recipe in recipes}) > 1:
        folders = tuple(recipe.photos for recipe in recipes)
        found.append(Difference(tr("Dataset"), tr("The folder of the images."), folders))
    for setting in SETTINGS:
        values = [getattr(recipe, setting.name) for recipe in recipes if setting.matters(recipe)]
        if len(set(values)) > 1 or 0 < len(values) < len(recipes):
            shown = tuple(_shown(setting, recipe) for recipe in recipes)
            if len(set(shown)) < len(set(values)) and setting.name == "frozen":
                shown = _with_own_names(shown, values)
            found.append(Difference(tr(setting.label), tr(setting.help), shown))
    return tuple(found)


def _with_own_names(shown: tuple[str, ...], values: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Adds the first name that not all have, where as many but other parameters are frozen."""
    common = set.intersection(*map(set, values))
    own = [[name for name in names if name not in common] for names in values]
    return tuple(
        text
        if not names
        else tr("{parameters}, with {name}…", parameters=text, name=names[0])
        if names[1:]
        else tr("{parameters}, with {name}", parameters=text, name=names[0])
        for text, names in zip(shown, own, strict=True)
    )


def _shown(setting: Setting, recipe: Recipe) -> str:
    if not setting.matters(recipe):
        return ""
    value = getattr(recipe, setting.name)
    if setting.name == "frozen" and len(value) > MAX_NAMED_PARAMETERS:
        return trn("{count} parameter", "{count} parameters", len(value))
    return setting.shown(value)
