"""Where a new run starts, in the window: its mode and its network."""

from collections.abc import Iterator
from typing import Any

from PySide6.QtWidgets import QComboBox
from scripted import banner, banner_text, button, find, open_photos, start

from flowergui import tasks
from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.errors import OtherArchitectureError
from flowergui.events import DeviceNoticed
from flowergui.facts import DeviceNotice
from flowergui.requests import LiveRequests


def test_the_first_start_is_a_recommended_transfer(qtbot, window, script, photos):
    assert button(window, "modeTransfer").isChecked()
    assert find(window, QComboBox, "modelSelector").currentText() == "efficientnet_lite0"
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train") == [with_preset(Recipe(photos=photos), "recommended")]


def test_the_tutorials_transfer_is_the_same_clicks_as_ever(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    button(window, "modeTransfer").click()
    find(window, QComboBox, "modelSelector").setCurrentText("resnet50")
    button(window, "presetTutorial").click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("train")))
    wanted = with_preset(Recipe(photos=photos, mode="transfer", model="resnet50"), "tutorial")
    assert script.of("train") == [wanted]
    assert (wanted.weights, wanted.frozen) == ("imagenet", ("all-but-head",))


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
    window.controllers.start_from.offer_network(
        OtherArchitectureError("It is of mynet.", model="mynet")
    )
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
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    window.deleteLater()
