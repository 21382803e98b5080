"""The last linear layer of every family: what goes into it, and that it gives the logits."""

import pytest
import torch
from networks import SMALLEST, made
from torch import nn

from flowergui.learning.acceleration.linear_head import LinearHead, linear_head_name

NOT_LINEAR = {"squeezenet1_1": "a convolution", "maxvit_t": "a linear layer without a bias"}
"""Classifiers that are trained instead of fitted."""


@pytest.mark.parametrize("model", [*SMALLEST, "efficientnet_lite0"])
def test_the_linear_layer_of_the_features_gives_the_logits(model: str) -> None:
    net, size = made(model)
    net.eval()
    if model in NOT_LINEAR:
        assert linear_head_name(net, model) == ""
        return
    linear = net.get_submodule(linear_head_name(net, model))
    assert isinstance(linear, nn.Linear)
    head = LinearHead(net, model, 5, size, torch.float32)
    images = torch.randn(3, 3, size, size)
    features = head.features(images)
    assert features.shape == (3, linear.in_features)
    with torch.inference_mode():
        logits, whole = linear(features), net(images)
    assert logits.std(0).max() > 0  # images differ
    assert torch.allclose(logits, whole, atol=1e-4 * float(whole.abs().max()))
