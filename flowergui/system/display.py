"""Whether Qt can open a window here. Qt itself ends the process if it can't."""

import ctypes
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from flowergui.errors import FlowerError
from flowergui.text import tr

QT_PACKAGES: Final = (
    "libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 "
    "libxcb-xfixes0"
)
"""The packages of Debian and Ubuntu that Qt needs beside PySide6."""


def require_display() -> None:
    """Raises FlowerError if Qt can't open a window. Takes a few milliseconds. A platform plugin
    that Qt will use stays loaded."""
    environment = os.environ
    plugins = plugin_folder()
    if asked := environment.get("QT_QPA_PLATFORM", ""):
        names = [part.partition(":")[0] for part in asked.split(";")]
        known = platform_names(plugins)
        if known and not known.intersection(names):
            raise FlowerError(
                tr("Qt has no platform plugin {name} (QT_QPA_PLATFORM).", name=repr(asked)),
                hint=tr("It has {names}.", names=", ".join(sorted(known))),
            )
        if names != ["xcb"]:
            return
    elif not sys.platform.startswith(("linux", "freebsd")) or has_wayland(environment):
        return
    elif not environment.get("DISPLAY"):
        raise FlowerError(
            tr("The window can't be opened: there is no screen (DISPLAY is not set)."),
            hint=without_a_window(),
        )
    check_xcb(plugins)


def without_a_window() -> str:
    """What to do where the window can't be opened."""
    return tr("The command line works without a screen; see flowergui --help.")


def missing_library(reason: object) -> FlowerError:
    """The error for a shared library that Qt lacks; `reason` is the loader's message."""
    return FlowerError(
        tr("The window can't be opened: {reason}.", reason=reason),
        hint=tr(
            "Install what Qt needs; on Debian and Ubuntu: sudo apt-get install {packages}. "
            "The command line works without it; see flowergui --help.",
            packages=QT_PACKAGES,
        ),
    )


def plugin_folder() -> Path | None:
    """The folder of PySide6's platform plugins; None if PySide6 keeps them elsewhere."""
    spec = find_spec("PySide6")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    folders = (package / inner / "platforms" for inner in ("Qt/plugins", "plugins"))
    return next((folder for folder in folders if os.path.isdir(folder)), None)


def platform_names(plugins: Path | None) -> frozenset[str]:
    """The values of QT_QPA_PLATFORM that Qt understands; empty if that is not known."""
    files = plugins.iterdir() if plugins else ()
    names = {file.stem.removeprefix("lib").removeprefix("q") for file in files}
    return frozenset(names | {"wayland"} if any("wayland" in name for name in names) else names)


def has_wayland(environment: Mapping[str, str]) -> bool:
    """Whether a Wayland compositor can be reached."""
    display = environment.get("WAYLAND_DISPLAY", "")
    return bool(display) and os.path.exists(Path(environment.get("XDG_RUNTIME_DIR", ""), display))


def check_xcb(plugins: Path | None) -> None:
    """Raises FlowerError if Qt's plugin for X11 lacks a library, or no X server answers."""
    try:
        if plugins and os.path.isfile(plugin := plugins / "libqxcb.so"):
            ctypes.CDLL(str(plugin), mode=os.RTLD_LAZY)
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise missing_library(error) from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if failed:
        raise FlowerError(
            tr(
                "The window can't be opened: the screen {display} does not answer.",
                display=os.environ.get("DISPLAY", ""),
            ),
            hint=without_a_window(),
        )
