"""torch is loaded beside the window, without Python's collector in its way."""

import gc
import subprocess
import sys

import pytest

from flowergui import tasks
from flowergui.desktop.threads import preload_torch

LOAD = """
import gc, os
gc.disable()  # as the program starts
from flowergui.desktop.threads import preload_torch
(told,) = preload_torch.load()
assert len(told.models) > 50
assert gc.isenabled()
assert gc.get_freeze_count() > 100_000, gc.get_freeze_count()
assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
import torch
assert torch.ones(3, 3).mm(torch.ones(3, 3)).sum() == 27
frozen = gc.get_freeze_count()
(told,) = preload_torch.load()  # a second window: nothing more is left out
assert len(told.models) > 50
assert gc.get_freeze_count() <= frozen
assert gc.isenabled()
"""


def test_torch_comes_and_the_collector_leaves_it_out():
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_where_it_fails_the_collector_goes_on(monkeypatch):
    def broken():
        raise RuntimeError("no torch")
        yield

    monkeypatch.setattr(tasks, "list_models", broken)
    with pytest.raises(RuntimeError):
        list(preload_torch.load())
    assert gc.isenabled()
