"""Stages are found in the structure of every family of networks."""

import pytest
import torch
from networks import SIZES, SMALLEST
from torch import nn

from flowergui.facts import ParameterFacts, StageFacts
from flowergui.learning.models.build import build
from flowergui.learning.models.describe import describe
from flowergui.learning.models.stages import MIN_STAGES, find_stages


@pytest.mark.parametrize("model", SMALLEST)
def test_every_parameter_is_in_one_stage_and_the_head_is_the_last(model: str) -> None:
    facts = describe(model, 5)
    names = [name for stage in facts.stages for name in stage.parameters]
    assert sorted(names) == sorted(parameter.name for parameter in facts.parameters)
    assert facts.stages[-1].parameters == facts.head
    assert len(facts.stages) > MIN_STAGES
    assert [stage.depth for stage in facts.stages] == list(reversed(range(len(facts.stages))))
    for stage in facts.stages:
        for name in stage.parameters:
            assert any(f"{name}.".startswith(f"{module}.") for module in stage.modules)


@pytest.mark.parametrize("model", [m for m in SMALLEST if m != "vit_b_32"])
def test_images_pass_through_them_in_their_order(model: str) -> None:
    """What a later stage gives depends on an earlier one, and never the other way round."""
    size = SIZES.get(model, 64)
    net = build(model, 5, size).eval()
    order: list[int] = []
    stages = describe(model, 5, size).stages
    places = {module: number for number, stage in enumerate(stages) for module in stage.modules}

    def watch(number: int) -> None:
        order.append(number)

    for name, module in net.named_modules():
        if name in places:
            module.register_forward_pre_hook(lambda *_, number=places[name]: watch(number))
    with torch.inference_mode():
        net(torch.zeros(1, 3, size, size))
    assert order == sorted(order)
    assert set(order) == set(range(len(stages)))


def test_names_of_stages() -> None:
    def modules(model: str) -> list[str]:
        return ["+".join(stage.modules) for stage in describe(model, 5).stages]

    assert modules("resnet18") == ["conv1+bn1", "layer1", "layer2", "layer3", "layer4", "fc"]
    assert modules("mynet") == ["stem", "stages.0", "stages.1", "stages.2", "stages.3", "fc"]
    assert modules("efficientnet_lite0") == [
        "stem", *(f"stages.{number}" for number in range(7)), "last_conv", "fc"
    ]  # fmt: skip
    assert modules("vit_b_32")[0] == "class_token+encoder.pos_embedding+conv_proj"
    assert modules("vit_b_32")[-2:] == ["encoder.layers.encoder_layer_11+encoder.ln", "heads.head"]
    assert modules("convnext_tiny")[-2:] == ["features.7+classifier.0", "classifier.2"]


def test_learning_rates_fall_towards_the_input() -> None:
    factors = [each.learning_rate_factor(0.5) for each in describe("resnet18", 5).stages]
    assert factors == [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]


def test_the_order_is_that_of_calls_and_not_that_of_names() -> None:
    parameters = [
        ParameterFacts(f"{name}.weight", (4, 4), 16) for name in ("d", "b", "a", "c", "h")
    ]
    calls = {name: number for number, name in enumerate("abcdh")}
    stages = find_stages(parameters, ("h.weight",), calls)
    assert [stage.modules[0] for stage in stages] == ["a", "b", "c", "d", "h"]
    assert stages[-1] == StageFacts(("h",), ("h.weight",), 0)


def test_a_network_of_one_layer_has_stages() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 2))
    parameters = [ParameterFacts(n, tuple(p.shape), p.numel()) for n, p in net.named_parameters()]
    stages = find_stages(parameters, ("2.weight", "2.bias"), {"0": 0, "2": 1})
    assert [stage.modules for stage in stages] == [("0",), ("2",)]
