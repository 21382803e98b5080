"""The catalogue lists every architecture of all providers."""

from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
import torch
from networks import SMALLEST
from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.learning.models import catalogue, weights
from flowergui.learning.models.build import build
from flowergui.learning.models.catalogue import (
    model_catalogue,
    model_info,
    with_local_weights,
)
from flowergui.learning.models.describe import describe
from flowergui.learning.models.freeze import freeze, frozen_parameters
from flowergui.learning.models.identify import identify_architecture
from flowergui.learning.models.pretrained import Pretrained, Rgb

GREY: Rgb = (0.5, 0.5, 0.5)


def test_the_catalogue_has_all_of_torchvision_and_ours() -> None:
    facts = model_catalogue()
    names = [each.name for each in facts]
    assert len(names) == len(set(names)) >= 84
    assert {"efficientnet_lite0", "mynet", "resnet18"} <= set(names)
    assert {each.family for each in facts} == {model_info(name).family for name in SMALLEST}
    resnet50 = model_info("resnet50")
    assert (resnet50.family, resnet50.parameters, resnet50.image_size) == (
        "ResNet",
        25_557_032,
        224,
    )
    assert [each.name for each in resnet50.weights] == ["IMAGENET1K_V2", "IMAGENET1K_V1"]
    assert resnet50.weights[0].accuracy == pytest.approx(0.80858)
    assert "IMAGENET1K_FEATURES" not in [w.name for w in model_info("vgg16").weights]
    assert all(0.4 < w.accuracy < 0.9 and w.megabytes > 1 for each in facts for w in each.weights)


def test_a_name_that_is_none() -> None:
    with pytest.raises(FlowerError, match="no network called 'resnet19'") as refused:
        model_info("resnet19")
    assert "resnet18" in refused.value.hint
    with pytest.raises(FlowerError, match="no network called ''"):
        describe("", 3)


class TinyNetworks:
    """A provider of networks, as another one would be added to the catalogue."""

    def list_models(self) -> tuple[ModelFacts, ...]:
        offered = WeightsFacts("FLOWERS_V1", 0.9, 8, 0.1)
        return (ModelFacts("tiny", "Tiny networks", 5 * 2 + 2, 8, (offered,)),)

    def create(self, model: str, class_count: int, image_size: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, class_count)
        )

    def built_for_sizes(self, model: str) -> tuple[int, ...]:
        return ()

    def is_local(self, model: str, weights: str) -> bool:
        return True

    def load_weights(
        self, model: str, weights: str
    ) -> Generator[DownloadProgress, None, Pretrained]:
        yield DownloadProgress("tiny.pth", 0, 0)
        net = self.create(model, 9, 8)
        return Pretrained(
            weights, {f"old.{k}": v for k, v in net.state_dict().items()}, 8, GREY, GREY
        )

    def normalization(self, model: str, class_count: int) -> tuple[Rgb, Rgb]:
        return GREY, GREY

    def rename_keys(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name.removeprefix("old."): tensor for name, tensor in tensors.items()}


def test_another_provider_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    before = model_catalogue()
    monkeypatch.setattr(catalogue, "PROVIDERS", (*catalogue.PROVIDERS, TinyNetworks()))
    assert [facts.name for facts in model_catalogue()] == [*(f.name for f in before), "tiny"]
    assert describe("tiny", 3).head == ("3.weight", "3.bias")
    net = build("tiny", 3, 8)
    freeze(net, frozen_parameters(["all-but-head"], "tiny", 3, 8))
    assert [name for name, p in net.named_parameters() if p.requires_grad] == ["3.weight", "3.bias"]
    found = identify_architecture(net.state_dict())
    assert found is not None
    assert (found.model, found.class_count, found.image_size) == ("tiny", 3, 8)


def test_its_weights_are_loaded_and_its_files_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogue, "PROVIDERS", (*catalogue.PROVIDERS, TinyNetworks()))
    monkeypatch.setattr(weights, "PROVIDERS", catalogue.PROVIDERS)
    (facts,) = with_local_weights((model_info("tiny"),))
    assert facts.weights[0].local
    loading = weights.load("tiny", "imagenet")
    assert next(loading) == DownloadProgress("tiny.pth", 0, 0)
    with pytest.raises(StopIteration) as end:
        next(loading)
    found = end.value.value
    assert (found.name, found.mean) == ("FLOWERS_V1", GREY)
    torch.save(dict(found.tensors), tmp_path / "tiny.pth")
    from_file = weights.from_file(tmp_path / "tiny.pth", "tiny")
    assert (from_file.mean, from_file.std) == (GREY, GREY)
    assert weights.load_pretrained(build("tiny", 3, 8), from_file, "tiny") == []
