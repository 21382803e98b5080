"""What this program and this machine are, for a report that somebody else reads."""

import getpass
import os
import platform
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from flowergui import __version__

PACKAGES: Final = ("torch", "torchvision", "PySide6", "pyqtgraph", "numpy", "pillow")
"""Those whose versions matter."""

_OTHER_HOMES: Final = re.compile(r"(/home/|/Users/|\b[A-Za-z]:[\\/]+Users[\\/]+)[^\\/\s'\":;,]+")
"""The home of any user: on Linux, macOS and Windows."""

_PART: Final = r"[^\\/\s'\":;,<>]+"
_PATH: Final = re.compile(
    rf"(?<![\w.~>…/\\:])(?:[A-Za-z]:)?[\\/]+(?:[^\\/'\":;,<>\n]*[^\\/'\":;,<>\s][\\/]+)+({_PART})"
)
"""An absolute path of two parts or more; the last one is its group."""

_INSIDE: Final = r"(?:[\\/].*?\.\w{2,5}\b|[\\/][^\s，。：；、！？]*)?(?![\w.-])"
"""What may follow a folder: the path of a file, whose name may have spaces, or of a subfolder."""

_USER: Final = "<user>"


def versions() -> dict[str, str]:
    """The versions of the program, of Python and of PACKAGES, none of which is imported."""
    found = {"Flowergui": __version__, "Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # conda and system packages may leave no metadata
            loaded = sys.modules.get(name)
            found[name] = str(getattr(loaded, "__version__", "?"))
    return found


def environment() -> dict[str, str]:
    """The environment variables that change how the program runs."""
    prefixes = ("FLOWERGUI_", "QT_", "OMP_", "CUDA_", "PYTORCH_")
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(prefixes)}


def without_folders(text: str, folders: Iterable[str], name: str) -> str:
    """`text` with <name> in place of these folders and of what is in them; other absolute paths of
    two parts or more are shortened to their last one."""
    for folder in sorted({each for each in folders if len(each) > 1}, key=len, reverse=True):
        for written in {folder, Path(folder).as_posix(), folder.replace("\\", "\\\\")}:
            text = re.sub(re.escape(written) + _INSIDE, f"<{name}>", text)
    return _PATH.sub(r"…/\1", text)


def without_personal_paths(text: str) -> str:
    """`text` with the home folder as ~, and with <user> for the user's name, and for other names
    that stand where home folders are."""
    for home in _homes():
        text = re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
    text = _OTHER_HOMES.sub(lambda found: found[1] + _USER, text)
    with suppress(OSError, KeyError, ImportError):  # there may be no user of this number
        name = getpass.getuser()
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", _USER, text)
    return text


def _homes() -> list[str]:
    """How the home folder may be written, the longest first."""
    home = os.path.expanduser("~")
    written = {home, os.path.realpath(home), Path(home).as_posix(), home.replace("\\", "\\\\")}
    with suppress(ValueError):
        written.add(Path(home).as_uri().removeprefix("file://"))
    return sorted((each for each in written if len(each) > 1), key=len, reverse=True)
