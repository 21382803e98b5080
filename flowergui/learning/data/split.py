"""Which images train and which validate: the split, its hash, and how it is made: stratified and at
random, as it is given, or as the run had it that the weights come from."""

import hashlib
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flowergui.config.recipe import Recipe
from flowergui.config.validation_split import validation_count
from flowergui.errors import FlowerError
from flowergui.events import Warned
from flowergui.learning.data.photos import Photo, Photos, sorted_by_path
from flowergui.learning.models.pretrained import Pretrained
from flowergui.store.run_folder import RunFolder
from flowergui.system.tuning import gc_paused
from flowergui.text import tr, trn


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
    Copies of an image have its part: else it would validate what it has trained.
    """
    if photos.validation:
        return Split(photos.folder, photos.classes, photos.train, photos.validation)
    copies = photos.copies
    kept = _kept_with_copies(kept or {}, copies)
    by_class: dict[int, list[Photo]] = {}
    for photo in photos.train:
        by_class.setdefault(photo.label, []).append(photo)
    train: list[Photo] = []
    validation: list[Photo] = []
    for label, members in by_class.items():
        train += (photo for photo in members if kept.get(photo.path) == "train")
        validation += (photo for photo in members if kept.get(photo.path) == "validation")
        whole_class = not any(photo.path in kept for photo in members)
        new = [p for p in members if p.path not in kept and p.path not in copies]
        parts = split_class(
            new, f"{seed} {photos.classes[label]}", fraction, whole_class=whole_class
        )
        train += sorted_by_path(parts[0])  # the sort of all images is faster on sorted parts
        validation += sorted_by_path(parts[1])
    if copies:
        validating = {photo.path for photo in validation}
        for photo in photos.train:
            if photo.path in copies and photo.path not in kept:
                (validation if copies[photo.path] in validating else train).append(photo)
    return Split(photos.folder, photos.classes, sorted_by_path(train), sorted_by_path(validation))


def _kept_with_copies(kept: Mapping[str, str], copies: Mapping[str, str]) -> Mapping[str, str]:
    """The same, and the parts of images whose copies are in it."""
    if not kept or not copies:
        return kept
    part_of_first: dict[str, str] = {}
    for path, part in kept.items():
        part_of_first.setdefault(copies.get(path, path), part)
    known = {
        path: part_of_first[first]
        for copy, first in copies.items()
        if first in part_of_first
        for path in (first, copy)
    }
    return {**known, **kept}


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


# --- a given split, and that of the weights ----------------------------------------------------


def check_given(given: Mapping[str, str], found: Photos) -> Iterator[Warned]:
    """Warns of images that a given split (path -> "train" or "validation") has, and the dataset
    hasn't. Raises FlowerError if it is that of other images, or contradicts the dataset's own."""
    if not given:
        return
    own = {photo.path: "train" for photo in found.train}
    own |= {photo.path: "validation" for photo in found.validation}
    missing = sum(path not in own for path in given)
    if missing == len(given):
        raise FlowerError(
            tr("None of the images of the given split is in {folder}.", folder=found.folder),
            hint=tr("Choose the split.csv of a run on these images."),
        )
    if found.validation and any(own.get(path, part) != part for path, part in given.items()):
        raise FlowerError(
            tr(
                "The given split contradicts the train and validation folders in {folder}.",
                folder=found.folder,
            ),
            hint=tr("Leave --split out: these folders are the split."),
        )
    if missing:
        yield Warned(
            trn(
                "{count} image of the given split is not in {folder}.",
                "{count} images of the given split are not in {folder}.",
                missing,
                folder=found.folder,
            )
        )


def split_after(
    found: Photos,
    pretrained: Pretrained,
    recipe: Recipe,
    path: Path,
    given: Mapping[str, str] | None = None,
) -> Split:
    """The split of a dataset for a run that starts from weights in the file `path`; images in
    `given` (path -> "train" or "validation") have their part from there.

    If the weights were trained on the same images, the split stays the same: images that trained
    them must not validate them (data leakage). Raises FlowerError if it can't be kept.
    """
    alone = not found.validation  # else the dataset has a validation set of its own
    kept = _split_of(pretrained, recipe, path) if alone else {}
    if any(kept.get(image, part) != part for image, part in (given or {}).items()):
        raise FlowerError(
            tr(
                "{file} was trained on these images, with another split than the given one: some "
                "of its training images would be validation images (data leakage).",
                file=pretrained.name,
            ),
            hint=tr("Leave --split out, or choose other weights."),
        )
    kept = {**(given or {}), **kept}
    with gc_paused(lambda: len(found.train)):
        split = split_photos(found, recipe.validation_fraction, recipe.seed, kept)
        if alone and not kept and _contradicts(split, pretrained, recipe):
            # Older versions drew copies like other images.
            apart = replace(found, copies={})
            split = split_photos(apart, recipe.validation_fraction, recipe.seed)
            if _contradicts(split, pretrained, recipe):
                raise _another_split(pretrained)
    return split


def _split_of(pretrained: Pretrained, recipe: Recipe, path: Path) -> dict[str, str]:
    """The split (path -> train or validation) of the run that the weights come from; empty if it
    was trained on other images or is unknown. Raises FlowerError if the recipe asks for another
    split of these images."""
    theirs = pretrained.recipe
    if not theirs or not _same_folder(str(theirs.get("photos", "")), recipe.photos):
        return {}
    before = theirs.get("seed"), theirs.get("validation_fraction")
    if before != (recipe.seed, recipe.validation_fraction):
        raise FlowerError(
            tr(
                "{file} was trained on these images. Some of its training images would now be "
                "validation images (data leakage).",
                file=pretrained.name,
            ),
            hint=tr(
                "Use the seed ({seed}) and the validation fraction ({fraction}) of that run, or "
                "choose other images or weights.",
                seed=before[0],
                fraction=f"{before[1]:g}",
            ),
        )
    run = RunFolder(path.parent)
    return {path: part for path, _, part in run.split()} if run.exists() else {}


def _contradicts(split: Split, pretrained: Pretrained, recipe: Recipe) -> bool:
    """Whether the weights were trained on these images, but not on those that train here."""
    return (
        _same_folder(str(pretrained.recipe.get("photos", "")), recipe.photos)
        and bool(pretrained.fingerprint)
        and pretrained.fingerprint != split.fingerprint()
    )


def _another_split(pretrained: Pretrained) -> FlowerError:
    """Only the run folder of the weights, which is not beside them, says what trained them."""
    return FlowerError(
        tr(
            "{file} was trained on these images, which have changed since. Only its run folder "
            "says which of them are validation images.",
            file=pretrained.name,
        ),
        hint=tr("Choose best.pth in that folder, or other images."),
    )


def _same_folder(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
