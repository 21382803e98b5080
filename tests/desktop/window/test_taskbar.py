"""The progress of a run on the program's icon, as a dock hears of it over the session bus."""

import os
import shutil
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QWidget
from scripted import BATCHES, button, start

from flowergui.desktop.window import taskbar
from flowergui.desktop.window.taskbar import TaskbarProgress, has_session_bus

DOCK = """
import subprocess
from PySide6.QtWidgets import QApplication, QWidget
from flowergui.desktop.window.taskbar import INTERFACE, TaskbarProgress

app = QApplication([])
rule = f"type='signal',interface='{INTERFACE}'"
dock = subprocess.Popen(["dbus-monitor", "--session", rule], stdout=subprocess.PIPE, text=True)
for line in dock.stdout:
    if "NameLost" in line:  # it listens from here on
        break
window = QWidget()
progress = TaskbarProgress(window)
for share in (0.25, 0.251, 1.5, None, None):
    progress.show_share(share)
for line in dock.stdout:
    print(line.strip(), flush=True)
    if line.split()[-2:] == ["boolean", "false"]:
        break
dock.kill()
dock.wait()
"""


@pytest.mark.skipif(shutil.which("dbus-run-session") is None, reason="there is no D-Bus here")
def test_a_dock_hears_how_far_a_run_is() -> None:
    """By a bus of its own, and a listener in another process."""
    done = subprocess.run(
        ["dbus-run-session", "--", sys.executable, "-c", DOCK],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if "member=Update" in line and "/flowergui;" in line]
    told = [line for line in lines if line.startswith(("string", "variant", "double", "boolean"))]
    signals = " ".join(told).split(f'string "{taskbar.APP_URI}"')[1:]
    assert [each.split() for each in signals] == [
        _signal("0.25", "true"),
        _signal("1", "true"),
        _signal("0", "false"),
    ]


def _signal(progress: str, visible: str) -> list[str]:
    text = (
        f'string "progress" variant double {progress} '
        f'string "progress-visible" variant boolean {visible}'
    )
    return text.split()


def test_where_there_is_no_bus_nothing_is_asked_for(qtbot, monkeypatch, tmp_path):
    """To ask would start one."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert not has_session_bus()
    sent: list[int | None] = []
    monkeypatch.setattr(taskbar, "_send", sent.append)
    window = QWidget()
    qtbot.addWidget(window)
    progress = TaskbarProgress(window)
    progress.show_share(0.5)
    assert sent == []
    (tmp_path / "bus").touch()
    assert has_session_bus()
    progress.show_share(0.6)
    assert sent == ([60] if sys.platform.startswith("linux") else [])


def test_a_bus_that_is_gone_is_no_error(qtbot, monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
    window = QWidget()
    qtbot.addWidget(window)
    TaskbarProgress(window).show_share(0.5)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others have no session bus")
def test_it_follows_the_run_of_the_window(qtbot, window, script, photos, monkeypatch):
    sent: list[int | None] = []
    monkeypatch.setattr(taskbar, "has_session_bus", lambda: True)
    monkeypatch.setattr(taskbar, "_send", sent.append)
    start(qtbot, window, photos)
    assert sent == [0]
    for _ in range(BATCHES + 1):
        script.gate.release()
    qtbot.waitUntil(lambda: sent[-1] == 62)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert sent[-1] is None
