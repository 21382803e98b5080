"""Networks are described without being built."""

import pytest
import torch
from networks import SMALLEST

from flowergui.errors import FlowerError
from flowergui.learning.models.catalogue import model_info
from flowergui.learning.models.describe import describe, head_of

HEADS = {
    "mynet": "fc",
    "alexnet": "classifier.6",
    "convnext_tiny": "classifier.2",
    "densenet121": "classifier",
    "efficientnet_lite0": "fc",
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


def test_last_stages() -> None:
    def stages(model: str) -> set[str]:
        names = describe(model, 5).last_stage
        return {".".join(name.split(".")[:2]) for name in names}

    assert stages("resnet18") == {"layer4.0", "layer4.1"}
    assert stages("mynet") == {"stages.3"}
    assert stages("efficientnet_lite0") == {"last_conv.conv", "last_conv.norm"}


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
