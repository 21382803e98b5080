"""Every window of the program, opened with something in it."""

from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget
from scripted import (
    banner,
    button,
    choose_mode,
    drop,
    evaluation,
    facts,
    find,
    list_runs,
    open_photos,
    plot,
    start,
)

from flowergui.config.recipe import Recipe
from flowergui.desktop.batch_prediction.batch_window import BatchWindow
from flowergui.desktop.context_menus.photo_window import PhotoWindow
from flowergui.desktop.dataset.class_window import ClassWindow
from flowergui.desktop.dataset.problems_dialog import ProblemsDialog
from flowergui.desktop.evaluation.class_dialog import ClassDialog
from flowergui.desktop.layers.network_dialog import NetworkDialog
from flowergui.desktop.plots.run_curves import RunCurves
from flowergui.desktop.runs.note_dialog import ask_for_note
from flowergui.desktop.support.about_dialog import AboutDialog
from flowergui.desktop.support.report_dialog import ReportDialog
from flowergui.desktop.widgets.confirm import confirm
from flowergui.events import ModelDescribed, ResumeChecked
from flowergui.facts import Check, CheckKind, ModuleFacts, Problem, Verdict
from flowergui.store.run_folder import RunFolder


def first_look(qtbot, window, script, photos) -> QWidget:
    return window


def ready_to_train(qtbot, window, script, photos) -> QWidget:
    open_photos(qtbot, window, photos)
    return window


def running(qtbot, window, script, photos) -> QWidget:
    """With messages that can be acted on, and an image that is predicted."""
    start(qtbot, window, photos)
    for _ in range(5):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window).marks != ())
    banner(window).offer("The last run stopped.", "Resume it", lambda: None)
    banner(window).show_error("The disk is full.", hint="Make room.")
    find(window, QWidget, "dropZone").images_dropped.emit([f"{photos}/1.png", f"{photos}/2.png"])
    qtbot.waitUntil(lambda: button(window, "whyButton").isEnabled())
    return window


def resume_with_questions(qtbot, window, script, photos) -> QWidget:
    script.runs = [facts(script.run)]
    (script.run / "last.pth").touch()

    def checked(changes, options) -> ResumeChecked:
        kinds = (CheckKind.IMAGES, CheckKind.CLASSES)
        checks = tuple(Check(kind.value, Verdict.FINE, "other", kind=kind) for kind in kinds)
        last, renamed = str(script.run / "last.pth"), (("rose", "iris"),)
        return ResumeChecked(last, checks, 3, ("iris",), renamed, 2)

    script.preflighted = checked
    list_runs(qtbot, window)
    choose_mode(window, "resume")
    qtbot.waitUntil(lambda: bool(script.of("preflight")))
    return window


def message_log(qtbot, window, script, photos) -> QWidget:
    banner(window).show_note("All is well.")
    button(window, "messagesButton").click()
    return find(window, QWidget, "messageLog")


def guide(qtbot, window, script, photos) -> QWidget:
    button(window, "guideButton").click()
    return find(window, QWidget, "guideWindow")


def epochs(qtbot, window, script, photos) -> QWidget:
    plot(window).show_epochs()
    return find(window, QWidget, "epochsWindow")


def numbers_of_runs(qtbot, window, script, photos) -> QWidget:
    shown = runs(qtbot, window, script, photos)
    shown.findChild(RunCurves).show_table()
    return find(shown, QWidget, "curveTable")


def runs(qtbot, window, script, photos) -> QWidget:
    script.runs = [facts(script.run)]
    button(window, "compareRunsButton").click()
    shown = find(window, QWidget, "runsWindow")
    qtbot.waitUntil(lambda: button(shown, "resumeRunButton").isEnabled())
    return shown


def networks(qtbot, window, script, photos) -> QWidget:
    open_photos(qtbot, window, photos)
    button(window, "compareNetworksButton").click()
    shown = find(window, QWidget, "networksWindow")
    qtbot.waitUntil(lambda: button(shown, "useNetworkButton").isEnabled())
    return shown


def confidence(qtbot, window, script, photos) -> QWidget:
    open_photos(qtbot, window, photos)
    button(window, "confidenceButton").click()
    shown = find(window, QWidget, "confidenceWindow")
    qtbot.waitUntil(find(shown, QWidget, "learningCurveVerdict").isVisible)
    return shown


def evaluated(qtbot, window, script, photos) -> QWidget:
    script.runs = [facts(script.run)]
    window.controllers.evaluation.open_of(str(script.run / "best.pth"))
    qtbot.waitUntil(lambda: evaluation(window) is not None and evaluation(window).is_finished)
    return evaluation(window)


def many_predictions(qtbot, window, script, photos) -> QWidget:
    for number in range(24):
        Path(photos, f"{number}.jpg").write_text("an image")
    drop(window, ["/x/mine.pth"])
    drop(find(window, QWidget, "dropZone"), [photos])
    qtbot.waitUntil(lambda: window.findChild(BatchWindow) is not None)
    shown = find(window, BatchWindow, "batchWindow")
    qtbot.waitUntil(lambda: shown.is_finished)
    return shown


def whole_network(qtbot, window, script, photos) -> QWidget:
    modules = (ModuleFacts("", "MyNet", (3, 10), 9), ModuleFacts("fc", "Linear", (10,), 9))
    shown = NetworkDialog(ModelDescribed("mynet", 3, 64, (), modules, (), ()), window)
    shown.show()
    return shown


def left_out(qtbot, window, script, photos) -> QWidget:
    shown = ProblemsDialog([Problem("/photos/1.jpg", "It is empty.")], (), window)
    shown.show()
    return shown


def settings_dialog(qtbot, window, script, photos) -> QWidget:
    find(window, QAction, "settingsAction").trigger()
    shown = find(window, QWidget, "settingsDialog")
    qtbot.waitUntil(lambda: shown.findChild(QLabel, "modelsFolder").text() != "")
    return shown


def about(qtbot, window, script, photos) -> QWidget:
    shown = AboutDialog(window)
    shown.show()
    return shown


def crash_report(qtbot, window, script, photos) -> QWidget:
    shown = ReportDialog("Traceback: a defect", window)
    shown.show()
    return shown


def one_photo(qtbot, window, script, photos) -> QWidget:
    shown = PhotoWindow(f"{photos}/1.jpg", window)
    shown.show()
    return shown


def one_class(qtbot, window, script, photos) -> QWidget:
    shown = ClassWindow("rose", window)
    shown.show_paths([f"{photos}/1.jpg"])
    shown.show()
    return shown


def class_choice(qtbot, window, script, photos) -> QWidget:
    shown = ClassDialog([f"class {number}" for number in range(50)], window)
    shown.open()
    return shown


def note(qtbot, window, script, photos) -> QWidget:
    ask_for_note(window, facts(Path(photos)), lambda text: None)
    return find(window, QWidget, "noteQuestion")


def question(qtbot, window, script, photos) -> QWidget:
    confirm(
        window,
        "question",
        "Close the window?",
        "A run goes on.",
        (QMessageBox.StandardButton.Close, "Close"),
        lambda: None,
    )
    return find(window, QWidget, "question")


def cluster_job(qtbot, window, script, photos) -> QWidget:
    open_photos(qtbot, window, photos)
    action = window.findChild(QAction, "runElsewhereAction")
    qtbot.waitUntil(action.isEnabled)
    action.trigger()
    return find(window, QWidget, "jobDialog")


def watching(qtbot, window, script, photos) -> QWidget:
    """A run that another process trains."""
    run = RunFolder(script.run)
    run.write_recipe(Recipe(mode="scratch", model="resnet18"))
    run.marker.path.write_text('{"host": "node017", "pid": 7, "reads_requests": true}')
    window.controllers.watch.open(str(script.run))
    qtbot.waitUntil(lambda: button(window, "stopButton").isEnabled())
    return window


WINDOWS = [
    *(first_look, ready_to_train, running, resume_with_questions),
    *(message_log, guide, epochs, runs, networks, confidence, evaluated),
    numbers_of_runs,
    *(many_predictions, whole_network, left_out, note, question),
    *(settings_dialog, about, crash_report, one_photo, one_class),
    *(cluster_job, watching, class_choice),
]
