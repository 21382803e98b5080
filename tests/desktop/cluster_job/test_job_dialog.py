"""Run > Run elsewhere: the dialog, and the folder that is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QSpinBox
from scripted import banner, banner_text, button, choose_mode, find, open_photos

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.cluster_job.job_dialog import JobDialog
from flowergui.errors import FlowerError
from flowergui.events import JobWritten
from flowergui.requests import JobOptions

Written = list[tuple[Recipe, Path, JobOptions]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    """The jobs that would be written."""
    jobs: Written = []

    def write(recipe: Recipe, folder: Path, options: JobOptions) -> Iterator[Any]:
        jobs.append((recipe, folder, options))
        folder.mkdir()
        yield JobWritten(str(folder), ())

    monkeypatch.setattr(tasks, "write_job", write)
    return jobs


def opened(window) -> JobDialog:
    window._menus.action("runElsewhereAction").trigger()
    dialog = window.findChild(JobDialog)
    assert dialog is not None
    return dialog


def write_into(dialog: JobDialog, folder: Path) -> None:
    button(dialog, "writeJobButton").click()
    dialog.findChild(QFileDialog).fileSelected.emit(str(folder))


def test_it_waits_for_a_dataset_and_a_new_run(qtbot, window, photos):
    action = window._menus.action("runElsewhereAction")
    assert not action.isEnabled()
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(action.isEnabled)
    choose_mode(window, "resume")
    assert not action.isEnabled()


def test_a_job_is_written_with_what_is_chosen(qtbot, window, photos, written, tmp_path):
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(window._menus.action("runElsewhereAction").isEnabled)
    dialog = opened(window)
    find(dialog, QSpinBox, "jobNodes").setValue(2)
    find(dialog, QSpinBox, "jobGpus").setValue(4)
    find(dialog, QSpinBox, "jobHours").setValue(12)
    find(dialog, QLineEdit, "jobPhotos").setText(" /data/flowers ")
    banner(window).show_error("Something else went wrong.")
    write_into(dialog, tmp_path)
    qtbot.waitUntil(lambda: "The job is in" in banner_text(window))
    assert "Something else went wrong." in [each.text for each in banner(window).messages]
    ((recipe, folder, options),) = written
    assert (recipe.photos, recipe.model) == (photos, window.session.recipe.model)
    assert folder == tmp_path / "job_photos"
    assert options == JobOptions(nodes=2, gpus=4, hours=12, photos="/data/flowers")
    qtbot.waitUntil(lambda: window.findChild(JobDialog) is None)
    again = opened(window)
    assert again.options == options
    write_into(again, tmp_path)
    qtbot.waitUntil(lambda: len(written) == 2)
    assert written[1][1] == tmp_path / "job_photos_2"
    qtbot.waitUntil(lambda: window.findChild(JobDialog) is None)


def test_settings_that_begin_no_new_run_any_more_are_refused(
    qtbot, window, photos, written, tmp_path
):
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(window._menus.action("runElsewhereAction").isEnabled)
    dialog = opened(window)
    choose_mode(window, "resume")
    write_into(dialog, tmp_path)
    qtbot.waitUntil(lambda: "choose Scratch or Transfer" in banner_text(window))
    assert not written


def test_a_job_that_cannot_be_written_is_told(qtbot, window, photos, monkeypatch, tmp_path):
    def refused(*args: object) -> Iterator[Any]:
        raise FlowerError("There is no room for the job.")
        yield

    monkeypatch.setattr(tasks, "write_job", refused)
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(window._menus.action("runElsewhereAction").isEnabled)
    banner(window).show_error("Something else went wrong.")
    write_into(opened(window), tmp_path)
    qtbot.waitUntil(lambda: "no room for the job" in banner_text(window))
    assert banner(window).isVisible()
    said = [each.text for each in banner(window).messages]
    assert said == ["There is no room for the job.", "Something else went wrong."]


def test_no_gpus_are_shown_in_words(qtbot):
    dialog = JobDialog(JobOptions(gpus=0))
    qtbot.addWidget(dialog)
    assert find(dialog, QSpinBox, "jobGpus").text() == "none: on the CPU"
