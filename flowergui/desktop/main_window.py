"""The window: it owns the panels, and it alone wires them to each other and to the tasks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Qt, QTimer, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow, QMessageBox

from flowergui import places, tasks
from flowergui.desktop import run_control, worker
from flowergui.desktop.drop_zone import local_paths, sorted_paths
from flowergui.desktop.network_dialog import NetworkDialog
from flowergui.desktop.panels import Panels
from flowergui.desktop.problem_report import report
from flowergui.desktop.run_control import Recalled, RunControl
from flowergui.desktop.worker import Worker
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    Catalogued,
    Described,
    EpochDone,
    Finished,
    FrozenChanged,
    Guessed,
    GuessFailed,
    LearningRateChanged,
    Noted,
    Opened,
    RunFacts,
    SampleDrawn,
    SampleProgress,
    Saved,
    SaveFailed,
    Scanned,
    ScanProgress,
    Stopped,
)
from flowergui.live import Live
from flowergui.presets import PRESETS
from flowergui.recipe import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE, RESUMABLE, SETTINGS, Recipe

SUPPOSED_CLASSES = 5
"""How many classes a network is shown with while no photos are open."""

RECENT = 8
PATIENCE = 150
"""Milliseconds without a change before the network is described anew."""

LAST_WAIT = 10_000
"""Milliseconds that closing waits for a scan or prediction to give in."""


class MainWindow(QMainWindow):
    """From a folder of photos to a prediction. Takes no arguments; show it and use it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("flowergui")
        self.setAcceptDrops(True)
        self._settings = QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
        )
        self._scanned: Scanned | None = None
        self._described: Described | None = None
        self._refusal: FlowerError | None = None
        self._runs: list[RunFacts] = []
        self._resuming = False
        self._fresh = Recipe()  # what the form held before a run to resume was looked at
        self._resumed: RunFacts | None = None
        self._checkpoint = ""  # one that the user named to predict with
        self._running_checkpoint = ""
        self._asked: list[str] = []
        self._waiting: list[str] = []  # pictures that wait for the run's first checkpoint
        self._wants_network = False
        self._closing = False
        self._jobs: dict[str, Worker] = {}
        self._control = RunControl(self)
        self._panels = panels = Panels()
        self._banner, self._photos, self._modes = panels.banner, panels.photos, panels.modes
        self._form, self._run = panels.form, panels.run
        self._predictions, self._layers = panels.predictions, panels.layers
        self.setCentralWidget(panels)
        self._describe_soon = QTimer(self)
        self._describe_soon.setSingleShot(True)
        self._describe_soon.setInterval(PATIENCE)
        self._describe_soon.timeout.connect(self._describe)
        self._wire()
        self._restore()

    def _wire(self) -> None:
        self._photos.folder_chosen.connect(self.open_folder)
        self._photos.sample_wanted.connect(self._draw_sample)
        self._photos.cancel_wanted.connect(self._cancel_scan)
        self._modes.mode_changed.connect(self._mode_changed)
        self._modes.model_changed.connect(self._model_changed)
        self._modes.weights_changed.connect(self._weights_changed)
        self._modes.checkpoint_changed.connect(self._checkpoint_chosen)
        self._form.recipe_changed.connect(self._recipe_changed)
        self._form.preset_chosen.connect(self._preset_chosen)
        self._form.learning_rate_changed.connect(self._learning_rate_changed)
        self._layers.frozen_changed.connect(self._frozen_changed)
        self._layers.network_wanted.connect(self._show_network)
        self._predictions.images_dropped.connect(self._predict)
        self._predictions.checkpoint_dropped.connect(self._answer_with)
        self._predictions.folder_dropped.connect(self.open_folder)
        self._run.start_wanted.connect(self._start)
        self._run.resume_last_wanted.connect(self._resume_last)
        self._run.pause_wanted.connect(self._control.pause)
        self._run.continue_wanted.connect(self._control.go_on)
        self._run.stop_wanted.connect(self._control.stop)
        self._control.changed.connect(self._state_changed)
        self._control.produced.connect(self._run.header.feed)
        self._control.produced.connect(self._run_told)
        self._control.failed.connect(self._run_failed)
        QShortcut(QKeySequence("Ctrl+Return"), self).activated.connect(self._start_by_key)

    def _restore(self) -> None:
        self.resize(1360, 860)
        if geometry := self._settings.value("geometry"):
            self.restoreGeometry(geometry)
        self._photos.set_recent(self._recent())
        self._form.set_start(model=self._modes.model, weights=self._modes.weights)
        self._list_runs()
        self._answer_with("")
        self._allow()
        # torch takes seconds to load: first there is a window to look at.
        QTimer.singleShot(0, self, self._warm_up)

    # --- jobs -----------------------------------------------------------------------------

    def _do(self, name: str, job: Callable[[], Iterator[Any]], told: Callable[[Any], None]) -> None:
        """Runs a job; one of the same name that still runs is cancelled. `told` is a slot that
        takes chunks of events."""
        if name in self._jobs:
            self._jobs[name].cancel()
        doing = Worker(job)
        doing.setObjectName(name)
        doing.produced.connect(told)
        doing.failed.connect(self._job_failed)
        doing.ended.connect(self._job_ended)
        self._jobs[name] = doing
        doing.start()

    @Slot()
    def _job_ended(self) -> None:
        name = self.sender().objectName()
        if self._jobs.get(name) is self.sender():
            del self._jobs[name]
        self._allow()

    @Slot(object)
    def _job_failed(self, error: BaseException) -> None:
        name = self.sender().objectName()
        if name == "describe" and isinstance(error, FlowerError):
            self._refused(error)
            return
        if name in ("scan", "sample"):
            self._photos.show_failed()
        elif name == "predict":
            for path in self._asked:
                self._predictions.show_failed(GuessFailed(path, str(error)))
        report(error, self._banner, self)

    @Slot()
    def _warm_up(self) -> None:
        self._do("catalogue", tasks.catalogue, self._catalogue_told)

    @Slot(object)
    def _catalogue_told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Catalogued):
                self._modes.show_catalogue(event)
        self._describe_soon.start()

    # --- photos ---------------------------------------------------------------------------

    @Slot(str)
    def open_folder(self, folder: str) -> None:
        """Looks at a folder of photos and shows its classes."""
        if self._control.state != run_control.IDLE:
            self._banner.show_warning("Stop the run first, then open other photos.")
            return
        self._banner.clear()
        self._photos.show_folder(folder)
        self._scanned = None
        self._do("scan", lambda: tasks.inspect(folder), self._scan_told)
        self._allow()

    @Slot()
    def _draw_sample(self) -> None:
        self._banner.clear()
        folder = places.sample_folder()
        self._do("sample", lambda: tasks.sample(folder), self._scan_told)
        self._allow()

    @Slot()
    def _cancel_scan(self) -> None:
        for name in ("scan", "sample"):
            if name in self._jobs:
                self._jobs[name].cancel()
        self._photos.show_cancelled()

    @Slot(object)
    def _scan_told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case ScanProgress() | SampleProgress():
                    self._photos.show_progress(event)
                case SampleDrawn():
                    if self._modes.mode == "scratch":
                        self._modes.model = "mynet"  # curves within a minute, on any laptop
                    self.open_folder(event.folder)
                case Scanned():
                    self._opened_photos(event)

    def _opened_photos(self, scanned: Scanned) -> None:
        self._scanned = scanned
        self._photos.show_scanned(scanned)
        if not self._resuming:
            self._form.set_start(photos=scanned.folder)
        recent = [scanned.folder, *(f for f in self._recent() if f != scanned.folder)][:RECENT]
        self._settings.setValue("recent", recent)
        self._photos.set_recent(recent)
        self._describe_soon.start()

    def _recent(self) -> list[str]:
        stored = self._settings.value("recent") or []
        return [stored] if isinstance(stored, str) else [str(folder) for folder in stored]

    # --- where a run starts from ----------------------------------------------------------

    @Slot(str)
    def _mode_changed(self, mode: str) -> None:
        resuming = mode == "resume"
        if resuming and not self._resuming:
            self._fresh = self._form.recipe()
        elif self._resuming and not resuming:
            self._form.set_recipe(self._fresh)
            self._form.set_editable(None)
        self._resuming = resuming
        if resuming:
            self._checkpoint_chosen(self._modes.checkpoint)
        else:
            self._resumed = None
            photos = self._scanned.folder if self._scanned else ""
            self._form.set_start(
                mode=mode, model=self._modes.model, weights=self._modes.weights, photos=photos
            )
            self._show_frozen()
        self._describe_soon.start()
        self._allow()

    @Slot(str)
    def _model_changed(self, model: str) -> None:
        recipe = self._form.recipe()
        # Names of another network's layers mean nothing in this one.
        words = {ALL_BUT_HEAD, ALL_BUT_LAST_STAGE}
        kept = recipe.frozen if words.issuperset(recipe.frozen) else self._usual_frozen(recipe)
        self._form.set_start(model=model, weights=self._modes.weights, frozen=kept)
        self._described = None
        self._describe_soon.start()
        self._allow()

    @Slot(str)
    def _weights_changed(self, weights: str) -> None:
        self._form.set_start(weights=weights)

    @Slot(str)
    def _checkpoint_chosen(self, path: str) -> None:
        if not self._resuming:
            return
        self._resumed = tasks.run_of(path) if path else None
        if self._resumed is not None:
            self._form.set_recipe(self._resumed.recipe)
            self._form.set_editable(frozenset(RESUMABLE))
            self._show_frozen()
        self._describe_soon.start()
        self._allow()

    @Slot()
    def _recipe_changed(self) -> None:
        recipe = self._form.recipe()
        self._photos.set_validation_fraction(recipe.validation_fraction)
        if self._described is None or self._wish() != self._shown():
            self._describe_soon.start()
        self._allow()

    @Slot(str)
    def _preset_chosen(self, preset: str) -> None:
        self._show_frozen()

    # --- the network ----------------------------------------------------------------------

    def _wish(self) -> tuple[str, int, int]:
        """The network that the recipe wants: model, classes, image size."""
        recipe = self._form.recipe()
        count = SUPPOSED_CLASSES
        if self._resumed is not None:
            count = self._resumed.class_count
        elif self._scanned is not None:
            count = len(self._scanned.classes)
        return recipe.model, count, recipe.image_size

    def _shown(self) -> tuple[str, int, int]:
        shown = self._described
        if shown is None:
            return "", 0, 0
        size = shown.image_size if self._form.recipe().image_size else 0
        return shown.model, shown.class_count, size

    @Slot()
    def _describe(self) -> None:
        model, count, size = self._wish()
        self._described, self._refusal = None, None
        self._do("describe", lambda: tasks.describe(model, count, size), self._network_told)
        self._allow()

    @Slot(object)
    def _network_told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Described):
                self._described = event
                self._show_frozen(event)
                if self._wants_network:
                    self._show_network()
        self._allow()

    def _show_frozen(self, described: Described | None = None) -> None:
        """Ticks the layers that the recipe freezes."""
        recipe = self._form.recipe()
        try:
            if described is not None:
                self._layers.show_network(described, recipe.frozen)
            elif self._layers.described() is not None:
                self._layers.set_frozen(recipe.frozen)
        except FlowerError:  # names of another network
            self._layers.set_frozen(self._usual_frozen(recipe))

    def _usual_frozen(self, recipe: Recipe) -> tuple[str, ...]:
        frozen = PRESETS["recommended"][recipe.mode]["frozen"]
        assert isinstance(frozen, tuple)
        return frozen

    def _refused(self, error: FlowerError) -> None:
        """The architecture can't take the image size."""
        self._refusal = error
        if self._form.recipe().image_size:
            self._banner.offer(str(error), "Use its own size", self._use_own_size, "warning")
        else:
            self._banner.show_error(error)
        self._allow()

    def _use_own_size(self) -> None:
        self._form.set_recipe(replace(self._form.recipe(), image_size=0))

    @Slot()
    def _show_network(self) -> None:
        self._wants_network = self._described is None
        if self._described is not None:
            dialog = NetworkDialog(self._described, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    @Slot(object)
    def _frozen_changed(self, names: tuple[str, ...]) -> None:
        if self._control.state == run_control.IDLE:
            self._form.set_start(frozen=names)
        elif not self._layers.problem():
            self._control.live.frozen = names
        self._allow()

    @Slot(float)
    def _learning_rate_changed(self, rate: float) -> None:
        self._control.live.learning_rate = rate

    # --- a run ----------------------------------------------------------------------------

    def _why_not(self) -> str:
        """Why Start can't be pressed, in a sentence; empty where it can."""
        if self._resuming:
            return "" if self._modes.checkpoint else "There is no run to resume yet."
        if self._scanned is None:
            return "Choose a folder of photos first."
        if problems := self._form.problems():
            return next(iter(problems.values()))
        if self._refusal is not None:
            return str(self._refusal)
        if self._described is None:
            return "The network is being looked at…"
        return self._layers.problem()

    def _allow(self) -> None:
        resumable = any(run.last for run in self._runs)
        self._run.allow(
            start=self._why_not(), resume="" if resumable else "There is no run to resume yet."
        )

    @Slot()
    def _start_by_key(self) -> None:
        if self._control.state == run_control.IDLE and not self._why_not():
            self._start()

    @Slot()
    def _start(self) -> None:
        recipe = self._form.recipe()
        if self._resuming:
            self._resume(self._modes.checkpoint, self._changes(recipe))
        else:
            self._begin(lambda live: tasks.train(recipe, live))

    @Slot()
    def _resume_last(self) -> None:
        last = next(run.last for run in self._runs if run.last)
        if self._resuming and self._modes.checkpoint == last:
            self._start()
            return
        self._modes.mode = "resume"
        self._modes.checkpoint = last
        self._resume(last, {})

    def _changes(self, recipe: Recipe) -> dict[str, Any]:
        """What the user changed of the run that is resumed; for bare weights, all there is."""
        if self._resumed is None:
            names = [s.name for s in SETTINGS if s.name not in ("mode", "weights")]
            photos = self._scanned.folder if self._scanned else ""
            return {"photos": photos, **{name: getattr(recipe, name) for name in names}}
        before = self._resumed.recipe
        changed = (n for n in RESUMABLE if getattr(recipe, n) != getattr(before, n))
        return {name: getattr(recipe, name) for name in changed}

    def _resume(self, path: str, changes: dict[str, Any]) -> None:
        self._begin(lambda live: tasks.resume(path, live, changes))

    def _begin(self, job: Callable[[Live], Iterator[Any]]) -> None:
        self._banner.clear()
        self._run.plot.clear()
        self._running_checkpoint = ""
        self._control.begin(job)

    @Slot(str)
    def _state_changed(self, state: str) -> None:
        idle = state == run_control.IDLE
        self._run.show_state(state)
        self._photos.set_running(not idle)
        self._modes.set_running(not idle)
        self._form.set_running(not idle)
        if idle:
            if self._resuming:
                self._form.set_editable(frozenset(RESUMABLE))
            self._list_runs()
            if self._waiting:
                self._predictions.show_no_model()
                self._waiting = []
        self._allow()
        if idle and self._closing:
            self.close()

    @Slot(object)
    def _run_told(self, events: tuple[Any, ...]) -> None:
        batches: list[BatchDone] = []
        for event in events:
            if isinstance(event, BatchDone):
                batches.append(event)
                continue
            self._run.plot.append(batches)
            batches = []
            self._take(event)
        self._run.plot.append(batches)

    def _take(self, event: Any) -> None:
        match event:
            case Opened():
                self._layers.set_frozen(event.frozen)
            case Recalled():
                self._run.plot.load(event.batches, event.epochs)
                if event.epochs:
                    self._run.header.remember(event.epochs[-1])
            case EpochDone():
                self._run.plot.epoch_done(event)
            case FrozenChanged():
                self._run.plot.mark(event.step, "layers")
            case LearningRateChanged():
                self._run.plot.mark(event.step, f"rate {event.learning_rate:g}")
            case Saved():
                self._saved(event.path)
            case SaveFailed():
                self._banner.show_warning(
                    f"{Path(event.path).name} could not be saved: {event.reason}. "
                    "Training goes on; make room or check the folder."
                )
            case Noted():
                self._banner.show_note(event.message)
            case Stopped():
                where = f"epoch {event.epoch}, batch {event.batch}"
                self._banner.show_success(
                    f"Stopped and saved at {where}. “Resume from last.pth” goes on from there."
                )
            case Finished():
                best = f"{event.best_accuracy:.1%} (epoch {event.best_epoch})"
                self._banner.show_success(
                    f"Done: best validation accuracy {best}. Drop a photo to see what it is."
                )

    @Slot(object)
    def _run_failed(self, error: BaseException) -> None:
        self._run.header.failed()
        report(error, self._banner, self)

    def _list_runs(self) -> None:
        self._runs = tasks.runs()
        self._modes.set_runs(self._runs)
        self._predictions.set_checkpoint(self._answering())

    # --- prediction -----------------------------------------------------------------------

    def _answering(self) -> str:
        """The checkpoint that answers: the one that was named, that of the run that goes, that
        of the chosen run, or the newest there is."""
        if self._checkpoint:
            return self._checkpoint
        if self._running_checkpoint or self._control.state != run_control.IDLE:
            return self._running_checkpoint
        if self._resumed is not None and (self._resumed.best or self._resumed.last):
            return self._resumed.best or self._resumed.last
        return next((run.best or run.last for run in self._runs if run.best or run.last), "")

    @Slot(str)
    def _answer_with(self, path: str) -> None:
        self._checkpoint = path
        self._predictions.set_checkpoint(self._answering())

    def _saved(self, path: str) -> None:
        """A checkpoint is there; the best one answers, the last one until there is one."""
        best = Path(path).with_name("best.pth")
        self._running_checkpoint = str(best) if best.exists() else path
        self._predictions.set_checkpoint(self._answering())
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._predict(waiting)

    @Slot(list)
    def _predict(self, paths: list[str]) -> None:
        self._predictions.show_waiting(paths)
        checkpoint = self._answering()
        if checkpoint:
            self._asked = paths
            self._do("predict", lambda: tasks.predict(checkpoint, paths), self._guess_told)
        elif self._control.state == run_control.RUNNING:
            self._waiting = paths
            self._control.live.save = True  # what the run has learned so far will answer
        else:
            self._predictions.show_no_model()

    @Slot(object)
    def _guess_told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Guessed):
                self._predictions.show_guess(event)
            elif isinstance(event, GuessFailed):
                self._predictions.show_failed(event)

    # --- the window itself ----------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        dropped = sorted_paths(local_paths(event.mimeData()))
        event.acceptProposedAction()
        if dropped.folders:
            self.open_folder(dropped.folders[0])
        if dropped.checkpoints:
            self._answer_with(dropped.checkpoints[0])
        if dropped.images:
            self._predict(list(dropped.images))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._control.state != run_control.IDLE:
            event.ignore()
            if not self._closing:
                self._ask_to_close()
            return
        self._settings.setValue("geometry", self.saveGeometry())
        if not worker.end_all(LAST_WAIT):
            event.ignore()
            self._banner.show_warning("A last piece of work is ending; close again in a moment.")
            return
        event.accept()

    def _ask_to_close(self) -> None:
        box = QMessageBox(self)
        box.setObjectName("closeQuestion")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText("A run is going on. Stop it and close?")
        box.setInformativeText("It is saved first, and can be resumed where it stops.")
        box.setStandardButtons(QMessageBox.StandardButton.Close | QMessageBox.StandardButton.Cancel)
        box.button(QMessageBox.StandardButton.Close).setText("Stop, save and close")
        box.button(QMessageBox.StandardButton.Close).clicked.connect(self._stop_and_close)
        box.open()

    @Slot()
    def _stop_and_close(self) -> None:
        self._closing = True
        self._banner.show_note("Saving, then closing…")
        self._control.stop()
        if self._control.state == run_control.IDLE:
            self.close()
