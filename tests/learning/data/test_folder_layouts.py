"""The class folders of datasets as archives, sites and programs lay them out."""

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from scanning import end_of, scanned

from flowergui.errors import FlowerError
from flowergui.facts import Problem
from flowergui.learning.data.layout import split_name
from flowergui.learning.data.photos import Photos
from flowergui.learning.data.scan import list_photos

Draw = Callable[..., Path]


@pytest.fixture
def draw(flat: Path, tmp_path: Path) -> Draw:
    """Makes a dataset of links to a few photos, one each in these folders; what ends in
    .jpg is the photo itself."""
    photos = sorted(flat.rglob("*.jpg"))

    def make(*places: str) -> Path:
        top = tmp_path / "dataset"
        for number, place in enumerate(places):
            path = top / place
            if path.suffix != ".jpg":
                path /= f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(photos[number], path)
        return top

    return make


def both(part: str, names: Iterable[str] = ("cat", "dog")) -> list[str]:
    return [f"{part}/{name}" if part else name for name in names]


def folders(found: Photos) -> tuple[set[str], set[str]]:
    """The folders whose images train, and those whose images validate."""
    parts = (found.train, found.validation)
    train, validation = ({photo.path.rpartition("/")[0] for photo in part} for part in parts)
    return train, validation


@pytest.mark.parametrize(
    ("train", "validation"),
    [
        ("training_set/training_set", "test_set/test_set"),  # Kaggle's cats and dogs
        ("seg_train/seg_train", "seg_test/seg_test"),  # Intel's scenes
        ("Training", "Test"),  # fruits-360
        ("train", "valid"),  # Roboflow
        ("data/train", "data/validation"),  # Hugging Face
        ("train/train", "train/val"),
        ("chest_xray/train", "chest_xray/val"),
        ("Train Images", "Validation Images"),
        ("archive/dataset/train2017", "archive/dataset/val2017"),
    ],
)
def test_ready_splits(draw: Draw, train: str, validation: str) -> None:
    found, events = scanned(draw(*both(train), *both(validation)))
    assert found.classes == ("cat", "dog")
    assert folders(found) == (set(both(train)), set(both(validation)))
    assert found.problems == ()
    deep = "/" in train or train not in ("train", "Training")
    said = f"Training images come from {train}, and validation images from {validation}."
    assert events[-1].notes == ((said,) if deep else ())


@pytest.mark.parametrize("place", ["", "flowers", "flowers/flowers", "archive/data/images"])
def test_class_folders_may_be_deeper(draw: Draw, place: str) -> None:
    top = draw(*both(place, ("1", "2", "102")))
    (top / "README.txt").write_text("about")
    found, events = scanned(top)
    assert found.classes == ("1", "102", "2")
    assert found.layout == "flat"
    assert events[-1].notes == ((f"The class folders are in {place}.",) if place else ())
    assert found.leftovers == (Problem("README.txt", "no image"),)


def test_a_folder_of_labels_beside_the_images_does_not_matter(draw: Draw) -> None:
    top = draw(*both("images/Images"))
    (top / "annotations" / "cat").mkdir(parents=True)
    (top / "annotations" / "cat" / "n02085620_7").write_text("<annotation>")
    found, _ = scanned(top)
    assert found.classes == ("cat", "dog")
    assert [problem.path for problem in found.problems] == ["annotations/cat/n02085620_7"]


def test_folders_in_a_class_are_of_that_class(draw: Draw) -> None:
    top = draw("rose/2023", "rose/2024", "tulip/2024", "tulip/spring/may")
    assert scanned(top)[0].classes == ("rose", "tulip")


@pytest.mark.parametrize("other", ["tulip/x.cr2", "tulip"])
def test_the_folders_of_an_only_class_are_no_classes(draw: Draw, other: str) -> None:
    top = draw("rose/2023", "rose/2024")
    (top / "tulip").mkdir()
    if "." in other:
        (top / other).write_bytes(b"raw")
    with pytest.raises(FlowerError, match="only one class, rose, that can be read"):
        scanned(top)


def test_a_test_set_beside_validation_is_named(draw: Draw) -> None:
    found, _ = scanned(draw(*both("train"), *both("val"), *both("test")))
    assert folders(found)[1] == set(both("val"))
    assert found.notes == ("test is not used: the validation images come from val.",)


@pytest.mark.parametrize("name", ["val", "test", "seg_pred/seg_pred"])
def test_a_part_with_loose_photos_is_named(draw: Draw, name: str) -> None:
    found, _ = scanned(draw(*both("train"), f"{name}/1.jpg", f"{name}/2.jpg"))
    assert (found.classes, found.validation) == (("cat", "dog"), ())
    (problem,) = found.problems
    assert (problem.path, problem.count) == (name.partition("/")[0], 2)


def test_a_split_beside_a_folder_of_test_photos(draw: Draw) -> None:
    """The archive of a well-known set of plant diseases."""
    train, valid = "Plants/Plants/train", "Plants/Plants/valid"
    found, _ = scanned(draw(*both(train), *both(valid), "test/test"))
    assert folders(found) == (set(both(train)), set(both(valid)))
    assert found.notes[1:] == (f"test is not used: the validation images come from {valid}.",)


def test_validation_without_training_is_refused_and_evaluated(draw: Draw) -> None:
    top = draw(*both("val"), *both("test"))
    with pytest.raises(FlowerError, match="in val, but no folder of training images") as refused:
        scanned(top)
    assert "To train on val, open that folder." in refused.value.hint
    rows = end_of(list_photos(top))[1]
    assert [(name, part) for _, name, part in rows] == [
        ("cat", "validation"),
        ("dog", "validation"),
    ]


def test_parts_without_class_folders_are_refused(draw: Draw) -> None:
    with pytest.raises(FlowerError, match="but no class folders in them"):
        scanned(draw("train/1.jpg", "train/2.jpg", "val/3.jpg"))


@pytest.mark.parametrize("inner", ["", "/old", "/old/x.jpg"])
def test_a_class_called_train(draw: Draw, inner: str) -> None:
    found, _ = scanned(draw("bus", "car", f"train{inner}", "train/new"))
    assert found.classes == ("bus", "car", "train")
    assert found.notes == (
        "train is taken for a class, like the folders beside it. If it is a split, such as "
        "the training images, move the others elsewhere.",
    )


def test_a_class_called_train_in_a_ready_split(draw: Draw) -> None:
    names = ("bus", "train")
    found, _ = scanned(draw(*both("train", names), *both("val", names), "val/train/x"))
    assert found.classes == names
    assert len(found.validation) == 3


def test_what_is_beside_a_training_folder_is_named(draw: Draw) -> None:
    found, _ = scanned(draw(*both("train"), "masks/1.jpg", "masks/2.jpg", "cover.jpg"))
    assert found.classes == ("cat", "dog")
    assert found.problems == (
        Problem("cover.jpg", "in the folder of no class"),
        Problem("masks", "not used: the images are those in train", 2),
    )


def test_class_folders_that_are_there_twice(draw: Draw) -> None:
    """As in an archive of flowers that everybody downloads."""
    found, _ = scanned(draw("rose", "tulip", "flowers/rose", "flowers/tulip"))
    assert found.classes == ("rose", "tulip")
    assert found.problems == (
        Problem("flowers", "it holds the class folders beside it once more", 2),
    )


def test_folders_that_hold_the_same_folders_may_be_no_classes(draw: Draw) -> None:
    found, _ = scanned(draw(*both("color"), *both("grayscale")))
    assert found.classes == ("color", "grayscale")
    assert found.notes == (
        "Every class folder holds the same folders: cat, dog. If these are the classes, open one "
        "of the folders that hold them.",
    )


@pytest.mark.parametrize(
    "name",
    [
        "@eaDir", "$RECYCLE.BIN", "lost+found", "System Volume Information", "#recycle",
        "FOUND.000", "__MACOSX", ".Trash-1000", ".picasaoriginals", ".ipynb_checkpoints",
    ],
)  # fmt: skip
def test_leftovers_are_no_classes_and_no_photos(draw: Draw, name: str) -> None:
    names = ("cat", "dog", f"{name}/cat", f"cat/{name}", f"cat/{name}/deeper")
    found, _ = scanned(draw(*names))
    assert found.classes == ("cat", "dog")
    assert len(found.train) == 2
    assert found.problems == ()
    assert [(each.path, each.count) for each in found.leftovers] == [(min(name, f"cat/{name}"), 2)]


# --- names ------------------------------------------------------------------------------------


def test_composed_and_decomposed_letters_are_one_class(draw: Draw) -> None:
    one, other = (unicodedata.normalize(form, "réséda") for form in ("NFD", "NFC"))
    top = draw(f"train/{one}", "train/rose", f"val/{other}", "val/rose")
    found, _ = scanned(top)
    assert found.classes == ("rose", other)
    assert found.problems == found.notes == ()
    assert len(found.validation) == 2
    rows = end_of(list_photos(top, [one, "rose"]))[1]
    assert {name for _, name, _ in rows} == {one, "rose"}  # as a run of that class spells it


def test_names_that_look_alike_are_one_class_on_one_line(draw: Draw) -> None:
    found, _ = scanned(draw("rose", "rose ", "ox\neye", "\n"))
    assert found.classes == ("'\\n'", "ox eye", "rose")
    assert found.notes == (
        "'rose ' counts as the class rose: their names differ in nothing but spaces, line breaks "
        "or the encoding of letters.",
    )
    assert len(found.train) == 4


@pytest.mark.parametrize(
    ("folder", "part"),
    [
        ("train", "train"), ("Training Set", "training"), ("seg_train", "train"),
        ("trainset", "train"), ("test_images", "test"), ("val2017", "val"), ("VALID", "valid"),
        ("trainer", ""), ("train_station", ""), ("test-multiple_fruits", ""), ("contest", ""),
        ("data", ""), ("", ""), ("整形", ""),
    ],
)  # fmt: skip
def test_names_of_parts(folder: str, part: str) -> None:
    assert split_name(folder) == part
