"""Networks are built from a seed, or filled from a file."""

import warnings

import pytest
import torch
from networks import SMALLEST

from flowergui.learning.models.build import build, build_on_meta, load_state_dict
from flowergui.learning.models.catalogue import model_info


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
