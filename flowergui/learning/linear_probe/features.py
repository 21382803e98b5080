"""The features of a folder's images by a frozen network."""

import statistics
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.events import Preparing, Scanned, ScanProgress
from flowergui.facts import Problem
from flowergui.learning.acceleration.feature_cache import GROUP
from flowergui.learning.data.dataset import ImageDataset, eval_transform
from flowergui.learning.data.loader import iterate_batches, worker_count
from flowergui.learning.data.photos import Photo, Photos, sorted_by_path
from flowergui.learning.data.sampler import sequential_batches
from flowergui.learning.data.scan import scan
from flowergui.learning.linear_probe import logistic_regression
from flowergui.learning.linear_probe.backbone import Backbone, report_out_of_memory
from flowergui.learning.linear_probe.cross_validation import stratified_subset
from flowergui.text import tr

FEATURE_BYTES = 20
"""Memory for each feature of an image: in float32, and twice in float64 while the principal axes
are computed."""


@dataclass(frozen=True, slots=True)
class PhotoFeatures:
    """The `features` (N, D) float32 and `labels` (N,) int64 of `photos`, in their order.

    `problems` are images that could not be read. `seconds` is what the network takes for an image,
    without reading and decoding it.
    """

    photos: tuple[Photo, ...]
    features: Tensor
    labels: Tensor
    problems: tuple[Problem, ...]
    seconds: float


def photo_dataset(
    folder: Path, photos: Sequence[Photo], image_size: int, memory: int = 0
) -> ImageDataset:
    """The `photos` (paths relative to `folder`) as a network for images of `image_size` pixels
    takes them. Up to `memory` bytes of them are kept for the next network of this size."""
    return ImageDataset(folder, photos, eval_transform(image_size), memory)


def compute_features(
    backbone: Backbone, dataset: ImageDataset
) -> Generator[Preparing, None, PhotoFeatures]:
    """Yields Preparing, and returns the features of those images that can be read. The `dataset`
    is one for the backbone's image size. Raises FlowerError if memory is short, or if no two
    classes can be read."""
    photos = dataset.photos
    groups = sequential_batches(len(photos), GROUP)
    workers = worker_count(0, backbone.device)
    loaded = iterate_batches(dataset, groups, lambda pixels, _: pixels, workers, backbone.device)
    parts: list[Tensor] = []
    known: list[int] = []
    problems: list[Problem] = []
    spent: list[float] = []
    what = tr("Looking at your images with {model}", model=backbone.model)
    yield Preparing(what, 0, len(photos))
    with report_out_of_memory(backbone.model):
        for batch in loaded:
            problems += batch.failed
            if batch.indices:
                start = time.perf_counter()
                parts.append(backbone.features(batch.images))
                spent.append((time.perf_counter() - start) / len(batch.indices))
                known += batch.indices
            yield Preparing(what, len(known) + len(problems), len(photos))
    kept = tuple(photos[index] for index in known)
    if len({photo.label for photo in kept}) < 2:
        raise _unreadable(problems)
    features = torch.cat(parts)
    if not features.isfinite().all():
        raise FlowerError(
            tr(
                "{model} with the weights {weights} computes NaN: they are damaged.",
                model=backbone.model,
                weights=backbone.weights,
            ),
            hint=tr("Choose other weights."),
        )
    return PhotoFeatures(
        photos=kept,
        features=features,
        labels=torch.tensor([photo.label for photo in kept], dtype=torch.int64),
        problems=tuple(problems),
        seconds=statistics.median(spent[1:] or spent),  # the first call chooses kernels
    )


def scan_all(
    folder: Path,
) -> Generator[ScanProgress | Scanned, None, tuple[Photos, tuple[Photo, ...]]]:
    """The dataset in `folder`, and all of its images, whatever split they belong to. Raises
    FlowerError if there are no two classes."""
    found = yield from scan(folder, thorough=False)
    return found, sorted_by_path((*found.train, *found.validation))


def sample_photos(photos: Sequence[Photo], class_count: int, most: int) -> tuple[Photo, ...]:
    """Up to `most` of the photos, in their order: of each class the same share, but two at least.
    The same photos give the same sample."""
    if len(photos) <= most:
        return tuple(photos)
    labels = torch.tensor([photo.label for photo in photos], dtype=torch.int64)
    share = most / len(photos)
    chosen = stratified_subset(labels, class_count, share, 0, "sample", least=2)
    return tuple(photos[index] for index in chosen.nonzero().flatten().tolist())


def cross_validated_photos(
    photos: Sequence[Photo], class_count: int, columns: int, folds: int
) -> int:
    """How many of the photos a cross-validation of so many columns has memory for, at most. Raises
    FlowerError if it has none for two of each class."""
    fits = min(folds, max(Counter(photo.label for photo in photos).values()))
    most = min(
        logistic_regression.max_images(class_count, columns, fits),
        logistic_regression.MAX_BYTES // (FEATURE_BYTES * columns),
    )
    if most < min(2 * class_count, len(photos)):
        raise FlowerError(
            tr(
                "{count} classes are too many for a cross-validation: it would take too much "
                "memory.",
                count=f"{class_count:,}",
            ),
            hint=tr("Choose a folder with fewer classes."),
        )
    return most


def _unreadable(problems: Sequence[Problem]) -> FlowerError:
    if not problems:
        return FlowerError(tr("All images are of one class; at least two are needed."))
    return FlowerError(
        tr(
            "Images of fewer than two classes can be read ({path}: {reason}).",
            path=problems[0].path,
            reason=problems[0].reason.rstrip("."),
        )
    )
