"""A network split into a frozen backbone and a head that contains everything that trains.

The backbone's weights never change, so it runs without a graph, in evaluation mode, with each
batch normalization folded into the convolution before it, and with its weights in the precision
that the run computes in. If an image is shown twice with the same augmentation, its features need
not be computed twice: see feature_cache.py. The split is found in torch.fx's graph of the network,
so it may be anywhere, also inside a block.
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
"""What the backbone passes to the head, each (B, ...): two tensors in the middle of a residual
block."""

MAX_IMAGES_PER_CALL = 16
"""Images that go through the backbone together on a CPU. Measured on two cores with AVX512-BF16:
none of ten networks is more than 3% faster with 32 or 64, except the smallest, which then waits
for decoded images; with 8 they lose 3 to 28%."""

SMALL_HEAD_PARAMETERS = 1_000_000
"""Weights of a linear layer up to which one core computes a batch of 32 as fast as two cores: in a
quarter of a millisecond."""

STOCHASTIC_LAYERS = (nn.modules.dropout._DropoutNd, StochasticDepth)
"""Modules that draw from torch's default generator in training mode."""

_CONVOLUTIONS = {nn.Conv1d: nn.BatchNorm1d, nn.Conv2d: nn.BatchNorm2d, nn.Conv3d: nn.BatchNorm3d}


@dataclass(frozen=True, slots=True)
class FrozenSplit:
    """The two parts of a network.

    `backbone` maps normalized images (B, 3, S, S) float32 to features, without a graph; `head` maps
    features to logits (B, classes). If no first layers are frozen, `backbone` returns the images
    themselves, and `is_split` is False.
    """

    backbone: Callable[[Tensor], Features]
    head: Callable[..., Tensor]
    is_split: bool
    head_of: Callable[[nn.Module], Callable[..., Tensor]]
    """The head of another network with the same architecture and the same backbone."""
    is_small: bool = False
    """Whether the head is so small that one core is as fast as all of them; several would spend
    their time waiting for each other, and leave none to the window."""
    depthwise: bool = False
    """Whether the head has depthwise convolutions."""


def unsplit(net: nn.Module) -> FrozenSplit:
    """A network that is all head."""
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
    """Splits a network of the catalogue whose parameters in `frozen` (names) don't train.

    Dropout with frozen weights after it belongs to the backbone and runs in evaluation mode; other
    dropout belongs to the head, where it stays active. The head shares the modules of `net`.
    """
    names = {name for name, _ in net.named_parameters()}
    trained = names.difference(frozen)
    if len(trained) == len(names):
        return unsplit(net)
    traced = _traced(model, class_count, image_size)
    boundary = _find_boundary(traced, net, trained)
    if boundary is None:
        return unsplit(net)
    first = _build_backbone(net, traced.graph, boundary)
    device = next(net.parameters()).device
    _convert(first, dtype)
    second = _build_head(traced.graph, boundary)

    def backbone(images: Tensor) -> Features:
        together = MAX_IMAGES_PER_CALL if device.type == "cpu" else len(images)
        with (
            torch.inference_mode(),
            autocast(device, dtype),
        ):
            starts = range(0, len(images), together)
            parts = [first(images[start : start + together]) for start in starts]
        return tuple(torch.cat(each) for each in zip(*parts, strict=True))

    def head_of(other: nn.Module) -> nn.Module:
        return fx.GraphModule(other, second)

    head = head_of(net)
    return FrozenSplit(
        backbone,
        head,
        is_split=True,
        head_of=head_of,
        is_small=_is_small(head),
        depthwise=has_depthwise(head),
    )


def _is_small(head: nn.Module) -> bool:
    weighty = [m for m in head.modules() if any(True for _ in m.parameters(recurse=False))]
    return all(
        isinstance(m, nn.Linear) and m.weight.numel() <= SMALL_HEAD_PARAMETERS for m in weighty
    )


# --- tracing ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Traced:
    """A network's graph, and the names of the nodes whose value is a tensor (B, ...)."""

    graph: fx.Graph
    batched: frozenset[str]


class _Tracer(fx.Tracer):
    """Traces the calls of its own thread only.

    torch.fx patches nn.Module for the whole process; calls of other threads, which may train or
    predict meanwhile, pass through unchanged.
    """

    proxy_buffer_attributes = True  # else the buffers of a network on meta would become constants

    def __init__(self) -> None:
        # Autowrapped modules would be patched for other threads, too. torch types this wrongly.
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
        # Modules that branch on `training` would be traced in evaluation mode.
        branches = isinstance(m, StochasticDepth | ShiftedWindowAttention)
        return branches or super().is_leaf_module(m, module_qualified_name)


class _BatchedNodes(fx.Interpreter):
    """Runs a graph on `count` images, and records the nodes that give a tensor (count, ...)."""

    def __init__(self, module: fx.GraphModule, count: int) -> None:
        super().__init__(module)
        self.count = count
        self.batched: set[str] = set()

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        if isinstance(value, Tensor) and value.shape[:1] == (self.count,):
            self.batched.add(node.name)
        return value


_trace_lock = threading.Lock()


def _traced(model: str, class_count: int, image_size: int) -> _Traced:
    with _trace_lock:
        return _trace(model, class_count, image_size)


@lru_cache(maxsize=4)
def _trace(model: str, class_count: int, image_size: int) -> _Traced:
    net = build_on_meta(model, class_count, image_size).to("meta").eval()
    graph = _Tracer().trace(net)
    interpreter = _BatchedNodes(fx.GraphModule(net, graph), count=5)
    with torch.inference_mode():
        interpreter.run(torch.empty(interpreter.count, 3, image_size, image_size, device="meta"))
    return _Traced(graph, frozenset(interpreter.batched))


# --- finding the split ------------------------------------------------------------------------


def _find_boundary(traced: _Traced, net: nn.Module, trained: set[str]) -> list[fx.Node] | None:
    """The nodes whose values the backbone passes to the head; None if no node with weights comes
    before everything that trains."""
    graph, modules = traced.graph, dict(net.named_modules())
    nodes = list(graph.nodes)
    from_images = _downstream(nodes, lambda node: node.op == "placeholder")
    trains = _downstream(nodes, lambda node: _has(node, trained))
    names = {name for name, _ in net.named_parameters()}
    weights = _downstream(nodes, lambda node: node.op == "get_attr" and _has(node, names))
    weights -= from_images
    frozen_nodes = [
        node
        for node in nodes
        if node in from_images - trains
        and (_has(node, names) or not weights.isdisjoint(node.all_input_nodes))
    ]
    if not frozen_nodes:
        return None
    before_frozen = _upstream(frozen_nodes)
    live = _downstream(
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
    boundary: dict[fx.Node, None] = {}
    waiting, seen = [node for node in nodes if node.op == "output"], set()
    while waiting:
        node = waiting.pop()
        for source in node.all_input_nodes:
            if source in seen:
                continue
            seen.add(source)
            if source in live or source not in from_images or source.name not in traced.batched:
                waiting.append(source)  # the head computes its own sizes, constants and masks
            else:
                boundary[source] = None
    if any(node.op == "placeholder" for node in boundary):
        return None
    return [node for node in nodes if node in boundary]


def _has(node: fx.Node, parameters: set[str]) -> bool:
    """Whether a node computes with one of these parameters (names)."""
    if node.op == "get_attr":
        return node.target in parameters
    if node.op != "call_module":
        return False
    return any(name.startswith(f"{node.target}.") for name in parameters)


def _downstream(nodes: list[fx.Node], matches: Callable[[fx.Node], bool]) -> set[fx.Node]:
    """Nodes that match, and all nodes that depend on them."""
    found: set[fx.Node] = set()
    for node in nodes:
        if matches(node) or not found.isdisjoint(node.all_input_nodes):
            found.add(node)
    return found


def _upstream(targets: list[fx.Node]) -> set[fx.Node]:
    """Nodes that `targets` depend on."""
    found: set[fx.Node] = set()
    waiting = list(targets)
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


# --- building backbone and head ---------------------------------------------------------------


def _build_backbone(net: nn.Module, graph: fx.Graph, boundary: list[fx.Node]) -> nn.Module:
    """The graph module images -> features, whose modules are copies that share `net`'s weights."""
    needed = _upstream(boundary) | set(boundary)
    first = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = first.node_copy(node, lambda source: copies[source])
    first.output(tuple(copies[node] for node in boundary))
    shared = {id(each): each for each in (*net.parameters(), *net.buffers())}
    attributes: dict[str, Any] = {}
    for node in first.nodes:
        if node.op == "call_module" and node.target not in attributes:
            # deepcopy treats the tensors in its memo as copied already, so the copy shares them.
            module = deepcopy(net.get_submodule(node.target), dict(shared)).eval()
            for each in module.modules():
                if hasattr(each, "inplace"):
                    setattr(each, "inplace", False)  # noqa: B010 - the head may need the value, too
            attributes[node.target] = module
        elif node.op == "get_attr":
            owner, _, name = node.target.rpartition(".")
            attributes[node.target] = getattr(net.get_submodule(owner), name)
    _fold_batch_norms(first, attributes)
    return fx.GraphModule(attributes, first)


def _convert(first: nn.Module, dtype: torch.dtype) -> None:
    """Converts the weights of linear and convolutional layers to `dtype`, so that autocast need not
    convert them in each call. The network's own weights are left alone."""
    for module in first.modules():
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
            for name, weight in list(module.named_parameters(recurse=False)):
                form = torch.channels_last if weight.ndim == 4 else torch.preserve_format
                converted = weight.detach().to(dtype, memory_format=form)
                setattr(module, name, nn.Parameter(converted, requires_grad=False))


def _fold_batch_norms(graph: fx.Graph, modules: dict[str, Any]) -> None:
    """Folds each batch normalization into the convolution before it: in evaluation mode both are
    linear."""
    calls = [node.target for node in graph.nodes if node.op == "call_module"]
    for node in list(graph.nodes):
        if node.op != "call_module":
            continue
        (source,) = node.all_input_nodes[:1] or (node,)
        before = modules.get(source.target) if source.op == "call_module" else None
        norm_type = _CONVOLUTIONS.get(type(before))  # type: ignore[arg-type]
        if (
            norm_type is None
            or type(modules[node.target]) is not norm_type
            or len(source.users) > 1
            or calls.count(source.target) > 1
        ):
            continue
        modules[source.target] = fuse_conv_bn_eval(before, modules[node.target])  # type: ignore[type-var]
        node.replace_all_uses_with(source)
        graph.erase_node(node)


def _build_head(graph: fx.Graph, boundary: list[fx.Node]) -> fx.Graph:
    """The graph features -> logits."""
    second = fx.Graph()
    copies = {node: second.placeholder(f"value_{n}") for n, node in enumerate(boundary)}
    (output,) = [node for node in graph.nodes if node.op == "output"]
    needed = _between(output, set(boundary))
    for node in graph.nodes:
        if node in needed and node not in copies:
            copies[node] = second.node_copy(node, lambda source: copies[source])
    second.lint()
    return second


def _between(output: fx.Node, boundary: set[fx.Node]) -> set[fx.Node]:
    """Nodes that `output` depends on if the values of `boundary` are given."""
    needed, waiting = {output}, [output]
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source not in needed and source not in boundary:
                needed.add(source)
                waiting.append(source)
    return needed
