"""Takes pictures of every window and dialog in several sizes, to look for what is cut or crooked.

    python tests/screenshots/windows.py FOLDER [--schemes light dark] [--language en|zh_CN]
        [--sizes 1000x620 1280x800 ...] [--only NAME ...] [--zoom 100]

Needs no screen (QT_QPA_PLATFORM=offscreen), no photos and no network; takes some minutes.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import format_stack

from PySide6.QtCore import QSettings, QSize
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QTableView, QTreeView, QWidget
from take import Photographer

from flowergui.desktop.context_menus.photo_window import PhotoWindow
from flowergui.desktop.dataset.problems_dialog import ProblemsDialog
from flowergui.desktop.evaluation.class_dialog import ClassDialog
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.runs.note_dialog import ask_for_note
from flowergui.desktop.session import RunState
from flowergui.desktop.style import theme
from flowergui.desktop.support.report_dialog import ReportDialog
from flowergui.desktop.window.language_controller import speak
from flowergui.facts import Problem
from flowergui.language import Language
from flowergui.samples import sample_flowers
from flowergui.text import tr

PHOTOS_PER_CLASS = 12


def trained(camera: Photographer, photos: Path) -> None:
    """Trains two small runs in the window, the second with a pause."""
    find, click, until = camera.find, camera.click, camera.until
    start, stop = find("startButton"), find("stopButton")
    camera.window.open_folder(str(photos))
    until(start.isEnabled)
    click("modeScratch")
    model = find("modelSelector")
    assert isinstance(model, QComboBox)
    model.setCurrentText("mynet")
    for epochs in (2, 6):
        find("minutes").setProperty("value", 0)
        find("epochs").setProperty("value", epochs)
        find("image_size").setProperty("value", 64)
        until(start.isEnabled)
        click("startButton")
        until(stop.isEnabled)
        if epochs == 6:
            until(lambda: camera.window.session.run_checkpoint != "")
            click("pauseButton")
            until(lambda: camera.window.session.run is RunState.PAUSED)
            camera.keep_in_all_sizes("paused", camera.window)
            click("pauseButton")
        until(start.isEnabled)


def windows(camera: Photographer, photos: Path) -> Iterator[tuple[str, QWidget]]:
    """Every window but the main one, open and with something in it."""
    find, click, until, window = camera.find, camera.click, camera.until, camera.window
    pictures = sorted((photos / "rose").iterdir())
    click("evaluationButton")
    evaluation = find("evaluationWindow")
    until(lambda: evaluation.property("visible") and evaluation.is_finished)
    if not find("evaluatedWhyButton").isVisible():
        table = evaluation.findChild(QTableView, "confusions")
        assert table is not None
        table.selectRow(0)
    camera.rest(1500)
    yield "evaluation", evaluation
    click("compareRunsButton")
    camera.rest(1500)
    yield "runs", find("runsWindow")
    window.controllers.batch.predict([str(each) for each in sorted(photos.glob("*/*"))])
    until(lambda: find("batchWindow").is_finished)
    camera.rest(1000)
    yield "many images", find("batchWindow")
    window._panels.photos.class_requested.emit("rose")
    camera.rest(1500)
    yield "class", find("classWindow")
    photo = PhotoWindow(str(pictures[0]), window)
    photo.show()
    camera.rest(600)
    yield "photo", photo
    for name in ("networkAction", "messagesAction", "guideAction", "settingsAction", "aboutAction"):
        action = find_action(window, name)
        before = {each for each in QApplication.topLevelWidgets() if each.isVisible()}
        action.trigger()
        camera.rest(800)
        opened = [each for each in QApplication.topLevelWidgets() if each.isVisible()]
        for each in set(opened) - before:
            yield name.removesuffix("Action"), each
    window._panels.run.plot.show_epochs()
    yield "epochs", find("epochsWindow")
    click("compareNetworksButton")
    until(find("networksVerdict").isVisible)
    yield "networks", find("networksWindow")
    click("confidenceButton")
    until(find("learningCurveVerdict").isVisible)
    classes = find("classGains")
    assert isinstance(classes, QTreeView)
    classes.setCurrentIndex(classes.model().index(0, 0))
    yield "learning curve", find("confidenceWindow")
    yield from dialogs(camera, pictures)


def dialogs(camera: Photographer, pictures: list[Path]) -> Iterator[tuple[str, QWidget]]:
    """Those that ask something, or that seldom open."""
    window = camera.window
    find_action(window, "runElsewhereAction").trigger()
    camera.rest(800)
    yield "job", camera.find("jobDialog")
    problems = [Problem(str(each), tr("It is empty.")) for each in pictures[:5]]
    shown: tuple[tuple[str, QDialog], ...] = (
        ("left out", ProblemsDialog(problems, (), window)),
        ("crash report", ReportDialog("".join(format_stack()), window)),
        ("class choice", ClassDialog([f"species {number}" for number in range(50)], window)),
    )
    for name, dialog in shown:
        dialog.show()
        camera.rest(600)
        yield name, dialog
    ask_for_note(window, window.session.runs[0], lambda text: None)
    camera.rest(600)
    yield "note", camera.find("noteQuestion")
    window.controllers.preferences.ask_to_clear_cache()
    camera.rest(600)
    yield "question", camera.find("clearCacheQuestion")


def find_action(window: MainWindow, name: str) -> QAction:
    """The action of the menu bar with this name."""
    action = window.findChild(QAction, name)
    assert action is not None, name
    return action


class Camera(Photographer):
    """Keeps pictures of any window in all sizes."""

    def keep_in_all_sizes(self, name: str, of: QWidget) -> None:
        """Windows that have a size of their own keep it where they are smaller."""
        for size in self.sizes:
            of.resize(size)
            self.rest(500)
            if isinstance(of, QDialog) and of.size() != size and size != self.sizes[0]:
                continue
            path = self.folder / f"{name}{self.suffix}-{size.width()}x{size.height()}.png"
            of.grab().save(str(path))
            print(path, flush=True)


def main() -> None:
    """Reads the options and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--schemes", nargs="+", default=["light", "dark"])
    parser.add_argument("--language", choices=list(Language), default=Language.ENGLISH)
    parser.add_argument("--sizes", nargs="+", default=["1000x620", "1280x800"])
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--zoom", type=int, default=100, help="size of the texts, in percent")
    wishes = parser.parse_args()
    wishes.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FLOWERGUI_MODELS"] = scratch
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        photos = Path(scratch, "flowers")
        for _ in sample_flowers.draw(photos, photos_per_class=PHOTOS_PER_CLASS):
            pass
        app = QApplication([])
        theme.apply(app, wishes.schemes[0])
        spoken = Language(wishes.language)
        speak(spoken)
        theme.set_zoom(app, wishes.zoom)
        window = MainWindow()
        window.show()
        sizes = [QSize(*map(int, size.split("x"))) for size in wishes.sizes]
        text_size = "" if wishes.zoom == 100 else f"-{wishes.zoom}%"
        camera = Camera(window, wishes.folder, f"{text_size}-{spoken}-{wishes.schemes[0]}", sizes)
        trained(camera, photos)
        take(camera, photos, wishes.schemes, wishes.only, lambda scheme: theme.apply(app, scheme))
        window.close()
        camera.rest(1000)


def take(
    camera: Camera,
    photos: Path,
    schemes: list[str],
    only: list[str],
    apply: Callable[[str], None],
) -> None:
    """Each window in each scheme and size."""
    wanted = set(only)
    for name, shown in windows(camera, photos):
        if only and name not in only:
            shown.close()
            continue
        wanted.discard(name)
        for scheme in schemes:
            apply(scheme)
            camera.suffix = f"{camera.suffix.rpartition('-')[0]}-{scheme}"
            camera.keep_in_all_sizes(name, shown)
        apply(schemes[0])
        shown.close()
        if only and not wanted:
            break


if __name__ == "__main__":
    main()
