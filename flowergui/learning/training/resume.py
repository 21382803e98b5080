"""Taking a run up again: everything before its next batch."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from flowergui.config.presets import with_preset
from flowergui.config.recipe import RESUMABLE, SETTING, Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event, Finished, Warned
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import dataset_diff
from flowergui.learning.data.scan import scan
from flowergui.learning.data.split import Split, split_photos
from flowergui.learning.device import hardware
from flowergui.learning.models import weights
from flowergui.learning.models.build import build
from flowergui.learning.models.identify import IdentifiedArchitecture, identify_architecture
from flowergui.learning.randomness import derive_seed
from flowergui.learning.training import loop, new_run
from flowergui.learning.training.run import Run
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.requests import UNCHANGED, LiveRequests, ResumeOptions
from flowergui.store.run_folder import RunFolder
from flowergui.system import tuning
from flowergui.system.tuning import gc_paused


def resume(
    source: Path, live: LiveRequests, changes: dict[str, Any], models: Path, how: ResumeOptions
) -> Iterator[Event]:
    """Goes on with the run in a folder or checkpoint; see `tasks.resume`."""
    tuning.tune_malloc()
    stamps = _stamps(source)
    stored, path = _found(source)
    if not checkpoint.is_resumable(stored):
        yield from _resume_weights(stored, path, live, changes, models)
        return
    if changes.get("model") == stored["recipe"]["model"]:
        changes = {name: value for name, value in changes.items() if name != "model"}
    refuse_changes(changes)
    run = run_of(path)
    if _is_over(stored, changes):
        yield from _over(run, stored, changes)
        return
    with run.locked():
        if _stamps(source) != stamps:  # whoever held it till now has saved once more
            stored, path = _found(source)
        yield from _go_on(stored, path, run, live, changes, how)


def _go_on(
    stored: dict[str, Any],
    path: Path,
    run: RunFolder,
    live: LiveRequests,
    changes: dict[str, Any],
    how: ResumeOptions,
) -> Iterator[Event]:
    """Goes on with a checkpoint of a run, whose folder is held."""
    if _is_over(stored, changes):
        yield from _over(run, stored, changes)
        return
    recipe = _wished(stored, changes)
    taking = dataset_diff.compare_dataset(run, Path(recipe.photos), stored["classes"], how.renamed)
    with gc_paused(lambda: len(known.rows) if known else 0):
        known = yield from new_run.unless_stopped(taking, live)
        if known is None:
            return
        known.raise_if_unusable()
        split = dataset_diff.split_after(known, recipe, how)
    training = _restored(stored, recipe, split, run, changes)
    training.unreadable.update(known.missing)
    new = len(split.train) + len(split.validation) - len(known.rows)
    # A run that was killed, or taken up from an older checkpoint, may have taken photos in since.
    if new or (not how.renamed and training.fingerprint != stored["fingerprint"]):
        training.restart_epoch()
    if how.restart_schedule:
        training.schedule.restart(training.progress.step)
    try:
        run.keep(path, run.resumed)
    except OSError as error:
        raise FlowerError(
            f"{path.name} can't be kept as {run.resumed.name}: {error.strerror or error}.",
            hint="Make room on the disk.",
        ) from error
    run.history.cut_back(training.progress.step, training.progress.epoch)
    run.write_recipe(recipe)
    if new or how.renamed:
        run.write_split(split.classes, split.rows(), split.folder)
    opened = training.started(resumed=True)
    # The files beside the checkpoint must not be ahead of it, should the run be killed.
    saved = training.save() if changes or how != UNCHANGED else ()
    yield opened
    yield from saved
    if path == run.previous:
        yield Warned("last.pth is missing or damaged; this goes on from previous.pth.")
    for note in _notes(known, new, split):
        yield Warned(note)
    yield from loop.fit(training, live)


def _wished(stored: dict[str, Any], changes: dict[str, Any]) -> Recipe:
    """The recipe of a checkpoint with these changes. Raises FlowerError where it can't be."""
    return replace(Recipe.from_dict(stored["recipe"]), **changes).checked()


def _is_over(stored: dict[str, Any], changes: dict[str, Any]) -> bool:
    """Whether all epochs that are wished are done."""
    return bool(stored["progress"]["epoch"] > _wished(stored, changes).epochs)


def _over(run: RunFolder, stored: dict[str, Any], changes: dict[str, Any]) -> Iterator[Event]:
    """What is told of a run that has done all its epochs."""
    recipe, progress = _wished(stored, changes), stored["progress"]
    yield Warned(
        f"This run has done all its {recipe.epochs} epochs. "
        "To go on, ask for more epochs than that."
    )
    yield Finished(
        str(run.path),
        recipe.epochs,
        progress["best_accuracy"],
        progress["best_epoch"],
        progress["seconds"],
    )


def _restored(
    stored: dict[str, Any],
    recipe: Recipe,
    split: Split,
    run: RunFolder,
    changes: Mapping[str, Any],
) -> Run:
    """The training that a checkpoint left off, with the `changes` of `recipe` (its fields) taken
    up. Raises FlowerError."""
    normalisation = stored["normalisation"]
    plan = RuntimeConfig(
        image_size=stored["image_size"],
        mean=tuple(normalisation["mean"]),
        std=tuple(normalisation["std"]),
        device=hardware.device(recipe.device if "device" in changes else stored["device"]),
        dtype=getattr(torch, stored["precision"]),
    )
    if "device" in changes or "precision" in changes:
        plan = replace(plan, dtype=hardware.precision(recipe.precision, plan.device))
    torch.manual_seed(derive_seed(recipe.seed, "network"))  # for the rows of new classes
    net = build(recipe.model, len(split.classes), plan.image_size)
    training = Run(recipe, plan, split, run, net, new_run.batch_count(split, recipe))
    training.load_state_dict(stored)
    if "learning_rate" in changes:
        training.set_learning_rate(recipe.learning_rate)
    if "frozen" in changes:
        training.freeze(recipe.frozen)
    return training


def refuse_changes(changes: Iterable[str]) -> None:
    """Raises FlowerError for a change that a running optimizer, or its validation, can't
    follow."""
    for name in changes:
        if name not in (*RESUMABLE, "photos"):
            label = SETTING[name].label if name in SETTING else name
            raise FlowerError(
                f"{label} can't be changed while a run is resumed.",
                hint="Start a transfer from its last.pth instead.",
            )


def run_of(path: Path) -> RunFolder:
    """The run that a checkpoint lies in. Raises FlowerError where it stands alone."""
    run = RunFolder(path.parent)
    if not run.exists():
        raise FlowerError(
            f"{path.name} stands alone: what belongs to its run is not beside it.",
            hint="Put it back into its run's folder, or start a transfer from it.",
        )
    return run


def _notes(known: dataset_diff.DatasetDiff, new: int, split: Split) -> Iterator[str]:
    for paths, one, more in (
        (known.missing, "is not there any more", "are not there any more"),
        (known.changed, "is another file than it was", "are other files than they were"),
    ):
        if len(paths) == 1:
            yield f"1 photo of this run {one}: {paths[0]}"
        elif paths:
            yield f"{len(paths):,} photos of this run {more}: {paths[0]} ..."
    if new:
        classes = split.classes[len(known.classes) :]
        of = f", of the new {', '.join(classes)} too" if classes else ""
        yield f"{new:,} new photos are taken in{of}; the epoch begins anew."


def _found(source: Path) -> tuple[dict[str, Any], Path]:
    """The newest state in a run folder, or the checkpoint itself, and its path."""
    if not source.is_dir():
        return checkpoint.read(source), source
    return checkpoint.newest(RunFolder(source))


def _stamps(source: Path) -> list[tuple[int, int]]:
    """What tells whether the files that `_found` reads are still the same ones."""
    run = RunFolder(source)
    found = []
    for path in (run.last, run.previous) if source.is_dir() else (source,):
        with suppress(OSError):
            facts = path.stat()
            found.append((facts.st_ino, facts.st_mtime_ns))
    return found


def _resume_weights(
    stored: dict[str, Any], path: Path, live: LiveRequests, changes: dict[str, Any], models: Path
) -> Iterator[Event]:
    """A new run that begins with all of a bare state dict, the head included."""
    if not changes.get("photos"):
        raise FlowerError(
            f"{path.name} holds weights alone, and does not know the photos.",
            hint="Choose the photos that it learned from.",
            option="--photos",
        )
    tensors = weights.remap_legacy_keys(checkpoint.extract_state_dict(stored, path))
    known = _recognised(tensors, path, changes.get("model", ""))
    # Which size it learned at, weights don't say; its own is the likeliest.
    usual = replace(
        with_preset(Recipe(mode="scratch"), "recommended"),
        model=known.model, image_size=known.image_size, first_training_size=0,
    )  # fmt: skip
    ours = (
        weights.from_file(path, known.model) if checkpoint.is_flowergui_checkpoint(stored) else None
    )
    if ours:  # it says more than its weights do
        before = Recipe.from_dict(dict(ours.recipe))
        usual = replace(
            usual,
            image_size=ours.image_size,
            seed=before.seed,
            validation_fraction=before.validation_fraction,
        )
    recipe = replace(usual, **changes).checked()
    if ours and not recipe.image_size:  # "its own"
        recipe = replace(recipe, image_size=ours.image_size)
    found = yield from new_run.unless_stopped(scan(Path(recipe.photos), thorough=False), live)
    if found is None:
        return
    theirs = stored["classes"] if ours else None
    if theirs and tuple(theirs) != found.classes:
        raise FlowerError(
            f"{path.name} knows {', '.join(theirs)}, and {found.folder.name} has "
            f"{', '.join(found.classes)}.",
            hint="Open the photos that it learned from, or start a transfer from it.",
        )
    if known.class_count != len(found.classes):
        raise FlowerError(
            f"{path.name} knows {known.class_count} classes, and {found.folder.name} has "
            f"{len(found.classes)}.",
            hint="Open the photos that it learned from, or start a transfer from it.",
        )
    yield Warned(
        f"{path.name} is a {known.model} for {known.class_count} classes. It holds weights "
        "alone: the optimizer, the schedule and the epochs start afresh, and its classes are "
        "taken to be yours in alphabetical order."
    )
    if ours:
        split = new_run.split_after(found, ours, recipe, path)
    else:
        split = split_photos(found, recipe.validation_fraction, recipe.seed)
    normalisation = (ours.mean, ours.std) if ours else None
    new = new_run.New(split, models, whole=(path.name, tensors), normalisation=normalisation)
    yield from new_run.begin(recipe, live, new)


def _recognised(tensors: dict[str, Tensor], path: Path, wish: str) -> IdentifiedArchitecture:
    """The network that bare weights are of. Raises FlowerError where it is none that can be
    built, and where it is not the one that is wished for ("" for any)."""
    known = identify_architecture(tensors)
    if known is None:
        raise FlowerError(
            f"{path.name} does not fit any network of the catalogue.",
            hint="A transfer from it takes what fits.",
        )
    if wish and wish != known.model:
        raise FlowerError(
            f"{path.name} holds the weights of a {known.model}, not of a {wish}.",
            hint=f"Choose {known.model}.",
        )
    return known
