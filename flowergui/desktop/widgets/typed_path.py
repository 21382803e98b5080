"""Paths as people type and paste them."""

import os
from pathlib import Path

from PySide6.QtCore import QUrl


def typed_path(text: str) -> str:
    """The path that a person typed or pasted; "" where nothing was typed.

    Quotes, as file managers put them, go; ~ and ~user become that user's home, where there is
    such a user; file: addresses become paths of this system (file:///C:/photos is C:\\photos on
    Windows).
    """
    text = text.strip().strip("\"'").strip()
    if text.lower().startswith("file:"):
        text = QUrl(text).toLocalFile()
    return str(Path(os.path.expanduser(text))) if text else ""
