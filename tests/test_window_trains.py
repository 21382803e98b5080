"""The whole program through the real window, with torch, on images that the test draws."""

import os
import shutil
import time
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QPushButton,
    QWidget,
)

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.session import preset
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.desktop.threads import worker
from flowergui.events import BatchDone
from flowergui.learning.models.efficientnet_lite import VARIANTS
from flowergui.learning.models.packaged_weights import read_packaged

LONG = 120_000
"""Milliseconds: torch may still be loading."""


@pytest.fixture
def window(qtbot, tmp_path):
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    made = MainWindow()
    made.show()
    yield made
    made.controllers.training.stop()
    qtbot.waitUntil(lambda: made.session.run == "idle", timeout=LONG)
    assert worker.end_all(60_000)
    made.close()
    made.deleteLater()


def find(window, kind, name):
    widget = window.findChild(kind, name)
    assert widget is not None, name
    return widget


def click(window, name):
    find(window, QPushButton, name).click()


def enabled(window, name):
    return find(window, QPushButton, name).isEnabled()


def banner(window):
    return window._banner.text


def small(window, **values):
    """A recipe for a CPU and images as small as these."""
    find(window, QComboBox, "modelSelector").setCurrentText("mynet")
    for name, value in {"image_size": 32, "batch_size": 4, "epochs": 2, **values}.items():
        find(window, QWidget, name).setValue(value)
    find(window, QComboBox, "precision").setCurrentText("float32")


def open_photos(qtbot, window, folder):
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(folder))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)


def run_to_the_end(qtbot, window):
    qtbot.waitUntil(lambda: "Done" in banner(window), timeout=LONG)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)


def weights(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["model"]


def test_the_first_start_is_a_transfer_that_downloads_nothing(
    qtbot, window, make_photos, tmp_path, models, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    photos = make_photos(tmp_path / "photos", classes=3, per_class=10)
    open_photos(qtbot, window, photos)
    session = window.session
    assert (session.mode, session.recipe.model) == ("transfer", "efficientnet_lite0")
    assert preset(session) == "recommended"
    for name, value in {"image_size": 64, "epochs": 2}.items():  # it is a small machine
        find(window, QWidget, name).setValue(value)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    run_to_the_end(qtbot, window)
    [run] = models.iterdir()
    assert run.name.endswith("_efficientnet_lite0_transfer")
    net = weights(run / "last.pth")
    published = read_packaged(VARIANTS["efficientnet_lite0"].weights)
    assert torch.equal(net["stem.conv.weight"], published["_conv_stem.weight"])
    assert not (tmp_path / "torch").exists()
    picture = next(photos.rglob("*.jpg"))
    find(window, QWidget, "dropZone").images_dropped.emit([str(picture)])
    guesses = find(window, QAbstractItemView, "predictions")
    qtbot.waitUntil(lambda: guesses.model().rowCount() == 3, timeout=LONG)


def test_scratch_stop_resume_transfer_predict(qtbot, window, make_photos, tmp_path, models):
    photos = make_photos(tmp_path / "photos", classes=3, per_class=10)
    open_photos(qtbot, window, photos)
    click(window, "modeScratch")
    small(window, epochs=60)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    qtbot.waitUntil(lambda: window._panels.run.plot._batches.length > 3, timeout=LONG)

    click(window, "pauseButton")
    pause = find(window, QPushButton, "pauseButton")
    qtbot.waitUntil(lambda: pause.text() == "Continue", timeout=LONG)
    [run] = models.iterdir()
    assert (run / "last.pth").is_file()
    pause.click()

    click(window, "stopButton")
    qtbot.waitUntil(lambda: "Stopped" in banner(window), timeout=LONG)
    stopped_at = torch.load(run / "last.pth", weights_only=True)["step"]
    drawn = window._panels.run.plot._batches.length
    assert drawn == stopped_at

    qtbot.waitUntil(lambda: enabled(window, "resumeLastButton"), timeout=LONG)
    click(window, "modeResume")
    find(window, QWidget, "epochs").setValue(3 + stopped_at // 6)
    click(window, "resumeLastButton")
    run_to_the_end(qtbot, window)
    assert window._panels.run.plot._batches.length > drawn
    assert [path.name for path in models.iterdir()] == [run.name]

    click(window, "modeTransfer")
    window.findChild(WeightsSelector).weights_requested.emit(str(run / "best.pth"))
    small(window)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    run_to_the_end(qtbot, window)
    transferred = max(models.iterdir(), key=lambda path: (path / "last.pth").stat().st_mtime)
    assert transferred.name.endswith("transfer")
    before = torch.load(run / "best.pth", weights_only=True)
    before, after = before["ema"] or before["model"], weights(transferred / "last.pth")
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert set(before) - same == {"fc.weight", "fc.bias"}

    picture = next((photos / "rose").iterdir()) if (photos / "rose").is_dir() else None
    picture = picture or next(next(photos.iterdir()).iterdir())
    find(window, QWidget, "dropZone").images_dropped.emit([str(picture)])
    guesses = find(window, QAbstractItemView, "predictions")
    qtbot.waitUntil(lambda: guesses.model().rowCount() == 3, timeout=LONG)


def test_two_processes_freeze_pause_go_on_stop_and_one_resumes(
    qtbot, window, make_photos, tmp_path, models
):
    photos = make_photos(tmp_path / "photos", classes=3, per_class=10)
    open_photos(qtbot, window, photos)
    click(window, "modeScratch")
    small(window, epochs=400, processes=2)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    drawn = window._panels.run.plot._batches
    qtbot.waitUntil(lambda: drawn.length > 3, timeout=LONG)
    [run] = models.iterdir()

    window.findChild(LayerPanel).frozen_requested.emit(("stem.*",))
    qtbot.waitUntil(lambda: window.session.recipe.frozen == ("stem.*",), timeout=LONG)
    qtbot.wait(500)  # the next batch begins with it

    pause = find(window, QPushButton, "pauseButton")
    pause.click()
    qtbot.waitUntil(lambda: pause.text() == "Continue", timeout=LONG)
    paused_at = drawn.length
    qtbot.wait(1500)
    assert drawn.length == paused_at
    assert "stem.0.weight" in (run / "changes.jsonl").read_text()
    kept = weights(run / "last.pth")["stem.0.weight"]
    pause.click()
    qtbot.waitUntil(lambda: drawn.length > paused_at + 3, timeout=LONG)

    click(window, "stopButton")
    qtbot.waitUntil(lambda: "Stopped" in banner(window), timeout=LONG)
    assert torch.equal(weights(run / "last.pth")["stem.0.weight"], kept)
    stored = torch.load(run / "last.pth", weights_only=True)
    assert stored["recipe"]["processes"] == 2
    assert drawn.length == stored["step"]

    qtbot.waitUntil(lambda: enabled(window, "resumeLastButton"), timeout=LONG)
    click(window, "modeResume")
    small_again = {"epochs": stored["epoch"] + 1, "processes": 1}
    for name, value in small_again.items():
        find(window, QWidget, name).setValue(value)
    click(window, "resumeLastButton")
    run_to_the_end(qtbot, window)
    ended = torch.load(run / "last.pth", weights_only=True)
    assert (ended["recipe"]["processes"], ended["epoch"]) == (1, stored["epoch"] + 2)


def test_the_window_and_the_command_line_end_with_the_same_weights(
    qtbot, window, make_photos, tmp_path, models
):
    """... also if images are predicted and networks described meanwhile."""
    photos = make_photos(tmp_path / "photos", classes=3, per_class=10)
    open_photos(qtbot, window, photos)
    click(window, "modeScratch")
    small(window, epochs=6)
    find(window, QWidget, "ema").setValue(0.9)
    find(window, QComboBox, "augmentation").setCurrentText("strong")
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    picture = str(next(next(photos.iterdir()).iterdir()))
    looked = 0
    while window.session.run != "idle":
        find(window, QWidget, "dropZone").images_dropped.emit([picture])
        window._jobs.do("describe", lambda: tasks.describe_model("resnet18", 3, 64), len)
        looked += 1
        qtbot.wait(30)
    assert looked >= 3
    run_to_the_end(qtbot, window)
    [run] = models.iterdir()
    recipe = Recipe.from_dict(torch.load(run / "last.pth", weights_only=True)["recipe"])

    for _ in tasks.train(recipe, models=tmp_path / "again"):
        pass
    [again] = (tmp_path / "again").iterdir()
    for key in ("model", "ema"):
        ours = torch.load(run / "last.pth", weights_only=True)[key]
        theirs = torch.load(again / "last.pth", weights_only=True)[key]
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_offline_weights_are_refused_in_words(qtbot, window, make_photos, tmp_path, monkeypatch):
    """torchvision's weights, from an address that does not answer."""
    from torchvision.models import ResNet18_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        type(ResNet18_Weights.IMAGENET1K_V1), "url", "http://127.0.0.1:9/resnet18-f37072fd.pth"
    )
    photos = make_photos(tmp_path / "photos")
    open_photos(qtbot, window, photos)
    find(window, QComboBox, "modelSelector").setCurrentText("resnet18")
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    qtbot.waitUntil(lambda: "could not be downloaded" in banner(window), timeout=LONG)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)


def test_real_photos_train(qtbot, window, flower_photos, tmp_path, models):
    """A few batches on real images, and a prediction during training."""
    few = tmp_path / "few"
    for folder in sorted(Path(flower_photos).iterdir())[:3]:
        (few / folder.name).mkdir(parents=True)
        for photo in sorted(folder.iterdir())[:20]:
            shutil.copy(photo, few / folder.name)
    open_photos(qtbot, window, few)
    click(window, "modeScratch")
    small(window, image_size=64, epochs=500)
    qtbot.waitUntil(lambda: enabled(window, "startButton"), timeout=LONG)
    click(window, "startButton")
    qtbot.waitUntil(lambda: window._panels.run.plot._epochs.length >= 1, timeout=LONG)
    find(window, QWidget, "dropZone").images_dropped.emit([str(next(few.rglob("*.jpg")))])
    guesses = find(window, QAbstractItemView, "predictions")
    qtbot.waitUntil(lambda: guesses.model().rowCount() == 3, timeout=LONG)
    assert window.session.run == "running"
    began = time.monotonic()
    click(window, "stopButton")
    qtbot.waitUntil(lambda: window.session.run == "idle", timeout=LONG)
    assert time.monotonic() - began < 10
    rows = list(tasks.history(next(models.iterdir())))
    assert (
        sum(isinstance(row, BatchDone) for row in rows) == window._panels.run.plot._batches.length
    )


def test_this_pass_is_on_the_screen_that_was_asked_for(qapp):
    assert qapp.platformName() == os.environ["QT_QPA_PLATFORM"]
