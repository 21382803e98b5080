"""After a run on few images the window says how sure its accuracy is."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QPushButton
from scripted import BATCHES, banner, button, find, open_photos, start

from flowergui.desktop.linear_probe.confidence_window import ConfidenceWindow
from flowergui.desktop.linear_probe.small_dataset_controller import JOB, is_small
from flowergui.errors import FlowerError
from flowergui.events import Scanned
from flowergui.facts import ClassCount


def trained(qtbot, window, script, photos):
    """A run of two epochs on 16 images of two classes, to its end."""
    script.cross_validates = True
    start(qtbot, window, photos)
    script.gate.release(BATCHES * 2)
    qtbot.waitUntil(lambda: any("Done:" in each for each in messages(window)))


def messages(window) -> list[str]:
    return [each.text for each in banner(window).messages]


def test_a_run_on_few_images_is_followed_by_a_cross_validation(qtbot, window, script, photos):
    trained(qtbot, window, script, photos)
    qtbot.waitUntil(lambda: any("16 images" in each for each in messages(window)))
    (said,) = [each for each in banner(window).messages if "16 images" in each.text]
    assert "87.5% (95% interval 64.0% to 96.5%)" in said.text
    assert script.of("cross-validate") == [(photos, "efficientnet_lite0", "imagenet", "auto")]
    (more,) = [
        each
        for each in window.findChildren(QPushButton, "bannerAction")
        if each.text() == "Would more images help?"
    ]
    more.click()
    qtbot.waitUntil(lambda: bool(script.of("learning curve")))
    assert find(window, ConfidenceWindow, "confidenceWindow").isVisible()


def test_a_run_that_was_stopped_after_an_epoch_is_followed_by_one_too(
    qtbot, window, script, photos
):
    script.cross_validates = True
    start(qtbot, window, photos)
    script.gate.release(BATCHES + 1)
    qtbot.waitUntil(lambda: len(window.controllers.presenter._epochs) == 1)
    button(window, "stopButton").click()
    script.gate.release(BATCHES)
    qtbot.waitUntil(lambda: any("16 images" in each for each in messages(window)))


def test_the_next_run_does_not_wait_for_it(qtbot, window, script, photos):
    script.explains.clear()
    trained(qtbot, window, script, photos)
    qtbot.waitUntil(lambda: bool(script.of("cross-validate")))
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: len(script.of("train")) == 2)
    script.explains.set()
    script.gate.release(BATCHES * 2)
    qtbot.waitUntil(lambda: len(script.of("cross-validate")) == 2)
    qtbot.waitUntil(lambda: any("16 images" in each for each in messages(window)))
    assert sum("16 images" in each for each in messages(window)) == 1


def test_what_cannot_be_read_is_no_news(qtbot, window, script, photos):
    script.cross_validation_error = FlowerError("An image is gone.")
    trained(qtbot, window, script, photos)
    qtbot.waitUntil(lambda: bool(script.of("cross-validate")))
    open_photos(qtbot, window, photos)
    assert not any("gone" in each for each in messages(window))


def test_a_sample_of_images_is_no_small_dataset(qtbot, window, script, photos):
    script.warning = "A sample of 12 images is used."
    trained(qtbot, window, script, photos)
    qtbot.waitUntil(lambda: bool(script.of("cross-validate")))
    qtbot.waitUntil(lambda: not window._jobs.is_running(JOB))
    assert not any("16 images" in each for each in messages(window))


@pytest.mark.parametrize(("images", "small"), [((29, 30), True), ((30, 30), False)])
def test_what_is_small(images: tuple[int, ...], small: bool) -> None:
    classes = tuple(ClassCount(str(place), count, 0, ()) for place, count in enumerate(images))
    assert is_small(Scanned("/photos", "flat", classes, ())) == small


def test_a_run_on_other_images_says_nothing_of_those_that_are_open(qtbot, window, script, photos):
    script.cross_validates = True
    start(qtbot, window, photos)
    recipe = window.session.recipe
    window._store.update(recipe=replace(recipe, photos="/elsewhere"))  # as a resumed run has it
    script.gate.release(BATCHES * 2)
    qtbot.waitUntil(lambda: any("Done:" in each for each in messages(window)))
    assert not script.of("cross-validate")
