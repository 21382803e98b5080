"""Pretrained weights: found by their names, and told from those of other networks."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from flowergui import tasks
from flowergui.errors import FlowerError, OtherArchitectureError
from flowergui.events import DownloadProgress, WeightsSaved
from flowergui.learning.device import hardware
from flowergui.learning.models import torchvision_models, weights
from flowergui.learning.models.build import build, build_on_meta
from flowergui.learning.models.catalogue import model_catalogue, model_info
from flowergui.learning.models.describe import describe, head_of
from flowergui.learning.models.freeze import freeze
from flowergui.learning.models.identify import image_size_of
from flowergui.learning.models.pretrained import MEAN, STD, Pretrained
from flowergui.learning.models.torchvision_models import weights_of
from flowergui.store import library


def pulled(generator: Iterator[DownloadProgress]) -> tuple[object, list[DownloadProgress]]:
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return end.value, events


def test_torchvision_names_the_hash_of_all_its_weights() -> None:
    urls = [w.url for facts in torchvision_models.list_models() for w in weights_of(facts.name)]
    assert len(urls) > 100
    assert all(re.search(r"-[0-9a-f]{8,64}\.pth$", url) for url in urls)


# --- what a recipe names ----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["imagenet", "DEFAULT", "IMAGENET1K_V1", "imagenet1k_v1"])
def test_torchvisions_weights_by_any_of_their_names(cached_weights, word: str) -> None:
    cached_weights("resnet18", {"fc.bias": torch.arange(1000.0)})
    found, events = pulled(weights.load("resnet18", word))
    assert events == []
    assert (found.name, found.image_size) == ("IMAGENET1K_V1", 224)
    assert (found.mean, found.std) == (MEAN, STD)
    assert found.tensors["fc.bias"][-1] == 999


def test_each_version_is_a_file_of_its_own(cached_weights) -> None:
    for version in (0, 1):
        cached_weights("resnet50", {"fc.bias": torch.tensor([float(version)])}, version)
    assert pulled(weights.load("resnet50", "imagenet"))[0].tensors["fc.bias"] == 0
    assert pulled(weights.load("resnet50", "IMAGENET1K_V1"))[0].tensors["fc.bias"] == 1


@pytest.mark.parametrize(("model", "word"), [("mynet", "imagenet"), ("resnet18", "imagenet1k_v9")])
def test_weights_that_do_not_exist(model: str, word: str) -> None:
    with pytest.raises(FlowerError, match=f"{model} has no weights called {word}") as refused:
        pulled(weights.load(model, word))
    assert ("IMAGENET1K_V1" in refused.value.hint) == (model == "resnet18")


def test_own_image_size() -> None:
    assert weights.own_image_size("vit_b_16", "imagenet") == 224
    assert weights.own_image_size("vit_b_16", "IMAGENET1K_SWAG_E2E_V1") == 384
    assert weights.own_image_size("mynet", "some.pth") == 96


def filled(model: str, tensors: dict[str, torch.Tensor]) -> tuple[torch.nn.Module, list[str]]:
    net = build(model, 3, model_info(model).image_size)
    pretrained = Pretrained("theirs", tensors, 0, MEAN, STD)
    return net, weights.load_pretrained(net, pretrained, model)


def made_up(hollow: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Values for its state dict, drawn faster than any initialisation."""
    noise = torch.rand(1 << 20, generator=torch.Generator().manual_seed(4)).sub_(0.5).mul_(0.1)
    values = {}
    for name, tensor in hollow.state_dict().items():
        if not tensor.is_floating_point():
            values[name] = torch.zeros_like(tensor, device="cpu") if tensor.is_meta else tensor
        elif tensor.ndim > 1:
            count = tensor.numel()
            values[name] = noise.repeat(count // len(noise) + 1)[:count].view(tensor.shape)
        else:
            values[name] = torch.ones(tensor.shape)
    return values


def cheapest_size(model: str) -> int:
    """96 or 98 px where the network can take that, else the smallest that it has weights for."""
    for size in (96, 98):
        with suppress(FlowerError):
            return describe(model, 3, size).image_size
    facts = model_info(model)
    return min(facts.image_size, *(each.image_size for each in facts.weights))


@pytest.mark.parametrize("model", [facts.name for facts in model_catalogue()])
def test_every_network_takes_all_but_the_head_and_learns_with_it(model: str) -> None:
    if hardware.free_memory() < 20 * model_info(model).parameters:
        pytest.skip("the networks of this test would not fit into memory")
    size = cheapest_size(model)
    theirs = made_up(build_on_meta(model, 1000, size))
    net = build_on_meta(model, 3, size).to_empty(device="cpu")
    head = head_of(model)
    for name, parameter in net.named_parameters():
        if name in head:
            torch.nn.init.normal_(parameter, std=0.1)
    pretrained = Pretrained("theirs", theirs, 0, MEAN, STD)
    assert weights.load_pretrained(net, pretrained, model) == []
    for name, tensor in net.state_dict().items():
        assert (name in head) != (tensor.shape == theirs[name].shape)
        assert (name in head) or torch.equal(tensor, theirs[name])
    freeze(net, [name for name, _ in net.named_parameters() if name not in head])
    logits = net(torch.rand(2, 3, size, size))
    assert logits.shape == (2, 3)
    logits = torch.nn.functional.normalize(logits)  # made-up weights may give huge ones
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
    gradients = {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
    assert set(gradients) == set(head)
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert any(gradient.any() for gradient in gradients.values())
    before = {name: tensor.clone() for name, tensor in net.state_dict().items() if name in head}
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    after = net.state_dict()
    assert any(not torch.equal(after[name], before[name]) for name in head)
    assert all(torch.equal(after[name], theirs[name]) for name in after if name not in head)


def test_what_does_not_fit_is_named() -> None:
    theirs = dict(get_model("resnet18", weights=None).state_dict())
    del theirs["conv1.weight"]
    theirs["bn1.weight"] = torch.ones(7)
    assert filled("resnet18", theirs)[1] == ["conv1.weight", "bn1.weight"]


def test_weights_of_another_network_are_refused() -> None:
    theirs = dict(get_model("squeezenet1_1", weights=None).state_dict())
    with pytest.raises(
        OtherArchitectureError, match="weights of squeezenet1_1, not of mynet"
    ) as no:
        filled("mynet", theirs)
    assert no.value.model == "squeezenet1_1"
    unknown = {name.replace("features", "layers"): tensor for name, tensor in theirs.items()}
    with pytest.raises(OtherArchitectureError, match="another network: only 0% of mynet") as no:
        filled("mynet", unknown)
    assert no.value.model == ""


@pytest.mark.parametrize(
    ("model", "today", "once"),
    [
        ("densenet121", r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2"),
        ("vit_b_16", r"\.mlp\.([03])\.", lambda m: f".mlp.linear_{1 if m[1] == '0' else 2}."),
    ],
)
def test_names_that_torchvisions_files_had_once(
    cached_weights, model: str, today: str, once
) -> None:
    import re

    hollow = build_on_meta(model, 1000, model_info(model).image_size)
    names = {name: re.sub(today, once, name) for name in hollow.state_dict()}
    assert any(now != then for now, then in names.items())
    cached_weights(model, {then: torch.zeros(1) for then in names.values()})
    assert set(pulled(weights.load(model, "imagenet"))[0].tensors) == set(names)


# --- saved for use offline --------------------------------------------------------------------


def googlenet() -> torch.nn.Module:
    return get_model("googlenet", num_classes=1000, weights=None, init_weights=True)


def test_saved_weights_are_a_plain_state_dict_that_transfer_takes(
    cached_weights, models: Path
) -> None:
    cached_weights("googlenet", googlenet().state_dict())
    (saved,) = tasks.save_weights("googlenet", "imagenet")
    assert saved == WeightsSaved(str(models / "googlenet.pth"))
    assert library.saved_weights("googlenet") == [saved.path]
    assert library.saved_weights("vgg11") == []
    plain = torch.load(saved.path, weights_only=True)
    googlenet().load_state_dict(plain)  # as torchvision itself would
    direct, _ = pulled(weights.load("googlenet", "imagenet"))
    from_file, _ = pulled(weights.load("googlenet", saved.path))
    assert direct.mean == from_file.mean == (0.5, 0.5, 0.5)  # its ImageNet weights came from TF
    assert direct.tensors.keys() == from_file.tensors.keys()


def test_a_state_dict_of_imagenets_classes_is_normalized_as_torchvision_does() -> None:
    half, usual = (0.5, 0.5, 0.5), (0.485, 0.456, 0.406)
    for model, classes, mean in (
        ("efficientnet_v2_l", 1000, half),
        ("efficientnet_v2_l", 5, usual),
        ("efficientnet_v2_m", 1000, usual),
        ("googlenet", 1000, half),
    ):
        assert torchvision_models.normalization(model, classes)[0] == mean


@pytest.mark.parametrize("size", [224, 384])
def test_weights_of_a_vision_transformer_tell_their_image_size(size: int) -> None:
    tensors = build_on_meta("vit_b_16", 1000, size).state_dict()
    assert image_size_of(tensors, "vit_b_16") == size
    assert image_size_of(build_on_meta("resnet18", 5, 64).state_dict(), "resnet18") == 0


def test_the_weights_of_a_package_are_saved_too(models: Path) -> None:
    (saved,) = tasks.save_weights("efficientnet_lite0")
    assert saved == WeightsSaved(str(models / "efficientnet_lite0.pth"))
    assert library.saved_weights("efficientnet_lite0") == [saved.path]
    direct, _ = pulled(weights.load("efficientnet_lite0", "imagenet"))
    from_file, _ = pulled(weights.load("efficientnet_lite0", saved.path))
    assert (direct.mean, direct.std) == (from_file.mean, from_file.std)
    assert direct.tensors.keys() == from_file.tensors.keys()
    assert all(
        torch.equal(direct.tensors[name], from_file.tensors[name]) for name in direct.tensors
    )


def test_what_cannot_be_saved(cached_weights, models: Path) -> None:
    with pytest.raises(FlowerError, match=r"mine\.pth is a file already"):
        list(tasks.save_weights("resnet18", "mine.pth"))
    with pytest.raises(FlowerError, match="mynet has no weights called imagenet"):
        list(tasks.save_weights("mynet"))
    cached_weights("googlenet", googlenet().state_dict())
    models.write_text("in the way")
    with pytest.raises(FlowerError, match=r"googlenet\.pth can't be written into"):
        list(tasks.save_weights("googlenet"))


def test_a_version_that_there_is_not_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="resnet18 has no weights called nonsense") as refused:
        list(weights.save("resnet18", "nonsense", tmp_path))
    assert "IMAGENET1K_V1" in refused.value.hint
