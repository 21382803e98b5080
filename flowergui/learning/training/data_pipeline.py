"""Train and validation pipelines: batches of images, or of cached features of frozen layers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size, training_size
from flowergui.events import FeatureCacheStatus, Preparing
from flowergui.facts import Problem, WhyNotCached
from flowergui.learning.acceleration.feature_cache import GROUP, FeatureCache, TooLargeError
from flowergui.learning.acceleration.frozen_split import Features, FrozenSplit
from flowergui.learning.data import augmentation
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.dataset import ImageDataset
from flowergui.learning.data.loader import Batch, iterate_batches, worker_count
from flowergui.learning.data.sampler import sequential_batches, shuffled_indices
from flowergui.learning.device import transfers
from flowergui.learning.device.distributed import Share, merged, world
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.store import paths
from flowergui.text import tr


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Cached features of the images `indices`, each (B, ...), and their labels (B,) int64. `share`
    and `count` are as those of a Batch."""

    features: Features
    labels: Tensor
    indices: tuple[int, ...]
    failed: tuple[Problem, ...] = ()
    share: Share | None = None

    @property
    def count(self) -> int:
        """The number of its images, in all processes."""
        return len(self.indices) if self.share is None else self.share.readable


LoadedBatch = TypeVar("LoadedBatch", Batch, FeatureBatch)


@dataclass(frozen=True, slots=True)
class CacheProgress:
    """Something happened to the feature cache. `failed` images could not be read for it."""

    event: Preparing | FeatureCacheStatus
    failed: tuple[Problem, ...] = ()


class DataPipeline(ABC):
    """Batches of a dataset, for the part of a network that is not frozen.

    If the first layers are frozen and an epoch shows an image as an earlier one did, the features
    that these layers give are computed once and cached.
    """

    part: ClassVar[str]
    """Its name in split.csv."""

    def __init__(
        self,
        dataset: ImageDataset,
        recipe: Recipe,
        config: RuntimeConfig,
        model: ModelState,
        cache_bytes: int,
        present_size: Callable[[], int] | None = None,
    ) -> None:
        """`cache_bytes` of features may be kept in the memory of the device. `present_size` gives
        the side in pixels of the images that are trained on now, which a time budget may change;
        without it, the recipe says what an epoch trains on."""
        self.dataset = dataset
        self._world = world()
        self._recipe, self._config, self._model = recipe, config, model
        self._cache_bytes, self._present_size = cache_bytes, present_size
        self._caches: dict[int, FeatureCache] = {}
        self._cached_split: FrozenSplit | None = None
        self._refused: WhyNotCached | None = None
        self._labels = torch.tensor([photo.label for photo in dataset.photos], dtype=torch.int64)

    @property
    @abstractmethod
    def split(self) -> FrozenSplit:
        """That of the network which sees these images. It is another one after each freeze."""

    @abstractmethod
    def augmentation_epoch(self, epoch: int) -> int:
        """The number that `epoch`'s augmentation is drawn from: epochs with the same number show
        the same pixels."""

    @abstractmethod
    def crop(self, epoch: int) -> Callable[[Pixels, int], Pixels]:
        """Pixels (H, W, 3) of an image, and its index -> the pixels (S, S, 3) that batches have."""

    @abstractmethod
    def to_images(self, batch: Batch, epoch: int) -> Tensor:
        """The batch as augmented, normalized images (B, 3, S, S) float32, on the device."""

    @property
    def is_mixed(self) -> bool:
        """Whether images are mixed with others of their batch, so that every process needs it
        whole."""
        return False

    def why_not_cacheable(self) -> WhyNotCached | None:
        """Why no epoch repeats the images of another; None if some do."""
        return None

    @property
    def versions(self) -> int:
        """How many different versions of each image there are, if epochs repeat them."""
        return 1

    @property
    def views(self) -> int:
        """How many of them the epochs see that are planned."""
        return 1

    def batches(
        self, indices: Sequence[tuple[int, ...]], epoch: int
    ) -> Iterator[Batch | FeatureBatch | CacheProgress]:
        """The batches of these indices, in order; before them, and whenever other layers are
        frozen than before, the progress of caching features.

        Of several processes, each gets its share of each batch, and what failed in all of them.
        """
        done = 0
        while done < len(indices):
            split = self.split
            yield from self._fill_cache(split, epoch)
            if self.split is not split:
                continue
            for batch in self._read(indices[done:], epoch):
                yield batch
                done += 1
                if self.split is not split:
                    break

    def features(self, batch: Batch | FeatureBatch, epoch: int) -> Features | None:
        """What the head of `split` takes, each (B, ...), on the device; None without any image."""
        if not batch.indices:
            return None
        if isinstance(batch, FeatureBatch):
            return tuple(transfers.send(each, self._config.device) for each in batch.features)
        return self.split.backbone(self.to_images(batch, epoch))

    @property
    def versions_left(self) -> int:
        """How many versions of the images will still be cached, if the same layers stay frozen."""
        if not self._caches or self._refused:
            return 0
        return max(self.versions - len(self._caches), 0)

    @property
    def is_cached(self) -> bool:
        """Whether features of some version of the images are cached."""
        return bool(self._caches)

    def refuse_caching(self, why: WhyNotCached) -> None:
        """Gives up caching features, until other layers are frozen."""
        self._refused = why

    def clear(self) -> None:
        """Frees all that is cached."""
        for cache in self._caches.values():
            cache.close()
        self._caches = {}

    def _fill_cache(self, split: FrozenSplit, epoch: int) -> Iterator[CacheProgress]:
        """Caches the features of `epoch`'s images, if that is possible and not done yet. Ends early
        if other layers are frozen meanwhile."""
        if self._cached_split is not split:
            self.clear()
            self._cached_split, self._refused = split, None
            if split.is_split and (why := self._why_not()):
                yield self._status(why_not=why)
        number, count = self.augmentation_epoch(epoch), len(self._labels)
        if not split.is_split or self._why_not() or number in self._caches or not count:
            return
        groups = self._world.own_groups(sequential_batches(count, GROUP))
        own = sum(map(len, groups))
        cache = FeatureCache(own, self._memory_for_one(), paths.cache_folder())
        what = (
            tr(
                "Looking at your images once, version {number} of {count} (feature cache)",
                number=len(self._caches) + 1,
                count=self.views,
            )
            if self.views > 1
            else tr("Looking at your images once (feature cache)")
        )
        done = too_large = 0
        try:
            for batch in self._load(groups, epoch):
                with self._world.out_of_memory_on_all_ranks():
                    if batch.indices:
                        features = split.backbone(self.to_images(batch, epoch))
                        try:
                            cache.put([*self._rows(batch.indices)], features)
                        except TooLargeError as error:
                            too_large = error.size
                done += len(batch.indices) + len(batch.failed)
                if self._world.any_rank(bool(too_large)):
                    self._refused = WhyNotCached.NO_SPACE
                    size = max(self._world.all_gather(too_large))
                    yield self._status(size=size, why_not=self._refused)
                    return
                failed = tuple(merged(self._world.all_gather(batch.failed)))
                yield CacheProgress(Preparing(what, done, own), failed)
                if self.split is not split:
                    return
                if self._refused:
                    yield self._status(why_not=self._refused)
                    return
            self._caches[number] = cache
        finally:
            if self._caches.get(number) is not cache:
                cache.close()
        if len(self._caches) == 1:
            yield self._status(cache.where, cache.size * self.views)

    def _memory_for_one(self) -> int:
        """Bytes that the next cache may take in memory."""
        taken = sum(cache.size for cache in self._caches.values() if cache.where == "memory")
        return (self._cache_bytes - taken) // max(self.views - len(self._caches), 1)

    def _read(
        self, indices: Sequence[tuple[int, ...]], epoch: int
    ) -> Iterator[Batch | FeatureBatch]:
        cache = self._caches.get(self.augmentation_epoch(epoch))
        if cache is None:
            shares = [wanted if self.is_mixed else self._world.share(wanted) for wanted in indices]
            for batch, wanted in zip(self._load(shares, epoch), indices, strict=True):
                yield self._agreed(batch, wanted)
            return
        for wanted in indices:
            rows = self._rows(wanted)
            features, found = cache.get([*rows])
            known = tuple(rows[row] for row in found)
            cached = FeatureBatch(features, self._labels[list(known)], known)
            yield self._agreed(cached, wanted)

    def _rows(self, indices: Sequence[int]) -> dict[int, int]:
        """Where in its caches this process has the features of these images -> their indices. It
        has every `size`-th group of GROUP images."""
        size = self._world.size
        if size == 1:
            return dict(zip(indices, indices, strict=True))
        return {
            index // GROUP // size * GROUP + index % GROUP: index
            for index in indices
            if self._world.owns_group(index // GROUP)
        }

    def _agreed(self, batch: LoadedBatch, wanted: tuple[int, ...]) -> LoadedBatch:
        """This process's share of the batch `wanted`, with what all processes know of it."""
        if self._world.is_alone:
            return batch
        readable, failures = self._world.all_reduce_sum(len(batch.indices), len(batch.failed))
        if failures:
            problems = merged(self._world.all_gather(batch.failed))
            batch = replace(batch, failed=tuple({each.path: each for each in problems}.values()))
        if self.is_mixed:
            return self._read_by_all(batch)
        place = {index: number for number, index in enumerate(wanted)}
        places = tuple(place[index] for index in batch.indices)
        return replace(batch, share=Share(len(wanted), int(readable), places))

    def _read_by_all(self, batch: LoadedBatch) -> LoadedBatch:
        """A whole batch without the images that some process could not read."""
        failed = {each.path for each in batch.failed}
        kept = [
            row
            for row, index in enumerate(batch.indices)
            if self.dataset.photos[index].path not in failed
        ]
        if isinstance(batch, Batch) and len(kept) < len(batch.indices):
            indices = tuple(batch.indices[row] for row in kept)
            batch = replace(
                batch, images=batch.images[kept], labels=batch.labels[kept], indices=indices
            )
        places = tuple(range(len(kept)))[self._world.rank :: self._world.size]
        return replace(batch, share=Share(len(kept), len(kept), places))

    def _load(self, indices: Sequence[tuple[int, ...]], epoch: int) -> Iterator[Batch]:
        device = self._config.device
        workers = worker_count(self._recipe.workers, device)
        return iterate_batches(self.dataset, indices, self.crop(epoch), workers, device)

    def _status(
        self, where: str = "", size: int = 0, why_not: WhyNotCached | None = None
    ) -> CacheProgress:
        return CacheProgress(
            FeatureCacheStatus(self._model.steps, self.part, where, self.views, size, why_not)
        )

    def _why_not(self) -> WhyNotCached | None:
        if not self._recipe.feature_cache:
            return WhyNotCached.SWITCHED_OFF
        return self.why_not_cacheable() or self._refused


def views_of(recipe: Recipe) -> int:
    """How many versions of a training image differ, if epochs repeat them; else 0."""
    return 1 if recipe.augmentation == "none" else min(recipe.cached_views, recipe.epochs)


def why_not_cacheable(recipe: Recipe, largest_size: int) -> WhyNotCached | None:
    """Why no epoch repeats the training images of another; None if some do.
    `largest_size` is the largest training size in pixels."""
    if recipe.mixup or recipe.cutmix:
        return WhyNotCached.MIXED_IMAGES
    if 0 < recipe.first_training_size < largest_size:
        return WhyNotCached.PROGRESSIVE_RESIZING
    if not views_of(recipe):
        return WhyNotCached.RANDOM_AUGMENTATION
    return None


def training_size_of(recipe: Recipe, image_size: int, epoch: int) -> int:
    """The side in pixels of the images that `epoch` (from 1) trains on."""
    last = largest_training_size(recipe.training_size, image_size)
    return training_size(recipe.first_training_size, last, epoch, recipe.epochs)


class TrainPipeline(DataPipeline):
    """The training set, augmented."""

    part = "train"

    @property
    def split(self) -> FrozenSplit:
        return self._model.frozen_split

    def augmentation_epoch(self, epoch: int) -> int:
        return 1 + (epoch - 1) % self.versions if self.versions else epoch

    @property
    def versions(self) -> int:
        return 1 if self._recipe.augmentation == "none" else self._recipe.cached_views

    @property
    def views(self) -> int:
        return views_of(self._recipe)

    @property
    def is_mixed(self) -> bool:
        return bool(self._recipe.mixup or self._recipe.cutmix)

    def crop(self, epoch: int) -> Callable[[Pixels, int], Pixels]:
        recipe = self._recipe
        if self._present_size is not None:
            size = self._present_size()
        else:
            size = training_size_of(recipe, self._config.image_size, epoch)
        drawn_from = self.augmentation_epoch(epoch)

        def crop(pixels: Pixels, index: int) -> Pixels:
            return augmentation.random_resized_crop(
                pixels, recipe.augmentation, size, recipe.seed, drawn_from, index
            )

        return crop

    def to_images(self, batch: Batch, epoch: int) -> Tensor:
        return augmentation.normalize_and_jitter(
            transfers.send(batch.images, self._config.device),
            self._recipe.augmentation,
            self._config.mean,
            self._config.std,
            self._recipe.seed,
            self.augmentation_epoch(epoch),
            batch.indices,
        )

    def why_not_cacheable(self) -> WhyNotCached | None:
        largest = largest_training_size(self._recipe.training_size, self._config.image_size)
        return why_not_cacheable(self._recipe, largest)


class ValidationPipeline(DataPipeline):
    """The validation set: the same images in every epoch."""

    part = "validation"

    def limit(self, count: int) -> None:
        """Leaves `count` of the images, the same ones for the same seed; 0 leaves all. Call it
        before the first batch."""
        photos = self.dataset.photos
        if not 0 < count < len(photos):
            return
        chosen = sorted(shuffled_indices(len(photos), self._recipe.seed, 0)[:count])
        self.dataset = self.dataset.subset(chosen)
        self._labels = self._labels[chosen]

    @property
    def split(self) -> FrozenSplit:
        return self._model.eval_split

    def augmentation_epoch(self, epoch: int) -> int:
        return 0

    def crop(self, epoch: int) -> Callable[[Pixels, int], Pixels]:
        return lambda pixels, index: pixels

    def to_images(self, batch: Batch, epoch: int) -> Tensor:
        pixels = transfers.send(batch.images, self._config.device)
        return augmentation.normalize(pixels, self._config.mean, self._config.std)
