"""Architectures: known, described without weights, built, filled and frozen."""

import warnings

import pytest
import torch
import torchvision
from networks import SMALLEST
from torch import nn

from flowergui.errors import FlowerError
from flowergui.learning.models.build import build, build_on_meta, load_state_dict
from flowergui.learning.models.catalogue import model_catalogue, model_info
from flowergui.learning.models.describe import describe, head_of
from flowergui.learning.models.freeze import freeze
from flowergui.learning.models.identify import IdentifiedArchitecture, identify_architecture
from flowergui.learning.models.meta_init import MetaInit

"""One small architecture of each family, two of MobileNet's."""

HEADS = {
    "mynet": "fc",
    "alexnet": "classifier.6",
    "convnext_tiny": "classifier.2",
    "densenet121": "classifier",
    "googlenet": "fc",
    "inception_v3": "fc",
    "maxvit_t": "classifier.5",
    "mobilenet_v3_small": "classifier.3",
    "resnet18": "fc",
    "squeezenet1_1": "classifier.1",  # a convolution
    "swin_t": "head",
    "vgg11": "classifier.6",
    "vit_b_32": "heads.head",
}


def test_the_catalogue_has_all_of_torchvision_and_ours() -> None:
    facts = model_catalogue()
    names = [each.name for each in facts]
    assert len(names) == len(set(names)) >= 81
    assert names[0] == "mynet"
    assert {each.family for each in facts} == {model_info(name).family for name in SMALLEST}
    resnet50 = model_info("resnet50")
    assert (resnet50.family, resnet50.parameters, resnet50.image_size) == (
        "ResNet",
        25_557_032,
        224,
    )
    assert [each.name for each in resnet50.weights] == ["IMAGENET1K_V2", "IMAGENET1K_V1"]
    assert resnet50.weights[0].accuracy == pytest.approx(0.80858)
    assert "IMAGENET1K_FEATURES" not in [w.name for w in model_info("vgg16").weights]
    assert all(0.4 < w.accuracy < 0.9 and w.megabytes > 1 for each in facts for w in each.weights)


def test_a_name_that_is_none() -> None:
    with pytest.raises(FlowerError, match="no network called 'resnet19'") as refused:
        model_info("resnet19")
    assert "resnet18" in refused.value.hint
    with pytest.raises(FlowerError, match="no network called ''"):
        describe("", 3)


@pytest.mark.parametrize("model", SMALLEST)
def test_each_family_is_described_without_drawing(model: str) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    describe.cache_clear()
    head_of.cache_clear()
    facts = describe(model, 7)
    assert torch.equal(torch.get_rng_state(), state)
    assert facts.image_size == model_info(model).image_size
    names = [parameter.name for parameter in facts.parameters]
    assert facts.modules[0].output == (7,)
    assert facts.modules[0].parameters == sum(p.size for p in facts.parameters)
    assert facts.head
    assert {name.rpartition(".")[0] for name in facts.head} <= {HEADS.get(model)} or (
        model not in HEADS
    )
    assert all(p.shape[0] == 7 for p in facts.parameters if p.name in facts.head)
    assert facts.last_stage
    assert set(facts.last_stage) < set(names) - set(facts.head)


@pytest.mark.parametrize("model", SMALLEST)
def test_a_hollow_network_is_filled_from_a_file(model: str) -> None:
    size = model_info(model).image_size
    torch.manual_seed(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision warns that its own start is slow
        net = build(model, 3, size)
    hollow = build_on_meta(model, 3, size)
    assert all(p.is_meta for p in hollow.parameters() if p.ndim > 3)
    load_state_dict(hollow, dict(net.state_dict()), assign=True)
    left = {**dict(hollow.named_parameters()), **dict(hollow.named_buffers())}
    assert [name for name, tensor in left.items() if tensor.is_meta] == []
    images = torch.rand(1, 3, size, size)
    with torch.inference_mode():
        assert torch.equal(hollow.eval()(images), net.eval()(images))


def test_building_is_a_matter_of_the_seed() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return build("mynet", 3, 32).fc.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_last_stages() -> None:
    def stages(model: str) -> set[str]:
        names = describe(model, 5).last_stage
        return {".".join(name.split(".")[:2]) for name in names}

    assert stages("resnet18") == {"layer4.0", "layer4.1"}
    assert stages("mynet") == {"stages.3"}


@pytest.mark.parametrize(
    ("model", "size", "own"),
    [("vit_b_16", 112, 224), ("inception_v3", 64, 299), ("mynet", 8, 96), ("alexnet", 32, 224)],
)
def test_a_size_that_cannot_be_taken(model: str, size: int, own: int) -> None:
    with pytest.raises(FlowerError, match=f"{model} can't take images of {size} px") as refused:
        describe(model, 3, size)
    assert refused.value.hint == f"Its own size is {own} px."


def test_vit_takes_the_sizes_that_it_has_weights_for() -> None:
    assert describe("vit_b_16", 3, 384).modules[0].output == (3,)


# --- freezing ---------------------------------------------------------------------------------


def test_frozen_batch_normalisation_stands_still() -> None:
    net = build("mynet", 3, 32)
    names = [name for name, _ in net.named_parameters()]
    freeze(net, [name for name in names if not name.startswith("fc")])
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert net.training
    assert norms
    assert not any(norm.training for norm in norms)
    assert [name for name, p in net.named_parameters() if p.requires_grad] == [
        "fc.weight",
        "fc.bias",
    ]
    freeze(net, [])
    assert all(norm.training for norm in norms)
    assert all(p.requires_grad for p in net.parameters())


def test_half_a_frozen_batch_normalisation_goes_on() -> None:
    net = build("mynet", 3, 32)
    freeze(net, ["stem.1.weight"])
    assert net.stem[1].training


def test_freezing_forgets_the_gradient() -> None:
    net = build("mynet", 3, 32)
    net(torch.rand(2, 3, 32, 32)).sum().backward()
    freeze(net, ["fc.weight"])
    assert net.fc.weight.grad is None
    assert net.fc.bias.grad is not None


@pytest.mark.parametrize("model", SMALLEST)
def test_weights_are_recognised_by_their_names_and_shapes(model: str) -> None:
    own = model_info(model).image_size
    weights = build_on_meta(model, 7, own).state_dict()
    assert identify_architecture(weights) == IdentifiedArchitecture(model, 7, own)
    old = {name: each for name, each in weights.items() if "num_batches_tracked" not in name}
    assert identify_architecture(old) == IdentifiedArchitecture(model, 7, own)


def test_weights_of_something_else_are_not_recognised() -> None:
    weights = build_on_meta("mynet", 7, 32).state_dict()
    name = next(iter(weights))
    assert identify_architecture({**weights, name: torch.ones(1, 2, 3)}) is None
    assert identify_architecture({**weights, "more": torch.ones(3)}) is None
    del weights[name]
    assert identify_architecture(weights) is None


def test_second_outputs_do_not_hide_a_network() -> None:
    with MetaInit():
        whole = torchvision.models.inception_v3(num_classes=5, init_weights=True)
    assert identify_architecture(whole.state_dict()) == IdentifiedArchitecture(
        "inception_v3", 5, 299
    )


def test_no_two_networks_look_alike() -> None:
    seen: dict[tuple[object, ...], str] = {}
    for facts in model_catalogue():
        own = build_on_meta(facts.name, 7, facts.image_size).state_dict()
        head = head_of(facts.name)
        look = tuple((name, tuple(own[name].shape)) for name in sorted(own) if name not in head)
        assert seen.setdefault(look, facts.name) == facts.name
