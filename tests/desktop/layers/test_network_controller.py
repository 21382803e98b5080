"""The network of the recipe in the window, and its frozen layers."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTreeView
from scripted import (
    BATCHES,
    NAMES,
    banner,
    banner_text,
    button,
    choose_mode,
    find,
    leaves,
    open_photos,
    plot,
    start,
)

from flowergui import tasks
from flowergui.desktop.layers.network_dialog import NetworkDialog
from flowergui.errors import FlowerError


def test_the_layers_are_there_before_start(qtbot, window, photos):
    qtbot.waitUntil(lambda: tuple(leaves(window)) == NAMES)


def test_transfer_freezes_all_but_the_head(qtbot, window, script, photos):
    button(window, "modeTransfer").click()
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].frozen == ("all-but-head",)


def test_ticks_go_into_the_recipe(qtbot, window, script, photos):
    button(window, "modeScratch").click()
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(leaves(window)))
    index = leaves(window)["conv1.weight"]
    index.model().setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].frozen == ("conv1.weight",)


def test_ticks_reach_the_run_that_goes(qtbot, window, script, photos):
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    index = leaves(window)["layer1.weight"]
    index.model().setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    script.gate.release()
    qtbot.waitUntil(lambda: script.of("frozen") == [("layer1.weight",)])


def test_everything_frozen_keeps_start_off(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(leaves(window)))
    for name in NAMES:
        index = leaves(window)[name]
        index.model().setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    assert not button(window, "startButton").isEnabled()
    assert "frozen" in button(window, "startButton").toolTip()


def test_a_size_that_cannot_be_is_refused_with_an_offer(qtbot, window, script, photos):
    script.refuse = "vit_b_16"
    button(window, "modeScratch").click()
    open_photos(qtbot, window, photos)
    find(window, QComboBox, "modelSelector").setCurrentText("vit_b_16")
    qtbot.waitUntil(lambda: "can't take" in banner_text(window))
    assert not button(window, "startButton").isEnabled()
    next(b for b in banner(window).findChildren(QPushButton) if "own size" in b.text()).click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert window.session.recipe.image_size == 0


def test_ticks_of_a_run_that_goes_are_those_of_the_next(qtbot, window, script, photos):
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    index = leaves(window)["layer1.weight"]
    index.model().setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert leaves(window)["layer1.weight"].data(Qt.ItemDataRole.CheckStateRole) == (
        Qt.CheckState.Checked
    )
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: len(script.of("train")) == 2)
    assert script.of("train")[1].frozen == ("layer1.weight",)


def test_everything_frozen_is_no_wish_of_a_run(qtbot, window, script, photos):
    start(qtbot, window, photos)
    for name in NAMES:
        index = leaves(window)[name]
        index.model().setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    assert window.controllers.training.live.frozen == NAMES[:3]
    assert "Everything is frozen" in find(window, QLabel, "layersError").text()


def choose_epoch(window, stage: int, epoch: int) -> None:
    model = find(window, QTreeView, "layerTree").model()
    cell = model.index(stage, 0).siblingAtColumn(3)
    assert model.setData(cell, epoch, Qt.ItemDataRole.EditRole)


def test_epochs_of_stages_go_into_the_recipe(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(leaves(window)))
    choose_epoch(window, 1, 3)
    assert button(window, "unfreeze_schedule").isChecked()
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("train")))
    (recipe,) = script.of("train")
    assert recipe.frozen == ("all-but-head",)
    assert (recipe.freeze_epochs, recipe.unfreeze_schedule) == (0, ("conv1=2", "layer1=3"))


def test_an_epoch_is_chosen_for_a_run_that_goes(qtbot, window, script, photos):
    script.started, script.epochs = {"frozen": NAMES[:2]}, 3
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    choose_epoch(window, 0, 3)
    script.gate.release()
    qtbot.waitUntil(lambda: script.of("unfreeze schedule") == [("conv1=3", "layer1=2")])
    assert script.of("frozen") == []  # as before


def test_another_network_has_no_schedule(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(leaves(window)))
    choose_epoch(window, 1, 3)
    find(window, QComboBox, "modelSelector").setCurrentText("resnet50")
    recipe = window.session.recipe
    assert (recipe.model, recipe.unfreeze_schedule, recipe.freeze_epochs) == ("resnet50", (), 1)


def test_an_error_about_the_network_before_is_not_heard(qtbot, window, script, photos, monkeypatch):
    may_end, describe = threading.Event(), script.describe_model

    def slow(model, class_count, image_size=0):
        if model == "vit_b_16":
            may_end.wait()
            raise FlowerError("vit_b_16 can't be described.")
        yield from describe(model, class_count, image_size)

    open_photos(qtbot, window, photos)
    monkeypatch.setattr(tasks, "describe_model", slow)
    models = find(window, QComboBox, "modelSelector")
    models.setCurrentText("vit_b_16")
    qtbot.waitUntil(lambda: window._jobs.is_running("describe"))
    models.setCurrentText("resnet50")
    may_end.set()
    qtbot.waitUntil(lambda: window.session.network is not None)
    assert window.session.network.model == "resnet50"
    assert (window.session.network_problem, banner_text(window)) == ("", "")
    assert button(window, "startButton").isEnabled()


@pytest.mark.parametrize("described", [True, False])
def test_a_network_that_cannot_be_is_not_shown_but_said(qtbot, window, script, photos, described):
    """Nor is another one shown later, which nobody has asked for."""
    script.refuse = "vit_b_16"
    choose_mode(window, "scratch")
    open_photos(qtbot, window, photos)
    models, show = find(window, QComboBox, "modelSelector"), find(window, QAction, "networkAction")
    models.setCurrentText("vit_b_16")
    if not described:
        show.trigger()
    qtbot.waitUntil(lambda: "can't take" in banner_text(window))
    if described:
        banner(window).clear()
        show.trigger()
        assert "can't take" in banner_text(window)
        assert banner(window).messages[0].action == "Use its own size"
    models.setCurrentText("resnet50")
    qtbot.waitUntil(lambda: window.session.network is not None)
    assert window.findChild(NetworkDialog) is None


def test_a_network_is_shown_once_it_is_described(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    find(window, QComboBox, "modelSelector").setCurrentText("resnet50")
    find(window, QAction, "networkAction").trigger()
    assert window.findChild(NetworkDialog) is None
    qtbot.waitUntil(lambda: window.findChild(NetworkDialog) is not None)
