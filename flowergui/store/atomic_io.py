"""Files that are there whole or not at all."""

import os
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from flowergui.errors import FlowerError

TMP_SUFFIX: Final = ".tmp"
"""How the names of files end that are being written; they begin with a dot."""

RETRIES = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()
"""Seconds between attempts to put a file in its place."""

FS_ENCODING_ERRORS: Final = "surrogateescape"
"""How text that holds names of files is read and written: these need not be text, and what is no
UTF-8 in them passes through as it is."""


def temp_path(path: Path) -> Path:
    """A new name next to `path` for what shall take its place once it is whole."""
    return path.with_name(f".{path.name}.{uuid4().hex}{TMP_SUFFIX}")


def replace_with_retry(source: Path, target: Path) -> None:
    """os.replace, tried again where Windows refuses it because something, a virus scanner or an
    indexer, looks at the file just then. Raises OSError."""
    for wait in RETRIES:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(source, target)


def write(path: Path, text: str) -> None:
    """Puts `text` at `path`, whole or not at all. Raises FlowerError."""
    try:
        half = temp_path(path)
        try:
            with half.open("xb") as file:
                file.write(text.encode("utf-8", FS_ENCODING_ERRORS))
                file.flush()
                os.fsync(file.fileno())
            replace_with_retry(half, path)
        except BaseException:
            half.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FlowerError(
            f"{path.name} can't be written into {path.parent}: {error.strerror or error}.",
            hint="Make room there, or choose another folder for models.",
        ) from error
