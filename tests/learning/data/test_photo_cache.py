"""Decoded photos are kept from one run to the next, and are never other than the photo's."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from flowergui import tasks
from flowergui.errors import FlowerError
from flowergui.events import CacheState, Finished
from flowergui.learning.acceleration import feature_cache
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import photo_cache
from flowergui.learning.data.augmentation import Pixels
from flowergui.learning.data.dataset import Transform, eval_transform, train_transform
from flowergui.learning.data.photo_cache import PhotoCache
from flowergui.store.run_folder import RunFolder

PREPARE = train_transform(32, "light")
SIZE = 3 * 48 * 48 + 12
"""Of a photo of the tests' in the cache."""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "photos"


@pytest.fixture
def photo(make_photos: Callable[..., Path], tmp_path: Path) -> Path:
    return sorted(make_photos(tmp_path / "some").rglob("*.jpg"))[0]


class Counting:
    """Decodes, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, path: Path) -> Pixels:
        self.count += 1
        return PREPARE(path)

    @property
    def key(self) -> str:
        return PREPARE.key


def kept(room: Path) -> list[Path]:
    return sorted(room.iterdir()) if room.exists() else []


def test_what_is_wanted_again_is_kept(room: Path, photo: Path) -> None:
    decode, cache = Counting(), PhotoCache(room)
    first = cache.pixels(photo, decode, again=False)
    assert kept(room) == []
    cache.pixels(photo, decode, again=True)
    assert [path.stat().st_size for path in kept(room)] == [SIZE]
    later = PhotoCache(room).pixels(photo, decode, again=False)
    assert decode.count == 2
    assert np.array_equal(later, first)
    assert (later.shape, later.dtype) == (first.shape, first.dtype)


def test_a_large_photo_is_kept_at_once(room: Path, photo: Path, monkeypatch) -> None:
    monkeypatch.setattr(photo_cache, "LARGE_FILE_BYTES", photo.stat().st_size)
    PhotoCache(room).pixels(photo, PREPARE, again=False)
    assert len(kept(room)) == 1


def test_another_photo_at_its_place_is_decoded(
    room: Path, photo: Path, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    cache = PhotoCache(room)
    cache.pixels(photo, PREPARE, again=True)
    other = sorted((tmp_path / "some").rglob("*.jpg"))[-1]
    photo.write_bytes(other.read_bytes())
    assert np.array_equal(cache.pixels(photo, PREPARE, again=True), PREPARE(other))


def test_another_size_is_another_thing(room: Path, photo: Path) -> None:
    cache = PhotoCache(room)
    cache.pixels(photo, PREPARE, again=True)
    assert cache.pixels(photo, eval_transform(24), again=True).shape == (24, 24, 3)
    assert len(kept(room)) == 2


@pytest.mark.parametrize("spoil", ["bit", "cut", "empty", "gone", "folder"])
def test_what_was_spoilt_is_decoded_anew(room: Path, photo: Path, spoil: str) -> None:
    cache = PhotoCache(room)
    right = cache.pixels(photo, PREPARE, again=True)
    (path,) = kept(room)
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.unlink()
    match spoil:
        case "bit":
            path.write_bytes(content)
        case "cut":
            path.write_bytes(content[:5000])
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
    assert np.array_equal(cache.pixels(photo, PREPARE, again=True), right)


def test_a_photo_that_is_gone_is_gone(room: Path, photo: Path) -> None:
    cache = PhotoCache(room)
    cache.pixels(photo, PREPARE, again=True)
    photo.unlink()
    with pytest.raises(FlowerError, match="no longer exists"):
        cache.pixels(photo, PREPARE, again=True)


def test_it_is_bounded_and_the_oldest_goes_first(
    room: Path, make_photos: Callable[..., Path], tmp_path: Path
) -> None:
    many = sorted(make_photos(tmp_path / "some").rglob("*.jpg"))[:6]
    before = PhotoCache(room)
    for photo in many[:3]:
        before.pixels(photo, PREPARE, again=True)
    for age, path in enumerate(sorted(kept(room), key=lambda path: path.stat().st_mtime_ns)):
        os.utime(path, (0, time.time() - 1000 + age))
    cache = PhotoCache(room, max_bytes=3 * SIZE)
    cache.pixels(many[0], PREPARE, again=False)  # the oldest, but it is used now
    for photo in many[3:]:
        cache.pixels(photo, PREPARE, again=True)
    assert len(kept(room)) == 3
    later = PhotoCache(room)
    assert [decoded(later, photo) for photo in many] == [0, 1, 1, 0, 0, 1]  # no room for the last


def decoded(cache: PhotoCache, photo: Path) -> int:
    decode = Counting()
    cache.pixels(photo, decode, again=False)
    return decode.count


def test_a_full_disk_and_a_folder_that_cannot_be_made(
    room: Path, photo: Path, small_files, tmp_path: Path
) -> None:
    right = PREPARE(photo)
    with small_files(1000):
        cache = PhotoCache(room)
        assert np.array_equal(cache.pixels(photo, PREPARE, again=True), right)
    assert kept(room) == []
    (tmp_path / "file").touch()
    cache = PhotoCache(tmp_path / "file" / "photos")
    assert np.array_equal(cache.pixels(photo, PREPARE, again=True), right)


def test_a_run_ends_the_same_with_it(little, monkeypatch) -> None:
    monkeypatch.setattr(feature_cache, "MEMORY_SHARE", 0.0)
    prepare, decoded = Transform.__call__, []
    monkeypatch.setattr(
        Transform, "__call__", lambda how, path: decoded.append(path) or prepare(how, path)
    )
    counts, weights = [], []
    for cache in (True, True, False):
        decoded.clear()
        recipe = little(epochs=4, augmentation="light", photo_cache=cache)
        (done,) = [event for event in tasks.train(recipe) if isinstance(event, Finished)]
        counts.append(len(decoded))
        weights.append(checkpoint.read(RunFolder(Path(done.run)).last)["model"])
    for other in weights[1:]:
        assert all(torch.equal(weights[0][name], other[name]) for name in other)
    assert counts == [2 * 24, 0, 4 * 24]


def test_it_is_cleared(room: Path, photo: Path) -> None:
    PhotoCache(room).pixels(photo, PREPARE, again=True)
    (room / "letter.txt").write_text("not ours")
    assert photo_cache.state(room) == CacheState(str(room), 1, SIZE)
    assert photo_cache.clear(room) == CacheState(str(room), 0, 0, SIZE)
    assert [path.name for path in kept(room)] == ["letter.txt"]
    assert photo_cache.state(room / "nowhere") == CacheState(str(room / "nowhere"), 0, 0)
