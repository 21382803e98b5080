"""Run folders that earlier versions wrote are read, resumed and used for predictions."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from networks import tiny_mynet
from runs import of

from flowergui import tasks
from flowergui.events import (
    BatchDone,
    EpochDone,
    Finished,
    Predicted,
    ResumeChecked,
    RunStarted,
    Stopped,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.requests import LiveRequests
from flowergui.store import library
from flowergui.store.run_folder import RunFolder

OLD = Path(__file__).parent / "old_runs"
EXPECTED = json.loads((OLD / "expected.json").read_text())


@pytest.fixture(autouse=True)
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_photos: Callable[..., Path]) -> Path:
    """A folder with copies of the old runs and the images that they were trained on."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(OLD, tmp_path / "old")
    make_photos(tmp_path / "flowers")
    with tiny_mynet(monkeypatch):
        yield tmp_path / "old"


@pytest.mark.parametrize("name", list(EXPECTED))
def test_an_old_run_is_listed(old: Path, name: str) -> None:
    run = library.run_of(old / name / "last.pth")
    assert run is not None
    assert run.class_count == 3
    rows = list(RunFolder(old / name).history.events())
    assert rows
    assert all(isinstance(row, BatchDone | EpochDone) for row in rows)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_an_old_run_ends_as_it_would_have_ended(old: Path, name: str) -> None:
    changes = {"epochs": 4} if name.startswith("finished") else {}
    (checked,) = of(list(tasks.check_resume(old / name, changes)), ResumeChecked)
    assert not [check for check in checked.checks if check.verdict == "blocking"]
    events = list(tasks.resume(old / name, changes=changes))
    assert isinstance(events[-1], Finished)
    (started,) = of(events, RunStarted)
    assert started.resumed
    losses = [event.loss for event in of(events, BatchDone)]
    assert of(events, BatchDone)[0].step == EXPECTED[name]["first"]
    assert losses == pytest.approx(EXPECTED[name]["losses"], rel=1e-3)
    val_losses = [event.val_loss for event in of(events, EpochDone)]
    assert val_losses == pytest.approx(EXPECTED[name]["val_losses"], rel=1e-3)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_an_old_checkpoint_predicts_as_before(old: Path, name: str) -> None:
    events = list(tasks.predict(old / name / "best.pth", ["flowers/daisy/daisy_0.jpg"]))
    (predicted,) = of(events, Predicted)
    probabilities = {each.name: each.probability for each in predicted.predictions}
    assert probabilities == pytest.approx(EXPECTED[name]["predictions"], rel=1e-3)


def test_live_changes_of_an_old_run_are_found_in_its_state(old: Path) -> None:
    """Its recipe is the one that it began with: learning rate 0.002, and nothing frozen."""
    stem = ("stem.0.weight", "stem.1.weight", "stem.1.bias")
    (checked,) = of(list(tasks.check_resume(old / "live-changes")), ResumeChecked)
    assert (checked.recipe.learning_rate, checked.recipe.frozen) == (0.005, stem)
    changes = {"learning_rate": 0.002, "frozen": ()}  # what was shown can be chosen
    (checked,) = of(list(tasks.check_resume(old / "live-changes", changes)), ResumeChecked)
    changed = {each.subject: each.detail for each in checked.checks if each.verdict == "fine"}
    assert changed["Learning rate"] == "0.002; it was 0.005"
    assert changed["Frozen"] == "nothing; it was stem.0.weight stem.1.weight stem.1.bias"
    events = list(tasks.resume(old / "live-changes", changes=changes))
    (started,) = of(events, RunStarted)
    assert started.frozen == ()
    assert {event.learning_rate for event in of(events, BatchDone)} == {0.002}


def test_what_an_old_run_continues_with_is_in_its_recipe(old: Path) -> None:
    (started,) = of(list(tasks.resume(old / "live-changes")), RunStarted)
    assert started.learning_rate == 0.005
    recipe = RunFolder(old / "live-changes").recipe()
    assert recipe.learning_rate == 0.005
    assert recipe.frozen[0] == "stem.0.weight"


def places(stored: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that a file of another version may lack."""
    whole = ("format", "recipe", "classes", "model", "image_size", "optimizer", "progress")
    for name, value in stored.items():
        if (*path, name) not in [(key,) for key in whole]:
            yield (*path, name)
        if name in ("recipe", "progress", "schedule", "sums"):
            yield from places(value, (*path, name))


def edited(content: dict[str, Any], path: tuple[str, ...], *, drop: bool) -> dict[str, Any]:
    """`content` without the key at `path`, or with a new one beside it."""
    name, *deeper = path
    if deeper:
        return {**content, name: edited(content[name], tuple(deeper), drop=drop)}
    if drop:
        return {key: value for key, value in content.items() if key != name}
    return {**content, "of a later version": {"x": 1}}


def resumable_with(old: Path, content: dict[str, Any]) -> None:
    run = RunFolder(old / "live-changes")
    torch.save(content, run.last)
    live = LiveRequests()
    for event in tasks.resume(run.path, live):
        live.stop = live.stop or isinstance(event, BatchDone)
    assert isinstance(event, Stopped | Finished)


def test_a_checkpoint_that_lacks_a_field_or_has_one_more_is_resumed(old: Path) -> None:
    stored = checkpoint.read(old / "live-changes" / "last.pth")
    needed = {("recipe", "photos"), ("recipe", "model")}  # what they default to isn't there
    for path in places(stored):
        if path not in needed:
            resumable_with(old, edited(stored, path, drop=True))
        if len(path) > 1 or path == ("epoch",):
            resumable_with(old, edited(stored, path, drop=False))
    row = stored["history"][0]
    for name in row:
        rows = [{key: value for key, value in row.items() if key != name} | {"later": 1}]
        resumable_with(old, {**stored, "history": rows})


def test_a_bare_state_dict_is_recognised(old: Path) -> None:
    events = list(tasks.resume(old / "weights.pth", changes={"photos": "flowers", "epochs": 1}))
    (started,) = of(events, RunStarted)
    assert (started.model, started.classes) == ("mynet", ("daisy", "iris", "lily"))
