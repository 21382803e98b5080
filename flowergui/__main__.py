"""The entry point: runs the command that is named, or opens the window."""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

from flowergui import language
from flowergui.cli import commands
from flowergui.cli.console import complain, prepare_streams
from flowergui.errors import FlowerError
from flowergui.store import archives
from flowergui.system import tuning
from flowergui.system.display import missing_library, require_display
from flowergui.text import tr


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program with the arguments `argv`, by default the process's own. Returns the exit
    code: 2 if the input was refused or there is no screen; else the command's or the window's."""
    tuning.tune_malloc()  # before there are threads
    words = list(sys.argv[1:] if argv is None else argv)
    language.use(language.preferred(language.system_tags()))
    prepare_streams()
    try:
        if asked := language.asked_for():
            language.use(asked)
        if words and (words[0] in commands.COMMANDS or words[0].startswith("-")):
            return commands.run(words)
        return _window(_folder(words))
    except FlowerError as error:
        complain(error)
        return commands.REFUSED


def _folder(words: Sequence[str]) -> str | None:
    """The folder to open in the window, None for no folder. Raises FlowerError if the first word is
    neither a folder nor a command."""
    if not words:
        return None
    first = words[0]
    if not first or not archives.is_dataset(first):
        near = get_close_matches(first, commands.COMMANDS, n=1)
        known = ", ".join(commands.COMMANDS)
        hint = (
            tr("Did you mean {command}? The commands are {known}.", command=near[0], known=known)
            if near
            else tr("The commands are {known}.", known=known)
        )
        message = tr("{word} is neither a folder nor a command.", word=repr(first))
        raise FlowerError(message, hint=hint)
    if len(words) > 1:
        raise FlowerError(
            tr("The window opens one folder, but {word} was given too.", word=repr(words[1])),
            hint=tr("Put quotation marks around a path with spaces."),
        )
    return os.path.abspath(first)  # a run must find its images wherever it is resumed from


def _window(folder: str | None) -> int:
    require_display()
    if sys.platform == "win32":
        # Loaded after Qt, torch fails there with a DLL error (pytorch/pytorch#166628).
        import_module("flowergui.learning.device.hardware")
    tuning.pause_gc_at_start()
    try:
        from flowergui.desktop.app import main as window
    except ImportError as error:
        if "PySide6" not in f"{error.name} {error.path}":
            raise
        raise missing_library(error) from error
    return window(folder)


if __name__ == "__main__":
    sys.exit(main())
