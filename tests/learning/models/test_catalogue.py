"""The catalogue lists every architecture of all providers."""

import pytest
from networks import SMALLEST
from torch import nn

from flowergui.errors import FlowerError
from flowergui.facts import ModelFacts
from flowergui.learning.models import catalogue
from flowergui.learning.models.build import build
from flowergui.learning.models.catalogue import model_catalogue, model_info
from flowergui.learning.models.describe import describe
from flowergui.learning.models.freeze import freeze, frozen_parameters
from flowergui.learning.models.identify import identify_architecture


def test_the_catalogue_has_all_of_torchvision_and_ours() -> None:
    facts = model_catalogue()
    names = [each.name for each in facts]
    assert len(names) == len(set(names)) >= 81
    assert names[0] == "mynet"
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
        return (ModelFacts("tiny", "Tiny networks", 5 * 2 + 2, 8, ()),)

    def create(self, model: str, class_count: int, image_size: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, class_count)
        )

    def built_for_sizes(self, model: str) -> tuple[int, ...]:
        return ()


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
