"""How the program takes memory from the system."""

import ctypes
import os
import platform
from functools import cache

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
"""mallopt(3)'s numbers."""


@cache
def tune_malloc() -> bool:
    """Tells glibc to keep the memory that torch frees at every step, instead of giving it back
    and taking it again page by page: that costs a quarter of training time and more in
    bfloat16. Memory use grows by an eighth to a quarter.

    And to take all of it from one arena, if it is told before there are other threads: another one
    for each costs a run in a window's thread 2 to 5% of its speed (all layers of resnet18, two
    cores), and resnet50 an eighth more memory.

    Linux with glibc only; FLOWERGUI_MALLOC=system leaves it as it is. Returns whether it was done.
    """
    if os.environ.get("FLOWERGUI_MALLOC") == "system" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wishes = {
        _MMAP_MAX: 0,
        _TRIM_THRESHOLD: 2**31 - 1,
        _TOP_PAD: 64 << 20,
        _ARENA_MAX: 1,
    }
    done = [mallopt(number, value) for number, value in wishes.items()]  # all, whatever fails
    return all(done)
