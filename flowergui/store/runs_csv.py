"""What runs came to, and their settings, as a table for spreadsheets (CSV)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from flowergui.config.recipe import SETTINGS
from flowergui.errors import FlowerError
from flowergui.events import RunListed

RESULTS = (
    "run", "note", "epochs_done", "best_epoch", "val_accuracy", "val_loss", "seconds", "bytes",
)  # fmt: skip
"""Its first columns; `val_accuracy` (0 to 1) and `val_loss` are those of the best epoch."""


def write(path: Path, runs: Sequence[RunListed]) -> None:
    """A header and a line a run; settings are written as on the command line. Raises FlowerError
    where it can't be written."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*RESULTS, "photos", *(each.name for each in SETTINGS)])
    for each in runs:
        run, best = each.run, each.best
        figures = ("", "", "") if best is None else (best.epoch, best.val_accuracy, best.val_loss)
        settings = (setting.written(getattr(run.recipe, setting.name)) for setting in SETTINGS)
        row = (
            run.path,
            _as_text(run.note),
            run.epochs_done,
            *figures,
            round(each.seconds, 3),
            each.size,
        )
        writer.writerow([*row, run.recipe.photos, *settings])
    try:
        # With a mark in front Excel takes it for UTF-8; names of folders need not be text.
        path.write_bytes(text.getvalue().encode("utf-8-sig", "backslashreplace"))
    except OSError as error:
        raise FlowerError(f"{path} can't be written: {error.strerror or error}.") from error


def _as_text(note: str) -> str:
    """A note that no spreadsheet takes for a formula (as OWASP's page on CSV injection has it)."""
    return f"'{note}" if note.startswith(("=", "+", "-", "@")) else note
