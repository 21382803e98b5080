"""A run in the window: how it starts, pauses, stops and ends, and what is said of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLabel, QLineEdit, QMessageBox, QWidget
from scripted import (
    BATCHES,
    NAMES,
    banner,
    banner_text,
    button,
    choose_mode,
    discard,
    find,
    list_runs,
    open_photos,
    plot,
    start,
    texts,
    unsaved,
)

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.plots.batch_columns import BatchColumns
from flowergui.desktop.session import RunState, frozen
from flowergui.desktop.training.run_history import HistoryLoaded
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    Preparing,
    RolledBack,
    RunStarted,
    Saved,
    SaveFailed,
    Stopped,
)
from flowergui.facts import RunFacts
from flowergui.requests import LiveRequests


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
    window.controllers.training.pause()
    window.controllers.training.live.save = (
        False  # the wish comes too late for this epoch's last batch
    )
    script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._epochs.length == 1)
    assert window.session.run == "pausing"
    window.controllers.training.live.save = True
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
    window.controllers.presenter.show(
        (opened, Finished(str(script.run), 3, best, 1, 2.0, bool(photos)))
    )
    assert ("no better than chance" in banner_text(window)) == by_chance
    assert banner(window).kind == ("warning" if by_chance else "success")


@pytest.mark.parametrize(
    ("train", "validation", "best", "by_heart"),
    [
        ((1.0, 0.6, 0.3, 0.1), (1.0, 0.8, 1.0, 1.4), 2, True),
        ((1.0, 0.6, 0.3, 0.1), (1.0, 0.8, 1.0, 1.4), 4, False),  # worse loss, better answers
        ((1.0, 0.9, 0.9, 0.9), (1.0, 0.8, 1.0, 1.4), 2, False),  # it is unstable, no more
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
        window.controllers.presenter.show((*events, finished))
        assert ("overfitting" in banner_text(window)) == by_heart


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
    dialog = find(window, QMessageBox, "defectDialog")
    assert dialog.detailedText().startswith("Traceback")
    assert dialog.detailedText().endswith("ValueError: a bug\n")
    assert "“Copy diagnostics” in the menu Help" in dialog.informativeText()
    dialog.close()
    qtbot.waitUntil(button(window, "startButton").isEnabled)


def test_the_learning_rate_can_be_changed_while_it_runs(qtbot, window, script, photos):
    start(qtbot, window, photos)
    find(window, QWidget, "learning_rate").setValue(0.0005)
    script.gate.release()
    qtbot.waitUntil(lambda: script.of("rate") == [0.0005])


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
    discard(window)
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert script.of("again") == [False]
    assert find(window, Banner, "banner").kind == "error"
    told = {
        (True, True): "goes on from the save before",
        (True, False): "nothing of it could be saved",
    }
    assert told.get((stopped, before), "that network could not be saved") in banner_text(window)
    script.full = False
    button(window, "startButton").click()  # and the next run begins with a clean slate
    for _ in range(2 * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: banner_text(window).startswith("Done: best"))


@pytest.mark.parametrize("by_menu", [True, False])
def test_what_could_not_be_saved_is_discarded_only_if_the_user_confirms(
    qtbot, window, script, photos, by_menu
):
    unsaved(qtbot, window, script, photos, stopped=True)
    if by_menu:
        find(window, QAction, "stopAction").trigger()
    else:
        button(window, "stopButton").click()
    question = find(window, QMessageBox, "discardQuestion")
    assert question.text() == "This run could not be saved. Discard it?"
    assert question.defaultButton() is question.button(QMessageBox.StandardButton.Cancel)
    assert window.session.run == "unsaved"
    question.button(QMessageBox.StandardButton.Cancel).click()
    assert window.session.run == "unsaved"
    script.full = False
    button(window, "pauseButton").click()
    qtbot.waitUntil(lambda: banner_text(window).startswith("Stopped and saved"))


def test_a_pause_moves_nothing(window):
    """In a small window the column of the run used to grow when Pause became Continue."""
    pause = button(window, "pauseButton")
    for state in ("running", "pausing", "paused", "unsaved", "idle"):
        window._store.update(run=RunState(state))
        assert pause.sizeHint().width() <= pause.minimumWidth(), pause.text()


def test_a_run_that_is_stopped_before_its_first_batch_is_over(
    qtbot, window, script, photos, monkeypatch
):
    """It has nothing to save, and ends without a word."""

    def train(recipe: Recipe, live: LiveRequests) -> Iterator[Any]:
        yield Preparing("Reading images", 1, 12)
        script.gate.acquire()

    monkeypatch.setattr(tasks, "train", train)
    start(qtbot, window, photos)
    state = find(window, QLabel, "runState")
    qtbot.waitUntil(lambda: state.text() == "Preparing")
    button(window, "stopButton").click()
    assert state.text() == "Stopping…"
    script.gate.release()
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    assert state.text() == "Stopped"
    assert find(window, QLabel, "runLine").text() == "The run had not begun yet"


def test_a_run_without_a_validation_set_ends_without_an_accuracy(window, script):
    opened = RunStarted(
        str(script.run), "mynet", "scratch", ("a", "b"), 240, 0, 64, "cpu", "float32", 3, BATCHES,
        1, 0, 0, 36, 36, (), False,
    )  # fmt: skip
    finished = Finished(str(script.run), 3, 0.0, 3, 2.0, validated=False)
    window.controllers.presenter.show((opened, finished))
    assert banner_text(window).startswith("Trained 3 epochs. Without a validation set")
    assert "0.0%" not in banner_text(window)
    assert banner(window).kind == "success"


def test_a_run_whose_validation_images_could_not_be_read_ends_without_an_accuracy(window, script):
    opened = RunStarted(
        str(script.run), "mynet", "scratch", ("a", "b"), 240, 60, 64, "cpu", "float32", 3, BATCHES,
        1, 0, 0, 36, 36, (), False,
    )  # fmt: skip
    finished = Finished(str(script.run), 3, 0.0, 1, 2.0, validated=False)
    window.controllers.presenter.show((opened, finished))
    assert banner_text(window) == (
        "Trained 3 epochs. The validation images could not be read, so its accuracy is not known."
    )
    assert banner(window).kind == "warning"


def test_a_history_that_is_locked_is_not_a_run_that_is_not_saved(qtbot, window, script):
    opened = RunStarted(
        str(script.run), "mynet", "scratch", ("a", "b"), 240, 60, 64, "cpu", "float32", 3, BATCHES,
        1, 0, 0, 36, 36, (), False,
    )  # fmt: skip
    saved = Saved(str(script.run / "last.pth"), 1, 2)
    failed = SaveFailed(str(script.run / "history.csv"), "Permission denied")
    presenter = window.controllers.presenter
    with qtbot.assertNotEmitted(presenter.save_failed):
        presenter.show((opened, saved, failed))
    assert banner_text(window) == (
        "history.csv could not be written: Permission denied. The checkpoint was saved. Close the "
        "file in other programs: the next save writes what is missing in it."
    )
    presenter.show((Stopped(str(script.run), 1, 2),))
    assert banner(window).kind == "success"


def test_a_run_begins_with_the_focus_on_pause(qtbot, window, script, photos):
    """Else it would go to the learning rate, where a key changes the run."""
    open_photos(qtbot, window, photos)
    rate = find(window, QWidget, "learning_rate")
    before = window.session.recipe.learning_rate
    window.activateWindow()
    rate.setFocus()
    qtbot.waitUntil(rate.hasFocus)
    qtbot.keyClick(rate, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(button(window, "pauseButton").isEnabled)
    assert window.focusWidget() is button(window, "pauseButton")
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Up)
    assert window.session.recipe.learning_rate == before
    assert window.controllers.training.live.learning_rate is None


def test_pause_then_space_does_not_stop(qtbot, window, script, photos):
    start(qtbot, window, photos)
    window.activateWindow()
    pause = button(window, "pauseButton")
    qtbot.waitUntil(pause.hasFocus)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Space)
    assert window.session.run == "pausing"
    for _ in range(2):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "paused")
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Space)
    assert window.session.run == "running"


def test_where_a_run_stopped_is_said_alike(qtbot, window, script, photos):
    """After the last batch of an epoch it stands at the next one's beginning."""
    start(qtbot, window, photos)
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window)._epochs.length == 1)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: "Stopped" in banner_text(window))
    assert banner_text(window).startswith("Stopped and saved after epoch 1.")
    assert find(window, QLabel, "runLine").text() == "Stopped after epoch 1 of 2"


def test_a_rolled_back_run_has_its_new_learning_rate_in_the_form(qtbot, window, script, photos):
    script.back = True
    start(qtbot, window, photos)
    for _ in range(BATCHES + 2):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.recipe.learning_rate == 0.0005)
    assert find(window, QDoubleSpinBox, "learning_rate").value() == 0.0005
    assert window.controllers.training.live.learning_rate is None  # the run has it already


def test_the_line_under_resume_follows_the_run(qtbot, window, script, photos):
    line = find(window, QLabel, "resumeLastName")
    button(window, "modeScratch").click()
    start(qtbot, window, photos)
    window.controllers.training.save_now()
    for _ in range(BATCHES + 1):
        script.gate.release()
    qtbot.waitUntil(lambda: "1 of 2 epochs done, best 75%" in line.text())
    assert window.session.runs[0].best == str(script.run / "best.pth")


def test_a_resumed_run_shows_its_images_in_the_first_card(qtbot, window, script, photos):
    """Also where no folder is open, or another one."""
    recipe = Recipe(photos="/elsewhere/flowers", epochs=3)
    last = str(script.run / "last.pth")
    script.runs.append(RunFacts(str(script.run), recipe, 2, 1, 0.5, last, ""))
    list_runs(qtbot, window)
    assert "Choose a folder" in texts(window)
    button(window, "resumeLastButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: "2 classes, 16 images" in texts(window))
    assert find(window, QLineEdit, "datasetPath").text() == "/elsewhere/flowers"
    assert "Choose a folder" not in texts(window)
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    qtbot.waitUntil(lambda: "Choose a folder" in texts(window))
    assert find(window, QLineEdit, "datasetPath").text() == ""


def test_the_marks_of_a_resumed_run_come_back(qtbot, window, script, photos, monkeypatch):
    """From its history; where that does not know, images grew as the recipe says."""
    recipe = Recipe(photos=photos, epochs=3, first_training_size=32)
    last = str(script.run / "last.pth")
    script.runs.append(RunFacts(str(script.run), recipe, 2, 1, 0.5, last, ""))
    changes: list[Any] = [
        LearningRateChanged(3, 0.0005),
        FrozenChanged(2, ("fc.bias",), 1, 2),
    ]
    done = [
        EpochDone(number, 3, number * BATCHES, 1.0, 0.5, 0.9, 0.75, 0.75, 1, 0.001, 1.0)
        for number in (1, 2, 3)
    ]
    monkeypatch.setattr(tasks, "history", lambda run: iter([*done, *changes]))
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: list(plot(window).marks) == [(2, "layers"), (3, "rate 0.0005")])
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")

    changes.clear()
    list_runs(qtbot, window)
    qtbot.waitUntil(button(window, "resumeLastButton").isEnabled)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: list(plot(window).marks) == [(2 * BATCHES, "64 px")])


def test_a_resumed_run_that_was_rolled_back_keeps_what_came_after(
    qtbot, window, script, photos, monkeypatch
):
    last = str(script.run / "last.pth")
    recipe = Recipe(photos=photos, epochs=3)
    script.runs.append(RunFacts(str(script.run), recipe, 2, 1, 0.5, last, ""))
    done = [BatchDone(1, b, BATCHES, b, 2.0, 0.25, 0.001, 4) for b in range(1, BATCHES + 1)]
    back = RolledBack(1, 2, 2, 0.0005, "The loss became nan.")
    monkeypatch.setattr(tasks, "history", lambda run: iter([back, *done]))
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: list(plot(window).marks) == [(2, "rolled back")])
    assert plot(window)._batches["step"].tolist() == [1, 2, 3, 4]


def test_layers_that_a_run_unfreezes_are_unticked(qtbot, window, script, photos):
    script.started, script.unfreezes = {"frozen": NAMES[:2]}, {2: ()}
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: frozen(window.session) == NAMES[:2])
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: frozen(window.session) == ())
    assert button(window, "presetRecommended").isChecked()  # nobody has changed anything
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    assert not list(script.of("frozen"))  # the run was not asked for it again
    qtbot.waitUntil(lambda: frozen(window.session) == NAMES[:2])  # as the next one begins


def test_layers_that_a_resumed_run_unfreezes_are_not_frozen_in_the_next_new_run(
    qtbot, window, script, photos
):
    choose_mode(window, "scratch")
    open_photos(qtbot, window, photos)
    last = str(script.run / "last.pth")
    recipe = Recipe(photos=photos, mode="transfer", model="resnet18", frozen=("all-but-head",))
    script.runs.append(RunFacts(str(script.run), recipe, 2, 1, 0.5, last, ""))
    script.started, script.epochs, script.unfreezes = {"frozen": NAMES[:2]}, 3, {3: ()}
    list_runs(qtbot, window)
    button(window, "resumeLastButton").click()
    qtbot.waitUntil(lambda: frozen(window.session) == NAMES[:2])
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.network is not None and frozen(window.session) == ())
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert window.session.mode == "scratch"
    assert window.session.recipe.frozen == ()


def test_stages_that_a_run_unfreezes_one_by_one_are_frozen_in_the_next(
    qtbot, window, script, photos
):
    script.started, script.epochs = {"frozen": NAMES[:2]}, 3
    script.unfreezes = {2: NAMES[:1], 3: ()}
    start(qtbot, window, photos)
    qtbot.waitUntil(lambda: frozen(window.session) == NAMES[:2])
    for left in (NAMES[:1], ()):
        for _ in range(BATCHES):
            script.gate.release()
        qtbot.waitUntil(lambda left=left: frozen(window.session) == left)
    for _ in range(BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    qtbot.waitUntil(lambda: frozen(window.session) == NAMES[:2])


def test_the_layers_panel_says_when_layers_are_unfrozen(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    button(window, "foldLayersButton").click()
    recipe = window.session.recipe
    assert (recipe.mode, recipe.freeze_epochs) == ("transfer", 1)
    qtbot.waitUntil(lambda: "for 1 epoch, then all are fine-tuned" in texts(window))
    find(window, QDoubleSpinBox, "minutes").setValue(0)
    find(window, QWidget, "epochs").setValue(1)
    assert "fine-tuned. Train:" not in texts(window)
