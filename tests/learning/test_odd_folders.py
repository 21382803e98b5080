"""A few of the odd folders that the benchmark makes: nothing that a folder holds can stop it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "odd_folders.py"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="the watchdog reads /proc")
def test_odd_folders_neither_stop_nor_hang_anything() -> None:
    child = [sys.executable, str(BENCHMARK), "--folders", "4"]
    printed = subprocess.run(child, capture_output=True, text=True, check=True).stdout
    assert printed.endswith("0 tracebacks and hangs\n"), printed
    assert "4 of 4 folders" in printed
    assert "inspect {'done': " in printed
    assert "train {'done': " in printed
