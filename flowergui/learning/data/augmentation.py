"""Data augmentation: random crops, colors and erasing for each image, and mixing of images.

There are two stages, since crops are cheapest on bytes and colors are cheapest on whole batches:

1. `random_resized_crop`, for each image, in the loader's threads: crop, resize, flip; uint8.
2. `normalize_and_jitter`, for each batch, on the training device: rotation, colors, erasing,
   normalization.

`mixup_or_cutmix` then mixes the images of a batch and their labels.

An image's augmentation is a function of (seed, epoch, index), and the mixing of a batch of (seed,
epoch, batch). No global random generator is used, and neither the batch that an image is in nor
the thread that processes it changes the result.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from flowergui.learning.device import transfers
from flowergui.learning.randomness import derive_seed

Pixels = NDArray[np.uint8]
"""RGB, (height, width, 3) uint8."""

CENTER_SHARE = 1.0
"""Side of the center crop for validation and prediction, as a share of the image's shorter side."""


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """The ranges that augmentation draws from.

    `min_area` is the least share of the image's area that a crop keeps, `max_aspect` its largest
    aspect ratio (4/3: from 3:4 to 4:3). Brightness, contrast and saturation are multiplied by a
    factor within 1 ± the number; hues are shifted by up to `hue` of the color circle, images
    rotated by up to `rotation` degrees in both directions. `erase` is the probability that a
    rectangle of 2 to 25% of the area is filled with the mean color.
    """

    min_area: float
    max_aspect: float
    brightness: float
    contrast: float
    saturation: float
    hue: float
    rotation: float
    erase: float


AUGMENT_CONFIGS = {
    "light": AugmentConfig(
        min_area=0.25,
        max_aspect=4 / 3,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.0,
        rotation=0.0,
        erase=0.0,
    ),
    "strong": AugmentConfig(
        min_area=0.2,
        max_aspect=4 / 3,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.02,
        rotation=12.0,
        erase=0.25,
    ),
}
"""By the recipe's augmentation. "none" has no entry: it changes nothing."""


@dataclass(frozen=True, slots=True)
class AugmentParams:
    """The augmentation of one image in one epoch.

    The crop has the share `area` of the image's area and the `aspect` ratio (width / height);
    `left` and `top` are its position, 0 to 1 from one edge to the other. `rotation` is in
    degrees. `erased` is the erased rectangle (left, top, right, bottom) in shares of the side.
    """

    area: float
    aspect: float
    left: float
    top: float
    flipped: bool
    brightness: float
    contrast: float
    saturation: float
    hue: float
    rotation: float
    erased: tuple[float, float, float, float]


def sample_params(augmentation: str, seed: int, epoch: int, index: int) -> AugmentParams:
    """The augmentation of image `index` in `epoch`, for "light" or "strong"."""
    config = AUGMENT_CONFIGS[augmentation]
    rng = random.Random(derive_seed(seed, "augmentation", epoch, index))
    max_log_aspect = math.log(config.max_aspect)
    area = rng.uniform(config.min_area, 1.0)
    aspect = math.exp(rng.uniform(-max_log_aspect, max_log_aspect))
    left, top = rng.random(), rng.random()
    flipped = rng.random() < 0.5
    brightness = 1 + rng.uniform(-1, 1) * config.brightness
    contrast = 1 + rng.uniform(-1, 1) * config.contrast
    saturation = 1 + rng.uniform(-1, 1) * config.saturation
    hue = rng.uniform(-1, 1) * config.hue
    rotation = rng.uniform(-1, 1) * config.rotation
    erased = (0.0, 0.0, 0.0, 0.0)
    if rng.random() < config.erase:
        side = math.sqrt(rng.uniform(0.02, 0.25))
        stretch = math.exp(rng.uniform(-0.5, 0.5) * math.log(2.5))
        width, height = min(side * stretch, 1.0), min(side / stretch, 1.0)
        x, y = rng.random() * (1 - width), rng.random() * (1 - height)
        erased = (x, y, x + width, y + height)
    return AugmentParams(
        area,
        aspect,
        left,
        top,
        flipped,
        brightness,
        contrast,
        saturation,
        hue,
        rotation,
        erased,
    )


# --- image by image ---------------------------------------------------------------------------


def cache_side(image_size: int, augmentation: str) -> int:
    """The shorter side in pixels at which training images are kept."""
    if augmentation == "none":
        return round(image_size / CENTER_SHARE)
    return round(image_size * 1.5)


def resize_shorter_side(picture: Image.Image, side: int) -> Pixels:
    """The whole image (RGB), with a shorter side of `side` pixels; never enlarged."""
    scale = side / min(picture.size)
    if scale < 1:
        width, height = (max(side, round(length * scale)) for length in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(picture, dtype=np.uint8)


def center_crop(photo: Pixels | Image.Image, image_size: int) -> Pixels:
    """The center crop, resized to (image_size, image_size, 3), for validation and prediction.

    Its side is CENTER_SHARE of the image's shorter side.
    """
    width, height = _size(photo)
    side = min(width, height) * CENTER_SHARE
    if width == height == side == image_size and not isinstance(photo, Image.Image):
        return photo
    left, top = (width - side) / 2, (height - side) / 2
    return _crop(photo, (left, top, left + side, top + side), image_size)


def random_resized_crop(
    photo: Pixels | Image.Image,
    augmentation: str,
    image_size: int,
    seed: int,
    epoch: int,
    index: int,
) -> Pixels:
    """The random crop of image `index` in `epoch`, resized to (image_size, image_size, 3).

    `photo` may have any size. Pillow releases Python's global lock while it resizes.
    """
    if augmentation == "none":
        return center_crop(photo, image_size)
    params = sample_params(augmentation, seed, epoch, index)
    width, height = _size(photo)
    wide = min(math.sqrt(width * height * params.area * params.aspect), width)
    high = min(math.sqrt(width * height * params.area / params.aspect), height)
    max_aspect = AUGMENT_CONFIGS[augmentation].max_aspect
    # A panorama's crop isn't squeezed.
    wide, high = min(wide, high * max_aspect), min(high, wide * max_aspect)
    left, top = (width - wide) * params.left, (height - high) * params.top
    pixels = _crop(photo, (left, top, left + wide, top + high), image_size)
    return np.ascontiguousarray(pixels[:, ::-1]) if params.flipped else pixels


def _size(photo: Pixels | Image.Image) -> tuple[int, int]:
    return photo.size if isinstance(photo, Image.Image) else (photo.shape[1], photo.shape[0])


def _crop(photo: Pixels | Image.Image, box: tuple[float, float, float, float], side: int) -> Pixels:
    picture = photo if isinstance(photo, Image.Image) else Image.fromarray(photo)
    crop = picture.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    return np.asarray(crop, dtype=np.uint8)


# --- batch by batch ---------------------------------------------------------------------------


def normalize_and_jitter(
    crops: Tensor,
    augmentation: str,
    mean: Sequence[float],
    std: Sequence[float],
    seed: int,
    epoch: int,
    indices: Sequence[int],
) -> Tensor:
    """Crops (B, S, S, 3) uint8 -> (B, 3, S, S) float32, channels last, on the same device.

    `indices` are the images' indices; `mean` and `std` normalize RGB from 0 to 1.
    """
    if augmentation == "none":
        return normalize(crops, mean, std)
    images = crops.permute(0, 3, 1, 2).contiguous().float()  # 6 times faster by planes
    draws = [sample_params(augmentation, seed, epoch, index) for index in indices]
    config = AUGMENT_CONFIGS[augmentation]
    if config.rotation:
        images = _rotate(images, [params.rotation for params in draws])
    images = _color_jitter(images, draws, mean, std)
    if config.erase:
        images = _random_erasing(images, [params.erased for params in draws])
    return images.contiguous(memory_format=torch.channels_last)


def normalize(crops: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Crops (B, S, S, 3) uint8 -> (x / 255 - mean) / std, (B, 3, S, S) float32, channels last."""
    side = crops.shape[2]
    scale = 1 / (255 * torch.tensor(std))
    shift = -torch.tensor(mean) / torch.tensor(std)
    rows = crops.float().flatten(2)  # whole rows: broadcasting over threes would be slow
    shift, scale = (transfers.send(each.repeat(side), crops.device) for each in (shift, scale))
    return torch.addcmul(shift, rows, scale).view(crops.shape).permute(0, 3, 1, 2)


_GRAY = torch.tensor([0.299, 0.587, 0.114])
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = torch.linalg.inv(_YIQ)


def _color_jitter(
    images: Tensor, draws: Sequence[AugmentParams], mean: Sequence[float], std: Sequence[float]
) -> Tensor:
    """Changes colors and normalizes. All of it is linear, so it is one matrix per image.

    Saturation and hue scale and rotate the chrominance (I, Q) in YIQ; brightness scales; contrast c
    blends with the image's own mean gray g: c x + (1 - c) g.
    """
    hue = torch.tensor([2 * math.pi * params.hue for params in draws])
    saturation = torch.tensor([params.saturation for params in draws])
    brightness = torch.tensor([params.brightness for params in draws]) / 255
    contrast = torch.tensor([params.contrast for params in draws])
    chroma = torch.zeros(len(draws), 3, 3)
    chroma[:, 0, 0] = 1
    chroma[:, 1, 1] = chroma[:, 2, 2] = saturation * torch.cos(hue)
    chroma[:, 2, 1] = saturation * torch.sin(hue)
    chroma[:, 1, 2] = -chroma[:, 2, 1]
    spread = 1 / torch.tensor(std)
    matrix = (_RGB @ chroma @ _YIQ) * (brightness * contrast).view(-1, 1, 1) * spread.view(3, 1)
    weights, blend, middle, spread, matrix = (
        transfers.send(each, images.device)
        for each in (_GRAY, brightness * (1 - contrast), torch.tensor(mean), spread, matrix)
    )
    gray = (images.mean((2, 3)) * weights).sum(1)
    shift = ((gray * blend).view(-1, 1) - middle) * spread
    return torch.baddbmm(shift[:, :, None], matrix, images.flatten(2)).view_as(images)


def _rotate(images: Tensor, degrees: Sequence[float]) -> Tensor:
    """Rotates each image clockwise by its angle; corners are filled by reflection."""
    angle = torch.deg2rad(torch.tensor(degrees))
    theta = torch.zeros(len(degrees), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.cos(angle)
    theta[:, 0, 1] = torch.sin(angle)
    theta[:, 1, 0] = -theta[:, 0, 1]
    theta = transfers.send(theta, images.device)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _random_erasing(images: Tensor, boxes: Sequence[tuple[float, float, float, float]]) -> Tensor:
    """Sets each image's rectangle to 0, which is the mean color after normalization."""
    left, top, right, bottom = transfers.send(torch.tensor(boxes), images.device).T
    place = (torch.arange(images.shape[-1], device=images.device) + 0.5) / images.shape[-1]
    across = (place > left[:, None]) & (place < right[:, None])
    down = (place > top[:, None]) & (place < bottom[:, None])
    return images.masked_fill_(down[:, None, :, None] & across[:, None, None, :], 0)


def mixup_or_cutmix(
    images: Tensor,
    labels: Tensor,
    classes: int,
    mixup: float,
    cutmix: float,
    seed: int,
    epoch: int,
    batch: int,
) -> tuple[Tensor, Tensor]:
    """Images (B, 3, S, S) and labels (B,) int64 -> mixed images and targets (B, classes).

    `mixup` and `cutmix` are the alphas of the Beta distributions that the partner's share is drawn
    from, 0 for off; if both are on, each batch gets one of them with equal probability. An image's
    partner is the one before it in the (shuffled) batch. Each row of targets sums to 1.
    mixup: Zhang et al. 2018, arXiv 1710.09412; CutMix: Yun et al. 2019, arXiv 1905.04899.
    """
    targets = functional.one_hot(labels, classes).to(images.dtype)
    rng = random.Random(derive_seed(seed, "mix", epoch, batch))
    pasted = cutmix > 0 and (mixup == 0 or rng.random() < 0.5)
    alpha = cutmix if pasted else mixup
    if alpha == 0:
        return images, targets
    share = rng.betavariate(alpha, alpha)
    partner = images.roll(1, 0)
    if pasted:
        high, wide = images.shape[2:]
        side = math.sqrt(share)
        x, y = rng.random() * wide, rng.random() * high
        left, right = _span(x, side * wide, wide)
        top, bottom = _span(y, side * high, high)
        images = images.clone()
        images[:, :, top:bottom, left:right] = partner[:, :, top:bottom, left:right]
        share = (right - left) * (bottom - top) / (wide * high)
    else:
        images = torch.lerp(images, partner, share)
    return images, torch.lerp(targets, targets.roll(1, 0), share)


def _span(middle: float, length: float, limit: int) -> tuple[int, int]:
    return max(round(middle - length / 2), 0), min(round(middle + length / 2), limit)
