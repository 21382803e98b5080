"""What is compared before a run is resumed, as checks for people and as errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from flowergui.config.recipe import RESUMABLE, SETTING, Recipe
from flowergui.errors import FlowerError
from flowergui.facts import Check, CheckKind, Verdict
from flowergui.learning.data.dataset_diff import DatasetDiff
from flowergui.learning.device import hardware
from flowergui.learning.models.freeze import frozen_parameters, unfreeze_epochs
from flowergui.learning.training.progress import Progress
from flowergui.requests import ResumeOptions
from flowergui.text import enumerated, shortened, tr, trn


@dataclass(frozen=True, slots=True)
class Finding:
    """A check, and the error that resuming raises because of it, if any."""

    check: Check
    error: FlowerError | None = None


def _found(
    kind: CheckKind,
    subject: str,
    verdict: Verdict,
    detail: str,
    remedy: str = "",
    error: FlowerError | None = None,
) -> Finding:
    return Finding(Check(subject, verdict, detail, remedy, kind), error)


def epochs(recipe: Recipe, done: int) -> Finding:
    """Whether there are epochs left to train, after `done` of them."""
    subject, total = tr("Epochs"), f"{recipe.epochs:,}"
    left = max(recipe.epochs - done, 0)
    if not left:
        if done > recipe.epochs:
            detail = tr("{done} are done already, more than {total}", done=f"{done:,}", total=total)
        else:
            detail = trn("its {count} epoch is done", "all {count} are done", done)
        remedy = tr("Increase the number of epochs.")
        return _found(CheckKind.EPOCHS, subject, Verdict.BLOCKING, detail, remedy)
    detail = tr("{left} of {total} to go", left=f"{left:,}", total=total)
    return _found(CheckKind.EPOCHS, subject, Verdict.SAME, detail)


def model(before: Recipe, changes: Mapping[str, Any]) -> Finding:
    """Whether another architecture is asked for."""
    subject, wanted = tr("Network"), changes.get("model", before.model)
    if wanted == before.model:
        return _found(CheckKind.MODEL, subject, Verdict.SAME, before.model)
    return _found(
        CheckKind.MODEL,
        subject,
        Verdict.BLOCKING,
        tr("{before} can't become {wanted}", before=before.model, wanted=wanted),
        tr("A transfer from its last.pth takes the weights that fit, and lists the others."),
        unchangeable("model"),
    )


def previous_checkpoint(progress: Progress) -> Finding:
    """That the newest state of a run can't be read, and the one before it is used."""
    detail = tr(
        "previous.pth, from epoch {epoch}, batch {batch}: last.pth is missing or damaged",
        epoch=progress.epoch,
        batch=progress.batch,
    )
    return _found(CheckKind.CHECKPOINT, tr("Checkpoint"), Verdict.FINE, detail)


def new_folder(path: Path, progress: Progress, newest: Progress) -> Finding:
    """That a checkpoint is older than the newest state of its run."""
    detail = tr(
        "a new one: {file} is from epoch {epoch}, batch {batch}, and the run's newest state from "
        "epoch {newest_epoch}, batch {newest_batch}",
        file=path.name,
        epoch=progress.epoch,
        batch=progress.batch,
        newest_epoch=newest.epoch,
        newest_batch=newest.batch,
    )
    remedy = tr("The run's newest state stays as it is.")
    return _found(CheckKind.FOLDER, tr("Run folder"), Verdict.FINE, detail, remedy)


def classes(diff: DatasetDiff, options: ResumeOptions) -> Finding:
    """Whether classes are missing, renamed or new."""
    subject = tr("Classes")
    if diff.missing_classes:
        return _found(
            CheckKind.CLASSES,
            subject,
            Verdict.BLOCKING,
            tr("no image of {classes} is left", classes=shortened(diff.missing_classes)),
            diff.remedy() or tr("Put their images back, or start a transfer from its last.pth."),
            _unusable(diff),
        )
    if options.renamed:
        pairs = [tr("{old} is {new} now", old=old, new=new) for old, new in options.renamed]
        return _found(CheckKind.CLASSES, subject, Verdict.FINE, shortened(pairs))
    if diff.new_classes:
        new = shortened(diff.new_classes)
        if options.new_classes:
            detail = tr("{classes}: new, added to the classifier", classes=new)
            return _found(CheckKind.CLASSES, subject, Verdict.FINE, detail)
        detail, remedy = (
            tr("{classes}: new, left out", classes=new),
            tr("They can be added to the classifier."),
        )
        return _found(CheckKind.CLASSES, subject, Verdict.FINE, detail, remedy)
    detail = tr("{count}, as before", count=f"{len(diff.classes):,}")
    return _found(CheckKind.CLASSES, subject, Verdict.SAME, detail)


def images(diff: DatasetDiff, options: ResumeOptions) -> Finding:
    """Whether images of the dataset are missing, changed or new."""
    subject = tr("Images")
    if not diff.rows or len(diff.missing) > len(diff.rows) / 2:
        detail = tr("most are not in {folder} any more", folder=diff.folder)
        remedy = diff.remedy() or tr("Open the folder where they are now.")
        return _found(CheckKind.IMAGES, subject, Verdict.BLOCKING, detail, remedy, _unusable(diff))
    found = []
    if diff.missing:
        found.append(tr("{count} missing", count=f"{len(diff.missing):,}"))
    if diff.changed:
        found.append(tr("{count} changed", count=f"{len(diff.changed):,}"))
    if diff.added and options.new_photos:
        found.append(tr("{count} new, included", count=f"{len(diff.added):,}"))
    elif diff.added:
        found.append(tr("{count} new, left out", count=f"{len(diff.added):,}"))
    if not found:
        detail = tr("{count}, as before, split as before", count=f"{len(diff.rows):,}")
        return _found(CheckKind.IMAGES, subject, Verdict.SAME, detail)
    offered = diff.added and not options.new_photos
    remedy = tr("New images can be included.") if offered else ""
    return _found(CheckKind.IMAGES, subject, Verdict.FINE, enumerated(found), remedy)


def no_images(error: FlowerError) -> Finding:
    """That the dataset can't be compared."""
    detail = error.message.rstrip(".")
    return _found(CheckKind.IMAGES, tr("Images"), Verdict.BLOCKING, detail, error.hint, error)


def _unusable(diff: DatasetDiff) -> FlowerError | None:
    try:
        diff.raise_if_unusable()
    except FlowerError as error:
        return error
    return None


def image_size(stored: Mapping[str, Any]) -> Finding:
    """The size that images keep."""
    detail = tr("{size} px, the same normalization", size=stored["image_size"])
    return _found(CheckKind.IMAGE_SIZE, tr("Image size"), Verdict.SAME, detail)


def device(stored: Mapping[str, Any], recipe: Recipe, changes: Mapping[str, Any]) -> Finding:
    """Whether device and precision can be as before, or as asked for."""
    subject = tr("Device")
    was_on = str(stored.get("device", recipe.device))
    precision = was = str(stored.get("precision", recipe.precision))
    try:
        now_on = hardware.device(recipe.device if "device" in changes else was_on)
        if "device" in changes or "precision" in changes:
            precision = str(hardware.precision(recipe.precision, now_on)).removeprefix("torch.")
    except FlowerError as error:
        detail, remedy = error.message.rstrip("."), tr("Choose another device.")
        return _found(CheckKind.DEVICE, subject, Verdict.BLOCKING, detail, remedy, error)
    now = f"{now_on}, {precision}"
    if now == (before := f"{was_on}, {was}"):
        return _found(CheckKind.DEVICE, subject, Verdict.SAME, now)
    detail = tr("{now}; it was {before}", now=now, before=before)
    return _found(CheckKind.DEVICE, subject, Verdict.FINE, detail)


def versions(stored: Mapping[str, Any]) -> Finding:
    """Whether this is the torch that trained it."""
    subject, now = tr("Versions"), str(torch.__version__)
    before = stored.get("versions", {}).get("torch", tr("unknown"))
    if before == now:
        detail = tr("torch {version}", version=now)
        return _found(CheckKind.VERSIONS, subject, Verdict.SAME, detail)
    detail = tr("torch {now}; it was {before}", now=now, before=before)
    remedy = tr("The last digits of the results may differ.")
    return _found(CheckKind.VERSIONS, subject, Verdict.FINE, detail, remedy)


def settings(before: Recipe, changes: Mapping[str, Any]) -> Iterator[Finding]:
    """The other settings that are asked to change; those that a run can't change are refused."""
    for name, value in changes.items():
        if name in ("photos", "epochs", "device", "precision", "model"):
            continue  # they have checks of their own
        subject = tr(SETTING[name].label) if name in SETTING else name
        if name not in RESUMABLE:
            detail, remedy = tr("can't be changed while a run is resumed"), tr("Start a transfer.")
            error = unchangeable(name)
            yield _found(CheckKind.SETTING, subject, Verdict.BLOCKING, detail, remedy, error)
        elif value != getattr(before, name):
            now, was = _brief(name, value), _brief(name, getattr(before, name))
            detail = tr("{now}; it was {before}", now=now, before=was)
            yield _found(CheckKind.SETTING, subject, Verdict.FINE, detail)


def unchangeable(name: str) -> FlowerError:
    """The error for a change that a running optimizer, or its validation, can't follow."""
    label = tr(SETTING[name].label) if name in SETTING else name
    return FlowerError(
        tr("{setting} can't be changed while a run is resumed.", setting=label),
        hint=tr("Start a transfer from its last.pth instead."),
    )


def impossible_value(error: FlowerError) -> Finding:
    """That a setting can't have the value that is asked for."""
    detail = error.message.rstrip(".")
    return _found(CheckKind.SETTING, tr("Settings"), Verdict.BLOCKING, detail, error.hint, error)


def frozen(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the layers exist that shall be frozen, or unfrozen, and some are left to train."""
    network = stored["recipe"]["model"], len(stored["classes"]), stored["image_size"]
    checks = {"frozen": frozen_parameters, "unfreeze_schedule": unfreeze_epochs}
    for name in checks.keys() & changes:
        try:
            checks[name](changes[name], *network)
        except FlowerError as error:
            subject, detail = tr(SETTING[name].label), error.message.rstrip(".")
            yield _found(CheckKind.SETTING, subject, Verdict.BLOCKING, detail, error.hint, error)


def _brief(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        if len(value) > 3 and name == "frozen":
            return trn("{count} parameter", "{count} parameters", len(value))
        return " ".join(value) or tr("nothing")
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    return f"{value:g}" if isinstance(value, float) else str(value)
