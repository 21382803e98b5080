"""Signals end the program as its close button does, and ask nothing."""

import os
import signal
import sys

import pytest

from flowergui.desktop.threads.unix_signals import EndSignals
from flowergui.system.end_signals import end_signals


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
@pytest.mark.parametrize("number", end_signals())
def test_they_are_told_at_once(qtbot, number):
    before = signal.getsignal(number)
    signals = EndSignals()
    try:
        with qtbot.waitSignal(signals.asked, timeout=2_000):
            os.kill(os.getpid(), number)
    finally:
        signals.close()
    assert signal.getsignal(number) == before
