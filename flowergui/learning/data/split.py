"""Which images train and which validate: the split, its hash, and the stratified random split."""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.config.validation_split import validation_count
from flowergui.learning.data.photos import Photo, Photos, sorted_by_path


@dataclass(frozen=True, slots=True)
class Split:
    """The images of a folder that train and those that validate."""

    folder: Path
    classes: tuple[str, ...]
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Path, class name, and "train" or "validation" of every image, as in split.csv."""
        for name, photos in (("train", self.train), ("validation", self.validation)):
            for photo in photos:
                yield photo.path, self.classes[photo.label], name

    def fingerprint(self) -> str:
        """A SHA-256 (hex) of the classes and of every image's path, class index and part.

        Checkpoints hold it, so its input is a format that must never change: Python's repr of the
        tuple of class names, of the tuple of training images and of the tuple of validation
        images, one after the other. An image is written `Photo(path='a/1.jpg', label=0)`, a tuple
        of one image ends with a comma, and strings are quoted as by Python's repr.
        """
        digest = hashlib.sha256(repr(self.classes).encode())
        for part in (self.train, self.validation):  # in pieces: there may be a million images
            separator = "("
            for photo in part:
                digest.update(
                    f"{separator}Photo(path={photo.path!r}, label={photo.label})".encode()
                )
                separator = ", "
            digest.update({0: b"()", 1: b",)"}.get(len(part), b")"))
        return digest.hexdigest()


def split_photos(
    photos: Photos, fraction: float, seed: int, kept: Mapping[str, str] | None = None
) -> Split:
    """The folder's own split if it has one, else a stratified random one.

    Of every class with at least two images, `fraction` validates: at least one image, never all.
    Images in `kept` (path -> "train" or "validation") keep their part; only others are split.
    """
    if photos.validation:
        return Split(photos.folder, photos.classes, photos.train, photos.validation)
    kept = kept or {}
    by_class: dict[int, list[Photo]] = {}
    for photo in photos.train:
        by_class.setdefault(photo.label, []).append(photo)
    train: list[Photo] = []
    validation: list[Photo] = []
    for label, members in by_class.items():
        train += (photo for photo in members if kept.get(photo.path) == "train")
        validation += (photo for photo in members if kept.get(photo.path) == "validation")
        new = [photo for photo in members if photo.path not in kept]
        whole_class = len(new) == len(members)
        parts = split_class(
            new, f"{seed} {photos.classes[label]}", fraction, whole_class=whole_class
        )
        train += sorted_by_path(parts[0])  # the sort of all images is faster on sorted parts
        validation += sorted_by_path(parts[1])
    return Split(photos.folder, photos.classes, sorted_by_path(train), sorted_by_path(validation))


def split_class(
    members: Sequence[Photo], seed: str, fraction: float, *, whole_class: bool
) -> tuple[list[Photo], list[Photo]]:
    """Images of one class -> those that train, and the `fraction` that validates.

    If `members` are the `whole_class`, both parts get at least one of two or more images.
    """
    # Bytes seed Random as their string does, but names of folders need not be valid UTF-8.
    seed_bytes = seed.encode("utf-8", "surrogateescape")
    shuffled = random.Random(seed_bytes).sample(members, len(members))
    rounded = round(len(members) * fraction)
    count = validation_count(len(members), fraction) if whole_class else rounded
    return shuffled[count:], shuffled[:count]
