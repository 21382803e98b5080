"""Where a new run starts, in the window: its network and its weights."""

from collections.abc import Iterator
from typing import Any

from PySide6.QtWidgets import QComboBox
from scripted import banner, banner_text, button, find, start

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.errors import OtherArchitectureError
from flowergui.events import DeviceNoticed
from flowergui.facts import DeviceNotice
from flowergui.requests import LiveRequests


def test_pretrained_weights_are_saved_for_use_offline(qtbot, window, script):
    button(window, "modeTransfer").click()
    save = button(window, "saveWeightsButton")
    qtbot.waitUntil(save.isVisible)
    save.click()
    qtbot.waitUntil(lambda: script.of("save_weights") == [("resnet18", "imagenet")])
    assert save.text() == "Cancel"
    save.click()
    assert save.text() == "Save pretrained weights"
    script.gate.release()
    save.click()
    qtbot.waitUntil(lambda: len(script.of("save_weights")) == 2)
    script.gate.release()
    qtbot.waitUntil(lambda: "The weights are in /models/resnet18.pth" in banner_text(window))
    weights = find(window, QComboBox, "weights")
    qtbot.waitUntil(lambda: weights.findText("resnet18.pth") > 0)
    assert save.text() == "Save pretrained weights"


def test_weights_of_another_network_name_it_and_keep_the_file(
    qtbot, window, script, photos, monkeypatch
):
    def train(recipe: Recipe, live: LiveRequests) -> Iterator[Any]:
        script.seen.append(("train", recipe))
        if recipe.model != "mynet":
            raise OtherArchitectureError("mine.pth has weights of mynet.", model="mynet")
        yield from ()

    monkeypatch.setattr(tasks, "train", train)
    button(window, "modeTransfer").click()
    window.findChild(WeightsSelector).weights_requested.emit("/x/mine.pth")
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: "weights of mynet" in banner_text(window))
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert banner(window).kind == "error"
    offer = button(window, "bannerAction")
    assert offer.text() == "Use mynet"
    offer.click()
    assert window.session.recipe.model == "mynet"
    assert window.session.recipe.weights == "/x/mine.pth"
    assert banner_text(window) == ""
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: len(script.of("train")) == 2)
    assert script.of("train")[1].weights == "/x/mine.pth"


def test_that_message_goes_when_the_network_is_chosen_by_hand(qtbot, window):
    window.findChild(WeightsSelector).weights_requested.emit("/x/mine.pth")
    window._start_from.offer_network(OtherArchitectureError("It is of mynet.", model="mynet"))
    find(window, QComboBox, "modelSelector").setCurrentText("mynet")
    assert banner_text(window) == ""
    assert window.session.recipe.weights == "/x/mine.pth"


def test_a_scratch_run_names_no_weights(qtbot, window, script, photos):
    button(window, "modeTransfer").click()
    window.findChild(WeightsSelector).weights_requested.emit("/x/mine.pth")
    button(window, "modeScratch").click()
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].weights == Recipe().weights


def test_a_card_that_pytorch_cannot_use_is_said_with_the_line_that_helps(
    qtbot, qapp, script, monkeypatch
):
    listed = script.list_models

    def list_models() -> Iterator[Any]:
        yield from listed()
        yield DeviceNoticed(DeviceNotice.TORCH_WITHOUT_CUDA, "pip install it")

    monkeypatch.setattr(tasks, "list_models", list_models)
    window = MainWindow()
    window.show()
    qtbot.waitUntil(lambda: "without CUDA" in banner_text(window))
    button(window, "bannerAction").click()
    assert qapp.clipboard().text() == "pip install it"
    qtbot.waitUntil(window.close)
    window.deleteLater()
