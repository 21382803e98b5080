"""Images by index, decoded once and kept as long as memory lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.learning.data import augmentation, image_io
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.photo_cache import PhotoCache
from flowergui.learning.data.photos import Photo


@dataclass(frozen=True, slots=True)
class Transform:
    """How a decoded image is resized before an ImageDataset keeps it.

    Its shorter side becomes `side` pixels, or stays as it is if smaller. If `image_size` is not 0,
    the center crop of (image_size, image_size, 3) is kept instead of the whole image.
    """

    side: int
    image_size: int = 0

    @property
    def key(self) -> str:
        """Names the result in the photo cache. It must never change: caches of gigabytes are
        found by it."""
        return f"Preparation(side={self.side}, image_size={self.image_size})"

    def __call__(self, path: Path) -> Pixels:
        """Raises FlowerError if the image can't be read."""
        picture = image_io.read(path, at_least=self.side)
        if self.image_size:
            return augmentation.center_crop(picture, self.image_size)
        return augmentation.resize_shorter_side(picture, self.side)


class ImageDataset:
    """Images by index, decoded and resized by `transform`; up to `memory` bytes are kept.

    Images that don't fit in memory go into the `cache`, if there is one: large files at once,
    others the second time. Threads may share a dataset: at worst an image is decoded twice.
    """

    def __init__(
        self,
        folder: Path,
        photos: Sequence[Photo],
        transform: Transform,
        memory: int,
        cache: PhotoCache | None = None,
    ) -> None:
        self.photos = photos
        self._folder = folder
        self._transform = transform
        self._free_bytes = memory
        self._cache = cache
        self._kept: dict[int, Pixels] = {}
        self._read_before = bytearray(len(photos))

    def subset(self, indices: Sequence[int]) -> "ImageDataset":
        """The images of these indices, in this order, with the memory that is left."""
        photos = [self.photos[index] for index in indices]
        return ImageDataset(self._folder, photos, self._transform, self._free_bytes, self._cache)

    def pixels(self, index: int) -> Pixels:
        """The image (H, W, 3) uint8, transformed. Raises FlowerError if it can't be read."""
        if (kept := self._kept.get(index)) is not None:
            return kept
        path = self._folder / self.photos[index].path
        if self._cache is None:
            pixels = self._transform(path)
        else:
            again, self._read_before[index] = bool(self._read_before[index]), True
            pixels = self._cache.pixels(path, self._transform, again=again)
        if self._free_bytes >= pixels.nbytes:
            self._free_bytes -= pixels.nbytes
            self._kept[index] = pixels
        return pixels


def train_transform(image_size: int, kind: str) -> Transform:
    """For training: the whole image, no larger than augmentation needs."""
    return Transform(augmentation.cache_side(image_size, kind))


def eval_transform(image_size: int) -> Transform:
    """For validation and prediction: the center crop (image_size, image_size, 3)."""
    return Transform(augmentation.cache_side(image_size, "none"), image_size)
