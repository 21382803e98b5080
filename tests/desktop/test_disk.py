"""The window's thread reads no disk: runs, notes and weights are found by jobs."""

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QComboBox, QWidget
from scripted import BATCHES, button, drop, find, list_runs, open_photos

from flowergui.config.recipe import Recipe
from flowergui.facts import RunFacts
from flowergui.store import library
from flowergui.store.run_folder import RunFolder

QUESTIONS = ("find_runs", "run_of", "saved_weights", "bare_weights", "write_note", "is_training")


def test_the_disk_is_never_read_in_the_windows_thread(
    qtbot, window, script, photos, tmp_path, monkeypatch
):
    asked: list[tuple[str, int]] = []

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            asked.append((name, threading.get_ident()))
            return function(*args, **more)

        return call

    for name in QUESTIONS:
        monkeypatch.setattr(library, name, noted(name, getattr(library, name)))
    made = RunFolder.__init__
    monkeypatch.setattr(RunFolder, "__init__", noted("RunFolder", made))

    last = str(script.run / "last.pth")
    recipe = Recipe(photos=photos, epochs=3)
    script.runs.append(RunFacts(str(script.run), recipe, 2, 1, 0.5, last, ""))
    list_runs(qtbot, window)
    button(window, "modeTransfer").click()
    find(window, QComboBox, "modelSelector").setCurrentText("resnet50")
    open_photos(qtbot, window, photos)
    button(window, "modeResume").click()
    window.controllers.resume.choose("/from/elsewhere/last.pth")
    qtbot.waitUntil(lambda: not window.session.finding_run)
    window.controllers.resume.choose(last)
    qtbot.waitUntil(lambda: bool(script.of("preflight")))
    drop(find(window, QWidget, "dropZone"), ["/x/a.jpg"])
    qtbot.waitUntil(lambda: bool(script.of("predict")))
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: bool(script.of("evaluate")))
    button(window, "compareRunsButton").click()
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: window.session.run == "running")
    for _ in range(3 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    qtbot.waitUntil(lambda: not window._jobs.is_running("runs"))
    assert {name for name, _ in asked} >= {"find_runs", "run_of", "saved_weights", "bare_weights"}
    assert [name for name, thread in asked if thread == threading.get_ident()] == []
