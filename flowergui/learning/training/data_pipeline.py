"""The two sides of a split, on their way to the half of the network that trains."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from flowergui.config.recipe import Recipe
from flowergui.events import Event, FeatureCacheStatus, Preparing
from flowergui.learning.acceleration.feature_cache import GROUP, FeatureCache, TooLargeError
from flowergui.learning.acceleration.frozen_split import Features, FrozenSplit
from flowergui.learning.data import augmentation
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.dataset import ImageDataset
from flowergui.learning.data.loader import Batch, iterate_batches, worker_count
from flowergui.learning.device import transfers
from flowergui.learning.training.train_state import TrainState
from flowergui.requests import LiveRequests
from flowergui.store import paths

Heed = Callable[[], Iterator[Event]]
"""Takes up what the face wishes, and tells it."""

Lost = Callable[[Batch], Iterator[Event]]
"""Tells of the photos in a batch that could not be read."""


class DataPipeline(ABC):
    """Photos in batches; where the first half of the network is frozen and would see the same
    twice, what it gives for them, computed once. `showing` numbers what differs from one epoch
    to another: photos are alike wherever it is the same."""

    part: ClassVar[str]
    """Its name in split.csv."""

    def __init__(self, training: TrainState, album: ImageDataset, memory: int) -> None:
        """`memory` is how many bytes of values may be kept there."""
        self.dataset = album
        self._training = training
        self._memory = memory
        self._kept: dict[int, FeatureCache] = {}
        self._of: FrozenSplit | None = None
        self._refused = ""
        self._labels = torch.tensor([photo.label for photo in album.photos], dtype=torch.int64)

    @property
    @abstractmethod
    def split(self) -> FrozenSplit:
        """Of the network that these photos are shown to."""

    def is_current(self, halves: FrozenSplit) -> bool:
        """Whether these are the halves still: they change with what is frozen."""
        return self.split is halves

    @abstractmethod
    def augmentation_epoch(self, epoch: int) -> int:
        """The number of the showing in `epoch` (from 1)."""

    @abstractmethod
    def crop(self, epoch: int) -> Callable[[Pixels, int], Pixels]:
        """Pixels (H, W, 3) of a photo, and its index -> (S, S, 3) of bytes, as batches have it."""

    @abstractmethod
    def to_images(self, batch: Batch, epoch: int) -> Tensor:
        """The batch's views as normalised images (B, 3, S, S) float32, on the device."""

    def why_not_cacheable(self) -> str:
        """Why photos are never alike twice, in a sentence; "" where they are."""
        return ""

    @property
    def views(self) -> int:
        """How many different showings of a photo there are, where they are alike at times."""
        return 1

    def prepare(
        self, epoch: int, live: LiveRequests, heed: Heed, lost: Lost
    ) -> Generator[Event, None, None]:
        """Computes what can be kept of `epoch`'s photos, unless it is known. Ends before its time
        where `live.stop` is set, and where something else is frozen now. Raises FlowerError where
        too many photos are lost."""
        training = self._training
        if self._of is not self.split:
            self.clear()
            self._of, self._refused = self.split, ""
            if self._of.is_split and (why := self._why_not()):
                yield self._told("", 0, why)
        of, showing = self.split, self.augmentation_epoch(epoch)
        if not of.is_split or self._why_not() or showing in self._kept or not len(self._labels):
            return
        count, folder = len(self._labels), paths.cache_folder()
        taken = sum(kept.size for kept in self._kept.values() if kept.where == "memory")
        room = self._memory - taken
        features = FeatureCache(count, room // max(self.views - len(self._kept), 1), folder)
        groups = [
            tuple(range(start, min(start + GROUP, count))) for start in range(0, count, GROUP)
        ]
        what = "Computing features"
        if self.views > 1:
            what += f", view {len(self._kept) + 1} of {self.views}"
        done, began = 0, time.monotonic()
        try:
            for batch in self._loaded(groups, epoch):
                training.progress.seconds += time.monotonic() - began  # without pauses
                yield from heed()
                if live.stop or not self.is_current(of):
                    features.close()
                    return
                yield from lost(batch)
                began = time.monotonic()
                if batch.indices:
                    features.put(batch.indices, of.backbone(self.to_images(batch, epoch)))
                done += len(batch.indices) + len(batch.failed)
                training.progress.seconds += time.monotonic() - began
                yield Preparing(what, done, count)
                began = time.monotonic()
        except TooLargeError as error:
            features.close()
            self._refused = error.message
            yield self._told("", 0, error.message)
            return
        self._kept[showing] = features
        if len(self._kept) == 1:
            yield self._told(features.where, features.size * self.views, "")

    def batches(self, waiting: Sequence[tuple[int, ...]], epoch: int) -> Iterator[Batch]:
        """The batches of these indices, in their order, with values where they are kept."""
        kept = self._kept.get(self.augmentation_epoch(epoch)) if self._of is self.split else None
        if kept is None:
            yield from self._loaded(waiting, epoch)
            return
        for indices in waiting:
            values, known = kept.get(indices)
            yield Batch(torch.empty(0), self._labels[list(known)], known, (), values)

    def features(self, batch: Batch, epoch: int) -> Features:
        """What the second half takes, each (B, ...), on the device."""
        if batch.features:
            return tuple(transfers.send(v, self._training.plan.device) for v in batch.features)
        return self.split.backbone(self.to_images(batch, epoch))

    def clear(self) -> None:
        """Lets go of all that is kept."""
        for features in self._kept.values():
            features.close()
        self._kept = {}

    def _loaded(self, waiting: Sequence[tuple[int, ...]], epoch: int) -> Iterator[Batch]:
        device = self._training.plan.device
        workers = worker_count(self._training.recipe.workers, device)
        return iterate_batches(self.dataset, waiting, self.crop(epoch), workers, device)

    def _told(self, where: str, size: int, why_not: str) -> FeatureCacheStatus:
        step = self._training.progress.step
        return FeatureCacheStatus(step, self.part, where, self.views, size, why_not)

    def _why_not(self) -> str:
        if not self._training.recipe.feature_cache:
            return "The feature cache is switched off."
        return self.why_not_cacheable() or self._refused


def views_of(recipe: Recipe) -> int:
    """How many showings of a training photo differ, where they are alike at times; else 0."""
    return 1 if recipe.augmentation == "none" else min(recipe.cached_views, recipe.epochs)


def why_not_cacheable(recipe: Recipe, side: int) -> str:
    """Why training photos are never alike twice, in a sentence; "" where they are. The largest
    squares have `side` pixels."""
    if recipe.mixup or recipe.cutmix:
        return "Photos are mixed anew in every batch."
    if 0 < recipe.first_training_size < side:
        return "The squares grow from epoch to epoch."
    if not views_of(recipe):
        return (
            "Augmentation changes the photos each time; with cached views, later epochs would "
            "take a moment."
        )
    return ""


class TrainPipeline(DataPipeline):
    """The photos that train."""

    part = "train"

    @property
    def split(self) -> FrozenSplit:
        return self._training.frozen_split

    def augmentation_epoch(self, epoch: int) -> int:
        """Augmentation's draws are those of this epoch."""
        recipe = self._training.recipe
        repeats = 1 if recipe.augmentation == "none" else recipe.cached_views
        return 1 + (epoch - 1) % repeats if repeats else epoch

    @property
    def views(self) -> int:
        return views_of(self._training.recipe)

    def crop(self, epoch: int) -> Callable[[Pixels, int], Pixels]:
        recipe, size = self._training.recipe, self._training.training_size(epoch)
        draws = self.augmentation_epoch(epoch)

        def look(pixels: Pixels, index: int) -> Pixels:
            return augmentation.random_resized_crop(
                pixels, recipe.augmentation, size, recipe.seed, draws, index
            )

        return look

    def to_images(self, batch: Batch, epoch: int) -> Tensor:
        recipe, plan = self._training.recipe, self._training.plan
        return augmentation.normalize_and_jitter(
            transfers.send(batch.images, plan.device),
            recipe.augmentation,
            plan.mean,
            plan.std,
            recipe.seed,
            self.augmentation_epoch(epoch),
            batch.indices,
        )

    def why_not_cacheable(self) -> str:
        return why_not_cacheable(self._training.recipe, self._training.largest_training_size)


class ValidationPipeline(DataPipeline):
    """The photos that validate: the same in every epoch."""

    part = "validation"

    @property
    def split(self) -> FrozenSplit:
        return self._training.eval_split

    def augmentation_epoch(self, epoch: int) -> int:
        return 0

    def crop(self, epoch: int) -> Callable[[Pixels, int], Pixels]:
        return lambda pixels, index: pixels

    def to_images(self, batch: Batch, epoch: int) -> Tensor:
        plan = self._training.plan
        views = transfers.send(batch.images, plan.device)
        return augmentation.normalize(views, plan.mean, plan.std)
