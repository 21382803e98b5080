"""The shell commands that install into the environment that the program runs in."""

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec


def can_install() -> bool:
    """Whether there is such an environment: a program that PyInstaller made has none."""
    return not getattr(sys, "frozen", False)


def install_command(*words: str, reinstall: bool = False) -> str:
    """The command that installs `words`: requirements, and options of `pip install`. With
    `reinstall`, also what is installed already. Environments that uv makes have no pip."""
    if find_spec("pip") is None:
        command = ["uv", "pip", "install", "--python", sys.executable]
        command += ["--reinstall"] * reinstall
    else:
        command = [sys.executable, "-m", "pip", "install"]
        command += ["--force-reinstall"] * reinstall
    command += words
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)
