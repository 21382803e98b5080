"""A run from its beginning to its end: what it tells, what it leaves, what it refuses."""

import json
import math
import shutil
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import collect, of, pull, run_of, same, same_end, stopped, weights_of

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.config.time_budget import PlannedEpochs
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    FeatureCacheStatus,
    FinalSaveFailed,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    Predicted,
    RolledBack,
    RunStarted,
    Saved,
    SaveFailed,
    Scanned,
    Stopped,
    TrainingSizeChanged,
    ValidationProgress,
    Warned,
    as_dict,
)
from flowergui.learning.acceleration.feature_cache import FeatureCache
from flowergui.learning.checkpoints import checkpoint, checkpoint_writer
from flowergui.learning.data import augmentation, photo_check
from flowergui.learning.device import hardware
from flowergui.learning.models.build import build
from flowergui.learning.training import data_pipeline, loop
from flowergui.learning.training import run as run_module
from flowergui.learning.training.model_state import ModelState, NonFiniteError
from flowergui.learning.training.progress import Clock
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests
from flowergui.store import atomic_io, library, run_folder

Little = Callable[..., Recipe]


def test_the_story_of_a_run(little: Little) -> None:
    events = list(tasks.train(little(scheduler="none")))
    kinds = [type(event).__name__ for event in events]
    start = kinds.index("RunStarted")
    assert set(kinds[:start]) == {"ScanProgress", "Scanned"}
    epoch = ["BatchDone"] * 3 + ["ValidationProgress", "EpochDone"]
    told = [kind for kind in kinds[start:] if kind != "Saved"]
    assert told == ["RunStarted", *epoch, *epoch, "Finished"]
    assert kinds[-2] == "Saved"

    opened = events[start]
    assert (opened.classes, opened.train_photos, opened.validation_photos) == (
        ("daisy", "iris", "lily"),
        18,
        6,
    )
    assert (opened.epoch, opened.batch, opened.step, opened.resumed) == (1, 0, 0, False)
    assert (opened.image_size, opened.device, opened.precision) == (32, "cpu", "float32")
    assert opened.trainable == opened.parameters > 1_000_000
    batches = of(events, BatchDone)
    assert [(b.epoch, b.batch, b.batches, b.step, b.photos) for b in batches] == [
        (1 + step // 3, 1 + step % 3, 3, 1 + step, 6) for step in range(6)
    ]
    assert {b.learning_rate for b in batches} == {0.002}
    for done in of(events, EpochDone):
        mine = [b for b in batches if b.epoch == done.epoch]
        assert done.train_loss == pytest.approx(sum(b.loss for b in mine) / 3)
        assert done.train_accuracy == pytest.approx(sum(b.accuracy for b in mine) / 3)
        assert 0 <= done.val_accuracy <= done.best_accuracy <= 1
        assert math.isfinite(done.val_loss)
    assert of(events, ValidationProgress)[0] == ValidationProgress(1, 1, 1)
    assert of(events, Finished)[0].best_accuracy == of(events, EpochDone)[-1].best_accuracy
    for event in events:
        json.dumps(as_dict(event), allow_nan=False)


def test_what_a_run_leaves_on_disk(little: Little, models: Path) -> None:
    recipe = little(ema=0.5)
    events = list(tasks.train(recipe))
    run = run_of(events)
    assert run.path.parent == models
    assert {path.name for path in run.path.iterdir()} >= {
        "recipe.json",
        "classes.json",
        "split.csv",
        "history.csv",
        "last.pth",
        "best.pth",
    }
    assert run.recipe() == recipe
    assert list(run.history.events()) == [e for e in events if isinstance(e, BatchDone | EpochDone)]
    assert list(tasks.history(run.path)) == list(run.history.events())
    assert [row[2] for row in run.split()].count("validation") == 6
    stored = checkpoint.read(run.last)
    assert checkpoint.is_flowergui_checkpoint(stored)
    assert (stored["epoch"], stored["batch"], stored["step"]) == (3, 0, 6)
    assert stored["classes"] == ["daisy", "iris", "lily"]
    assert stored["ema"].keys() == stored["model"].keys()
    assert not same(stored["ema"], stored["model"])
    (facts,) = library.runs()
    assert facts.epochs_done == 2
    assert facts.last == str(run.last)


@pytest.mark.usefixtures("saves_at_once")
@pytest.mark.parametrize(("minutes", "saves"), [(1.0, 2), (3.0, 0)])
def test_saved_within_an_epoch(little: Little, monkeypatch, minutes: float, saves: int) -> None:
    monkeypatch.setattr(Run, "unsaved_seconds", lambda self: 121.0)
    live, places = LiveRequests(), []
    for event in tasks.train(little(save_minutes=minutes), live):
        if isinstance(event, Saved) and Path(event.path).name == "last.pth" and not live.stop:
            places.append((event.epoch, event.batch))
        live.stop = live.stop or (isinstance(event, BatchDone) and event.batch == 3)
    assert places == [(1, 1), (1, 2)][:saves]


@pytest.mark.usefixtures("saves_at_once")
@pytest.mark.parametrize("seconds", [9.0, 121.0])
def test_ends_of_epochs_are_saved_when_that_is_due(
    little: Little, monkeypatch, seconds: float
) -> None:
    monkeypatch.setattr(Run, "unsaved_seconds", lambda self: seconds)
    epochs = [
        event.epoch
        for event in tasks.train(little(epochs=3))
        if isinstance(event, Saved) and Path(event.path).name == "last.pth" and not event.batch
    ]
    # The first makes best.pth, the last is the end; those before the ends name the next epoch.
    assert epochs == ([2, 3, 4] if seconds > 120 else [2, 4])


@pytest.mark.usefixtures("saves_at_once")
def test_the_last_save_need_not_write_a_best_that_was_held(little: Little, monkeypatch) -> None:
    """It is waited for."""
    better_each_time(monkeypatch, 2)
    monkeypatch.setattr(Run, "save_is_due", lambda self: False)
    saves = [event for event in tasks.train(little(epochs=3)) if isinstance(event, Saved)]
    names = [(Path(event.path).stem, event.epoch) for event in saves]
    assert names == [("last", 2), ("best", 2), ("best", 3), ("last", 4)]


def better_each_time(monkeypatch: pytest.MonkeyPatch, epochs: int) -> None:
    """Each of the first `epochs` validates better than the one before; later ones don't."""
    batches, really = count(1), ModelState.evaluate

    def evaluate(model: ModelState, *more: Any) -> tuple[float, int]:
        really(model, *more)
        return (1 / next(batches) if model.steps <= 3 * epochs else 9.0), 1

    monkeypatch.setattr(ModelState, "evaluate", evaluate)


@pytest.mark.parametrize("recover", [False, True])
def test_a_best_that_is_held_is_not_lost_with_the_run(
    little: Little, monkeypatch: pytest.MonkeyPatch, recover: bool
) -> None:
    better_each_time(monkeypatch, 2)
    poison(monkeypatch, 8)
    events: list[Any] = []
    with nullcontext() if recover else pytest.raises(FlowerError, match="The loss became nan"):
        collect(tasks.train(little(epochs=3, recover=recover)), events, lambda event: None)
    run = run_of(events)
    assert checkpoint.read(run.best)["step"] == 6
    if recover:
        assert [(back.epoch, back.batch, back.step) for back in of(events, RolledBack)] == [
            (3, 0, 6)
        ]
    else:
        assert checkpoint.read(run.last)["step"] == 6
        assert [row.step for row in run.history.events()] == [1, 2, 3, 3, 4, 5, 6, 6]


def test_a_best_that_is_held_is_saved_whatever_ends_the_run(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    better_each_time(monkeypatch, 2)
    really, steps = ModelState.step, count(1)

    def step(model: ModelState, *more: Any) -> tuple[float, int]:
        if next(steps) == 8:
            raise RuntimeError("not enough memory: you tried to allocate 9 bytes")
        return really(model, *more)

    monkeypatch.setattr(ModelState, "step", step)
    events: list[Any] = []
    with pytest.raises(FlowerError, match="not enough memory"):
        collect(tasks.train(little(epochs=3)), events, lambda event: None)
    run = run_of(events)
    assert checkpoint.read(run.last)["step"] == checkpoint.read(run.best)["step"] == 6


def test_it_learns(little: Little) -> None:
    events = list(tasks.train(little(epochs=8, ema=0.9, augmentation="light")))
    assert of(events, Finished)[0].best_accuracy >= 0.8
    losses = [done.train_loss for done in of(events, EpochDone)]
    assert losses[-1] < 0.8 * losses[0]


def test_the_same_recipe_ends_with_the_same_weights(little: Little) -> None:
    recipe = little(augmentation="strong", mixup=0.2, cutmix=1.0, ema=0.9)
    first = run_of(list(tasks.train(recipe)))
    torch.rand(100)  # another state of the process's generator
    second = run_of(list(tasks.train(replace(recipe, workers=2))))
    other = run_of(list(tasks.train(replace(recipe, seed=1))))
    assert same(weights_of(first), weights_of(second))
    assert not same(weights_of(first), weights_of(other))


def test_predictions_beside_a_run_change_nothing(little: Little, folder: Path) -> None:
    recipe = little(model="mobilenet_v3_small")  # it has dropout
    alone = run_of(list(tasks.train(recipe)))
    photo = next(folder.rglob("*.jpg"))
    events = []
    for event in tasks.train(recipe):
        events.append(event)
        if isinstance(event, BatchDone | ValidationProgress):
            assert of(list(tasks.predict(alone.best, [photo])), Predicted)
            list(tasks.describe_model("squeezenet1_1", event.batch + 20))
    assert same(weights_of(alone), weights_of(run_of(events)))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_optimizer_steps(little: Little, optimizer: str) -> None:
    events = list(tasks.train(little(epochs=1, optimizer=optimizer, weight_decay=0.01)))
    assert of(events, Finished)


def test_bfloat16(little: Little) -> None:
    events = list(tasks.train(little(epochs=1, precision="bfloat16")))
    assert of(events, RunStarted)[0].precision == "bfloat16"
    assert {tensor.dtype for name, tensor in weights_of(run_of(events)).items()} == {
        torch.float32,
        torch.int64,
    }


def test_the_device_decides_how_batches_are_made_and_multiplied(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[tuple[Any, ...]] = set()

    def workers(wish: int, device: torch.device) -> int:
        told.add(("workers", wish, device.type))
        return 2

    monkeypatch.setattr(data_pipeline, "worker_count", workers)
    monkeypatch.setattr(hardware, "allow_tf32", lambda on: told.add(("tf32", on.type)))
    events = list(tasks.train(little(epochs=1, device="cpu")))
    assert of(events, Finished)
    assert told == {("workers", 0, "cpu"), ("tf32", "cpu")}


# --- wishes -----------------------------------------------------------------------------------


def test_save_is_heeded_before_the_next_batch(little: Little) -> None:
    live, after = LiveRequests(), []
    for event in tasks.train(little(), live):
        if isinstance(event, BatchDone) and event.step == 2:
            live.save = True
            after = []
        after.append(event)
    assert isinstance(after[1], Saved)
    assert (after[1].epoch, after[1].batch) == (1, 2)
    assert not live.save


@pytest.mark.usefixtures("saves_at_once")
@pytest.mark.parametrize("when", [1, 3, 4, 6])
def test_stop_is_heeded_before_the_next_batch(little: Little, when: int) -> None:
    live, after = LiveRequests(), []
    for event in tasks.train(little(), live):
        if isinstance(event, BatchDone) and event.step == when:
            live.stop = True
            after = []
        after.append(event)
    assert [type(event) for event in after] == [BatchDone, Saved, Stopped]
    assert (after[2].epoch, after[2].batch) == ((when + 2) // 3, (when - 1) % 3 + 1)
    assert checkpoint.read(Path(after[1].path))["step"] == when


def test_the_learning_rate_follows(little: Little) -> None:
    live, events = LiveRequests(), []
    for event in tasks.train(little(scheduler="step", step_size=1, gamma=0.5), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 2:
            live.learning_rate = 0.01
    rates = [event.learning_rate for event in of(events, BatchDone)]
    assert rates == pytest.approx([0.002, 0.002, 0.01, 0.005, 0.005, 0.005])
    assert of(events, LearningRateChanged) == [LearningRateChanged(2, 0.01)]


@pytest.mark.parametrize("kind", [BatchDone, ValidationProgress, EpochDone])
def test_a_run_that_is_closed_is_saved_as_it_stands(little: Little, kind: type) -> None:
    run = run_of(list(tasks.train(little())))
    going = tasks.train(little())
    events = []
    for event in going:
        events.append(event)
        if isinstance(event, kind):
            break
    going.close()
    closed = run_of(events)
    assert closed.best.exists() == (kind is EpochDone)
    list(tasks.resume(closed.path))
    assert same(weights_of(closed), weights_of(run))
    assert [row.step for row in closed.history.events()] == [
        row.step for row in run.history.events()
    ]


# --- what goes wrong --------------------------------------------------------------------------


def test_a_loss_that_is_no_number(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.functional.cross_entropy
    losses = []

    def poisoned(*args: object, **more: object) -> torch.Tensor:
        losses.append(real(*args, **more))
        return losses[-1] * (math.nan if len(losses) == 2 else 1)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", poisoned)
    going = tasks.train(little(), live := LiveRequests())
    list(takewhile(lambda event: not isinstance(event, RunStarted), going))
    live.save = True
    with pytest.raises(FlowerError) as refused:
        list(going)
    assert refused.value.message == (
        "The loss became nan in epoch 1, batch 2. The last save is in last.pth."
    )
    assert "lower learning rate than 0.002" in refused.value.hint


def poison(monkeypatch: pytest.MonkeyPatch, *calls: int) -> list[int]:
    """Makes the loss NaN in these calls, counted from 1; gives the calls so far."""
    real = torch.nn.functional.cross_entropy
    seen: list[int] = []

    def poisoned(logits: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        if not logits.requires_grad:
            return real(logits, *args, **more)  # validation
        seen.append(len(seen) + 1)
        return real(logits, *args, **more) * (math.nan if seen[-1] in calls else 1)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", poisoned)
    return seen


@pytest.mark.parametrize("call", [2, 5])
def test_a_run_may_go_back_and_on_with_half_the_learning_rate(
    little: Little, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    poison(monkeypatch, call)
    events = list(tasks.train(little(recover=True, scheduler="none")))
    (back,) = of(events, RolledBack)
    where = (1, 0, 0) if call == 2 else (2, 0, 3)  # the start, or the best of epoch 1
    assert (back.epoch, back.batch, back.step) == where
    assert back.reason.startswith(f"The loss became nan in epoch {where[0]}, batch 2")
    after = of(events[events.index(back) :], BatchDone)
    assert [event.step for event in after] == list(range(where[2] + 1, 7))
    assert {event.learning_rate for event in after} == {0.001}
    run = run_of(events)
    assert [r.step for r in run.history.events() if isinstance(r, BatchDone)] == list(range(1, 7))
    assert [r.epoch for r in run.history.events() if isinstance(r, EpochDone)] == [1, 2]
    assert checkpoint.read(run.last)["progress"]["returns"] == 1


def test_a_run_that_stays_spoilt_goes_back_three_times(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = poison(monkeypatch, *range(2, 99))
    events = []
    with pytest.raises(FlowerError, match="The loss became nan in epoch 1, batch 1"):
        events.extend(tasks.train(little(recover=True)))
    assert len(calls) == 1 + 4
    (run,) = library.runs()
    assert checkpoint.read(Path(run.last))["schedule"]["base"] == 0.002 / 8


def test_without_a_checkpoint_to_roll_back_to_the_loss_is_the_reason(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, 2)
    events: list[Any] = []

    def lose(event: Any) -> None:
        if isinstance(event, BatchDone):
            run_of(events).last.unlink()

    with pytest.raises(FlowerError, match="The loss became nan in epoch 1, batch 2") as refused:
        collect(tasks.train(little(recover=True)), events, lose)
    assert "lower learning rate" in refused.value.hint


def spoil(monkeypatch: pytest.MonkeyPatch, what: str, step: int = 4) -> None:
    """Makes a weight infinite, or a statistic of batch normalization NaN, in this step, once; the
    loss stays a number."""
    real = ModelState.step
    spoilt: list[int] = []

    def poisoned(self: ModelState, *more: Any) -> Any:
        done = real(self, *more)
        if self.steps == step and not spoilt:
            spoilt.append(step)
            tensor = next(getattr(self.net, what)()).detach()
            tensor.fill_(math.inf if what == "parameters" else math.nan)
        return done

    monkeypatch.setattr(ModelState, "step", poisoned)


SPOILT = "Weights or statistics of batch normalization are NaN or infinite after epoch 2, batch {}"


def test_weights_that_are_no_numbers_are_not_saved(little: Little, monkeypatch) -> None:
    """They are found before each save."""
    live = LiveRequests()
    events: list[Any] = []

    def save_each(event: Any) -> None:
        live.save |= isinstance(event, BatchDone)  # what a save tells may come in between

    spoil(monkeypatch, "parameters")
    with pytest.raises(FlowerError, match=SPOILT.format(1)) as refused:
        collect(tasks.train(little(epochs=3), live), events, save_each)
    assert refused.value.message.endswith("The last save is in last.pth.")
    assert "lower learning rate than 0.002" in refused.value.hint
    assert checkpoint.read(run_of(events).last)["step"] == 3  # the last one that was good


@pytest.mark.parametrize("when", ["end of epoch", "save_minutes"])
def test_statistics_that_are_no_numbers_end_a_run(little: Little, monkeypatch, when: str) -> None:
    """Training doesn't look at them, so that its loss stays a number; what predicts does."""
    spoil(monkeypatch, "buffers")
    events: list[Any] = []
    if when == "save_minutes":
        monkeypatch.setattr(Run, "unsaved_seconds", lambda self: 1e9 * (self.model.steps == 4))
    with pytest.raises(FlowerError, match=SPOILT.format(3 if when == "end of epoch" else 1)):
        collect(tasks.train(little(epochs=3)), events, lambda event: None)
    assert not of(events, SaveFailed)
    assert checkpoint.read(run_of(events).best)["step"] == 3


@pytest.mark.parametrize("what", ["parameters", "buffers"])
def test_a_run_goes_back_from_weights_that_are_no_numbers(
    little: Little, monkeypatch, what: str
) -> None:
    spoil(monkeypatch, what, step=6)
    events = list(tasks.train(little(epochs=3, recover=True, scheduler="none")))
    (back,) = of(events, RolledBack)
    assert (back.epoch, back.batch, back.step, back.learning_rate) == (2, 0, 3, 0.001)
    assert isinstance(events[-1], Finished)
    assert checkpoint.read(run_of(events).last)["step"] == 9


def test_a_run_that_is_closed_with_such_weights_keeps_the_save_before(
    little: Little, monkeypatch
) -> None:
    spoil(monkeypatch, "parameters", step=5)
    going = tasks.train(little())
    events = []
    for event in going:
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 5:
            going.close()
    assert checkpoint.read(run_of(events).last)["step"] == 3


def test_a_full_disk_does_not_end_a_run(little: Little, small_files) -> None:
    live = LiveRequests()
    going = tasks.train(little(epochs=3), live)
    events: list[Any] = []
    pull(going, events, RunStarted)
    live.save = True
    with small_files(20_000):
        pull(going, events, SaveFailed, 3)
    lost = of(events, SaveFailed)
    assert [Path(each.path).name for each in lost] == ["last.pth", "last.pth", "best.pth"]
    assert all("File too large" in each.reason or "full" in each.reason for each in lost)
    events += list(going)
    run = run_of(events)
    assert {path.suffix for path in run.path.iterdir()} <= {".pth", ".json", ".csv", ".lock", ""}
    assert checkpoint.read(run.last)["epoch"] == 4
    assert [row.step for row in run.history.events() if isinstance(row, BatchDone)] == list(
        range(1, 10)
    )
    assert [row.epoch for row in run.history.events() if isinstance(row, EpochDone)] == [1, 2, 3]


@pytest.mark.parametrize("stopped", [True, False])
def test_a_run_that_cannot_be_saved_at_its_end_is_saved_when_there_is_room(
    little: Little, small_files, stopped: bool
) -> None:
    """As often as the face wishes; what it gives up is not said to be saved."""
    live = LiveRequests()
    going = tasks.train(little(), live)
    events: list[Any] = []
    pull(going, events, BatchDone)
    live.stop = stopped
    with small_files(20_000):
        while len(of(events, FinalSaveFailed)) < 2:
            events.append(next(going))
            live.save = isinstance(events[-1], FinalSaveFailed)
    run = run_of(events)
    assert {(each.run, each.reason) for each in of(events, FinalSaveFailed)} == {
        (str(run.path), of(events, SaveFailed)[-1].reason)
    }
    assert not run.last.exists()
    events += list(going)
    assert isinstance(events[-1], Stopped if stopped else Finished)
    assert len(of(events, FinalSaveFailed)) == 2
    assert not live.save
    assert checkpoint.read(run.last)["step"] == of(events, BatchDone)[-1].step
    assert stopped or run.best.exists()


def test_a_run_that_is_given_up_ends(little: Little, small_files) -> None:
    events: list[Any] = []
    with small_files(20_000):
        collect(tasks.train(little(epochs=1)), events, lambda event: None)
    assert [type(event) for event in events[-2:]] == [FinalSaveFailed, Finished]
    assert len(of(events, FinalSaveFailed)) == 1


def test_a_run_is_saved_even_if_its_best_checkpoint_is_not(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = atomic_io.replace_with_retry

    def refused(source: Path, target: Path) -> None:
        if target.name == "best.pth":
            raise PermissionError(13, "Access is denied")
        really(source, target)

    monkeypatch.setattr(checkpoint, "replace_with_retry", refused)
    monkeypatch.setattr(run_folder, "replace_with_retry", refused)
    events = list(tasks.train(little()))
    assert {Path(event.path).name for event in of(events, SaveFailed)} == {"best.pth"}
    assert not of(events, FinalSaveFailed)
    assert checkpoint.read(run_of(events).last)["epoch"] == 3


def test_a_run_whose_last_save_works_is_saved(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save that failed in the thread before it is known only then."""
    ended, really_write, really_save = threading.Event(), checkpoint.write, Run.save
    first = count()

    def write(content: Any, path: Path, **options: Any) -> None:
        if next(first) == 0:
            assert ended.wait(20)
            raise OSError(28, "No space left on device")
        really_write(content, path, **options)

    def save(run: Run, **how: bool) -> Any:
        ended.set()
        return really_save(run, **how)

    monkeypatch.setattr(checkpoint, "write", write)
    monkeypatch.setattr(checkpoint_writer, "SYNC_BELOW_BYTES", 0)
    monkeypatch.setattr(Run, "save", save)
    monkeypatch.setattr(Run, "unsaved_seconds", lambda run: math.inf)
    events: list[Any] = []
    live = LiveRequests()
    for event in tasks.train(little(), live):
        events.append(event)
        live.stop |= isinstance(event, BatchDone)
    last = str(run_of(events).last)
    assert [type(event) for event in events[-3:]] == [SaveFailed, Saved, Stopped]
    assert (events[-3].path, events[-2].path) == (last, last)


def test_epochs_that_are_in_no_checkpoint_are_not_counted_as_done(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history fits on the disk, the checkpoints do not."""

    def full(*args: object) -> None:
        raise RuntimeError("unexpected pos 64 vs 0")

    really = torch.save
    recipe = little(epochs=3)
    live = LiveRequests()
    events: list[Any] = []
    for event in tasks.train(recipe, live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 2:
            live.save = True
        if isinstance(event, Saved):
            monkeypatch.setattr(torch, "save", full)
    assert of(events, Finished)
    (facts,) = library.runs()
    stored = checkpoint.read(run_of(events).last)
    assert (facts.epochs_done, facts.batch) == (stored["epoch"] - 1, stored["batch"]) == (0, 2)
    monkeypatch.setattr(torch, "save", really)
    again = list(tasks.resume())
    assert [event.step for event in of(again, BatchDone)] == list(range(3, 10))
    (facts,) = library.runs()
    assert facts.epochs_done == 3


@pytest.mark.parametrize("refused_mode", ["ab", "xb"])
@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")]
)
def test_a_folder_that_cannot_be_written_for_a_while(
    little: Little, monkeypatch: pytest.MonkeyPatch, error: OSError, refused_mode: str
) -> None:
    """Patched, since the superuser, as whom tests may run, may write everywhere: the history
    ("ab"), or the checkpoints ("xb")."""
    really = Path.open

    def refused(path: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        if mode == refused_mode:
            raise error
        return really(path, mode, *args, **more)

    events: list[Any] = []
    for event in tasks.train(little(epochs=3)):
        events.append(event)
        if isinstance(event, RunStarted):
            monkeypatch.setattr(Path, "open", refused)
        elif isinstance(event, EpochDone) and event.epoch == 2:
            monkeypatch.setattr(Path, "open", really)
    run = run_of(events)
    assert {event.reason for event in of(events, SaveFailed)} == {error.strerror}
    assert of(events, Finished)
    assert checkpoint.read(run.last)["epoch"] == 4  # the next save that works is used
    assert [row.step for row in run.history.events() if isinstance(row, BatchDone)] == list(
        range(1, 10)
    )


@pytest.mark.usefixtures("saves_at_once")
def test_a_folder_that_was_deleted_comes_again(little: Little) -> None:
    recipe = little(epochs=3)
    events: list[Any] = []
    for event in tasks.train(recipe):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 4:
            shutil.rmtree(run_of(events).path)
    run = run_of(events)
    assert of(events, Finished)
    assert not of(events, SaveFailed)
    assert (run.recipe(), len(run.split())) == (recipe, 24)
    assert checkpoint.read(run.last)["epoch"] == 4


def test_too_little_memory(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*args: object, **more: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", too_much)
    with pytest.raises(FlowerError, match="not enough memory") as refused:
        list(tasks.train(little()))
    assert "batch size (3)" in refused.value.hint  # half of 6, which was tried too


def test_a_batch_that_is_too_large_is_halved(little: Little, monkeypatch) -> None:
    real = torch.nn.functional.cross_entropy

    def limited(logits: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        if len(logits) > 6:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")
        return real(logits, *args, **more)

    recipe = little(batch_size=12)
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", limited)
    monkeypatch.setattr(ModelState, "evaluate", lambda *_: (1.0, 1))  # has twice the batch
    events = list(tasks.train(recipe))
    assert [event.message for event in of(events, Warned)] == [
        "There is not enough memory for batches of 12 images. The batch size is 6 now."
    ]
    assert len(of(events, RunStarted)) == 2
    run = run_of(events)
    assert run.recipe() == replace(recipe, batch_size=6)
    assert same(weights_of(run), weights_of(run_of(list(tasks.train(little(batch_size=6))))))
    assert len(library.runs()) == 2


def test_a_batch_that_is_too_large_once_layers_unfreeze_is_halved(
    little: Little, tmp_path: Path, monkeypatch
) -> None:
    """The head was fitted already, which takes less memory: it is fitted once more."""
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")
    recipe = little(
        mode="transfer", weights=str(tmp_path / "theirs.pth"), fit_head=True, epochs=3,
        frozen=("all-but-head",), freeze_epochs=1, batch_size=12,
    )  # fmt: skip
    expected = run_of(list(tasks.train(replace(recipe, batch_size=6))))
    real = torch.nn.functional.cross_entropy

    def limited(logits: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        if len(logits) > 6 and logits.requires_grad:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")
        return real(logits, *args, **more)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", limited)
    events = list(tasks.train(recipe))
    assert "batches of 12 images. The batch size is 6 now." in of(events, Warned)[-1].message
    assert len(of(events, RunStarted)) == 2
    same_end(run_of(events), expected)
    assert run_of(events).recipe() == replace(expected.recipe(), batch_size=6)
    assert list(run_of(events).changes.events()) == list(expected.changes.events())


def test_a_time_budget_moves_the_sizes_of_growing_images(little: Little, monkeypatch) -> None:
    """What is trained on is what the run says, and the last epochs have the full size."""
    monkeypatch.setattr(run_module, "epochs_in_budget", lambda *_: PlannedEpochs(4))
    seen: dict[int, int] = {}
    real = augmentation.random_resized_crop

    def observed(pixels, name, size, seed, epoch, index):
        seen[epoch] = size
        return real(pixels, name, size, seed, epoch, index)

    monkeypatch.setattr(augmentation, "random_resized_crop", observed)
    recipe = little(
        image_size=128, first_training_size=32, epochs=40, minutes=1.0, augmentation="light"
    )
    events = list(tasks.train(recipe))
    assert [each.size for each in of(events, TrainingSizeChanged)] == [64, 96, 128]
    assert seen == {1: 32, 2: 64, 3: 96, 4: 128}


def test_growing_images_in_a_time_budget_resume_to_the_bit(little: Little, monkeypatch) -> None:
    """The plan changes in the midst of an epoch, and the size of its images does not."""
    plans = [PlannedEpochs(3), *[PlannedEpochs(5)] * 9]
    recipe = little(
        image_size=64, first_training_size=32, epochs=40, minutes=1.0, augmentation="light",
        batch_size=2, scheduler="none",
    )  # fmt: skip

    def planned(minutes, spent, done, cost, most):
        return plans[min(done, len(plans) - 1)] if done else PlannedEpochs(4)

    monkeypatch.setattr(run_module, "epochs_in_budget", planned)
    whole = run_of(list(tasks.train(recipe)))
    for step in (5, 8, 13, 22):
        cut = stopped(
            recipe, lambda event, at=step: isinstance(event, BatchDone) and event.step == at
        )
        list(tasks.resume(cut.path))
        same_end(cut, whole)


def test_what_caching_takes_is_paid_once_from_a_time_budget(little: Little, monkeypatch) -> None:
    """Features of the frozen layers are cached in the first epoch only."""
    costs = []

    def planned(minutes, spent, done, cost, most):
        costs.append(cost)
        return PlannedEpochs(2)

    monkeypatch.setattr(run_module, "epochs_in_budget", planned)
    now, put = [0.0], FeatureCache.put

    def slowly(cache: FeatureCache, *batch: Any) -> None:
        now[0] += 100
        put(cache, *batch)

    monkeypatch.setattr(FeatureCache, "put", slowly)
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: now[0],))
    events = list(tasks.train(little(frozen=("stem",), minutes=1.0)))
    assert {each.part for each in of(events, FeatureCacheStatus)} == {"train", "validation"}
    first, second = of(events, EpochDone)
    assert first.seconds >= 200 > second.seconds == 0
    assert [(each.training, each.validation) for each in costs] == [(0, 0), (0, 0)]


def test_a_validation_batch_that_is_too_large_is_halved(
    little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has twice the images, at their full size. Only the head was fitted before."""
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")
    recipe = little(
        mode="transfer", weights=str(tmp_path / "theirs.pth"), fit_head=True, batch_size=4
    )
    real = ModelState.evaluate

    def limited(model: ModelState, features: Any, labels: torch.Tensor) -> tuple[float, int]:
        if len(labels) > 4:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(model, features, labels)

    monkeypatch.setattr(ModelState, "evaluate", limited)
    events = list(tasks.train(recipe))
    assert "batches of 4 images. The batch size is 2 now." in of(events, Warned)[-1].message
    assert isinstance(events[-1], Finished)


def test_what_takes_less_memory_is_named_as_far_as_it_can_be_done(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that has trained keeps its batch size."""
    real, left = torch.nn.functional.cross_entropy, [8]

    def limited(*args: Any, **more: Any) -> torch.Tensor:
        left[0] -= 1
        if not left[0]:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")
        return real(*args, **more)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", limited)
    with pytest.raises(FlowerError) as refused:
        list(tasks.train(little(epochs=9)))
    assert "resume the run" in refused.value.hint
    assert "Lower the batch size" not in refused.value.hint


def test_what_was_changed_stays_when_the_batch_is_halved(little: Little, monkeypatch) -> None:
    real = torch.nn.functional.cross_entropy

    def limited(logits: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        if len(logits) > 6:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")
        return real(logits, *args, **more)

    recipe = little(batch_size=12, scheduler="none")
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", limited)
    monkeypatch.setattr(ModelState, "evaluate", lambda *_: (1.0, 1))  # has twice the batch
    live = LiveRequests()
    live.learning_rate, live.frozen = 0.01, ("stem",)
    events = list(tasks.train(recipe, live))
    smaller = of(events, RunStarted)[1]
    assert smaller.frozen[0].startswith("stem")
    assert {event.learning_rate for event in of(events, BatchDone)} == {0.01}
    changed = replace(recipe, batch_size=6, learning_rate=0.01, frozen=("stem",))
    assert run_of(events).recipe() == changed


def test_a_full_disk_stops_no_training(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise RuntimeError("unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", full)
    events = list(tasks.train(little()))
    assert of(events, Finished)
    assert not of(events, Saved)
    assert "disk may be full" in of(events, SaveFailed)[-1].reason


@pytest.mark.parametrize("workers", [0, 2])
def test_a_photo_that_goes_away_is_named_once(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path, workers: int
) -> None:
    copy = make_photos(tmp_path / "copy")
    gone = sorted((copy / "iris").iterdir())[:4]
    events = []
    for event in tasks.train(little(photos=str(copy), workers=workers)):
        events.append(event)
        if isinstance(event, RunStarted):
            for number, photo in enumerate(gone):
                photo.unlink() if number else photo.write_bytes(b"spoilt")
    notes = [note.message for note in of(events, Warned)]
    assert len(notes) == 4  # once each, not in every epoch
    assert all(sum(photo.name in note for note in notes) == 1 for photo in gone)
    assert notes[-1].startswith("Skipped an unreadable image (4 so far): iris_")
    assert sum("can't be read: it is not an image of a known format" in note for note in notes) == 1
    assert of(events, Finished)


def test_of_many_photos_the_spoilt_ones_are_met_on_the_way(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 10)
    copy = make_photos(tmp_path / "copy")
    spoilt = sorted((copy / "iris").iterdir())[1]
    spoilt.write_text("no picture")
    events = list(tasks.train(little(photos=str(copy))))
    (scanned,) = of(events, Scanned)
    assert not scanned.checked
    assert [spoilt.name in note.message for note in of(events, Warned)] == [True]
    assert of(events, Finished)


def test_of_many_photos_half_may_be_no_pictures(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 10)
    copy = make_photos(tmp_path / "copy")
    everything = sorted(copy.rglob("*.*"))
    for photo in everything[::2]:
        photo.write_text("no picture")
    events = list(tasks.train(little(photos=str(copy))))
    assert len(of(events, Warned)) == len(everything) / 2
    assert of(events, Finished)


def test_where_not_one_is_a_picture_it_ends(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 10)
    copy = make_photos(tmp_path / "copy")
    whole = {photo: photo.read_bytes() for photo in copy.rglob("*.*")}
    for photo in whole:
        photo.write_text("no picture")
    with pytest.raises(FlowerError, match="No batch of epoch 1 had an image that can be read"):
        list(tasks.train(little(photos=str(copy))))
    for photo, content in whole.items():
        photo.write_bytes(content)
    assert isinstance(list(tasks.resume())[-1], Finished)  # they are back


def test_a_run_whose_photos_are_all_gone_is_saved_and_ends(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    copy = make_photos(tmp_path / "copy")
    events: list[Any] = []

    def unplug(event: Any) -> None:
        if isinstance(event, RunStarted):
            copy.rename(tmp_path / "unplugged")

    with pytest.raises(
        FlowerError, match=r"of 24 images can't be read any more\. The run was"
    ) as e:
        collect(tasks.train(little(photos=str(copy))), events, unplug)
    assert str(copy) in e.value.hint
    (tmp_path / "unplugged").rename(copy)
    assert isinstance(list(tasks.resume())[-1], Finished)


@pytest.mark.parametrize("again", [True, False])
def test_a_run_that_loses_its_photos_and_its_room_waits_for_room(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path, small_files, again: bool
) -> None:
    """Both may have been on the drive that is gone."""
    copy = make_photos(tmp_path / "copy")
    live = LiveRequests()
    going = tasks.train(little(photos=str(copy)), live)
    events: list[Any] = []
    pull(going, events, RunStarted)
    copy.rename(tmp_path / "unplugged")
    with small_files(20_000):
        pull(going, events, FinalSaveFailed)
    live.save = again
    says = "The run was saved" if again else "could not be saved"
    with nullcontext() if again else small_files(20_000), pytest.raises(FlowerError, match=says):
        list(going)
    assert run_of(events).last.exists() == again


def test_without_photos_to_validate_it_says_so(little: Little, make_photos, tmp_path) -> None:
    alone = make_photos(tmp_path / "alone", classes=4, per_class=1)
    events = list(tasks.train(little(photos=str(alone), batch_size=2, epochs=1)))
    assert "There is no validation set" in of(events, Warned)[0].message
    (done,) = of(events, EpochDone)
    assert (done.val_loss, done.val_accuracy) == (None, None)
    assert not of(events, Finished)[0].validated


def test_plateau_watches_the_mean_loss(little: Little, make_photos, tmp_path: Path) -> None:
    """Without a validation set that of the training set, however many images were readable."""
    alone = make_photos(tmp_path / "alone", classes=4, per_class=1)
    recipe = little(photos=str(alone), batch_size=2, epochs=2, scheduler="plateau")
    events = list(tasks.train(recipe))
    least = min(done.train_loss for done in of(events, EpochDone))
    stored = checkpoint.read(run_of(events).last)
    assert stored["schedule"]["best_loss"] == pytest.approx(least)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "resnet19"}, "no network called 'resnet19'"),
        ({"model": "vit_b_16"}, "vit_b_16 can't take images of 32 px"),
        ({"frozen": ("*",)}, "Everything is frozen"),
        ({"frozen": ("layer9",)}, "No parameter of this network is called 'layer9'"),
        (
            {"batch_size": 32, "drop_last": True},
            "18 training images are fewer than the batch",
        ),
        ({"photos": "/nowhere"}, "There is no folder /nowhere"),
        ({"mode": "transfer", "weights": "none.pth"}, "There is no file none.pth"),
        ({"mode": "transfer"}, "mynet has no weights called imagenet"),
    ],
)
def test_what_is_refused_leaves_no_run(little: Little, models: Path, changes, says: str) -> None:
    with pytest.raises(FlowerError, match=says):
        list(tasks.train(little(**changes)))
    assert not models.exists() or list(models.iterdir()) == []


def test_training_looks_at_smaller_squares_than_validation(little, monkeypatch):
    shapes: dict[str, set[tuple[int, ...]]] = {"train": set(), "validate": set()}
    step, evaluate = loop.step, loop.validate_batch

    def stepped(run: Run, pipeline: Any, batch: Any, *more: Any) -> Any:
        shapes["train"].add(tuple(batch.images.shape[1:]))
        return step(run, pipeline, batch, *more)

    def evaluated(run: Run, pipeline: Any, batch: Any, *more: Any) -> Any:
        shapes["validate"].add(tuple(batch.images.shape[1:]))
        return evaluate(run, pipeline, batch, *more)

    monkeypatch.setattr(loop, "step", stepped)
    monkeypatch.setattr(loop, "validate_batch", evaluated)
    list(tasks.train(replace(little(), image_size=48, training_size=32)))
    assert shapes == {"train": {(32, 32, 3)}, "validate": {(48, 48, 3)}}


def test_squares_grow(little, monkeypatch):
    shapes: list[tuple[int, ...]] = []
    step = loop.step

    def stepped(run: Run, pipeline: Any, batch: Any, *more: Any) -> Any:
        shapes.append((run.progress.epoch, batch.images.shape[1]))
        return step(run, pipeline, batch, *more)

    monkeypatch.setattr(loop, "step", stepped)
    recipe = replace(little(), image_size=96, first_training_size=32, epochs=5)
    events = list(tasks.train(recipe))
    assert sorted(set(shapes)) == [(1, 32), (2, 32), (3, 64), (4, 96), (5, 96)]
    a_epoch = next(event for event in events if isinstance(event, EpochDone)).step
    assert of(events, TrainingSizeChanged) == [
        TrainingSizeChanged(2 * a_epoch, 64),
        TrainingSizeChanged(3 * a_epoch, 96),
    ]


def test_squares_that_the_network_cannot_take_keep_one_size(little):
    recipe = little(model="vit_b_32", image_size=224, first_training_size=64)
    live = LiveRequests()
    events = []
    for event in tasks.train(recipe, live):
        events.append(event)
        live.stop = isinstance(event, Warned)
    noted = next(event for event in events if isinstance(event, Warned))
    assert noted.message.endswith("64 px. The image size stays the same.")


def test_a_training_size_that_the_network_cannot_take_is_refused(little):
    recipe = replace(little(), model="vit_b_32", image_size=224, training_size=192)
    with pytest.raises(FlowerError, match="can't take images of 192 px"):
        list(tasks.train(recipe))


def test_a_best_that_was_validated_gives_way_to_no_other(
    little: Little, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    """Where its validation photos are gone, nobody knows whether a later state is better."""
    make_photos(tmp_path / "here" / "train", per_class=20)
    make_photos(tmp_path / "here" / "val", per_class=2)
    run = run_of(list(tasks.train(little(photos=str(tmp_path / "here"), epochs=1))))
    best = run.best.read_bytes()
    (tmp_path / "here" / "val").rename(tmp_path / "elsewhere")
    events = list(tasks.resume(run.path, changes={"epochs": 3}))
    assert isinstance(events[-1], Finished)
    assert run.best.read_bytes() == best
    told = [
        event.message
        for event in of(events, Warned)
        if event.message.startswith("Validation skipped")
    ]
    assert len(told) == 2
    last = of(events, EpochDone)[-1]
    assert (last.val_accuracy, last.best_epoch) == (None, 1)
    assert last.best_accuracy > 0


def test_a_rollback_records_what_a_person_froze_since(
    little: Little, monkeypatch: pytest.MonkeyPatch, saves_at_once: None
) -> None:
    """It stays frozen, and the record of changes says from where on."""
    poison(monkeypatch, 5)
    live, events = LiveRequests(), []
    for event in tasks.train(little(recover=True, save_minutes=60.0), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 4 and not of(events, RolledBack):
            live.frozen = ("stem",)
    (back,) = of(events, RolledBack)
    asked, again = of(events, FrozenChanged)
    assert asked.step == 4 > again.step == back.step
    assert again.frozen == asked.frozen
    assert of(list(tasks.history(run_of(events).path)), FrozenChanged) == [again]


def test_a_rollback_forgets_no_time_and_no_plan(little: Little) -> None:
    """A time budget has paid for what is undone."""
    runs: list[Run] = []
    fit = loop.fit

    def observed(run: Run, live: LiveRequests):
        runs.append(run)
        yield from fit(run, live)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "fit", observed)
        list(tasks.train(little()))
    (run,) = runs
    run.progress.seconds, run.schedule.cut = 1_000.0, 2
    run.roll_back(NonFiniteError("The loss became nan."))
    assert (run.progress.seconds, run.schedule.cut) == (1_000.0, 2)
