"""What resuming a run comes to: all is read and compared here, and nothing is changed."""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_high
from typing import Any

from flowergui.config.recipe import RESUMABLE, SETTING, Recipe
from flowergui.config.time_budget import TRAINING_FACTOR, EpochCost, epochs_in_budget
from flowergui.errors import FlowerError
from flowergui.events import Preparing, ResumeChecked
from flowergui.facts import Check, CheckKind
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data.dataset_diff import DatasetDiff, compare_dataset
from flowergui.learning.models.freeze import frozen_parameters, most_epochs, without_parameters
from flowergui.learning.resuming import resume_findings as findings
from flowergui.learning.resuming.resumable_state import check_resumable
from flowergui.learning.resuming.resume_findings import Finding
from flowergui.learning.training.data_pipeline import training_size_of
from flowergui.learning.training.progress import Progress, epochs_from
from flowergui.requests import ResumeOptions
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

RECENT_EPOCHS = 4
"""The last epochs of a run, which say how long others will take."""


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """What resuming would do.

    `stored` is the content of the `checkpoint`, which belongs to the run in `folder`. `before` is
    the recipe that the run used last, live changes included; `recipe` is the one that it continues
    with, and `changes` names the fields that were asked to change. `diff` compares the dataset; it
    is None if there is none any more. Unless `in_place`, the checkpoint is older than the newest
    state of the run, which must not be lost: a new run folder continues it.
    """

    checkpoint: Path
    stored: Mapping[str, Any]
    folder: RunFolder
    progress: Progress
    before: Recipe
    recipe: Recipe
    changes: frozenset[str]
    options: ResumeOptions
    diff: DatasetDiff | None
    in_place: bool
    findings: tuple[Finding, ...]

    @property
    def epochs_left(self) -> int:
        """How many epochs are not done; the present one counts."""
        return max(self.recipe.epochs - self.progress.epoch + 1, 0)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was compared, for people."""
        return tuple(finding.check for finding in self.findings)

    def raise_if_refused(self) -> None:
        """Raises FlowerError if the run can't be resumed like this. That all epochs are done is no
        error; no dataset is needed then."""
        needless = () if self.epochs_left else (CheckKind.IMAGES, CheckKind.CLASSES)
        for finding in self.findings:
            if finding.error is not None and finding.check.kind not in needless:
                raise finding.error


def check(
    source: Path, changes: Mapping[str, Any], options: ResumeOptions
) -> Iterator[Preparing | ResumeChecked]:
    """The plan as an event; see `tasks.check_resume`."""
    plan = yield from plan_resume(source, changes, options)
    diff = plan.diff
    yield ResumeChecked(
        run=str(plan.folder.path),
        checks=plan.checks,
        new_photos=len(diff.added) if diff else 0,
        new_classes=diff.new_classes if diff and not diff.renamed else (),
        renamed=diff.renamed if diff else (),
        epochs_left=plan.epochs_left,
        recipe=plan.recipe,
        in_place=plan.in_place,
    )


def plan_resume(
    source: Path, changes: Mapping[str, Any], options: ResumeOptions
) -> Generator[Preparing, None, ResumePlan]:
    """Reads the checkpoint `source`, or the newest one in the run folder `source`, and lists the
    dataset. `changes` maps names of Recipe fields to the values they shall have.

    Raises WeightsOnlyError for bare weights, and FlowerError if there is nothing to resume. What
    stands in the way of resuming is in the plan: see `ResumePlan.raise_if_refused`.
    """
    stored, path = _read(source)
    folder = run_folder_of(path)
    progress = Progress()
    progress.load_state_dict({"step": stored.get("step", 0), **stored["progress"]})
    before = effective_recipe(stored)
    recipe, found = _changed(before, changes, stored)
    if recipe.minutes and recipe.minutes != before.minutes and "epochs" not in changes:
        recipe = replace(recipe, epochs=_epochs_in_budget(recipe, stored, progress))
    found = [findings.epochs(recipe, progress.epoch - 1), findings.model(before, changes), *found]
    newest = None if os.path.isdir(source) else _newer_state(folder, path, stored, progress)
    if newest is not None:
        found.append(findings.new_folder(path, progress, newest))
    elif path == folder.previous:
        found.append(findings.previous_checkpoint(progress))
    diff: DatasetDiff | None = None
    try:
        diff = yield from compare_dataset(
            folder, Path(recipe.photos), stored["classes"], options.renamed
        )
        found += [findings.classes(diff, options), findings.images(diff, options)]
    except FlowerError as error:
        found.append(findings.no_images(error))
    found += [
        findings.image_size(stored),
        findings.device(stored, recipe, changes),
        findings.versions(stored),
        *findings.settings(before, changes),
        *findings.frozen(stored, changes),
    ]
    return ResumePlan(
        checkpoint=path,
        stored=stored,
        folder=folder,
        progress=progress,
        before=before,
        recipe=recipe,
        changes=frozenset(changes) - ({"model"} if changes.get("model") == before.model else set()),
        options=options,
        diff=diff,
        in_place=newest is None,
        findings=tuple(found),
    )


def run_folder_of(path: Path) -> RunFolder:
    """The run folder that a checkpoint lies in. Raises FlowerError if it lies in none."""
    folder = RunFolder(path.parent)
    if not folder.exists():
        raise FlowerError(
            tr("{file} is not inside a run folder.", file=path.name),
            hint=tr("Put it back into its run folder, or start a transfer from it."),
        )
    return folder


def effective_recipe(stored: Mapping[str, Any]) -> Recipe:
    """The recipe that a checkpoint's run used last.

    Checkpoints of today's version have it. In older ones the recipe is the one that the run began
    with; learning rate and frozen layers that were changed while it trained are found in its state.
    """
    recipe = Recipe.from_dict(stored["recipe"])
    base = stored.get("schedule", {}).get("base")
    if isinstance(base, float) and not SETTING["learning_rate"].problem(base):
        recipe = replace(recipe, learning_rate=base)
    names = tuple(stored.get("frozen", ()))
    with suppress(FlowerError):  # patterns that no longer fit don't say what was frozen
        size, classes = stored["image_size"], len(stored["classes"])
        if "frozen" not in stored or names == frozen_parameters(
            recipe.frozen, recipe.model, classes, size
        ):
            return recipe
    return replace(recipe, frozen=names)


def _changed(
    before: Recipe, changes: Mapping[str, Any], stored: Mapping[str, Any]
) -> tuple[Recipe, list[Finding]]:
    """`before` with the changes that are possible, and the one that is not."""
    allowed = {name: changes[name] for name in changes if name in (*RESUMABLE, "photos")}
    if "epochs" in allowed:  # who asks for epochs wants all of them
        allowed.setdefault("minutes", 0.0)
    if "unfreeze_schedule" in allowed:
        allowed["freeze_epochs"] = 0
    elif "frozen" in allowed:  # who freezes layers wants them to stay so
        allowed["freeze_epochs"] = 0
        with suppress(FlowerError):  # patterns that don't fit are found below
            allowed["unfreeze_schedule"] = _schedule_left(before, allowed["frozen"], stored)
    recipe = replace(before, **allowed)
    try:
        return recipe.checked(), []
    except FlowerError as error:
        return before, [findings.impossible_value(error)]


def _schedule_left(
    before: Recipe, frozen: tuple[str, ...], stored: Mapping[str, Any]
) -> tuple[str, ...]:
    """The schedule without what it says of layers that are frozen or unfrozen now."""
    network = before.model, len(stored["classes"]), stored["image_size"]
    was, now = (set(frozen_parameters(each, *network)) for each in (before.frozen, frozen))
    return without_parameters(before.unfreeze_schedule, was ^ now, *network)


def _epochs_in_budget(recipe: Recipe, stored: Mapping[str, Any], progress: Progress) -> int:
    """The number of epochs of a run that is given a time budget, or another one. An epoch that it
    has begun is ended."""
    done = epochs_from(stored.get("history"))
    if not done:
        return recipe.epochs
    trained = [each.seconds for each in done if not recipe.fits_head_in(each.epoch)]
    size = stored["image_size"]
    share = training_size_of(recipe, size, done[-1].epoch + 1) / size
    fitted = TRAINING_FACTOR * share**2 * done[-1].seconds
    # The last may be cut; of those before, more layers may train in the latest ones.
    seconds = median_high(trained[-RECENT_EPOCHS:-1] or trained) if trained else fitted
    cost = EpochCost(done[-1].step // done[-1].epoch, seconds, 0.0)
    spent, last = progress.seconds, done[-1].epoch
    try:
        most = most_epochs(recipe, len(stored["classes"]), size, last)
    except FlowerError:  # `findings.frozen` says what is wrong
        return recipe.epochs
    planned = epochs_in_budget(recipe.minutes, spent, last, cost, most)
    has_begun = progress.batch > 0 and progress.epoch <= recipe.epochs
    return max(planned.epochs, progress.epoch if has_begun else progress.epoch - 1)


def _read(source: Path) -> tuple[dict[str, Any], Path]:
    """The newest state in a run folder, or the checkpoint itself, and its path. Who names last.pth
    means the newest state."""
    run = RunFolder(source if os.path.isdir(source) else source.parent)
    if os.path.isdir(source) or (source == run.last and run.exists()):
        return checkpoint.newest(run, check_resumable)
    stored = checkpoint.read(source)
    check_resumable(stored, source)
    return stored, source


def _newer_state(
    folder: RunFolder, path: Path, stored: Mapping[str, Any], progress: Progress
) -> Progress | None:
    """The newest state of a run, if it is another one than that of the checkpoint `path` in it."""
    newest_path = folder.newest()
    if newest_path is None or newest_path.samefile(path):
        return None
    try:
        newest, newest_path = checkpoint.newest(folder, check_resumable)
    except checkpoint.NotReadableNowError:
        raise
    except FlowerError:  # nothing that can be used would be lost
        return None
    if newest_path.samefile(path):
        return None
    there = Progress()
    there.load_state_dict({"step": newest.get("step", 0), **newest["progress"]})
    same = (there.epoch, there.batch, there.step) == (progress.epoch, progress.batch, progress.step)
    if same and newest.get("fingerprint") == stored.get("fingerprint"):
        return None
    return there
