"""Ridge regression on one-hot labels, with exact leave-one-out predictions in closed form."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from flowergui.learning.linear_probe.linear_classifier import (
    LinearClassifier,
    PrincipalAxes,
    one_core_for,
)

PATH = tuple(10 ** (exponent / 2) for exponent in range(-6, 7))
"""The values of the penalty that are tried, as multiples of the number of columns."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """A ridge regression whose `penalty` has the lowest squared leave-one-out error of the path.

    `loo_predictions` (N, K) float64 are those for each photo by the regression that was fitted
    without it, and `loo_accuracy` is the share of them whose largest entry is the label.
    """

    classifier: LinearClassifier
    penalty: float
    loo_predictions: Tensor
    loo_accuracy: float


def fit(
    features: Tensor, labels: Tensor, class_count: int, penalties: tuple[float, ...] = ()
) -> Ridge:
    """Fits features (N, D) and labels (N,) int64 with each of the `penalties` (by default, a path),
    and keeps the best.

    It minimizes the squared error of one-hot labels plus the penalty times the squared norm of the
    weights of the centred and scaled features (once, with all photos); biases are not penalized.
    With H the matrix that maps labels to predictions, the residual of a photo without it is its
    residual divided by 1 - H_ii (Allen 1974, Technometrics 16, 125).
    """
    axes = PrincipalAxes.of(features)
    with one_core_for(axes.coordinates.numel() * class_count):
        return _fit(axes, labels, class_count, penalties or tuple(p * axes.columns for p in PATH))


def _fit(
    axes: PrincipalAxes, labels: Tensor, class_count: int, penalties: tuple[float, ...]
) -> Ridge:
    squared = axes.squared_lengths
    basis = axes.coordinates / squared.sqrt()  # orthonormal, and orthogonal to the constant
    targets = functional.one_hot(labels, class_count).double()
    mean = targets.mean(0)
    projected = basis.T @ (targets - mean)
    best: tuple[float, float, Tensor] = (math.inf, 0.0, torch.empty(0))
    for penalty in penalties:
        shrinkage = squared / (squared + penalty)
        residuals = targets - mean - (basis * shrinkage) @ projected
        leverage = basis.square() @ shrinkage + 1 / len(labels)
        left_out = residuals / (1 - leverage).clamp(min=torch.finfo(torch.float64).eps)[:, None]
        error = left_out.square().mean().item()
        if error < best[0]:
            best = error, penalty, targets - left_out
    _, penalty, predictions = best
    weight = (projected * (squared.sqrt() / (squared + penalty))[:, None]).T
    return Ridge(
        classifier=axes.to_classifier(weight, mean),
        penalty=penalty,
        loo_predictions=predictions,
        loo_accuracy=(predictions.argmax(1) == labels).double().mean().item(),
    )
