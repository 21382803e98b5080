"""What is changed while a run trains is in its recipe: Resume shows what it continues with."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import of

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.config.recipe_diff import differences
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    LearningRateChanged,
    ResumeChecked,
    RolledBack,
    RunStarted,
    Saved,
    Warned,
)
from flowergui.facts import CheckKind
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.training.model_state import ModelState
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.store import library
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]


@pytest.fixture
def changed(little: Little) -> RunFolder:
    """A run whose learning rate and frozen layers were changed after step 2, stopped after 4."""
    live = LiveRequests()
    for event in tasks.train(little(epochs=3, scheduler="none"), live):
        if isinstance(event, BatchDone):
            if event.step == 2:
                live.learning_rate, live.frozen = 0.01, ("stem",)
            live.stop = event.step == 4
    return RunFolder(Path(event.run))


def test_the_recipe_says_what_the_run_uses_now(changed: RunFolder, little: Little) -> None:
    assert (changed.recipe().learning_rate, changed.recipe().frozen) == (0.01, ("stem",))
    (facts,) = library.runs()
    assert facts.recipe == changed.recipe()
    labels = [each.label for each in differences([facts.recipe, little(epochs=3)])]
    assert {"Learning rate", "Frozen"} <= set(labels)


def test_what_resume_shows_is_what_it_runs_with(changed: RunFolder) -> None:
    (told,) = of(list(tasks.check_resume(changed.path)), ResumeChecked)
    assert told.recipe == changed.recipe()
    assert {each.verdict for each in told.checks} == {"same"}
    events = list(tasks.resume(changed.path))
    (started,) = of(events, RunStarted)
    assert started.frozen[0].startswith("stem")
    assert {event.learning_rate for event in of(events, BatchDone)} == {0.01}


def test_another_value_than_shown_counts_as_a_change(changed: RunFolder) -> None:
    changes = {"learning_rate": 0.002, "frozen": ()}
    (told,) = of(list(tasks.check_resume(changed.path, changes)), ResumeChecked)
    (rate,) = [each for each in told.checks if each.subject == "Learning rate"]
    assert rate.detail == "0.002; it was 0.01"
    events = list(tasks.resume(changed.path, changes=changes))
    assert {event.learning_rate for event in of(events, BatchDone)} == {0.002}
    assert of(events, RunStarted)[0].frozen == ()
    assert (changed.recipe().learning_rate, changed.recipe().frozen) == (0.002, ())


def test_the_rate_after_a_rollback_is_in_the_recipe(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = torch.nn.functional.cross_entropy, []

    def poisoned(logits: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        seen.append(logits.requires_grad)
        return real(logits, *args, **more) * (math.nan if sum(seen) == 2 and seen[-1] else 1)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", poisoned)
    events = list(tasks.train(little(recover=True)))
    assert of(events, RolledBack)[0].learning_rate == 0.001
    run = RunFolder(Path(of(events, RunStarted)[0].run))
    assert run.recipe().learning_rate == 0.001
    assert of(list(tasks.history(run.path)), RolledBack) == of(events, RolledBack)


def test_changes_are_in_the_history_of_the_run(changed: RunFolder) -> None:
    """Also after it was resumed, and not those that a run made after its last save."""
    told = [event for event in tasks.history(changed.path) if not is_row(event)]
    assert [(type(event).__name__, event.step) for event in told] == [
        ("FrozenChanged", 2),
        ("LearningRateChanged", 2),
    ]
    changed.changes.append([LearningRateChanged(9, 0.5)])  # the process was killed after this
    list(tasks.resume(changed.path))
    assert [event for event in tasks.history(changed.path) if not is_row(event)] == told


def is_row(event: Event) -> bool:
    return isinstance(event, BatchDone | EpochDone)


# --- an older checkpoint than the newest state --------------------------------------------------


@pytest.fixture
def finished(little: Little, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run of three epochs, the first of which was the best."""
    losses = iter([0.1, 0.5, 0.9])
    monkeypatch.setattr(
        "flowergui.learning.training.model_state.ModelState.evaluate",
        lambda self, features, labels: (next(losses), 2),
    )
    *_, done = tasks.train(little(epochs=3, scheduler="none"))
    monkeypatch.undo()
    assert isinstance(done, Finished)
    assert done.best_epoch == 1
    return RunFolder(Path(done.run))


def content(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def test_resuming_the_best_checkpoint_leaves_the_run_as_it_is(finished: RunFolder) -> None:
    before = content(finished)
    events = list(tasks.resume(finished.best))
    assert content(finished) == before
    (started,) = of(events, RunStarted)
    run = RunFolder(Path(started.run))
    assert run.path.parent == finished.path.parent
    assert run.path != finished.path
    assert (started.epoch, started.step, started.resumed) == (2, 3, True)
    assert [event.epoch for event in of(events, EpochDone)] == [2, 3]
    (warned,) = of(events, Warned)
    assert warned.message == (
        f"best.pth is older than the newest state of {finished.path.name}, which stays as it is. "
        f"Training continues in a new run folder, {run.path.name}."
    )
    steps = [row.step for row in run.history.events() if isinstance(row, BatchDone)]
    assert steps == list(range(1, 10))
    assert [row.epoch for row in run.history.events() if isinstance(row, EpochDone)] == [1, 2, 3]
    assert run.split() == finished.split()
    assert run.classes() == finished.classes()
    assert checkpoint.read(run.last)["step"] == 9


def no_room(*args: object, **more: object) -> None:
    raise OSError(28, "No space left on device")


def does_not_fit(*args: object, **more: object) -> None:
    raise FlowerError("The weights do not fit.")


@pytest.mark.parametrize(
    ("owner", "name", "failing"),
    [(RunFolder, "keep", no_room), (ModelState, "load_state_dict", does_not_fit)],
)
def test_a_resume_that_fails_leaves_no_empty_run(
    finished: RunFolder, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, failing: Any
) -> None:
    before = content(finished)
    monkeypatch.setattr(owner, name, failing)
    with pytest.raises(FlowerError, match=r"No space left|do not fit"):
        list(tasks.resume(finished.best))
    assert [each.name for each in finished.path.parent.iterdir()] == [finished.path.name]
    assert content(finished) == before


def test_the_check_says_so(finished: RunFolder) -> None:
    (told,) = of(list(tasks.check_resume(finished.best)), ResumeChecked)
    assert not told.in_place
    (folder,) = [each for each in told.checks if each.kind == CheckKind.FOLDER]
    assert folder.verdict == "fine"
    assert folder.detail == (
        "a new one: best.pth is from epoch 2, batch 0, and the run's newest state from epoch 4, "
        "batch 0"
    )
    changes = {"epochs": 4}
    (told,) = of(list(tasks.check_resume(finished.last, changes)), ResumeChecked)
    assert told.in_place
    assert not [each for each in told.checks if each.kind == CheckKind.FOLDER]


@pytest.mark.parametrize("source", ["last", "folder", "a link to last"])
def test_the_newest_state_goes_on_in_place(finished: RunFolder, source: str) -> None:
    path = {"last": finished.last, "folder": finished.path}.get(source, finished.best)
    if source == "a link to last":
        finished.keep(finished.last, finished.best)
    events = list(tasks.resume(path, changes={"epochs": 4}))
    assert of(events, RunStarted)[0].run == str(finished.path)
    assert not of(events, Warned)


def test_the_best_of_then_comes_along(finished: RunFolder, little: Little) -> None:
    events = list(tasks.resume(finished.best, changes={"epochs": 2}))
    run = RunFolder(Path(of(events, RunStarted)[0].run))
    assert run.best.is_file()
    assert checkpoint.read(run.best)["progress"]["best_epoch"] in (1, 2)
    best = of(events, Finished)[0].best_epoch
    assert checkpoint.read(run.best)["progress"]["best_epoch"] == best


def test_without_the_best_of_then_it_is_looked_for_from_here(finished: RunFolder) -> None:
    finished.keep(finished.best, finished.resumed)
    finished.best.unlink()
    going = tasks.resume(finished.resumed)
    events = list(going)
    run = RunFolder(Path(of(events, RunStarted)[0].run))
    assert of(events, Finished)[0].best_epoch >= 2
    assert run.best.is_file()


def test_an_old_state_and_new_options(finished: RunFolder) -> None:
    events = list(
        tasks.resume(
            finished.best,
            changes={"learning_rate": 0.5},
            options=ResumeOptions(restart_schedule=True),
        )
    )
    assert {event.learning_rate for event in of(events, BatchDone)} == {0.5}
    saved = of(events, Saved)[0]
    assert Path(saved.path).parent == Path(of(events, RunStarted)[0].run)
    assert finished.recipe().learning_rate == 0.002
