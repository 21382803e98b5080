"""Dropout and stochastic depth are those of the whole batch, whoever computes its rows."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from flowergui.learning.device.batch_randomness import RowsOfBatch

BATCH, PROCESSES = 7, 3


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (nn.Dropout(0.4), torch.ones(BATCH, 50)),
        (StochasticDepth(0.5, "row"), torch.ones(BATCH, 3, 4, 4)),
        (nn.Dropout(0.3), torch.ones(BATCH, 8, 4, 4).to(memory_format=torch.channels_last)),
    ],
)
def test_shares_drop_what_the_whole_batch_drops(module: nn.Module, inputs: Tensor) -> None:
    torch.manual_seed(1)
    whole = module(inputs)
    assert 0 < int((whole == 0).sum()) < whole.numel()
    for rank in range(PROCESSES):
        places = tuple(range(BATCH))[rank::PROCESSES]
        torch.manual_seed(1)
        with RowsOfBatch(BATCH, places):
            share = module(inputs[list(places)])
        assert torch.equal(share, whole[list(places)])


def test_evaluation_drops_nothing() -> None:
    with RowsOfBatch(BATCH, (0, 3)):
        assert torch.equal(nn.Dropout(0.5).eval()(torch.ones(2, 9)), torch.ones(2, 9))
