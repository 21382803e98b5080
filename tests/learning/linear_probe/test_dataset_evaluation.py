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
    Scanned,
)
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


def test_one_fold_is_refused(weights: str, folder: Path) -> None:
    with pytest.raises(FlowerError, match="At least two folds"):
        list(tasks.cross_validate(folder, "mynet", weights, folds=1))


def test_too_little_memory_is_said(
    weights: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(SubsetFits, "fit", no_room)
    with pytest.raises(FlowerError, match="not enough memory to run mynet"):
        list(tasks.cross_validate(folder, "mynet", weights, folds=3, device="cpu"))
    with pytest.raises(FlowerError, match="not enough memory to run mynet"):
        list(tasks.learning_curve(folder, "mynet", weights, device="cpu"))
    *_, failed, _ = tasks.compare_networks(folder, [weights], local=False)
    assert isinstance(failed, NetworkFailed)
    assert "not enough memory" in failed.reason
