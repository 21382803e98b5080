"""Tables for spreadsheets (CSV): predictions for images, results of runs, and what is on screen."""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from flowergui.config.recipe import SETTINGS
from flowergui.errors import FlowerError
from flowergui.events import PhotoEvaluated, Predicted, PredictionFailed, RunListed
from flowergui.store import atomic_io
from flowergui.text import tr

PREDICTION_COLUMNS = ("path", "label", "predicted", "correct", "probability", "label_probability")
"""`correct` is 1 or 0; the probabilities, from 0 to 1, are those of `predicted` and `label`."""

PHOTO_COLUMNS = (
    "path", "predicted", "probability", "second", "second_probability", "problem",
)  # fmt: skip
"""The two most probable classes of an image, or the problem why it could not be read."""

RUN_COLUMNS = (
    "run", "note", "epochs_done", "best_epoch", "val_accuracy", "val_loss", "seconds", "bytes",
    "photos", *(setting.name for setting in SETTINGS),
)  # fmt: skip
"""`val_accuracy` (0 to 1) and `val_loss` are those of the best epoch. Settings are written as on
the command line."""


@contextmanager
def predictions_table(path: Path) -> Iterator[Callable[[PhotoEvaluated], None]]:
    """Gives a function that adds a row for an evaluated image to a table at `path`.

    The table takes the place of `path` when the block ends. If the block raises, a file that was
    there stays as it was. Raises FlowerError if `path` can't be written, before the block begins
    where possible.
    """
    with _table(path, PREDICTION_COLUMNS, sys.getfilesystemencodeerrors()) as add:

        def write(photo: PhotoEvaluated) -> None:
            known = photo.probability, photo.label_probability
            shares = ("" if share is None else f"{share:.6f}" for share in known)
            add([photo.path, photo.label, photo.predicted, int(photo.correct), *shares])

        yield write


@contextmanager
def photos_table(path: Path) -> Iterator[Callable[[Predicted | PredictionFailed], None]]:
    """The same for images whose classes nobody knows."""
    with _table(path, PHOTO_COLUMNS, sys.getfilesystemencodeerrors()) as add:

        def write(event: Predicted | PredictionFailed) -> None:
            if isinstance(event, PredictionFailed):
                add([event.path, "", "", "", "", event.reason])
                return
            cells = [(each.name, f"{each.probability:.6f}") for each in event.predictions[:2]]
            first, second = (*cells, ("", ""))[:2]
            add([event.path, *first, *second, ""])

        yield write


def write_runs(path: Path, runs: Iterable[RunListed]) -> None:
    """Writes a table with a row for each run to `path`. Raises FlowerError if it can't be
    written."""
    with _table(path, RUN_COLUMNS, "backslashreplace") as add:
        for listed in runs:
            run, best = listed.run, listed.best
            scores: tuple[Any, ...] = ("", "", "")
            if best is not None:
                scores = (best.epoch, best.val_accuracy, best.val_loss)
            settings = (each.written(getattr(run.recipe, each.name)) for each in SETTINGS)
            results = (run.path, _as_text(run.note), run.epochs_done, *scores)
            add([*results, round(listed.seconds, 3), listed.size, run.recipe.photos, *settings])


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Writes texts as a table to `path`; the first row is that of the columns' heads. Raises
    FlowerError if it can't be written."""
    texts = (map(_as_text, row) for row in rows)
    with _table(path, next(texts, ()), "backslashreplace") as add:
        for row in texts:
            add(row)


@contextmanager
def _table(
    path: Path, columns: Iterable[str], errors: str
) -> Iterator[Callable[[Iterable[Any]], None]]:
    with ExitStack() as stack:
        with _writing(path):
            # utf-8-sig: Excel takes a file for UTF-8 only if it begins with this mark.
            file = stack.enter_context(
                atomic_io.open_whole(path, encoding="utf-8-sig", errors=errors)
            )
            writer = csv.writer(file)
            writer.writerow(columns)

        def add(row: Iterable[Any]) -> None:
            with _writing(path):
                writer.writerow(row)

        yield add
        with _writing(path):
            stack.pop_all().close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(tr("{path} can't be written: {reason}.", path=path, reason=reason)) from (
            error
        )


def _as_text(note: str) -> str:
    """A note that no spreadsheet takes for a formula (OWASP, CSV Injection)."""
    return f"'{note}" if note.startswith(("=", "+", "-", "@")) else note
