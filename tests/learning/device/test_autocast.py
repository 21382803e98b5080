"""Which operations run in the run's precision."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.learning.acceleration.frozen_split import split_at_frozen
from flowergui.learning.device.autocast import autocast, has_depthwise
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.freeze import freeze, frozen_parameters

Little = Callable[..., Recipe]

CPU = torch.device("cpu")


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 3, padding=1, groups=2),
        nn.Conv2d(8, 16, 3, padding=1, groups=8, bias=False, padding_mode="reflect"),
        nn.Conv2d(16, 4, 1),
    )


def is_exact(layer: nn.Conv2d, taken: tuple[Tensor], out: Tensor) -> bool:
    """Whether what it gives was computed in float32, and rounded if at all."""
    with torch.autocast("cpu", enabled=False), torch.no_grad():
        exact = layer._conv_forward(taken[0].float(), layer.weight, layer.bias)
    return torch.equal(out, exact.to(out.dtype))


@pytest.mark.parametrize("spared", [True, False])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_depthwise_convolutions_may_be_spared(dtype: torch.dtype, spared: bool) -> None:
    given: list[bool] = []
    net = layers()
    for layer in net.children():
        layer.register_forward_hook(lambda *called: given.append(is_exact(*called)))
    with autocast(CPU, dtype, spare_depthwise=spared):
        assert net(torch.randn(2, 3, 8, 8)).dtype == dtype
    if dtype == torch.float32:
        assert all(given)
    else:
        assert given == [False, spared, False, spared, False]


def test_what_is_spared_computes_the_same_within_rounding() -> None:
    images, net = torch.randn(2, 3, 8, 8), layers()
    net(images).square().sum().backward()
    exact = [parameter.grad for parameter in net.parameters()]
    net.zero_grad()
    with autocast(CPU, torch.bfloat16, spare_depthwise=True):
        out = net(images)
    out.float().square().sum().backward()
    for parameter, wanted in zip(net.parameters(), exact, strict=True):
        assert parameter.grad.dtype == torch.float32
        assert (parameter.grad - wanted).abs().max() < 0.05 * wanted.abs().max()


def test_convolutions_that_are_called_otherwise_pass() -> None:
    images, kernel = torch.randn(2, 8, 8, 8), torch.randn(8, 1, 3, 3)
    with autocast(CPU, torch.bfloat16, spare_depthwise=True):
        plain = nn.functional.conv2d(images, torch.randn(4, 8, 3, 3), torch.zeros(4))
        named = nn.functional.conv2d(images, kernel, groups=8)
    assert plain.dtype == named.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("model", "frozen", "depthwise"),
    [
        ("mobilenet_v3_small", (), True),
        ("mobilenet_v3_small", ("all-but-head",), False),
        ("convnext_tiny", ("all-but-last-stage",), True),
        ("resnet18", (), False),
    ],
)
def test_halves_know_whether_they_have_any(
    model: str, frozen: tuple[str, ...], depthwise: bool
) -> None:
    net = build_on_meta(model, 3, 64).to_empty(device="cpu")
    assert has_depthwise(net) == (model != "resnet18")
    names = frozen_parameters(frozen, model, 3, 64)
    freeze(net, names)
    assert split_at_frozen(net, model, 3, 64, names, torch.bfloat16).depthwise == depthwise


def test_runs_spare_them_where_they_train(little: Little) -> None:
    """A validation needs no gradients: there they are as fast in bfloat16."""
    given: dict[tuple[bool, bool], list[bool]] = defaultdict(list)

    def note(module: nn.Module, taken: Any, out: Any) -> None:
        if isinstance(module, nn.Conv2d) and out.device.type == "cpu" and out.numel() > 1000:
            given[out.requires_grad, module.groups > 1].append(is_exact(module, taken, out))

    recipe = little(model="mobilenet_v3_small", precision="bfloat16", epochs=1)
    hook = register_module_forward_hook(note)
    try:
        list(tasks.train(recipe))
    finally:
        hook.remove()
    assert {kind: any(exact) for kind, exact in given.items()} == {
        (True, True): True,
        (True, False): False,
        (False, True): False,
        (False, False): False,
    }
    assert all(given[True, True])
