"""Where things are: the program's resources, and the user's runs and caches."""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).parents[1]
_CHECKOUT = _PACKAGE.parent


def in_checkout() -> bool:
    """Whether the program runs from a checkout, or from an editable install of one."""
    return os.path.isfile(_CHECKOUT / "pyproject.toml") and os.path.isdir(_CHECKOUT / "resources")


def resource(name: str) -> Path:
    """The path of a file in resources/, in a checkout, an editable install and a wheel alike.
    Raises FileNotFoundError, since a missing one is a defect of the program."""
    folder = _CHECKOUT / "resources" if in_checkout() else _PACKAGE / "resources"
    path = folder / name
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    return path


def translations_folder() -> Path:
    """The folder of compiled translations. It need not exist."""
    return (_CHECKOUT if in_checkout() else _PACKAGE) / "resources" / "translations"


def models_folder() -> Path:
    """The folder of runs and of the sample dataset: FLOWERGUI_MODELS if it is set, models/ in a
    checkout, else a folder of the user's data. It need not exist yet."""
    if chosen := os.environ.get("FLOWERGUI_MODELS"):
        return Path(chosen)
    if in_checkout():
        return _CHECKOUT / "models"
    return platformdirs.user_data_path("flowergui", appauthor=False) / "models"


def cache_folder() -> Path:
    """The folder of files that can be computed again: FLOWERGUI_CACHE if it is set, else a folder
    of the user's caches. It need not exist yet."""
    if chosen := os.environ.get("FLOWERGUI_CACHE"):
        return Path(chosen)
    return platformdirs.user_cache_path("flowergui", appauthor=False)


def photo_cache_folder() -> Path:
    """The folder of decoded images. It need not exist yet."""
    return cache_folder() / "photos"


def sample_folder() -> Path:
    """The folder in which the window draws the sample dataset."""
    return models_folder() / "sample-flowers"
