"""The window of all runs, from the main window."""

import csv
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QInputDialog, QLabel, QMessageBox, QPushButton
from scripted import (
    NAMES,
    banner,
    banner_text,
    button,
    evaluation,
    find,
    list_runs,
    open_photos,
    start,
    texts,
)

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.runs import runs_jobs
from flowergui.desktop.runs.run_table import RunTable
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.session import predicting_checkpoint
from flowergui.errors import FlowerError
from flowergui.events import Exported, Preparing, RunListed, Stopped
from flowergui.facts import RunFacts
from flowergui.requests import ExportOptions
from flowergui.store import library
from flowergui.store.run_folder import RunFolder


def on_disk(script, tmp_path, name, **recipe) -> RunFacts:
    folder = tmp_path / name
    folder.mkdir()
    paths = [str(folder / f"{each}.pth") for each in ("last", "best")]
    run = RunFacts(str(folder), Recipe(epochs=2, **recipe), 2, 1, 0.75, *paths)
    script.runs.append(run)
    return run


def runs_window(window) -> RunsWindow | None:
    return window.findChild(RunsWindow, "runsWindow")


def compare_runs(qtbot, window, *, some: bool = True) -> RunsWindow:
    button(window, "compareRunsButton").click()
    qtbot.waitUntil(lambda: bool(runs_window(window).runs.runs) or not some)
    return runs_window(window)


def look_at(runs: RunsWindow, run: RunFacts) -> None:
    find(runs, RunTable, "runTable").set_current(run.path)


def test_runs_are_compared_in_a_window_of_their_own(qtbot, window, script, tmp_path):
    on_disk(script, tmp_path, "a")
    on_disk(script, tmp_path, "b")
    runs = compare_runs(qtbot, window)
    assert [each.run for each in runs.runs.runs] == script.runs
    button(window, "compareRunsButton").click()
    assert window.findChildren(RunsWindow) == [runs]
    runs.close()
    qtbot.waitUntil(lambda: runs_window(window) is None)
    compare_runs(qtbot, window)


def test_the_run_that_goes_on_is_followed(qtbot, window, script, photos, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.setenv("FLOWERGUI_MODELS", str(tmp_path))
    listed, script.run = str(script.run), tmp_path / "link" / script.run.name
    window.controllers.comparison._soon.setInterval(1)
    on_disk(script, tmp_path, "a")
    runs = compare_runs(qtbot, window)
    start(qtbot, window, photos)
    script.runs.insert(0, RunFacts(listed, Recipe(epochs=2), 2, 0, 0.0, "", ""))
    script.gate.release()
    qtbot.waitUntil(lambda: [listed] in script.of("compare"))
    qtbot.waitUntil(lambda: len(runs.runs.runs) == 2)
    look_at(runs, script.runs[0])
    qtbot.waitUntil(lambda: not button(runs, "removeRunButton").isEnabled())
    assert not button(runs, "takeSettingsButton").isEnabled()
    script.runs[0] = replace(script.runs[0], epochs_done=1)
    for _ in range(4):
        script.gate.release()
    qtbot.waitUntil(lambda: len(runs.runs.runs[0].epochs) == 1)
    window.controllers.training.stop()
    script.gate.release()
    qtbot.waitUntil(button(runs, "removeRunButton").isEnabled)


def test_a_look_at_a_run_that_ends_after_the_run_leaves_its_trash_button_enabled(
    qtbot, window, script, photos, tmp_path, monkeypatch
):
    looking, may_end = threading.Event(), threading.Event()
    run = RunFacts(str(script.run), Recipe(epochs=2), 2, 0, 0.0, "", "")

    def slow(path):
        looking.set()
        may_end.wait()
        yield RunListed(run, (), None, 0.0, 0, "")

    monkeypatch.setattr(runs_jobs, "list_run", slow)
    window.controllers.comparison._soon.setInterval(1)
    runs = compare_runs(qtbot, window, some=False)
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(looking.is_set)
    script.runs.append(run)
    window.controllers.training.stop()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    may_end.set()
    qtbot.waitUntil(lambda: not window._jobs.is_running("update a run"))
    look_at(runs, run)
    qtbot.waitUntil(button(runs, "removeRunButton").isEnabled)


def test_a_run_of_the_list_is_gone_on_with(qtbot, window, script, tmp_path):
    on_disk(script, tmp_path, "a")
    run = on_disk(script, tmp_path, "b", model="resnet50")
    list_runs(qtbot, window)
    runs = compare_runs(qtbot, window)
    look_at(runs, run)
    button(runs, "resumeRunButton").click()
    qtbot.waitUntil(lambda: window.session.mode == "resume")
    assert window.session.checkpoint == run.last
    assert window.session.recipe.model == "resnet50"
    assert not script.of("resume")  # it is shown first
    qtbot.waitUntil(lambda: runs_window(window) is None)


def test_a_new_run_takes_the_settings_of_one(qtbot, window, script, photos, tmp_path):
    settings = {"model": "resnet50", "mode": "transfer", "weights": "mine.pth", "epochs": 7}
    run = on_disk(script, tmp_path, "a", photos="/elsewhere")
    run = replace(run, recipe=replace(run.recipe, **settings, frozen=NAMES[:2], ema=0.9))
    script.runs[:] = [run]
    open_photos(qtbot, window, photos)
    button(window, "modeResume").click()
    runs = compare_runs(qtbot, window)
    button(runs, "takeSettingsButton").click()
    assert window.session.recipe == replace(run.recipe, photos=photos)
    assert (window.session.mode, window.session.recipe.model) == ("transfer", "resnet50")
    assert window.session.recipe.weights == "mine.pth"
    assert "for the open dataset" in banner_text(window)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train") == [replace(run.recipe, photos=photos)]


def test_with_its_settings_come_its_photos_where_none_are_open(
    qtbot, window, script, photos, tmp_path
):
    on_disk(script, tmp_path, "a", photos=photos, model="mynet")
    runs = compare_runs(qtbot, window)
    button(runs, "takeSettingsButton").click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert script.of("inspect") == [photos]
    assert (window.session.recipe.photos, window.session.recipe.model) == (photos, "mynet")


def test_settings_that_cannot_be_taken_are_named(qtbot, window, script, photos, tmp_path):
    open_photos(qtbot, window, photos)
    on_disk(script, tmp_path, "a", model="oaknet", weights="IMAGENET1K_V1", mode="transfer")
    runs = compare_runs(qtbot, window)
    button(runs, "takeSettingsButton").click()
    assert banner_text(window) == "There is no network oaknet here; choose one."
    recipe = window.session.recipe
    assert (recipe.model, recipe.weights) == ("efficientnet_lite0", "imagenet")


def test_a_run_of_the_list_answers_and_shows_its_mistakes(qtbot, window, script, tmp_path):
    run = on_disk(script, tmp_path, "a")
    runs = compare_runs(qtbot, window)
    button(runs, "predictWithRunButton").click()
    note = find(runs, QLabel, "runsNote")
    qtbot.waitUntil(lambda: "a predicts from now on" in note.text())
    assert predicting_checkpoint(window.session) == run.best
    button(runs, "evaluateRunButton").click()
    qtbot.waitUntil(lambda: script.of("evaluate") == [(run.best, "")])
    qtbot.waitUntil(lambda: evaluation(window).is_finished)


def test_a_run_of_the_list_is_exported(qtbot, window, script, tmp_path, monkeypatch):
    def export(checkpoint: str, out: str, options: ExportOptions) -> Iterator[Any]:
        script.seen.append(("export", (checkpoint, out, options)))
        if out.startswith("/slow"):
            script.gate.acquire()
        if out.endswith("full"):
            raise FlowerError("There is no room.")
        yield Preparing("Tracing the network", 0, 0)
        ended.append(out)
        yield Exported(out)

    ended: list[str] = []
    monkeypatch.setattr(tasks, "export", export)
    run = on_disk(script, tmp_path, "a")
    runs = compare_runs(qtbot, window)
    note = find(runs, QLabel, "runsNote")
    small = ExportOptions(float16=True)
    runs.export_requested.emit(run, "/elsewhere/a.onnx", small)
    qtbot.waitUntil(lambda: note.text() == "The network was exported to /elsewhere/a.onnx.")
    assert script.of("export") == [(run.best, "/elsewhere/a.onnx", small)]
    runs.export_requested.emit(run, "/full", small)
    qtbot.waitUntil(lambda: note.text() == "There is no room.")
    runs.export_requested.emit(run, "/slow/1", small)
    runs.export_requested.emit(run, "/slow/2", small)  # ends none that goes
    qtbot.waitUntil(lambda: len(script.of("export")) == 4)
    for _ in range(2):
        script.gate.release()
    qtbot.waitUntil(lambda: sorted(ended[1:]) == ["/slow/1", "/slow/2"])
    runs.export_requested.emit(run, "/slow", small)
    runs.close()  # it goes on
    script.gate.release()
    qtbot.waitUntil(lambda: banner_text(window) == "The network was exported to /slow.")
    compare_runs(qtbot, window).export_requested.emit(run, "/slow full", small)
    runs_window(window).close()
    script.gate.release()
    qtbot.waitUntil(lambda: banner_text(window) == "There is no room.")


def trash_says(monkeypatch, done: bool) -> None:
    def file(path: str) -> SimpleNamespace:
        return SimpleNamespace(moveToTrash=lambda: done, fileName=lambda: "")

    monkeypatch.setattr(runs_jobs, "QFile", file)


def remove(window, runs) -> None:
    button(runs, "removeRunButton").click()
    question = find(runs, QMessageBox, "removeQuestion")
    question.button(QMessageBox.StandardButton.Yes).click()


@pytest.mark.skipif(sys.platform != "linux", reason="would fill the trash of whoever tests")
def test_a_run_goes_to_the_trash(qtbot, window, script, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    other, run = on_disk(script, tmp_path, "a"), on_disk(script, tmp_path, "b")
    runs = compare_runs(qtbot, window)
    look_at(runs, run)
    button(runs, "predictWithRunButton").click()
    qtbot.waitUntil(lambda: predicting_checkpoint(window.session) == run.best)
    window.controllers.presenter.show((Stopped(run.path, 2, 0),))
    banner(window).show_error("Something else.")
    script.runs.remove(run)
    remove(window, runs)
    qtbot.waitUntil(lambda: not Path(run.path).exists())
    assert (tmp_path / "data" / "Trash" / "files" / "b").is_dir()
    qtbot.waitUntil(lambda: len(runs.runs.runs) == 1)
    assert find(runs, QLabel, "runsNote").text() == "b is in the trash."
    assert [each.text for each in banner(window).messages] == ["Something else."]
    qtbot.waitUntil(lambda: predicting_checkpoint(window.session) == other.best)
    script.runs.append(run)
    button(runs, "runsOffer").click()
    qtbot.waitUntil(lambda: len(runs.runs.runs) == 2)
    assert Path(run.path).is_dir()
    assert find(runs, QLabel, "runsNote").text() == "b is back."
    assert not button(runs, "runsOffer").isVisible()
    assert not list((tmp_path / "data" / "Trash").glob("*/b*"))
    qtbot.waitUntil(lambda: len(window.session.runs) == 2)


@pytest.mark.skipif(sys.platform != "linux", reason="would fill the trash of whoever tests")
def test_a_run_is_not_put_back_over_another(qtbot, window, script, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    run = on_disk(script, tmp_path, "b")
    runs = compare_runs(qtbot, window)
    look_at(runs, run)
    remove(window, runs)
    qtbot.waitUntil(lambda: button(runs, "runsOffer").isVisible())
    Path(run.path).mkdir()
    button(runs, "runsOffer").click()
    note = find(runs, QLabel, "runsNote")
    qtbot.waitUntil(lambda: "can't be put back: something else is there." in note.text())
    assert (tmp_path / "data" / "Trash" / "files" / "b").is_dir()


def test_while_a_resumed_run_goes_it_is_not_looked_at_again(
    qtbot, window, script, tmp_path, monkeypatch
):
    trash_says(monkeypatch, True)
    on_disk(script, tmp_path, "a")
    other = on_disk(script, tmp_path, "b")
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    qtbot.waitUntil(lambda: bool(script.of("preflight")))
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(button(window, "stopButton").isEnabled)
    looks = len(script.of("preflight"))
    runs = compare_runs(qtbot, window)
    look_at(runs, other)
    script.runs.remove(other)
    remove(window, runs)
    qtbot.waitUntil(lambda: len(runs.runs.runs) == 1)
    assert not window.controllers.resume.debounce.isActive()
    assert len(script.of("preflight")) == looks


def test_a_run_that_is_resumed_at_once_is_not_looked_at_beside_it(qtbot, window, script, tmp_path):
    """It looks at its photos itself; both would read the same files."""
    on_disk(script, tmp_path, "a")
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    assert window.session.run == "running"
    assert not window.controllers.resume.debounce.isActive()
    assert not script.of("preflight")
    assert "Scanning the images" not in texts(window)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert window.session.mode == "transfer"  # as before it was resumed
    button(window, "resumeLastButton").click()
    assert window.session.run == "running"
    assert not window.controllers.resume.debounce.isActive()  # nor the second time


def ask_for_note(runs) -> QInputDialog:
    button(runs, "noteButton").click()
    return runs.findChildren(QInputDialog, "noteQuestion")[-1]


def noted_run(qtbot, window, script, tmp_path) -> tuple[RunsWindow, RunFolder]:
    run = on_disk(script, tmp_path, "a")
    folder = RunFolder(tmp_path / "a")
    folder.write_recipe(run.recipe)
    return compare_runs(qtbot, window), folder


def test_a_note_is_kept_with_its_run(qtbot, window, script, tmp_path):
    runs, folder = noted_run(qtbot, window, script, tmp_path)
    question = ask_for_note(runs)
    assert all(each.icon().isNull() for each in question.findChildren(QPushButton))
    question.setTextValue(" for  the <b>fair</b> ")
    script.runs[0] = replace(script.runs[0], note="for the <b>fair</b>")
    question.accept()
    qtbot.waitUntil(lambda: folder.note() == "for the <b>fair</b>")
    qtbot.waitUntil(lambda: [each.run.note for each in runs.runs.runs] == [folder.note()])
    newest = find(window, QLabel, "resumeLastName")
    qtbot.waitUntil(lambda: "for the &lt;b&gt;fair&lt;/b&gt;" in newest.toolTip())
    question = ask_for_note(runs)
    assert question.textValue() == "for the <b>fair</b>"
    question.setTextValue("")
    question.reject()
    assert folder.note() == "for the <b>fair</b>"


def test_a_note_that_cannot_be_kept_is_asked_for_again(qtbot, window, script, tmp_path):
    runs, folder = noted_run(qtbot, window, script, tmp_path)
    (folder.path / "note.txt").mkdir()
    question = ask_for_note(runs)
    question.setTextValue("long thought of")
    question.accept()
    note = find(runs, QLabel, "runsNote")
    qtbot.waitUntil(lambda: "note.txt can't be written" in note.text())
    again = runs.findChildren(QInputDialog, "noteQuestion")[-1]
    assert again.isVisible()
    assert again.textValue() == "long thought of"
    again.reject()


def test_a_note_on_a_run_that_has_gone_meanwhile(qtbot, window, script, tmp_path):
    runs, folder = noted_run(qtbot, window, script, tmp_path)
    question = ask_for_note(runs)
    (folder.path / "recipe.json").unlink()
    folder.path.rmdir()
    question.accept()
    note = find(runs, QLabel, "runsNote")
    qtbot.waitUntil(lambda: note.text() == "a is gone.")


def test_a_note_while_a_run_goes_leaves_its_checkpoint_chosen(
    qtbot, window, script, tmp_path, photos
):
    runs, folder = noted_run(qtbot, window, script, tmp_path)
    start(qtbot, window, photos)
    lists, chosen = script.of("compare").count([]), len(script.of("runs"))
    question = ask_for_note(runs)
    question.setTextValue("x")
    question.accept()
    qtbot.waitUntil(lambda: folder.note() == "x")
    qtbot.waitUntil(lambda: script.of("compare").count([]) > lists)
    assert len(script.of("runs")) == chosen  # a save could have moved one just then


def test_a_run_that_has_gone_meanwhile(qtbot, window, script, tmp_path):
    run = on_disk(script, tmp_path, "a")
    runs = compare_runs(qtbot, window)
    window.controllers.presenter.show((Stopped(run.path, 2, 0),))
    banner(window).show_error("Something else.")
    (tmp_path / "a").rmdir()
    script.runs.clear()
    button(runs, "predictWithRunButton").click()
    note = find(runs, QLabel, "runsNote")
    qtbot.waitUntil(lambda: note.text() == "a is gone.")
    assert predicting_checkpoint(window.session) == ""
    assert [each.text for each in banner(window).messages] == ["Something else."]
    qtbot.waitUntil(lambda: not runs.runs.runs)
    for signal in (runs.resume_requested, runs.evaluation_requested):
        runs.show_note("")
        signal.emit(run)
        qtbot.waitUntil(lambda: note.text() == "a is gone.")
    runs.show_note("")
    runs.removal_requested.emit(run)
    runs.findChild(QMessageBox).button(QMessageBox.StandardButton.Yes).click()
    qtbot.waitUntil(lambda: note.text() == "a is gone.")
    assert window.session.mode == "transfer"  # as before
    assert not script.of("evaluate")
    assert not (tmp_path / "a").exists()


def test_a_run_that_cannot_go_to_the_trash_stays(qtbot, window, script, tmp_path, monkeypatch):
    run = on_disk(script, tmp_path, "a")
    trash_says(monkeypatch, False)
    runs = compare_runs(qtbot, window)
    note = find(runs, QLabel, "runsNote")
    with RunFolder(Path(run.path)).locked():  # in another terminal
        remove(window, runs)
        qtbot.waitUntil(lambda: "is training" in note.text())
    remove(window, runs)
    qtbot.waitUntil(lambda: "can't be moved to the trash" in note.text())
    button(runs, "predictWithRunButton").click()
    qtbot.waitUntil(lambda: "predicts from now on" in note.text())
    assert predicting_checkpoint(window.session) == run.best
    assert len(runs.runs.runs) == 1


def test_the_runs_are_saved_as_a_table(qtbot, window, script, tmp_path):
    run = on_disk(script, tmp_path, "a")
    runs = compare_runs(qtbot, window)
    note, path = find(runs, QLabel, "runsNote"), tmp_path / "runs.csv"
    runs.table_requested.emit(str(path))
    qtbot.waitUntil(lambda: note.text() == f"The table was saved as {path}.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [row["run"] for row in csv.DictReader(file)] == [run.path]
    runs.table_requested.emit(str(tmp_path / "none" / "runs.csv"))
    qtbot.waitUntil(lambda: "can't be written" in note.text())


def test_the_disk_is_touched_by_jobs_alone(qtbot, window, script, tmp_path, monkeypatch):
    """A folder on a network that hangs would stop the window."""
    threads = set()

    def watch(owner, name):
        real = getattr(owner, name)

        def watched(*given, **more):
            threads.add(threading.get_ident())
            return real(*given, **more)

        monkeypatch.setattr(owner, name, watched)

    for name in ("list_runs", "remove"):
        watch(runs_jobs, name)
    for name in ("write_note", "is_training"):
        watch(library, name)
    trash_says(monkeypatch, False)
    runs, folder = noted_run(qtbot, window, script, tmp_path)
    question = ask_for_note(runs)
    question.setTextValue("x")
    question.accept()
    qtbot.waitUntil(lambda: folder.note() == "x")
    note = find(runs, QLabel, "runsNote")
    remove(window, runs)
    qtbot.waitUntil(lambda: "can't be moved to the trash" in note.text())
    assert threads
    assert threading.get_ident() not in threads
