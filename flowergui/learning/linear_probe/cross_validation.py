"""Stratified k-fold cross-validation, and the regularization that it chooses."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from flowergui.confidence_interval import wilson_interval
from flowergui.learning.linear_probe import logistic_regression
from flowergui.learning.linear_probe.linear_classifier import LinearClassifier, PrincipalAxes
from flowergui.learning.linear_probe.logistic_regression import SubsetFits
from flowergui.learning.randomness import derive_seed

FOLDS = 5

PATH = tuple(10 ** (exponent / 2) for exponent in range(-2, 7))
"""The values of c that are tried, times the number of columns, from strong to weak regularization:
the logit of a photo has D terms, one a column, so that this is independent of D."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What is expected of a logistic regression on photos that it has not seen.

    `c` has the lowest out-of-fold log loss of the path, `loss`: a choice by accuracy would be noisy
    among a few hundred photos, and give worse probabilities. `probabilities` (N, K) are those of
    each photo by the classifier that was fitted without its fold, float64. `interval` holds 95% for
    the accuracy, and `class_accuracy` has None for a class without photos.
    """

    c: float
    loss: float
    folds: int
    probabilities: Tensor
    accuracy: float
    interval: tuple[float, float]
    class_accuracy: tuple[float | None, ...]


def choose_c(
    features: Tensor, labels: Tensor, class_count: int, folds: int = FOLDS, seed: int = 0
) -> CrossValidation:
    """Cross-validates logistic regressions of features (N, D) and labels (N,) int64 over a path of
    `c`. Deterministic.

    Features are centred and scaled once, with all photos, which uses no labels. All folds are
    fitted together. Fewer folds are made if no class has so many photos.
    """
    return cross_validate(PrincipalAxes.of(features), labels, class_count, folds, seed)


def cross_validate(
    axes: PrincipalAxes, labels: Tensor, class_count: int, folds: int = FOLDS, seed: int = 0
) -> CrossValidation:
    """The same, for features whose axes are known."""
    fold = stratified_folds(labels, class_count, folds, seed)
    count = int(fold.max()) + 1
    fits = SubsetFits(axes, labels, class_count, fold != torch.arange(count)[:, None])
    # A class with one photo is unknown to the fold that holds it out, whatever c is.
    judged = labels.bincount(minlength=class_count)[labels] > 1
    judged = judged if judged.any() else torch.ones_like(judged)
    best_c, best_loss, best_logs = 0.0, math.inf, torch.empty(0)
    for each in PATH:
        c = each / axes.columns
        fits.fit(c)
        logs = out_of_fold(fits.logits(), fold).log_softmax(1)
        loss = -logs.gather(1, labels[:, None])[judged].mean().item()
        if loss >= best_loss:
            break  # the loss has one minimum, and weak regularization takes the most time
        best_c, best_loss, best_logs = c, loss, logs
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
    features: Tensor, labels: Tensor, class_count: int, *, seed: int = 0, most: int = 0
) -> tuple[LinearClassifier, CrossValidation]:
    """A logistic regression on all of features (N, D) and labels (N,) int64, with the `c` that
    cross-validation chooses on the first `most` of them (0: on all)."""
    known = features[:most] if most else features
    axes = PrincipalAxes.of(known)
    chosen = cross_validate(axes, labels[: len(known)], class_count, seed=seed)
    if len(known) < len(features):
        axes = PrincipalAxes.of(features)
    return logistic_regression.fit_axes(axes, labels, class_count, chosen.c), chosen


def stratified_folds(labels: Tensor, class_count: int, folds: int, seed: int) -> Tensor:
    """The fold (N,) int64 of each photo, from 0 on: each class is spread evenly over the folds, and
    so are all photos. At least two folds; fewer than `folds` if no class has so many photos."""
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
