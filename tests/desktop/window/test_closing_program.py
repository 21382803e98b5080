"""The window of a real program closes whatever its threads do: one hangs in a system call."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fifos there")

LIMIT_SECONDS = 8
"""From the close to the end of the process. It takes a second on an idle machine."""

PROGRAM = """
import os, sys, time
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QMessageBox
from flowergui.desktop import app, main_window
from flowergui.desktop.window import shutdown
from flowergui.events import Preparing, Saved, Stopped

scene, folder = sys.argv[1:]
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
shutdown.RUN_LIMIT_MS = 300
shutdown.END_LIMIT_MS = 1_000
made = main_window.MainWindow

def say(*words):
    print(*words, flush=True)

def stuck(live=None):
    yield Preparing("photos", 0, 1)
    say("stuck")
    open(os.path.join(folder, "pipe"))  # until somebody writes to it, which nobody does
    say("went on")

def run(live):
    yield Preparing("photos", 0, 1)
    say("training")
    while not live.stop:
        time.sleep(0.01)
    open(os.path.join(folder, "saved"), "w").close()
    yield Saved("last.pth", 1, 1)
    yield Stopped(folder, 1, 1)

def make():
    window = made()
    window.controllers.start_from.load_models = lambda: None  # torch takes seconds
    if scene != "job":
        window.controllers.training.begin(run if scene in ("saved", "hung up") else stuck)
    if scene in ("job", "saved"):
        window._jobs.do("stuck", stuck, lambda events: None)
    closes = []

    def go_on():
        question = window.findChild(QMessageBox, "closeQuestion")
        if question is not None:
            question.button(QMessageBox.StandardButton.Close).click()
        elif not closes or "again" in window._banner.text:
            if not closes:
                say("closing", time.monotonic())
            closes.append(True)
            window.close()

    clock = QTimer(window)
    clock.timeout.connect(go_on)
    if scene in ("hung up", "terminated"):
        say("closing", 0)
    else:
        QTimer.singleShot(500, window, lambda: clock.start(50))
    return window

app.MainWindow = make
sys.exit(app.main())
"""


@pytest.mark.parametrize("scene", ["job", "run", "saved", "hung up", "terminated"])
def test_a_thread_that_hangs_does_not_keep_it_open(scene: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, scene, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    with process:
        wanted = {"job": 2, "run": 2, "saved": 3, "hung up": 2, "terminated": 2}[scene]
        while len(said) < wanted:
            said.append(process.stdout.readline().strip())
        closed = float(next(line for line in said if line.startswith("closing")).split()[1])
        if scene in ("hung up", "terminated"):
            closed = time.monotonic()
            process.send_signal(signal.SIGHUP if scene == "hung up" else signal.SIGTERM)
        try:
            code = process.wait(60)
        finally:
            process.kill()
    assert code == 0
    assert time.monotonic() - closed < LIMIT_SECONDS
    assert "went on" not in said
    assert (tmp_path / "saved").exists() == (scene in ("saved", "hung up"))
