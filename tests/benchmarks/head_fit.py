"""The fitted head against a head that is trained for 60 epochs, on the same cached features.

    python tests/benchmarks/head_fit.py FOLDER [--splits 3] [--judged 0.333]

Of the images (one subfolder per class) a share of every class judges; the others train. Features
are those of efficientnet_lite0, computed once; computing them is not timed.

- fitted: the regularization chosen by 5-fold cross-validation on the training images, then a
  logistic regression on all of them, as a run does it.
- AdamW: 60 epochs of batches of 32, weight decay 0.01, a one-cycle schedule; its learning rate, of
  four, chosen by the same cross-validation, which is timed as that of the fitted head is.
- each once: a fit with a regularization that is given, and training with a rate that is given.

Printed are seconds and accuracies: medians over the splits, and ranges.
"""

import argparse
import statistics
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from flowergui.learning.linear_probe import logistic_regression
from flowergui.learning.linear_probe.backbone import load_backbone
from flowergui.learning.linear_probe.cross_validation import (
    FOLDS,
    fit_with_chosen_c,
    stratified_folds,
)
from flowergui.learning.linear_probe.features import compute_features, photo_dataset, scan_all
from flowergui.learning.randomness import derive_seed

EPOCHS, BATCH = 60, 32
RATES = (1e-4, 3e-4, 1e-3, 1e-2)


def result(generator: Generator[Any, None, Any]) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def parts(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """The indices that train and those that judge, a `share` of each class."""
    judged = torch.zeros(len(labels), dtype=torch.bool)
    generator = torch.Generator().manual_seed(derive_seed(seed, "judged"))
    for label in labels.unique():
        own = (labels == label).nonzero()[:, 0]
        shuffled = own[torch.randperm(len(own), generator=generator)]
        judged[shuffled[: round(share * len(own))]] = True
    return (~judged).nonzero()[:, 0], judged.nonzero()[:, 0]


def fitted(features: Tensor, labels: Tensor, classes: int, c: float) -> nn.Linear:
    """The head as a run fits it; `c` is chosen if it is 0."""
    if c:
        found = logistic_regression.fit(features, labels, classes, c)
    else:
        found, _ = result(fit_with_chosen_c(features, labels, classes))
    head = nn.Linear(features.shape[1], classes)
    with torch.no_grad():
        head.weight.copy_(found.weight)
        head.bias.copy_(found.bias)
    return head


def trained(features: Tensor, labels: Tensor, classes: int, rate: float) -> nn.Linear:
    """The head after 60 epochs of AdamW; the `rate` is chosen if it is 0."""
    if not rate:
        fold = stratified_folds(labels, classes, FOLDS, 0)
        rate = max(RATES, key=lambda each: _right(features, labels, classes, each, fold))
    torch.manual_seed(0)
    head = nn.Linear(features.shape[1], classes)
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.01, fused=True)
    steps = EPOCHS * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(labels)).split(BATCH):
            nn.functional.cross_entropy(head(features[batch]), labels[batch]).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
    return head


def _right(features: Tensor, labels: Tensor, classes: int, rate: float, fold: Tensor) -> int:
    """How many images are predicted correctly by the head that was trained without their fold."""
    right = 0
    for number in fold.unique():
        own = fold == number
        head = trained(features[~own], labels[~own], classes, rate)
        right += correct(head, features[own], labels[own])
    return right


def correct(head: nn.Linear, features: Tensor, labels: Tensor) -> int:
    """How many of these images a head predicts correctly."""
    with torch.no_grad():
        return int((head(features).argmax(1) == labels).sum())


def line(name: str, values: list[tuple[float, float]]) -> None:
    """Prints medians and ranges of (seconds, accuracy)."""
    seconds, accuracies = zip(*values, strict=True)
    print(
        f"  {name:<24} {statistics.median(seconds):7.2f} s ({min(seconds):.2f} to "
        f"{max(seconds):.2f})   {statistics.mean(accuracies):6.1%} ({min(accuracies):.1%} to "
        f"{max(accuracies):.1%})"
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--judged", type=float, default=1 / 3)
    wanted = parser.parse_args()
    found, photos = result(scan_all(wanted.folder))
    backbone = result(load_backbone())
    known = result(
        compute_features(backbone, photo_dataset(wanted.folder, photos, backbone.image_size))
    )
    classes = len(found.classes)
    ways = {
        "fitted, c chosen": (fitted, 0.0),
        "AdamW, rate chosen": (trained, 0.0),
        "fitted, c given": (fitted, 0.04),
        "AdamW, rate given": (trained, 1e-3),
    }
    results: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    fitted(known.features[:200], known.labels[:200], classes, 0.0)  # a first call is slower
    trained(known.features[:64], known.labels[:64], classes, 1e-3)
    for split in range(wanted.splits):
        train, judge = parts(known.labels, wanted.judged, split)
        features, labels = known.features[train], known.labels[train]
        for way, (make, value) in ways.items():
            began = time.perf_counter()
            head = make(features, labels, classes, value)
            seconds = time.perf_counter() - began
            right = correct(head, known.features[judge], known.labels[judge])
            results[way].append((seconds, right / len(judge)))
    print(f"{len(train)} images train, {len(judge)} judge, {wanted.splits} splits")
    for way, values in results.items():
        line(way, values)


if __name__ == "__main__":
    main()
