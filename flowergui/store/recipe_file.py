"""recipe.json: the settings of a run."""

import json
from pathlib import Path

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.store import atomic_io
from flowergui.store.reading import read_json
from flowergui.text import tr


def read(path: Path) -> Recipe:
    """The recipe in a file. Raises FileNotFoundError, and FlowerError if it can't be read."""
    stored = read_json(path)
    try:
        return Recipe.from_dict(stored)
    except FlowerError as error:
        raise FlowerError(
            tr("{path} can't be used: {reason}", path=path, reason=error.message), hint=error.hint
        ) from error


def write(path: Path, recipe: Recipe) -> None:
    """Writes the file whole, or not at all. Raises FlowerError if it can't be written."""
    atomic_io.write(path, json.dumps(recipe.as_dict(), indent=2) + "\n")
