"""The weights of a transfer, in the window: where they are, and saving them for use offline."""

from PySide6.QtWidgets import QComboBox, QLabel
from scripted import banner_text, button, find, start

from flowergui import tasks
from flowergui.events import DownloadProgress, ModelsListed
from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.system.pip_commands import install_command


def test_pretrained_weights_are_saved_for_use_offline(qtbot, window, script):
    model = find(window, QComboBox, "modelSelector")
    qtbot.waitUntil(lambda: model.findText("resnet18") > 0)
    model.setCurrentText("resnet18")
    button(window, "foldStartFromButton").click()
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
    assert weights.currentText() != "resnet18.pth"  # what is chosen stays
    qtbot.waitUntil(lambda: model.findText("resnet18") < model.findText("mynet"))  # it is here now
    assert model.currentText() == "resnet18"


def test_a_download_is_named_while_another_network_is_chosen(qtbot, window, script):
    model = find(window, QComboBox, "modelSelector")
    qtbot.waitUntil(lambda: model.findText("resnet18") > 0)
    model.setCurrentText("resnet18")
    button(window, "saveWeightsButton").click()
    qtbot.waitUntil(lambda: window.session.download == DownloadProgress("resnet18", 0, 10_000_000))
    model.setCurrentText("resnet50")
    assert "Downloading resnet18: 0 of 10 MB" in [
        each.text() for each in window.findChildren(QLabel)
    ]
    button(window, "saveWeightsButton").click()  # it is Cancel now
    assert window.session.download is None
    script.gate.release()


def test_a_saved_file_is_taken_where_all_else_would_be_downloaded(qtbot, window, script):
    script.files.append("/models/resnet50.pth")
    model = find(window, QComboBox, "modelSelector")
    qtbot.waitUntil(lambda: model.findText("resnet50") > 0)
    model.setCurrentText("resnet50")
    qtbot.waitUntil(lambda: window.session.recipe.weights == "/models/resnet50.pth")
    weights = find(window, QComboBox, "weights")
    weights.setCurrentIndex(0)  # the user may want the download all the same
    assert window.session.recipe.weights == "imagenet"
    model.setCurrentText("efficientnet_lite0")
    assert window.session.recipe.weights == "imagenet"


def test_what_a_run_has_downloaded_is_listed_as_here(qtbot, window, script, photos, monkeypatch):
    model = find(window, QComboBox, "modelSelector")
    qtbot.waitUntil(lambda: model.findText("resnet18") > 0)
    model.setCurrentText("resnet18")
    assert model.findText("resnet18") > model.findText("mynet")

    def list_models():
        here = WeightsFacts("IMAGENET1K_V1", 0.7, 64, 10.0, local=True)
        yield ModelsListed((ModelFacts("resnet18", "Some", 1000, 64, (here,)),))

    monkeypatch.setattr(tasks, "list_models", list_models)
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: "On this machine" in model.itemText(0))
    assert model.currentText() == "resnet18"


def test_the_command_that_installs_a_package_is_copied(qtbot, qapp, window, monkeypatch):
    lite1 = WeightsFacts("IMAGENET1K_V1", 0.767, 240, 20.2, package="lite1-weights==0.1.0")
    facts = ModelFacts("efficientnet_lite1", "EfficientNet-Lite", 5_416_680, 240, (lite1,))
    qtbot.waitUntil(lambda: bool(window.session.models))
    window._store.update(models=(*window.session.models, facts))
    find(window, QComboBox, "modelSelector").setCurrentText("efficientnet_lite1")
    button(window, "copyInstallButton").click()
    assert qapp.clipboard().text() == install_command("lite1-weights==0.1.0")
