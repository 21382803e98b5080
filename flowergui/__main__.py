"""The way in: the window, or a command when one is named."""

import gc
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from flowergui.cli import commands
from flowergui.cli.console import complain, prepare_streams
from flowergui.errors import FlowerError
from flowergui.system import allocator


def main(argv: Sequence[str] | None = None) -> int:
    """Does what `argv` (the program's own arguments where it is None) asks; the exit code."""
    allocator.tune_malloc()  # before there are threads
    words = list(sys.argv[1:] if argv is None else argv)
    if words and (words[0] in commands.COMMANDS or words[0].startswith("-")):
        return commands.run(words)
    prepare_streams()
    try:
        return _window(_folder(words))
    except FlowerError as error:
        complain(error)
        return commands.REFUSED


def _folder(words: Sequence[str]) -> str | None:
    """The folder that the window shall open. Raises FlowerError for what is neither a folder
    nor a command."""
    if not words:
        return None
    first = words[0]
    if not first or not Path(first).is_dir():
        near = get_close_matches(first, commands.COMMANDS, n=1)
        known = ", ".join(commands.COMMANDS)
        raise FlowerError(
            f"{first!r} is neither a folder nor a command.",
            hint=f"The commands are {known}." + (f" Did you mean {near[0]}?" if near else ""),
        )
    if len(words) > 1:
        raise FlowerError(
            f"The window opens one folder, and {words[1]!r} is one word too many.",
            hint="Put quotation marks around a path with spaces.",
        )
    return first


def _window(folder: str | None) -> int:
    if sys.platform == "win32":
        # Loaded after Qt, torch fails there with a DLL error (pytorch/pytorch#166628).
        import_module("flowergui.learning.device.hardware")
    gc.disable()  # until torch is there (see warm_up): until then, hardly anything becomes garbage
    try:
        from flowergui.desktop.app import main as window
    except ImportError as error:
        if "PySide6" not in f"{error.name} {error.path}":
            raise
        raise FlowerError(
            f"The window can't be opened: {error}.",
            hint="The README says what Qt needs here; the commands work without it.",
        ) from error
    return window(folder)


if __name__ == "__main__":
    sys.exit(main())
