"""The signals that ask the program to end; a run is saved first."""

import signal
from typing import Final

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGBREAK")
"""Ctrl-C; `kill` and a system that shuts down; a terminal that closed, or a lost ssh connection;
a time limit (`ulimit -t`, queues of a cluster); on Windows Ctrl-Break and a console that closes."""


def end_signals() -> tuple[signal.Signals, ...]:
    """Those that this system has. After `nohup`, SIGHUP is not among them: it stays ignored."""
    known = signal.Signals.__members__
    found = (known[name] for name in _NAMES if name in known)
    return tuple(
        each
        for each in found
        if each.name != "SIGHUP" or signal.getsignal(each) is not signal.SIG_IGN
    )
