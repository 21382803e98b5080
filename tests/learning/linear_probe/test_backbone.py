"""Backbones: a feature vector is what goes into the last linear layer."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from runs import finished
from torch import nn
from weight_files import returned, saved

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.learning.data import augmentation
from flowergui.learning.linear_probe.backbone import Backbone, as_matrix, load_backbone
from flowergui.learning.models import identify
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.describe import head_of

MODELS = [
    "mynet",
    "densenet121",
    "efficientnet_lite0",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
]


@pytest.mark.parametrize("model", MODELS)
def test_features_are_the_last_linear_layer_s_input(model: str, tmp_path: Path) -> None:
    net = saved(model, tmp_path / "weights.pth", 224)
    backbone: Backbone = returned(load_backbone(model, str(tmp_path / "weights.pth"), "cpu"))
    images = torch.randint(
        256, (3, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )

    features = backbone.features(images)

    head = net.get_submodule(head_of(model)[0].rpartition(".")[0])
    assert isinstance(head, nn.Linear)
    kept: list[torch.Tensor] = []
    head.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    with torch.inference_mode():
        net(augmentation.normalize(images, backbone.mean, backbone.std))
    assert features.dtype == torch.float32
    assert features.shape == (3, head.in_features)
    assert backbone.columns() == head.in_features
    assert torch.allclose(features, kept[0], rtol=0.05, atol=0.05 * float(kept[0].abs().max()))
    parameters = sum(each.numel() for each in net.parameters())
    last = sum(each.numel() for each in head.parameters())
    assert backbone.megabytes == pytest.approx(4 * (parameters - last) / 1e6)


def test_maps_are_averaged(tmp_path: Path) -> None:
    """SqueezeNet's last layer is a convolution."""
    maps, vectors = torch.rand(2, 5, 3, 3), torch.rand(2, 4)
    matrix = as_matrix((maps, vectors))
    assert torch.allclose(matrix, torch.cat((maps.mean((2, 3)), vectors), 1))
    saved("squeezenet1_1", tmp_path / "weights.pth", 224)
    backbone = returned(load_backbone("", str(tmp_path / "weights.pth"), "cpu"))
    assert backbone.model == "squeezenet1_1"
    assert backbone.features(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).shape == (2, 512)


def test_loading_draws_no_random_numbers(tmp_path: Path) -> None:
    saved("mynet", tmp_path / "weights.pth", 96)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    returned(load_backbone("mynet", str(tmp_path / "weights.pth"), "cpu"))
    assert torch.equal(torch.rand(2), expected)


def test_a_checkpoint_says_its_network_and_its_images(
    little: Callable[..., Recipe], folder: Path, tmp_path: Path
) -> None:
    run = finished(list(tasks.train(little(epochs=1))))
    backbone: Backbone = returned(load_backbone("", str(run.best), "cpu"))
    assert (backbone.model, backbone.image_size) == ("mynet", 32)
    with pytest.raises(FlowerError, match="was trained on these images"):
        backbone.refuse_leakage(folder)
    backbone.refuse_leakage(tmp_path)


@pytest.mark.parametrize(
    ("trained_on", "asked", "refused"),
    [
        ("flowers", "flowers", True),
        ("flowers", "flowers/train", True),
        ("flowers", "flowers/train/daisy", True),
        ("flowers/train", "flowers", True),
        ("flowers", "link", True),  # to flowers/train
        ("link", "flowers", True),
        ("flowers", "flowers/val", False),
        ("flowers", "flowers/Test Images", False),
        ("flowers/train", "flowers/val", False),
        ("flowers", "flowers 2", False),
        ("flowers/gone", "flowers", False),
        ("", "flowers", False),
    ],
)
def test_a_part_of_the_training_images_is_refused_too(
    tmp_path: Path, trained_on: str, asked: str, refused: bool
) -> None:
    for name in ("flowers/train/daisy", "flowers/val", "flowers/Test Images", "flowers 2"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "flowers" / "train")
    saved("mynet", tmp_path / "weights.pth", 96)
    loaded: Backbone = returned(load_backbone("mynet", str(tmp_path / "weights.pth"), "cpu"))
    backbone = replace(loaded, trained_on=str(tmp_path / trained_on) if trained_on else "")
    with pytest.raises(FlowerError, match="data leakage") if refused else nullcontext():
        backbone.refuse_leakage(tmp_path / asked)


def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All networks of the catalogue would be tried, which takes seconds.
    monkeypatch.setattr(identify, "model_catalogue", lambda: (model_info("mynet"),))
    path = tmp_path / "weights.pth"
    net = saved("mynet", path, 96)
    stored = net.state_dict()
    del stored["stages.0.0.weight"]
    torch.save(stored, path)
    with pytest.raises(FlowerError, match=r"lacks tensors of mynet.* stages\.0\.0\.weight"):
        returned(load_backbone("mynet", str(path), "cpu"))
    with pytest.raises(FlowerError, match="no network of the catalogue"):
        returned(load_backbone("", str(path), "cpu"))
    with pytest.raises(FlowerError, match="There is no file"):
        returned(load_backbone("", str(tmp_path / "none.pth"), "cpu"))
