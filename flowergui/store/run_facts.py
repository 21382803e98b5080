"""What lists of runs show: read from the small files of a run folder, never from a checkpoint."""

import os
import re
from contextlib import suppress
from datetime import datetime
from typing import Final

from flowergui.errors import FlowerError
from flowergui.events import BatchDone, RunListed
from flowergui.facts import RunFacts
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

CLOCK_SLACK_S: Final = 120.0
"""How far the clock of a file server may be ahead of this machine's."""

_STARTS_WITH_A_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d_")


def run_facts(run: RunFolder) -> RunFacts:
    """The recipe of a run and its progress. Raises FlowerError if it has no readable recipe."""
    done, newest = run.history.newest()
    epochs = done.epoch if done else 0
    under_way = isinstance(newest, BatchDone) and newest.epoch > epochs
    last = run.newest()
    return RunFacts(
        path=str(run.path),
        recipe=run.recipe(),
        class_count=class_count(run),
        epochs_done=epochs,
        best_accuracy=done.best_accuracy if done else 0.0,
        last=str(last) if last else "",
        best=str(run.best) if os.path.isfile(run.best) else "",
        batch=newest.batch if isinstance(newest, BatchDone) and under_way else 0,
        note=run.note(),
    )


def run_listed(run: RunFolder) -> RunListed:
    """The results of a run. Raises FlowerError if it has no readable recipe, or if a file in it
    can't be read."""
    facts, epochs = run_facts(run), tuple(run.history.epochs())
    try:
        size = size_in_bytes(run)
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(
            tr("The run in {folder} can't be read: {reason}.", folder=run.path, reason=reason)
        ) from error
    # A change of the dataset restarts the search for the best epoch, so the run itself says it.
    number = epochs[-1].best_epoch if epochs else 0
    best = next((epoch for epoch in epochs if epoch.epoch == number), None)
    if best is not None and best.val_accuracy is None:
        best = None
    seconds = sum(epoch.seconds for epoch in epochs)
    return RunListed(facts, epochs, best, seconds, size, started_at(run))


def class_count(run: RunFolder) -> int:
    """The number of classes. Older runs, which lack classes.json, have it in split.csv only."""
    return len(run.classes()) or len({name for _, name, _, _ in run.split_and_sizes()})


def size_in_bytes(run: RunFolder) -> int:
    """The size of all files in the folder. A file with two names (a hard link) counts once."""
    files: dict[tuple[int, int], int] = {}
    for path in run.path.iterdir():
        with suppress(OSError):  # a run that is training replaces its files
            facts = path.stat()
            files[facts.st_dev, facts.st_ino] = facts.st_size
    return sum(files.values())


def started_at(run: RunFolder) -> str:
    """When the run started, as text that sorts by time: from the name of its folder, or, if the
    user has renamed it, the time of its last change."""
    if _STARTS_WITH_A_DATE.match(run.path.name):
        return run.path.name
    time = 0.0
    with suppress(OSError):
        time = run.path.stat().st_mtime
        time = run.history.path.stat().st_mtime
    return _as_text(time)


def last_trained(run: RunFolder, now: float) -> tuple[bool, str, float]:
    """What sorts runs by the time when they were last trained: when the newest checkpoint was
    written, or, if there is none, when the run started. A checkpoint from after `now` (seconds, as
    time.time() has them) was written before the clock was set back, so it sorts before others."""
    time = 0.0
    with suppress(OSError):
        if newest := run.newest():
            time = newest.stat().st_mtime
    return time <= now + CLOCK_SLACK_S, _as_text(time) if time else started_at(run), time


def _as_text(time: float) -> str:
    with suppress(ValueError, OverflowError, OSError):  # a file system may hold any number
        return f"{datetime.fromtimestamp(time):%Y-%m-%d_%H-%M-%S}"
    return ""
