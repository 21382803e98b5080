"""What can be gone on with, in the few words that lists and menus have room for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.facts import (
    RunFacts,
)
from flowergui.text import (
    percent,
    plural,
)

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
        """Where it is, the photos that it learned from, as far as that is known, and what was
        noted on it."""
        photos = f"Photos: {self.photos}" if self.photos else ""
        return "\n".join(filter(None, (self.checkpoint, photos, self.note)))


def when(name: str) -> str:
    """When the run in a folder of this name began, to the minute; "" where it doesn't tell."""
    found = _WHEN.match(name)
    return f"{found[1]} {found[2]}:{found[3]}" if found else ""


def spoken(checkpoint: str) -> str:
    """A checkpoint as a person names it: best.pth of 2026-11-23 14:05 resnet18 scratch."""
    path = Path(checkpoint)
    words, began = path.parent.name.split("_"), when(path.parent.name)
    if len(words) >= 4:
        # <date>_<time>_<model>_<mode>, and the model's own name may hold underscores.
        return f"{path.name} of {began or words[0]} {'_'.join(words[2:-1])} {words[-1]}"
    return f"{path.name} of {path.parent.name}" if path.parent.name else path.name


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
    """A checkpoint that is in no list of runs."""
    file = Path(path)
    return ResumableRun(path, file.name, str(file.parent))


def _run(run: RunFacts) -> ResumableRun:
    recipe = run.recipe
    name = Path(run.path).name
    began = when(name)
    done = f"{run.epochs_done:,} of {plural(recipe.epochs, 'epoch')} done"
    if run.finished:
        done = f"all {recipe.epochs:,} epochs done" if recipe.epochs > 1 else "its epoch done"
    best = f", best {percent(run.best_accuracy)}" if run.best_accuracy else ""
    return ResumableRun(
        checkpoint=run.last,
        title=f"{recipe.model}, {recipe.mode}" if began else name,
        detail=done + best,
        when=began,
        photos=recipe.photos,
        note=run.note,
    )
