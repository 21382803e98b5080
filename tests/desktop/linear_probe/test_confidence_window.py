"""The window that says how sure an accuracy is, and whether more images would help."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QProgressBar, QTreeView
from scripted import button, facts, find, list_runs, open_photos

from flowergui.desktop.linear_probe.confidence_window import ConfidenceWindow
from flowergui.desktop.linear_probe.learning_curve_plot import LearningCurvePlot
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.errors import FlowerError
from flowergui.events import LearningCurveEstimated
from flowergui.facts import CurvePoint


def opened(window) -> ConfidenceWindow:
    """Its window, after a click on the button of the dataset."""
    button(window, "confidenceButton").click()
    return find(window, ConfidenceWindow, "confidenceWindow")


def label(confidence: ConfidenceWindow, name: str) -> str:
    return find(confidence, QLabel, name).text()


def ready(confidence: ConfidenceWindow) -> bool:
    return find(confidence, QLabel, "learningCurveVerdict").isVisible()


def curves(confidence: ConfidenceWindow) -> int:
    """How many points of hollow ends, one a curve, are drawn."""
    plot = confidence.findChild(pg.PlotWidget, "learningCurvePlot")
    items = plot.getPlotItem().items
    return sum(isinstance(item, pg.ScatterPlotItem) for item in items)


def test_the_accuracy_has_its_interval_and_the_curve_its_sentence(qtbot, window, script, photos):
    assert not button(window, "confidenceButton").isVisible()
    open_photos(qtbot, window, photos)
    script.explains.clear()
    confidence = opened(window)
    bar = confidence.findChild(QProgressBar)
    qtbot.waitUntil(lambda: (bar.value(), bar.maximum()) == (1, 3))
    assert label(confidence, "crossValidationSentence") == "Computing…"
    script.explains.set()
    qtbot.waitUntil(lambda: ready(confidence))
    assert label(confidence, "crossValidatedAccuracy") == "80.0%"
    assert "between 70.0% and 88.0%" in label(confidence, "crossValidationSentence")
    assert label(confidence, "learningCurveVerdict") == (
        "Twice as many images would raise the accuracy from about 80% to 87%."
    )
    assert script.of("learning curve") == [(photos, "efficientnet_lite0", "imagenet", "auto")]
    assert not bar.isVisible()


def test_the_best_validation_accuracy_on_these_images_stands_beside(
    qtbot, window, script, photos, tmp_path
):
    known = [facts(tmp_path / name) for name in ("worse", "best", "other")]
    for run, accuracy, folder in zip(known, (0.6, 0.9, 0.99), (photos, photos, "/x"), strict=True):
        recipe = replace(run.recipe, photos=folder)
        script.runs.append(replace(run, best_accuracy=accuracy, recipe=recipe))
    list_runs(qtbot, window)
    open_photos(qtbot, window, photos)
    confidence = opened(window)
    qtbot.waitUntil(lambda: ready(confidence))
    said = "The best run on these images has a validation accuracy of 90.0%."
    assert said in label(confidence, "crossValidationHow")


def test_what_is_warned_of_stays_beside_the_result(qtbot, window, script, photos):
    script.warning = "A sample of 12 images is used."
    open_photos(qtbot, window, photos)
    script.explains.clear()
    confidence = opened(window)
    qtbot.waitUntil(lambda: label(confidence, "crossValidationHow") == script.warning)
    assert find(confidence, QLabel, "crossValidationHow").isVisible()
    script.explains.set()
    qtbot.waitUntil(lambda: ready(confidence))
    assert label(confidence, "crossValidationHow") == (
        "Cross-validated on 16 images, by a linear classifier on features of mynet. "
        "A sample of 12 images is used."
    )
    script.warning = ""
    button(confidence, "computeAgainButton").click()
    qtbot.waitUntil(lambda: ready(confidence))
    assert "sample" not in label(confidence, "crossValidationHow")


def test_it_is_computed_again_when_the_folder_has_other_images(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    confidence = opened(window)
    qtbot.waitUntil(lambda: ready(confidence))
    open_photos(qtbot, window, photos)  # nothing has changed
    assert ready(confidence)
    script.images = 9
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: len(script.of("learning curve")) == 2)
    qtbot.waitUntil(lambda: ready(confidence))
    assert len(script.of("learning curve")) == 2


def test_a_class_has_a_curve_of_its_own(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    confidence = opened(window)
    qtbot.waitUntil(lambda: ready(confidence))
    table = find(confidence, QTreeView, "classGains")
    rows = [[table.model().index(row, column).data() for column in range(3)] for row in range(2)]
    assert rows == [["tulip", "50.0%", "50.0%"], ["rose", "80.0%", "87.0%"]]  # the worst first
    assert curves(confidence) == 1
    table.setCurrentIndex(table.model().index(0, 0))
    assert curves(confidence) == 2


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 1.0])
def test_the_axis_has_no_impossible_accuracies(qtbot, accuracy):
    plot = LearningCurvePlot()
    qtbot.addWidget(plot)
    points = tuple(
        CurvePoint(photos, accuracy, max(accuracy - 0.01, 0), min(accuracy + 0.01, 1), (accuracy,))
        for photos in (10, 20, 40, 80)
    )
    event = LearningCurveEstimated("f", "m", "w", ("rose",), points[:3], points[3], 0.0, 0.0, ())
    plot.show_curve(event, 0)
    low, high = plot.plot.getViewBox().viewRange()[1]
    assert -0.011 <= low < accuracy < high <= 1.011
    assert high - low > 0.04


def test_the_network_of_a_transfer_is_used_if_its_weights_are_here(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    model = find(window, QComboBox, "modelSelector")
    qtbot.waitUntil(lambda: model.findText("resnet50") > 0)
    model.setCurrentText("resnet50")  # whose weights the scripted catalogue would download
    confidence = opened(window)
    qtbot.waitUntil(lambda: ready(confidence))
    window.findChild(WeightsSelector).weights_requested.emit("/x/mine.pth")
    button(confidence, "computeAgainButton").click()
    qtbot.waitUntil(lambda: len(script.of("learning curve")) == 2)
    assert [each[1:3] for each in script.of("learning curve")] == [
        ("", "imagenet"), ("resnet50", "/x/mine.pth"),
    ]  # fmt: skip


@pytest.mark.parametrize("error", [FlowerError("Nothing is there."), ZeroDivisionError("oh")])
def test_an_error_is_said_in_its_window(qtbot, window, script, photos, error):
    open_photos(qtbot, window, photos)
    script.error = error
    confidence = opened(window)
    qtbot.waitUntil(lambda: label(confidence, "confidenceError") == str(error))
    script.error = None
    button(confidence, "computeAgainButton").click()
    qtbot.waitUntil(lambda: ready(confidence))
    assert not find(confidence, QLabel, "confidenceError").isVisible()


def test_cancel_and_another_dataset(qtbot, window, script, photos, tmp_path):
    open_photos(qtbot, window, photos)
    script.explains.clear()
    confidence = opened(window)
    qtbot.waitUntil(lambda: bool(script.of("learning curve")))
    button(confidence, "cancelProbeButton").click()
    assert label(confidence, "crossValidationSentence") == "Cancelled."
    script.explains.set()
    (tmp_path / "others").mkdir()
    open_photos(qtbot, window, str(tmp_path / "others"))
    qtbot.waitUntil(lambda: ready(confidence))
    confidence.close()
    qtbot.waitUntil(lambda: window.findChild(ConfidenceWindow) is None)
