"""Where things are: the program's resources, and the user's runs and caches."""

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from flowergui.store import atomic_io

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


@dataclass(frozen=True, slots=True)
class ModelsFolder:
    """The folder of runs `now`, and the `next` one, from the program's next start on. It is `fixed`
    where the environment decides it."""

    now: str
    next: str
    fixed: bool


def models_folder() -> Path:
    """The folder of runs and of the sample dataset: FLOWERGUI_MODELS if it is set, else the one
    that the user has chosen in the window, else models/ in a checkout, else a folder of the user's
    data. It need not exist yet, and stays the same while the program runs."""
    if chosen := os.environ.get("FLOWERGUI_MODELS"):
        return Path(chosen)
    return _folder_at_start()


def next_models_folder() -> ModelsFolder:
    """The folder of runs now, and from the next start on."""
    fixed = bool(os.environ.get("FLOWERGUI_MODELS"))
    now = models_folder()
    return ModelsFolder(str(now), str(now if fixed else _chosen_folder()), fixed)


def choose_models_folder(folder: str) -> ModelsFolder:
    """From the next start on, runs are in this folder, "" for the usual one: for the window and for
    the command line. Raises FlowerError if that can't be written down."""
    _folder_at_start()  # which stays
    choice = _choice_file()
    with suppress(OSError):  # then it can't be written either, which says why
        choice.parent.mkdir(parents=True, exist_ok=True)
    if folder or os.path.exists(choice):
        atomic_io.write(choice, folder)
    return next_models_folder()


@cache
def _folder_at_start() -> Path:
    return _chosen_folder()


def _chosen_folder() -> Path:
    try:
        content = _choice_file().read_bytes()
        chosen = content.decode("utf-8", atomic_io.FS_ENCODING_ERRORS).strip("\r\n")
    except OSError:
        chosen = ""
    if os.path.isabs(chosen) and "\0" not in chosen:  # the file may hold anything
        return Path(chosen)
    if in_checkout():
        return _CHECKOUT / "models"
    return platformdirs.user_data_path("flowergui", appauthor=False) / "models"


def _choice_file() -> Path:
    return platformdirs.user_config_path("flowergui", appauthor=False) / "models-folder.txt"


def cache_folder() -> Path:
    """The folder of files that can be computed again: FLOWERGUI_CACHE if it is set, else a folder
    of the user's caches. It need not exist yet."""
    if chosen := os.environ.get("FLOWERGUI_CACHE"):
        return Path(chosen)
    return platformdirs.user_cache_path("flowergui", appauthor=False)


def photo_cache_folder() -> Path:
    """The folder of decoded images. It need not exist yet."""
    return cache_folder() / "photos"


def archive_cache_folder() -> Path:
    """The folder of the indexes of archives. It need not exist yet."""
    return cache_folder() / "archives"


def reports_folder() -> Path:
    """The folder of reports of crashes: beside FLOWERGUI_CACHE if that is set, else among the
    user's logs. It need not exist yet."""
    if chosen := os.environ.get("FLOWERGUI_CACHE"):
        return Path(chosen).with_name(f"{Path(chosen).name}-reports")
    return platformdirs.user_log_path("flowergui", appauthor=False) / "reports"


def sample_folder() -> Path:
    """The folder in which the window draws the sample dataset."""
    return models_folder() / "sample-flowers"
