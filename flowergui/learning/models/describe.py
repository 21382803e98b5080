"""What a network looks like before it is built: its parameters, its modules, their shapes."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import torch
from torch import nn

from flowergui.errors import FlowerError
from flowergui.events import ModelDescribed
from flowergui.facts import ModuleFacts, ParameterFacts
from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.stages import find_stages
from flowergui.text import tr


@lru_cache(maxsize=32)
def describe(model: str, class_count: int, image_size: int = 0) -> ModelDescribed:
    """The network for images of (3, image_size, image_size); 0 means its own size.

    Nothing is computed: only shapes run through it. Raises FlowerError for an unknown model and
    for a size that the architecture can't take.
    """
    size = image_size or model_info(model).image_size
    net = build_on_meta(model, class_count, size)
    parameters = tuple(
        ParameterFacts(name, tuple(p.shape), p.numel()) for name, p in net.named_parameters()
    )
    head = head_of(model)
    modules, calls = _modules(net, model, size)
    return ModelDescribed(
        model=model,
        class_count=class_count,
        image_size=size,
        parameters=parameters,
        modules=modules,
        head=head,
        last_stage=_last_stage({p.name: p.size for p in parameters if p.name not in head}),
        stages=find_stages(parameters, head, calls),
    )


def check_size(model: str, image_size: int, size: int) -> None:
    """Raises FlowerError if the network, built for `image_size`, can't also take `size`."""
    _modules(build_on_meta(model, 2, image_size), model, size)


def supports_size(model: str, image_size: int, *sizes: int) -> bool:
    """Whether the network, built for `image_size`, can also take all of `sizes`."""
    try:
        for size in sizes:
            check_size(model, image_size, size)
    except FlowerError:
        return False
    return True


@cache
def head_of(model: str) -> tuple[str, ...]:
    """Names of the parameters whose shapes depend on the number of classes."""
    size = model_info(model).image_size
    few, more = (dict(build_on_meta(model, count, size).named_parameters()) for count in (7, 11))
    return tuple(name for name in few if few[name].shape != more[name].shape)


def _modules(
    net: nn.Module, model: str, size: int
) -> tuple[tuple[ModuleFacts, ...], dict[str, int]]:
    """Every module with its output shape, found by running shapes through `net`; and the names of
    those that were called, with the order of their first calls."""
    shapes: dict[str, tuple[int, ...]] = {}
    calls: dict[str, int] = {}

    def record(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            calls.setdefault(name, len(calls))
            if isinstance(output, torch.Tensor):
                shapes[name] = tuple(output.shape[1:])

        return hook

    net = net.to("meta").eval()
    hooks = [module.register_forward_hook(record(name)) for name, module in net.named_modules()]
    try:
        with torch.inference_mode():
            net(torch.empty(1, 3, size, size, device="meta"))
    except Exception as error:  # architectures raise different types
        own = model_info(model).image_size
        raise FlowerError(
            tr("{model} can't take images of {size} px.", model=model, size=size),
            hint=tr("Its own size is {size} px.", size=own),
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    facts = (
        ModuleFacts(name, type(module).__name__, shapes.get(name), _parameter_count(module))
        for name, module in net.named_modules()
    )
    return tuple(facts), calls


def _last_stage(sizes: dict[str, int]) -> tuple[str, ...]:
    """The last stage among the parameters before the head (name -> size).

    Stages are the children of the deepest container with at least 90% of all weights ("" in
    resnet18, whose stages are layer1 to layer4; "features" in vgg16). The last stages are joined
    until they hold at least 2% of the weights, so that a final normalization is not a stage.
    """
    total = sum(sizes.values())
    prefix = ""
    while True:
        held = _by_child(sizes, prefix)
        child, most = max(held.items(), key=lambda item: item[1])
        if most < 0.9 * total or child in sizes:
            break
        prefix = child + "."
    stage: list[str] = []
    for child in reversed(held):
        stage += [name for name in sizes if name == child or name.startswith(child + ".")]
        if sum(sizes[name] for name in stage) >= 0.02 * total:
            break
    return tuple(name for name in sizes if name in set(stage))


def _by_child(sizes: dict[str, int], prefix: str) -> dict[str, int]:
    """Number of weights by child of the module `prefix` (with its dot), in module order."""
    held: dict[str, int] = {}
    for name, size in sizes.items():
        if name.startswith(prefix):
            child = prefix + name[len(prefix) :].partition(".")[0]
            held[child] = held.get(child, 0) + size
    return held


def _parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
