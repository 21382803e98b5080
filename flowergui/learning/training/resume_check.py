"""Before a run is resumed: what is as it was, what has changed, and what stands in the way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from flowergui.config.recipe import RESUMABLE, SETTING, Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    Preparing,
    ResumeChecked,
)
from flowergui.facts import (
    Check,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import dataset_diff
from flowergui.learning.data.dataset_diff import DatasetDiff
from flowergui.learning.device import hardware
from flowergui.learning.models.freeze import frozen_parameters
from flowergui.learning.training import resume
from flowergui.requests import ResumeOptions
from flowergui.store.run_folder import RunFolder

SAME, FINE, BLOCKING = "same", "fine", "blocking"


def check(
    source: Path, changes: dict[str, Any], how: ResumeOptions
) -> Iterator[Preparing | ResumeChecked]:
    """Compares a checkpoint with the photos, the program and the wishes of today; see
    `tasks.preflight`."""
    stored, path = checkpoint.newest(RunFolder(source)) if source.is_dir() else (None, source)
    stored = stored or checkpoint.read(path)
    if not checkpoint.is_resumable(stored):
        raise FlowerError(
            f"{path.name} holds weights alone.",
            hint="Going on from it begins a new run: name the photos that it learned from.",
        )
    run = resume.run_of(path)
    before = Recipe.from_dict(stored["recipe"])
    allowed = {name: changes[name] for name in changes if name in (*RESUMABLE, "photos")}
    now = replace(before, **allowed)
    left = max(now.epochs - stored["progress"]["epoch"] + 1, 0)
    checks = [_epochs(now, left), _network(before, changes)]
    known: DatasetDiff | None = None
    try:
        known = yield from dataset_diff.compare_dataset(
            run, Path(now.photos), stored["classes"], how.renamed
        )
        checks += [_classes(known, how), _photos(known, how)]
    except FlowerError as error:
        checks.append(Check("Photos", BLOCKING, error.message, "Open the folder they are in now."))
    checks += [
        Check("Image size", SAME, f"{stored['image_size']} px, the same normalisation"),
        _machine(stored, now, changes),
        _versions(stored),
        *_settings(before, changes),
        *_frozen(stored, changes),
    ]
    yield ResumeChecked(
        run=str(run.path),
        checks=tuple(checks),
        new_photos=len(known.added) if known else 0,
        new_classes=known.new_classes if known and not known.renamed else (),
        renamed=known.renamed if known else (),
        epochs_left=left,
    )


def _epochs(recipe: Recipe, left: int) -> Check:
    if not left:
        detail = f"all {recipe.epochs:,} are done"
        return Check("Epochs", BLOCKING, detail, "Ask for more epochs.")
    return Check("Epochs", SAME, f"{left:,} of {recipe.epochs:,} to go")


def _network(before: Recipe, changes: dict[str, Any]) -> Check:
    wish = changes.get("model", before.model)
    if wish == before.model:
        return Check("Network", SAME, before.model)
    return Check(
        "Network",
        BLOCKING,
        f"{before.model} can't become {wish}",
        "A transfer from its last.pth takes what fits, and lists what does not.",
    )


def _classes(known: DatasetDiff, how: ResumeOptions) -> Check:
    names = len(known.classes)
    if known.missing_classes:
        remedy = known.remedy() or "Put their photos back, or start a transfer from its last.pth."
        return Check(
            "Classes", BLOCKING, f"no photo of {', '.join(known.missing_classes)} is left", remedy
        )
    if how.renamed:
        pairs = ", ".join(f"{old} is {new} now" for old, new in how.renamed)
        return Check("Classes", FINE, pairs)
    if known.new_classes:
        new = ", ".join(known.new_classes)
        if how.new_classes:
            return Check("Classes", FINE, f"{new}: new, learned too; the head grows")
        return Check("Classes", FINE, f"{new}: new, left out", "They can be learned too.")
    return Check("Classes", SAME, f"{names:,}, as before")


def _photos(known: DatasetDiff, how: ResumeOptions) -> Check:
    if len(known.missing) > len(known.rows) / 2:
        detail = f"most are not in {known.folder} any more"
        remedy = known.remedy() or "Open the folder where they are now."
        return Check("Photos", BLOCKING, detail, remedy)
    found = [
        f"{len(paths):,} {what}"
        for paths, what in (
            (known.missing, "missing"),
            (known.changed, "changed"),
            (known.added, "new, taken in" if how.new_photos else "new, left out"),
        )
        if paths
    ]
    if not found:
        return Check("Photos", SAME, f"{len(known.rows):,}, as before, split as before")
    offer = known.added and not how.new_photos
    return Check("Photos", FINE, ", ".join(found), "New ones can be taken in." if offer else "")


def _machine(stored: dict[str, Any], now: Recipe, changes: dict[str, Any]) -> Check:
    was = f"{stored['device']}, {stored['precision']}"
    try:
        device = hardware.device(now.device if "device" in changes else stored["device"])
    except FlowerError as error:
        return Check("Device", BLOCKING, error.message.rstrip("."), "Choose another device.")
    precision = stored["precision"]
    if "device" in changes or "precision" in changes:
        precision = str(hardware.precision(now.precision, device)).removeprefix("torch.")
    if (str(device), precision) == (stored["device"], stored["precision"]):
        return Check("Device", SAME, was)
    return Check("Device", FINE, f"{device}, {precision}; it was {was}")


def _versions(stored: dict[str, Any]) -> Check:
    was, is_now = stored.get("versions", {}).get("torch", "unknown"), str(torch.__version__)
    if was == is_now:
        return Check("Versions", SAME, f"torch {is_now}")
    detail = f"torch {is_now}; it was {was}"
    return Check("Versions", FINE, detail, "The last digits may come out otherwise.")


def _settings(before: Recipe, changes: dict[str, Any]) -> Iterator[Check]:
    """What is wanted otherwise; what a run can't follow is refused."""
    for name, value in changes.items():
        if name in ("photos", "epochs", "device", "precision", "model"):
            continue  # told by the checks of their own
        label = SETTING[name].label if name in SETTING else name
        if name not in RESUMABLE:
            yield Check(
                label, BLOCKING, "can't be changed while a run is resumed", "Start a transfer."
            )
        elif value != getattr(before, name):
            yield Check(label, FINE, f"{_brief(value)}; it was {_brief(getattr(before, name))}")


def _frozen(stored: dict[str, Any], changes: dict[str, Any]) -> Iterator[Check]:
    """Why the layers that are wanted frozen can't be, where they can't."""
    if "frozen" not in changes:
        return
    model, classes = stored["recipe"]["model"], len(stored["classes"])
    try:
        frozen_parameters(changes["frozen"], model, classes, stored["image_size"])
    except FlowerError as error:
        yield Check(SETTING["frozen"].label, BLOCKING, error.message.rstrip("."), error.hint)


def _brief(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(value) or "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
