"""How sure an accuracy is, and whether more images would raise it, for a folder."""

from pathlib import Path

import pytest
from weight_files import saved

from flowergui import tasks
from flowergui.confidence_interval import wilson_interval
from flowergui.errors import FlowerError
from flowergui.events import (
    CrossValidated,
    LearningCurveEstimated,
    NetworkFailed,
    PhotoEvaluated,
    Preparing,
    Scanned,
    Warned,
)
from flowergui.learning.linear_probe import features, logistic_regression
from flowergui.learning.linear_probe.logistic_regression import SubsetFits


@pytest.fixture
def weights(tmp_path: Path) -> str:
    saved("mynet", tmp_path / "weights.pth", 96)
    return str(tmp_path / "weights.pth")


def test_every_image_is_predicted_once(weights: str, make_photos, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "flowers", classes=3, per_class=9)
    (folder / "iris" / "torn.jpg").write_text("torn")

    events = list(tasks.cross_validate(folder, "mynet", weights, folds=3, device="cpu"))

    assert any(isinstance(each, Scanned) for each in events)
    photos = [each for each in events if isinstance(each, PhotoEvaluated)]
    assert sorted(each.path for each in photos) == sorted(
        str(path) for path in folder.rglob("*_*.jpg")
    )
    assert all(Path(each.path).parent.name == each.label for each in photos)
    last = events[-1]
    assert isinstance(last, CrossValidated)
    correct = sum(each.correct for each in photos)
    assert (last.model, last.weights, last.folds, last.photos) == ("mynet", "weights.pth", 3, 27)
    assert last.accuracy == pytest.approx(correct / 27)
    assert (last.low, last.high) == pytest.approx(wilson_interval(correct, 27))
    assert [each.name for each in last.classes] == ["daisy", "iris", "lily"]
    assert sum(each.correct for each in last.classes) == correct
    assert sum(each.photos for each in last.confusions) == 27 - correct
    assert correct > 18


def test_a_learning_curve_of_a_folder(weights: str, make_photos, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "flowers", classes=2, per_class=12)
    last = list(tasks.learning_curve(folder, "mynet", weights, device="cpu"))[-1]
    assert isinstance(last, LearningCurveEstimated)
    assert last.classes == ("daisy", "iris")
    assert [each.photos for each in (*last.points, last.twice)] == [6, 12, 24, 48]
    assert last.twice.accuracy >= last.points[-1].accuracy > 0.6
    assert last.gain_low <= last.gain_high
    assert all(len(each.class_accuracy) == 2 for each in (*last.points, last.twice))


def test_three_images_make_no_learning_curve(weights: str, make_photos, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "flowers", classes=3, per_class=1)
    with pytest.raises(FlowerError, match="needs at least 4 images; there are 3"):
        list(tasks.learning_curve(folder, "mynet", weights, device="cpu"))


def test_it_can_be_ended_between_its_fits(weights: str, folder: Path) -> None:
    """As by a worker that is cancelled: at the next event."""
    events = tasks.cross_validate(folder, "mynet", weights, device="cpu")
    steps = [
        each.done
        for each in events
        if isinstance(each, Preparing) and each.what == "Cross-validating"
    ]
    assert steps == list(range(len(steps)))
    assert len(steps) > 2


@pytest.mark.parametrize(
    ("memory", "feature_bytes"),
    [
        (8 * 3 * 3 * (5 + 30) * 12, 1),  # what the fits take: 3 folds, 3 classes, 12 axes
        (20 * 256 * 12, 20),  # what the features take
    ],
)
def test_more_images_than_memory_has_room_for_are_sampled(
    weights: str,
    make_photos,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    memory: int,
    feature_bytes: int,
) -> None:
    folder = make_photos(tmp_path / "flowers", classes=3, per_class=9)
    monkeypatch.setattr(logistic_regression, "MAX_BYTES", memory)
    monkeypatch.setattr(features, "FEATURE_BYTES", feature_bytes)
    events = list(tasks.cross_validate(folder, "mynet", weights, folds=3, device="cpu"))
    (warning,) = [each for each in events if isinstance(each, Warned)]
    assert "all 27 images would take too much memory: 12 of them" in warning.message
    last = events[-1]
    assert isinstance(last, CrossValidated)
    assert last.photos == 12
    assert [each.photos for each in last.classes] == [4, 4, 4]


def test_as_many_folds_as_images_take_no_more_memory(
    weights: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are never more than the images of the largest class."""
    monkeypatch.setattr(logistic_regression, "MAX_BYTES", 8 * 8 * 3 * (5 + 30) * 24)
    monkeypatch.setattr(features, "FEATURE_BYTES", 1)
    events = list(tasks.cross_validate(folder, "mynet", weights, folds=1_000, device="cpu"))
    assert not any(isinstance(each, Warned) for each in events)
    assert events[-1].photos == 24


def test_too_many_classes_are_refused(
    weights: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each needs two images at least."""
    monkeypatch.setattr(logistic_regression, "MAX_BYTES", 8 * 5 * 3 * (5 + 30) * 5)
    with pytest.raises(FlowerError, match="3 classes are too many for a cross-validation"):
        list(tasks.cross_validate(folder, "mynet", weights, device="cpu"))


def test_one_fold_is_refused(weights: str, folder: Path) -> None:
    with pytest.raises(FlowerError, match="At least two folds"):
        list(tasks.cross_validate(folder, "mynet", weights, folds=1))


def test_too_little_memory_is_said(
    weights: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(SubsetFits, "fit_in_steps", no_room)
    with pytest.raises(FlowerError, match="not enough memory to run mynet"):
        list(tasks.cross_validate(folder, "mynet", weights, folds=3, device="cpu"))
    with pytest.raises(FlowerError, match="not enough memory to run mynet"):
        list(tasks.learning_curve(folder, "mynet", weights, device="cpu"))
    *_, failed, _ = tasks.compare_networks(folder, [weights], local=False)
    assert isinstance(failed, NetworkFailed)
    assert "not enough memory" in failed.reason
