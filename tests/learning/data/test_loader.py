"""Batches are the same whatever threads prepare them."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

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


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(folder: Path, listed: list[Photo], workers: int) -> None:
    alone = loaded(folder, listed, 0)
    assert [len(batch.indices) for batch in alone] == [7, 7, 7, 3]
    assert alone[0].images.shape == (7, 32, 32, 3)
    assert alone[0].images.dtype == torch.uint8
    assert alone[0].labels.tolist() == [listed[index].label for index in alone[0].indices]
    together = loaded(folder, listed, workers)
    assert all(same(*pair) for pair in zip(alone, together, strict=True))


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
