"""Cross-validates the open dataset and estimates its learning curve, in a window of its own."""

from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.linear_probe.confidence_window import ConfidenceWindow
from flowergui.desktop.session import Mode, Session, Store, model_facts, open_dataset, weights_files
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress, LearningCurveEstimated, Preparing, ScanProgress
from flowergui.text import tr

ESTIMATE = "estimate the learning curve"


class ConfidenceController(QObject):
    """Answers how sure an accuracy is, and whether more images would help."""

    def __init__(self, store: Store, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._parent = store, jobs, parent
        self._window: ConfidenceWindow | None = None
        self._folder = ""
        store.changed.connect(self._follow)

    @Slot()
    def open(self) -> None:
        """Shows the answers for the open dataset, which are computed unless they are shown."""
        if self._window is None:
            self._window = self._make_window()
            self._estimate()
        bring_to_front(self._window)

    def _make_window(self) -> ConfidenceWindow:
        window = ConfidenceWindow(self._parent)
        window.rerun_requested.connect(self._estimate)
        window.cancel_requested.connect(self._cancel)
        window.finished.connect(self._closed)
        return window

    @Slot()
    def _estimate(self) -> None:
        if self._window is None:
            return
        session = self._store.session
        dataset = open_dataset(session)
        self._jobs.cancel(ESTIMATE)
        self._window.begin()
        self._folder = dataset.folder if dataset else ""
        if dataset is None:
            self._window.show_error(tr("Choose a folder of images first."))
            return
        folder, device = dataset.folder, session.recipe.device
        model, weights = _backbone(session)
        self._jobs.do(
            ESTIMATE,
            lambda: tasks.learning_curve(folder, model, weights, device=device),
            self._show_events,
            self._failed,
        )

    @Slot()
    def _cancel(self) -> None:
        self._jobs.cancel(ESTIMATE)
        if self._window is not None:
            self._window.end()

    @Slot(object)
    def _show_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if self._window is None:
                return
            match event:
                case Preparing() | ScanProgress() | DownloadProgress():
                    self._window.show_progress(event)
                case LearningCurveEstimated():
                    self._window.show_result(event)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        if self._window is not None:
            self._window.show_error(str(error))
        if not isinstance(error, FlowerError):
            self._jobs.report(error)

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        """Another dataset has other answers."""
        dataset = open_dataset(after)
        if self._window is not None and dataset and dataset.folder != self._folder:
            self._estimate()

    @Slot()
    def _closed(self) -> None:
        self._jobs.cancel(ESTIMATE)
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()


def _backbone(session: Session) -> tuple[str, str]:
    """The network and the weights of the transfer that is prepared, if they are on this machine;
    else the default ("", "imagenet"), which needs no download."""
    recipe, facts = session.recipe, model_facts(session)
    if session.mode is Mode.TRANSFER:
        if recipe.weights in weights_files(session):
            return recipe.model, recipe.weights
        versions = facts.weights if facts else ()
        named = [each for each in versions if each.name == recipe.weights] or versions[:1]
        if named and named[0].local:
            return recipe.model, recipe.weights
    return "", "imagenet"
