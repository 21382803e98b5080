"""The order of images in an epoch, and its batches of indices."""

from collections.abc import Sequence

import torch

from flowergui.learning.randomness import derive_seed


def shuffled_indices(count: int, seed: int, epoch: int) -> list[int]:
    """The order of `count` images in an epoch: a function of the seed and the epoch alone."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    shuffled: list[int] = torch.randperm(count, generator=generator).tolist()
    return shuffled


def batch_indices(indices: Sequence[int], size: int, drop_last: bool) -> list[tuple[int, ...]]:
    """`indices` in batches of `size`.

    A smaller last batch is dropped if `drop_last`; one of a single image always, since batch
    normalization can't be trained on it.
    """
    batches = [tuple(indices[start : start + size]) for start in range(0, len(indices), size)]
    if batches and (len(batches[-1]) == 1 or (drop_last and len(batches[-1]) < size)):
        batches.pop()
    return batches


def sequential_batches(count: int, size: int) -> list[tuple[int, ...]]:
    """The numbers below `count` in batches of `size`; the last batch may be smaller."""
    return [tuple(range(start, min(start + size, count))) for start in range(0, count, size)]
