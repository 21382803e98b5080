"""Which signals ask the program to end."""

import signal
import sys

import pytest

from flowergui.system.end_signals import end_signals


def test_all_that_end_a_session_are_among_them() -> None:
    names = {each.name for each in end_signals()}
    assert names >= {"SIGINT", "SIGTERM"}
    if sys.platform == "win32":
        assert "SIGBREAK" in names  # also where the console closes
    else:
        assert names >= {"SIGHUP", "SIGXCPU"}


@pytest.mark.skipif(sys.platform == "win32", reason="no terminal hangs up there")
def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in end_signals()
    finally:
        signal.signal(signal.SIGHUP, before)
