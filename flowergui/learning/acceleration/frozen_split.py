"""A network in two halves: what is frozen at its beginning, and all that comes after it.

No weight of the first half will change, so it runs without a graph, in evaluation mode, with each
batch normalisation folded into the convolution before it, and its weights in the precision that
the run computes in. Where a photo is shown twice alike, its values need not be computed twice:
see features.py. The cut is found in torch.fx's trace of the network, so that it may lie anywhere.
"""

import threading
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.swin_transformer import ShiftedWindowAttention
from torchvision.ops import StochasticDepth

from flowergui.learning.device.autocast import autocast, has_depthwise
from flowergui.learning.models.build import build_on_meta

Features = tuple[Tensor, ...]
"""What passes from one half to the other, each (B, ...): of a residual block's middle, two."""

MAX_IMAGES_PER_CALL = 16
"""Photos that go through the first half together on a CPU. Measured on two cores with
AVX512-BF16: of ten networks none is more than 3% faster with 32 or 64, but the smallest, which
the decoding of photos holds up then; with 8 they lose 3 to 28%."""

SMALL_HEAD_PARAMETERS = 1_000_000
"""Weights of a linear layer up to which one core does a batch of 32 as fast as two: a quarter of
a millisecond."""

STOCHASTIC_LAYERS = (nn.modules.dropout._DropoutNd, StochasticDepth)
"""Modules that draw from torch's default generator in training mode."""

_CONVOLUTIONS = {nn.Conv1d: nn.BatchNorm1d, nn.Conv2d: nn.BatchNorm2d, nn.Conv3d: nn.BatchNorm3d}


@dataclass(frozen=True, slots=True)
class FrozenSplit:
    """`begin`: normalised images (B, 3, S, S) float32 -> values, without a graph. `end`: values ->
    logits (B, classes). Where nothing is frozen at the beginning, `begin` gives the images as
    they are, and `split` is False."""

    backbone: Callable[[Tensor], Features]
    head: Callable[..., Tensor]
    is_split: bool
    head_of: Callable[[nn.Module], Callable[..., Tensor]]
    """The second half of another network of the same form, with the same first half."""
    is_small: bool = False
    """Whether the second half is so small that one core is as fast with it as all of them, which
    would wait for each other in a loop and leave a window none."""
    depthwise: bool = False
    """Whether the second half has depthwise convolutions."""


def unsplit(net: nn.Module) -> FrozenSplit:
    """A network that is not cut."""
    return FrozenSplit(
        lambda images: (images,),
        net,
        is_split=False,
        head_of=lambda other: other,
        depthwise=has_depthwise(net),
    )


def split_at_frozen(
    net: nn.Module,
    model: str,
    class_count: int,
    image_size: int,
    frozen: Iterable[str],
    dtype: torch.dtype,
) -> FrozenSplit:
    """The halves of a network of the catalogue whose parameters in `frozen` (names) don't train.

    Dropout that has no frozen weights behind it belongs to the second half, where it stays
    active; what has runs in evaluation mode. The second half shares the modules of `net`.
    """
    names = {name for name, _ in net.named_parameters()}
    trained = names.difference(frozen)
    if len(trained) == len(names):
        return unsplit(net)
    traced = _traced(model, class_count, image_size)
    places = _cut(traced, net, trained)
    if places is None:
        return unsplit(net)
    first = _first(net, traced.graph, places)
    device = next(net.parameters()).device
    _convert(first, dtype)
    second = _second(traced.graph, places)

    def begin(images: Tensor) -> Features:
        together = MAX_IMAGES_PER_CALL if device.type == "cpu" else len(images)
        with (
            torch.inference_mode(),
            autocast(device, dtype),
        ):
            starts = range(0, len(images), together)
            parts = [first(images[start : start + together]) for start in starts]
        return tuple(torch.cat(each) for each in zip(*parts, strict=True))

    def end_of(other: nn.Module) -> nn.Module:
        return fx.GraphModule(other, second)

    end = end_of(net)
    return FrozenSplit(
        begin,
        end,
        is_split=True,
        head_of=end_of,
        is_small=_is_small(end),
        depthwise=has_depthwise(end),
    )


def _is_small(end: nn.Module) -> bool:
    weighty = [m for m in end.modules() if any(True for _ in m.parameters(recurse=False))]
    return all(
        isinstance(m, nn.Linear) and m.weight.numel() <= SMALL_HEAD_PARAMETERS for m in weighty
    )


# --- tracing ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Traced:
    """A network's computation, and the names of the steps that give a tensor (B, ...)."""

    graph: fx.Graph
    batched: frozenset[str]


class _Tracer(fx.Tracer):
    """While it traces, torch.fx sees every call of every module of the process. Those of other
    threads, which train or predict meanwhile, pass through as they are."""

    proxy_buffer_attributes = True  # else what a hollow network has in them would be built in

    def __init__(self) -> None:
        # None: they would be changed for other threads too. torch types this wrongly.
        super().__init__(autowrap_modules=())  # type: ignore[arg-type]
        self._thread = threading.get_ident()

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        # What asks whether it is in training would be traced as it is in evaluation.
        asks = isinstance(m, StochasticDepth | ShiftedWindowAttention)
        return asks or super().is_leaf_module(m, module_qualified_name)


class _Kinds(fx.Interpreter):
    """Runs a graph for so many images and notes which steps give a tensor for each of them."""

    def __init__(self, module: fx.GraphModule, count: int) -> None:
        super().__init__(module)
        self.count = count
        self.batched: set[str] = set()

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        if isinstance(value, Tensor) and value.shape[:1] == (self.count,):
            self.batched.add(node.name)
        return value


_one_at_a_time = threading.Lock()


def _traced(model: str, class_count: int, image_size: int) -> _Traced:
    with _one_at_a_time:
        return _trace(model, class_count, image_size)


@lru_cache(maxsize=4)
def _trace(model: str, class_count: int, image_size: int) -> _Traced:
    net = build_on_meta(model, class_count, image_size).to("meta").eval()
    graph = _Tracer().trace(net)
    kinds = _Kinds(fx.GraphModule(net, graph), count=5)
    with torch.inference_mode():
        kinds.run(torch.empty(kinds.count, 3, image_size, image_size, device="meta"))
    return _Traced(graph, frozenset(kinds.batched))


# --- cutting ----------------------------------------------------------------------------------


def _cut(traced: _Traced, net: nn.Module, trained: set[str]) -> list[fx.Node] | None:
    """The steps whose values pass from one half to the other; None where there is no first half
    worth the name: nothing with weights lies before all that trains."""
    graph, modules = traced.graph, dict(net.named_modules())
    nodes = list(graph.nodes)
    from_images = _reached(nodes, lambda node: node.op == "placeholder")
    trains = _reached(nodes, lambda node: _has(node, trained))
    names = {name for name, _ in net.named_parameters()}
    weights = _reached(nodes, lambda node: node.op == "get_attr" and _has(node, names))
    weights -= from_images
    still = [
        node
        for node in nodes
        if node in from_images - trains
        and (_has(node, names) or not weights.isdisjoint(node.all_input_nodes))
    ]
    if not still:
        return None
    before_frozen = _reaching(still)
    live = _reached(
        nodes,
        lambda node: (
            node in trains
            or (
                node.op == "call_module"
                and isinstance(modules[node.target], STOCHASTIC_LAYERS)
                and node not in before_frozen
            )
        ),
    )
    places: dict[fx.Node, None] = {}
    waiting, seen = [node for node in nodes if node.op == "output"], set()
    while waiting:
        node = waiting.pop()
        for source in node.all_input_nodes:
            if source in seen:
                continue
            seen.add(source)
            if source in live or source not in from_images or source.name not in traced.batched:
                waiting.append(
                    source
                )  # sizes, constants and windows are made where they are needed
            else:
                places[source] = None
    if any(place.op == "placeholder" for place in places):
        return None
    return [node for node in nodes if node in places]


def _has(node: fx.Node, parameters: set[str]) -> bool:
    """Whether a step computes with one of these parameters (names)."""
    if node.op == "get_attr":
        return node.target in parameters
    if node.op != "call_module":
        return False
    return any(name.startswith(f"{node.target}.") for name in parameters)


def _reached(nodes: list[fx.Node], begins: Callable[[fx.Node], bool]) -> set[fx.Node]:
    """The steps where something `begins`, and all that depend on them."""
    reached: set[fx.Node] = set()
    for node in nodes:
        if begins(node) or not reached.isdisjoint(node.all_input_nodes):
            reached.add(node)
    return reached


def _reaching(targets: list[fx.Node]) -> set[fx.Node]:
    """The steps that `targets` depend on."""
    reaching: set[fx.Node] = set()
    waiting = list(targets)
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source not in reaching:
                reaching.add(source)
                waiting.append(source)
    return reaching


# --- building the halves ----------------------------------------------------------------------


def _first(net: nn.Module, graph: fx.Graph, places: list[fx.Node]) -> nn.Module:
    """images -> values, with copies of modules that share the weights of `net`."""
    needed = _reaching(places) | set(places)
    first = fx.Graph()
    at: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            at[node] = first.node_copy(node, lambda source: at[source])
    first.output(tuple(at[place] for place in places))
    shared = {id(each): each for each in (*net.parameters(), *net.buffers())}
    attributes: dict[str, Any] = {}
    for node in first.nodes:
        if node.op == "call_module" and node.target not in attributes:
            # The copy holds the same tensors: deepcopy takes them for copied already.
            module = deepcopy(net.get_submodule(node.target), dict(shared)).eval()
            for each in module.modules():
                if hasattr(each, "inplace"):
                    setattr(each, "inplace", False)  # noqa: B010 - a value that passes on must stay as it is
            attributes[node.target] = module
        elif node.op == "get_attr":
            owner, _, name = node.target.rpartition(".")
            attributes[node.target] = getattr(net.get_submodule(owner), name)
    _fold(first, attributes)
    return fx.GraphModule(attributes, first)


def _convert(first: nn.Module, dtype: torch.dtype) -> None:
    """Gives what multiplies weights in `dtype`, so that autocast need not convert them each time.
    The weights are new ones: those of the network itself are shared."""
    for module in first.modules():
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
            for name, weight in list(module.named_parameters(recurse=False)):
                form = torch.channels_last if weight.ndim == 4 else torch.preserve_format
                converted = weight.detach().to(dtype, memory_format=form)
                setattr(module, name, nn.Parameter(converted, requires_grad=False))


def _fold(graph: fx.Graph, modules: dict[str, Any]) -> None:
    """Folds each batch normalisation into the convolution before it (in evaluation mode both
    are linear)."""
    calls = [node.target for node in graph.nodes if node.op == "call_module"]
    for node in list(graph.nodes):
        if node.op != "call_module":
            continue
        (source,) = node.all_input_nodes[:1] or (node,)
        before = modules.get(source.target) if source.op == "call_module" else None
        normalisation = _CONVOLUTIONS.get(type(before))  # type: ignore[arg-type]
        if (
            normalisation is None
            or type(modules[node.target]) is not normalisation
            or len(source.users) > 1
            or calls.count(source.target) > 1
        ):
            continue
        modules[source.target] = fuse_conv_bn_eval(before, modules[node.target])  # type: ignore[type-var]
        node.replace_all_uses_with(source)
        graph.erase_node(node)


def _second(graph: fx.Graph, places: list[fx.Node]) -> fx.Graph:
    """values -> logits."""
    second = fx.Graph()
    at = {place: second.placeholder(f"value_{n}") for n, place in enumerate(places)}
    (output,) = [node for node in graph.nodes if node.op == "output"]
    needed = _behind(output, set(places))
    for node in graph.nodes:
        if node in needed and node not in at:
            at[node] = second.node_copy(node, lambda source: at[source])
    second.lint()
    return second


def _behind(output: fx.Node, places: set[fx.Node]) -> set[fx.Node]:
    """The steps that `output` needs, when the values of `places` are given."""
    needed, waiting = {output}, [output]
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source not in needed and source not in places:
                needed.add(source)
                waiting.append(source)
    return needed
