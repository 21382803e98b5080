"""Multinomial logistic regression with an L2 penalty, as scikit-learn defines it.

It is what classifiers here are fitted by; ridge regression (ridge.py) is as accurate and takes a
tenth of the time, but gives no probabilities. Measured on features of efficientnet_lite0 and of
squeezenet1_1 (in brackets), five flowers, accuracy on the photos that were left out:

    photos   logistic regression   ridge           log loss of the first
    50       78.0% (69.3%)         77.7% (69.6%)   0.63 (0.82)
    200      86.8% (79.0%)         86.3% (79.3%)   0.39 (0.59)
    1,000    91.4% (85.6%)         91.8% (86.0%)   0.26 (0.42)

The standard errors of the differences are 0.2 to 0.4 points: none is clear but one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from flowergui.learning.linear_probe.linear_classifier import (
    LinearClassifier,
    PrincipalAxes,
    one_core_for,
)

MAX_ITERATIONS = 500
HISTORY = 10
"""Pairs of steps and gradients from which L-BFGS estimates the curvature."""

FINE_TOLERANCE, COARSE_TOLERANCE = 1e-6, 1e-5
"""The largest entry of the gradient at which a fit has converged: probabilities are then within
some 1e-5 and 1e-4 of those at the minimum. The coarse one takes two thirds of the steps, and its
matrix products are computed in float32, three times as fast."""

SMALLEST_CHANGE = 1e-7
"""The change of the loss that float32 can't tell from none: where it is smaller, a coarse fit
ends."""

STEP_OPERATIONS = 3e10
"""Multiplications of a step of a large fit, some seconds on two cores: after each step the fit can
be abandoned."""

MIN_STEP_ITERATIONS = 5
"""Iterations of L-BFGS in a step, at least: each step computes a gradient once more. With 1,000
classes and 50,000 images these take up to a minute."""

FINE_COST = 3.0
"""What a multiplication in float64 takes, compared with float32."""

MIN_CURVATURE = 1e-6
"""The least curvature that is assumed where all photos are certain, for the units of a fit."""

MAX_BYTES = 8 * 10**9
"""The memory that fits should take at most, beside the features: see `max_images`."""


def never() -> bool:
    """False: there is time for all steps of a fit."""
    return False


def step_iterations(
    photos: int, outputs: int, rank: int, operations: float = STEP_OPERATIONS, *, fine: bool
) -> int:
    """The iterations of L-BFGS in a step of some `operations` (multiplications), if so many
    `outputs` (fits times classes) are fitted: MAX_ITERATIONS for a small fit, which is one step."""
    iterations = operations / (photos * outputs * (rank + 1))
    iterations /= FINE_COST if fine else 1
    return int(min(max(iterations, MIN_STEP_ITERATIONS), MAX_ITERATIONS))


def max_images(class_count: int, columns: int, fits: int = 1) -> int:
    """The most images on which so many fits together take MAX_BYTES.

    For each class, a fit has five arrays with a number for each image (targets, logits and what
    they become), and those of L-BFGS with a number for each axis: there are as many axes as images
    or columns, whichever is fewer.
    """
    image_arrays, axis_arrays = 5, 2 * HISTORY + 10
    numbers = MAX_BYTES // (8 * fits * class_count)
    images = (numbers - axis_arrays * columns) // image_arrays
    return images if images >= columns else numbers // (image_arrays + axis_arrays)


def fit(
    features: Tensor,
    labels: Tensor,
    class_count: int,
    c: float,
    start: LinearClassifier | None = None,
) -> LinearClassifier:
    """Fits features (N, D) and labels (N,) int64, from the classifier `start` on if there is one.

    It minimizes c times the sum of the cross entropies plus half the squared norm of the weights of
    the centred and scaled features (see PrincipalAxes); biases are not penalized. `c` means what
    scikit-learn's C means, for two classes too, where it penalizes the difference of the two
    weights alone.
    """
    axes = PrincipalAxes.of(features)
    fits = SubsetFits(axes, labels, class_count)
    if start is not None:
        fits.start_from(*axes.from_classifier(start))
    fits.fit(c, fine=True)
    return fits.classifier(0)


class SubsetFits:
    """Logistic regressions on several subsets of the same photos, solved together.

    A step multiplies the same matrix for all of them, which is much faster than one after the
    other: that takes most of its time for reading the matrix. A fit begins where the last one
    ended, so a path of `c` from small to large values is fitted in few steps each.
    """

    def __init__(
        self,
        axes: PrincipalAxes,
        labels: Tensor,
        class_count: int,
        subsets: Tensor | None = None,
    ) -> None:
        """`labels` are (N,) int64; `subsets` (F, N) bool are the photos of each fit, None for one
        fit of all photos."""
        if subsets is None:
            subsets = torch.ones(1, len(labels), dtype=torch.bool)
        self._axes, self._labels, self._classes = axes, labels, class_count
        self._weights = subsets.double()[:, None]  # (F, 1, N)
        self._targets = functional.one_hot(labels, class_count).T.double()  # (K, N)
        photos, rank = axes.coordinates.shape
        self._squared = torch.cat((axes.squared_lengths, torch.tensor([photos]).double()))
        # Of each fit and class, a weight for each axis, then the bias: (F, K, R + 1).
        self._solution = torch.zeros(len(subsets), class_count, rank + 1, dtype=torch.float64)

    def start_from(self, weight: Tensor, bias: Tensor) -> None:
        """All fits start from a classifier of the coordinates: weight (K, R) and bias (K,)."""
        self._solution[:] = torch.cat((weight, bias[:, None]), 1)

    def fit(self, c: float, *, fine: bool = False) -> None:
        """Fits all subsets with this `c`, up to FINE_TOLERANCE or COARSE_TOLERANCE."""
        for _ in self._minimize(c, MAX_ITERATIONS, fine=fine):
            pass

    def fit_in_steps(
        self,
        c: float,
        operations: float = STEP_OPERATIONS,
        *,
        fine: bool = False,
        is_late: Callable[[], bool] = never,
    ) -> Iterator[None]:
        """The same, in steps of some `operations` (multiplications). Yields between them: never in
        a small fit, nor in any with math.inf. Where `is_late` says so after a step, the fit ends
        with what it has reached: never a small one."""
        iterations = self._step_iterations(operations, fine=fine)
        yield from self._minimize(c, iterations, fine=fine, is_late=is_late)

    def is_large(self, operations: float = STEP_OPERATIONS, *, fine: bool = False) -> bool:
        """Whether `fit_in_steps` takes several steps, which may take seconds each."""
        return self._step_iterations(operations, fine=fine) < MAX_ITERATIONS

    def _step_iterations(self, operations: float, *, fine: bool) -> int:
        fits, classes, numbers = self._solution.shape
        rank = numbers - 1
        return step_iterations(len(self._labels), fits * classes, rank, operations, fine=fine)

    def _minimize(
        self,
        c: float,
        step_iterations: int,
        *,
        fine: bool,
        is_late: Callable[[], bool] = never,
    ) -> Iterator[None]:
        """Yields between steps of so many iterations of L-BFGS."""
        with self._one_core():
            problem = self._problem(c, torch.float64 if fine else torch.float32)
        variable = self._solution / problem.scale
        optimizer = torch.optim.LBFGS(
            [variable],
            max_iter=step_iterations,
            max_eval=MAX_ITERATIONS * 5 // 4,
            history_size=HISTORY,
            tolerance_grad=FINE_TOLERANCE if fine else COARSE_TOLERANCE,
            tolerance_change=0 if fine else SMALLEST_CHANGE,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            loss, variable.grad = problem.loss_and_gradient(variable)
            return loss

        done = 0
        while True:
            with self._one_core():
                optimizer.step(closure)  # type: ignore[no-untyped-call]
            before, done = done, optimizer.state[variable]["n_iter"]
            if done - before < step_iterations or done >= MAX_ITERATIONS or is_late():
                break
            yield
        self._solution = variable * problem.scale

    def logits(self) -> Tensor:
        """(F, K, N): by each fit, of all photos."""
        with self._one_core():
            return _logits(self._axes.coordinates, self._solution)

    def classifier(self, subset: int) -> LinearClassifier:
        """That of one subset, for raw features."""
        solution = self._solution[subset]
        return self._axes.to_classifier(solution[:, :-1], solution[:, -1])

    def _one_core(self) -> AbstractContextManager[None]:
        return one_core_for(len(self._labels) * self._solution.numel())

    def _problem(self, c: float, dtype: torch.dtype) -> "_Problem":
        photos = len(self._labels)
        # Two classes have weights w and -w: half the squared norm of both is that of w, not of the
        # difference 2 w.
        penalty = torch.full_like(self._squared, 1 / (c * photos))
        penalty *= 2 if self._classes == 2 else 1
        penalty[-1] = 0
        probabilities = self.logits().softmax(1)
        curvature = (probabilities * (1 - probabilities)).mean().clamp(min=MIN_CURVATURE)
        return _Problem(
            inputs=self._axes.coordinates.to(dtype),
            targets=self._targets,
            weights=self._weights / photos,
            penalty=penalty,
            scale=(curvature * self._squared / photos + penalty).rsqrt(),
        )


@dataclass(frozen=True, slots=True)
class _Problem:
    """The mean cross entropy with its penalty (R + 1,), of fits (F, K, R + 1) in units `scale`
    (R + 1,): in these the curvature along all axes is similar, so that L-BFGS needs a tenth of the
    steps. Matrix products have the dtype of `inputs`."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    penalty: Tensor
    scale: Tensor

    def loss_and_gradient(self, variable: Tensor) -> tuple[Tensor, Tensor]:
        solution = variable * self.scale
        logs = _logits(self.inputs, solution).log_softmax(1)
        loss = -(logs * self.targets * self.weights).sum()
        loss = loss + 0.5 * (self.penalty * solution.square()).sum()
        residuals = (logs.exp() - self.targets) * self.weights
        summed = residuals.flatten(0, 1).to(self.inputs.dtype) @ self.inputs
        gradient = torch.cat((summed.double(), residuals.sum(2).view(-1, 1)), 1)
        gradient = gradient.view_as(solution) + self.penalty * solution
        return loss, gradient * self.scale


def _logits(inputs: Tensor, solution: Tensor) -> Tensor:
    """Inputs (N, R) and fits (F, K, R + 1) -> logits (F, K, N) float64. With the few rows on the
    left, a product takes a fifth of the time that it takes with them on the right."""
    weight, bias = solution[..., :-1], solution[..., -1:]
    products = weight.flatten(0, 1).to(inputs.dtype) @ inputs.T
    return products.double().view(*bias.shape[:2], -1) + bias
