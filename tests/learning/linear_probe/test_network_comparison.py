"""Networks side by side on the same photos."""

from pathlib import Path

import pytest
import torch
from torch import nn
from weight_files import saved

from flowergui import tasks
from flowergui.errors import FlowerError
from flowergui.events import (
    NetworkCompared,
    NetworkFailed,
    NetworksCompared,
    Preparing,
    Scanned,
    ScanProgress,
)
from flowergui.learning.linear_probe import features, logistic_regression, network_comparison
from flowergui.learning.models.build import build


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without pretrained weights, apart from those that are installed as a package."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("flowergui.learning.models.efficientnet_lite.is_installed", lambda _: False)


@pytest.mark.usefixtures("nothing_here")
def test_networks_are_compared_one_by_one(folder: Path, tmp_path: Path) -> None:
    first, second = str(tmp_path / "mynet.pth"), str(tmp_path / "squeezenet.pth")
    saved("mynet", Path(first), 96)
    saved("squeezenet1_1", Path(second), 224)
    (tmp_path / "torn.pth").write_text("torn")

    events = list(
        tasks.compare_networks(
            folder, (first, tmp_path / "torn.pth", second), photos_used=18, device="cpu"
        )
    )

    kinds = [type(each) for each in events if not isinstance(each, Preparing)]
    assert kinds[-4:] == [NetworkCompared, NetworkFailed, NetworkCompared, NetworksCompared]
    assert sum(kind is Scanned for kind in kinds) == 1
    compared = [each for each in events if isinstance(each, NetworkCompared)]
    assert [(each.model, each.weights) for each in compared] == [
        ("mynet", first), ("squeezenet1_1", second),
    ]  # fmt: skip
    for each in compared:
        assert each.photos == 18
        assert 0 <= each.low <= each.accuracy <= each.high <= 1
        assert each.milliseconds > 0
    assert compared[0].accuracy > 0.6, "colours tell these classes apart, also by random layers"
    assert compared[1].megabytes == pytest.approx(4 * 722_496 / 1e6)  # torchvision's, without head
    assert [each.image_size for each in compared] == [96, 224]
    last = events[-1]
    assert set(last.networks) == set(compared)
    accuracies = [each.accuracy for each in last.networks]
    assert accuracies == sorted(accuracies, reverse=True)
    failed = next(each for each in events if isinstance(each, NetworkFailed))
    assert failed.weights.endswith("torn.pth")
    assert "torn.pth" in failed.reason


@pytest.mark.usefixtures("nothing_here")
def test_a_network_that_a_full_gpu_has_no_room_for_does_not_end_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "mynet.pth")
    saved("mynet", Path(path), 96)
    move, moved = nn.Module.to, list[nn.Module]()

    def to(net: nn.Module, *args: object, **kwargs: object) -> nn.Module:
        if not moved:
            moved.append(net)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return move(net, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "to", to)
    events = list(tasks.compare_networks(folder, (path, path), local=False, device="cpu"))
    failed, *preparing, compared, last = [
        each for each in events if not isinstance(each, Scanned | ScanProgress)
    ]
    assert isinstance(failed, NetworkFailed)
    assert failed.reason.startswith("There is not enough memory to run mynet now.")
    assert {type(each) for each in preparing} == {Preparing}
    assert isinstance(last, NetworksCompared)
    assert last.networks == (compared,)


@pytest.mark.usefixtures("nothing_here")
def test_it_can_be_ended_between_the_fits_of_a_network(folder: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "mynet.pth")
    saved("mynet", Path(path), 96)
    events = tasks.compare_networks(folder, (path,), local=False, device="cpu")
    steps = [
        each.done
        for each in events
        if isinstance(each, Preparing) and each.what == "Cross-validating"
    ]
    assert steps == list(range(len(steps)))
    assert len(steps) > 2


@pytest.mark.usefixtures("nothing_here")
def test_weights_on_this_machine_are_found(cached_weights, models: Path) -> None:
    assert network_comparison.local_candidates() == []
    torch.manual_seed(0)
    cached_weights("squeezenet1_1", build("squeezenet1_1", 1000, 224).state_dict())
    models.mkdir()
    for name in ("squeezenet1_1.pth", "resnet18.pth"):
        (models / name).touch()
    found = [(each.model, each.weights) for each in network_comparison.local_candidates()]
    assert found == [
        ("resnet18", str(models / "resnet18.pth")), ("squeezenet1_1", "IMAGENET1K_V1"),
    ]  # fmt: skip


def test_more_classes_than_memory_are_refused_before_features_are_computed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "mynet.pth")
    torch.save(build("mynet", 9, 32).state_dict(), path)
    monkeypatch.setattr(features, "FEATURE_BYTES", 0.01)
    monkeypatch.setattr(logistic_regression, "MAX_BYTES", 8 * 5 * 3 * (5 + 30) * 5)
    *events, failed, _ = tasks.compare_networks(folder, [path], local=False)
    assert isinstance(failed, NetworkFailed)
    assert "3 classes are too many for a cross-validation" in failed.reason
    assert not any(isinstance(each, Preparing) for each in events)
    monkeypatch.setattr(logistic_regression, "MAX_BYTES", 8 * 5 * 3 * (5 + 30) * 6)
    *_, result, _ = tasks.compare_networks(folder, [path], local=False)
    assert isinstance(result, NetworkCompared)
    assert result.photos == 6  # two of each class


@pytest.mark.usefixtures("nothing_here")
def test_nothing_to_compare_is_an_error(folder: Path) -> None:
    with pytest.raises(FlowerError, match="No pretrained weights"):
        list(tasks.compare_networks(folder))
