"""Features in the unit in which classifiers are fitted, for scikit-learn."""

from typing import Any

from torch import Tensor


def in_one_unit(features: Tensor, known: Tensor | None = None) -> Any:
    """Features (N, D) as a float64 array: centred, and divided by the root of the mean variance of
    the columns of `known`, by default of themselves."""
    values = (features if known is None else known).double()
    mean = values.mean(0)
    scale = (values - mean).square().mean().sqrt()
    return ((features.double() - mean) / scale).numpy()
