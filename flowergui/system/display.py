"""Whether Qt can open a window here. Qt itself ends the process if it can't."""

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from flowergui.errors import FlowerError
from flowergui.text import enumerated, tr

QT_PACKAGES: Final = (
    "libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 "
    "libxcb-xfixes0"
)
"""The packages of Debian and Ubuntu that Qt needs beside PySide6."""


_ALWAYS_WORK: Final = frozenset({"offscreen", "minimal", "vnc", "windows", "direct2d", "cocoa"})
"""Platform plugins that need no check: they need no screen, or their system always has one."""

_TRY: Final = """
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
raise SystemExit(app.primaryScreen() is None)
"""
TRY_TIMEOUT_S: Final = 20
CONNECT_TIMEOUT_S: Final = 2


def require_display() -> None:
    """Raises FlowerError if Qt can't open a window. Takes a few milliseconds, except for platforms
    that no desktop uses. A platform plugin that Qt will use stays loaded."""
    environment = os.environ
    plugins = plugin_folder()
    if asked := environment.get("QT_QPA_PLATFORM", ""):
        known = platform_names(plugins)
        names = [part.partition(":")[0] for part in asked.split(";")]
        names = [name for name in names if name in known or not known]
        if not names:
            raise FlowerError(
                tr("Qt has no platform plugin {name} (QT_QPA_PLATFORM).", name=repr(asked)),
                hint=tr("It has {names}.", names=enumerated(sorted(known))),
            )
        problem = None
        for name in names:  # Qt takes the first that works
            if (problem := _why_not(name, plugins)) is None:
                return
        if problem is not None:
            raise problem
    if not sys.platform.startswith(("linux", "freebsd")) or has_wayland(environment):
        return
    if not environment.get("DISPLAY"):
        raise FlowerError(
            tr("The window can't be opened: there is no screen (DISPLAY is not set)."),
            hint=without_a_window(),
        )
    check_xcb(plugins)


def _why_not(platform: str, plugins: Path | None) -> FlowerError | None:
    """Why Qt can't open a window with this platform plugin; None if it can."""
    if platform == "xcb":
        try:
            check_xcb(plugins)
        except FlowerError as error:
            return error
        return None
    if platform.startswith("wayland"):
        reason = "" if has_wayland(os.environ) else tr("no Wayland compositor answers")
    elif platform in platform_names(plugins) - _ALWAYS_WORK:
        reason = _failure_of(platform)
    else:
        reason = ""
    if not reason:
        return None
    message = tr(
        "The window can't be opened with the platform {name} (QT_QPA_PLATFORM): {reason}.",
        name=platform,
        reason=reason,
    )
    return FlowerError(message, hint=without_a_window())


def _failure_of(platform: str) -> str:
    """What Qt says if it can't start with this platform plugin, in a process of its own: where a
    screen is lacking, it ends the process; "" if it can."""
    if getattr(sys, "frozen", False):  # sys.executable is this program, not Python
        return ""
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY],
            env={**os.environ, "QT_QPA_PLATFORM": platform},
            capture_output=True,
            timeout=TRY_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # nobody knows
    if tried.returncode == 0:
        return ""
    said = tried.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[0].rstrip(".") if said else tr("it ends the process")


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
    wayland = {"wayland", "wayland-egl"} if any("wayland" in name for name in names) else set()
    return frozenset(names | wayland)


def has_wayland(environment: Mapping[str, str]) -> bool:
    """Whether a Wayland compositor can be reached."""
    display = environment.get("WAYLAND_DISPLAY", "")
    if not display or not hasattr(socket, "AF_UNIX"):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        try:
            probe.connect(str(Path(environment.get("XDG_RUNTIME_DIR", ""), display)))
        except OSError:  # it may be left from a session that is over
            return False
    return True


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
