"""Process-wide settings that make the program faster or the window more responsive.

`TRICKS` lists all of them with what was measured. FLOWERGUI_TUNING=off switches all of them off,
FLOWERGUI_TUNING=no-malloc,no-gc those that it names.
"""

import ctypes
import gc
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

SWITCH: Final = "FLOWERGUI_TUNING"
"""The environment variable that switches tricks off."""


class Trick(StrEnum):
    """A process-wide setting, by the name that switches it off."""

    MALLOC = "malloc"
    OPENMP = "openmp"
    GC = "gc"
    SWITCH_INTERVAL = "switch-interval"
    PRELOAD = "preload"
    CUDA_BINDINGS = "cuda-bindings"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a trick does, what was measured (on two cores), and whether it is there for the
    window's response time, not for speed."""

    does: str
    gain: str
    for_response_time: bool = False


TRICKS: Final = {
    Trick.MALLOC: Effect(
        "glibc keeps freed memory, in one arena, instead of returning it to the system.",
        "25% of training time, more in bfloat16; one arena: 2 to 5% in the window, and 11% of "
        "resnet50's memory. Memory use grows by 12 to 25%.",
    ),
    Trick.OPENMP: Effect(
        "OpenMP's threads sleep while they wait for each other, instead of spinning.",
        "With one other busy program, a convolution takes 4 ms instead of 12 (in bfloat16 2).",
    ),
    Trick.GC: Effect(
        "The cyclic garbage collector rests while torch and long lists of images are loaded, and "
        "ignores these objects afterwards.",
        "The window's modules load in 1.28 s instead of 1.46; no pauses of 0.4 s per million "
        "objects.",
        for_response_time=True,
    ),
    Trick.SWITCH_INTERVAL: Effect(
        "Python threads switch after 0.1 ms instead of 5.",
        "Beside a busy thread, another one waits 0.3 ms for its turn instead of 5.2 (medians).",
        for_response_time=True,
    ),
    Trick.PRELOAD: Effect(
        "torch's libraries are loaded without holding Python's global lock.",
        "No pauses of up to 0.33 s while the window is shown.",
        for_response_time=True,
    ),
    Trick.CUDA_BINDINGS: Effect(
        "pyqtgraph does not import the CUDA bindings that torch has installed.",
        "pyqtgraph loads in 0.64 s instead of 0.77, of some 1.5 s to the first paint.",
    ),
}

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
"""Parameters of mallopt(3)."""

_TOP_PAD_BYTES = 64 << 20

SWITCH_INTERVAL_S: Final = 0.0001

MIN_GC_OBJECTS: Final = 20_000
"""From so many new objects on, the collector would take notably long."""


def enabled(trick: Trick) -> bool:
    """Whether the environment leaves this trick on."""
    switched_off = os.environ.get(SWITCH, "").lower().replace(" ", "").split(",")
    return "off" not in switched_off and f"no-{trick}" not in switched_off


def tune_malloc() -> bool:
    """Tells glibc to keep freed memory. Returns whether it does.

    It must be called before there are threads. torch frees memory at every step, and taking it
    from the system again, page by page, costs time.
    """
    return enabled(Trick.MALLOC) and platform.libc_ver()[0] == "glibc" and _set_malloc_options()


@cache
def _set_malloc_options() -> bool:
    mallopt = ctypes.CDLL(None).mallopt
    options = {
        _M_MMAP_MAX: 0,
        _M_TRIM_THRESHOLD: 2**31 - 1,
        _M_TOP_PAD: _TOP_PAD_BYTES,
        _M_ARENA_MAX: 1,
    }
    done = [mallopt(option, value) for option, value in options.items()]
    return all(done)


def set_openmp_wait_policy() -> None:
    """Lets OpenMP's threads sleep while they wait.

    It must be called before torch is loaded. The user's own OMP_WAIT_POLICY is left alone.
    GNU's OpenMP otherwise spins for milliseconds at the end of each operation, and if another
    program needs the core, each operation takes as long as a time slice.
    """
    if enabled(Trick.OPENMP):
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def set_switch_interval() -> None:
    """Lets the window's thread interrupt others sooner: to paint once, it needs dozens of turns."""
    if enabled(Trick.SWITCH_INTERVAL):
        sys.setswitchinterval(SWITCH_INTERVAL_S)


def pause_gc_at_start() -> None:
    """Switches the garbage collector off until `torch_loading` ends: hardly anything becomes
    garbage before."""
    if enabled(Trick.GC):
        gc.disable()


@contextmanager
def torch_loading() -> Iterator[None]:
    """Keeps the window responsive while another thread imports torch.

    torch creates half a million objects that stay; the collector would go through them again and
    again. Afterwards it ignores them, which spares a run its pauses, too. And loading torch's
    libraries would hold Python's global lock for a third of a second.
    """
    paused = enabled(Trick.GC)
    if paused:
        gc.disable()
    try:
        if enabled(Trick.PRELOAD) and "torch" not in sys.modules:
            _load_torch_libraries()
        yield
    finally:
        gc.enable()
    if paused and "torch" in sys.modules and not gc.get_freeze_count():
        gc.freeze()


def _load_torch_libraries() -> None:
    """Loads torch's libraries through ctypes, which releases the global lock; an import doesn't.
    Linux only. If it fails, the import loads them."""
    if not sys.platform.startswith("linux"):
        return
    set_openmp_wait_policy()
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return
    library = Path(spec.origin).parent / "lib" / "libtorch_python.so"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    dlopen(os.fsencode(library), os.RTLD_LAZY)


@contextmanager
def gc_paused(count: Callable[[], int]) -> Iterator[None]:
    """Pauses the garbage collector while many long-lived objects are created.

    `count` gives their number at the end. From MIN_GC_OBJECTS on the collector ignores them
    afterwards; they are still freed when nothing refers to them. While it goes through a million
    objects, no other thread can run for 0.4 s.
    """
    if not enabled(Trick.GC):
        yield
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        if count() > MIN_GC_OBJECTS:
            gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def cuda_bindings_hidden() -> Iterator[None]:
    """Lets imports of the module "cuda" fail, unless it is loaded already."""
    if not enabled(Trick.CUDA_BINDINGS) or "cuda" in sys.modules:
        yield
        return
    sys.modules["cuda"] = None  # type: ignore[assignment]  # the import system's way
    try:
        yield
    finally:
        del sys.modules["cuda"]
