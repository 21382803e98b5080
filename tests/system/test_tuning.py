"""Process-wide settings are listed in one table, and each can be switched off."""

import gc
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowergui.system import tuning
from flowergui.system.tuning import MIN_GC_OBJECTS, TRICKS, Trick, gc_paused

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


@pytest.fixture
def gc_enabled() -> Iterator[None]:
    """As it is in a new process, and afterwards as it was before."""
    was = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    if not was:
        gc.disable()


def test_every_trick_is_in_the_table_with_what_was_measured() -> None:
    assert set(TRICKS) == set(Trick)
    for effect in TRICKS.values():
        assert effect.does
        assert any(letter.isdigit() for letter in effect.gain)


def test_no_other_module_sets_what_is_process_wide() -> None:
    package = Path(tuning.__file__).parents[1]
    settings = ("gc.disable(", "gc.freeze(", "setswitchinterval(", "mallopt", "OMP_WAIT", "dlopen")
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if any(setting in path.read_text("utf-8") for setting in settings)
    }
    assert found == {"system/tuning.py"}


@pytest.mark.parametrize(
    ("switch", "off"),
    [
        ("", set()),
        ("on", set()),
        ("off", set(Trick)),
        ("OFF", set(Trick)),
        ("no-malloc", {Trick.MALLOC}),
        ("no-gc, no-switch-interval", {Trick.GC, Trick.SWITCH_INTERVAL}),
    ],
)
def test_tricks_are_switched_off(
    switch: str, off: set[Trick], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tuning.SWITCH, switch)
    assert {trick for trick in Trick if not tuning.enabled(trick)} == off


@pytest.mark.usefixtures("gc_enabled")
def test_switched_off_they_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tuning.SWITCH, "off")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    interval, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    assert not tuning.tune_malloc()
    tuning.set_openmp_wait_policy()
    tuning.set_switch_interval()
    tuning.pause_gc_at_start()
    with tuning.torch_loading(), gc_paused(lambda: MIN_GC_OBJECTS + 1):
        assert gc.isenabled()
    assert (sys.getswitchinterval(), gc.get_freeze_count()) == (interval, frozen)
    assert "OMP_WAIT_POLICY" not in os.environ
    with tuning.cuda_bindings_hidden():
        assert sys.modules.get("cuda", tuning) is not None


def test_an_own_choice_for_openmp_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    tuning.set_openmp_wait_policy()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    tuning.set_openmp_wait_policy()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_threads_switch_sooner() -> None:
    before = sys.getswitchinterval()
    try:
        tuning.set_switch_interval()
        assert sys.getswitchinterval() == pytest.approx(tuning.SWITCH_INTERVAL_S)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
@pytest.mark.parametrize(
    ("first", "switch", "one"),
    [
        ("from flowergui.__main__ import main; main(['runs'])", "", True),
        ("from flowergui.__main__ import main; main(['runs'])", "no-malloc", False),
        ("", "", False),
    ],
)
def test_the_program_takes_memory_from_one_arena(
    first: str, switch: str, one: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tuning.SWITCH, switch)
    monkeypatch.setenv("FLOWERGUI_MODELS", str(tmp_path / "models"))
    told = tmp_path / "told.xml"
    command = [sys.executable, "-c", COUNT.format(first=first), told]
    subprocess.run(command, check=True, capture_output=True)
    arenas = told.read_text().count("<heap nr=")
    assert (arenas == 1) is one


@pytest.mark.usefixtures("gc_enabled")
def test_it_rests_meanwhile_and_lets_the_many_be() -> None:
    kept: list[list[int]] = []
    before = gc.get_freeze_count()
    with gc_paused(lambda: len(kept)):
        assert not gc.isenabled()
        kept += [[number] for number in range(MIN_GC_OBJECTS + 1)]
    assert gc.isenabled()
    assert gc.get_freeze_count() - before > MIN_GC_OBJECTS


@pytest.mark.usefixtures("gc_enabled")
def test_few_are_gone_through_as_ever() -> None:
    before = gc.get_freeze_count()
    with gc_paused(lambda: MIN_GC_OBJECTS):
        pass
    assert gc.get_freeze_count() == before


@pytest.mark.usefixtures("gc_enabled")
def test_what_breaks_off_leaves_it_as_it_was() -> None:
    before = gc.get_freeze_count()
    with pytest.raises(ValueError, match="no"), gc_paused(lambda: MIN_GC_OBJECTS + 1):
        raise ValueError("no")
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, before)
    gc.disable()
    with gc_paused(lambda: 0):
        pass
    assert not gc.isenabled()
