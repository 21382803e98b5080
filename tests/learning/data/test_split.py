"""The split: stratified, seeded, with a fingerprint."""

import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from scanning import ready_split, scanned

from flowergui.learning.data.photos import Photo
from flowergui.learning.data.split import Split, split_photos


def test_the_fingerprint_is_that_of_the_whole_list(flat: Path) -> None:
    found, _ = scanned(flat)
    for held_back in ((), found.train[:1], found.train[:4]):
        split = Split(flat, found.classes, found.train, held_back)
        whole = "".join(map(repr, (found.classes, found.train, held_back)))
        assert split.fingerprint() == hashlib.sha256(whole.encode()).hexdigest()


def test_the_fingerprint_never_changes() -> None:
    """Checkpoints of every version hold it."""
    photos = (Photo("rose/ä'1.jpg", 1), Photo("iris/2.jpg", 0), Photo("iris/3.jpg", 0))
    split = Split(Path(), ("iris", "rose"), photos[:2], photos[2:])
    assert split.fingerprint() == (
        "0b771a2a7268177e217158c1707df0ac925f345778252c8ac03db62e929c4ed4"
    )


@pytest.mark.parametrize("train", ["train", "TRAIN", "Training"])
@pytest.mark.parametrize("name", ["val", "Valid", "VALIDATION", "test", "Testing"])
def test_ready_split(flat: Path, name: str, train: str) -> None:
    found, _ = scanned(ready_split(flat, name, train))
    assert found.layout == "split"
    assert (len(found.train), len(found.validation)) == (9, 6)
    assert {photo.path.split("/")[0] for photo in found.validation} == {name}
    split = split_photos(found, 0.5, seed=1)
    assert (split.train, split.validation) == (found.train, found.validation)


def test_a_split_without_validation_photos_holds_some_of_train_back(flat: Path) -> None:
    ready_split(flat, "val")
    for photo in (flat / "val").rglob("*.jpg"):
        photo.unlink()
    found, _ = scanned(flat)
    assert (found.layout, found.validation) == ("split", ())
    assert len(split_photos(found, 0.34, 0).validation) == 3


def test_the_split_is_stratified_and_seeded(flat: Path) -> None:
    found, _ = scanned(flat)
    split = split_photos(found, 0.4, seed=3)
    assert Counter(photo.label for photo in split.validation) == {0: 2, 1: 2, 2: 2}
    assert {*split.train, *split.validation} == {*found.train}
    assert not {*split.train} & {*split.validation}
    assert split_photos(found, 0.4, seed=3) == split
    other = split_photos(found, 0.4, seed=4)
    assert other != split
    assert (split.fingerprint() == other.fingerprint()) is False


def test_a_class_keeps_a_photo_on_both_sides(flat: Path) -> None:
    found, _ = scanned(flat)
    assert Counter(p.label for p in split_photos(found, 0.01, 0).validation) == {0: 1, 1: 1, 2: 1}
    assert Counter(p.label for p in split_photos(found, 0.9, 0).train) == {0: 1, 1: 1, 2: 1}


def test_a_class_that_validation_lacks_shifts_no_label(flat: Path) -> None:
    shutil.rmtree(ready_split(flat, "val") / "val" / "daisy")
    found, _ = scanned(flat)
    assert found.classes == ("daisy", "iris", "lily")
    assert Counter(found.classes[photo.label] for photo in found.validation) == {
        "iris": 2,
        "lily": 2,
    }
    assert all(p.path.split("/")[1] == found.classes[p.label] for p in found.validation)


def test_a_class_whose_name_is_no_text_can_be_split(flat: Path) -> None:
    before = split_photos(scanned(flat)[0], 0.2, 0)
    os.rename(flat / "iris", os.fsencode(flat) + b"/ros\xe9")
    found, _ = scanned(flat)
    split = split_photos(found, 0.2, 0)
    assert len(split.validation) == len(before.validation)
    assert len(split.fingerprint()) == 64
