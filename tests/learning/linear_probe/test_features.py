"""Features of a folder: of the images that can be read, in their order."""

from pathlib import Path

import pytest
import torch
from scanning import ready_split
from weight_files import returned, saved

from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.data.dataset import eval_transform
from flowergui.learning.data.photos import Photo
from flowergui.learning.linear_probe.backbone import Backbone, load_backbone
from flowergui.learning.linear_probe.features import (
    PhotoFeatures,
    compute_features,
    photo_dataset,
    sample_photos,
    scan_all,
)


@pytest.fixture
def backbone(tmp_path: Path) -> Backbone:
    saved("mynet", tmp_path / "weights.pth", 96)
    loaded: Backbone = returned(load_backbone("mynet", str(tmp_path / "weights.pth"), "cpu"))
    return loaded


def test_unreadable_images_are_left_out(backbone: Backbone, make_photos, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "flowers", classes=3, per_class=7)
    (folder / "iris" / "iris_3.jpg").write_text("torn")
    photos = [
        Photo(f"{name}/{name}_{number}.jpg", label)
        for label, name in enumerate(("daisy", "iris", "lily"))
        for number in range(7)
    ]
    events: list[Preparing] = []
    generator = compute_features(backbone, photo_dataset(folder, photos, 96))
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            known: PhotoFeatures = end.value
            break

    assert [problem.path for problem in known.problems] == ["iris/iris_3.jpg"]
    assert known.photos == tuple(photo for photo in photos if photo.path != "iris/iris_3.jpg")
    assert known.labels.tolist() == [0] * 7 + [1] * 6 + [2] * 7
    assert known.features.shape == (20, 256)
    transform = eval_transform(backbone.image_size)
    alone = torch.tensor(transform(folder / photos[-1].path))[None]
    assert torch.allclose(known.features[-1], backbone.features(alone)[0], rtol=0, atol=0.02)
    assert 0 < known.seconds < 10
    assert (events[0].done, events[-1].done, events[-1].total) == (0, 21, 21)


def test_one_readable_class_is_too_few(backbone: Backbone, make_photos, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "flowers", classes=2, per_class=2)
    for path in (folder / "iris").iterdir():
        path.write_text("torn")
    photos = [Photo(f"{name}/{name}_0.jpg", label) for label, name in enumerate(("daisy", "iris"))]
    with pytest.raises(FlowerError, match=r"fewer than two classes can be read .*iris_0\.jpg"):
        returned(compute_features(backbone, photo_dataset(folder, photos, 96)))


def test_all_images_of_a_ready_split_are_used(make_photos, tmp_path: Path) -> None:
    folder = ready_split(make_photos(tmp_path / "flowers", classes=2, per_class=4), "val")
    found, photos = returned(scan_all(folder))
    assert len(found.train) == 4
    assert len(photos) == 8
    assert {photo.path.partition("/")[0] for photo in photos} == {"train", "val"}


def test_a_sample_has_a_share_of_each_class() -> None:
    photos = [Photo(f"{label}/{number}", label) for label in range(3) for number in range(40)]
    photos += [Photo("3/0", 3), *(Photo(f"4/{number}", 4) for number in range(9))]
    sample = sample_photos(photos, 5, 65)
    assert [sum(photo.label == label for photo in sample) for label in range(5)] == [
        *[20] * 3, 1, 4,
    ]  # fmt: skip
    assert list(sample) == sorted(sample, key=photos.index)
    assert sample == sample_photos(photos, 5, 65)
    assert sample_photos(photos, 5, 200) == tuple(photos)
    few = sample_photos(photos, 5, 4)
    assert [sum(photo.label == label for photo in few) for label in range(5)] == [2, 2, 2, 1, 2]
