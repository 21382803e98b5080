"""About, the diagnostics, and the report of a crash."""

import getpass
import os
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton
from scripted import banner, banner_text, button, find, open_photos

from flowergui import __version__, tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop import app
from flowergui.desktop.preferences.preferences import Preferences
from flowergui.desktop.session import Session
from flowergui.desktop.support.about_dialog import AboutDialog
from flowergui.desktop.support.diagnostics_text import diagnostics
from flowergui.desktop.support.report_dialog import ReportDialog
from flowergui.desktop.widgets.message_log import LogEntry, MessageKind
from flowergui.desktop.window.guide_window import GuideWindow
from flowergui.events import DevicesDescribed
from flowergui.store import paths
from flowergui.system.crash_report import ENDED, RUNNING, take_reports


@pytest.fixture
def devices(monkeypatch) -> None:
    told = DevicesDescribed(("CPU: AMD EPYC, 2 cores", "GPU 0: H200, 139 GiB"))
    monkeypatch.setattr(tasks, "describe_devices", lambda: iter([told]))


def trigger(window, name: str) -> None:
    find(window, QAction, name).trigger()


def test_about_says_what_it_is(qtbot, window, devices):
    trigger(window, "aboutAction")
    about = find(window, AboutDialog, "aboutDialog")
    assert find(about, QLabel, "aboutName").text() == f"Flowergui {__version__}"
    shown = find(about, QLabel, "aboutVersions")
    qtbot.waitUntil(lambda: "GPU 0: H200" in shown.text())
    for name in ("Python", "torch", "torchvision", "PySide6"):
        assert name in shown.text()
    button(about, "aboutGuide").click()
    guide = window.findChild(GuideWindow)
    assert guide.isVisible()
    guide.close()
    about.close()


def test_the_diagnostics_are_copied_without_a_name(
    qtbot, window, devices, photos, monkeypatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(getpass, "getuser", lambda: "rosa")
    open_photos(qtbot, window, photos)
    banner(window).show_error(f"{photos}/rosa/a.jpg can't be read.")
    banner(window).show_note("All is well.")
    trigger(window, "diagnosticsAction")
    qtbot.waitUntil(lambda: "copied" in banner_text(window))
    text = QGuiApplication.clipboard().text()
    for part in (
        f"Flowergui {__version__}\n", "System: ", "Device: GPU 0: H200, 139 GiB\n",
        "Preferences: theme system, size 100%\n", "State: transfer, idle\n", "Recipe: {",
        "error: <images> can't be read.\n", "FLOWERGUI_MODELS=~/models\n",
    ):  # fmt: skip
        assert part in text, part
    assert str(tmp_path) not in text
    assert "rosa" not in text
    assert "All is well" not in text


def test_the_diagnostics_name_no_folder_of_images(qapp):
    now, folder = datetime(2026, 1, 2), "/data/rare patients"
    said = (
        f"{folder} has images, but no class subfolders.",
        f"{folder}/Ann Miller/first visit.jpg can't be read.",
        "/data/old is gone. Choose another.",
        "/data/archive/2019/last.pth could not be saved: disk full.",
        "/mnt/rare cases/Ann Miller/visit.jpg can't be read.",
        f"{folder}/rose：权限不够。",
        "Epoch 3/4, 10:20: learning rate 1/2.",
    )
    entries = [LogEntry(now, MessageKind.ERROR, each) for each in reversed(said)]
    text = diagnostics(Session(), Preferences(), entries, (), [folder, "/data/old"])
    told = [line.split("error: ")[1] for line in text.splitlines() if "error: " in line]
    assert told == [
        "<images> has images, but no class subfolders.",
        "<images> can't be read.",
        "<images> is gone. Choose another.",
        "…/last.pth could not be saved: disk full.",
        "…/visit.jpg can't be read.",
        "<images>：权限不够。",
        said[-1],
    ]


@pytest.mark.parametrize("name", ["müller", "张伟"])
def test_the_diagnostics_name_no_home_with_other_letters(qapp, monkeypatch, tmp_path, name):
    monkeypatch.setenv("HOME", str(tmp_path / name))
    recipe = Recipe(photos="/data/patients", weights=str(tmp_path / name / "a.pth"))
    text = diagnostics(Session(recipe=recipe), Preferences(), (), ())
    assert '"weights": "~/a.pth"' in text
    assert "patients" not in text
    assert name not in text


def test_diagnostics_that_were_asked_for_are_copied_though_about_is_opened(
    qtbot, window, monkeypatch
):
    goes_on = threading.Event()

    def slow():
        goes_on.wait()
        yield DevicesDescribed(("CPU: AMD EPYC, 2 cores",))

    monkeypatch.setattr(tasks, "describe_devices", slow)
    trigger(window, "diagnosticsAction")
    trigger(window, "aboutAction")
    goes_on.set()
    about = find(window, AboutDialog, "aboutDialog")
    qtbot.waitUntil(lambda: button(about, "copyDiagnostics").text() == "Copied")
    assert "AMD EPYC" in QGuiApplication.clipboard().text()
    about.close()


def test_what_ends_the_program_while_it_opens_is_reported_at_the_next_start(monkeypatch):
    def broken(scheme, folder):
        raise RuntimeError("no icon")

    monkeypatch.setattr(app, "_run", broken)
    with pytest.raises(RuntimeError):
        app.main()
    (report,) = take_reports(paths.reports_folder())
    assert "RuntimeError: no icon" in report.text


def test_without_torch_the_rest_is_copied(qtbot, window, monkeypatch):
    def broken():
        raise ImportError("no torch")
        yield

    monkeypatch.setattr(tasks, "describe_devices", broken)
    trigger(window, "aboutAction")
    about = find(window, AboutDialog, "aboutDialog")
    copy = button(about, "copyDiagnostics")
    copy.click()
    qtbot.waitUntil(lambda: copy.text() == "Copied")
    assert "System: " in QGuiApplication.clipboard().text()
    about.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [(RUNNING, "Flowergui ended unexpectedly last time."), (ENDED, "An unexpected error occurred")],
)
def test_a_report_is_offered_read_and_deleted(qtbot, script, request, monkeypatch, name, said):
    monkeypatch.setenv("HOME", str(paths.reports_folder().parent))
    folder = paths.reports_folder()
    folder.mkdir()
    file = folder / f"{name}2026-01-01.txt"
    file.write_text(f"Flowergui 1\n\nFatal Python error: Aborted in {folder}/x.py\n")
    window = request.getfixturevalue("window")
    qtbot.waitUntil(lambda: said in banner_text(window))
    button(window, "bannerAction").click()
    shown = find(window, ReportDialog, "reportDialog")
    text = find(shown, QPlainTextEdit, "reportText").toPlainText()
    assert "Fatal Python error: Aborted in ~/" in text
    button(shown, "copyReport").click()
    assert QGuiApplication.clipboard().text() == text
    find(shown, QPushButton, "deleteReport").click()
    qtbot.waitUntil(lambda: not list(folder.iterdir()))
    qtbot.waitUntil(lambda: window.findChild(ReportDialog) is None)


PROGRAM = """
import os, sys
from PySide6.QtCore import QSettings, QTimer
from flowergui.desktop import app
part, settings = sys.argv[1:]
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
made = app.MainWindow

def make():
    window = made()

    def look():
        if "unexpectedly" in window._banner.text:
            clock.stop()
            print(window._banner.text, window._banner.messages[0].action, flush=True)
            window.close()

    clock = QTimer(window)
    if part == "crash":
        clock.setSingleShot(True)
        clock.timeout.connect(os.abort)
    else:
        clock.timeout.connect(look)
    clock.start(20)
    return window

app.MainWindow = make
sys.exit(app.main())
"""


def start_program(part: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, part, str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_after_a_real_crash_the_next_start_offers_its_report(tmp_path):
    crashed = start_program("crash", tmp_path)
    assert crashed.returncode < 0, crashed.stderr
    after = start_program("look", tmp_path)
    assert after.returncode == 0, after.stderr
    assert after.stdout == "Flowergui ended unexpectedly last time. Show report\n"
    (report,) = paths.reports_folder().iterdir()
    assert "Fatal Python error: Aborted" in report.read_text()
