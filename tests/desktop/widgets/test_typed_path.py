"""Paths as people type and paste them."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl

from flowergui.desktop.widgets.typed_path import local_path, shown_path, typed_path

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
        ("file:///photos/a#b", "/photos/a#b"),
        ("file:///photos/a%23b?c", "/photos/a#b?c"),
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


@pytest.mark.skipif(WINDOWS, reason="names are Unicode there")
def test_bytes_that_are_no_utf8_stay() -> None:
    """Qt replaces them by U+FFFD, and leaves them out of its own strings."""
    assert local_path(QUrl("file:///photos/caf%E9%20%C3%A9.png")) == "/photos/caf\udce9 é.png"
    assert local_path(QUrl("file:///photos/%EF%BF%BD.png")) == "/photos/\ufffd.png"
    assert typed_path("file:///photos/caf%E9") == "/photos/caf\udce9"
    assert shown_path("/photos/caf\udce9") == "/photos/caf\ufffd"
