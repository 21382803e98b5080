"""Layers that are unfrozen in a run by its schedule, stage by stage."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import finished, of, pull, run_of, same_end

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    FeatureCacheStatus,
    FrozenChanged,
    ResumeChecked,
    RolledBack,
    RunStarted,
    Warned,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import build
from flowergui.learning.models.describe import describe
from flowergui.learning.training.progress import Clock
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

SCHEDULE = ("stages.3=2", "stages.2=3", "stem=4", "stages.0=4", "stages.1=4")
STAGES = {stage.modules[0]: stage.parameters for stage in describe("mynet", 3, 32).stages}
ALL_BUT_HEAD = tuple(name for module in STAGES if module != "fc" for name in STAGES[module])
Scheduled = Callable[..., Recipe]


@pytest.fixture
def scheduled(little: Callable[..., Recipe], tmp_path: Path) -> Scheduled:
    """A recipe of a transfer of five epochs, which are unfrozen from the last stage to the stem."""
    torch.manual_seed(3)
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")

    def make(**changes: object) -> Recipe:
        values = {
            "mode": "transfer", "weights": str(tmp_path / "theirs.pth"), "epochs": 5, "ema": 0.9,
            "frozen": ("all-but-head",), "unfreeze_schedule": SCHEDULE, "freeze_batch_norm": True,
            "layer_decay": 0.8,
        }  # fmt: skip
        return little(**{**values, **changes})

    return make


@pytest.fixture
def many(make_photos: Callable[..., Path], tmp_path: Path) -> str:
    """A folder of 120 images."""
    return str(make_photos(tmp_path / "many", classes=3, per_class=40))


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a batch takes by the clock, which a test may change; 0.1 at first."""
    spent, batch = [0.0], [0.1]

    def now() -> float:
        spent[0] += batch[0] / 4
        return spent[0]

    monkeypatch.setattr(Clock.__init__, "__defaults__", (now,))
    return batch


def without(*modules: str) -> tuple[str, ...]:
    """All parameters before the head but those of these modules."""
    left = {name for module in modules for name in STAGES[module]}
    return tuple(name for name in ALL_BUT_HEAD if name not in left)


def frozen_after(events: list[Any]) -> list[tuple[int, tuple[str, ...]]]:
    return [(event.step, event.frozen) for event in of(events, FrozenChanged)]


@pytest.mark.parametrize("fit_head", [False, True])
def test_stages_train_from_their_epochs_on(scheduled: Scheduled, fit_head: bool) -> None:
    events = list(tasks.train(scheduled(fit_head=fit_head)))
    run = finished(events)
    assert frozen_after(events) == [
        (3, without("stages.3")),
        (6, without("stages.3", "stages.2")),
        (9, ()),
    ]
    assert of(list(tasks.history(run.path)), FrozenChanged) == of(events, FrozenChanged)
    assert run.recipe().unfreeze_schedule == SCHEDULE


def test_only_what_is_unfrozen_moves(scheduled: Scheduled) -> None:
    live, events, weights = LiveRequests(), [], {}
    for event in tasks.train(scheduled(), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.batch == 3:
            live.save = True
        if type(event).__name__ == "Saved":
            stored = checkpoint.read(run_of(events).last)
            weights[stored["step"]] = stored["model"]

    def moved(before: int, after: int) -> set[str]:
        names = [name for module in STAGES.values() for name in module]
        return {n for n in names if not torch.equal(weights[before][n], weights[after][n])}

    head = set(STAGES["fc"])
    assert moved(3, 6) == head | set(STAGES["stages.3"])
    assert moved(6, 9) == head | set(STAGES["stages.3"]) | set(STAGES["stages.2"])
    assert moved(9, 12) == head | set(ALL_BUT_HEAD)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("step", [1, 3, 5, 6, 7, 10])
def test_a_resumed_run_ends_to_the_bit_alike(
    scheduled: Scheduled, saves_at_once: None, step: int, optimizer: str
) -> None:
    """Stopped before the first stage is unfrozen, at the end of an epoch, and in the midst."""
    recipe = scheduled(optimizer=optimizer, momentum=0.9, augmentation="light")
    whole = finished(list(tasks.train(recipe)))
    live = LiveRequests()
    for event in tasks.train(recipe, live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == step)
    run = RunFolder(Path(event.run))
    list(tasks.resume(run.path))
    same_end(whole, run)


def test_closed_while_stages_are_unfrozen(scheduled: Scheduled, saves_at_once: None) -> None:
    """The window closes just when the run says that other layers train from now on."""
    whole = finished(list(tasks.train(scheduled())))
    events: list[Any] = []
    going = tasks.train(scheduled())
    pull(going, events, FrozenChanged, 2)
    going.close()
    run = run_of(events)
    events = list(tasks.resume(run.path))
    assert frozen_after(events) == [(9, ())]
    same_end(whole, run)


def test_the_rest_waits_for_the_frozen_epochs(scheduled: Scheduled) -> None:
    recipe = scheduled(unfreeze_schedule=("stem=4",), freeze_epochs=1)
    events = list(tasks.train(recipe))
    assert frozen_after(events) == [(3, STAGES["stem"]), (9, ())]


def test_what_a_person_ticks_lasts(scheduled: Scheduled) -> None:
    """He freezes what was unfrozen before, and unfreezes what has an epoch; all else keeps its."""
    live, events = LiveRequests(), []
    for event in tasks.train(scheduled(), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 4:  # stages.3 trains since step 3
            frozen = set(without("stages.3", "stem")) | set(STAGES["stages.3"])
            live.frozen = tuple(sorted(frozen))
    asked, second, third = frozen_after(events)[1:]
    assert asked == (4, without("stem"))
    assert second == (6, without("stem", "stages.2"))
    assert third == (9, STAGES["stages.3"])
    schedule = run_of(events).recipe().unfreeze_schedule
    assert schedule == ("stages.2=3", "stages.0=4", "stages.1=4")


def test_a_schedule_is_changed_while_it_goes(scheduled: Scheduled, saves_at_once: None) -> None:
    def train(stop: bool) -> tuple[list[Any], RunFolder]:
        live, events = LiveRequests(), []
        for event in tasks.train(scheduled(unfreeze_schedule=(), freeze_epochs=2), live):
            events.append(event)
            if isinstance(event, BatchDone) and event.step == 2:
                live.unfreeze_schedule = ("stages.3=3",)
            live.stop = live.stop or (stop and isinstance(event, BatchDone) and event.step == 5)
        return events, run_of(events)

    events, whole = train(stop=False)
    assert frozen_after(events) == [(6, without("stages.3"))]
    recipe = whole.recipe()
    assert (recipe.freeze_epochs, recipe.unfreeze_schedule) == (0, ("stages.3=3",))
    _, run = train(stop=True)
    list(tasks.resume(run.path))
    same_end(whole, run)


def test_a_wish_that_fits_nothing_is_noted(scheduled: Scheduled) -> None:
    live, events = LiveRequests(), []
    for event in tasks.train(scheduled(epochs=1), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 1:
            live.unfreeze_schedule = ("layer9=2",)
    (note,) = of(events, Warned)
    assert "'layer9'" in note.message
    assert run_of(events).recipe().unfreeze_schedule == SCHEDULE


def test_patterns_that_fit_nothing_are_refused_before_the_run(
    scheduled: Scheduled, models: Path
) -> None:
    with pytest.raises(FlowerError, match="'layer9'"):
        list(tasks.train(scheduled(unfreeze_schedule=("layer9=2",))))
    assert not models.exists()


def test_a_resumed_run_may_have_another_schedule(scheduled: Scheduled) -> None:
    live = LiveRequests()
    for event in tasks.train(scheduled(), live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == 4)
    path = Path(event.run)
    bad = {"unfreeze_schedule": ("layer9=3",)}
    (told,) = of(list(tasks.check_resume(path, bad)), ResumeChecked)
    assert [each.subject for each in told.checks if each.verdict == "blocking"] == ["Unfreezing"]
    events = list(tasks.resume(path, changes={"unfreeze_schedule": ("stem=3",)}))
    assert frozen_after(events) == [(6, without("stages.3", "stem"))]


def test_what_is_frozen_as_it_is_resumed_stays_so(scheduled: Scheduled) -> None:
    live = LiveRequests()
    for event in tasks.train(scheduled(), live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == 4)
    events = list(tasks.resume(Path(event.run), changes={"frozen": ("all-but-head",)}))
    assert of(events, RunStarted)[0].frozen == ALL_BUT_HEAD
    left = frozen_after(events)
    assert left == [(6, without("stages.2")), (9, STAGES["stages.3"])]


def test_frozen_epochs_that_are_over_unfreeze_nothing_later(scheduled: Scheduled) -> None:
    """As in runs of older versions that were resumed with other frozen layers."""
    recipe = scheduled(freeze_epochs=1, unfreeze_schedule=())
    live = LiveRequests()
    for event in tasks.train(recipe, live):
        live.stop = live.stop or (isinstance(event, BatchDone) and event.step == 5)
    path = Path(event.run) / "last.pth"
    stored = torch.load(path, weights_only=True)
    stored["recipe"]["frozen"] = stored["frozen"] = ["stem"]
    torch.save(stored, path)
    assert frozen_after(list(tasks.resume(path.parent))) == []


def test_a_rollback_freezes_again_what_was_not_unfrozen_then(
    scheduled: Scheduled, saves_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = torch.nn.functional.cross_entropy, []

    def poisoned(logits: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        seen.append(logits.requires_grad)
        return real(logits, *args, **more) * (math.nan if sum(seen) == 5 and seen[-1] else 1)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", poisoned)
    live, events = LiveRequests(), []
    for event in tasks.train(scheduled(recover=True, save_minutes=60.0), live):
        events.append(event)
        if isinstance(event, BatchDone) and event.step == 2 and not of(events, RolledBack):
            live.save = True
        if isinstance(event, EpochDone) and event.epoch == 1:
            run_of(events).best.unlink(missing_ok=True)
    (back,) = of(events, RolledBack)
    assert back.epoch in (1, 2)
    steps = [step for step, _ in frozen_after(events)]
    if back.epoch == 1:
        assert steps == [3, 2, 3, 6, 9]
        assert frozen_after(events)[1] == (2, ALL_BUT_HEAD)


def test_features_are_cached_anew_up_to_what_trains(scheduled: Scheduled) -> None:
    events = list(tasks.train(scheduled(ema=0.0)))
    told = [e for e in of(events, FeatureCacheStatus) if e.part == "train"]
    assert [(each.step, each.where) for each in told] == [
        (0, "memory"),
        (3, "memory"),
        (6, "memory"),
    ]
    assert told[0].size < told[1].size < told[2].size


def test_a_budget_holds_although_later_epochs_take_longer(
    scheduled: Scheduled, many: str, cost: list[float]
) -> None:
    """The clock says that a batch takes 0.1 s with frozen layers, and 2 s without."""
    recipe = scheduled(photos=many, minutes=1.0, unfreeze_schedule=("*=4",))
    events = []
    for event in tasks.train(recipe):
        events.append(event)
        if isinstance(event, FrozenChanged):
            cost[0] = 2.0
    (changed,) = of(events, FrozenChanged)
    assert changed.step == 48
    assert events[-1].seconds < 66


def test_a_budget_holds_although_a_person_unfreezes_layers(
    scheduled: Scheduled, many: str, cost: list[float]
) -> None:
    """As before, in the midst of an epoch."""
    recipe = scheduled(photos=many, minutes=1.0, unfreeze_schedule=(), epochs=60)
    live, events = LiveRequests(), []
    for event in tasks.train(recipe, live):
        events.append(event)
        if isinstance(event, BatchDone) and (event.epoch, event.batch) == (20, 2):
            live.frozen = ()
        if isinstance(event, FrozenChanged):
            cost[0] = 4.0
    assert of(events, FrozenChanged)[0].frozen == ()
    assert 50 < events[-1].seconds < 70


def test_a_budget_holds_where_an_epoch_is_resumed_that_has_unfrozen_layers(
    scheduled: Scheduled, many: str, cost: list[float]
) -> None:
    """It was stopped before its batches had been timed."""
    recipe = scheduled(photos=many, minutes=1.0, unfreeze_schedule=("*=20",), epochs=60)
    live, events = LiveRequests(), []
    for event in tasks.train(recipe, live):
        events.append(event)
        if isinstance(event, FrozenChanged):
            cost[0] = 4.0
        live.stop = isinstance(event, BatchDone) and (event.epoch, event.batch) == (20, 2)
    events = list(tasks.resume(run_of(events).path))
    assert 50 < events[-1].seconds < 70


def test_after_a_resume_all_versions_are_cached_again(
    scheduled: Scheduled, saves_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the time budget counts with that."""
    left = []
    real = Run._versions_to_cache

    def observed(run: Run) -> int:
        left.append((run.progress.epoch, real(run)))
        return left[-1][1]

    monkeypatch.setattr(Run, "_versions_to_cache", observed)
    recipe = scheduled(
        unfreeze_schedule=(), augmentation="light", cached_views=3, epochs=40, minutes=60.0
    )
    live = LiveRequests()
    for event in tasks.train(recipe, live):
        live.stop = live.stop or (isinstance(event, EpochDone) and event.epoch == 5)
    assert left == [(1, 2), (2, 1), (3, 0)]
    left.clear()
    run, live = Path(event.run), LiveRequests()
    for event in tasks.resume(run, live):
        live.stop = live.stop or (isinstance(event, EpochDone) and event.epoch == 9)
    assert left == [(6, 2), (7, 1), (8, 0)]
