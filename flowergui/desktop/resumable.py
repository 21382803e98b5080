"""What can be gone on with, in the few words that lists and menus have room for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.desktop.card import percent
from flowergui.events import RunFacts

_WHEN = re.compile(r"(\d{4}-\d\d-\d\d)_(\d\d)-?(\d\d)")


@dataclass(frozen=True, slots=True)
class Resumable:
    """A checkpoint that can be resumed, in a few words."""

    checkpoint: str
    title: str
    detail: str
    when: str = ""


def resumables(runs: Sequence[RunFacts], bare: str = "") -> tuple[Resumable, ...]:
    """Those of `runs` (newest first) that have a checkpoint, and the `bare` weights of a
    models/last.pth, "" for none: before them where they are newer."""
    offered = [_run(run) for run in runs if run.last]
    if bare:
        first = not offered or _written(bare) > _written(offered[0].checkpoint)
        offered.insert(0 if first else len(offered), elsewhere(bare))
    return tuple(offered)


def elsewhere(path: str) -> Resumable:
    """A checkpoint that is in no list of runs."""
    file = Path(path)
    return Resumable(path, file.name, str(file.parent))


def _run(run: RunFacts) -> Resumable:
    recipe = run.recipe
    name = Path(run.path).name
    when = _WHEN.match(name)
    done = f"epoch {run.epochs_done:,} of {recipe.epochs:,}"
    if run.finished:
        done = f"all {recipe.epochs:,} epochs done"
    best = f", best {percent(run.best_accuracy)}" if run.best_accuracy else ""
    return Resumable(
        checkpoint=run.last,
        title=f"{recipe.model}, {recipe.mode}" if when else name,
        detail=done + best,
        when=f"{when[1]} {when[2]}:{when[3]}" if when else "",
    )


def _written(path: str) -> float:
    """When a file was written, in seconds; long ago where it is not there any more."""
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
