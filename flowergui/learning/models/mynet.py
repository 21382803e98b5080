"""MyNet: a small network of our own that trains fast on a laptop; and its catalogue entry."""

from collections.abc import Generator, Mapping

from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.events import DownloadProgress
from flowergui.facts import ModelFacts
from flowergui.learning.models.meta_init import count_parameters
from flowergui.learning.models.pretrained import MEAN, STD, Pretrained, Rgb
from flowergui.text import tr

NAME = "mynet"
IMAGE_SIZE_PX = 96


def list_models() -> tuple[ModelFacts, ...]:
    """MyNet's catalogue entry."""
    return (ModelFacts(NAME, "Small networks", count_parameters(MyNet), IMAGE_SIZE_PX, ()),)


def create(model: str, class_count: int, image_size: int) -> nn.Module:
    """MyNet with fresh weights, for any image size from 16 pixels on."""
    return MyNet(class_count)


def built_for_sizes(model: str) -> tuple[int, ...]:
    """None: its parameters don't depend on the image size."""
    return ()


def is_local(model: str, weights: str) -> bool:
    """False: it has no pretrained weights."""
    return False


def load_weights(model: str, weights: str) -> Generator[DownloadProgress, None, Pretrained]:
    """It has no pretrained weights: raises FlowerError."""
    yield from ()
    raise FlowerError(tr("{model} has no weights called {weights}.", model=model, weights=weights))


def normalization(model: str, class_count: int) -> tuple[Rgb, Rgb]:
    """ImageNet's statistics."""
    return MEAN, STD


def rename_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as they are: its layers have never been renamed."""
    return dict(tensors)


class MyNet(nn.Module):
    """A stem that halves the resolution, four stages of two 3x3 convolutions each, with max
    pooling between them, global average pooling and a linear layer.

    Takes (B, 3, S, S) with S of at least 16 and returns logits (B, num_classes). It has 1.2
    million parameters for a few classes and needs about two fifths of resnet18's
    multiplications at the same image size.
    """

    WIDTHS = (32, 64, 128, 256)

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(3, self.WIDTHS[0], stride=2))
        stages: list[nn.Module] = []
        channels = self.WIDTHS[0]
        for width in self.WIDTHS:
            pool = [nn.MaxPool2d(2)] if stages else []
            first, second = _convolution(channels, width), _convolution(width, width)
            stages.append(nn.Sequential(*pool, *first, *second))
            channels = width
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.pool(self.stages(self.stem(images))).flatten(1))
        return logits


def _convolution(channels: int, width: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
