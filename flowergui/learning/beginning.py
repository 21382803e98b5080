"""Beginning a run, and taking one up again: everything before its first batch."""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.events import Event, Finished, Noted
from flowergui.learning import (
    batches,
    checkpoint,
    inventory,
    machine,
    network,
    photos,
    trainer,
    weights,
)
from flowergui.learning.photos import Split
from flowergui.learning.randomness import number
from flowergui.learning.training import Plan, Training, frozen_by
from flowergui.live import Live
from flowergui.presets import with_preset
from flowergui.recipe import RESUMABLE, SETTING, Recipe
from flowergui.resumption import AS_BEFORE, Resumption
from flowergui.run_folder import RunFolder

Result = TypeVar("Result")

LISTED = 8
"""Most tensors that are named of those that did not fit."""

HALVINGS = 3
"""How often a run that finds too little memory at its start is tried with half the batch."""


def train(recipe: Recipe, live: Live, models: Path) -> Iterator[Event]:
    """A new run of `recipe` in a new folder under `models`. Raises FlowerError."""
    machine.keep_pages()
    found = yield from _unless_stopped(photos.scan(Path(recipe.photos)), live)
    if found is None:
        return
    pretrained, kept = None, {}
    if recipe.mode == "transfer":
        loading = weights.load(recipe.model, recipe.weights)
        pretrained = yield from _unless_stopped(loading, live)
        if pretrained is None:
            return
        kept = _split_of(pretrained, recipe)
    split = photos.split(found, recipe.validation_fraction, recipe.seed, kept)
    yield from _begin(recipe, live, _New(split, models, pretrained=pretrained))


def _split_of(pretrained: weights.Pretrained, recipe: Recipe) -> dict[str, str]:
    """Which photos trained and validated (path -> train or validation) the run that the weights
    come from, where that run was on these photos: they stay there. What it has learned by heart
    can't measure its accuracy. Raises FlowerError where the recipe would split them anew."""
    theirs = pretrained.recipe
    if not theirs or not _same_folder(str(theirs.get("photos", "")), recipe.photos):
        return {}
    before = theirs.get("seed"), theirs.get("validation_fraction")
    if before != (recipe.seed, recipe.validation_fraction):
        raise FlowerError(
            f"{pretrained.name} has learned from these photos, also from some that would now be "
            "held back: the validation accuracy would be a lie.",
            hint=f"Split them as that run did (seed {before[0]}, validation fraction "
            f"{before[1]:g}), or choose other photos or weights.",
        )
    run = RunFolder(Path(recipe.weights).parent)
    return {path: part for path, _, part in run.split()} if run.is_one() else {}


def _same_folder(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def resume(
    source: Path, live: Live, changes: dict[str, Any], models: Path, how: Resumption
) -> Iterator[Event]:
    """Goes on with the run in a folder or checkpoint; see `tasks.resume`."""
    machine.keep_pages()
    stored, path = _found(source)
    if not checkpoint.can_go_on(stored):
        yield from _resume_weights(stored, path, live, changes, models)
        return
    before = Recipe.from_dict(stored["recipe"])
    if changes.get("model") == before.model:
        changes = {name: value for name, value in changes.items() if name != "model"}
    refuse_changes(changes)
    recipe = replace(before, **changes).checked()
    run = run_of(path)
    progress = stored["progress"]
    if progress["epoch"] > recipe.epochs:
        yield Noted(
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
        return
    known = inventory.take(run, Path(recipe.photos), stored["classes"], how.renamed)
    known.refuse()
    split = inventory.split(known, recipe, how)
    normalisation = stored["normalisation"]
    plan = Plan(
        image_size=stored["image_size"],
        mean=tuple(normalisation["mean"]),
        std=tuple(normalisation["std"]),
        device=machine.device(recipe.device if "device" in changes else stored["device"]),
        dtype=getattr(torch, stored["precision"]),
    )
    if "device" in changes or "precision" in changes:
        plan = replace(plan, dtype=machine.precision(recipe.precision, plan.device))
    torch.manual_seed(number(recipe.seed, "network"))  # for the rows of new classes
    net = network.build(recipe.model, len(split.classes), plan.image_size)
    training = Training(recipe, plan, split, run, net, _batch_count(split, recipe))
    training.restore(stored)
    training.lost.update(known.missing)
    training.missing = len(known.missing)
    if "learning_rate" in changes:
        training.schedule.base = recipe.learning_rate
    if "frozen" in changes:
        training.freeze(recipe.frozen)
    new = len(split.train) + len(split.validation) - len(known.rows)
    # A run that was killed, or taken up from an older checkpoint, may have taken photos in since.
    if new or (not how.renamed and split.fingerprint() != stored["fingerprint"]):
        training.start_epoch_anew(measured_otherwise=True)
    if how.restart_schedule:
        training.schedule.restart(training.progress.step)
    with run.held():
        try:
            run.keep(path, run.resumed)
        except OSError as error:
            raise FlowerError(
                f"{path.name} can't be kept as {run.resumed.name}: {error.strerror or error}.",
                hint="Make room on the disk.",
            ) from error
        run.cut_back(training.progress.step, training.progress.epoch)
        run.write_recipe(recipe)
        if new or how.renamed:
            run.write_split(split.rows(), split.folder)
        opened = training.opened(resumed=True)
        # The files beside the checkpoint must not be ahead of it, should the run be killed.
        saved = training.save_last() if changes or how != AS_BEFORE else None
        yield opened
        if saved is not None:
            yield saved
        if path == run.previous:
            yield Noted("last.pth is missing or damaged; this goes on from previous.pth.")
        for note in _notes(known, new, split):
            yield Noted(note)
        yield from trainer.go(training, live)


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
    if not run.is_one():
        raise FlowerError(
            f"{path.name} stands alone: what belongs to its run is not beside it.",
            hint="Put it back into its run's folder, or start a transfer from it.",
        )
    return run


def _notes(known: inventory.Inventory, new: int, split: Split) -> Iterator[str]:
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


def _resume_weights(
    stored: dict[str, Any], path: Path, live: Live, changes: dict[str, Any], models: Path
) -> Iterator[Event]:
    """A new run that begins with all of a bare state dict, the head included."""
    if not changes.get("photos"):
        raise FlowerError(
            f"{path.name} holds weights alone, and does not know the photos.",
            hint="Name the folder of photos that it learned from (--photos).",
        )
    tensors = weights.modern(checkpoint.tensors_of(stored, path))
    known = _recognised(tensors, path, changes.get("model", ""))
    # Which size it learned at, weights don't say; its own is the likeliest.
    usual = replace(
        with_preset(Recipe(mode="scratch"), "recommended"),
        model=known.model, image_size=known.image_size, first_training_size=0,
    )  # fmt: skip
    recipe = replace(usual, **changes).checked()
    found = yield from _unless_stopped(photos.scan(Path(recipe.photos)), live)
    if found is None:
        return
    theirs = stored.get("classes") if checkpoint.is_ours(stored) else None
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
    yield Noted(
        f"{path.name} is a {known.model} for {known.class_count} classes. It holds weights "
        "alone: the optimizer, the schedule and the epochs start afresh, and its classes are "
        "taken to be yours in alphabetical order."
    )
    split = photos.split(found, recipe.validation_fraction, recipe.seed)
    yield from _begin(recipe, live, _New(split, models, whole=(path.name, tensors)))


def _recognised(tensors: dict[str, Tensor], path: Path, wish: str) -> network.Recognised:
    """The network that bare weights are of. Raises FlowerError where it is none that can be
    built, and where it is not the one that is wished for ("" for any)."""
    known = network.recognise(tensors)
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


@dataclass(frozen=True, slots=True)
class _New:
    """What new runs begin with, beside their recipe: `pretrained` weights, a head of its own
    aside, or the `whole` weights of a file (its name, and what it holds)."""

    split: Split
    models: Path
    pretrained: weights.Pretrained | None = None
    whole: tuple[str, dict[str, Tensor]] | None = None


def _begin(recipe: Recipe, live: Live, new: _New) -> Iterator[Event]:
    """Trains from the first batch on. Where that finds too little memory, smaller ones are
    tried."""
    run: RunFolder | None = None
    smaller: list[Event] = []
    with ExitStack() as stack:
        for left in reversed(range(HALVINGS + 1)):
            training, notes = _made(recipe, new, run)
            if run is None:
                run = training.run
                stack.enter_context(run.held())
            yield training.opened(resumed=False)
            yield from (*notes, *smaller)
            try:
                yield from trainer.go(training, live)
                return
            except trainer.OutOfMemoryError:
                if training.progress.step or not left or recipe.batch_size < 4:
                    raise
            del training  # before the next one takes memory of its own
            machine.release()
            half = recipe.batch_size // 2
            message = f"There is not enough memory for batches of {recipe.batch_size} photos; "
            smaller = [Noted(f"{message}they have {half} now.")]
            recipe = replace(recipe, batch_size=half)


def _made(recipe: Recipe, new: _New, run: RunFolder | None) -> tuple[Training, list[Event]]:
    """A training at its beginning, and what the user should know of it. Where it has no folder
    yet, that is made last: what is refused leaves none."""
    split, pretrained, whole = new.split, new.pretrained, new.whole
    own = pretrained.image_size if pretrained else 0
    size = recipe.image_size or own or weights.own_image_size(recipe.model, recipe.weights)
    frozen_by(recipe.frozen, recipe.model, len(split.classes), size)  # refuses what can't be
    if recipe.training_size:
        network.check_size(recipe.model, size, recipe.training_size)
    notes: list[Event] = []
    if recipe.first_training_size:
        try:
            network.check_size(recipe.model, size, recipe.first_training_size)
        except FlowerError as refusal:
            notes.append(Noted(f"{refusal.message} The squares keep one size."))
            recipe = replace(recipe, first_training_size=0)
    device = machine.device(recipe.device)
    plan = Plan(
        image_size=size,
        mean=pretrained.mean if pretrained else weights.MEAN,
        std=pretrained.std if pretrained else weights.STD,
        device=device,
        dtype=machine.precision(recipe.precision, device),
    )
    count = _batch_count(split, recipe)
    torch.manual_seed(number(recipe.seed, "network"))
    net = network.build(recipe.model, len(split.classes), size)
    if pretrained:
        left = weights.fill(net, pretrained, recipe.model)
        if left:
            names = ", ".join(left[:LISTED]) + (", ..." if len(left) > LISTED else "")
            notes.append(Noted(f"{len(left):,} tensors did not fit and start fresh: {names}."))
    if whole:
        name, tensors = whole
        fresh = net.state_dict()
        fitting = {key: tensors[key] for key in fresh.keys() & tensors.keys()}
        try:
            network.take(net, {**fresh, **fitting})
        except RuntimeError as error:  # a Vision Transformer for another image size
            raise FlowerError(
                f"{name} does not fit {recipe.model} at {size} px.",
                hint="Choose the image size that it was trained with.",
            ) from error
    if not split.validation:
        notes.append(Noted("No photo could be held back, so accuracy is not validated."))
    if run is None:
        run = RunFolder.create(new.models, recipe)
    else:
        run.write_recipe(recipe)
    training = Training(recipe, plan, split, run, net, count)
    run.write_split(split.rows(), split.folder)
    return training, notes


def _batch_count(split: Split, recipe: Recipe) -> int:
    count = len(batches.cut(range(len(split.train)), recipe.batch_size, recipe.drop_last))
    if count == 0:
        raise FlowerError(
            f"{len(split.train)} training photos fill no batch of {recipe.batch_size}.",
            hint="Lower the batch size, or don't drop the last batch.",
        )
    return count


def _unless_stopped(
    preparing: Generator[Event, None, Result], live: Live
) -> Generator[Event, None, Result | None]:
    """The events of `preparing` and what it returns; None once `live.stop` is set."""
    while not live.stop:
        try:
            yield next(preparing)
        except StopIteration as end:
            result: Result = end.value
            return result
    preparing.close()
    return None
