"""A linear classifier of features, and the coordinates in which it is fitted."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from flowergui.learning.device import hardware

ONE_CORE_OPERATIONS = 1e9
"""Matrix products with fewer multiplications, some 0.1 s, run on one core. Beside other programs
that are busy, several cores wait for each other in every product: on two cores, a cross-validation
of 240 photos then takes 8 s instead of 0.3."""

RANK_TOLERANCE = 1e-12
"""Principal axes with a smaller variance, as a share of the largest one, are rounding errors."""


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """Logits of features x (D,) are `weight` x + `bias`: weight (K, D) and bias (K,), float64."""

    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Features (N, D) -> logits (N, K) float64."""
        return features.double() @ self.weight.T + self.bias

    def probabilities(self, features: Tensor) -> Tensor:
        """Features (N, D) -> probabilities (N, K) float64, by softmax."""
        return self.logits(features).softmax(1)


@dataclass(frozen=True, slots=True)
class PrincipalAxes:
    """Features with centred columns in one common unit, rotated to their principal axes.

    Features x become z = (x - `mean`) / `scale`, with `mean` (D,) and `scale` () the root of the
    mean variance of the columns, so that a penalty means the same for every network. Columns are
    not standardized one by one: with ReLU features, columns that vary little would count as much as
    those that vary much. On photos that were left out, five flowers, efficientnet_lite0 and (in
    brackets) squeezenet1_1, each at its best penalty of five:

        photos   one common unit        each column standardized
        50       78.6% (69.1%)          75.8% (67.6%)
        200      87.1% (79.9%)          85.3% (78.5%)
        1,000    91.8%                  90.8%


    `coordinates` (N, R) are z times the orthonormal `axes` (D, R), where R is the rank of
    the features, min(N, D) at most. The weights that minimize a loss with an L2 penalty are
    combinations of the photos' features (representer theorem: Kimeldorf and Wahba 1971), so nothing
    is lost in these coordinates, and the penalty is the same. All are float64.
    """

    coordinates: Tensor
    axes: Tensor
    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "PrincipalAxes":
        """Those of features (N, D). One eigen-decomposition of the smaller of N and D."""
        photos, columns = features.shape
        with one_core_for(photos * columns * min(photos, columns)):
            centred = features.to(torch.float64, copy=True)
            mean = centred.mean(0)
            centred.sub_(mean)
            scale = centred.square().mean().sqrt()
            if not scale > torch.finfo(torch.float64).eps * mean.abs().max():
                scale = torch.ones_like(scale)  # no photo differs from another
            centred.div_(scale)
            if photos < columns:
                squared, left = _positive(_eigen(centred @ centred.T))
                lengths = squared.sqrt()
                return cls(left * lengths, centred.T @ (left / lengths), mean, scale)
            _, axes = _positive(_eigen(centred.T @ centred))
            return cls(centred @ axes, axes, mean, scale)

    @property
    def columns(self) -> int:
        """D, the number of features of a photo."""
        return len(self.mean)

    @property
    def squared_lengths(self) -> Tensor:
        """Of the columns of `coordinates`, (R,): N times the variances along the axes."""
        return self.coordinates.square().sum(0)

    def to_classifier(self, weight: Tensor, bias: Tensor) -> LinearClassifier:
        """A classifier of `coordinates`, weight (K, R) and bias (K,), as one of raw features."""
        raw = (weight @ self.axes.T) / self.scale
        return LinearClassifier(raw, bias - raw @ self.mean)

    def from_classifier(self, classifier: LinearClassifier) -> tuple[Tensor, Tensor]:
        """A classifier of raw features as one of `coordinates`: weight (K, R) and bias (K,). What
        its weights do outside of the axes is dropped."""
        weight = (classifier.weight * self.scale) @ self.axes
        return weight, classifier.bias + classifier.weight @ self.mean


def one_core_for(operations: float) -> AbstractContextManager[None]:
    """Runs matrix products of so many multiplications on one core if they are small."""
    return hardware.one_core(operations < ONE_CORE_OPERATIONS)


def _eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix. On one core, as it consists
    of many small steps."""
    with hardware.one_core():
        values, vectors = torch.linalg.eigh(matrix)
    return values, vectors


def _positive(decomposition: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The eigenvalues that are not rounding errors, largest first, and their eigenvectors."""
    values, vectors = decomposition
    kept = values > RANK_TOLERANCE * values.max().clamp(min=torch.finfo(torch.float64).tiny)
    return values[kept].flip(0), vectors[:, kept].flip(1)
