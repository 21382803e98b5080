"""The order of images and its batches are functions of seed and epoch."""

import torch

from flowergui.learning.data.sampler import batch_indices, shuffled_indices


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    first = shuffled_indices(50, seed=1, epoch=1)
    assert sorted(first) == list(range(50))
    assert first != list(range(50))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert shuffled_indices(50, seed=1, epoch=1) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert (
        len({tuple(shuffled_indices(50, seed, epoch)) for seed in (1, 2) for epoch in (1, 2)}) == 4
    )


def test_cut() -> None:
    assert batch_indices(range(7), 3, drop_last=False) == [
        (0, 1, 2),
        (3, 4, 5),
    ]  # one alone
    assert batch_indices(range(8), 3, drop_last=False) == [(0, 1, 2), (3, 4, 5), (6, 7)]
    assert batch_indices(range(8), 3, drop_last=True) == [(0, 1, 2), (3, 4, 5)]
    assert batch_indices(range(6), 3, drop_last=True) == [(0, 1, 2), (3, 4, 5)]
    assert batch_indices(range(2), 3, drop_last=True) == []
    assert batch_indices([], 3, drop_last=False) == []
