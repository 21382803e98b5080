"""What `flowergui` starts: the window, a command, and nothing that it does not need."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowergui import __version__
from flowergui.__main__ import main


def test_without_a_command_the_window_opens(flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str | None] = []
    app = ModuleType("flowergui.desktop.app")

    def window(folder: str | None) -> int:
        opened.append(folder)
        return 7

    vars(app)["main"] = window
    monkeypatch.setitem(sys.modules, "flowergui.desktop.app", app)

    assert main([]) == 7
    assert main([str(flowers)]) == 7
    assert opened == [None, str(flowers)]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"flowergui {__version__}\n"


def test_the_command_line_loads_no_window_and_starts_without_torch(flowers: Path) -> None:
    code = """
import sys
import flowergui.__main__, flowergui.cli.commands
print("torch" in sys.modules, "PySide6" in sys.modules, flush=True)
left = flowergui.__main__.main(["inspect", sys.argv[1], "--json"])
print(left, "PySide6" in sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", code, str(flowers)], capture_output=True, text=True, timeout=120
    )

    lines = done.stdout.splitlines()
    assert lines[0] == "False False"
    assert json.loads(lines[-2])["event"] == "Scanned"
    assert lines[-1] == "0 False"
