"""Takes the README's pictures of the real window, on the sample flowers that it draws itself.

    python tests/screenshots/take.py [FOLDER] [--scheme light|dark] [--language en|zh_CN]
        [--sizes 1280x800 1100x700 ...] [--epochs N]

Pictures of the main window are taken in every size; their names say which, but for the first one.
Needs no screen (QT_QPA_PLATFORM=offscreen), no photos and no network; takes some minutes.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSettings, QSize, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QTableView, QTreeView, QWidget

from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.session import RunState
from flowergui.desktop.style import theme
from flowergui.desktop.window.language_controller import speak
from flowergui.language import Language
from flowergui.store import library

MISTAKES = QSize(1000, 620)
RUNS = QSize(1000, 600)
CONFIDENCE = QSize(1000, 600)

TOO_LONG = 900_000
"""Milliseconds after which a picture is not waited for any more."""


class Photographer:
    """Clicks through the window and keeps pictures of it."""

    def __init__(
        self, window: MainWindow, folder: Path, suffix: str, sizes: Sequence[QSize]
    ) -> None:
        self.window, self.folder, self.suffix, self.sizes = window, folder, suffix, sizes

    def until(self, holds: Callable[[], bool]) -> None:
        """Lets the window live until `holds()`. Raises TimeoutError."""
        loop, clock, end = QEventLoop(), QTimer(), QTimer()
        clock.timeout.connect(lambda: loop.quit() if holds() else None)
        end.timeout.connect(loop.quit)
        clock.start(50)
        end.start(TOO_LONG)
        loop.exec()
        if not holds():
            raise TimeoutError

    def rest(self, milliseconds: int) -> None:
        """Lets the window live for a while."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def find(self, name: str, kind: type[QWidget] = QWidget) -> QWidget:
        """The widget of this name."""
        widget = self.window.findChild(kind, name)
        assert isinstance(widget, QWidget), name
        return widget

    def click(self, name: str) -> None:
        """Clicks a button."""
        button = self.find(name)
        assert isinstance(button, QPushButton), name
        button.click()

    def keep(self, name: str, of: QWidget | None = None) -> None:
        """A picture of the window, or `of` another one, as it is now."""
        for size in self.sizes if of is None else self.sizes[:1]:
            other = size != self.sizes[0]
            if of is None:
                self.window.resize(size)
            self.rest(400)
            dimensions = f"-{size.width()}x{size.height()}" if other else ""
            path = self.folder / f"{name}{self.suffix}{dimensions}.png"
            (of or self.window).grab().save(str(path))
            print(path, flush=True)
        self.window.resize(self.sizes[0])


def walk(photographer: Photographer, epochs: int) -> None:
    """The newcomer's way: sample flowers, training, a guess."""
    find, click, until = photographer.find, photographer.click, photographer.until
    start, stop = find("startButton"), find("stopButton")
    photographer.rest(500)
    photographer.keep("empty")
    click("welcomeSampleButton")
    until(start.isEnabled)
    photographer.rest(1500)  # the thumbnails
    photographer.keep("photos")
    click("modeTransfer")
    photographer.rest(600)
    photographer.keep("transfer")
    before_training(photographer)
    click("modeScratch")
    model = find("modelSelector")
    assert isinstance(model, QComboBox)
    model.setCurrentText("mynet")
    find("epochs").setProperty("value", epochs)
    until(start.isEnabled)
    click("startButton")
    until(stop.isEnabled)
    plot = photographer.window._panels.run.plot
    until(lambda: plot._epochs.length >= epochs * 2 // 3)
    samples = Path(os.environ["FLOWERGUI_MODELS"]) / "sample-flowers"
    pictures = [next(iter(sorted((samples / name).iterdir()))) for name in ("tulip", "rose")]
    find("dropZone").images_dropped.emit([str(picture) for picture in pictures])
    photographer.rest(3000)
    photographer.keep("training")
    click("pauseButton")
    until(lambda: photographer.window.session.run is RunState.PAUSED)
    photographer.keep("paused")
    click("stopButton")
    until(start.isEnabled)
    photographer.keep("stopped")
    click("resumeLastButton")
    until(stop.isEnabled)
    until(start.isEnabled)
    find("dropZone").images_dropped.emit([str(picture) for picture in pictures])
    photographer.rest(3000)
    click("whyButton")
    until(lambda: "…" not in find("reasonCaption").text())
    photographer.keep("finished")
    click("evaluationButton")
    mistakes = find("evaluationWindow")
    assert isinstance(mistakes, EvaluationWindow)
    mistakes.resize(mistakes.size().expandedTo(MISTAKES).boundedTo(photographer.window.size()))
    until(lambda: mistakes.is_finished)
    if not find("evaluatedWhyButton").isVisible():  # nothing was mistaken
        mistakes.findChild(QTableView, "confusions").selectRow(0)
    photographer.rest(3000)  # its photo, and why
    click("evaluatedWhyButton")
    until(lambda: "…" not in find("evaluatedReasonCaption").text())
    photographer.keep("mistakes", mistakes)
    mistakes.close()
    compare(photographer)
    path = find("datasetPath")
    path.setText(str(samples / "nowhere"))
    path.returnPressed.emit()
    photographer.rest(600)
    photographer.keep("refused")
    fail(photographer)


def fail(photographer: Photographer) -> None:
    """A run that can't have its weights, and the layers, opened."""
    find, click, until = photographer.find, photographer.click, photographer.until
    os.environ["FLOWERGUI_WEIGHTS_URL"] = Path(os.environ["FLOWERGUI_MODELS"], "none").as_uri()
    click("modeTransfer")
    model = find("modelSelector")
    assert isinstance(model, QComboBox)
    model.setCurrentText("resnet18")
    until(find("startButton").isEnabled)
    click("foldLayersButton")
    click("startButton")
    until(lambda: photographer.window.session.run is RunState.IDLE)
    photographer.keep("failed")


def before_training(photographer: Photographer) -> None:
    """Which network suits the dataset, how sure its accuracy is, and whether more would help."""
    find, click, until = photographer.find, photographer.click, photographer.until
    click("compareNetworksButton")
    networks = find("networksWindow")
    until(find("networksVerdict").isVisible)
    photographer.keep("networks", networks)
    networks.close()
    click("confidenceButton")
    confidence = find("confidenceWindow")
    confidence.resize(CONFIDENCE)
    until(find("learningCurveVerdict").isVisible)
    classes = find("classGains")
    assert isinstance(classes, QTreeView)
    classes.setCurrentIndex(classes.model().index(0, 0))
    photographer.keep("confidence", confidence)
    confidence.close()


NOTES = "the tutorial's settings", "photos not varied", "as recommended"
"""On the three runs, the newest first."""


def compare(photographer: Photographer) -> None:
    """The same twice more, with other settings, and all three side by side."""
    find, click, until = photographer.find, photographer.click, photographer.until
    epochs = find("epochs").property("value")
    for preset, augmentation in (("presetRecommended", "none"), ("presetTutorial", "none")):
        click("modeScratch")
        click(preset)
        for name, value in (("epochs", epochs), ("image_size", 128)):
            find(name).setProperty("value", value)
        box = find("augmentation")
        assert isinstance(box, QComboBox)
        box.setCurrentIndex(box.findData(augmentation))
        until(find("startButton").isEnabled)
        click("startButton")
        until(find("stopButton").isEnabled)
        until(find("startButton").isEnabled)
    for run, note in zip(library.runs(), NOTES, strict=True):
        library.write_note(run.path, note)
    click("compareRunsButton")
    runs = find("runsWindow")
    assert isinstance(runs, RunsWindow)
    until(lambda: len(runs.runs.runs) == 3)
    runs.resize(RUNS)
    photographer.keep("runs", runs)
    runs.close()


def main() -> None:
    """Reads the options and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--language", choices=list(Language), default=Language.ENGLISH)
    parser.add_argument("--sizes", nargs="+", default=["1280x800"])
    parser.add_argument("--epochs", type=int, default=12)
    wishes = parser.parse_args()
    wishes.folder.mkdir(parents=True, exist_ok=True)  # else nothing is kept, and nothing said
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FLOWERGUI_MODELS"] = scratch
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, scratch)
        app = QApplication([])
        theme.apply(app, wishes.scheme)
        spoken = Language(wishes.language)
        speak(spoken)
        window = MainWindow()
        sizes = [QSize(*map(int, size.split("x"))) for size in wishes.sizes]
        window.resize(sizes[0])
        window.show()
        suffix = f"-{wishes.scheme}" + ("" if spoken is Language.ENGLISH else f"-{spoken}")
        walk(Photographer(window, wishes.folder, suffix, sizes), wishes.epochs)
        window.close()


if __name__ == "__main__":
    main()
