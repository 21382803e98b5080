"""The main job by keyboard alone: sample flowers, Start, Stop, Continue, and a prediction.

Keys come from xdotool, through the X server, as from a real keyboard; no test code touches the
window, which only says where the focus is. It needs a screen and xdotool, see .ci/run:

    QT_QPA_PLATFORM=xcb xvfb-run -a pytest -n0 tests/screen/keyboard_alone.py
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import json, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractItemView, QApplication, QPushButton
from flowergui.desktop import app, main_window

made = main_window.MainWindow

def make():
    window = made()
    last, moves = [], []
    QApplication.instance().focusChanged.connect(lambda *_: moves.append(1))

    def tell():
        focus, active = QApplication.focusWidget(), QApplication.activeWindow()
        startable = window.findChild(QPushButton, "startButton").isEnabled()
        predictions = window.findChild(QAbstractItemView, "predictions").model()
        said = {
            "window": hex(int((active or window).winId())),
            "active": active.objectName() or type(active).__name__ if active else "",
            "focus": focus.objectName() or type(focus).__name__ if focus else "",
            "moves": len(moves),
            "run": window.session.run,
            "startable": startable,
            "batches": window._panels.run.plot._batches.length,
            "message": window._banner.text,
            "predictions": predictions.rowCount(),
        }
        if said != last:
            last[:] = [said]
            print(json.dumps(said), flush=True)

    clock = QTimer(window)
    clock.timeout.connect(tell)
    clock.start(20)
    return window

app.MainWindow = make
sys.exit(app.main())
"""
PATIENCE_SECONDS = 120
"""How long something may take on a busy machine; torch may still be loading."""


class Desk:
    """The program on the screen, and a keyboard before it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._news = threading.Condition()
        self._states: list[dict[str, Any]] = []
        self._next = 0
        self.reader = threading.Thread(target=self._read, args=(process,))
        self.reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._news:
                self._states.append(json.loads(line))
                self._news.notify_all()

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What the window says of itself, as soon as that `holds`: now, or at some time after the
        last state that was waited for."""
        with self._news:
            self._next = max(0, self._next - 1)
            while not (self._next < len(self._states) and holds(self._states[self._next])):
                if self._next < len(self._states):
                    self._next += 1
                    continue
                came = self._news.wait(PATIENCE_SECONDS)
                assert came, json.dumps(self._states[-1:])
            self._next += 1
            return self._states[self._next - 1]

    def press(self, *keys: str) -> None:
        """Presses keys, one after another."""
        subprocess.run(["xdotool", "key", *keys], check=True)

    def type(self, text: str) -> None:
        """Types a text."""
        subprocess.run(["xdotool", "type", text], check=True)

    def look_at(self, window: str) -> None:
        """Gives a window the keyboard, as a window manager does: there is none on this screen."""
        subprocess.run(["xdotool", "windowfocus", "--sync", window], check=True)

    def tab_to(self, name: str) -> None:
        """Presses Tab until the focus is where it is wanted."""
        seen: list[str] = []
        state = self.until(lambda state: bool(state["active"]))
        while state["focus"] != name:
            assert len(seen) < 150, seen
            seen.append(state["focus"])
            self.press("Tab")
            moves = state["moves"]
            state = self.until(lambda state: state["moves"] > moves)  # noqa: B023  # at once


@pytest.fixture
def desk(tmp_path: Path, models: Path) -> Iterator[Desk]:
    environment = {
        **os.environ,
        "FLOWERGUI_LANGUAGE": "en",
        "XDG_CONFIG_HOME": str(tmp_path),
        "QT_QPA_PLATFORM": "xcb",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        desk = Desk(process)
        yield desk
    finally:
        process.kill()
        process.wait()
        desk.reader.join()
        process.stdout.close()  # type: ignore[union-attr]


def test_from_nothing_to_a_prediction(desk: Desk, models: Path) -> None:
    desk.look_at(desk.until(lambda state: bool(state["window"]))["window"])
    desk.tab_to("welcomeSampleButton")
    desk.press("space")
    desk.until(lambda state: state["startable"])

    desk.tab_to("startButton")
    desk.press("space")
    began = desk.until(lambda state: state["run"] == "running" and state["batches"] > 2)
    assert began["focus"] == "pauseButton"  # no key changes the run by mistake
    desk.tab_to("stopButton")
    desk.press("space")
    stopped = desk.until(lambda state: state["run"] == "idle" and state["startable"])
    assert "Stopped" in stopped["message"]

    desk.tab_to("continueButton")
    desk.press("space")
    desk.until(lambda state: state["run"] == "running")
    desk.until(lambda state: state["batches"] > stopped["batches"])

    desk.tab_to("dropZone")
    desk.press("Return")
    dialog = desk.until(lambda state: "Dialog" in state["active"] or state["active"] == "")
    if not dialog["active"]:
        desk.look_at(dialog["window"])
    desk.type(str(next(models.rglob("*.jpg"))))
    desk.press("Return")
    desk.until(lambda state: state["predictions"] > 1)
    assert [path.name for path in models.glob("*/last.pth")] == ["last.pth"]  # it went on
