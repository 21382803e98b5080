"""Stratified k-fold cross-validation, and the regularization that it chooses."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from flowergui.confidence_interval import wilson_interval
from flowergui.events import Preparing
from flowergui.learning.linear_probe.linear_classifier import LinearClassifier, PrincipalAxes
from flowergui.learning.linear_probe.logistic_regression import (
    MAX_ITERATIONS,
    STEP_OPERATIONS,
    SubsetFits,
    never,
    step_iterations,
)
from flowergui.learning.randomness import derive_seed
from flowergui.text import tr

FOLDS = 5

PATH = tuple(10 ** (exponent / 2) for exponent in range(-2, 7))
"""The values of c that are tried, times the number of columns, from strong to weak regularization:
the logit of a photo has D terms, one a column, so that this is independent of D."""

USUAL_C = 1.0
"""The value of c where there is no time to choose one, times the number of columns."""

COPY_TOLERANCE = 1e-3
"""By how much copies differ at most along each axis, in units of a column's standard deviation: two
photos of one flower differ by some 10."""

FEW_AXES = 8
"""Photos that differ along the first axes are told apart by these."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What is expected of a logistic regression on photos that it has not seen.

    `c` has the lowest out-of-fold log loss of the path, `loss`, if there was time to look for it: a
    choice by accuracy would be noisy among a few hundred photos, and give worse probabilities.
    `probabilities` (N, K) are those of each photo by the classifier that was fitted without its
    fold, float64. `interval` holds 95% for the accuracy, and `class_accuracy` has None for a class
    without photos.
    """

    c: float
    loss: float
    folds: int
    probabilities: Tensor
    accuracy: float
    interval: tuple[float, float]
    class_accuracy: tuple[float | None, ...]


def cross_validate(
    axes: PrincipalAxes,
    labels: Tensor,
    class_count: int,
    folds: int = FOLDS,
    seed: int = 0,
    *,
    step_operations: float = STEP_OPERATIONS,
    is_late: Callable[[], bool] = never,
) -> Generator[Preparing, None, CrossValidation]:
    """Cross-validates logistic regressions of features (N, D), whose `axes` these are, and labels
    (N,) int64 over a path of `c`. Yields Preparing before each `c`, and after each step of a large
    fit, of so many multiplications. Deterministic, unless `is_late` says of large fits that there
    is no time for more of them, nor for more steps: then `c` is USUAL_C at least.

    Features are centred and scaled once, with all photos, which uses no labels. All folds are
    fitted together. Fewer folds are made if no class has so many photos. Copies of a photo are in
    one fold: a classifier that knows one of them would know the others.
    """
    fold = stratified_folds(labels, class_count, folds, seed, first_copies(axes, labels))
    count = int(fold.max()) + 1
    fits = SubsetFits(axes, labels, class_count, fold != torch.arange(count)[:, None])
    # A class with one photo is unknown to the fold that holds it out, whatever c is.
    judged = labels.bincount(minlength=class_count)[labels] > 1
    judged = judged if judged.any() else torch.ones_like(judged)
    best_c, best_loss, best_logs = 0.0, math.inf, torch.empty(0)
    for done, each in enumerate(PATH):
        preparing = Preparing(tr("Cross-validating"), done, len(PATH))
        yield preparing
        c = each / axes.columns
        for _ in fits.fit_in_steps(c, step_operations, is_late=is_late):
            yield preparing
        logs = out_of_fold(fits.logits(), fold).log_softmax(1)
        loss = -logs.gather(1, labels[:, None])[judged].mean().item()
        if loss >= best_loss:
            break  # the loss has one minimum, and weak regularization takes the most time
        best_c, best_loss, best_logs = c, loss, logs
        if fits.is_large(step_operations) and is_late():
            best_c = max(best_c, USUAL_C / axes.columns)
            break
    correct = best_logs.argmax(1) == labels
    return CrossValidation(
        c=best_c,
        loss=best_loss,
        folds=count,
        probabilities=best_logs.exp(),
        accuracy=correct.double().mean().item(),
        interval=wilson_interval(int(correct.sum()), len(labels)),
        class_accuracy=class_accuracy(correct, labels, class_count),
    )


def fit_with_chosen_c(
    features: Tensor,
    labels: Tensor,
    class_count: int,
    *,
    seed: int = 0,
    most: int = 0,
    start: LinearClassifier | None = None,
    is_late: Callable[[], bool] = never,
) -> Generator[Preparing, None, tuple[LinearClassifier, CrossValidation]]:
    """A logistic regression on all of features (N, D) and labels (N,) int64, with the `c` that
    cross-validation chooses on the first `most` of them (0: on all). Yields Preparing as
    `cross_validate` does, before the last fit, and after each step of it, if it is a large one.
    Large fits end early if `is_late` says so. The last fit, if it is large, goes on from `start`, a
    classifier of raw features that was fitted with USUAL_C; without time for it, `start` itself is
    returned, and `c` is USUAL_C over D."""
    known = features[:most] if most else features
    columns = features.shape[1]
    axes = PrincipalAxes.of(known)
    chosen = yield from cross_validate(
        axes, labels[: len(known)], class_count, seed=seed, is_late=is_late
    )
    preparing = Preparing(tr("Fitting the head"), 0, 0)
    yield preparing
    rank = min(features.shape)
    is_large = step_iterations(len(features), class_count, rank, fine=True) < MAX_ITERATIONS
    if start is not None and is_large and is_late():
        return start, replace(chosen, c=USUAL_C / columns)
    if len(known) < len(features):
        axes = PrincipalAxes.of(features)
    fits = SubsetFits(axes, labels, class_count)
    if start is not None and is_large:
        fits.start_from(*axes.from_classifier(start))
    for _ in fits.fit_in_steps(chosen.c, fine=True, is_late=is_late):
        yield preparing
    return fits.classifier(0), chosen


def first_copies(axes: PrincipalAxes, labels: Tensor) -> Tensor:
    """For each photo the first one of its class, (N,) int64, that has the same features up to
    rounding; for most, itself. Where all photos of a class are the same, none counts as a copy."""
    count = len(labels)
    itself = torch.arange(count)
    if not axes.coordinates.shape[1]:
        return itself
    order = axes.coordinates[:, 0].argsort(stable=True)
    order = order[labels[order].argsort(stable=True)]  # copies are neighbours now
    before, after = order[:-1], order[1:]
    same = labels[before] == labels[after]
    for columns in (slice(0, FEW_AXES), slice(FEW_AXES, None)):
        near = same.nonzero().flatten()
        apart = axes.coordinates[before[near], columns] - axes.coordinates[after[near], columns]
        same[near] = (apart.abs() <= COPY_TOLERANCE).all(1)
    group = torch.empty_like(order)
    group[order] = torch.cat((torch.zeros(1, dtype=torch.int64), (~same).cumsum(0)))
    first = torch.full_like(itself, count).scatter_reduce(0, group, itself, "amin")[group]
    groups = labels[first == itself].bincount(minlength=int(labels.max()) + 1)
    return torch.where(groups[labels] > 1, first, itself)


def stratified_folds(
    labels: Tensor, class_count: int, folds: int, seed: int, first: Tensor | None = None
) -> Tensor:
    """The fold (N,) int64 of each photo, from 0 on: each class is spread evenly over the folds, and
    so are all photos. At least two folds; fewer than `folds` if no class has so many photos. A
    photo is in the fold of the one that it is a copy of, in `first` (see `first_copies`)."""
    if first is not None and not torch.equal(first, torch.arange(len(labels))):
        originals = (first == torch.arange(len(labels))).nonzero().flatten()
        fold = torch.empty_like(labels)
        fold[originals] = stratified_folds(labels[originals], class_count, folds, seed)
        return fold[first]
    counts = labels.bincount(minlength=class_count)
    folds = max(min(folds, int(counts.max())), 2)
    fold = torch.empty_like(labels)
    placed = 0
    for label in range(class_count):
        members = shuffled((labels == label).nonzero().flatten(), seed, "folds", label)
        # A class goes on where the one before it stopped, so that no fold gets all remainders.
        fold[members] = (torch.arange(len(members)) + placed) % folds
        placed += len(members)
    return fold


def stratified_subset(
    labels: Tensor, class_count: int, share: float, *seed: int | str, least: int = 1
) -> Tensor:
    """A mask (N,) bool with the `share` (0 to 1) of the photos of each class, at least `least` of
    them if there are so many. With the same seed, smaller shares lie in larger ones."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(class_count):
        members = shuffled((labels == label).nonzero().flatten(), *seed, label)
        chosen[members[: max(round(share * len(members)), least)]] = True
    return chosen


def shuffled(values: Tensor, *seed: int | str) -> Tensor:
    """`values` (N,) in an order that depends on `seed` alone."""
    generator = torch.Generator().manual_seed(derive_seed(*seed))
    return values[torch.randperm(len(values), generator=generator)]


def out_of_fold(logits: Tensor, fold: Tensor) -> Tensor:
    """Logits (F, K, N) of all photos by the classifiers without each fold -> (N, K), each photo's
    by the one that has not seen it."""
    return logits[fold, :, torch.arange(len(fold))]


def class_accuracy(correct: Tensor, labels: Tensor, class_count: int) -> tuple[float | None, ...]:
    """The share of `correct` (N,), bool or float, of each class; None for one without photos."""
    counts = labels.bincount(minlength=class_count)
    right = labels.bincount(correct.double(), minlength=class_count)
    return tuple(
        share if count else None
        for share, count in zip((right / counts).tolist(), counts.tolist(), strict=True)
    )
