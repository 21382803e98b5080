"""Where things are: the program's own resources, and the user's runs."""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).parents[1]
_CHECKOUT = _PACKAGE.parent


def in_checkout() -> bool:
    """Whether the program runs from a checkout (or an editable install of one)."""
    return (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "resources").is_dir()


def resource(name: str) -> Path:
    """A file under resources/, in a checkout, an editable install and a wheel alike.

    Raises FileNotFoundError, since a missing one is a defect of ours.
    """
    folder = _CHECKOUT / "resources" if in_checkout() else _PACKAGE / "resources"
    path = folder / name
    if not path.exists():
        raise FileNotFoundError(path)
    return path


def models_folder() -> Path:
    """The home of runs and of sample flowers: FLOWERGUI_MODELS where it is set, models/ in a
    checkout, else a folder of the user's. It need not exist yet."""
    if chosen := os.environ.get("FLOWERGUI_MODELS"):
        return Path(chosen)
    if in_checkout():
        return _CHECKOUT / "models"
    return platformdirs.user_data_path("flowergui", appauthor=False) / "models"


def cache_folder() -> Path:
    """Where a running program keeps what it can compute again: FLOWERGUI_CACHE where it is set,
    else a folder of the user's. It need not exist yet."""
    if chosen := os.environ.get("FLOWERGUI_CACHE"):
        return Path(chosen)
    return platformdirs.user_cache_path("flowergui", appauthor=False)


def photo_cache_folder() -> Path:
    """Where decoded photos are kept. It need not exist yet."""
    return cache_folder() / "photos"


def sample_folder() -> Path:
    """Where the window draws its sample flowers."""
    return models_folder() / "sample-flowers"
