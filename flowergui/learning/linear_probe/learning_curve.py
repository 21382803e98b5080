"""The accuracy expected with fewer photos, and from that, with twice as many.

Tried on 10 curves of 94 to 750 photos whose next doubling was measured (five flowers, features of
efficientnet_lite0 and squeezenet1_1): the accuracy came out 0.2 points too low on average, with a
root mean square error of 1.3 points, where no gain at all would be 2.9 points too low. A power law
without a limit is as good there, and promises too much where labels are wrong.
"""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from flowergui.confidence_interval import Z_95, wilson_interval
from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.facts import CurvePoint
from flowergui.learning.linear_probe.cross_validation import (
    FOLDS,
    class_accuracy,
    first_copies,
    out_of_fold,
    stratified_folds,
    stratified_subset,
)
from flowergui.learning.linear_probe.linear_classifier import PrincipalAxes
from flowergui.learning.linear_probe.logistic_regression import SubsetFits
from flowergui.text import tr

SHARES = (0.25, 0.5, 1.0)
"""The shares of the photos with which classifiers are fitted, each twice the one before it. As in
every cross-validation, the photos of one fold judge and are left out: with five folds, the accuracy
at "all" photos is that of classifiers that know four fifths of them, a little less than that of one
that knows all; likewise at the other points, and at twice as many."""

SUBSETS = (4, 2, 1)
"""How many subsets of each share are drawn in every fold: small ones differ more."""

MIN_PHOTOS = 4
"""Photos that a curve needs: a quarter of fewer would be none."""

DECAY = 2**-0.5
"""How much of the last gain the next doubling of the photos brings: errors fall towards their limit
with the square root of the number of photos. Three points are too few to estimate that rate."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The points at `SHARES` of the photos, and the one expected at twice as many. The
    intervals hold 95% and tell how much the photos' number lets the figures vary; whether the curve
    goes on as it began, they don't know."""

    points: tuple[CurvePoint, ...]
    twice: CurvePoint
    gain_interval: tuple[float, float]


def estimate(
    axes: PrincipalAxes,
    labels: Tensor,
    class_count: int,
    c: float,
    folds: int = FOLDS,
    seed: int = 0,
) -> Generator[Preparing, None, LearningCurve]:
    """Yields Preparing, and returns the learning curve of logistic regressions with this `c`;
    `labels` are (N,) int64. Raises FlowerError if there are fewer than MIN_PHOTOS.

    Every photo is predicted by classifiers fitted with a share of the other folds, so all points
    are measured on the same photos, and their differences are more certain than they are.
    `c` stays the same: it is the prior of the weights, whatever the number of photos.
    """
    count = len(labels)
    if count < MIN_PHOTOS:
        raise FlowerError(
            tr(
                "A learning curve needs at least {least} images; there are {count}.",
                least=MIN_PHOTOS,
                count=count,
            ),
            hint=tr("Add images to the classes."),
        )
    correct = yield from _correct(axes, labels, class_count, c, folds, seed)
    points = []
    for share, row in zip(SHARES, correct, strict=True):
        low, high = wilson_interval(row.sum().item(), count)
        by_class = class_accuracy(row, labels, class_count)
        points.append(CurvePoint(round(share * count), row.mean().item(), low, high, by_class))
    weights = _gain_weights()
    gain, gain_interval = _mean_and_interval(weights @ correct)
    _, (low, high) = _mean_and_interval(weights @ correct + correct[-1])
    by_class = class_accuracy(weights @ correct + correct[-1], labels, class_count)
    now = points[-1]
    accuracy = min(now.accuracy + max(gain, 0.0), 1.0)
    expected = CurvePoint(
        photos=2 * count,
        accuracy=accuracy,
        low=min(max(low, 0.0), accuracy),
        high=min(max(high, accuracy), 1.0),
        class_accuracy=tuple(
            None if before is None or after is None else min(max(before, after), 1.0)
            for before, after in zip(now.class_accuracy, by_class, strict=True)
        ),
    )
    return LearningCurve(tuple(points), expected, gain_interval)


def _correct(
    axes: PrincipalAxes, labels: Tensor, class_count: int, c: float, folds: int, seed: int
) -> Generator[Preparing, None, Tensor]:
    """For each share, how often a photo is predicted correctly by classifiers that were fitted with
    that share of the other folds: (shares, N) float64, a mean over the subsets."""
    fold = stratified_folds(labels, class_count, folds, seed, first_copies(axes, labels))
    count = int(fold.max()) + 1
    rows: list[Tensor] = []
    done = 0
    for share, subsets in zip(SHARES, SUBSETS, strict=True):
        hits = torch.zeros(len(labels), dtype=torch.float64)
        for subset in range(subsets):
            preparing = Preparing(tr("Fitting on fewer images"), done, sum(SUBSETS))
            yield preparing
            chosen = torch.zeros(count, len(labels), dtype=torch.bool)
            for held_out in range(count):
                others = (fold != held_out).nonzero().flatten()
                chosen[held_out, others] = stratified_subset(
                    labels[others], class_count, share, seed, "curve", held_out, subset
                )
            fits = SubsetFits(axes, labels, class_count, chosen)
            for _ in fits.fit_in_steps(c):
                yield preparing
            hits += out_of_fold(fits.logits(), fold).argmax(1) == labels
            done += 1
        rows.append(hits / subsets)
    return torch.stack(rows)


def _gain_weights() -> Tensor:
    """The weights (shares,) whose sum with the accuracies of all shares is what twice as many
    photos gain: b (DECAY^n - DECAY^(n - 1)), where n counts doublings, and a + b DECAY^n is fitted
    to the accuracies by least squares."""
    known = DECAY ** torch.arange(len(SHARES) + 1).double()
    design = torch.stack((torch.ones_like(known), known), 1)
    slope: Tensor = torch.linalg.pinv(design[:-1])[1]
    return slope * (known[-1] - known[-2])


def _mean_and_interval(values: Tensor) -> tuple[float, tuple[float, float]]:
    """The mean of `values` (N,), one a photo, and its 95% interval."""
    mean = values.mean().item()
    half = Z_95 * values.std(correction=0).item() / len(values) ** 0.5
    return mean, (mean - half, mean + half)
