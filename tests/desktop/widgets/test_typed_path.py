"""Paths as people type and paste them."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl

from flowergui.desktop.widgets.typed_path import typed_path

WINDOWS = sys.platform == "win32"


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/photos/my flowers", "/photos/my flowers"),
        ("  '/photos/my flowers' ", "/photos/my flowers"),
        ('"/photos/my flowers"', "/photos/my flowers"),
        ("file:///photos/my%20flowers", "/photos/my flowers"),
        ("file:///photos/100%25", "/photos/100%"),
        ("FILE:///photos", "/photos"),
        ("file://nas/photos", "//nas/photos"),
        ("~", str(Path.home())),
        ("~nobody-of-this-name/x", "~nobody-of-this-name/x"),
        ("file:///C:/my%20photos", "C:/my photos" if WINDOWS else "/C:/my photos"),
    ],
)
def test_a_pasted_path_is_understood(typed: str, path: str) -> None:
    assert typed_path(typed) == str(Path(path))


@pytest.mark.parametrize("typed", ["", "  ", "''"])
def test_nothing_stays_nothing(typed: str) -> None:
    assert typed_path(typed) == ""


def test_a_drive_of_windows_stands_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt knows what file:///C:/photos is on each system; no rule of our own puts a / before it."""
    monkeypatch.setattr(QUrl, "toLocalFile", lambda url: url.path().removeprefix("/"))
    assert typed_path("file:///C:/photos") == str(Path("C:/photos"))
