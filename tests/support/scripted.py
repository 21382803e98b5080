"""The window with scripted tasks, and options its tests find and use what is in it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTreeView,
)

from flowergui.config.recipe import Recipe
from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    CrossValidated,
    DownloadProgress,
    EpochDone,
    Estimated,
    Evaluated,
    Explained,
    FinalSaveFailed,
    Finished,
    FrozenChanged,
    LearningCurveEstimated,
    ModelDescribed,
    ModelsListed,
    NetworkCompared,
    NetworkFailed,
    NetworksCompared,
    PhotoEvaluated,
    Predicted,
    Preparing,
    ResumeChecked,
    RolledBack,
    RunListed,
    RunStarted,
    SampleDrawn,
    Saved,
    SaveFailed,
    Scanned,
    ScanProgress,
    Stopped,
    TrainingSizeChanged,
    Warned,
    WeightsSaved,
)
from flowergui.facts import (
    Check,
    CheckKind,
    ClassCount,
    Confusion,
    CurvePoint,
    ModelFacts,
    ParameterFacts,
    Prediction,
    Problem,
    RunFacts,
    Speedup,
    StageFacts,
    Verdict,
    WeightsFacts,
)
from flowergui.requests import LiveRequests, ResumeOptions

NAMES = ("conv1.weight", "layer1.weight", "fc.weight", "fc.bias")
STAGES = (
    StageFacts(("conv1",), NAMES[:1], 2),
    StageFacts(("layer1",), NAMES[1:2], 1),
    StageFacts(("fc",), NAMES[2:], 0),
)

BATCHES = 4

GOOD_FILE = NetworkCompared("resnet18", "", 30, 0.95, 0.8, 0.99, 0.2, 224, 8.0, 44.7)
"""What comparing a file comes to."""


@dataclass
class Script:
    """Stands in for the tasks; a run goes on batch by batch as the gate lets it."""

    run: Path
    seen: list[tuple[str, Any]] = field(default_factory=list)
    live: LiveRequests | None = None
    """What is asked of the run that goes."""
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    holds: threading.Event = field(default_factory=threading.Event)
    """While it is not set, a run scans its photos."""
    explains: threading.Event = field(default_factory=threading.Event)
    """While it is not set, no heatmaps are computed."""
    epochs: int = 2
    started: dict[str, Any] = field(default_factory=dict)
    """What a run says of itself when it begins, other than usual."""
    refuse: str = ""
    error: BaseException | None = None
    images: int = 8
    """How many images each of the two classes has."""
    warning: str = ""
    """What a cross-validation or a learning curve warns of."""
    cross_validates: bool = False
    """Whether a cross-validation says something."""
    cross_validation_error: BaseException | None = None
    runs: list[RunFacts] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    bare: str = ""
    preflighted: Callable[[dict[str, Any], ResumeOptions], ResumeChecked] | None = None
    back: bool = False
    full: bool = False
    answer: Callable[[str], Iterator[Any]] | None = None
    quicker: Speedup | None = None
    planned_epochs: int = 0
    """What an estimate plans; 0 for the recipe's own."""
    unfreezes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Epochs that unfreeze layers, and what is still frozen then."""

    def inspect(self, folder: str) -> Iterator[Any]:
        self.seen.append(("inspect", folder))
        if not Path(folder).is_dir():
            raise FlowerError(f"There is no folder {folder}.", hint="Choose another.")
        yield ScanProgress(1, 2)
        while Path(folder).name == "endless":
            time.sleep(0.005)
            yield ScanProgress(1, 2)
        classes = tuple(ClassCount(name, self.images, 0, ()) for name in ("rose", "tulip"))
        large = Path(folder).name == "large"
        yield Scanned(folder, "flat", classes, (), checked=not large)
        for checked in count(1) if large else ():
            time.sleep(0.005)
            yield ScanProgress(checked, 1_000_000)

    def sample(self, folder: Path) -> Iterator[Any]:
        folder.mkdir(parents=True)
        self.seen.append(("sample", str(folder)))
        yield SampleDrawn(str(folder))

    def list_models(self) -> Iterator[Any]:
        models = ("mynet", "resnet18", "resnet50", "vit_b_16")
        weights = (WeightsFacts("IMAGENET1K_V1", 0.7, 64, 10.0),)
        here = WeightsFacts("IMAGENET1K_V1", 0.75, 64, 17.0, local=True, package="lite0==0.1.0")
        self.seen.append(("list_models", None))
        lite0 = ModelFacts("efficientnet_lite0", "Lite", 1000, 64, (here,))
        saved = {Path(file).stem for file in self.files}
        others = (ModelFacts(name, "Some", 1000, 64, weights, name in saved) for name in models)
        yield ModelsListed((lite0, *others))

    def describe_model(self, model: str, class_count: int, image_size: int = 0) -> Iterator[Any]:
        self.seen.append(("describe", (model, class_count, image_size)))
        if model == self.refuse and image_size:
            raise FlowerError(f"{model} can't take images of {image_size} px.")
        parameters = tuple(ParameterFacts(name, (3, 3), 9) for name in NAMES)
        size = image_size or 64
        yield ModelDescribed(
            model, class_count, size, parameters, (), NAMES[2:], NAMES[1:2], STAGES
        )

    def train(self, recipe: Recipe, live: LiveRequests) -> Iterator[Any]:
        self.seen.append(("train", recipe))
        yield from self._go(recipe, live, 1, resumed=False)

    def resume(
        self, path: str, live: LiveRequests, changes: dict[str, Any], *, options: ResumeOptions
    ) -> Iterator[Any]:
        self.seen.append(("resume", (path, changes)))
        self.seen.append(("options", options))
        yield from self._go(Recipe(mode="scratch", model="resnet18"), live, 2, resumed=True)

    def _go(
        self, recipe: Recipe, live: LiveRequests, first: int, *, resumed: bool
    ) -> Iterator[Any]:
        self.live = live
        yield Preparing("photos", 0, 1)
        self.holds.wait()
        started = RunStarted(
            str(self.run), recipe.model, recipe.mode, ("rose", "tulip"), 12, 4, 64, "cpu",
            "float32", self.epochs, BATCHES, first, 0, (first - 1) * BATCHES, 36, 36, (), resumed,
        )  # fmt: skip
        yield replace(started, **self.started)
        for epoch in range(first, self.epochs + 1):
            if epoch in self.unfreezes:
                yield FrozenChanged((epoch - 1) * BATCHES, self.unfreezes[epoch], 36, 36)
            for batch in range(1, BATCHES + 1):
                self.gate.acquire()
                step = (epoch - 1) * BATCHES + batch - 1
                if self.error is not None:
                    raise self.error
                if live.frozen is not None:
                    yield FrozenChanged(step, live.frozen, 9, 36)
                    self.seen.append(("frozen", live.frozen))
                    live.frozen = None
                if live.unfreeze_schedule is not None:
                    self.seen.append(("unfreeze schedule", live.unfreeze_schedule))
                    live.unfreeze_schedule = None
                if self.back and step == BATCHES + 1:
                    self.back = False
                    yield RolledBack(2, 0, BATCHES, 0.0005, "The loss became nan.")
                    yield BatchDone(2, 1, BATCHES, step, 1.0, 0.5, 0.0005, 4)
                if live.learning_rate is not None:
                    self.seen.append(("rate", live.learning_rate))
                    live.learning_rate = None
                saves, live.save = live.save, False
                if self.full:
                    yield SaveFailed(str(self.run / "last.pth"), "No space left on device")
                elif saves:
                    yield Saved(str(self.run / "last.pth"), epoch, batch - 1)
                if live.stop:
                    yield from self._end(live, epoch, batch - 1)
                    yield Stopped(str(self.run), epoch, batch - 1)
                    return
                if batch == 1 and epoch == 2:
                    yield TrainingSizeChanged(step, 96)
                yield BatchDone(epoch, batch, BATCHES, step + 1, 1.0, 0.5, 0.001, 4)
            yield EpochDone(
                epoch, self.epochs, epoch * BATCHES, 1.0, 0.5, 0.9, 0.75, 0.75, 1, 0.001, 1.0
            )
            if not self.full:
                yield Saved(str(self.run / "best.pth"), epoch, BATCHES)
        yield from self._end(live, self.epochs + 1, 0)
        yield Finished(str(self.run), self.epochs, 0.75, 1, 2.0)

    def _end(self, live: LiveRequests, epoch: int, batch: int) -> Iterator[Any]:
        """The run's last save; where there is no room, as often as the window wishes."""
        reason = "No space left on device"
        while self.full:
            yield SaveFailed(str(self.run / "last.pth"), reason)
            yield SaveFailed(str(self.run / "best.pth"), reason)
            live.save = False
            yield FinalSaveFailed(str(self.run), reason)
            self.seen.append(("again", live.save))
            if not live.save:
                return
        self.seen.append(("saved", epoch))
        yield Saved(str(self.run / "last.pth"), epoch, batch)
        yield Saved(str(self.run / "best.pth"), epoch, batch)

    def check_resume(
        self, path: str, changes: dict[str, Any], *, options: ResumeOptions
    ) -> Iterator[ResumeChecked]:
        self.seen.append(("preflight", (path, changes, options)))
        if self.preflighted is not None:
            yield self.preflighted(changes, options)
        else:
            yield ResumeChecked(
                path,
                (Check("Images", Verdict.SAME, "12, as before", kind=CheckKind.IMAGES),),
                0,
                (),
                (),
                2,
            )

    def history(self, run: str) -> list[Any]:
        return [BatchDone(1, b, BATCHES, b, 2.0, 0.25, 0.001, 4) for b in range(1, BATCHES + 1)]

    def save_weights(self, model: str, weights: str) -> Iterator[Any]:
        self.seen.append(("save_weights", (model, weights)))
        yield DownloadProgress(model, 0, 10_000_000)
        self.gate.acquire()
        yield DownloadProgress(model, 10_000_000, 10_000_000)
        self.files.append(f"/models/{model}.pth")
        yield WeightsSaved(self.files[0])

    def estimate(
        self, recipe: Recipe, train: int, validation: int, classes: int, examples: list[str]
    ) -> Iterator[Any]:
        self.seen.append(("estimate", (recipe, train, validation, classes)))
        if recipe.image_size == 400:
            raise FlowerError("This network can't take images of 400 px.")
        if recipe.image_size == 401:
            raise ZeroDivisionError("a defect of the dry run")
        yield Preparing("Timing a step", 0, 3)
        way = None if recipe.training_size else self.quicker
        seconds, planned = 13.0 * recipe.epochs + 7, self.planned_epochs or recipe.epochs
        yield Estimated(13.0, 20.0, seconds, 100, speedup=way, epochs=planned)

    def predict(
        self, checkpoint: str, images: list[str], *, why: bool, device: str
    ) -> Iterator[Any]:
        if not images:
            self.seen.append(("tried", checkpoint))
            list(self.answer("") if self.answer is not None else ())
            return
        self.seen.append(("explain" if why else "predict", (checkpoint, list(images))))
        self.seen.append(("device", device))
        if self.answer is not None:
            yield from self.answer(images[0])
            return
        for image in images:
            yield Predicted(
                image, (Prediction("rose", 0.9), Prediction("tulip", 0.1)), checkpoint, 1
            )
            if why:
                self.explains.wait()
                yield Explained(image, (((1.0, 0.0), (0.0, 0.0)),) * 2)

    def evaluate(self, checkpoint: str, folder: str, *, device: str) -> Iterator[Any]:
        self.seen.append(("evaluate", (checkpoint, folder)))
        self.seen.append(("device", device))
        if folder == "/nowhere":
            raise FlowerError("There is no folder /nowhere.")
        if folder == "/broken":
            raise RuntimeError("a defect")
        if folder == "/endless":
            try:
                for done in count(1):
                    time.sleep(0.005)
                    yield Preparing("Evaluating images", done, 1_000_000)
            finally:
                self.seen.append(("given up", folder))
        yield PhotoEvaluated("/photos/rose/1.jpg", "rose", "tulip", 0.9, 0.1)
        yield Preparing("Evaluating images", 1, 2)
        yield PhotoEvaluated("/photos/rose/2.jpg", "rose", "rose", 0.8, 0.8)
        yield Evaluated(
            checkpoint, 1, "/photos", 2, 0.5, None, 0.7, (), (Confusion("rose", "tulip", 1),), (),
            (), 0, (),
        )  # fmt: skip

    def compare_networks(
        self, folder: str, weights: Sequence[str] = (), *, local: bool, device: str
    ) -> Iterator[Any]:
        self.seen.append(("compare networks", (folder, tuple(weights), local, device)))
        if self.error is not None:
            raise self.error
        yield Preparing("Looking at your images with mynet", 1, 3)
        self.explains.wait()
        compared = []
        if local:
            compared.append(NetworkCompared("mynet", "V1", 30, 0.7, 0.5, 0.85, 0.9, 96, 1.5, 4.7))
            yield compared[0]
        for file in weights:
            if Path(file).stem == "torn":
                yield NetworkFailed("", file, f"{Path(file).name} can't be read.")
            else:
                compared.append(replace(GOOD_FILE, weights=file))
                yield compared[-1]
        if local:
            compared.append(
                NetworkCompared("resnet50", "V2", 30, 0.9, 0.75, 0.97, 0.3, 224, 20.0, 94.0)
            )
            yield compared[-1]
        yield NetworksCompared.ranked(folder, compared)

    def cross_validate(
        self, folder: str, model: str, weights: str, *, device: str
    ) -> Iterator[Any]:
        self.seen.append(("cross-validate", (folder, model, weights, device)))
        if self.cross_validation_error is not None:
            raise self.cross_validation_error
        if not self.cross_validates:
            return
        if self.warning:
            yield Warned(self.warning)
        yield Preparing("Looking at your images with mynet", 1, 3)
        self.explains.wait()
        yield CrossValidated(folder, "mynet", "V1", 5, 16, 0.875, 0.64, 0.965, 0.3, (), (), (), ())

    def learning_curve(
        self, folder: str, model: str, weights: str, *, device: str
    ) -> Iterator[Any]:
        self.seen.append(("learning curve", (folder, model, weights, device)))
        if self.error is not None:
            raise self.error
        if self.warning:
            yield Warned(self.warning)
        yield Preparing("Looking at your images with mynet", 1, 3)
        self.explains.wait()
        points = tuple(
            CurvePoint(photos, accuracy, accuracy - 0.1, accuracy + 0.08, (accuracy, 0.5))
            for photos, accuracy in ((4, 0.6), (8, 0.7), (16, 0.8), (32, 0.87))
        )
        yield LearningCurveEstimated(
            folder, "mynet", "V1", ("rose", "tulip"), points[:3], points[3], 0.02, 0.1, ()
        )

    def compare(self, runs: Sequence[str] = ()) -> Iterator[Any]:
        self.seen.append(("compare", list(runs)))
        for run in self.runs:
            if not runs or run.path in runs:
                done = EpochDone(1, 2, 4, 1.0, 0.5, 0.9, 0.75, 0.75, 1, 0.001, 1.0)
                epochs = (done,) * run.epochs_done
                yield RunListed(run, epochs, epochs[-1] if epochs else None, 1.0, 1_000, run.path)

    def listed(self) -> tuple[list[RunFacts], list[Problem]]:
        self.seen.append(("runs", None))
        return list(self.runs), list(self.problems)

    def of(self, kind: str) -> list[Any]:
        return [what for name, what in list(self.seen) if name == kind]


def find(window, kind, name):
    widget = window.findChild(kind, name)
    assert widget is not None, name
    return widget


def button(window, name) -> QPushButton:
    return find(window, QPushButton, name)


def open_photos(qtbot, window, folder):
    path = find(window, QLineEdit, "datasetPath")
    path.setText(folder)
    qtbot.keyClick(path, Qt.Key.Key_Return)
    qtbot.waitUntil(button(window, "startButton").isEnabled)


def start(qtbot, window, folder):
    open_photos(qtbot, window, folder)
    button(window, "startButton").click()
    qtbot.waitUntil(lambda: button(window, "stopButton").isEnabled())


def banner(window) -> Banner:
    return find(window, Banner, "banner")


def banner_text(window) -> str:
    return banner(window).text


def plot(window) -> LivePlot:
    found = window.findChild(LivePlot)
    assert found is not None
    return found


def list_runs(qtbot, window) -> None:
    """Has the window list the runs that are on disk now."""
    window.controllers.resume.refresh()
    qtbot.waitUntil(lambda: not window._jobs.is_running("runs"))


def choose_mode(window, mode: str) -> None:
    button(window, f"mode{mode.capitalize()}").click()


def facts(folder, *, epochs_done=1) -> RunFacts:
    recipe = Recipe(mode="scratch", model="resnet18", epochs=3)
    return RunFacts(str(folder), recipe, 2, epochs_done, 0.5, str(folder / "last.pth"), "")


def texts(window) -> str:
    return " | ".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def leaves(window) -> dict[str, Any]:
    tree = find(window, QTreeView, "layerTree")
    model, found = tree.model(), {}

    def walk(parent):
        for row in range(model.rowCount(parent)):
            index = model.index(row, 0, parent)
            if model.rowCount(index) == 0:
                found[index.data()] = index
            walk(index)

    walk(tree.rootIndex())
    return found


def predictions(window) -> list[str]:
    model = find(window, QAbstractItemView, "predictions").model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def drop(widget, paths, *, text=""):
    """Drops files; `text` is what some file managers add."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    if text:
        mime.setText(text)
    where, action = QPointF(5, 5), Qt.DropAction.CopyAction
    options = mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(where.toPoint(), action, *options))
    QApplication.sendEvent(widget, QDropEvent(where, action, *options))


def evaluation(window) -> EvaluationWindow | None:
    return window.findChild(EvaluationWindow, "evaluationWindow")


def unsaved(qtbot, window, script, photos, *, stopped: bool) -> None:
    """Has a run come to its end while the disk is full."""
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


def discard(window) -> None:
    """Discards a run that could not be saved, and says yes to the question."""
    button(window, "stopButton").click()
    find(window, QMessageBox, "discardQuestion").button(QMessageBox.StandardButton.Discard).click()
