"""Output that can't be written: a full disk, closed streams."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command_line import PLAIN, only_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")

TOLD = "flowergui: The output can't be written: No space left on device."


def run(redirections: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """The outcome of `flowergui` with these redirections of a shell."""
    words = [sys.executable, "-m", "flowergui", *argv]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *words],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_full_disk_is_told_in_a_sentence(flowers: Path, options: tuple[str, ...]) -> None:
    done = run(">/dev/full", "inspect", str(flowers), *options)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"{TOLD} Send it to another place."
    assert "Traceback" not in done.stderr


def test_a_run_goes_on_without_its_output(flowers: Path, tmp_path: Path) -> None:
    options = (*PLAIN, "--epochs", "2", "--models-folder", str(tmp_path), "--json")
    done = run(">/dev/full", "train", str(flowers), *options)
    assert done.returncode == 1  # something could not be done
    assert done.stderr == f"{TOLD} The run goes on.\n"
    last = torch.load(only_run(tmp_path) / "last.pth", weights_only=True)
    assert last["epoch"] == 3  # it has done both


@pytest.mark.parametrize(
    ("redirections", "argv", "code", "printed"),
    [
        (">&-", ("inspect", "{flowers}"), 0, ""),
        (">&- 2>&-", ("inspect", "{flowers}", "--json"), 0, ""),
        ("2>&-", ("inspect", "nowhere"), 2, ""),
        ("2>/dev/full", ("inspect", "nowhere"), 2, ""),
        (">&-", ("inspect", "nowhere"), 2, "flowergui: There is no folder"),
        ("<&- 2>&-", ("--version",), 0, "flowergui "),
    ],
)
def test_closed_streams_change_nothing_else(
    flowers: Path, redirections: str, argv: tuple[str, ...], code: int, printed: str
) -> None:
    done = run(redirections, *(word.format(flowers=flowers) for word in argv))
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert printed in done.stdout + done.stderr


def test_a_file_that_is_opened_does_not_become_stdout(flowers: Path, tmp_path: Path) -> None:
    """A closed stream's number would be that of the next file, into which libraries print."""
    code = (
        "import os, sys; from flowergui.cli.console import prepare_streams; prepare_streams(); "
        "file = open(sys.argv[1], 'w'); os.write(1, b'x'); sys.exit(file.fileno())"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "file")]
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], timeout=60)
    assert done.returncode > 2
    assert (tmp_path / "file").read_bytes() == b""
