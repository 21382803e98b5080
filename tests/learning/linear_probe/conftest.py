"""Features whose classes overlap, as those of a network do."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

MakeFeatures = Callable[..., tuple[Tensor, Tensor]]


@pytest.fixture
def made() -> MakeFeatures:
    """Makes features (N, D) float32, all at least 0, and labels (N,) of K classes, which depend on
    them with noise."""

    def make(photos: int, columns: int, classes: int, noise: float = 4.0) -> tuple[Tensor, Tensor]:
        chance = torch.Generator().manual_seed(photos + columns + classes)
        hidden = torch.randn(photos, 8, generator=chance)
        mixed = hidden @ torch.randn(8, columns, generator=chance)
        features = (mixed + torch.randn(photos, columns, generator=chance)).relu()
        features *= 10 ** torch.linspace(-2, 2, columns)  # columns of very different sizes
        features[:, columns // 2] = 3.0  # and one that says nothing
        scores = hidden @ torch.randn(8, classes, generator=chance)
        scores += noise / 4 * torch.randn(photos, classes, generator=chance)
        return features, scores.argmax(1)

    return make
