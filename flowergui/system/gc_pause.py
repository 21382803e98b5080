"""Python's garbage collector, kept from standing in the way."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

MIN_OBJECTS: Final = 20_000
"""Objects that the collector takes notably long to go through."""


@contextmanager
def gc_paused(count: Callable[[], int]) -> Iterator[None]:
    """For the making of objects that stay, a `count` of them at the end. The collector would go
    through all of them again and again meanwhile, and no other thread, the window's least of all,
    can work while it does: 0.4 s for a million. From MIN_OBJECTS on it never goes through them any
    more; they end with the last that refers to them all the same."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
        if count() > MIN_OBJECTS:
            gc.freeze()
    finally:
        if was:
            gc.enable()
