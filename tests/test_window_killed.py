"""The real program is killed while it trains, started again, and resumes with one click."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import Finished
from flowergui.store import library

PROGRAM = """
import json, sys
import torch
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QPushButton
from flowergui.desktop import app, main_window
from flowergui.config.recipe import Recipe

part, settings, folder, recipe = sys.argv[1:]
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
torch.set_num_threads(1)  # as whom it is compared with
made = main_window.MainWindow

def make():
    window = made()
    button = lambda name: window.findChild(QPushButton, name)
    steps = []  # what is asked for next

    def start():
        if button("startButton").isEnabled():
            steps.append(watch)
            button("startButton").click()

    def set_up():
        if button("startButton").isEnabled() and window.session.models:
            wanted = json.loads(recipe)
            for name in ("frozen", "unfreeze_schedule"):  # lists in JSON
                wanted[name] = tuple(wanted[name])
            button("modeScratch").click()
            window._store.update_recipe(**wanted)
            steps.append(start)

    def watch():
        print("steps", window._panels.run.plot._batches.length, flush=True)

    def accept():
        if not button("bannerAction"):
            return  # the runs are still being listed
        print("screen", app.QApplication.platformName(), flush=True)
        print("banner", window._banner.text, flush=True)
        steps.append(end)
        button("bannerAction").click()

    def end():
        if window.session.run == "idle":
            plot = window._panels.run.plot
            told = {"steps": list(plot._batches["step"]), "epochs": list(plot._epochs["epoch"])}
            print("drawn", json.dumps(told), flush=True)
            clock.stop()
            window.close()

    steps.append(set_up if part == "first" else accept)
    clock = QTimer(window)
    clock.timeout.connect(lambda: steps[-1]())
    clock.start(20)
    return window

app.MainWindow = make
sys.exit(app.main(folder if part == "first" else None))
"""


@contextmanager
def program(part: str, settings: Path, folder: Path, recipe: Recipe) -> Iterator[Iterator[str]]:
    """The lines that the program prints. It is killed at the end if it still runs."""
    words = [part, str(settings), str(folder), json.dumps(asdict(recipe))]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield iter(process.stdout.readline, "")
    finally:
        process.kill()  # SIGKILL: nothing in it can know
        process.stdout.close()
        process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_and_resumed_with_one_click(make_photos, tmp_path: Path, models: Path) -> None:
    folder = make_photos(tmp_path / "photos", classes=3, per_class=10)
    recipe = Recipe(
        photos=str(folder), mode="scratch", model="mynet", image_size=32, batch_size=4, epochs=40,
        ema=0.9, augmentation="light", scheduler="one-cycle", device="cpu", precision="float32",
    )  # fmt: skip
    with program("first", tmp_path, folder, recipe) as lines:
        for line in lines:
            if line.startswith("steps") and int(line.split()[1]) >= 15:  # six an epoch
                break
    (run,) = library.runs()
    assert 1 <= run.epochs_done < 40
    with program("second", tmp_path, folder, recipe) as lines:
        told = dict(line.strip().split(" ", 1) for line in lines)
    where = f"at epoch {run.epochs_done + 1} of 40, batch {run.batch}"
    where = where if run.batch else f"after epoch {run.epochs_done} of 40"
    assert told["screen"] == os.environ["QT_QPA_PLATFORM"]
    assert told["banner"] == f"Your last run (mynet) stopped {where}."
    drawn = json.loads(told["drawn"])
    assert drawn["steps"] == list(range(1, 241))  # no seam, no gap, nothing twice
    assert drawn["epochs"] == list(range(1, 41))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    *_, whole = tasks.train(recipe, models=tmp_path / "whole")
    torch.set_num_threads(threads)
    assert isinstance(whole, Finished)
    ours, theirs = (
        torch.load(Path(path) / "last.pth", weights_only=True) for path in (run.path, whole.run)
    )
    for key in ("model", "ema"):
        assert all(torch.equal(ours[key][name], theirs[key][name]) for name in ours[key])
    assert [path.name for path in models.iterdir()] == [Path(run.path).name]
