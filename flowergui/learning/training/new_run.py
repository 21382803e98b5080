"""Starting a new run: everything before its first batch."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from flowergui.config.presets import PRESETS, with_trained_head
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event, Preparing, Warned
from flowergui.facts import Job
from flowergui.learning.acceleration import precision
from flowergui.learning.acceleration.linear_head import linear_head_name
from flowergui.learning.acceleration.precision import Precision
from flowergui.learning.data import photo_check
from flowergui.learning.data.sampler import batch_indices
from flowergui.learning.data.scan import scan_to_split
from flowergui.learning.data.split import Split, check_given, split_after, split_photos
from flowergui.learning.device import hardware
from flowergui.learning.models import weights
from flowergui.learning.models.build import build, load_state_dict
from flowergui.learning.models.catalogue import provider_of
from flowergui.learning.models.describe import check_size
from flowergui.learning.models.freeze import frozen_parameters, unfreeze_epochs
from flowergui.learning.models.pretrained import Pretrained, Rgb
from flowergui.learning.randomness import derive_seed
from flowergui.learning.training import larger_images, loop
from flowergui.learning.training.failures import OutOfMemoryError
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.progress import Clock
from flowergui.learning.training.run import Run
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.requests import LiveRequests
from flowergui.store import split_file
from flowergui.store.run_folder import RunFolder
from flowergui.system import tuning
from flowergui.system.tuning import gc_paused
from flowergui.text import shortened, tr, trn

Result = TypeVar("Result")

MAX_LISTED_TENSORS = 8
"""How many of the tensors that did not fit are named."""

MAX_BATCH_HALVINGS = 3
"""How often the batch size is halved if there is not enough memory for the first batch."""


def train(
    recipe: Recipe,
    live: LiveRequests,
    models: Path,
    split_path: Path | None = None,
    job: Job | None = None,
) -> Iterator[Event]:
    """Trains a new run of `recipe` in a new folder under `models`, that of the `job` if there is
    one, with the split in the file `split_path`, if that is given. Raises FlowerError."""
    tuning.tune_malloc()
    clock = Clock()  # a time budget begins here
    given = split_file.given_parts(split_path) if split_path else {}
    found = yield from unless_stopped(clock.timed(scan_to_split(Path(recipe.photos))), live)
    if found is None:
        return
    yield from check_given(given, found)
    pretrained = None
    if recipe.mode == "transfer":
        loading = clock.timed(weights.load(recipe.model, recipe.weights))
        pretrained = yield from unless_stopped(loading, live)
        if pretrained is None:
            return
        split = split_after(found, pretrained, recipe, Path(recipe.weights), given)
    else:
        with gc_paused(lambda: len(found.train)):
            split = split_photos(found, recipe.validation_fraction, recipe.seed, given)
    new = NewRun(split, models, pretrained=pretrained, job=job)
    yield from begin(recipe, live, new, clock)


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a new run needs besides its recipe: its dataset, the folder `models` for its own, which
    is that of the `job` if there is one, and the weights that it starts from.

    These are `pretrained` weights, without their head; or the `whole` weights of a file (its name
    and its tensors) with the `normalisation` (mean and standard deviation) that they were trained
    with, if that is known.
    """

    split: Split
    models: Path
    pretrained: Pretrained | None = None
    whole: tuple[str, dict[str, Tensor]] | None = None
    normalisation: tuple[Rgb, Rgb] | None = None
    job: Job | None = None


def begin(
    recipe: Recipe, live: LiveRequests, new: NewRun, clock: Clock | None = None
) -> Iterator[Event]:
    """Trains from the first batch on. If there is not enough memory for the first step, which may
    come after the head was fitted, begins again with half the batch size. The run has already taken
    the seconds of the `clock`."""
    choosing = precision.choose(
        recipe, len(new.split.classes), _size(recipe, new), hardware.device(recipe.device)
    )
    clock = clock or Clock()
    chosen = yield from unless_stopped(clock.timed(choosing), live)
    if chosen is None:
        return
    choosing_size = larger_images.choose(
        recipe,
        _size(recipe, new),
        (len(new.split.train), len(new.split.validation)),
        len(new.split.classes),
        hardware.device(recipe.device),
        chosen.dtype,
    )
    with_size = yield from unless_stopped(clock.timed(choosing_size), live)
    if with_size is None:
        return
    larger = _larger_images_note(recipe, with_size)
    recipe = with_size
    count = len(new.split.train) + len(new.split.validation)
    if count > photo_check.MAX_CHECKED_FIRST:  # takes seconds
        yield Preparing(tr("Writing the list of images"), count, 0)
    folder: RunFolder | None = None
    smaller: list[Event] = []
    spent = clock.lap()  # and on heads that were fitted in vain
    with ExitStack() as stack:
        for left in reversed(range(MAX_BATCH_HALVINGS + 1)):
            run, notes = _made(recipe, new, chosen, folder)
            if folder is None:
                folder = run.folder
                stack.enter_context(folder.locked())
            run.progress.seconds = spent
            yield run.started(resumed=False)
            yield from (*notes, *larger, *smaller)
            try:
                yield from loop.fit(run, live)
                return
            except OutOfMemoryError as error:
                if not (run.is_before_first_step and error.on_all_ranks):
                    raise
                if not left or recipe.batch_size < 4:
                    raise
            if run.progress.step:  # a head was fitted
                recipe = _as_begun(run.recipe, recipe)
                spent = run.progress.seconds
                folder.forget_training()
            else:
                recipe = run.recipe  # settings may have been changed since it began
            del run  # before the next one takes memory
            hardware.release()
            half = recipe.batch_size // 2
            message = tr(
                "There is not enough memory for batches of {before} images. The batch size is "
                "{now} now.",
                before=recipe.batch_size,
                now=half,
            )
            smaller = [Warned(message)]
            recipe = replace(recipe, batch_size=half)


def _larger_images_note(before: Recipe, recipe: Recipe) -> list[Event]:
    """Says that the time budget has chosen another training size; nothing where it has not."""
    if recipe.training_size == before.training_size:
        return []
    return [
        Warned(
            tr(
                "The time budget has room for larger images: training uses {size} px.",
                size=recipe.training_size,
            )
        )
    ]


def _as_begun(recipe: Recipe, before: Recipe) -> Recipe:
    """The recipe of a run that began with `before`, has fitted its head, and begins again: with
    what the user has changed since, but without what the run itself has unfrozen or planned."""
    planned = before.freeze_epochs, before.unfreeze_schedule
    if any(planned) and planned == (recipe.freeze_epochs, recipe.unfreeze_schedule):
        recipe = replace(recipe, frozen=before.frozen)  # nobody asked for other frozen layers
    return replace(recipe, epochs=before.epochs)


def _size(recipe: Recipe, new: NewRun) -> int:
    """The image size: the recipe's, that of the weights, or the network's own."""
    own = new.pretrained.image_size if new.pretrained else 0
    return recipe.image_size or own or weights.own_image_size(recipe.model, recipe.weights)


def _made(
    recipe: Recipe, new: NewRun, chosen: Precision, folder: RunFolder | None
) -> tuple[Run, list[Event]]:
    """A run before its first batch, and warnings. Its folder is created last, unless there is one:
    a recipe that is refused leaves no folder."""
    split = new.split
    count = batch_count(split, recipe)
    recipe, model, warnings = prepare_model(recipe, new, chosen)
    if not split.validation:
        warnings.append(tr("There is no validation set, so accuracy is not validated."))
    if folder is None:
        folder = RunFolder.create(new.models, recipe, new.job)
    else:
        folder.write_recipe(recipe)
    run = Run(recipe, split, folder, model, count)
    folder.write_split(split.classes, split.rows(), split.folder)
    return run, [Warned(message) for message in warnings]


def prepare_model(
    recipe: Recipe, new: NewRun, chosen: Precision
) -> tuple[Recipe, ModelState, list[str]]:
    """The model state before its first step: built, with the weights that it starts from, frozen as
    the recipe says, on its device. Needs no run folder, and creates none. Seeds torch's default
    generator; a head that is to be fitted is still random.

    Also returns the recipe, without progressive resizing if the network can't do that, and
    warnings. Raises FlowerError if the recipe is not possible.
    """
    split, pretrained, size = new.split, new.pretrained, _size(recipe, new)
    # Raises FlowerError for patterns that don't fit, before anything is built.
    frozen_parameters(recipe.frozen, recipe.model, len(split.classes), size)
    unfreeze_epochs(recipe.unfreeze_schedule, recipe.model, len(split.classes), size)
    given = recipe
    recipe, warnings = _with_possible_sizes(given, size)
    random = 0 if new.whole is None else len(split.classes)
    mean, std = new.normalisation or provider_of(recipe.model).normalization(recipe.model, random)
    config = RuntimeConfig(
        image_size=size,
        mean=pretrained.mean if pretrained else mean,
        std=pretrained.std if pretrained else std,
        device=hardware.device(recipe.device),
        dtype=chosen.dtype,
        speedup=chosen.speedup,
    )
    torch.manual_seed(derive_seed(recipe.seed, "network"))
    net = build(recipe.model, len(split.classes), size)
    warnings += _load_weights(net, recipe, new, size)
    if recipe.fit_head and recipe.mode == "transfer" and not linear_head_name(net, recipe.model):
        recipe, _ = _with_possible_sizes(with_trained_head(given), size)
        warnings.append(
            tr(
                "The classifier of {model} is not a linear layer with a bias, so it is trained "
                "instead of fitted.",
                model=recipe.model,
            )
        )
    model = ModelState(net, recipe, config, len(split.classes))
    model.freeze(recipe.frozen)
    return recipe, model, warnings


def _with_possible_sizes(recipe: Recipe, image_size: int) -> tuple[Recipe, list[str]]:
    """The recipe without progressive resizing if the network can't take its first size, and a
    warning then. Raises FlowerError if it can't take the training size, unless that is the one that
    the preset has for all networks."""
    warnings: list[str] = []
    for name in ("training_size", "first_training_size"):
        size = getattr(recipe, name)
        if not size:
            continue
        try:
            check_size(recipe.model, image_size, size)
        except FlowerError as refusal:
            recommended = PRESETS["recommended"][recipe.mode]["training_size"]
            if name == "training_size" and size != recommended:
                raise
            warnings.append(tr("{reason} The image size stays the same.", reason=refusal.message))
            values: dict[str, Any] = {name: 0}
            recipe = replace(recipe, **values)
    return recipe, warnings


def _load_weights(net: nn.Module, recipe: Recipe, new: NewRun, image_size: int) -> list[str]:
    """Loads the weights that the run starts from, if any, and returns warnings. Raises FlowerError
    if they don't fit."""
    if new.whole:
        name, tensors = new.whole
        fresh = net.state_dict()
        fitting = {key: tensors[key] for key in fresh.keys() & tensors.keys()}
        try:
            load_state_dict(net, {**fresh, **fitting})
        except RuntimeError as error:  # a Vision Transformer for another image size
            raise FlowerError(
                tr(
                    "{file} does not fit {model} at {size} px.",
                    file=name,
                    model=recipe.model,
                    size=image_size,
                ),
                hint=tr("Choose the image size that it was trained with."),
            ) from error
    left = weights.load_pretrained(net, new.pretrained, recipe.model) if new.pretrained else []
    if not left:
        return []
    return [
        trn(
            "{count} tensor did not fit and is initialized: {names}.",
            "{count} tensors did not fit and are initialized: {names}.",
            len(left),
            names=shortened(left, MAX_LISTED_TENSORS),
        )
    ]


def batch_count(split: Split, recipe: Recipe) -> int:
    """The number of training batches in an epoch. Raises FlowerError if there is none."""
    count = len(batch_indices(range(len(split.train)), recipe.batch_size, recipe.drop_last))
    if count == 0:
        raise FlowerError(
            tr(
                "{count} training images are fewer than the batch size {batch_size}.",
                count=len(split.train),
                batch_size=recipe.batch_size,
            ),
            hint=tr("Lower the batch size, or don't drop the last batch."),
        )
    return count


def unless_stopped(
    preparing: Generator[Event, None, Result], live: LiveRequests
) -> Generator[Event, None, Result | None]:
    """Passes on the events of `preparing` and what it returns; ends with None once `live.stop` is
    set."""
    while not live.stop:
        try:
            yield next(preparing)
        except StopIteration as end:
            result: Result = end.value
            return result
    preparing.close()
    return None
