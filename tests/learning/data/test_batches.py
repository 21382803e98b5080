"""Photos in batches: the same ones, whoever prepares them and whenever it begins."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from flowergui.errors import FlowerError
from flowergui.learning.data import augmentation
from flowergui.learning.data.dataset import ImageDataset, eval_transform, train_transform
from flowergui.learning.data.loader import Batch, iterate_batches, worker_count
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.sampler import batch_indices, shuffled_indices
from flowergui.learning.device import hardware


@pytest.fixture
def listed(folder: Path) -> list[Photo]:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    return [Photo(path, len(path) % 3) for path in paths]


def strong(pixels: augmentation.Pixels, index: int) -> augmentation.Pixels:
    return augmentation.random_resized_crop(pixels, "strong", 32, seed=5, epoch=2, index=index)


def loaded(folder: Path, listed: list[Photo], workers: int, budget: int = 10**9) -> list[Batch]:
    album = ImageDataset(folder, listed, train_transform(32, "strong"), budget)
    cut = batch_indices(shuffled_indices(len(listed), 5, 2), 7, drop_last=False)
    return list(iterate_batches(album, cut, strong, workers))


def same(one: Batch, other: Batch) -> bool:
    return (
        torch.equal(one.images, other.images)
        and torch.equal(one.labels, other.labels)
        and (one.indices, one.failed) == (other.indices, other.failed)
    )


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    first = shuffled_indices(50, seed=1, epoch=1)
    assert sorted(first) == list(range(50))
    assert first != list(range(50))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert shuffled_indices(50, seed=1, epoch=1) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert (
        len({tuple(shuffled_indices(50, seed, epoch)) for seed in (1, 2) for epoch in (1, 2)}) == 4
    )


def test_cut() -> None:
    assert batch_indices(range(7), 3, drop_last=False) == [
        (0, 1, 2),
        (3, 4, 5),
    ]  # one alone
    assert batch_indices(range(8), 3, drop_last=False) == [(0, 1, 2), (3, 4, 5), (6, 7)]
    assert batch_indices(range(8), 3, drop_last=True) == [(0, 1, 2), (3, 4, 5)]
    assert batch_indices(range(6), 3, drop_last=True) == [(0, 1, 2), (3, 4, 5)]
    assert batch_indices(range(2), 3, drop_last=True) == []
    assert batch_indices([], 3, drop_last=False) == []


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(folder: Path, listed: list[Photo], workers: int) -> None:
    alone = loaded(folder, listed, 0)
    assert [len(batch.indices) for batch in alone] == [7, 7, 7, 3]
    assert alone[0].images.shape == (7, 32, 32, 3)
    assert alone[0].images.dtype == torch.uint8
    assert alone[0].labels.tolist() == [listed[index].label for index in alone[0].indices]
    together = loaded(folder, listed, workers)
    assert all(same(*pair) for pair in zip(alone, together, strict=True))


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


def test_a_photo_that_went_away_is_told_and_left_out(
    make_photos: Callable[..., Path], listed: list[Photo], tmp_path: Path
) -> None:
    copy = make_photos(tmp_path / "copy")
    (copy / listed[3].path).unlink()
    (batch,) = [batch for batch in loaded(copy, listed, 1) if batch.failed]
    assert batch.failed[0].path == listed[3].path
    assert batch.failed[0].reason == "daisy_3.jpg can't be read: the file no longer exists."
    assert 3 not in batch.indices
    assert len(batch.indices) == len(batch.images) == len(batch.labels) >= 2


def test_a_batch_of_lost_photos_alone_is_empty(tmp_path: Path, listed: list[Photo]) -> None:
    found = loaded(tmp_path, listed, 0)
    assert [batch.indices for batch in found] == [(), (), (), ()]
    assert sum(len(batch.failed) for batch in found) == len(listed)


def test_what_is_no_matter_of_a_photo_is_not_hidden(folder: Path, listed: list[Photo]) -> None:
    def broken(pixels: augmentation.Pixels, index: int) -> augmentation.Pixels:
        raise ZeroDivisionError

    album = ImageDataset(folder, listed, eval_transform(32), 0)
    for workers in (0, 2):
        with pytest.raises(ZeroDivisionError):
            list(iterate_batches(album, [(0, 1)], broken, workers))


@pytest.mark.parametrize(
    ("wish", "device", "cores", "workers"),
    [(0, "cpu", 16, 0), (3, "cpu", 16, 3), (0, "cuda", 4, 4), (0, "mps", 16, 8), (1, "cuda", 4, 1)],
)
def test_nothing_but_a_processor_waits_for_the_next_batch(
    monkeypatch, wish: int, device: str, cores: int, workers: int
) -> None:
    monkeypatch.setattr(hardware, "cores", lambda: cores)
    assert worker_count(wish, torch.device(device)) == workers


def test_loading_that_is_given_up_leaves_no_thread(folder: Path, listed: list[Photo]) -> None:
    before = set(threading.enumerate())
    album = ImageDataset(folder, listed, eval_transform(32), 0)
    loading = iterate_batches(album, [(index, 1) for index in range(20)], lambda p, i: p, 3)
    next(loading)
    assert set(threading.enumerate()) > before
    loading.close()
    assert set(threading.enumerate()) == before


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
