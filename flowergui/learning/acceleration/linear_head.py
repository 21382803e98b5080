"""The last linear layer of a network, apart from all before it, which runs as a frozen backbone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from flowergui.config.frozen_patterns import ALL_BUT_HEAD
from flowergui.learning.acceleration.frozen_split import split_at_frozen
from flowergui.learning.device.autocast import autocast
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.freeze import frozen_parameters


def linear_head_name(net: nn.Module, model: str) -> str:
    """The name of the linear layer with a bias that alone depends on the number of classes, such as
    "fc"; "" for a network whose classifier is something else (SqueezeNet's is a convolution, and
    MaxViT's has no bias)."""
    owners = {name.rpartition(".")[0] for name in head_of(model)}
    if len(owners) != 1:
        return ""
    (name,) = owners
    layer = net.get_submodule(name)
    return name if isinstance(layer, nn.Linear) and layer.bias is not None else ""


class LinearHead:
    """The linear layer of `net` that gives the logits, and the features that go into it.

    The rest of the network is split off as a frozen backbone when this is created; it doesn't see
    later changes of those weights.
    """

    def __init__(
        self, net: nn.Module, model: str, class_count: int, image_size: int, dtype: torch.dtype
    ) -> None:
        """`net` is the catalogue's `model` with `class_count` outputs, for images of `image_size`
        px; its backbone computes in `dtype`. `linear_head_name` must not be ""."""
        self._net, self._dtype = net, dtype
        linear = net.get_submodule(linear_head_name(net, model))
        assert isinstance(linear, nn.Linear)
        self.linear = linear
        frozen = frozen_parameters((ALL_BUT_HEAD,), model, class_count, image_size)
        self._split = split_at_frozen(net, model, class_count, image_size, frozen, dtype)
        self._device = next(net.parameters()).device

    def features(self, images: Tensor) -> Tensor:
        """What goes into the linear layer, (B, D) float32, for normalized images (B, 3, S, S)
        float32 on the device of the network. The network is left in evaluation mode."""
        self._net.eval()
        captured: list[Tensor] = []
        with (
            torch.inference_mode(),
            autocast(self._device, self._dtype),
            _recorded_inputs(self.linear, captured),
        ):
            self._split.head(*self._split.backbone(images))
        return captured[0].float().clone()


@contextmanager
def _recorded_inputs(linear: nn.Linear, captured: list[Tensor]) -> Iterator[None]:
    def record(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        captured.append(inputs[0])

    hook = linear.register_forward_pre_hook(record)
    try:
        yield
    finally:
        hook.remove()
