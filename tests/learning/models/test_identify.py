"""State dicts are recognized by their names and shapes."""

import pytest
import torch
import torchvision
from networks import SMALLEST

from flowergui.learning.models.build import build_on_meta
from flowergui.learning.models.catalogue import model_catalogue, model_info
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.identify import IdentifiedArchitecture, identify_architecture
from flowergui.learning.models.meta_init import MetaInit


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
