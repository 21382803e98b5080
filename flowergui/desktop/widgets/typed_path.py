"""Paths as people type and paste them, and as other programs hand them over."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QUrl


def typed_path(text: str) -> str:
    """The path that a person typed or pasted; "" where nothing was typed.

    Quotes, as file managers put them, go; ~ and ~user become that user's home, where there is
    such a user; file: addresses become paths of this system (file:///C:/photos is C:\\photos on
    Windows). In these, # and ? are a part of the name, as files have no other use for them.
    """
    text = text.strip().strip("\"'").strip()
    if text.lower().startswith("file:"):
        text = local_path(QUrl(text.replace("#", "%23").replace("?", "%3F")))
    return str(Path(os.path.expanduser(text))) if text else ""


def shown_path(path: str) -> str:
    """`path` as a text: bytes that are no UTF-8 are shown as a terminal shows them, while Qt would
    leave them out. Typed again, it is the same path (see `tasks.sort_paths`)."""
    return os.fsencode(path).decode("utf-8", "replace") if os.name != "nt" else path


def local_path(url: QUrl) -> str:
    """The path of a file: address. Qt replaces bytes that are no UTF-8; here they stay, as in
    `os.fsdecode`."""
    path = url.toLocalFile()
    if "\N{REPLACEMENT CHARACTER}" not in path or os.name == "nt":
        return path
    return os.fsdecode(unquote_to_bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded)))
