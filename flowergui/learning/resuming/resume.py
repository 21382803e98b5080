"""Resuming a run: everything before its next batch."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import torch

from flowergui.errors import FlowerError
from flowergui.events import Event, Finished, Warned
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data.dataset_diff import DatasetDiff, find_new_copies, split_after
from flowergui.learning.data.split import Split
from flowergui.learning.device import hardware
from flowergui.learning.models import pretrained
from flowergui.learning.models.build import build
from flowergui.learning.randomness import derive_seed
from flowergui.learning.resuming.resumable_state import WeightsOnlyError
from flowergui.learning.resuming.resume_plan import ResumePlan, plan_resume
from flowergui.learning.resuming.resume_weights import train_from_weights
from flowergui.learning.training import loop, new_run
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.progress import Progress
from flowergui.learning.training.run import Run
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.requests import UNCHANGED, LiveRequests, ResumeOptions
from flowergui.store.run_folder import RunFolder
from flowergui.system import tuning
from flowergui.system.tuning import gc_paused
from flowergui.text import enumerated, tr, trn


def resume(
    source: Path,
    live: LiveRequests,
    changes: dict[str, Any],
    models: Path,
    options: ResumeOptions,
) -> Iterator[Event]:
    """Resumes the run in the folder `source`, or from the checkpoint `source`; see
    `tasks.resume`."""
    tuning.tune_malloc()
    folder = RunFolder(source if os.path.isdir(source) else source.parent)
    with ExitStack() as locks:
        if folder.exists():
            locks.enter_context(folder.locked())
        try:
            plan = yield from new_run.unless_stopped(plan_resume(source, changes, options), live)
        except WeightsOnlyError as found:
            locks.close()
            yield from train_from_weights(found.stored, found.path, live, changes, models)
            return
        if plan is not None:
            yield from continue_run(plan, live, locks)


def continue_run(plan: ResumePlan, live: LiveRequests, locks: ExitStack) -> Iterator[Event]:
    """Does what was planned. `locks` holds the plan's run folder; if another one continues the run,
    it holds that one. Raises FlowerError if the plan can't be done."""
    plan.raise_if_refused()
    if not plan.epochs_left or plan.diff is None:
        yield from _all_epochs_done(plan)
        return
    comparing = find_new_copies(plan.diff, plan.options)
    copies = yield from new_run.unless_stopped(comparing, live)
    if copies is None:
        return
    with gc_paused(lambda: len(split.train) + len(split.validation)):
        split = split_after(plan.diff, plan.recipe, plan.options, copies)
    with nullcontext(plan.folder) if plan.in_place else _new_folder(plan) as folder:
        run = _restored(plan, split, folder)
        added = len(split.train) + len(split.validation) - len(plan.diff.rows)
        # A run that was killed, or resumed from an older checkpoint, may have added images since.
        known = plan.stored.get("fingerprint", run.fingerprint)
        if added or (not plan.options.renamed and run.fingerprint != known):
            run.restart_epoch()
        if plan.options.restart_schedule:
            run.schedule.restart(run.progress.step)
        if plan.in_place:
            whole = _keep_in_place(plan, run, rewrite_split=bool(added or plan.options.renamed))
        else:
            whole = _copy_what_came_before(plan, run)
            locks.close()
            locks.enter_context(run.folder.locked())
    started = run.started(resumed=True)
    # The files beside the checkpoint must not be ahead of it, should the process be killed.
    saved = run.save() if plan.changes or plan.options != UNCHANGED else ()
    yield started
    yield from saved
    if not whole:
        history, damaged = run.folder.history.path.name, run.folder.history.damaged.name
        yield Warned(tr("{file} is damaged; it is kept as {name}.", file=history, name=damaged))
    for message in _warnings(plan, run, plan.diff, added):
        yield Warned(message)
    yield from loop.fit(run, live)


def _all_epochs_done(plan: ResumePlan) -> Iterator[Event]:
    progress = plan.progress
    done = progress.epoch - 1
    if done > plan.recipe.epochs:
        message = trn(
            "This run has done {count} epoch already. To continue, ask for more epochs.",
            "This run has done {count} epochs already. To continue, ask for more epochs.",
            done,
        )
    else:
        message = trn(
            "This run has done its {count} epoch. To continue, ask for more epochs.",
            "This run has done all its {count} epochs. To continue, ask for more epochs.",
            done,
        )
    yield Warned(message)
    best = progress.best_accuracy, progress.best_epoch
    yield Finished(
        str(plan.folder.path),
        done,
        *best,
        progress.seconds,
        progress.validated,
    )


# --- the run --------------------------------------------------------------------------------------


def _restored(plan: ResumePlan, split: Split, folder: RunFolder) -> Run:
    """The run as its checkpoint left it, with the plan's recipe. Raises FlowerError."""
    recipe, config = plan.recipe, _config(plan)
    torch.manual_seed(derive_seed(recipe.seed, "network"))  # for the rows of new classes
    net = build(recipe.model, len(split.classes), config.image_size)
    batches = new_run.batch_count(split, recipe)
    model = ModelState(net, recipe, config, len(split.classes))
    run = Run(recipe, split, folder, model, batches)
    run.is_resumed = True
    run.load_state_dict(plan.stored, frozen=recipe.frozen)
    run.set_learning_rate(recipe.learning_rate)
    if recipe.epochs != plan.before.epochs or not recipe.minutes:
        run.schedule.cut = 0
    run.unreadable.update(plan.diff.missing if plan.diff else ())
    return run


def _config(plan: ResumePlan) -> RuntimeConfig:
    """The configuration of the checkpoint, with the changes asked for."""
    stored, recipe, changes = plan.stored, plan.recipe, plan.changes
    normalization = stored.get("normalisation", {})
    device = hardware.device(
        recipe.device if "device" in changes else stored.get("device", recipe.device)
    )
    precision = stored.get("precision")
    if "device" in changes or "precision" in changes or precision is None:
        dtype = hardware.precision(recipe.precision, device)
    else:
        dtype = getattr(torch, precision)
    return RuntimeConfig(
        image_size=stored["image_size"],
        mean=tuple(normalization.get("mean", pretrained.MEAN)),
        std=tuple(normalization.get("std", pretrained.STD)),
        device=device,
        dtype=dtype,
    )


# --- the folder -----------------------------------------------------------------------------------


@contextmanager
def _new_folder(plan: ResumePlan) -> Iterator[RunFolder]:
    """A new run folder beside the plan's. If the block raises it is removed, or an empty run would
    be in the list of runs. Raises FlowerError if it can't be created."""
    folder = RunFolder.create(plan.folder.path.parent, plan.recipe)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise


def _keep_in_place(plan: ResumePlan, run: Run, *, rewrite_split: bool) -> bool:
    """Prepares the run's own folder: the checkpoint is kept as resumed.pth, and the rows of
    history.csv after it are dropped. Returns whether that could be read."""
    folder = run.folder
    _keep(folder, plan.checkpoint, folder.resumed)
    _restore_best(plan, run)
    whole = _cut_back(run)
    folder.write_recipe(run.recipe)
    if rewrite_split:
        folder.write_split(run.split.classes, run.split.rows(), run.split.folder)
    return whole


def _restore_best(plan: ResumePlan, run: Run) -> None:
    """Writes best.pth again, if the checkpoint is the best state: the program may have been ended
    after it had written last.pth. If it is gone, and the best state is another one, a new best one
    is looked for."""
    progress = run.progress
    if progress.best_epoch and progress.batch == 0 and progress.best_epoch == progress.epoch - 1:
        _keep(run.folder, plan.checkpoint, run.folder.best)
    elif not os.path.exists(run.folder.best):
        progress.forget_best()


def _cut_back(run: Run) -> bool:
    """Drops what history.csv and changes.jsonl have after the checkpoint. Returns whether
    history.csv could be read: if not, a new one begins with the epochs in the checkpoint."""
    history, progress = run.folder.history, run.progress
    run.folder.changes.cut_back(progress.step)
    whole = history.cut_back(progress.step, progress.epoch)
    if not whole:
        with suppress(OSError):  # a full disk, which the first save reports
            history.append(run.epochs)
    return whole


def _copy_what_came_before(plan: ResumePlan, run: Run) -> bool:
    """Fills the new run folder: the split, the history up to the checkpoint, the checkpoint as
    last.pth, and best.pth if it was the best then. Returns whether the history could be read."""
    before, folder = plan.folder, run.folder
    folder.write_split(run.split.classes, run.split.rows(), run.split.folder)
    for source, copy in (
        (before.history.path, folder.history.path),
        (before.changes.path, folder.changes.path),
    ):
        if os.path.isfile(source):
            with _keeping(source, copy):
                shutil.copyfile(source, copy)
    whole = _cut_back(run)
    _keep(folder, plan.checkpoint, folder.last)
    if _best_epoch(before, plan) == run.progress.best_epoch:
        _keep(folder, before.best, folder.best)
    else:
        run.progress.forget_best()
    return whole


def _best_epoch(folder: RunFolder, plan: ResumePlan) -> int | None:
    """The epoch that best.pth is of; None if it can't be read."""
    if not os.path.isfile(folder.best):
        return None
    if folder.best.samefile(plan.checkpoint):
        return plan.progress.best_epoch
    try:
        stored = checkpoint.read(folder.best)
    except FlowerError:
        return None
    if not checkpoint.is_resumable(stored):
        return None
    progress = Progress()
    progress.load_state_dict(stored["progress"])
    return progress.best_epoch


def _keep(folder: RunFolder, path: Path, name: Path) -> None:
    with _keeping(path, name):
        folder.keep(path, name)


@contextmanager
def _keeping(path: Path, name: Path) -> Iterator[None]:
    """Raises FlowerError for an OSError of the block, which keeps the file `path` as `name`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(
            tr("{file} can't be kept as {name}: {reason}.", file=path.name, name=name.name,
               reason=reason),
            hint=tr("Make room on the disk."),
        ) from error  # fmt: skip


# --- warnings -------------------------------------------------------------------------------------


def _warnings(plan: ResumePlan, run: Run, diff: DatasetDiff, added: int) -> Iterator[str]:
    if not plan.in_place:
        yield tr(
            "{file} is older than the newest state of {run}, which stays as it is. Training "
            "continues in a new run folder, {folder}.",
            file=plan.checkpoint.name,
            run=plan.folder.path.name,
            folder=run.folder.path.name,
        )
    elif plan.checkpoint == plan.folder.previous:
        yield tr("last.pth is missing or damaged, so the run continues from previous.pth.")
    if diff.missing:
        yield trn(
            "{count} image of this run is missing: {path}",
            "{count} images of this run are missing; the first one is {path}",
            len(diff.missing),
            path=diff.missing[0],
        )
    if diff.changed:
        yield trn(
            "{count} image of this run has changed: {path}",
            "{count} images of this run have changed; the first one is {path}",
            len(diff.changed),
            path=diff.changed[0],
        )
    classes = run.split.classes[len(diff.classes) :]
    if added and classes:
        yield trn(
            "{count} new image was added, of new classes too: {classes}. The epoch starts again.",
            "{count} new images were added, of new classes too: {classes}. The epoch starts again.",
            added,
            classes=enumerated(classes),
        )
    elif added:
        yield trn(
            "{count} new image was added. The epoch starts again.",
            "{count} new images were added. The epoch starts again.",
            added,
        )
