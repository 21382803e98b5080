"""Images are decoded once, transformed, and kept as long as memory lasts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowergui.errors import FlowerError
from flowergui.learning.data import augmentation
from flowergui.learning.data.dataset import ImageDataset, eval_transform, train_transform
from flowergui.learning.data.photos import Photo


@pytest.fixture
def listed(folder: Path) -> list[Photo]:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    return [Photo(path, len(path) % 3) for path in paths]


def test_nothing_is_kept_that_has_no_room(folder: Path, listed: list[Photo]) -> None:
    calls: list[Path] = []

    def prepare(path: Path) -> augmentation.Pixels:
        calls.append(path)
        return np.zeros((10, 10, 3), dtype=np.uint8)

    album = ImageDataset(folder, listed, prepare, memory=2 * 300 + 299)
    for _ in range(3):
        for index in range(4):
            album.pixels(index)
    assert [calls.count(folder / listed[index].path) for index in range(4)] == [1, 1, 3, 3]


def test_looking_and_training_see_the_sizes_that_they_ask_for(folder: Path, listed) -> None:
    path = folder / listed[0].path
    assert eval_transform(24)(path).shape == (24, 24, 3)
    assert train_transform(24, "light")(path).shape == (36, 36, 3)
    assert train_transform(400, "light")(path).shape == (48, 48, 3)  # no larger than it is
    with pytest.raises(FlowerError, match="no longer exists"):
        eval_transform(24)(folder / "gone.jpg")


def test_a_photo_is_resized_once(tmp_path: Path) -> None:
    """Cut out of one that is smaller already, its middle would begin between two pixels."""
    on = (np.arange(404) - 2) // 4 % 2 == 0  # the middle begins with a whole stripe
    stripes = np.where(on[:, None], 255, 0) * np.ones((400, 1, 3))
    Image.fromarray(stripes.astype(np.uint8)).save(tmp_path / "stripes.png")
    seen = eval_transform(100)(tmp_path / "stripes.png")
    assert seen.shape == (100, 100, 3)
    assert seen[:, ::2].min() > 150 > 100 > seen[:, 1::2].max()
    assert augmentation.center_crop(seen, 100) is seen
