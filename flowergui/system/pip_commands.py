"""The shell commands with which pip installs into the environment that the program runs in."""

import os
import shlex
import subprocess
import sys


def install_command(*words: str, reinstall: bool = False) -> str:
    """The command that installs `words`: requirements, and options of `pip install`. With
    `reinstall`, also what is installed already."""
    command = [sys.executable, "-m", "pip", "install"]
    command += ["--force-reinstall"] * reinstall
    command += words
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)
