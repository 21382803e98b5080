"""Whether a window can be opened is known before Qt ends the process."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowergui.errors import FlowerError
from flowergui.system import display

README = Path(__file__).parents[2] / "README.md"

linux = pytest.mark.skipif(sys.platform != "linux", reason="it is about Linux")


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """`flowergui` without arguments, on a machine that has only this of a screen."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    kept = {name: value for name, value in os.environ.items() if name not in screens}
    return subprocess.run(
        [sys.executable, "-m", "flowergui"],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@linux
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "there is no screen (DISPLAY is not set). The command line works without"),
        ({"DISPLAY": ":7777"}, "The command line works without"),
        ({"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":7777"}, "The command line works without"),
        ({"QT_QPA_PLATFORM": "xbc"}, "Qt has no platform plugin 'xbc' (QT_QPA_PLATFORM). It has"),
        ({"WAYLAND_DISPLAY": "nothing"}, "there is no screen"),
        ({"QT_QPA_PLATFORM": "wayland"}, "platform wayland (QT_QPA_PLATFORM): no Wayland"),
        ({"QT_QPA_PLATFORM": "wayland-egl"}, "platform wayland-egl (QT_QPA_PLATFORM): no Wayland"),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, "The command line works without"),
        ({"QT_QPA_PLATFORM": "eglfs"}, "with the platform eglfs (QT_QPA_PLATFORM): "),
        ({"QT_QPA_PLATFORM": "linuxfb"}, "with the platform linuxfb (QT_QPA_PLATFORM): "),
    ],
)
def test_without_a_screen_it_ends_with_a_sentence(environment: dict[str, str], says: str) -> None:
    done = start(**environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.startswith("flowergui: ")
    assert done.stderr.count("\n") == 1


@linux
def test_a_library_that_qt_lacks_is_named_with_the_packages(tmp_path: Path) -> None:
    plugins = display.plugin_folder()
    assert plugins is not None
    shutil.copy(plugins / "libqxcb.so", tmp_path)  # where it does not find the rest of Qt
    with pytest.raises(FlowerError, match=r"lib\S+: cannot open shared object file") as error:
        display.check_xcb(tmp_path)
    assert display.QT_PACKAGES in error.value.hint
    assert "command line works without" in error.value.hint


def test_the_readme_names_the_same_packages() -> None:
    assert f" {display.QT_PACKAGES}\n" in README.read_text("utf-8")


def test_a_platform_without_a_screen_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("offscreen", "minimal:enable_fonts", "nothing;offscreen"):
        monkeypatch.setenv("QT_QPA_PLATFORM", name)
        display.require_display()


@linux
def test_a_program_without_a_python_does_not_start_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)  # as PyInstaller does
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    monkeypatch.setenv("QT_QPA_PLATFORM", "eglfs")
    display.require_display()


@linux
def test_a_compositor_is_reached_by_its_socket(tmp_path: Path) -> None:
    environment = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert not display.has_wayland(environment)
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-0"))
        assert not display.has_wayland(environment)  # as after a crash
        compositor.listen()
        assert display.has_wayland(environment)
        assert display.has_wayland({"WAYLAND_DISPLAY": str(tmp_path / "wayland-0")})
    assert not display.has_wayland(environment)
    assert not display.has_wayland({})


def test_it_takes_less_than_30_ms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    times = []
    for _ in range(3):
        began = time.perf_counter()
        display.require_display()
        times.append(time.perf_counter() - began)
    assert min(times) < 0.03
