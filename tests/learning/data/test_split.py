"""The split: stratified, seeded, with a fingerprint."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from runs import finished
from scanning import end_of, ready_split, scanned

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.events import Preparing
from flowergui.learning.data import duplicates
from flowergui.learning.data.photos import Photo, Photos
from flowergui.learning.data.scan import scan_to_split
from flowergui.learning.data.split import Split, split_after, split_photos
from flowergui.learning.models.pretrained import MEAN, STD, Pretrained


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


def test_which_photos_validate_never_changes() -> None:
    """The same recipe on the same photos is to give the same accuracy in every version."""
    photos = tuple(Photo(f"{name}/{n}.jpg", k) for k, name in enumerate("ab") for n in range(10))
    split = split_photos(Photos(Path(), "flat", ("a", "b"), photos, (), ()), 0.2, 7)
    assert [photo.path for photo in split.validation] == [
        "a/5.jpg",
        "a/9.jpg",
        "b/0.jpg",
        "b/8.jpg",
    ]


# --- copies ---------------------------------------------------------------------------------------


@pytest.fixture
def copied(flat: Path) -> Path:
    """Each class has two copies of its first photo, and one of its second."""
    for folder in flat.iterdir():
        for number, copies in enumerate(("a (1)", "a (2)", "z")):
            source = folder / f"{folder.name}_{number // 2}.jpg"
            shutil.copy(source, folder / f"{copies}.jpg")
    return flat


def found_in(folder: Path) -> Photos:
    return end_of(scan_to_split(folder))[1]


def in_both(folder: Path, split: Split) -> set[bytes]:
    """The contents of images that train and validate."""
    one, other = (
        {(folder / photo.path).read_bytes() for photo in part}
        for part in (split.train, split.validation)
    )
    return one & other


def test_copies_of_a_photo_have_its_part(copied: Path) -> None:
    found = found_in(copied)
    assert len(found.copies) == 9
    assert found.copies["iris/iris_0.jpg"] == found.copies["iris/a (2).jpg"] == "iris/a (1).jpg"
    for seed in range(10):
        split = split_photos(found, 0.4, seed)
        assert not in_both(copied, split)
        assert {*split.train, *split.validation} == {*found.train}
        assert len(split.train) + len(split.validation) == 24
        assert list(split.train) == sorted(split.train, key=lambda photo: photo.path)
        assert {photo.label for photo in split.validation} == {0, 1, 2}
    assert any(in_both(copied, split_photos(scanned(copied)[0], 0.4, seed)) for seed in range(10))


def test_without_copies_the_split_is_as_it_ever_was(flat: Path) -> None:
    found = found_in(flat)
    assert found == scanned(flat)[0]
    assert not found.copies


def test_a_photo_in_two_classes_is_a_copy_in_neither(flat: Path) -> None:
    shutil.copy(flat / "iris" / "iris_0.jpg", flat / "lily" / "copy.jpg")
    assert not found_in(flat).copies


def test_a_class_of_one_photo_many_times_is_split_all_the_same(flat: Path) -> None:
    for path in (flat / "iris").iterdir():
        Image.new("RGB", (9, 9), "blue").save(path)
    found = found_in(flat)
    assert not found.copies
    assert Counter(photo.label for photo in split_photos(found, 0.4, 0).validation)[1] == 2


def test_copies_of_a_photo_whose_part_is_given_have_that(copied: Path) -> None:
    found = found_in(copied)
    for part in ("train", "validation"):
        for named in ("iris/a (1).jpg", "iris/iris_0.jpg"):  # the first one, and a copy
            split = split_photos(found, 0.4, 0, {named: part})
            group = {"iris/a (1).jpg", "iris/a (2).jpg", "iris/iris_0.jpg"}
            assert group <= {path for path, _, own in split.rows() if own == part}
            assert not in_both(copied, split)


def test_a_given_split_keeps_even_copies_apart(copied: Path) -> None:
    """A run's own images stay where they were when it trained on them."""
    found = found_in(copied)
    given = {"iris/a (1).jpg": "train", "iris/iris_0.jpg": "validation"}
    rows = {path: part for path, _, part in split_photos(found, 0.4, 0, given).rows()}
    assert {path: rows[path] for path in given} == given


def test_weights_of_an_older_version_keep_the_split_that_trained_them(
    copied: Path, tmp_path: Path
) -> None:
    """It drew copies like other images; without its run folder, the fingerprint says so."""
    recipe = Recipe(photos=str(copied), seed=3)
    before = split_photos(scanned(copied)[0], recipe.validation_fraction, 3)
    assert in_both(copied, before)
    theirs = {"photos": str(copied), "seed": 3, "validation_fraction": recipe.validation_fraction}
    weights = Pretrained("alone.pth", {}, 32, MEAN, STD, theirs, before.fingerprint())
    split = split_after(found_in(copied), weights, recipe, tmp_path / "alone.pth")
    assert split.fingerprint() == before.fingerprint()


def test_a_run_keeps_copies_together(copied: Path, little: Callable[..., Recipe]) -> None:
    run = finished(list(tasks.train(little(photos=str(copied), epochs=1))))
    parts: dict[bytes, set[str]] = {}
    for path, _, part in run.split():
        parts.setdefault((copied / path).read_bytes(), set()).add(part)
    assert [len(each) for each in parts.values()] == [1] * 15


def test_many_photos_tell_how_far_the_comparison_is(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "PROGRESS_FILES", 10)
    told, _ = end_of(scan_to_split(copied))
    done = [event.done for event in told if isinstance(event, Preparing)]
    assert len(done) >= 2
    assert done == sorted(done)
    assert done[-1] <= 24


def test_only_files_of_one_size_and_class_are_opened(
    flat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, side in (("iris", 8), ("lily", 8), ("iris", 9)):
        Image.new("RGB", (side, side)).save(flat / name / f"{side}.bmp")
    shutil.copy(flat / "iris" / "8.bmp", flat / "iris" / "copy.bmp")
    opened: list[str] = []
    read = duplicates.archives.read_start

    def reading(path: str, most: int) -> bytes:
        opened.append(Path(path).name)
        return read(path, most)

    found = scanned(flat)[0]
    monkeypatch.setattr(duplicates.archives, "read_start", reading)
    assert end_of(duplicates.find_copies(found))[1] == {"iris/copy.bmp": "iris/8.bmp"}
    jpegs = [name for name in opened if name.endswith(".jpg")]
    sizes = Counter((p.parent.name, p.stat().st_size) for p in flat.rglob("*.jpg"))
    assert len(jpegs) == sum(count for count in sizes.values() if count > 1)
    assert [name for name in opened if name.endswith(".bmp")] == ["8.bmp", "copy.bmp"]
