"""A run whose process is killed, in saves too, ends as if it never had been."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import train
from runs import same_end

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import Finished
from flowergui.store import library
from flowergui.store.run_folder import RunFolder


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_five_times(little: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = little(epochs=30, ema=0.9, augmentation="light", scheduler="one-cycle")
    killed = train(recipe, tmp_path / "killed", 5, seed=1)
    *_, done = tasks.train(recipe, models=tmp_path / "whole")
    assert isinstance(done, Finished)
    assert killed.kills == 5
    assert len(library.runs(tmp_path / "killed")) <= 2  # one may have died before its first save
    same_end(killed.run, RunFolder(Path(done.run)))
