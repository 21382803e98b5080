"""Resuming a run in the window: which one, what has changed since, and what goes along."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QLineEdit, QPushButton, QWidget
from scripted import (
    BATCHES,
    NAMES,
    banner,
    banner_text,
    button,
    facts,
    find,
    list_runs,
    open_photos,
    plot,
    texts,
)

from flowergui.config.recipe import Recipe
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.session import resume_changes
from flowergui.errors import FlowerError
from flowergui.events import ResumeChecked
from flowergui.facts import Check, CheckKind, Problem, RunFacts, Verdict
from flowergui.requests import ResumeOptions


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


def test_a_run_that_can_not_be_read_is_named_once(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "good"))
    script.problems.append(Problem("/models/lost+found", "Permission denied"))
    list_runs(qtbot, window)
    said = "A run can't be listed: /models/lost+found (Permission denied)"
    assert said in [each.text for each in banner(window).messages]
    assert find(window, QLabel, "resumeLastName").text().startswith("good")
    banner(window).clear()
    list_runs(qtbot, window)
    assert said not in [each.text for each in banner(window).messages]


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


def test_a_run_that_has_used_its_time_is_offered_as_much_again(qtbot, window, script, tmp_path):
    done = facts(tmp_path / "done", epochs_done=3)
    recipe = replace(done.recipe, minutes=5.0)
    script.runs.append(replace(done, recipe=recipe))
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    assert "has used its time budget of 5 min" in banner_text(window)
    button(window, "bannerAction").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume") == [(str(tmp_path / "done" / "last.pth"), {"minutes": 10.0})]


def resume_last_with(window, minutes: int) -> None:
    """Sets a time budget for the run to resume, and resumes the newest one."""
    button(window, "modeResume").click()
    find(window, QWidget, "minutes").setValue(minutes)
    button(window, "resumeLastButton").click()


def test_a_run_with_more_time_goes_on_without_a_question(qtbot, window, script, tmp_path):
    done = facts(tmp_path / "done", epochs_done=3)
    script.runs.append(replace(done, recipe=replace(done.recipe, minutes=5.0)))
    list_runs(qtbot, window)
    resume_last_with(window, 20)
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0][1] == {"minutes": 20.0}


def test_a_run_of_epochs_that_gets_a_time_budget_is_offered_more_epochs(
    qtbot, window, script, tmp_path
):
    """What its epochs took is not known: the time may be used already."""
    script.runs.append(facts(tmp_path / "done", epochs_done=3))
    list_runs(qtbot, window)
    resume_last_with(window, 5)
    assert button(window, "bannerAction").text() == "Train 3 more epochs"


def test_a_head_alone_is_offered_more_epochs(qtbot, window, script, tmp_path):
    """It ends after 60 of them, whatever time is left."""
    done = facts(tmp_path / "done", epochs_done=3)
    recipe = replace(done.recipe, minutes=5.0, frozen=("all-but-head",))
    script.runs.append(replace(done, recipe=recipe))
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    assert button(window, "bannerAction").text() == "Train 3 more epochs"


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
    window.controllers.resume.choose(str(tmp_path / "other" / "last.pth"))
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


def test_a_run_that_was_chosen_before_gives_way_to_the_newest(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "older"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    button(window, "modeScratch").click()
    script.runs.insert(0, facts(tmp_path / "newest"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    assert window.session.checkpoint == str(tmp_path / "newest" / "last.pth")


def test_no_other_run_is_chosen_while_one_trains(qtbot, window, script, photos, tmp_path):
    """Its learning rate and frozen layers would reach the run that trains."""
    other = facts(tmp_path / "other")
    other = replace(other, recipe=replace(other.recipe, learning_rate=0.5))
    script.runs += [facts(tmp_path / "run"), other]
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    recipe = window.session.recipe
    window.controllers.resume.choose(other.last)
    assert "Stop the run first" in banner_text(window)
    script.runs.pop(0)  # between two renames it has no last.pth
    list_runs(qtbot, window)
    assert window.session.recipe == recipe
    assert window.session.checkpoint == str(tmp_path / "run" / "last.pth")


def test_what_was_found_of_one_run_is_not_said_of_another(qtbot, window, script, tmp_path):
    checking, may_end = threading.Event(), threading.Event()
    runs = [facts(tmp_path / name) for name in ("first", "second")]

    def told(changes, how):
        first = len(script.of("preflight")) == 1
        if first:
            checking.set()
            may_end.wait()
        recipe = replace(runs[0].recipe, learning_rate=0.5 if first else 0.001)
        return ResumeChecked("run", (), 0, (), (), 2, recipe=recipe)

    script.preflighted = told
    script.runs += runs
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    qtbot.waitUntil(checking.is_set)
    window.controllers.resume.choose(runs[1].last)
    may_end.set()
    qtbot.waitUntil(lambda: window.session.resume_check is not None)
    assert window.session.recipe.learning_rate == 0.001
    assert script.of("preflight")[-1][0] == runs[1].last


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
    qtbot.waitUntil(lambda: script.of("options") == [ResumeOptions(restart_schedule=True)])


def test_photos_that_have_moved_are_shown_to_the_run(qtbot, window, script, photos, tmp_path):
    def told(changes, how):
        verdict = Verdict.SAME if "photos" in changes else Verdict.BLOCKING
        return ResumeChecked(
            "run", (Check("Images", verdict, "somewhere", kind=CheckKind.IMAGES),), 0, (), (), 2
        )

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
        verdict = Verdict.FINE if how.renamed else Verdict.BLOCKING
        checks = (
            Check("Images", Verdict.FINE, "3 new, left out", "New ones can be included."),
            Check("Classes", verdict, "no photo of iris is left"),
        )
        return ResumeChecked("run", checks, 3, ("rose",), (("iris", "aris"),), 2)

    script.preflighted = told
    script.runs.append(facts(tmp_path / "run"))
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    qtbot.waitUntil(lambda: "Images: 3 new, left out. New ones can be included." in texts(window))
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
    qtbot.waitUntil(lambda: bool(script.of("options")))
    assert script.of("options") == [ResumeOptions(True, True, (("iris", "aris"),))]


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


def test_a_run_that_was_left_is_offered(qtbot, script, photos):
    recipe = Recipe(photos=photos, mode="scratch", model="resnet18", epochs=3)
    script.runs.append(RunFacts(str(script.run), recipe, 2, 2, 0.5, "x/last.pth", "", batch=3))
    window = MainWindow()
    says = "Your last run (resnet18) stopped at epoch 3 of 3, batch 3."
    qtbot.waitUntil(lambda: banner_text(window) == says)
    find(window, QPushButton, "bannerAction").click()
    qtbot.waitUntil(lambda: script.of("resume") == [("x/last.pth", {})])
    window.controllers.training.stop()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert window.close()


def test_a_finished_run_is_not_offered(qtbot, script):
    script.runs.append(RunFacts(str(script.run), Recipe(epochs=3), 2, 3, 0.5, "x/last.pth", ""))
    window = MainWindow()
    qtbot.addWidget(window)
    assert banner_text(window) == ""


def test_opening_a_folder_keeps_the_offer_to_resume(qtbot, script, photos):
    """`flowergui FOLDER` opens one at once."""
    recipe = Recipe(epochs=3)
    script.runs.append(RunFacts(str(script.run), recipe, 2, 1, 0.5, "x/last.pth", "", batch=3))
    window = MainWindow()
    window.show()
    qtbot.waitUntil(lambda: banner_text(window).startswith("Your last run"))
    window.open_folder(photos)
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    qtbot.waitUntil(lambda: window.session.network is not None)
    assert [each.action for each in banner(window).messages] == ["Resume it"]
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    window.deleteLater()


def test_what_resume_shows_is_what_runs(qtbot, window, script, tmp_path):
    """A checkpoint of an older version has live changes that its recipe.json lacks."""
    run = facts(tmp_path / "run")
    effective = replace(run.recipe, learning_rate=0.0005, frozen=NAMES[:1])
    script.preflighted = lambda changes, how: ResumeChecked(
        "run", (), 0, (), (), 2, recipe=replace(effective, **changes)
    )
    script.runs.append(run)
    list_runs(qtbot, window)
    button(window, "modeResume").click()
    rate = find(window, QDoubleSpinBox, "learning_rate")
    qtbot.waitUntil(lambda: rate.value() == 0.0005)
    assert window.session.recipe.frozen == NAMES[:1]
    assert resume_changes(window.session) == {}
    rate.setValue(run.recipe.learning_rate)
    assert resume_changes(window.session) == {"learning_rate": run.recipe.learning_rate}
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    assert script.of("resume")[0][1] == {"learning_rate": run.recipe.learning_rate}


def test_what_an_old_checkpoint_runs_with_is_shown_without_a_check(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "run"))
    script.started = {"learning_rate": 0.0005}
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    rate = find(window, QDoubleSpinBox, "learning_rate")
    qtbot.waitUntil(lambda: rate.value() == 0.0005)
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._batches.length > BATCHES)
    assert script.of("rate") == []  # it is no change


def test_a_change_made_before_a_run_says_what_it_runs_with_stays(qtbot, window, script, tmp_path):
    script.runs.append(facts(tmp_path / "run"))
    script.started = {"learning_rate": 0.0005}
    script.holds.clear()
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: bool(script.of("resume")))
    rate = find(window, QDoubleSpinBox, "learning_rate")
    rate.setValue(0.0007)
    script.holds.set()
    script.gate.release()
    qtbot.waitUntil(lambda: script.of("rate") == [0.0007])
    qtbot.waitUntil(lambda: window.session.run_started is not None)
    assert rate.value() == window.session.recipe.learning_rate == 0.0007
