"""A run whose process is killed, in saves too, ends as if it never had been."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from killing import train
from runs import same_end

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import Finished
from flowergui.learning.models.build import build
from flowergui.store import library
from flowergui.store.run_folder import RunFolder


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_five_times(little: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = little(epochs=30, ema=0.9, augmentation="light", scheduler="one-cycle")
    killed = train(recipe, tmp_path / "killed", 5, seed=1)
    *_, done = tasks.train(recipe, models=tmp_path / "whole")
    assert isinstance(done, Finished)
    assert killed.kills == 5
    runs = [RunFolder(Path(each.path)) for each in library.runs(tmp_path / "killed")]
    assert sum(run.newest() is not None for run in runs) == 1  # others died before their first save
    same_end(killed.run, RunFolder(Path(done.run)))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_while_the_head_is_fitted_and_after(
    little: Callable[..., Recipe], make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    photos = make_photos(tmp_path / "many", classes=3, per_class=60)
    torch.manual_seed(3)
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")
    recipe = little(
        photos=str(photos), mode="transfer", weights=str(tmp_path / "theirs.pth"), batch_size=4,
        fit_head=True, freeze_epochs=1, freeze_batch_norm=True, frozen=("all-but-head",), epochs=4,
        ema=0.9, augmentation="light",
    )  # fmt: skip
    killed = train(recipe, tmp_path / "killed", 5, seed=2, longest=0.5)
    *_, done = tasks.train(recipe, models=tmp_path / "whole")
    assert isinstance(done, Finished)
    assert killed.kills == 5
    same_end(killed.run, RunFolder(Path(done.run)))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_while_stages_are_unfrozen(
    little: Callable[..., Recipe], make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    photos = make_photos(tmp_path / "many", classes=3, per_class=40)
    torch.manual_seed(3)
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")
    recipe = little(
        photos=str(photos), mode="transfer", weights=str(tmp_path / "theirs.pth"), batch_size=4,
        freeze_batch_norm=True, frozen=("all-but-head",), epochs=6, ema=0.9, augmentation="light",
        unfreeze_schedule=("stages.3=2", "stages.2=3", "stages.1=5", "stages.0=5"), layer_decay=0.8,
    )  # fmt: skip
    killed = train(recipe, tmp_path / "killed", 5, seed=4, longest=0.6)
    *_, done = tasks.train(recipe, models=tmp_path / "whole")
    assert isinstance(done, Finished)
    assert killed.kills == 5
    same_end(killed.run, RunFolder(Path(done.run)))
