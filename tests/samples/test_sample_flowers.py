"""The sample flowers: what is drawn, where, and that color alone tells no species."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowergui.errors import FlowerError
from flowergui.events import SampleDrawn, SampleProgress
from flowergui.samples import sample_flowers
from flowergui.samples.sample_flowers import CLASSES, draw
from flowergui.samples.scene import SIDE_PX, picture

PER_CLASS = 30
Features = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "flowers"
    list(draw(folder, photos_per_class=PER_CLASS))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file under `folder`, hidden ones too."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_draws_a_folder_of_each_species(flowers: Path) -> None:
    assert len(CLASSES) >= 5
    assert sorted(path.name for path in flowers.iterdir()) == list(CLASSES)
    for species in CLASSES:
        names = sorted(path.name for path in (flowers / species).iterdir())
        assert names == [f"{species}_{number:03d}.jpg" for number in range(1, PER_CLASS + 1)]


def test_pictures_are_square_jpegs_of_one_size(flowers: Path) -> None:
    for species in CLASSES:
        with Image.open(flowers / species / f"{species}_001.jpg") as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (SIDE_PX, SIDE_PX))


def test_tells_its_progress_and_ends_with_the_folder(tmp_path: Path) -> None:
    events = list(draw(tmp_path / "flowers", photos_per_class=3))
    total = 3 * len(CLASSES)
    expected = [
        SampleProgress(drawn, total) for drawn in range(len(CLASSES), total + 1, len(CLASSES))
    ]
    assert events == [*expected, SampleDrawn(str(tmp_path / "flowers"))]


def test_same_seed_same_bytes_and_a_larger_set_begins_with_the_smaller(
    flowers: Path, tmp_path: Path
) -> None:
    list(draw(tmp_path, photos_per_class=2))
    whole = files(flowers)
    again = files(tmp_path)
    assert len(again) == 2 * len(CLASSES)
    assert all(whole[name] == content for name, content in again.items())


def test_seed_number_and_species_each_change_the_picture() -> None:
    pictures = [
        picture("rose", 0, 0),
        picture("rose", 1, 0),
        picture("rose", 0, 1),
        picture("tulip", 0, 0),
    ]
    assert len({image.tobytes() for image in pictures}) == len(pictures)


def test_drawing_again_replaces_our_own_and_deletes_nothing(tmp_path: Path) -> None:
    list(draw(tmp_path, photos_per_class=2))
    before = files(tmp_path)
    list(draw(tmp_path, seed=1, photos_per_class=1))
    after = files(tmp_path)
    assert after.keys() == before.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"{species}/{species}_001.jpg" for species in CLASSES}


# --- color alone is not enough -------------------------------------------------------------------


def mean_color(photos: np.ndarray) -> np.ndarray:
    return photos.mean((1, 2))


def mean_color_of_the_middle(photos: np.ndarray) -> np.ndarray:
    quarter = photos.shape[1] // 4
    return photos[:, quarter:-quarter, quarter:-quarter].mean((1, 2))


def mean_colors_of_nine_fields(photos: np.ndarray) -> np.ndarray:
    third = photos.shape[1] // 3
    fields = photos[:, : 3 * third, : 3 * third].reshape(len(photos), 3, third, 3, third, 3)
    return fields.mean((2, 4)).reshape(len(photos), -1)


def nearest_mean_accuracy(
    features: np.ndarray, labels: np.ndarray, validation: np.ndarray
) -> float:
    means = np.stack([features[~validation & (labels == label)].mean(0) for label in set(labels)])
    distances = ((features[validation][:, None] - means) ** 2).sum(2)
    return float((distances.argmin(1) == labels[validation]).mean())


@pytest.mark.parametrize(
    "features", [mean_color, mean_color_of_the_middle, mean_colors_of_nine_fields]
)
def test_the_nearest_mean_color_names_few_species(flowers: Path, features: Features) -> None:
    paths = [path for species in CLASSES for path in sorted((flowers / species).iterdir())]
    photos = np.stack([np.asarray(Image.open(path), np.float32) for path in paths])
    labels = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    numbers = np.tile(np.arange(PER_CLASS), len(CLASSES))
    described = features(photos)
    accuracies = [
        nearest_mean_accuracy(described, labels, numbers % 5 == fold) for fold in range(5)
    ]
    assert np.mean(accuracies) < 0.45
    assert max(accuracies) < 0.60


# --- refusals and interruptions ----------------------------------------------------------------


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"somebody's own")
    return path


@pytest.mark.parametrize(
    "name", ["notes.txt", "dandelion/photo.jpg", "rose/holiday.jpg", "rose/rose_001.jpg", "tulip"]
)
def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(
    tmp_path: Path, name: str
) -> None:
    put(tmp_path / name)
    with pytest.raises(FlowerError, match="other files") as caught:
        list(draw(tmp_path, photos_per_class=1))
    assert Path(name).parts[0] in str(caught.value) or Path(name).name in str(caught.value)
    assert files(tmp_path) == {name: b"somebody's own"}


def test_what_a_desktop_leaves_in_folders_is_no_obstacle(tmp_path: Path) -> None:
    for name in (".DS_Store", "rose/.DS_Store", "rose/Thumbs.db"):
        put(tmp_path / name)
    assert isinstance(list(draw(tmp_path, photos_per_class=1))[-1], SampleDrawn)


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_place_that_can_be_no_folder_is_refused_in_words(tmp_path: Path, folder: str) -> None:
    put(tmp_path / "file")
    with pytest.raises(FlowerError, match="can't be written") as caught:
        list(draw(tmp_path / folder, photos_per_class=1))
    assert caught.value.hint


def test_numbers_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="at least one"):
        list(draw(tmp_path, photos_per_class=0))
    with pytest.raises(FlowerError, match="seed"):
        list(draw(tmp_path, seed=-1))
    assert files(tmp_path) == {}


def test_a_draw_that_is_closed_leaves_whole_pictures_and_can_be_repeated(tmp_path: Path) -> None:
    events = draw(tmp_path, photos_per_class=2)
    next(events)
    events.close()
    assert list(files(tmp_path)) == [f"{species}/{species}_001.jpg" for species in CLASSES]
    list(draw(tmp_path, photos_per_class=2))
    assert len(files(tmp_path)) == 2 * len(CLASSES)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (OSError(28, "No space left on device"), FlowerError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_write_that_breaks_off_leaves_nothing_half_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    told: type[BaseException],
) -> None:
    list(draw(tmp_path, photos_per_class=1))
    before = files(tmp_path)
    replace, moved = os.replace, []

    def breaks_at_the_third(part: Path, path: Path) -> None:
        if len(moved) == 2:
            raise failure
        moved.append(path)
        replace(part, path)

    monkeypatch.setattr(sample_flowers.os, "replace", breaks_at_the_third)
    with pytest.raises(told):
        list(draw(tmp_path, seed=1, photos_per_class=1))
    after = files(tmp_path)
    assert after.keys() == before.keys()
    changed = {tmp_path / name for name in before if before[name] != after[name]}
    assert changed == set(moved)
