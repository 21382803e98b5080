"""A network in two halves computes what it computes whole."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from networks import SMALLEST, made
from torch import Tensor, nn

from flowergui.learning.acceleration.frozen_split import (
    FrozenSplit,
    _trace,
    _traced,
    split_at_frozen,
)
from flowergui.learning.models.build import build
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.describe import describe, head_of
from flowergui.learning.models.freeze import freeze


def cut(
    net: nn.Module, model: str, size: int, trained: tuple[str, ...], dtype=torch.float32
) -> FrozenSplit:
    frozen = [name for name, _ in net.named_parameters() if name not in trained]
    freeze(net, frozen)
    return split_at_frozen(net, model, 5, size, frozen, dtype)


def close(one: Tensor, other: Tensor, share: float) -> bool:
    """Whether they differ by no more than a share of their spread."""
    return float((one - other).abs().max()) <= share * float(other.abs().max())


@pytest.mark.parametrize("part", ["head", "last stage"])
@pytest.mark.parametrize("model", SMALLEST)
def test_both_halves_are_the_whole(model: str, part: str) -> None:
    net, size = made(model)
    facts = describe(model, 5, size)
    trained = facts.head if part == "head" else (*facts.head, *facts.last_stage)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    two = cut(net, model, size, trained)
    assert two.is_split
    images = torch.randn(3, 3, size, size).to(memory_format=torch.channels_last)
    net.eval()
    with torch.no_grad():
        whole = net(images)
        values = two.backbone(images)
        assert all(len(value) == 3 for value in values)
        assert close(two.head(*values), whole, 1e-4)
        if part == "head":
            half = cut(net, model, size, trained, torch.bfloat16)
            net.eval()
            coarse = [value.float() for value in half.backbone(images)]
            assert close(half.head(*coarse), whole, 0.1)
        lone = two.backbone(images[1:2])
        assert all(close(one, value[1:2], 1e-5) for one, value in zip(lone, values, strict=True))
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(value.requires_grad or value.is_inference() for value in values)


def test_the_second_half_trains_the_network_itself() -> None:
    net, size = made("resnet18")
    facts = describe("resnet18", 5, size)
    two = cut(net, "resnet18", size, (*facts.head, *facts.last_stage))
    two.head(*two.backbone(torch.randn(4, 3, size, size))).sum().backward()
    with_gradients = {name for name, p in net.named_parameters() if p.grad is not None}
    assert with_gradients == {*facts.head, *facts.last_stage}
    assert [tuple(value.shape) for value in two.backbone(torch.randn(2, 3, 64, 64))] == [
        (2, 256, 4, 4)
    ]


def test_dropout_stays_active_where_only_what_trains_comes_after_it() -> None:
    net, size = made("vgg11")
    two = cut(net, "vgg11", size, head_of("vgg11"))
    images = torch.randn(2, 3, size, size)
    (value,), (again,) = two.backbone(images), two.backbone(images)
    assert torch.equal(value, again)  # the first dropout, with frozen weights behind it, rests
    assert not torch.equal(two.head(value), two.head(value))
    net.eval()
    assert torch.equal(two.head(value), two.head(value))


@pytest.mark.parametrize("trained", ["conv1.weight", "bn1.bias"])
def test_nothing_is_cut_off_before_what_trains(trained: str) -> None:
    net, size = made("resnet18")
    two = cut(net, "resnet18", size, (trained,))
    images = torch.randn(2, 3, size, size)
    if trained == "conv1.weight":
        assert not two.is_split
        assert two.backbone(images) == (images,)
        assert two.head is net
    else:  # the first convolution is all that stands still
        assert [tuple(value.shape) for value in two.backbone(images)] == [(2, 64, 32, 32)]


def test_a_cut_may_lie_amid_a_block() -> None:
    """Where a residual passes by, two values go on."""
    net, size = made("resnet18")
    facts = describe("resnet18", 5, size)
    late = tuple(p.name for p in facts.parameters if p.name.startswith(("layer4.1.conv2", "fc")))
    two = cut(net, "resnet18", size, late)
    images = torch.randn(2, 3, size, size)
    values = two.backbone(images)
    assert len(values) == 2
    net.eval()
    with torch.no_grad():
        assert close(two.head(*values), net(images), 1e-4)


def test_the_second_half_of_another_network() -> None:
    net, size = made("mynet")
    head = head_of("mynet")
    two = cut(net, "mynet", size, head)
    other = build("mynet", 5, size)
    other.load_state_dict(net.state_dict())
    other.get_parameter("fc.bias").data += 1
    values = two.backbone(torch.randn(2, 3, size, size))
    assert torch.allclose(two.head_of(other)(*values), two.head(*values) + 1, atol=1e-5)


@pytest.mark.parametrize("model", SMALLEST)
def test_no_trace_has_constants_of_its_own(model: str) -> None:
    """A constant would be what a hollow network has there: nothing."""
    graph = _traced(model, 5, model_info(model).image_size).graph
    assert not [node for node in graph.nodes if "_tensor_constant" in str(node.target)]


def test_networks_that_run_in_other_threads_meanwhile_notice_nothing() -> None:
    """torch.fx patches the calls of all modules of the process while it traces."""
    net = build("resnet18", 5, 64).eval()
    images = torch.randn(2, 3, 64, 64)
    going, outputs = threading.Event(), []

    def run() -> list[Tensor]:
        with torch.inference_mode():
            while not going.is_set():
                outputs.append(net(images))
        return outputs

    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(run)
        traces = [pool.submit(_traced, name, 5, 64) for name in ("mynet", "densenet121") * 3]
        for clears in range(6):
            traces[clears].result()
            _trace.cache_clear()
        going.set()
        running.result()
    assert len(outputs) > 1
    assert all(torch.equal(each, outputs[0]) for each in outputs)
