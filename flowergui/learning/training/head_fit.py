"""Fitting the head: the first epoch of a transfer, without optimizer steps.

The head is a linear classifier on features that don't change while all before it is frozen, so its
best weights are those of a logistic regression: a convex problem, without a learning rate, epochs
or a seed. It is fitted on the images seen so far each time their number has doubled, so that the
network can predict after some seconds, and on all of them in the end, with the regularization that
cross-validation on the training images chooses. Fine-tuning may follow (Kumar et al. 2022, arXiv
2202.10054: linear probing, then fine-tuning).
"""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from flowergui.config.recipe import Recipe
from flowergui.config.time_budget import MAX_SHARE_OF_BUDGET
from flowergui.events import BatchDone, Event, HeadFitted, Preparing
from flowergui.facts import Problem
from flowergui.learning.acceleration.linear_head import LinearHead
from flowergui.learning.data import augmentation
from flowergui.learning.data.dataset import ImageDataset
from flowergui.learning.data.loader import Batch, iterate_batches, worker_count
from flowergui.learning.data.sampler import batch_indices, shuffled_indices
from flowergui.learning.device import transfers
from flowergui.learning.device.distributed import merged, world
from flowergui.learning.linear_probe import logistic_regression
from flowergui.learning.linear_probe.cross_validation import FOLDS, USUAL_C, fit_with_chosen_c
from flowergui.learning.linear_probe.linear_classifier import LinearClassifier, PrincipalAxes
from flowergui.learning.linear_probe.logistic_regression import SubsetFits
from flowergui.learning.training.failures import (
    give_up,
    report_out_of_memory,
    report_unreadable,
)
from flowergui.learning.training.live_changes import apply_requests
from flowergui.learning.training.run import Run
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.learning.training.validation_limit import limit_validation
from flowergui.requests import LiveRequests
from flowergui.text import tr

FIRST_FIT_IMAGES = 48
"""Images after which the head is fitted for the first time."""

FIRST_SAVE_IMAGES = 150
"""Images after which a fitted head is saved, so that it can predict."""

LATEST_SHARE_OF_BUDGET = 0.85
"""The share of a time budget at which a fit of many classes, whose steps take seconds, ends with
what it has reached, so that there is time left to validate."""

MAX_CROSS_VALIDATED_IMAGES = 2_000
"""Images that the cross-validation takes at most. More would hardly change the choice."""

MAX_FITTED_IMAGES = 50_000
"""Images that the head is fitted on at most: their features take 0.5 GB for 1,280 columns, and
twice as much while they are fitted. With thousands of classes it is fewer, for the memory that a
fit takes. Fine-tuning sees all images."""


@dataclass(frozen=True, slots=True)
class HeadFitBatch:
    """`features` (B, D) float32 and `labels` (B,) int64 of the images `indices`, on the CPU, of all
    processes. `failed` lists images that could not be read."""

    features: Tensor
    labels: Tensor
    indices: tuple[int, ...]
    failed: tuple[Problem, ...]


class HeadFitPipeline:
    """The training images without augmentation, as the network sees images when it predicts."""

    def __init__(self, dataset: ImageDataset, recipe: Recipe, config: RuntimeConfig) -> None:
        self.dataset, self._recipe, self._config = dataset, recipe, config

    def batches(self, indices: list[tuple[int, ...]], head: LinearHead) -> Iterator[HeadFitBatch]:
        """The batches of these indices, in order. Of several processes, each computes the features
        of its share, and gets those of the others."""
        device, ranks = self._config.device, world()
        workers = worker_count(self._recipe.workers, device)
        shares = [ranks.share(each) for each in indices]
        loaded = iterate_batches(self.dataset, shares, lambda pixels, _: pixels, workers, device)
        for batch, wanted in zip(loaded, indices, strict=True):
            features = torch.empty(0, head.linear.in_features)
            with ranks.out_of_memory_on_all_ranks():
                if batch.indices:
                    features = head.features(self._to_images(batch)).cpu()
            parts = ranks.all_gather((batch.indices, features, batch.labels, batch.failed))
            known, rows, labels, failed = zip(*parts, strict=True)
            found = merged(known)
            place = {index: number for number, index in enumerate(wanted)}
            order = sorted(range(len(found)), key=lambda row: place[found[row]])
            yield HeadFitBatch(
                torch.cat(rows)[order],
                torch.cat(labels)[order],
                tuple(found[row] for row in order),
                tuple(merged(failed)),
            )

    def _to_images(self, batch: Batch) -> Tensor:
        """The batch as normalized images (B, 3, S, S) float32, on the device."""
        pixels = transfers.send(batch.images, self._config.device)
        return augmentation.normalize(pixels, self._config.mean, self._config.std)


def fits_head(run: Run) -> bool:
    """Whether the present epoch fits the head."""
    return run.recipe.fits_head_in(run.progress.epoch)


def fit_head(
    run: Run, live: LiveRequests, pipeline: HeadFitPipeline
) -> Generator[Event, None, None]:
    """Fits the head on the features of all training images. Ends early if `live.stop` is set; a
    resumed run computes the features of the batches before again.

    The figures of a batch are those of the head before it has seen the batch; those of the epoch
    are cross-validated.
    """
    progress, head = run.progress, run.model.linear_head()
    assert head is not None
    most = fitted_images(len(run.split.classes), head.linear.in_features)
    if (yield from apply_requests(run, live)):
        return
    batches = _batches(len(pipeline.dataset.photos), run)
    features: list[Tensor] = []
    labels: list[Tensor] = []
    fitted = seen = 0
    fitting = 0.0  # seconds
    if progress.batch:  # what is computed again is not counted twice
        progress.sums.seconds = progress.sums.validation_caching = 0.0
    for number, batch in enumerate(pipeline.batches(batches, head), 1):
        yield from report_unreadable(run, live, batch.failed)
        again = number <= progress.batch
        if batch.indices:
            features.append(batch.features)
            labels.append(batch.labels)
            seen += len(batch.indices)
            if not again:
                yield from _batch_done(run, head.linear, batch, len(batches))
        if again:
            yield Preparing(
                tr("Looking at your images again (feature cache)"), number, len(batches)
            )
        elif not batch.indices:
            progress.batch += 1
        if seen >= max(FIRST_FIT_IMAGES, 2 * fitted):
            # The checkpoint has the heads of all fits but the last one, in which a stop is heard.
            if number >= progress.batch:
                run.count_seconds()
                before = progress.seconds
                with report_out_of_memory(run, smaller_batches_help=False):
                    is_done = yield from _fit_early(run, live, features, labels)
                fitting += progress.seconds - before
                if not is_done:
                    return
                if seen >= FIRST_SAVE_IMAGES > fitted and not os.path.exists(run.folder.best):
                    yield from run.save_async(best=True)
            fitted = seen
        yield from run.collect_saves()
        if (yield from apply_requests(run, live)):
            return
        reached = number >= progress.batch  # all that was fitted before a resume
        if fitted and reached and (seen >= most or _no_more_features(run)):
            break
    if not features:
        progress.batch = 0  # a resumed run tries this epoch again
        yield from give_up(run, live, tr("None of the training images can be read."))
    yield Preparing(tr("Choosing the regularization"), 0, 0)
    run.count_seconds()
    before = progress.seconds
    with report_out_of_memory(run, smaller_batches_help=False):
        early = (head.linear, fitted) if fitted else None
        fitted_head = yield from _fit_all(run, live, torch.cat(features), torch.cat(labels), early)
    if fitted_head is None:
        return
    run.fit_seconds = fitting + progress.seconds - before
    yield fitted_head
    seconds = (progress.sums.seconds - run.fit_seconds) / max(progress.sums.photos, 1)
    yield from limit_validation(run, seconds)


def fitted_images(class_count: int, columns: int) -> int:
    """The most images that the head is fitted on."""
    return min(MAX_FITTED_IMAGES, logistic_regression.max_images(class_count, columns))


def cross_validated_images(class_count: int, columns: int) -> int:
    """The most images that the regularization is chosen on."""
    most = logistic_regression.max_images(class_count, columns, FOLDS)
    return min(MAX_CROSS_VALIDATED_IMAGES, most)


def _has_used(run: Run, share: float) -> bool:
    """Whether more than this share of the time budget is used, if there is one."""
    budget = 60 * run.recipe.minutes
    return bool(budget) and run.progress.seconds > share * budget


def _no_more_features(run: Run) -> bool:
    """Whether so much of the time budget is used that no more features can be computed."""
    if not run.recipe.minutes:
        return False
    return run.world.any_rank(_has_used(run, MAX_SHARE_OF_BUDGET) and run.world.is_main)


def _batches(count: int, run: Run) -> list[tuple[int, ...]]:
    """All images in the order of the epoch, in as many batches as other epochs have."""
    indices = shuffled_indices(count, run.recipe.seed, run.progress.epoch)
    batches = batch_indices(indices, run.recipe.batch_size, run.recipe.drop_last)
    done = sum(map(len, batches))
    batches[-1] += tuple(indices[done:])
    return batches


def _batch_done(
    run: Run, linear: nn.Linear, batch: HeadFitBatch, batches: int
) -> Iterator[BatchDone]:
    """Counts a batch, and says how good the head is that has not seen it yet."""
    progress = run.progress
    with torch.no_grad():
        logits = nn.functional.linear(batch.features, linear.weight.cpu(), linear.bias.cpu())
        loss = nn.functional.cross_entropy(logits, batch.labels).item()
    correct = int((logits.argmax(1) == batch.labels).sum())
    progress.step += 1
    run.model.steps = progress.step
    progress.sums.add(loss, correct, len(batch.indices))
    done = BatchDone(
        epoch=progress.epoch,
        batch=progress.batch + 1,
        batches=batches,
        step=progress.step,
        loss=loss,
        accuracy=correct / len(batch.indices),
        learning_rate=0.0,
        photos=len(batch.indices),
    )
    run.record(done)
    progress.add_seconds(run.clock.lap())
    progress.batch += 1
    yield done


def _fit_early(
    run: Run, live: LiveRequests, features: list[Tensor], labels: list[Tensor]
) -> Generator[Event, None, bool]:
    """Fits the head on the images seen so far: a list of features (B, D) float32 and one of labels
    (B,) int64, an entry for each batch. Yields Preparing after each step of a large fit. Returns
    False if the run is stopped before it is done: a resumed run begins the fit again."""
    known, count = torch.cat(features), len(run.split.classes)
    fits = SubsetFits(PrincipalAxes.of(known), torch.cat(labels), count)
    c = USUAL_C / known.shape[1]
    for _ in fits.fit_in_steps(c, fine=True, is_late=partial(_fit_is_late, run)):
        run.count_seconds()
        yield Preparing(tr("Fitting the head"), 0, 0)
        if run.world.is_alone and (yield from apply_requests(run, live)):
            return False
    fitted = fits.classifier(0)
    # Other processes may have rounded differently, or have been late earlier.
    head = run.world.from_rank_0(lambda: (fitted.weight.float(), fitted.bias.float()))
    run.model.load_head(*head)
    run.count_seconds()
    return True


def _weights(linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """The weight (classes, D) and the bias (classes,) of the head, float64, on the CPU."""
    return linear.weight.detach().cpu().double(), linear.bias.detach().cpu().double()


def _fit_is_late(run: Run) -> bool:
    """Whether a large fit is to end with what it has reached."""
    run.count_seconds()
    return _has_used(run, LATEST_SHARE_OF_BUDGET)


def _fit_all(
    run: Run,
    live: LiveRequests,
    features: Tensor,
    labels: Tensor,
    early: tuple[nn.Linear, int] | None,
) -> Generator[Event, None, HeadFitted | None]:
    """Fits the head on features (N, D) float32 and labels (N,) int64 of all images, with the
    regularization that cross-validation chooses. A large fit goes on from the `early` head, if
    there is one, which was fitted on so many images. Returns
    None if the run is stopped before that is done: a resumed run begins the fit again. Several
    processes hear of a stop after it: they may take different numbers of steps, and can't agree
    after each."""
    progress, classes = run.progress, len(run.split.classes)
    most = cross_validated_images(classes, features.shape[1])
    start = LinearClassifier(*_weights(early[0])) if early else None
    fitting = fit_with_chosen_c(
        features,
        labels,
        classes,
        seed=run.recipe.seed,
        most=most,
        start=start,
        is_late=partial(_fit_is_late, run),
    )
    while True:
        try:
            preparing = next(fitting)
        except StopIteration as end:
            fitted, chosen = end.value
            break
        run.count_seconds()
        yield preparing
        if run.world.is_alone and (yield from apply_requests(run, live)):
            return None
    # As in `_fit_early`.
    head = run.world.from_rank_0(lambda: (fitted.weight.float(), fitted.bias.float()))
    run.model.load_head(*head)
    progress.sums.loss = chosen.loss * len(labels)
    progress.sums.right = round(chosen.accuracy * len(labels))
    progress.sums.photos = len(labels)
    # Batches that were left out, for lack of time or of use, count as steps: what is left of the
    # schedule are the epochs that train.
    run.schedule.shift = progress.epoch * run.batches - progress.step
    run.schedule.restart(progress.step)
    progress.add_seconds(run.clock.lap())
    return HeadFitted(
        epoch=progress.epoch,
        step=progress.step,
        photos=early[1] if early and fitted is start else len(labels),
        c=chosen.c,
        accuracy=chosen.accuracy,
        low=chosen.interval[0],
        high=chosen.interval[1],
    )
