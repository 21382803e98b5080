"""What the window knows, once: a frozen Session, the Store that replaces it, and pure functions.

Panels show a session, or a part of it, and emit requests; controllers react to `Store.changed`,
start jobs, and update the store. No widget keeps a fact of its own.
"""

from collections import deque
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from flowergui.config.frozen_patterns import frozen_names
from flowergui.config.presets import PRESETS, as_asked, preset_of, with_preset
from flowergui.config.recipe import RESUMABLE, SETTINGS, Recipe
from flowergui.desktop.run_names import (
    ResumableRun,
    checkpoint_label,
    elsewhere,
    resumable_runs,
)
from flowergui.desktop.watched_run import WatchedRun
from flowergui.errors import FlowerError
from flowergui.events import (
    DownloadProgress,
    Estimated,
    ModelDescribed,
    ResumeChecked,
    RunStarted,
    Scanned,
)
from flowergui.facts import Check, CheckKind, ModelFacts, RunFacts, Verdict
from flowergui.requests import UNCHANGED, ResumeOptions
from flowergui.store import paths
from flowergui.text import tr

DEFAULT_CLASSES = 5
"""How many classes a network is described with while no dataset is open."""

LIVE_SETTINGS = frozenset({"learning_rate", "frozen", "unfreeze_schedule"})
"""The Recipe fields that may change while a run is running."""

START_SETTINGS = frozenset({"mode", "model", "weights"})
"""The Recipe fields that say where a run starts from; bare weights decide them by themselves."""

_RECIPE_FIELDS = frozenset(each.name for each in fields(Recipe))

MAX_OFFERED_RUNS = 8
"""Own runs that a transfer may start from, in the list of weights; a dialog finds others."""

DATASET_CHECKS = frozenset({CheckKind.FOLDER, CheckKind.CLASSES, CheckKind.IMAGES})
"""What is checked before a run is resumed and fails where its images are elsewhere now."""


class Mode(StrEnum):
    """Where a run starts from."""

    SCRATCH = "scratch"
    RESUME = "resume"
    TRANSFER = "transfer"


class RunState(StrEnum):
    """The state of the window's one run."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSING = "pausing"
    """It pauses as soon as its checkpoint is written."""
    PAUSED = "paused"
    STOPPING = "stopping"
    """It saves, then ends."""
    UNSAVED = "unsaved"
    """It is at its end and could not be saved: it waits for another try, or to be discarded."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the window knows. Paths are strings, "" where there is none."""

    mode: Mode = Mode.TRANSFER
    recipe: Recipe = field(default_factory=lambda: with_preset(Recipe(), "recommended"))
    """What Start would train, or, with `mode` resume, how `resume_from` would go on."""
    base_preset: str = "recommended"
    """The preset that `recipe` has, or had before it was changed: another mode takes its values."""
    new_run: Recipe | None = None
    """The recipe of the next new run, while `recipe` is that of a run to resume, or of one that is
    watched."""
    models: tuple[ModelFacts, ...] = ()
    """The catalogue of networks; empty until torch is loaded."""
    model_chosen: bool = False
    """Whether the user chose the network: it stays in another mode, which else has its own."""
    weights_file: str = ""
    """A file of weights that the user chose; it stays on offer."""
    saved_weights: tuple[str, ...] = ()
    """The files with weights of the chosen network that were saved for use offline."""
    download: DownloadProgress | None = None
    """How far the weights are that are being saved for use offline, with the name of their network;
    None for none."""

    dataset: Scanned | None = None
    """The folder of images that is open."""
    scanning: bool = False
    """Whether another folder is being scanned, to become `dataset`."""

    network: ModelDescribed | None = None
    """The network of `recipe`, described; None until it is."""
    network_problem: str = ""
    """Why there can be no such network, in a sentence."""

    runs: tuple[RunFacts, ...] = ()
    """The runs on disk, newest first."""
    bare_weights: str = ""
    """A models/last.pth that is in no run folder."""
    bare_weights_newer: bool = False
    """Whether it is newer than the newest run."""
    other_checkpoint: str = ""
    """A checkpoint from elsewhere that the user chose to resume; it stays on offer."""
    checkpoint: str = ""
    """The checkpoint to resume, while `mode` is resume."""
    resume_from: RunFacts | None = None
    """The run of `checkpoint`; None for bare weights, and unless `mode` is resume."""
    finding_run: bool = False
    """Whether the run of `checkpoint` is still being looked for."""
    resume_options: ResumeOptions = UNCHANGED
    resume_check: ResumeChecked | None = None
    """What `resume_from` would meet if it were resumed now; None while that is checked."""
    moved_photos: str = ""
    """The folder that the images of `resume_from` have moved to, where that is known."""

    estimate: Estimated | None = None
    """What a new run of `recipe` would take; None while that is not known."""
    taken_speedup: tuple[tuple[str, int, int], ...] = ()
    """The settings that the suggested speed-up changed: name, its value, and the one before."""

    watched: WatchedRun | None = None
    """The run elsewhere that this window follows; None for none."""
    run: RunState = RunState.IDLE
    run_started: RunStarted | None = None
    """How the run began that is running, or was the last to run; None before any."""
    begun_with: Recipe | None = None
    """The `recipe` with which that run was started, without what was changed since."""
    ended_with: Recipe | None = None
    """The `recipe` when that run had ended, without what was changed since; None while it runs."""
    run_checkpoint: str = ""
    """The checkpoint of that run that predicts: its best one, else its last."""
    chosen_checkpoint: str = ""
    """The checkpoint that the user chose for predictions."""


class Store(QObject):
    """Holds the session, and says when it has become another."""

    changed = Signal(object, object)
    """The session before and after an update. Nested updates are emitted in their order."""

    def __init__(self, session: Session | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session or Session()
        self._pending: deque[tuple[Session, Session]] = deque()
        self._emitting = False

    @property
    def session(self) -> Session:
        """What is known now. A listener of `changed` may find it newer than its `after`."""
        return self._session

    def update(self, **changes: Any) -> None:
        """Replaces these fields of the session; emits `changed` once, if any value differs.

        A listener may call it too: all listeners then hear of the outer update first.
        """
        before, after = self._session, replace(self._session, **changes)
        if after == before:
            return
        self._session = after
        self._pending.append((before, after))
        if self._emitting:
            return
        self._emitting = True
        try:
            while self._pending:
                self.changed.emit(*self._pending.popleft())
        finally:
            self._emitting = False

    def update_recipe(self, **values: Any) -> None:
        """Replaces these fields of the recipe."""
        recipe = replace(self._session.recipe, **values)
        base = preset_of(recipe) or self._session.base_preset
        self.update(recipe=recipe, base_preset=base)


# --- what may be done -------------------------------------------------------------------------


def is_idle(session: Session) -> bool:
    """Whether no run is running here, and none elsewhere is watched."""
    return session.run is RunState.IDLE and session.watched is None


def why_not_start(session: Session) -> str:
    """Why Start can't be pressed, in a sentence; "" if it can. A running run is no reason."""
    if session.mode is Mode.RESUME:
        return why_not_resume(session)
    if session.scanning:
        return tr("The images are being scanned…")
    if session.dataset is None:
        return tr("Choose a folder of images first.")
    return next(iter(session.recipe.problems().values()), "") or network_problem(session)


def may_run_elsewhere(session: Session) -> bool:
    """Whether the settings of a new run can be written as a job for a cluster."""
    new = session.mode is not Mode.RESUME and session.watched is None
    return new and not why_not_start(session)


def why_not_resume(session: Session) -> str:
    """Why the chosen checkpoint can't be resumed, in a sentence; "" where it can."""
    if not session.checkpoint:
        return tr("There is no run to resume yet.")
    if session.finding_run:
        return tr("The checkpoint is being read…")
    if session.resume_from is None and open_dataset(session) is None:
        return tr("This file has only weights. Choose the dataset it was trained on.")
    problem = next(iter(session.recipe.problems().values()), "")
    return problem or resume_blocked(session)


def resume_blocked(session: Session) -> str:
    """What the check of the run to resume found that keeps it from going on; "" for nothing."""
    checks = session.resume_check.checks if session.resume_check else ()
    return next((check_text(each) for each in checks if _blocks(each)), "")


def _blocks(check: Check) -> bool:
    return check.verdict is Verdict.BLOCKING


def check_text(check: Check) -> str:
    """Images: 12 new, left out. New images can be included."""
    values = {"subject": check.subject, "detail": check.detail, "remedy": check.remedy}
    if check.remedy:
        return tr("{subject}: {detail}. {remedy}", **values)
    return tr("{subject}: {detail}.", **values)


def network_problem(session: Session) -> str:
    """Why no run can start with this network, in a sentence; "" where one can."""
    if session.network_problem:
        return session.network_problem
    if session.network is None:
        return tr("The network is being described…")
    return frozen_problem(session)


def frozen_problem(session: Session) -> str:
    """Why these frozen layers can't be, in a sentence; "" where they can."""
    network = session.network
    if network and network.parameters and len(frozen(session)) == len(network.parameters):
        return tr("Everything is frozen, so nothing can be trained. Untick at least the head.")
    return ""


def editable(session: Session) -> frozenset[str]:
    """The Recipe fields that the user may edit now."""
    if session.watched is not None:
        return frozenset()
    if not is_idle(session):
        return LIVE_SETTINGS
    if session.mode is Mode.RESUME and session.resume_from is not None:
        return frozenset(RESUMABLE)
    return _RECIPE_FIELDS


def all_editable(session: Session) -> bool:
    """Whether all of the recipe may be edited: a preset may be chosen."""
    return editable(session) >= _RECIPE_FIELDS


def can_estimate(session: Session) -> bool:
    """Whether it can be asked how long a new run would take."""
    new = session.mode is not Mode.RESUME and bool(session.models)
    return is_idle(session) and new and not why_not_start(session)


# --- what follows from it ---------------------------------------------------------------------


def open_dataset(session: Session) -> Scanned | None:
    """The dataset that a run would train on; None also while another is being scanned."""
    return None if session.scanning else session.dataset


def is_sample(dataset: Scanned) -> bool:
    """Whether these are the sample flowers."""
    return Path(dataset.folder) == paths.sample_folder()


def model_facts(session: Session) -> ModelFacts | None:
    """What the catalogue knows of the chosen network; None until it is there."""
    return next((each for each in session.models if each.name == session.recipe.model), None)


def weights_files(session: Session) -> tuple[str, ...]:
    """The files that a transfer may start from: those that were saved for use offline, and the
    one that the user chose."""
    chosen = (session.weights_file,) if session.weights_file else ()
    return tuple(dict.fromkeys((*session.saved_weights, *chosen)))


def offered_weights(session: Session) -> tuple[tuple[str, str], ...]:
    """The files that are offered to a transfer, each with its name: `weights_files`, and the own
    runs of the chosen network, newest first."""
    runs = [
        run.best or run.last
        for run in session.runs
        if run.recipe.model == session.recipe.model and (run.best or run.last)
    ]
    files = dict.fromkeys((*weights_files(session), *runs[:MAX_OFFERED_RUNS]))
    own = {Path(run.path) for run in session.runs}
    return tuple(
        (
            path,
            tr("My run: {name}", name=checkpoint_label(path, session.runs))
            if Path(path).parent in own
            else Path(path).name,
        )
        for path in files
    )


def resumable(session: Session) -> tuple[ResumableRun, ...]:
    """The checkpoints that can be resumed: of runs, newest first, and the bare weights."""
    return resumable_runs(session.runs, session.bare_weights, bare_first=session.bare_weights_newer)


def offered_runs(session: Session) -> tuple[ResumableRun, ...]:
    """`resumable`, after the checkpoint from elsewhere that the user chose."""
    offered = resumable(session)
    other = session.other_checkpoint
    if not other or other in [each.checkpoint for each in offered]:
        return offered
    return (elsewhere(other), *offered)


def class_count(session: Session) -> int:
    """How many classes the network is described with."""
    if session.resume_from is not None:
        return session.resume_from.class_count
    if session.watched is not None and session.watched.event is not None:
        return session.watched.event.run.class_count or DEFAULT_CLASSES
    return len(session.dataset.classes) if session.dataset else DEFAULT_CLASSES


def frozen(session: Session) -> tuple[str, ...]:
    """The names of the frozen parameters, in the network's order; () while it isn't described.

    Names of another network's layers mean nothing here: what the preset freezes is frozen then.
    """
    network = session.network
    if network is None:
        return ()
    names = tuple(each.name for each in network.parameters)
    try:
        return frozen_names(session.recipe.frozen, names, network.head, network.last_stage)
    except FlowerError:
        usual: Any = PRESETS["recommended"][session.recipe.mode]["frozen"]
        return frozen_names(usual, names, network.head, network.last_stage)


def epochs_until_unfrozen(session: Session) -> int:
    """How many epochs the frozen layers stay frozen before all are fine-tuned; 0 if they stay so
    for the whole run."""
    recipe = session.recipe
    unfreezes = recipe.minutes or recipe.epochs > recipe.freeze_epochs
    waits = unfreezes and recipe.unfreeze_epoch > epochs_done(session) + 1
    return recipe.freeze_epochs if waits else 0


def epochs_done(session: Session) -> int:
    """How many epochs the run that goes has done; 0 if none goes."""
    if session.run_started is None or is_idle(session):
        return 0
    run = listed_run(session, session.run_started.run)
    return run.epochs_done if run else 0


def preset(session: Session) -> str:
    """The preset whose values the recipe has, frozen layers included; "" for none. What a run has
    unfrozen by itself, as the preset says, is no change."""
    name, network = preset_of(session.recipe), session.network
    if not name or network is None:
        return name
    if session.recipe.freeze_epochs and not frozen(session) and not is_idle(session):
        return name
    names = tuple(each.name for each in network.parameters)
    usual: Any = PRESETS[name][session.recipe.mode]["frozen"]
    try:
        same = frozen(session) == frozen_names(usual, names, network.head, network.last_stage)
    except FlowerError:
        return name
    return name if same else ""


def resume_changes(session: Session) -> dict[str, Any]:
    """The Recipe fields that the user changed of the run to resume; for bare weights, all that a
    new run needs."""
    recipe, run = session.recipe, session.resume_from
    if run is None:
        names = [each.name for each in SETTINGS if each.name not in START_SETTINGS]
        dataset = open_dataset(session)
        values = {name: getattr(recipe, name) for name in names}
        return {**values, "photos": dataset.folder if dataset else ""}
    changes = {
        name: getattr(recipe, name)
        for name in RESUMABLE
        if getattr(recipe, name) != getattr(run.recipe, name)
    }
    if frozen(session) == frozen(replace(session, recipe=run.recipe)) and session.network:
        changes.pop("frozen", None)  # the same layers in other words
    if session.moved_photos:
        changes["photos"] = session.moved_photos
    return changes


def is_extended(session: Session) -> bool:
    """Whether the run to resume is given more epochs than it was planned with."""
    run = session.resume_from
    return run is not None and (run.finished or session.recipe.epochs > run.recipe.epochs)


def listed_run(session: Session, folder: str) -> RunFacts | None:
    """The run in this folder, as the list of runs has it."""
    return next((run for run in session.runs if run.path == folder), None)


def continuable(session: Session) -> str:
    """The checkpoint with which the run that was stopped last in this window goes on; "" where
    there is none, it is finished, or the user has changed what the next run takes."""
    started, ended_with = session.run_started, session.ended_with
    if not is_idle(session) or started is None or ended_with is None:
        return ""
    if as_asked(session.recipe) != as_asked(ended_with):
        return ""
    run = listed_run(session, started.run)
    return run.last if run is not None and not run.finished else ""


def unfinished_run(session: Session) -> RunFacts | None:
    """The newest run that can be resumed, where it has epochs left to do."""
    run = next((run for run in session.runs if run.last), None)
    return run if run and not run.finished else None


def predicting_checkpoint(session: Session) -> str:
    """The checkpoint that predicts: the one that the user chose; else that of the run that goes
    or has just gone; else that of the run to resume; else that of the most accurate run on the
    images that are open, or on those of the newest run; "" for none."""
    if session.chosen_checkpoint or session.run_checkpoint:
        return session.chosen_checkpoint or session.run_checkpoint
    if session.resume_from and (found := session.resume_from.best or session.resume_from.last):
        return found
    runs = [run for run in session.runs if run.best or run.last]
    opened = session.dataset.folder if session.dataset else ""
    on_opened = [run for run in runs if run.recipe.photos == opened]
    same = on_opened or [run for run in runs if run.recipe.photos == runs[0].recipe.photos]
    best = max(same, key=lambda run: run.best_accuracy, default=None)
    return (best.best or best.last) if best else ""


def inference_device(session: Session) -> str:
    """The device that predicts and evaluates, if the user chose one; "" leaves it to the
    checkpoint's recipe."""
    return "" if session.recipe.device == "auto" else session.recipe.device


def moved_photos(session: Session) -> str:
    """The folder in which the images of the run to resume may be now, as they are not where they
    were; "" where nothing says so."""
    checks = session.resume_check.checks if session.resume_check else ()
    missing = any(_blocks(each) and each.kind in DATASET_CHECKS for each in checks)
    dataset = open_dataset(session)
    if not missing or dataset is None or dataset.folder == session.recipe.photos:
        return session.moved_photos
    return dataset.folder
