"""Short names of resumable checkpoints, for lists and menus."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.config.recipe import Recipe
from flowergui.facts import RunFacts
from flowergui.text import N_, percent, tr, trn

MODES = {"scratch": N_("scratch"), "transfer": N_("transfer")}
"""The modes of a recipe, as lists show them."""

_WHEN = re.compile(r"(\d{4}-\d\d-\d\d)_(\d\d)-?(\d\d)")


@dataclass(frozen=True, slots=True)
class ResumableRun:
    """A checkpoint that can be resumed, in a few words."""

    checkpoint: str
    title: str
    detail: str
    when: str = ""
    photos: str = ""
    note: str = ""

    @property
    def tip(self) -> str:
        """Its path, the folder of its dataset if that is known, and the note of its run."""
        photos = tr("Dataset: {folder}", folder=self.photos) if self.photos else ""
        return "\n".join(filter(None, (self.checkpoint, photos, self.note)))


def when(name: str) -> str:
    """When the run in a folder of this name began, to the minute; "" if the name doesn't say."""
    found = _WHEN.match(name)
    return f"{found[1]} {found[2]}:{found[3]}" if found else ""


def run_label(run: RunFacts) -> str:
    """A run as a person names it: its note, else "resnet18, scratch, 2026-11-23 14:05"."""
    return run.note or _folder_label(Path(run.path).name)


def checkpoint_label(checkpoint: str, runs: Sequence[RunFacts] = ()) -> str:
    """A checkpoint as a person names it: by the note of its run, if it is one of these `runs` and
    has one, else "resnet18, scratch, 2026-11-23 14:05". That is the best checkpoint of the run;
    others say what they are."""
    path = Path(checkpoint)
    note = next((each.note for each in runs if Path(each.path) == path.parent), "")
    run = note or _folder_label(path.parent.name)
    if not run:
        return path.name
    if path.name == "best.pth":
        return run
    if path.name == "last.pth":
        return tr("{run}, newest state", run=run)
    return tr("{file} of {run}", file=path.name, run=run)


def _folder_label(name: str) -> str:
    words, began = name.split("_"), when(name)
    if len(words) < 4 or words[-1] not in MODES:
        return name
    # <date>_<time>_<model>_<mode>, and the model's own name may hold underscores.
    model, mode = "_".join(words[2:-1]), tr(MODES[words[-1]])
    return tr("{model}, {mode}, {when}", model=model, mode=mode, when=began or words[0])


def resumable_runs(
    runs: Sequence[RunFacts], bare: str = "", *, bare_first: bool = False
) -> tuple[ResumableRun, ...]:
    """Those of `runs` (newest first) that have a checkpoint, and the `bare` weights of a
    models/last.pth, "" for none: before them where they are newer, `bare_first`."""
    offered = [_run(run) for run in runs if run.last]
    if bare:
        offered.insert(0 if bare_first else len(offered), elsewhere(bare))
    return tuple(offered)


def elsewhere(path: str) -> ResumableRun:
    """A checkpoint that is in no run folder of the list."""
    file = Path(path)
    return ResumableRun(path, file.name, str(file.parent))


def _run(run: RunFacts) -> ResumableRun:
    recipe = run.recipe
    name = Path(run.path).name
    return ResumableRun(
        checkpoint=run.last,
        title=run.note or _title(recipe, name),
        detail=_progress(run),
        when=when(name),
        photos=recipe.photos,
        note=run.note,
    )


def _title(recipe: Recipe, folder: str) -> str:
    if not when(folder):
        return folder
    return tr("{model}, {mode}", model=recipe.model, mode=tr(MODES[recipe.mode]))


def _progress(run: RunFacts) -> str:
    """12 of 30 epochs done, best 86%"""
    total = run.recipe.epochs
    values = {"done": f"{run.epochs_done:,}", "best": percent(run.best_accuracy)}
    if run.finished and run.best_accuracy:
        return trn(
            "its epoch done, best {best}", "all {count} epochs done, best {best}", total, **values
        )
    if run.finished:
        return trn("its epoch done", "all {count} epochs done", total)
    if run.best_accuracy:
        return trn(
            "{done} of {count} epoch done, best {best}",
            "{done} of {count} epochs done, best {best}",
            total,
            **values,
        )
    return trn("{done} of {count} epoch done", "{done} of {count} epochs done", total, **values)
