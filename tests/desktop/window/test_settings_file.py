"""The window opens whatever its settings file holds, and closes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtWidgets import QMainWindow, QPushButton, QSplitter
from scripted import find

from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.widgets.windows import screen_size

KEYS = ("geometry", "columns", "folded/foldLayersButton", "recent", "theme", "zoom")

WRONG = (
    "abc", "", "12", "true", "a, b, c", "x" * 100_000, "@Invalid()", "@Size(1 2)", "@Rect(0 0 0 0)",
    "@ByteArray()", "@ByteArray(abc)", r"@ByteArray(\0\0\0\0\0\0\0\0)", "@ByteArray(", "@None(1)",
    r"@Variant(\0\0\0\t\0\0\0\x1)", "\\x", "%%%", "=;=", "\udcff\udcfe",
)  # fmt: skip


def wild_geometry() -> QByteArray:
    """That of a window elsewhere, with each number in it far too large."""
    saved = bytearray(QMainWindow().saveGeometry().data())
    return QByteArray(bytes(saved[:8]) + b"\x7f" * (len(saved) - 8))


def upright() -> QByteArray:
    splitter = QSplitter(Qt.Orientation.Vertical)
    for _ in range(5):
        splitter.addWidget(QPushButton(splitter))
    splitter.setSizes([10**6, 0, 0, 0, 0])
    return splitter.saveState()


def ini(settings: Path) -> Path:
    (settings / "flowergui").mkdir()
    return settings / "flowergui" / "flowergui.ini"


def write(settings: Path, value: object) -> None:
    """Puts this under all keys; a text as it stands in the file."""
    if isinstance(value, str):
        lines = "".join(f"{key}={value}\n" for key in KEYS)
        ini(settings).write_bytes(f"[General]\n{lines}".encode("utf-8", "surrogateescape"))
        return
    stored = QSettings(str(ini(settings)), QSettings.Format.IniFormat)
    for key in KEYS:
        stored.setValue(key, value() if isinstance(value, Callable) else value)
    stored.sync()


def opens(qtbot, window: MainWindow) -> None:
    assert window.isVisible()
    room = screen_size()
    assert window.width() <= room.width()
    assert window.height() <= room.height()
    assert find(window, QSplitter, "columns").orientation() == Qt.Orientation.Horizontal
    assert find(window, QPushButton, "browseButton").isEnabled()


@pytest.mark.parametrize(
    "value",
    [*WRONG, 7, 1.5, True, QSize(1, 2), ["a", ""], [b"x"], {"a": 1}, wild_geometry, upright],
    ids=lambda value: getattr(value, "__name__", repr(value)[:20]),
)
def test_it_opens_with_any_value(qtbot, settings: Path, value: object, request) -> None:
    write(settings, value)
    opens(qtbot, request.getfixturevalue("window"))


@pytest.mark.parametrize("content", [b"\0" * 1000, bytes(range(256)) * 9, b"[General", b"[a]\n=\n"])
def test_it_opens_with_any_file(qtbot, settings: Path, content: bytes, request) -> None:
    ini(settings).write_bytes(content)
    opens(qtbot, request.getfixturevalue("window"))


def test_it_opens_where_the_file_is_a_folder(qtbot, settings: Path, request) -> None:
    ini(settings).mkdir()
    opens(qtbot, request.getfixturevalue("window"))
