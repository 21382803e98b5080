"""The window with scripted tasks: every control named in the design, and no torch."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)
from scripted import (
    BATCHES,
    NAMES,
    banner,
    banner_text,
    button,
    drop,
    facts,
    find,
    leaves,
    list_runs,
    open_photos,
    plot,
    predictions,
    start,
    texts,
)

from flowergui import tasks
from flowergui.config.recipe import SETTINGS, Recipe
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.plots.batch_columns import BatchColumns
from flowergui.desktop.session import RunState
from flowergui.desktop.settings.setting_editors import IntEditor
from flowergui.desktop.threads import worker
from flowergui.desktop.training.training_controller import HistoryLoaded
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.window.guide_window import GuideWindow
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Finished,
    ResumeChecked,
    RunStarted,
)
from flowergui.facts import (
    Check,
    RunFacts,
    Speedup,
    SpeedupKind,
)
from flowergui.requests import ResumeOptions
from flowergui.store import paths

# --- what must be there -----------------------------------------------------------------------


def test_every_name_that_scripts_rely_on_is_there(window):
    for name in (
        "datasetPath", "browseButton", "modeScratch", "modeResume", "modeTransfer",
        "modelSelector", "layerTree", "startButton", "pauseButton", "stopButton",
        "resumeLastButton", "lossPlot", "accuracyPlot", "dropZone", "predictions", "banner",
    ):  # fmt: skip
        assert window.findChild(QWidget, name) is not None, name
    for setting in SETTINGS:
        if setting.name not in ("mode", "model", "weights", "frozen"):
            assert window.findChild(QWidget, setting.name) is not None, setting.name


def test_names_are_given_once(window):
    names = [widget.objectName() for widget in window.findChildren(QPushButton)]
    named = [name for name in names if name and not name.startswith("qt_")]
    assert len(named) == len(set(named))


def test_start_waits_for_photos(qtbot, window, photos):
    assert not button(window, "startButton").isEnabled()
    assert "photos" in button(window, "startButton").toolTip()
    assert "photos" in find(window, QLabel, "startHint").text()
    assert not button(window, "pauseButton").isEnabled()
    assert not button(window, "stopButton").isEnabled()
    open_photos(qtbot, window, photos)
    assert button(window, "startButton").isEnabled()


def test_a_missing_folder_is_said(qtbot, window, tmp_path):
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(tmp_path / "nowhere"))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "There is no folder" in banner_text(window))
    assert not button(window, "startButton").isEnabled()


def test_a_folder_that_cannot_be_opened_leaves_open_what_was(qtbot, window, photos, tmp_path):
    open_photos(qtbot, window, photos)
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(tmp_path / "nowhere"))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "There is no folder" in banner_text(window))
    assert path.text() == photos
    assert "2 classes, 16 images" in texts(window)
    assert button(window, "startButton").isEnabled()


def test_a_scan_that_is_cancelled_leaves_open_what_was(qtbot, window, photos, tmp_path):
    open_photos(qtbot, window, photos)
    (tmp_path / "endless").mkdir()
    path = find(window, QLineEdit, "datasetPath")
    path.setText(str(tmp_path / "endless"))
    qtbot.keyClick(path, Qt.Key.Key_Return)
    assert not button(window, "startButton").isEnabled()
    qtbot.waitUntil(button(window, "cancelScanButton").isVisible)
    button(window, "cancelScanButton").click()
    assert path.text() == photos
    qtbot.waitUntil(button(window, "startButton").isEnabled)


def test_a_large_folder_trains_before_all_of_it_is_checked(qtbot, window, script, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    window.open_folder(str(folder))
    start = button(window, "startButton")
    qtbot.waitUntil(lambda: start.isEnabled() and "Checking images" in texts(window))
    start.click()
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].photos == str(folder)
    assert "Checking images" not in texts(window)
    assert "2 classes, 16 images" in texts(window)


def test_nonsense_in_the_form_keeps_start_off(qtbot, window, photos):
    open_photos(qtbot, window, photos)
    find(window, QWidget, "epochs").setValue(0)
    assert not button(window, "startButton").isEnabled()
    find(window, QWidget, "epochs").setValue(3)
    assert button(window, "startButton").isEnabled()


def test_sample_flowers_are_one_click_away(qtbot, window, script):
    button(window, "sampleButton").click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert script.of("sample")
    assert script.of("sample") == script.of("inspect")
    assert find(window, QComboBox, "modelSelector").currentText() == "mynet"


# --- a run ------------------------------------------------------------------------------------


def test_start_trains_what_the_form_says(qtbot, window, script, photos):
    find(window, QWidget, "epochs").setValue(7)
    find(window, QComboBox, "modelSelector").setCurrentText("resnet50")
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("train")))
    recipe = script.of("train")[0]
    assert (recipe.photos, recipe.epochs, recipe.model) == (photos, 7, "resnet50")
    assert not button(window, "startButton").isEnabled()
    assert not find(window, QLineEdit, "datasetPath").isEnabled()


def test_batches_reach_both_plots(qtbot, window, script, photos):
    start(qtbot, window, photos)
    for _ in range(3):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 3)
    for _ in range(BATCHES * 2):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    assert plot(window)._batches.length == 2 * BATCHES
    assert plot(window)._epochs.length == 2
    assert button(window, "startButton").isEnabled()


def test_pause_saves_and_rests_within_a_batch(qtbot, window, script, photos):
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    pause = button(window, "pauseButton")
    pause.click()
    for _ in range(5):
        script.gate.release()
    qtbot.waitUntil(lambda: pause.text() == "Continue")
    assert plot(window)._batches.length <= 2
    drawn = plot(window)._batches.length
    pause.click()
    qtbot.waitUntil(lambda: plot(window)._batches.length > drawn)
    assert pause.text() == "Pause"


def test_pause_rests_at_last_not_at_best(qtbot, window, script, photos):
    """The best checkpoint is older than the batches that the pause must keep."""
    start(qtbot, window, photos)
    for _ in range(BATCHES - 1):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == BATCHES - 1)
    window._control.pause()
    window._control.live.save = False  # the wish comes too late for this epoch's last batch
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._epochs.length == 1)
    assert window.session.run == "pausing"
    window._control.live.save = True
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "paused")


def test_stop_wakes_a_resting_run(qtbot, window, script, photos):
    start(qtbot, window, photos)
    button(window, "pauseButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: button(window, "pauseButton").text() == "Continue")
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: "Stopped" in banner_text(window))
    assert button(window, "startButton").isEnabled()


@pytest.mark.parametrize("stopped", [True, False])
def test_the_plots_show_all_of_a_run_that_is_over(qtbot, window, script, photos, stopped: bool):
    """While batches come by the dozen they may wait for a second."""
    start(qtbot, window, photos)
    drawn = plot(window)
    qtbot.waitUntil(lambda: not drawn._drawing.pending)
    drawn._drawing.interval_timer.setInterval(600_000)
    script.gate.release()
    qtbot.waitUntil(lambda: drawn._batches.length == 1)
    assert drawn._drawing.pending
    if stopped:
        button(window, "stopButton").click()
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: ("Stopped" if stopped else "Done") in banner_text(window))
    qtbot.waitUntil(lambda: not drawn._drawing.pending)
    assert drawn._drawn == drawn._batches.length == (1 if stopped else script.epochs * BATCHES)


def test_resume_from_last(qtbot, window, script, photos):
    folder = script.run
    script.runs.append(
        RunFacts(str(folder), Recipe(photos=photos), 2, 1, 0.5, str(folder / "last.pth"), "")
    )
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0] == (str(folder / "last.pth"), {})
    for _ in range(2):
        script.gate.release()
    # the earlier epoch's points stand before the new ones
    qtbot.waitUntil(lambda: plot(window)._batches.length == BATCHES + 2)


def test_without_a_run_there_is_nothing_to_resume(window):
    assert not button(window, "resumeLastButton").isEnabled()
    button(window, "modeResume").click()
    assert not button(window, "startButton").isEnabled()
    assert "no run" in button(window, "startButton").toolTip()


def test_the_run_that_resume_goes_on_with_is_named_beside_it(qtbot, window, script, tmp_path):
    name, others = find(window, QLabel, "resumeLastName"), button(window, "resumeMenuButton")
    assert name.text() == ""
    assert not others.isVisible()
    script.runs.append(facts(tmp_path / "2026-11-24_09-01-00_resnet18_scratch"))
    list_runs(qtbot, window)
    assert name.text() == "resnet18, scratch: 1 of 3 epochs done, best 50%"
    assert not others.isVisible()


def test_a_menu_beside_resume_goes_on_with_another(qtbot, window, script, tmp_path):
    script.runs += [facts(tmp_path / name) for name in ("newest", "older")]
    list_runs(qtbot, window)
    others = button(window, "resumeMenuButton")
    assert others.isVisible()
    [action] = others.menu().actions()
    assert action.text() == "older: 1 of 3 epochs done, best 50%"
    action.trigger()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0] == (str(tmp_path / "older" / "last.pth"), {})
    assert not others.isEnabled()


def test_a_run_that_has_done_all_its_epochs_is_offered_more(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "done", epochs_done=3))
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    assert "has done all its 3 epochs" in banner_text(window)
    offer = button(window, "bannerAction")
    assert offer.text() == "Train 3 more epochs"
    assert not script.of("resume")
    offer.click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume") == [(str(tmp_path / "done" / "last.pth"), {"epochs": 6})]


def test_more_epochs_are_as_many_as_were_done(qtbot, window, script, tmp_path):
    """Whatever the form says meanwhile."""
    script.runs.append(facts(tmp_path / "done", epochs_done=3))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    find(window, QWidget, "epochs").setValue(1)
    button(window, "resumeLastButton").click()
    assert button(window, "bannerAction").text() == "Train 3 more epochs"
    button(window, "bannerAction").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0][1] == {"epochs": 6}


def test_an_offer_for_one_run_is_none_for_another(qtbot, window, script, tmp_path):
    script.runs += [facts(tmp_path / "done", epochs_done=3), facts(tmp_path / "other")]
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    assert button(window, "bannerAction").isVisible()
    window._resume.choose(str(tmp_path / "other" / "last.pth"))
    assert banner_text(window) == ""


@pytest.mark.parametrize("way", ["epochs", "mode"])
def test_what_was_refused_is_not_said_any_more_when_the_wish_is_another(
    qtbot, window, script, tmp_path, way
):
    script.runs.append(facts(tmp_path / "done", epochs_done=3))
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    assert "has done all its 3 epochs" in banner_text(window)
    if way == "mode":
        button(window, "modeScratch").click()
    else:
        find(window, QWidget, "epochs").setValue(5)
    assert banner_text(window) == ""


def test_escape_dismisses_the_message(qtbot, window):
    banner(window).show_note("Hello.")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert banner_text(window) == ""


def test_a_run_that_could_not_begin_leaves_the_curves_of_the_one_before(
    qtbot, window, script, photos, monkeypatch
):
    start(qtbot, window, photos)
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    before = plot(window)._batches.length

    def refused(*args: object) -> Iterator[Any]:
        raise FlowerError("The photos are not there.", hint="Choose them.", option="--photos")
        yield

    monkeypatch.setattr(tasks, "train", refused)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: "The photos are not there" in banner_text(window))
    assert banner_text(window) == "The photos are not there. Choose them."
    assert plot(window)._batches.length == before > 0
    assert find(window, QLabel, "runLine").text() == "The run could not start"


@pytest.mark.parametrize(
    ("classes", "photos", "best", "by_chance"),
    [(5, 60, 0.20, True), (5, 60, 0.24, True), (5, 60, 0.30, False), (2, 4, 0.75, False),
     (60, 300, 0.017, True), (2, 1000, 0.51, True), (2, 1000, 0.56, False), (5, 0, 0.0, False)],
)  # fmt: skip
def test_who_is_no_better_than_guessing_is_not_congratulated(
    window, script, classes, photos, best, by_chance
):
    opened = RunStarted(
        str(script.run), "mynet", "scratch", tuple("abc"[:1] * classes), 240, photos, 64, "cpu",
        "float32", 3, BATCHES, 1, 0, 0, 36, 36, (), False,
    )  # fmt: skip
    window._presenter.show((opened, Finished(str(script.run), 3, best, 1, 2.0)))
    assert ("no better than chance" in banner_text(window)) == by_chance
    assert banner(window).kind == ("warning" if by_chance else "success")


@pytest.mark.parametrize(
    ("train", "validation", "best", "by_heart"),
    [
        ((1.0, 0.6, 0.3, 0.1), (1.0, 0.8, 1.0, 1.4), 2, True),
        ((1.0, 0.6, 0.3, 0.1), (1.0, 0.8, 1.0, 1.4), 4, False),  # worse loss, better answers
        ((1.0, 0.9, 0.8, 0.8), (1.0, 0.8, 1.0, 1.4), 2, False),  # it is unstable, no more
        ((1.0, 0.6, 0.3, 0.1), (1.0, 0.8, 0.8, 0.9), 2, False),
        ((1.0, 0.6, 0.3, 0.1), (None,) * 4, 2, False),
        ((1.0, 0.1), (0.2, 0.9), 1, False),  # too few epochs to tell
    ],
)
def test_who_has_overfitted_hears_of_it(window, script, train, validation, best, by_heart):
    epochs = [
        EpochDone(
            number, len(train), number * BATCHES, loss, 0.9, held, None if held is None else 0.6,
            0.7, min(best, number), 0.001, 1.0,
        )
        for number, (loss, held) in enumerate(zip(train, validation, strict=True), start=1)
    ]  # fmt: skip
    opened = RunStarted(
        str(script.run), "mynet", "scratch", ("a", "b"), 240, 60, 64, "cpu", "float32", len(train),
        BATCHES, 1, 0, 0, 36, 36, (), False,
    )  # fmt: skip
    finished = Finished(str(script.run), len(train), 0.7, best, 2.0)
    batch = BatchDone(1, 1, BATCHES, 1, 1.0, 0.5, 0.001, 4)
    recalled = HistoryLoaded(BatchColumns.of([batch]), tuple(epochs[:2]))
    for events in ((opened, batch, *epochs), (opened, recalled, *epochs[2:])):
        window._presenter.show((*events, finished))
        assert ("overfitting" in banner_text(window)) == by_heart


def test_a_run_that_was_chosen_before_gives_way_to_the_newest(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "older"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    button(window, "modeScratch").click()
    script.runs.insert(0, facts(tmp_path / "newest"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    assert window.session.checkpoint == str(tmp_path / "newest" / "last.pth")


def test_nothing_has_changed_since_a_run_stopped(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    qtbot.waitUntil(lambda: "are unchanged" in texts(window))
    assert button(window, "startButton").isEnabled()
    assert not find(window, QCheckBox, "takeNewPhotos").isVisible()
    find(window, QWidget, "epochs").setValue(9)
    qtbot.waitUntil(lambda: script.of("preflight")[-1][1] == {"epochs": 9})
    qtbot.waitUntil(find(window, QCheckBox, "restartSchedule").isVisible)
    find(window, QCheckBox, "restartSchedule").click()
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: script.of("how") == [ResumeOptions(restart_schedule=True)])


def test_photos_that_have_moved_are_shown_to_the_run(qtbot, window, script, photos, tmp_path):
    def told(changes, how):
        verdict = "same" if "photos" in changes else "blocking"
        return ResumeChecked("run", (Check("Photos", verdict, "somewhere"),), 0, (), (), 2)

    script.preflighted = told
    run = facts(tmp_path / "run")
    script.runs.append(replace(run, recipe=replace(run.recipe, photos="/an/emptied/folder")))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    path = find(window, QLineEdit, "datasetPath")
    path.setText(photos)
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(script.of("preflight")))
    qtbot.waitUntil(lambda: script.of("preflight")[-1][1] == {"photos": photos})
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0][1] == {"photos": photos}


def test_a_run_that_cannot_be_looked_at_says_why(qtbot, window, script, tmp_path):
    def told(changes, how):
        raise FlowerError("last.pth is no checkpoint, or it is damaged.")

    script.preflighted = told
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    qtbot.waitUntil(lambda: not button(window, "startButton").isEnabled())
    assert "it is damaged" in find(window, QLabel, "startHint").text()


def test_what_was_taken_up_is_not_wanted_twice(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    find(window, QWidget, "epochs").setValue(9)
    tick = find(window, QCheckBox, "restartSchedule")
    qtbot.waitUntil(tick.isVisible)
    tick.click()
    button(window, "startButton").click()
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert not tick.isChecked()


def test_what_has_come_since_is_offered(qtbot, window, script, tmp_path):
    def told(changes, how):
        verdict = "fine" if how.renamed else "blocking"
        checks = (
            Check("Photos", "fine", "3 new, left out", "New ones can be taken in."),
            Check("Classes", verdict, "no photo of iris is left"),
        )
        return ResumeChecked("run", checks, 3, ("rose",), (("iris", "aris"),), 2)

    script.preflighted = told
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    qtbot.waitUntil(lambda: "Photos: 3 new, left out. New ones can be taken in." in texts(window))
    assert not button(window, "startButton").isEnabled()
    assert find(window, QLabel, "startHint").text() == "Classes: no photo of iris is left."
    ticks = {name: find(window, QCheckBox, name) for name in (
        "renameClasses", "takeNewPhotos", "takeNewClasses")}  # fmt: skip
    assert {name: tick.text() for name, tick in ticks.items()} == {
        "renameClasses": "iris is now aris",
        "takeNewPhotos": "Include 3 new images",
        "takeNewClasses": "Learn rose too",
    }
    for tick in ticks.values():
        assert tick.isVisible()
        tick.click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("how")))
    assert script.of("how") == [ResumeOptions(True, True, (("iris", "aris"),))]


def test_bare_weights_are_gone_on_with_once_photos_are_open(qtbot, window, script, photos):
    script.bare = "/models/last.pth"
    list_runs(qtbot, window)
    assert find(window, QLabel, "resumeLastName").text() == "last.pth: /models"
    button(window, "resumeLastButton").click()
    assert "Choose the dataset it was trained on" in banner_text(window)
    assert not button(window, "startButton").isEnabled()
    assert script.of("resume") == []
    open_photos(qtbot, window, photos)
    find(window, QWidget, "epochs").setValue(7)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    path, changes = script.of("resume")[0]
    assert path == "/models/last.pth"
    assert (changes["photos"], changes["epochs"], changes["image_size"]) == (photos, 7, 0)
    assert "model" not in changes  # it is recognised


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
    assert find(window, QComboBox, "weights").findText("resnet18.pth") > 0
    assert save.text() == "Save pretrained weights"


def test_what_is_changed_of_a_run_goes_along(qtbot, window, script, photos):
    last = str(script.run / "last.pth")
    script.runs.append(RunFacts(str(script.run), Recipe(photos=photos), 2, 1, 0.5, last, ""))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    find(window, QWidget, "epochs").setValue(99)
    assert not find(window, QWidget, "batch_size").isEnabled()
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0] == (last, {"epochs": 99})


def test_the_form_comes_back_after_looking_at_a_run(qtbot, window, script, photos):
    find(window, QWidget, "epochs").setValue(7)
    script.runs.append(RunFacts(str(script.run), Recipe(epochs=3), 2, 1, 0.5, "x/last.pth", ""))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    assert find(window, QWidget, "epochs").value() == 3
    button(window, "modeScratch").click()
    assert find(window, QWidget, "epochs").value() == 7


def test_an_error_in_the_run_is_told_in_words(qtbot, window, script, photos):
    script.error = FlowerError("The loss became nan.", hint="Lower the learning rate.")
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: "The loss became nan" in banner_text(window))
    qtbot.waitUntil(button(window, "startButton").isEnabled)


def test_a_defect_gets_a_dialog_and_a_traceback(qtbot, window, script, photos, caplog):
    script.error = ValueError("a bug")
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "defectDialog") is not None)
    assert "a bug" in caplog.text
    window.findChild(QMessageBox, "defectDialog").close()
    qtbot.waitUntil(button(window, "startButton").isEnabled)


# --- layers -----------------------------------------------------------------------------------


def test_the_layers_are_there_before_start(qtbot, window, photos):
    qtbot.waitUntil(lambda: tuple(leaves(window)) == NAMES)


def test_transfer_freezes_all_but_the_head(qtbot, window, script, photos):
    button(window, "modeTransfer").click()
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].frozen == ("all-but-head",)


def test_ticks_go_into_the_recipe(qtbot, window, script, photos):
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


def test_the_learning_rate_can_be_changed_while_it_runs(qtbot, window, script, photos):
    start(qtbot, window, photos)
    find(window, QWidget, "learning_rate").setValue(0.0005)
    script.gate.release()
    qtbot.waitUntil(lambda: script.of("rate") == [0.0005])


def test_a_run_that_was_left_is_offered(qtbot, script, photos):
    recipe = Recipe(photos=photos, epochs=3)
    script.runs.append(RunFacts(str(script.run), recipe, 2, 2, 0.5, "x/last.pth", "", batch=3))
    window = MainWindow()
    says = "Your last run (resnet18) stopped at epoch 3 of 3, batch 3."
    qtbot.waitUntil(lambda: banner_text(window) == says)
    find(window, QPushButton, "bannerAction").click()
    qtbot.waitUntil(lambda: script.of("resume") == [("x/last.pth", {})])
    window._control.stop()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert window.close()


def test_a_finished_run_is_not_offered(qtbot, script):
    script.runs.append(RunFacts(str(script.run), Recipe(epochs=3), 2, 3, 0.5, "x/last.pth", ""))
    window = MainWindow()
    qtbot.addWidget(window)
    assert banner_text(window) == ""


def test_squares_that_grow_are_marked(qtbot, window, script, photos):
    start(qtbot, window, photos)
    for _ in range(BATCHES + 1):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window).marks != ())
    (step, text), *_ = plot(window).marks
    assert (step, text) == (BATCHES, "96 px")


def test_a_run_that_goes_back_says_so_and_the_curve_with_it(qtbot, window, script, photos):
    script.back = True
    start(qtbot, window, photos)
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert list(plot(window)._batches["step"]) == list(range(1, 2 * BATCHES + 1))
    assert plot(window)._batches["rate"][BATCHES] == 0.0005
    assert ("rolled back") in [text for _, text in plot(window).marks]


def test_a_full_disk_is_said_and_training_goes_on(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: "last.pth could not be saved: No space left" in banner_text(window))
    assert "Training continues; make room or check the folder." in banner_text(window)
    assert window.session.run == "running"
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 2 * BATCHES)


def unsaved(qtbot, window, script, photos, *, stopped: bool) -> None:
    """A run comes to its end while the disk is full."""
    script.full = True
    start(qtbot, window, photos)
    if stopped:
        button(window, "stopButton").click()
    for _ in range(1 if stopped else 2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "unsaved")
    assert "could not be saved: No space left on device" in banner_text(window)
    assert find(window, QLabel, "runState").text() == "Not saved"
    assert not button(window, "startButton").isEnabled()


@pytest.mark.parametrize("stopped", [True, False])
def test_what_could_not_be_saved_at_the_end_waits_until_there_is_room(
    qtbot, window, script, photos, stopped
):
    unsaved(qtbot, window, script, photos, stopped=stopped)
    again = button(window, "pauseButton")
    assert (again.text(), again.isEnabled()) == ("Try again", True)
    again.click()
    qtbot.waitUntil(lambda: script.of("again") == [True] and window.session.run == "unsaved")
    script.full = False
    again.click()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert banner_text(window).startswith("Stopped and saved" if stopped else "Done: best")
    assert find(window, Banner, "banner").kind == "success"


@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_what_is_given_up_is_not_said_to_be_saved(qtbot, window, script, photos, stopped, before):
    if before:
        last = str(script.run / "last.pth")
        script.runs.append(RunFacts(str(script.run), Recipe(), 2, 0, 0.0, last, ""))
        list_runs(qtbot, window)
    unsaved(qtbot, window, script, photos, stopped=stopped)
    give_up = button(window, "stopButton")
    assert (give_up.text(), give_up.isEnabled()) == ("Discard", True)
    give_up.click()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert script.of("again") == [False]
    assert find(window, Banner, "banner").kind == "error"
    told = {
        (True, True): "continues from the save before",
        (True, False): "nothing of it could be saved",
    }
    assert told.get((stopped, before), "that network could not be saved") in banner_text(window)
    script.full = False
    button(window, "startButton").click()  # and the next run begins with a clean slate
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: banner_text(window).startswith("Done: best"))


def test_a_size_that_cannot_be_is_refused_with_an_offer(qtbot, window, script, photos):
    script.refuse = "vit_b_16"
    open_photos(qtbot, window, photos)
    find(window, QComboBox, "modelSelector").setCurrentText("vit_b_16")
    qtbot.waitUntil(lambda: "can't take" in banner_text(window))
    assert not button(window, "startButton").isEnabled()
    next(b for b in banner(window).findChildren(QPushButton) if "own size" in b.text()).click()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert window.session.recipe.image_size == 0


def test_the_guide_is_one_key_away(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.findChild(GuideWindow) is not None)
    button(window, "guideButton").click()
    (guide,) = window.findChildren(GuideWindow)
    assert guide.isVisible()
    guide.close()
    qtbot.waitUntil(lambda: window.findChild(GuideWindow) is None)


def test_a_dropped_folder_is_opened(qtbot, window, script, photos):
    drop(window, [photos])
    qtbot.waitUntil(lambda: script.of("inspect") == [photos])


# --- closing ----------------------------------------------------------------------------------


def test_closing_while_training_asks_and_saves(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox, "closeQuestion")
    box.button(QMessageBox.StandardButton.Close).click()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.session.run == "idle"


def test_closing_can_be_taken_back(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    box.button(QMessageBox.StandardButton.Cancel).click()
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length == 1)
    assert window.isVisible()


def test_a_wish_to_end_saves_and_closes_without_a_question(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.end()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.findChild(QMessageBox, "closeQuestion") is None


def test_closing_waits_for_a_last_piece_of_work(qtbot, window, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(worker, "end_all", lambda milliseconds: False)
        window.close()
    assert window.isVisible()
    assert "Close again in a moment" in banner_text(window)
    window.close()
    assert not window.isVisible()


def test_a_run_that_could_not_be_saved_is_not_closed_with_the_window(qtbot, window, script, photos):
    """Neither was it what the user agreed to; it is asked once more."""
    script.full = True
    start(qtbot, window, photos)
    window.close()
    box = window.findChild(QMessageBox, "closeQuestion")
    assert box.button(QMessageBox.StandardButton.Close).text() == "Stop, save and close"
    box.button(QMessageBox.StandardButton.Close).click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "unsaved")
    assert window.isVisible()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "closeQuestion") is None)
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox, "closeQuestion")
    assert "lose it" in box.text()
    box.button(QMessageBox.StandardButton.Close).click()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_question_that_promised_to_save_goes_when_that_failed(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    window.close()
    assert window.findChild(QMessageBox, "closeQuestion") is not None
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "unsaved")
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "closeQuestion") is None)
    assert window.isVisible()
    assert not script.of("again")


def test_what_is_given_up_is_not_tried_again_for_a_wish_of_before(qtbot, window, script, photos):
    unsaved(qtbot, window, script, photos, stopped=True)
    window._control.live.save = True  # a pause that came too late
    button(window, "stopButton").click()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert script.of("again") == [False]


def test_a_wish_to_end_is_followed_also_where_nothing_can_be_saved(qtbot, window, script, photos):
    script.full = True
    start(qtbot, window, photos)
    window.end()
    script.gate.release()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert script.of("again") == [False]


def test_recent_folders_are_remembered(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    other = MainWindow()
    qtbot.addWidget(other)
    menu = button(other, "recentButton").menu()
    assert [action.data() for action in menu.actions() if action.data()] == [photos]


def test_decoded_photos_are_cleared(qtbot, window, script, photos):
    kept = paths.photo_cache_folder()
    kept.mkdir(parents=True)
    (kept / "0.rgb").write_bytes(bytes(2_000_000))
    open_photos(qtbot, window, photos)
    button(window, "recentButton").menu().actions()[-1].trigger()
    qtbot.waitUntil(lambda: "Removed 2.0 MB of decoded images." in banner_text(window))
    assert not list(kept.iterdir())


# --- how long it would take -------------------------------------------------------------------


def test_what_a_run_would_take_is_said_beside_start(qtbot, window, script, photos):
    window._estimate.debounce.setInterval(0)
    hint = find(window, QLabel, "startHint")
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: hint.text() == "About 8:47 min in all, 13 s an epoch.")
    assert script.of("estimate")[-1][1:] == (12, 4, 2)  # a fifth of each class validates
    find(window, IntEditor, "epochs").setValue(2)
    qtbot.waitUntil(lambda: hint.text() == "About 33 s in all, 13 s an epoch.")
    find(window, IntEditor, "batch_size").setValue(128)
    qtbot.waitUntil(lambda: "Batch size 128 may not fit in memory" in hint.text())
    asked = len(script.of("estimate"))
    button(window, "startButton").click()
    assert hint.text() == ""
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert len(script.of("estimate")) == asked


GROWING = (("training_size", 160), ("first_training_size", 96))


def test_what_would_take_less_is_one_click_away(qtbot, window, script, photos):
    window._estimate.debounce.setInterval(0)
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, GROWING, 250.0)
    hint, messages = find(window, QLabel, "startHint"), banner(window)
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: "About 8:47 min in all, 13 s an epoch." in hint.text())
    assert ">Faster:\xa0progressive\xa0resizing\xa0(4:10\xa0min).</a>" in hint.text()
    assert "starts with images of 96 px" in hint.toolTip()
    assert hint.accessibleName().endswith("an epoch. Faster: progressive resizing (4:10 min).")
    before = window.session.recipe
    hint.setFocus()
    qtbot.keyClick(hint, Qt.Key.Key_Tab)  # to the link, without a mouse
    qtbot.keyClick(hint, Qt.Key.Key_Return)
    assert window.session.recipe == replace(before, training_size=160, first_training_size=96)
    assert "starts with images of 96 px" in messages.text
    qtbot.waitUntil(lambda: hint.text() == "About 8:47 min in all, 13 s an epoch.")
    assert (hint.toolTip(), hint.focusPolicy()) == ("", Qt.FocusPolicy.NoFocus)
    find(window, QPushButton, "bannerAction").click()  # Undo
    assert window.session.recipe == before
    qtbot.waitUntil(lambda: "href" in hint.text())
    hint.linkActivated.emit("quicker")
    find(window, IntEditor, "epochs").setValue(2)  # something else is wished
    assert messages.isHidden()
    find(window, IntEditor, "training_size").setValue(0)
    qtbot.waitUntil(lambda: "href" in hint.text())
    find(window, IntEditor, "epochs").setValue(3)
    assert hint.text() == ""  # until a step has been tried again
    qtbot.waitUntil(lambda: "href" in hint.text())
    hint.linkActivated.emit("quicker")
    button(window, "startButton").click()
    assert hint.text() == ""
    qtbot.waitUntil(lambda: bool(script.of("train")))
    assert script.of("train")[0].first_training_size == 96


def test_what_one_mode_gains_by_does_not_follow_into_another(qtbot, window, script, photos):
    window._estimate.debounce.setInterval(0)
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, GROWING, 250.0)
    hint = find(window, QLabel, "startHint")
    open_photos(qtbot, window, photos)
    for changed in (False, True):
        button(window, "modeScratch").click()
        qtbot.waitUntil(lambda: "href" in hint.text())
        hint.linkActivated.emit("quicker")
        assert window.session.recipe.training_size == 160
        if changed:
            find(window, IntEditor, "training_size").setValue(192)
        button(window, "modeTransfer").click()
        assert window.session.recipe.training_size == (192 if changed else 0)


def test_what_is_still_being_typed_is_another_wish(qtbot, window, script, photos):
    window._estimate.debounce.setInterval(0)
    script.quicker = Speedup(SpeedupKind.PROGRESSIVE_RESIZING, GROWING, 250.0)
    hint, size = find(window, QLabel, "startHint"), find(window, IntEditor, "image_size")
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: "href" in hint.text())
    size.lineEdit().setText("64")  # nothing has left the field yet
    hint.linkActivated.emit("quicker")
    assert (window.session.recipe.image_size, window.session.recipe.training_size) == (64, 0)


def test_where_no_step_can_be_tried_nothing_is_said(qtbot, window, script, photos):
    window._estimate.debounce.setInterval(0)
    open_photos(qtbot, window, photos)
    find(window, IntEditor, "image_size").setValue(400)
    qtbot.waitUntil(lambda: any(r.image_size == 400 for r, *_ in script.of("estimate")))
    qtbot.waitUntil(lambda: "estimate" not in window._jobs._workers)
    assert find(window, QLabel, "startHint").text() == ""
    assert not find(window, QWidget, "banner").isVisible()


def test_a_defect_of_the_dry_run_gets_its_dialog(qtbot, window, script, photos, caplog):
    window._estimate.debounce.setInterval(0)
    open_photos(qtbot, window, photos)
    find(window, IntEditor, "image_size").setValue(401)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "defectDialog") is not None)
    assert "a defect of the dry run" in caplog.text
    window.findChild(QMessageBox, "defectDialog").close()


def test_a_window_that_has_closed_begins_nothing_more(qtbot, window, script, photos):
    """A timer that still ran would start a thread that nobody waits for."""
    window._estimate.debounce.setInterval(100)
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(window._estimate.debounce.isActive)
    window.close()
    assert not window._estimate.debounce.isActive()
    find(window, IntEditor, "seed").setValue(9)
    assert not window._estimate.debounce.isActive()
    assert "estimate" not in window._jobs._workers
    assert not script.of("estimate")


@pytest.mark.parametrize("height", [700, 850])
def test_a_small_window_stays_small(qtbot, window, script, photos, tmp_path, height: int):
    """What a run and its predictions say makes it no larger than a small laptop's screen; in a
    larger one the photo has more room."""
    window.resize(1024, height)
    start(qtbot, window, photos)
    zone = find(window, QWidget, "dropZone")
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    drop(zone, [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")])
    qtbot.waitUntil(lambda: predictions(window) == ["rose", "tulip"])
    qtbot.waitUntil(lambda: (zone.height() >= 130) == (height > 700))
    assert (window.width(), window.height()) == (1024, height)


def test_a_pause_moves_nothing(window):
    """In a small window the column of the run used to grow when Pause became Continue."""
    pause = button(window, "pauseButton")
    for state in ("running", "pausing", "paused", "unsaved", "idle"):
        window._store.update(run=RunState(state))
        assert pause.sizeHint().width() <= pause.minimumWidth(), pause.text()


def test_what_a_large_window_has_more_is_the_plots(qtbot, window):
    layers, form = find(window, QWidget, "layerPanel"), find(window, QWidget, "epochs")
    window.resize(1280, 800)
    widths = [each.width() for each in (plot(window), layers, form)]
    window.resize(1600, 800)
    wider = [each.width() for each in (plot(window), layers, form)]
    assert wider == [widths[0] + 320, *widths[1:]]
    assert widths[0] > 500
