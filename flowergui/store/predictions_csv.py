"""What a network says of photos whose class is known, as a table for spreadsheets (CSV)."""

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import PhotoEvaluated


@contextmanager
def table(path: Path) -> Iterator[Callable[[PhotoEvaluated], None]]:
    """Opens `path` for a header and a line a photo, and gives what writes one. Raises FlowerError
    where it can't be written."""
    with _refused(path):
        # With a mark in front Excel takes it for UTF-8; names of files need not be text.
        errors = sys.getfilesystemencodeerrors()
        file = path.open("w", encoding="utf-8-sig", errors=errors, newline="")
        writer = csv.writer(file)
        writer.writerow(["path", "label", "guess", "right", "probability", "label_probability"])

    def write(judged: PhotoEvaluated) -> None:
        shares = (f"{share:.6f}" for share in (judged.probability, judged.label_probability))
        with _refused(path):
            writer.writerow(
                [judged.path, judged.label, judged.predicted, int(judged.correct), *shares]
            )

    try:
        yield write
    finally:
        with _refused(path):
            file.close()


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FlowerError(f"{path} can't be written: {error.strerror or error}.") from error
