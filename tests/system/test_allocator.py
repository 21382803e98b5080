"""Memory is taken from one arena, whatever threads there are."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import ctypes, sys, threading
{first}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
wait = threading.Barrier(4)
def take():
    libc.malloc(1000)
    wait.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)
told = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(told))
libc.fclose(ctypes.c_void_p(told))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
@pytest.mark.parametrize(
    ("first", "setting", "one"),
    [
        ("from flowergui.__main__ import main; main(['runs'])", "", True),
        ("from flowergui.__main__ import main; main(['runs'])", "system", False),
        ("", "", False),
    ],
)
def test_the_program_takes_memory_from_one_arena(
    first: str, setting: str, one: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERGUI_MALLOC", setting)
    monkeypatch.setenv("FLOWERGUI_MODELS", str(tmp_path / "models"))
    told = tmp_path / "told.xml"
    command = [sys.executable, "-c", COUNT.format(first=first), told]
    subprocess.run(command, check=True, capture_output=True)
    arenas = told.read_text().count("<heap nr=")
    assert (arenas == 1) is one
