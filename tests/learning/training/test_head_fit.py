"""Fitting the head: a first epoch without optimizer steps, which may be stopped and resumed."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate, count
from pathlib import Path
from typing import Any

import pytest
import torch
from feature_units import in_one_unit
from runs import finished, of, pull, run_of, same_end
from sklearn.linear_model import LogisticRegression
from torchvision.models import get_model

from flowergui import tasks
from flowergui.config.presets import with_preset, with_trained_head
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    FeatureCacheStatus,
    Finished,
    FrozenChanged,
    HeadFitted,
    Preparing,
    ResumeChecked,
    RunStarted,
    Saved,
    Stopped,
    ValidationProgress,
    Warned,
)
from flowergui.learning.acceleration.linear_head import LinearHead, linear_head_name
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.device.distributed import World
from flowergui.learning.linear_probe import logistic_regression
from flowergui.learning.linear_probe.logistic_regression import SubsetFits
from flowergui.learning.models.build import build
from flowergui.learning.models.freeze import frozen_parameters, most_epochs
from flowergui.learning.training import head_fit
from flowergui.learning.training.data_pipeline import TrainPipeline, ValidationPipeline
from flowergui.learning.training.head_fit import HeadFitPipeline
from flowergui.learning.training.progress import Clock
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests
from flowergui.store import library

Little = Callable[..., Recipe]


@pytest.fixture
def fitted(little: Little, tmp_path: Path) -> Callable[..., Recipe]:
    """A recipe of a transfer from random weights whose head is fitted in the first epoch."""
    torch.manual_seed(3)
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")

    def make(**changes: object) -> Recipe:
        weights = str(tmp_path / "theirs.pth")
        values = {"mode": "transfer", "weights": weights, "fit_head": True, "epochs": 1}
        return little(**{**values, **changes})

    return make


def test_the_head_is_a_logistic_regression(fitted: Callable[..., Recipe]) -> None:
    run = finished(events := list(tasks.train(fitted())))
    stored = checkpoint.read(run.best)
    (event,) = of(events, HeadFitted)
    net = build("mynet", 3, 32)
    net.load_state_dict(stored["model"])
    head = LinearHead(net, "mynet", 3, 32, torch.float32)
    features, labels = _train_features(run, head)
    scaled = in_one_unit(features)
    theirs = LogisticRegression(C=event.c, tol=1e-8, max_iter=10_000).fit(scaled, labels.numpy())
    with torch.no_grad():
        probabilities = head.linear(features).softmax(1)
    assert torch.allclose(
        probabilities.double(), torch.from_numpy(theirs.predict_proba(scaled)), atol=1e-3
    )


def _train_features(run, head: LinearHead) -> tuple[torch.Tensor, torch.Tensor]:
    from flowergui.learning.data import augmentation
    from flowergui.learning.data.dataset import eval_transform
    from flowergui.learning.models.pretrained import MEAN, STD

    classes, rows = run.classes(), list(run.split())
    train = [(path, label) for path, label, part in rows if part == "train"]
    transform, root = eval_transform(32), Path(run.recipe().photos)
    pixels = torch.stack([torch.from_numpy(transform(root / path).copy()) for path, _ in train])
    images = augmentation.normalize(pixels, MEAN, STD)
    return head.features(images), torch.tensor([classes.index(label) for _, label in train])


def test_only_the_head_moves_and_no_step_is_taken(fitted: Callable[..., Recipe]) -> None:
    recipe = fitted()
    run = finished(events := list(tasks.train(recipe)))
    theirs, ours = checkpoint.read(Path(recipe.weights)), checkpoint.read(run.best)
    moved = {n for n, each in ours["model"].items() if not torch.equal(each, theirs.get(n, each))}
    assert moved <= {"fc.weight", "fc.bias"}
    assert not ours["optimizer"]["state"]
    batches = of(events, BatchDone)
    assert [batch.photos for batch in batches] == [6, 6, 6]
    assert {batch.learning_rate for batch in batches} == {0.0}
    (epoch,) = of(events, EpochDone)
    assert (epoch.epoch, epoch.best_epoch, epoch.learning_rate) == (1, 1, 0.0)
    assert epoch.train_accuracy == pytest.approx(of(events, HeadFitted)[0].accuracy, abs=1e-6)


def test_fine_tuning_starts_where_the_fitted_head_stands(fitted: Callable[..., Recipe]) -> None:
    alone = list(tasks.train(fitted()))
    events = list(tasks.train(fitted(epochs=3, learning_rate=1e-8, freeze_batch_norm=True)))
    first, *others = of(events, EpochDone)
    assert first.val_loss == of(alone, EpochDone)[0].val_loss
    assert others[-1].val_loss == pytest.approx(first.val_loss, abs=0.02)
    started = of(events, RunStarted)[0]
    assert started.trainable == started.parameters
    rates = [batch.learning_rate for batch in of(events, BatchDone)]
    assert rates[:3] == [0.0] * 3
    # One-cycle is whole in the epochs that are left.
    assert (rates[3], rates[-1]) == pytest.approx((1e-8 / 25, 1e-8 / 25 / 1e4))


def test_one_cycle_is_whole_after_a_fit_that_ended_early(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where there are more images than a fit gains from."""
    monkeypatch.setattr(head_fit, "MAX_FITTED_IMAGES", 6)
    monkeypatch.setattr(head_fit, "FIRST_FIT_IMAGES", 6)
    events = list(tasks.train(fitted(epochs=3, learning_rate=1e-4)))
    rates = [batch.learning_rate for batch in of(events, BatchDone) if batch.epoch > 1]
    assert of(events, HeadFitted)[0].photos == 6
    assert len(rates) == 6
    assert (rates[0], rates[-1]) == pytest.approx((1e-4 / 25, 1e-4 / 25 / 1e4))


def test_the_fitted_head_is_saved_at_once(
    fitted: Callable[..., Recipe], saves_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is better than the one that was fitted on the first images, and saved then."""
    monkeypatch.setattr(head_fit, "FIRST_FIT_IMAGES", 6)
    monkeypatch.setattr(head_fit, "FIRST_SAVE_IMAGES", 6)
    monkeypatch.setattr(Run, "save_is_due", lambda run: False)
    events = list(tasks.train(fitted(epochs=3)))
    first, second = (events.index(done) for done in of(events, EpochDone)[:2])
    saved = [
        [Path(each.path).name for each in of(part, Saved)]
        for part in (
            events[:first],
            events[first:second],
        )
    ]
    assert ["best.pth" in names for names in saved] == [True, True]


@pytest.mark.parametrize("columns", [512, 1280, 2048, 4096])
def test_up_to_a_thousand_classes_have_all_images_that_a_fit_gains_from(columns: int) -> None:
    for classes in (2, 10, 1_000):
        assert head_fit.fitted_images(classes, columns) == 50_000
        assert head_fit.cross_validated_images(classes, columns) == 2_000
    for most in (head_fit.fitted_images, head_fit.cross_validated_images):
        counts = [most(classes, columns) for classes in range(1_000, 25_000, 100)]
        assert counts == sorted(counts, reverse=True)
        assert counts[-1] > 0


def test_many_classes_are_fitted_on_fewer_images(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else memory would grow with classes times images."""
    monkeypatch.setattr(head_fit, "FIRST_FIT_IMAGES", 6)
    fewer = 8 * 3 * (5 + 30) * 10  # ten images of three classes, as many axes
    monkeypatch.setattr(logistic_regression, "MAX_BYTES", fewer)
    events = list(tasks.train(fitted()))
    assert of(events, HeadFitted)[0].photos == 12  # two batches of six
    assert of(events, RunStarted)[0].train_photos == 18


def test_a_fit_that_ended_early_ends_there_again(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, saves_at_once: None
) -> None:
    """Stopped while its epoch was validated."""
    monkeypatch.setattr(head_fit, "MAX_FITTED_IMAGES", 12)
    monkeypatch.setattr(head_fit, "FIRST_FIT_IMAGES", 6)
    recipe = fitted(epochs=2, batch_size=2)
    whole = finished(list(tasks.train(recipe)))
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    pull(going, events, HeadFitted)
    live.stop = True
    events += going
    again = list(tasks.resume(run_of(events).path))
    assert of(again, HeadFitted)[0].photos == 12
    same_end(whole, finished(again))


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_stopped_in_the_midst_it_ends_the_same(
    fitted: Callable[..., Recipe], batch: int, saves_at_once: None
) -> None:
    recipe = fitted(epochs=2)
    whole = finished(list(tasks.train(recipe)))
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    pull(going, events, BatchDone, batch)
    live.stop = True
    events += going
    run = run_of(events)
    again = finished(list(tasks.resume(run.path)))
    same_end(whole, again)


@pytest.mark.parametrize("message", ["Cross-validating", "Fitting the head"])
def test_a_stop_is_heard_while_the_regularization_is_chosen(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    """With a thousand classes that may take minutes."""
    make_steps_short(monkeypatch)
    recipe = fitted(epochs=2)
    whole = finished(list(tasks.train(recipe)))
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    while not (events and isinstance(events[-1], Preparing) and events[-1].what == message):
        events.append(next(going))
    live.stop = True
    events += going
    assert not of(events, HeadFitted)
    assert of(events, Stopped)
    same_end(whole, finished(list(tasks.resume(run_of(events).path))))


def make_steps_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a thousand classes, fits take several steps."""
    monkeypatch.setattr(logistic_regression, "MIN_STEP_ITERATIONS", 2)
    steps = SubsetFits.fit_in_steps

    def short(fits: SubsetFits, c: float, operations: float = 0, **how: Any) -> Any:
        return steps(fits, c, 0, **how)

    monkeypatch.setattr(SubsetFits, "fit_in_steps", short)
    monkeypatch.setattr(SubsetFits, "is_large", lambda *_, **__: True)


def test_a_stop_is_heard_in_a_fit_on_the_images_seen_so_far(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_steps_short(monkeypatch)
    monkeypatch.setattr(head_fit, "FIRST_FIT_IMAGES", 6)
    recipe = fitted(epochs=2)
    whole = finished(list(tasks.train(recipe)))
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    pull(going, events, BatchDone)
    events.append(next(going))
    assert isinstance(events[-1], Preparing)
    assert events[-1].what == "Fitting the head"
    live.stop = True
    events += going
    assert (len(of(events, BatchDone)), len(of(events, Stopped))) == (1, 1)
    again = finished(rest := list(tasks.resume(run_of(events).path)))
    begins = [isinstance(e, Preparing) and e.what == "Fitting the head" for e in rest].index(True)
    assert begins < [isinstance(each, BatchDone) for each in rest].index(True)
    same_end(whole, again)


def test_a_fit_ends_within_the_time_budget(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock is 0.25 s after the last one."""
    make_steps_short(monkeypatch)
    ticks = (0.25 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    short = list(tasks.train(fitted(minutes=0.2)))
    long = list(tasks.train(fitted(minutes=2.0)))
    steps = [len([e for e in events if isinstance(e, Preparing)]) for events in (short, long)]
    assert steps[0] < steps[1] / 2
    assert of(short, HeadFitted)
    assert of(short, EpochDone)
    assert short[-1].seconds == pytest.approx(12, rel=0.2)  # the last looks at the clock


def test_the_fits_of_the_head_are_not_taken_for_training(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are left out when the first epoch's seconds are scaled up to those of the next ones."""
    monkeypatch.setattr(head_fit, "FIRST_FIT_IMAGES", 6)
    ticks = count()
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    fit, seconds = logistic_regression.SubsetFits.fit_in_steps, []

    def slow(fits: SubsetFits, c: float, *given: Any, **how: Any) -> Any:
        for _ in range(100):
            next(ticks)
        return fit(fits, c, *given, **how)

    monkeypatch.setattr(SubsetFits, "fit_in_steps", slow)
    limit = head_fit.limit_validation

    def seen(run: Run, image_seconds: float) -> Any:
        seconds.append(image_seconds)
        return limit(run, image_seconds)

    monkeypatch.setattr(head_fit, "limit_validation", seen)
    events = list(tasks.train(fitted(minutes=60.0), LiveRequests()))
    photos = of(events, HeadFitted)[0].photos
    assert seconds[0] * photos < 30  # the looks at the clock, and none of the hundreds of seconds


def test_layers_may_be_frozen_while_it_is_fitted(fitted: Callable[..., Recipe]) -> None:
    live, events = LiveRequests(), []
    going = tasks.train(fitted(epochs=2, freeze_epochs=1), live)
    pull(going, events, BatchDone)
    live.frozen = ("all-but-head",)  # which lasts then
    events += going
    run = finished(events)
    ours, theirs = (checkpoint.read(path) for path in (run.last, Path(run.recipe().weights)))
    moved = {n for n, each in ours["model"].items() if not torch.equal(each, theirs.get(n, each))}
    assert moved == {"fc.weight", "fc.bias"}
    assert of(events, FeatureCacheStatus)


def test_it_predicts_before_all_images_are_seen(
    fitted: Callable[..., Recipe], make_photos, tmp_path: Path, saves_at_once: None
) -> None:
    many = make_photos(tmp_path / "many", classes=3, per_class=90)
    events: list = []
    going = tasks.train(fitted(photos=str(many), batch_size=16))
    pull(going, events, Saved)
    assert Path(events[-1].path).name in ("last.pth", "best.pth")
    assert not of(events, EpochDone)
    assert len(of(events, BatchDone)) <= 12
    run = run_of(events)
    photo = next((many / "daisy").iterdir())
    (predicted,) = tasks.predict(run.best, [photo])
    assert predicted.predictions[0].name == "daisy"
    events += going
    finished(events)


def test_averaged_weights_get_the_head_too(fitted: Callable[..., Recipe]) -> None:
    run = finished(list(tasks.train(fitted(ema=0.9))))
    stored = checkpoint.read(run.best)
    assert torch.equal(stored["ema"]["fc.weight"], stored["model"]["fc.weight"])


def test_a_convolution_as_classifier_is_trained(little: Little, tmp_path: Path) -> None:
    theirs = get_model("squeezenet1_1", weights=None)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    assert linear_head_name(theirs, "squeezenet1_1") == ""
    weights = str(tmp_path / "theirs.pth")
    recipe = little(
        mode="transfer", model="squeezenet1_1", weights=weights, fit_head=True, epochs=1,
        image_size=64,
    )  # fmt: skip
    run = finished(events := list(tasks.train(recipe)))
    assert "squeezenet1_1 is not a linear layer" in of(events, Warned)[0].message
    assert not of(events, HeadFitted)
    assert not run.recipe().fit_head
    assert run.recipe().epochs == 1  # as asked for


def test_recommended_trains_a_head_that_cannot_be_fitted() -> None:
    recipe = with_preset(Recipe(mode="transfer", model="squeezenet1_1"), "recommended")
    trained = with_trained_head(recipe)
    assert (trained.fit_head, trained.epochs, trained.frozen) == (False, 60, ("all-but-head",))
    assert trained.minutes == recipe.minutes == 5.0  # the time that was promised
    assert most_epochs(trained, 5, 224) == 60
    classifier = frozen_parameters(("all-but-head",), "squeezenet1_1", 5, 224)
    assert most_epochs(replace(trained, frozen=classifier, epochs=300), 5, 224) == 60
    few = replace(trained, frozen=("features.0.*",))
    assert most_epochs(few, 5, 224) > 1_000  # that is no head alone
    assert most_epochs(replace(trained, unfreeze_schedule=("*=9",)), 5, 224) > 1_000
    assert most_epochs(recipe, 5, 224) > 1_000
    assert most_epochs(trained, 5, 224, done=61) > 1_000  # other layers trained before
    assert with_trained_head(replace(recipe, epochs=7, minutes=0.0)).epochs == 7


def test_from_scratch_nothing_is_fitted(little: Little) -> None:
    events = list(tasks.train(little(fit_head=True, epochs=1)))
    assert isinstance(events[-1], Finished)
    assert not of(events, HeadFitted)


def test_a_time_budget_sets_the_epochs(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock is 0.25 s after the last one, so that epochs take as long."""
    ticks = (0.25 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    run = finished(events := list(tasks.train(fitted(minutes=0.5, epochs=1))))
    done = of(events, EpochDone)
    assert len(done) == done[-1].epochs == events[-1].epochs == run.recipe().epochs > 2
    assert events[-1].seconds == pytest.approx(30, rel=0.1)
    more = list(tasks.resume(run.path, changes={"minutes": 0.8}))
    assert of(more, RunStarted)[0].epochs > len(done)
    assert more[-1].seconds == pytest.approx(48, rel=0.1)
    batches = [sum(b.epoch == e.epoch for b in of(more, BatchDone)) for e in of(more, EpochDone)]
    assert 1 <= batches[-1] <= 3 == max(batches)
    all_of_them = list(tasks.resume(run.path, changes={"epochs": more[-1].epochs + 2}))
    assert all_of_them[-1].epochs == more[-1].epochs + 2
    assert len(of(all_of_them, BatchDone)) == 2 * 3


def test_an_epoch_whose_validation_has_no_time_is_not_planned(
    fitted: Callable[..., Recipe], make_photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the head is fitted, validation images are cached; all layers need them whole again."""
    many = make_photos(tmp_path / "many", classes=3, per_class=60)
    now = [0.0]
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: now[0],))

    def slow(pipeline: type, name: str, seconds: float) -> None:
        before = getattr(pipeline, name)

        def to_images(self: Any, batch: Any, *given: Any) -> torch.Tensor:
            now[0] += seconds * len(batch.indices)
            return before(self, batch, *given)

        monkeypatch.setattr(pipeline, name, to_images)

    slow(HeadFitPipeline, "_to_images", 0.05)
    slow(TrainPipeline, "to_images", 0.05)
    slow(ValidationPipeline, "to_images", 0.25)
    recipe = fitted(photos=str(many), freeze_epochs=1, frozen=("all-but-head",), minutes=0.4)
    events = list(tasks.train(recipe))
    assert of(events, RunStarted)[0].validation_photos == 36  # 9 s; features take 7.2 s
    assert len(of(events, EpochDone)) == 1
    assert 16 < events[-1].seconds < 21


def test_a_budget_shorter_than_an_epoch_ends_it(
    little: Little, make_photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a fitted head nothing is known of an epoch before its first batches."""
    many = make_photos(tmp_path / "many", classes=3, per_class=60)
    ticks = (0.25 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    recipe = little(photos=str(many), batch_size=4, minutes=0.2, epochs=30)
    run = finished(events := list(tasks.train(recipe)))
    batches = of(events, BatchDone)
    assert batches[0].batches == 36 > len(batches)
    assert (batches[-1].batch, batches[-1].batches) == (len(batches), len(batches))
    assert events[-1].epochs == 1
    assert events[-1].seconds == pytest.approx(12, rel=0.2)
    more = list(tasks.resume(run.path, changes={"minutes": 0.0, "epochs": 2}))
    assert len([each for each in of(more, BatchDone) if each.epoch == 2]) == 36


def test_more_time_ends_the_epoch_that_has_begun(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if so much time is over already."""
    live, events = LiveRequests(), []
    ticks = (9.0 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    going = tasks.train(fitted(epochs=3), live)
    pull(going, events, BatchDone, 5)
    live.stop = True
    events += going
    more = list(tasks.resume(run_of(events).path, changes={"minutes": 0.5}))
    assert isinstance(more[-1], Finished)
    assert [each.epoch for each in of(more, EpochDone)] == [2]


def test_without_time_for_an_epoch_only_the_head_is_fitted(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = (2.0 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    events = list(tasks.train(fitted(minutes=0.5, epochs=9)))
    assert events[-1].epochs == 1


def test_layers_unfreeze_after_the_frozen_epochs(
    fitted: Callable[..., Recipe], saves_at_once: None
) -> None:
    recipe = fitted(epochs=3, frozen=("all-but-head",), freeze_epochs=1, freeze_batch_norm=True)
    events = list(tasks.train(recipe))
    whole = finished(events)
    (changed,) = of(events, FrozenChanged)
    assert (changed.step, changed.frozen) == (3, ())
    assert whole.recipe().frozen == ()
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    pull(going, events, EpochDone)
    live.stop = True
    events += going
    assert not of(events, FrozenChanged)
    run = run_of(events)
    list(tasks.resume(run.path))
    same_end(whole, run)


def test_a_budget_too_small_for_all_images_fits_the_head_on_some(
    fitted: Callable[..., Recipe], make_photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = make_photos(tmp_path / "many", classes=3, per_class=60)
    ticks = (0.5 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    events = list(tasks.train(fitted(photos=str(many), minutes=0.25)))
    (event,) = of(events, HeadFitted)
    assert 48 <= event.photos < of(events, RunStarted)[0].train_photos == 144
    assert events[-1].best_accuracy > 0.9


def test_a_large_validation_set_does_not_use_up_the_time_budget(
    fitted: Callable[..., Recipe],
    make_photos,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saves_at_once: None,
) -> None:
    """Some of it is measured, the same images in every epoch and after a resume."""
    many = make_photos(tmp_path / "many", classes=3, per_class=60)
    ticks = (0.1 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    recipe = fitted(photos=str(many), minutes=0.1, validation_fraction=0.5)
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    pull(going, events, EpochDone)
    live.stop = True
    events += going
    (warning,) = of(events, Warned)
    run = run_of(events)
    limit = checkpoint.read(run.last)["progress"]["validation_images"]
    assert 1 <= limit < of(events, RunStarted)[0].validation_photos == 90
    assert warning.message == (
        f"To stay within the time budget, validation uses {limit} of the 90 validation images."
    )
    more = list(tasks.resume(run.path, changes={"minutes": 0.5}))
    assert of(more, EpochDone)
    assert {each.batches for each in of(more, ValidationProgress)} == {
        math.ceil(limit / (2 * recipe.batch_size))
    }


def test_a_fit_that_is_resumed_late_keeps_the_images_it_had_seen(
    fitted: Callable[..., Recipe], make_photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their features are computed again, although no time is left for others."""
    many = make_photos(tmp_path / "many", classes=3, per_class=60)
    step = [0.0]
    times = accumulate(step[0] for _ in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(times),))
    live, events = LiveRequests(), []
    going = tasks.train(fitted(photos=str(many), minutes=0.5, batch_size=16), live)
    pull(going, events, BatchDone, 4)
    step[0] = 60.0  # more than the budget
    pull(going, events, BatchDone, 5)
    live.stop = True
    events += going
    (event,) = of(list(tasks.resume(run_of(events).path)), HeadFitted)
    seen = sum(each.photos for each in of(events, BatchDone))
    assert 48 < seen <= event.photos < of(events, RunStarted)[0].train_photos


def test_features_of_several_processes_are_in_the_order_of_the_batch(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folds of the cross-validation depend on it."""

    class TwoRanks(World):
        def all_gather(self, value: Any) -> list[Any]:
            return [tuple(each[rank::2] for each in value) for rank in range(2)]

    alone = of(list(tasks.train(fitted())), HeadFitted)
    seen: list[tuple[int, ...]] = []
    real = HeadFitPipeline.batches

    def observed(pipeline: HeadFitPipeline, wanted: list[tuple[int, ...]], *more: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(head_fit, "world", TwoRanks)
            seen.extend(wanted)
            found = list(real(pipeline, wanted, *more))
        assert [each.indices for each in found] == seen
        yield from found

    monkeypatch.setattr(HeadFitPipeline, "batches", observed)
    assert of(list(tasks.train(fitted())), HeadFitted) == alone
    assert len(seen) == 3


def test_features_that_are_computed_again_count_once(
    fitted: Callable[..., Recipe], make_photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a resumed run would believe that an image takes twice as long."""
    now, real = [0.0], LinearHead.features

    def slowly(head: LinearHead, images: torch.Tensor) -> torch.Tensor:
        now[0] += len(images)
        return real(head, images)

    monkeypatch.setattr(LinearHead, "features", slowly)
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: now[0],))
    many = make_photos(tmp_path / "many", classes=3, per_class=20)
    recipe = fitted(photos=str(many), minutes=1.0)
    live, events = LiveRequests(), []
    going = tasks.train(recipe, live)
    pull(going, events, BatchDone, 7)
    live.stop = True
    events += going
    run, live, events = run_of(events).path, LiveRequests(), []
    for event in tasks.resume(run, live):
        events.append(event)
        live.stop = isinstance(event, EpochDone)
    assert of(events, EpochDone)[0].seconds == 48  # as many images


def test_a_smaller_time_budget_is_planned_with_at_once(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has trained already takes longer than that."""
    ticks = (0.25 * n for n in count())
    monkeypatch.setattr(Clock.__init__, "__defaults__", (lambda: next(ticks),))
    live, events = LiveRequests(), []
    going = tasks.train(fitted(minutes=2.0), live)
    pull(going, events, EpochDone, 8)
    live.stop = True
    events += going
    run = run_of(events)
    (told,) = of(list(tasks.check_resume(run.path, {"minutes": 0.1})), ResumeChecked)
    assert told.epochs_left == 0
    (told,) = of(list(tasks.check_resume(run.path, {"minutes": 1.0})), ResumeChecked)
    assert 0 < told.epochs_left < of(events, EpochDone)[-1].epochs - 8


def test_a_fit_that_lacks_memory_does_not_begin_again(
    fitted: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smaller batches would not help, and what is saved may be of use."""

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(head_fit, "fit_with_chosen_c", full)
    events: list[Any] = []
    with pytest.raises(FlowerError, match="not enough memory"):
        events.extend(tasks.train(fitted()))
    (run,) = library.runs()
    assert run.recipe.batch_size == 6
