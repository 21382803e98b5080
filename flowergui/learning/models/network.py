"""Architectures: what there is, what one looks like, building one, freezing parts of it."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models import WeightsEnum, get_model, get_model_weights, list_models

from flowergui.config.frozen_patterns import frozen_names
from flowergui.errors import FlowerError
from flowergui.events import (
    ModelDescribed,
)
from flowergui.facts import (
    ModelFacts,
    ModuleFacts,
    ParameterFacts,
    WeightsFacts,
)
from flowergui.learning.models.mynet import MyNet

MYNET = "mynet"
MYNET_SIZE = 96

_FAMILIES = {
    "alexnet": "AlexNet",
    "convnext": "ConvNeXt",
    "densenet": "DenseNet",
    "efficientnet": "EfficientNet",
    "googlenet": "GoogLeNet",
    "inception": "Inception",
    "maxvit": "MaxViT",
    "mnasnet": "MNASNet",
    "mobilenetv2": "MobileNet",
    "mobilenetv3": "MobileNet",
    "regnet": "RegNet",
    "resnet": "ResNet",
    "shufflenetv2": "ShuffleNet",
    "squeezenet": "SqueezeNet",
    "swin_transformer": "Swin Transformer",
    "vgg": "VGG",
    "vision_transformer": "Vision Transformer",
}
"""torchvision's modules by the names that people know; a new module keeps its own."""

_DEFAULT_SIZE = 224

AUXILIARY_HEADS = ("aux1.", "aux2.", "AuxLogits.")
"""How the names begin of GoogLeNet's and Inception's second outputs, which ours do without."""


# --- the catalogue ----------------------------------------------------------------------------


@cache
def model_catalogue() -> tuple[ModelFacts, ...]:
    """Every classification architecture of torchvision, and MyNet, by family and name."""
    with MetaInit():
        ours = ModelFacts(MYNET, "Small networks", _parameter_count(MyNet()), MYNET_SIZE, ())
    theirs = [_facts(name) for name in list_models(module=torchvision.models)]
    return (ours, *sorted(theirs, key=lambda facts: (facts.family, facts.parameters)))


def model_info(model: str) -> ModelFacts:
    """The catalogue's entry; raises FlowerError for a name that it lacks."""
    for facts in model_catalogue():
        if facts.name == model:
            return facts
    near = [facts.name for facts in model_catalogue() if model and facts.name.startswith(model[:4])]
    hint = f"Did you mean one of: {', '.join(near[:6])}?" if near else "resnet18 is a good one."
    raise FlowerError(f"There is no network called {model!r}.", hint=hint)


def weights_of(model: str) -> list[WeightsEnum]:
    """Its pretrained weights, the default first. Those that know no classes are left out: the
    classifier in VGG16's IMAGENET1K_FEATURES is all NaN, and so would be the loss."""
    if model == MYNET:
        return []
    weights = get_model_weights(model)
    default = weights.DEFAULT if "DEFAULT" in weights.__members__ else None
    whole = [each for each in weights if math.isfinite(_accuracy(each))]
    return sorted(whole, key=lambda each: each is not default)


def _accuracy(weights: WeightsEnum) -> float:
    """Top-1 accuracy on ImageNet, in percent."""
    accuracy: float = weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    return accuracy


def _facts(model: str) -> ModelFacts:
    weights = weights_of(model)
    family = torchvision.models.get_model_builder(model).__module__.rpartition(".")[2]
    with MetaInit():
        parameters = weights[0].meta["num_params"] if weights else _parameter_count(_new(model, 2))
    return ModelFacts(
        name=model,
        family=_FAMILIES.get(family, family),
        parameters=parameters,
        image_size=weights[0].transforms().crop_size[0] if weights else _DEFAULT_SIZE,
        weights=tuple(
            WeightsFacts(
                name=each.name,
                accuracy=_accuracy(each) / 100,
                image_size=each.transforms().crop_size[0],
                megabytes=each.meta["_file_size"],
            )
            for each in weights
        ),
    )


def _parameter_count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


# --- building ---------------------------------------------------------------------------------


class MetaInit(TorchFunctionMode):
    """Inside it networks are built without memory for their weights and without drawing any:
    fast, and torch's default generator, which belongs to the trainer, stays as it is.

    The device "meta" alone would not do: some architectures compute their plan with tensors.
    """

    _DRAWING = frozenset(
        {"uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_"}
        | {"xavier_normal_", "trunc_normal_", "orthogonal_", "random_", "bernoulli_"}
    )

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty:
            return func(*args, **{**kwargs, "device": "meta"})
        if getattr(func, "__name__", "") in self._DRAWING:
            tensor = args[0] if args else kwargs["tensor"]
            tensor.detach().zero_()
            return tensor
        return func(*args, **kwargs)


def build(model: str, class_count: int, image_size: int) -> nn.Module:
    """The network with fresh weights, drawn from torch's default generator, for `class_count`
    classes: (B, 3, image_size, image_size) float -> logits (B, class_count)."""
    model_info(model)
    return _new(model, class_count, image_size)


def build_on_meta(model: str, class_count: int, image_size: int) -> nn.Module:
    """The same network without weights: `load_state_dict(..., assign=True)` gives it some."""
    model_info(model)
    with MetaInit():
        return _new(model, class_count, image_size)


def _new(model: str, class_count: int, image_size: int = 0) -> nn.Module:
    if model == MYNET:
        return MyNet(class_count)
    options: dict[str, Any] = {}
    if model in ("googlenet", "inception_v3"):  # a second output would only be in the way
        options = {"aux_logits": False, "init_weights": True}
    if image_size in _sizes_built_for(model):
        options = {"image_size": image_size}
    net: nn.Module = get_model(model, weights=None, num_classes=class_count, **options)
    return net


def expand_head(tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`tensors`, where their first dimension is shorter than that of the one in `fresh`, with the
    rows of that added."""
    found = {}
    for name, tensor in tensors.items():
        rows = len(tensor) if tensor.ndim else 0
        if name in fresh and tensor.ndim and rows < len(fresh[name]):
            more = fresh[name][rows:].to(tensor.device, tensor.dtype)
            found[name] = torch.cat((tensor, more))
        else:
            found[name] = tensor
    return found


def _sizes_built_for(model: str) -> tuple[int, ...]:
    """The image sizes that change the network itself: the position embedding of a Vision
    Transformer is of one size, as built, and has weights for a few."""
    if not model.startswith("vit_"):
        return ()
    return tuple(weights.image_size for weights in model_info(model).weights)


def load_state_dict(net: nn.Module, tensors: Mapping[str, Tensor], **options: bool) -> None:
    """`net.load_state_dict` for tensors that come without torch's note of the version of their
    form: MNASNet asks for it. Raises RuntimeError where they don't fit."""
    noted = OrderedDict(tensors)
    noted._metadata = {"": {"version": net._version}}  # type: ignore[attr-defined]
    net.load_state_dict(noted, **options)


# --- describing -------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def describe(model: str, class_count: int, image_size: int = 0) -> ModelDescribed:
    """What the network would look like for images of (3, image_size, image_size), 0 for its
    own size. Nothing is computed: shapes alone run through it. Raises FlowerError for an
    unknown model and for a size that the architecture can't take."""
    size = image_size or model_info(model).image_size
    net = build_on_meta(model, class_count, size)
    parameters = tuple(
        ParameterFacts(name, tuple(p.shape), p.numel()) for name, p in net.named_parameters()
    )
    head = head_of(model)
    return ModelDescribed(
        model=model,
        class_count=class_count,
        image_size=size,
        parameters=parameters,
        modules=_modules(net, model, size),
        head=head,
        last_stage=_last_stage({p.name: p.size for p in parameters if p.name not in head}),
    )


def check_size(model: str, image_size: int, size: int) -> None:
    """Raises FlowerError where the network, built for `image_size`, can't also take `size`."""
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
    """The parameters whose shapes depend on the number of classes."""
    size = model_info(model).image_size
    few, more = (dict(build_on_meta(model, count, size).named_parameters()) for count in (7, 11))
    return tuple(name for name in few if few[name].shape != more[name].shape)


def _modules(net: nn.Module, model: str, size: int) -> tuple[ModuleFacts, ...]:
    """Every module with the shape that it gives, found by running shapes through `net`."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                shapes[name] = tuple(output.shape[1:])

        return hook

    net = net.to("meta").eval()
    hooks = [module.register_forward_hook(note(name)) for name, module in net.named_modules()]
    try:
        with torch.inference_mode():
            net(torch.empty(1, 3, size, size, device="meta"))
    except Exception as error:  # each architecture complains in its own way
        own = model_info(model).image_size
        raise FlowerError(
            f"{model} can't take images of {size} px.", hint=f"Its own size is {own} px."
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(
        ModuleFacts(name, type(module).__name__, shapes.get(name), _parameter_count(module))
        for name, module in net.named_modules()
    )


def _last_stage(sizes: dict[str, int]) -> tuple[str, ...]:
    """The last stage among the parameters before the head (name -> size).

    Stages are the children of the deepest container that holds at least nine tenths of all
    weights ("" in resnet18, whose stages are layer1 to layer4; "features" in vgg16). From the
    end, stages count as one until they hold at least a fiftieth of the weights, so that a
    closing normalisation is no stage of its own.
    """
    whole = sum(sizes.values())
    prefix = ""
    while True:
        held = _by_child(sizes, prefix)
        child, most = max(held.items(), key=lambda item: item[1])
        if most < 0.9 * whole or child in sizes:
            break
        prefix = child + "."
    stage: list[str] = []
    for child in reversed(held):
        stage += [name for name in sizes if name == child or name.startswith(child + ".")]
        if sum(sizes[name] for name in stage) >= 0.02 * whole:
            break
    return tuple(name for name in sizes if name in set(stage))


def _by_child(sizes: dict[str, int], prefix: str) -> dict[str, int]:
    """Weights by the children of the module `prefix` (with its dot), in their order."""
    held: dict[str, int] = {}
    for name, size in sizes.items():
        if name.startswith(prefix):
            child = prefix + name[len(prefix) :].partition(".")[0]
            held[child] = held.get(child, 0) + size
    return held


# --- recognising ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IdentifiedArchitecture:
    """An architecture, its number of classes, and the image size in pixels that it was built
    for: its own, where the weights don't show another."""

    model: str
    class_count: int
    image_size: int


def identify_architecture(tensors: Mapping[str, Tensor]) -> IdentifiedArchitecture | None:
    """The architecture that these weights belong to, by their names and shapes; None where
    it is none of the catalogue's. No two of those have the same, heads aside."""
    values = sum(tensor.numel() for tensor in tensors.values())
    # The likeliest first: most need a handful of tries, of some 80 ms each.
    for facts in sorted(model_catalogue(), key=lambda facts: abs(facts.parameters - values)):
        for size in dict.fromkeys((facts.image_size, *_sizes_built_for(facts.name))):
            if classes := _classes_in(tensors, facts.name, size):
                return IdentifiedArchitecture(facts.name, classes, size)
    return None


def _classes_in(tensors: Mapping[str, Tensor], model: str, image_size: int) -> int:
    """How many classes the head knows in weights that fit this architecture; 0 where they
    don't."""
    head = head_of(model)
    if not all(name in tensors for name in head):
        return 0
    own = _shapes(model, image_size)
    # batch normalisation's counter came late: old files lack it, and nothing hangs on it.
    needed = [name for name in own if not name.endswith("num_batches_tracked")]
    known = own.keys() | {name for name in tensors if name.startswith(AUXILIARY_HEADS)}
    same = all(
        name in tensors and (name in head or tensors[name].shape == own[name]) for name in needed
    )
    classes = {tensors[name].shape[0] if tensors[name].ndim else 0 for name in head}
    return classes.pop() if same and known.issuperset(tensors) and len(classes) == 1 else 0


@cache
def _shapes(model: str, image_size: int) -> dict[str, torch.Size]:
    """Those in the state dict of this architecture, for two classes."""
    own = build_on_meta(model, 2, image_size).state_dict()
    return {name: tensor.shape for name, tensor in own.items()}


# --- freezing ---------------------------------------------------------------------------------


def frozen_parameters(
    words: Iterable[str], model: str, class_count: int, image_size: int
) -> tuple[str, ...]:
    """The parameters that `words` freeze in this network. Raises FlowerError for a word that
    fits nothing, and where nothing would be left to train."""
    facts = describe(model, class_count, image_size)
    names = [parameter.name for parameter in facts.parameters]
    frozen = frozen_names(words, names, facts.head, facts.last_stage)
    if len(frozen) == len(names):
        raise FlowerError(
            "Everything is frozen: nothing could learn.",
            hint="Let at least the last layer train.",
        )
    return frozen


def freeze(net: nn.Module, frozen: Iterable[str]) -> None:
    """Puts `net` in training mode with the named parameters frozen, the others thawed.

    A batch normalisation whose own parameters are all frozen runs in evaluation mode: its
    running statistics would drift otherwise, and with them the features.
    """
    names = set(frozen)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in names)
        if name in names:
            parameter.grad = None  # an old gradient would still move it
    net.train()
    for module in net.modules():
        own = list(module.parameters(recurse=False))
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and own:
            module.train(any(parameter.requires_grad for parameter in own))
