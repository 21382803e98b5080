"""What happens to a photo, and that nothing but (seed, epoch, index) decides it."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from flowergui.learning.data import augmentation
from flowergui.learning.data.augmentation import AugmentConfig, AugmentParams, Pixels

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRENGTHS = ("light", "strong")


def photo(width: int = 90, height: int = 60, seed: int = 0) -> Pixels:
    """A smooth picture of many colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def ramp(width: int, height: int) -> Pixels:
    """Red is the place from left to right, green from top to bottom, both from 0 to 255."""
    across = np.broadcast_to(np.linspace(0, 255, width)[None, :], (height, width))
    down = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    return np.stack([across, down, np.zeros((height, width))], axis=2).astype(np.uint8)


def views(count: int = 4, side: int = 32) -> torch.Tensor:
    return torch.from_numpy(np.stack([photo(side, side, seed) for seed in range(count)]))


def always(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Draws that change nothing but what `values` say."""
    still = AugmentParams(
        area=1.0,
        aspect=1.0,
        left=0.5,
        top=0.5,
        flipped=False,
        brightness=1.0,
        contrast=1.0,
        saturation=1.0,
        hue=0.0,
        rotation=0.0,
        erased=(0.0, 0.0, 0.0, 0.0),
    )
    drawn = replace(still, **values)
    monkeypatch.setattr(augmentation, "sample_params", lambda *_: drawn)


# --- randomness -------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_draw_depends_on_seed_epoch_and_index(strength: str) -> None:
    first = augmentation.sample_params(strength, 1, 2, 3)
    assert augmentation.sample_params(strength, 1, 2, 3) == first
    others = [(0, 2, 3), (1, 3, 3), (1, 2, 4), (1, 3, 2), (2, 1, 3)]
    assert all(augmentation.sample_params(strength, *other) != first for other in others)


def test_a_draw_is_the_same_in_every_process() -> None:
    drawn = augmentation.sample_params("light", 7, 3, 11)
    assert (drawn.left, drawn.top) == pytest.approx((0.5962073411991468, 0.4017098024097031))


@pytest.mark.parametrize("strength", STRENGTHS)
def test_draws_keep_to_their_strength_and_fill_it(strength: str) -> None:
    limits: AugmentConfig = augmentation.AUGMENT_CONFIGS[strength]
    draws = [augmentation.sample_params(strength, 0, 1, index) for index in range(2000)]
    assert limits.min_area <= min(d.area for d in draws) < limits.min_area + 0.01
    assert 0.99 < max(d.area for d in draws) <= 1
    assert max(d.aspect for d in draws) == pytest.approx(limits.max_aspect, rel=0.01)
    assert max(d.brightness for d in draws) == pytest.approx(1 + limits.brightness, abs=0.01)
    assert min(d.saturation for d in draws) == pytest.approx(1 - limits.saturation, abs=0.01)
    assert max(d.rotation for d in draws) == pytest.approx(limits.rotation, rel=0.01)
    assert sum(d.flipped for d in draws) == pytest.approx(1000, abs=100)
    erased = [d.erased for d in draws if d.erased[2] > 0]
    assert len(erased) == pytest.approx(2000 * limits.erase, abs=100)
    assert all(0 <= x < right <= 1 and 0 <= y < low <= 1 for x, y, right, low in erased)


def test_no_global_generator_is_touched() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    python_before = random.getstate()
    seen = np.stack(
        [augmentation.random_resized_crop(photo(), "strong", 32, 0, 1, index) for index in range(4)]
    )
    dressed = augmentation.normalize_and_jitter(
        torch.from_numpy(seen), "strong", MEAN, STD, 0, 1, range(4)
    )
    augmentation.mixup_or_cutmix(dressed, torch.arange(4), 5, 0.2, 1.0, 0, 1, 0)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.random.get_state()[1].tolist() == numpy_before
    assert random.getstate() == python_before


@pytest.mark.parametrize("strength", STRENGTHS)
def test_threads_see_what_one_thread_sees(strength: str) -> None:
    def seen(index: int) -> Pixels:
        return augmentation.random_resized_crop(photo(seed=index), strength, 32, 0, 1, index)

    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(seen, range(40)))
    assert all(np.array_equal(seen(index), pixels) for index, pixels in enumerate(threaded))


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_photo_is_dressed_the_same_in_any_batch(strength: str) -> None:
    batch, indices = views(6), [5, 0, 9, 3, 7, 1]
    together = augmentation.normalize_and_jitter(batch, strength, MEAN, STD, 0, 1, indices)
    backwards = augmentation.normalize_and_jitter(
        batch.flip(0), strength, MEAN, STD, 0, 1, indices[::-1]
    )
    torch.testing.assert_close(backwards.flip(0), together)
    for place, index in enumerate(indices):
        alone = augmentation.normalize_and_jitter(
            batch[place, None], strength, MEAN, STD, 0, 1, [index]
        )
        torch.testing.assert_close(alone[0], together[place])


# --- photo by photo ---------------------------------------------------------------------------


@pytest.mark.parametrize("strength", ["none", *STRENGTHS])
@pytest.mark.parametrize("size", [(90, 60), (60, 90), (17, 17), (400, 20), (3, 200)])
def test_a_view_is_a_square_of_bytes(strength: str, size: tuple[int, int]) -> None:
    for index in range(8):
        seen = augmentation.random_resized_crop(photo(*size), strength, 32, 0, 1, index)
        assert seen.shape == (32, 32, 3)
        assert seen.dtype == np.uint8


def test_pictures_and_arrays_look_the_same() -> None:
    for strength in ("none", *STRENGTHS):
        from_array = augmentation.random_resized_crop(photo(), strength, 32, 0, 1, 4)
        from_picture = augmentation.random_resized_crop(
            Image.fromarray(photo()), strength, 32, 0, 1, 4
        )
        assert np.array_equal(from_array, from_picture)


def test_a_mirrored_view_is_the_mirror_image(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, area=0.5, left=0.2)
    plain = augmentation.random_resized_crop(photo(), "light", 32, 0, 1, 0)
    always(monkeypatch, area=0.5, left=0.2, flipped=True)
    mirrored = augmentation.random_resized_crop(photo(), "light", 32, 0, 1, 0)
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert mirrored.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(("left", "red"), [(0.0, 0.25), (0.5, 0.5), (1.0, 0.75)])
@pytest.mark.parametrize(("top", "green"), [(0.0, 0.25), (1.0, 0.75)])
def test_a_cut_lies_where_it_was_drawn(
    monkeypatch: pytest.MonkeyPatch, left: float, red: float, top: float, green: float
) -> None:
    always(monkeypatch, area=0.25, left=left, top=top)
    seen = augmentation.random_resized_crop(ramp(200, 200), "light", 32, 0, 1, 0).mean((0, 1)) / 255
    assert seen[:2] == pytest.approx((red, green), abs=0.01)


def test_a_panorama_is_not_squeezed(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, left=0.0)
    seen = augmentation.random_resized_crop(ramp(1000, 100), "light", 32, 0, 1, 0)
    assert seen[..., 0].max() / 255 <= 0.1 * augmentation.AUGMENT_CONFIGS["light"].max_aspect + 0.01


@pytest.mark.parametrize("size", [(160, 80), (80, 160), (80, 80)])
def test_still_is_the_middle_of_the_photo(size: tuple[int, int]) -> None:
    width, height = size
    seen = augmentation.center_crop(ramp(width, height), 32) / 255
    side = min(size) * augmentation.CENTER_SHARE
    assert seen.mean((0, 1))[:2] == pytest.approx((0.5, 0.5), abs=0.01)
    span = seen[:, -1, 0].mean() - seen[:, 0, 0].mean()
    assert span == pytest.approx(side / width * 31 / 32, abs=0.02)
    assert np.array_equal(
        augmentation.center_crop(ramp(width, height), 32),
        augmentation.random_resized_crop(ramp(width, height), "none", 32, 5, 6, 7),
    )


def test_small_details_are_averaged_not_skipped() -> None:
    stripes = np.zeros((256, 256, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    assert augmentation.center_crop(stripes, 32) == pytest.approx(100, abs=3)


@pytest.mark.parametrize("size", [(500, 333), (333, 500), (240, 240)])
def test_shrinking_keeps_the_whole_photo(size: tuple[int, int]) -> None:
    pixels = augmentation.resize_shorter_side(Image.fromarray(ramp(*size)), 100)
    height, width, _ = pixels.shape
    assert min(width, height) == 100
    assert width / height == pytest.approx(size[0] / size[1], abs=0.01)
    assert pixels[..., 0].min() < 5
    assert pixels[..., 0].max() > 250


def test_shrinking_never_enlarges() -> None:
    assert np.array_equal(augmentation.resize_shorter_side(Image.fromarray(photo()), 100), photo())


def test_cached_photos_have_the_pixels_that_views_need() -> None:
    for strength in ("none", *STRENGTHS):
        for image_size in (64, 112, 224):
            side = augmentation.cache_side(image_size, strength)
            assert image_size <= side * augmentation.CENTER_SHARE + 1
            assert side <= 2 * image_size


# --- batch by batch ---------------------------------------------------------------------------


@pytest.mark.parametrize("strength", ["none", *STRENGTHS])
def test_a_dressed_batch_is_ready_for_the_network(strength: str) -> None:
    images = augmentation.normalize_and_jitter(views(), strength, MEAN, STD, 0, 1, range(4))
    assert images.shape == (4, 3, 32, 32)
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_bytes_are_normalised() -> None:
    expected = (views() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    for images in (
        augmentation.normalize(views(), MEAN, STD),
        augmentation.normalize_and_jitter(views(), "none", MEAN, STD, 0, 1, range(4)),
    ):
        torch.testing.assert_close(images.permute(0, 2, 3, 1), expected)


def test_the_given_bytes_stay_as_they_are() -> None:
    given = views()
    for strength in ("none", *STRENGTHS):
        augmentation.normalize_and_jitter(given, strength, MEAN, STD, 0, 1, range(4))
    assert torch.equal(given, views())


def test_nothing_drawn_is_plain_normalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch)
    images = augmentation.normalize_and_jitter(views(), "strong", MEAN, STD, 0, 1, range(4))
    plain = augmentation.normalize(views(), MEAN, STD)
    torch.testing.assert_close(images, plain, atol=2e-3, rtol=1e-3)


def test_colours_shift_as_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, brightness=1.3, contrast=0.7, saturation=0.6)
    images = augmentation.normalize_and_jitter(
        views(), "light", (0, 0, 0), (1, 1, 1), 0, 1, range(4)
    )
    colours = views().permute(0, 3, 1, 2) / 255
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    grey = (colours * weights).sum(1, keepdim=True)
    bright = 1.3 * (grey + 0.6 * (colours - grey))
    middle = (bright * weights).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    torch.testing.assert_close(images, middle + 0.7 * (bright - middle), atol=2e-3, rtol=1e-3)


def test_a_third_of_the_hue_circle_moves_colours_and_keeps_greys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pure = torch.zeros(2, 8, 8, 3, dtype=torch.uint8)
    pure[0, ..., 0], pure[1] = 255, 90
    always(monkeypatch, hue=1 / 3)
    red, grey = augmentation.normalize_and_jitter(
        pure, "light", (0, 0, 0), (1, 1, 1), 0, 1, range(2)
    )
    assert red.mean((1, 2)).argmax() != 0
    torch.testing.assert_close(grey, torch.full_like(grey, 90 / 255), atol=1e-3, rtol=0)


def test_a_quarter_turn_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, rotation=90.0)
    turned = augmentation.normalize_and_jitter(views(), "strong", MEAN, STD, 0, 1, range(4))
    plain = augmentation.normalize(views(), MEAN, STD)
    quarter = torch.rot90(plain, -1, (2, 3))  # clockwise
    torch.testing.assert_close(turned, quarter, atol=5e-3, rtol=1e-3)


def test_erasing_leaves_a_rectangle_of_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, erased=(0.25, 0.5, 0.75, 0.75))
    white = torch.full((1, 32, 32, 3), 255, dtype=torch.uint8)
    (image,) = augmentation.normalize_and_jitter(white, "strong", MEAN, STD, 0, 1, [0])
    gone = (image == 0).all(0)
    assert gone[16:24, 8:24].all()
    assert gone.sum() == 8 * 16


# --- mixing -----------------------------------------------------------------------------------


def plain_batch(classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Photos of one colour each: the value of their class."""
    labels = torch.tensor([0, 1, 2, 3, 4, 2])
    return labels.float().view(-1, 1, 1, 1).expand(-1, 3, 16, 16).clone(), labels


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.4, 0.0), (0.0, 1.0), (0.4, 1.0)])
def test_labels_are_mixed_as_the_photos_are(mixup: float, cutmix: float) -> None:
    images, labels = plain_batch()
    changed = 0
    for batch in range(20):
        mixed, targets = augmentation.mixup_or_cutmix(images, labels, 5, mixup, cutmix, 0, 1, batch)
        torch.testing.assert_close(targets.sum(1), torch.ones(6))
        torch.testing.assert_close(targets @ torch.arange(5.0), mixed.mean((1, 2, 3)))
        changed += not torch.equal(mixed, images)
    assert changed > 15
    assert torch.equal(images, plain_batch()[0])


def test_cutmix_pastes_and_mixup_blends() -> None:
    images, labels = plain_batch()

    def values(mixup: float, cutmix: float, batch: int) -> int:
        mixed, _ = augmentation.mixup_or_cutmix(images, labels, 5, mixup, cutmix, 0, 1, batch)
        return len(mixed[1].unique())

    assert {values(0.4, 0.0, batch) for batch in range(20)} == {1}
    assert 2 in {values(0.0, 1.0, batch) for batch in range(20)}
    assert {values(0.4, 1.0, batch) for batch in range(20)} == {1, 2}


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.0, 0.0), (0.4, 0.0), (0.0, 1.0)])
def test_mixed_photos_keep_their_layout(mixup: float, cutmix: float) -> None:
    images = augmentation.normalize(views(), MEAN, STD)
    mixed, _ = augmentation.mixup_or_cutmix(images, torch.arange(4), 5, mixup, cutmix, 0, 1, 0)
    assert mixed.is_contiguous(memory_format=torch.channels_last)


def test_without_mixing_labels_are_certain() -> None:
    images, labels = plain_batch()
    mixed, targets = augmentation.mixup_or_cutmix(images, labels, 5, 0.0, 0.0, 0, 1, 0)
    assert torch.equal(mixed, images)
    assert torch.equal(targets.argmax(1), labels)
    assert torch.equal(targets.max(1).values, torch.ones(6))


def test_mixing_depends_on_seed_epoch_and_batch() -> None:
    images, labels = plain_batch()

    def mixed(*numbers: int) -> torch.Tensor:
        return augmentation.mixup_or_cutmix(images, labels, 5, 0.4, 0.0, *numbers)[1]

    assert torch.equal(mixed(1, 2, 3), mixed(1, 2, 3))
    others = [(0, 2, 3), (1, 3, 3), (1, 2, 4)]
    assert all(not torch.equal(mixed(*other), mixed(1, 2, 3)) for other in others)
