"""torch comes into the program while its user looks at the window."""

import ctypes
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from flowergui import tasks
from flowergui.events import Event


def load() -> Iterator[Event]:
    """What `tasks.catalogue` tells; its first call imports torch and torchvision, which takes
    seconds, and would stop the window's thread for up to a third of a second again and again.

    Two things take the interpreter's lock for that long. Loading torch's libraries: it is done
    without the lock, before the import asks for them. And Python's collector of cycles: torch
    makes half a million objects that stay, and it goes through all of them each time. It rests
    while they come, and leaves them out from then on; a run is not stopped by it either.
    """
    gc.disable()
    try:
        if "torch" not in sys.modules:
            _load_libraries()
        yield from tasks.list_models()
    finally:
        gc.enable()
    if "torch" in sys.modules and not gc.get_freeze_count():
        gc.freeze()


def _load_libraries() -> None:
    """Has the system's loader load torch's libraries: a call by ctypes lets go of the lock, an
    import doesn't. Linux only; where it fails, the import does it all."""
    if not sys.platform.startswith("linux"):
        return
    import flowergui.learning  # noqa: F401  # sets what OpenMP reads when it is loaded

    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return
    library = Path(spec.origin).parent / "lib" / "libtorch_python.so"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    dlopen(os.fsencode(library), os.RTLD_LAZY)
