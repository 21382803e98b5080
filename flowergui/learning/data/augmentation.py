"""How a photo changes each time it is shown, and how photos are mixed.

Two stages, since a cut is cheapest on bytes and colours are cheapest on whole batches:

1. `view`, photo by photo in the loader's threads: cut, resize, mirror; bytes in, bytes out.
2. `dress`, batch by batch on the training device: turn, colours, erasing, normalisation.

`mix` then blends the photos of a batch and their labels (MixUp, CutMix).

What happens to a photo depends on (seed, epoch, index) alone, and how a batch is mixed on
(seed, epoch, batch) alone: no global generator is touched, and neither the batch that a photo
is in nor the thread that handles it changes the result.
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
"""RGB bytes of shape (height, width, 3)."""

CENTRE = 1.0
"""The share of a photo's shorter side that the network sees in validation and prediction."""


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How far an augmentation may go.

    `smallest` is the least share of the photo's area that a cut keeps, `stretch` how far its
    sides may leave the square (4/3: from 3:4 to 4:3). Brightness, contrast and saturation are
    multiplied by a factor within 1 ± the number, colours turn by up to `hue` of the colour
    circle, photos by up to `turn` degrees either way. `erase` is the probability that a
    rectangle of 2 to 25% of the area is painted in the mean colour.
    """

    smallest: float
    stretch: float
    brightness: float
    contrast: float
    saturation: float
    hue: float
    turn: float
    erase: float


AUGMENT_CONFIGS = {
    "light": AugmentConfig(
        smallest=0.25,
        stretch=4 / 3,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.0,
        turn=0.0,
        erase=0.0,
    ),
    "strong": AugmentConfig(
        smallest=0.2,
        stretch=4 / 3,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.02,
        turn=12.0,
        erase=0.25,
    ),
}
"""What the recipe's augmentations mean; "none" changes nothing."""


@dataclass(frozen=True, slots=True)
class AugmentParams:
    """What was drawn for one showing of one photo.

    The cut: `area` is its share of the photo's area, `shape` its width over its height, `left`
    and `top` (0 to 1) where it lies in the room that it leaves. `erased` is left, top, right
    and bottom as shares of the side.
    """

    area: float
    shape: float
    left: float
    top: float
    mirrored: bool
    brightness: float
    contrast: float
    saturation: float
    hue: float
    turn: float
    erased: tuple[float, float, float, float]


def sample_params(augmentation: str, seed: int, epoch: int, index: int) -> AugmentParams:
    """The changes for photo `index` in `epoch`, for "light" or "strong"."""
    strength = AUGMENT_CONFIGS[augmentation]
    chance = random.Random(derive_seed(seed, "augmentation", epoch, index))
    stretch = math.log(strength.stretch)
    area = chance.uniform(strength.smallest, 1.0)
    shape = math.exp(chance.uniform(-stretch, stretch))
    left, top = chance.random(), chance.random()
    mirrored = chance.random() < 0.5
    brightness = 1 + chance.uniform(-1, 1) * strength.brightness
    contrast = 1 + chance.uniform(-1, 1) * strength.contrast
    saturation = 1 + chance.uniform(-1, 1) * strength.saturation
    hue = chance.uniform(-1, 1) * strength.hue
    turn = chance.uniform(-1, 1) * strength.turn
    erased = (0.0, 0.0, 0.0, 0.0)
    if chance.random() < strength.erase:
        side = math.sqrt(chance.uniform(0.02, 0.25))
        oblong = math.exp(chance.uniform(-0.5, 0.5) * math.log(2.5))
        width, height = min(side * oblong, 1.0), min(side / oblong, 1.0)
        x, y = chance.random() * (1 - width), chance.random() * (1 - height)
        erased = (x, y, x + width, y + height)
    return AugmentParams(
        area,
        shape,
        left,
        top,
        mirrored,
        brightness,
        contrast,
        saturation,
        hue,
        turn,
        erased,
    )


# --- photo by photo ---------------------------------------------------------------------------


def cache_side(image_size: int, augmentation: str) -> int:
    """The shorter side, in pixels, at which photos are worth keeping for training."""
    if augmentation == "none":
        return round(image_size / CENTRE)
    return round(image_size * 1.5)


def resize_shorter_side(picture: Image.Image, side: int) -> Pixels:
    """The whole picture (RGB), its shorter side at `side` pixels; never larger than it is."""
    scale = side / min(picture.size)
    if scale < 1:
        width, height = (max(side, round(length * scale)) for length in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(picture, dtype=np.uint8)


def center_crop(photo: Pixels | Image.Image, image_size: int) -> Pixels:
    """The middle of the photo at (image_size, image_size, 3): what validation and prediction see.

    It is the square whose side is CENTRE of the photo's shorter side.
    """
    width, height = _size(photo)
    side = min(width, height) * CENTRE
    if width == height == side == image_size and not isinstance(photo, Image.Image):
        return photo
    left, top = (width - side) / 2, (height - side) / 2
    return _cut(photo, (left, top, left + side, top + side), image_size)


def random_resized_crop(
    photo: Pixels | Image.Image,
    augmentation: str,
    image_size: int,
    seed: int,
    epoch: int,
    index: int,
) -> Pixels:
    """What the network sees of photo `index` in `epoch`, at (image_size, image_size, 3).

    `photo` may have any size. Pillow leaves Python's lock while it resizes.
    """
    if augmentation == "none":
        return center_crop(photo, image_size)
    drawn = sample_params(augmentation, seed, epoch, index)
    width, height = _size(photo)
    wide = min(math.sqrt(width * height * drawn.area * drawn.shape), width)
    high = min(math.sqrt(width * height * drawn.area / drawn.shape), height)
    stretch = AUGMENT_CONFIGS[augmentation].stretch
    wide, high = min(wide, high * stretch), min(high, wide * stretch)  # a panorama isn't squeezed
    left, top = (width - wide) * drawn.left, (height - high) * drawn.top
    pixels = _cut(photo, (left, top, left + wide, top + high), image_size)
    return np.ascontiguousarray(pixels[:, ::-1]) if drawn.mirrored else pixels


def _size(photo: Pixels | Image.Image) -> tuple[int, int]:
    return photo.size if isinstance(photo, Image.Image) else (photo.shape[1], photo.shape[0])


def _cut(photo: Pixels | Image.Image, box: tuple[float, float, float, float], side: int) -> Pixels:
    picture = photo if isinstance(photo, Image.Image) else Image.fromarray(photo)
    cut = picture.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    return np.asarray(cut, dtype=np.uint8)


# --- batch by batch ---------------------------------------------------------------------------


def normalize_and_jitter(
    views: Tensor,
    augmentation: str,
    mean: Sequence[float],
    std: Sequence[float],
    seed: int,
    epoch: int,
    indices: Sequence[int],
) -> Tensor:
    """Views (B, S, S, 3) of bytes -> (B, 3, S, S) float32, channels last, normalised.

    `indices` are those of the photos, `mean` and `std` the RGB normalisation for colours from
    0 to 1. Works where `views` is.
    """
    if augmentation == "none":
        return normalize(views, mean, std)
    images = views.permute(0, 3, 1, 2).contiguous().float()  # by planes: 6 times faster here
    draws = [sample_params(augmentation, seed, epoch, index) for index in indices]
    strength = AUGMENT_CONFIGS[augmentation]
    if strength.turn:
        images = _rotate(images, [drawn.turn for drawn in draws])
    images = _color_jitter(images, draws, mean, std)
    if strength.erase:
        images = _random_erasing(images, [drawn.erased for drawn in draws])
    return images.contiguous(memory_format=torch.channels_last)


def normalize(views: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Views (B, S, S, 3) of bytes -> (x / 255 - mean) / std, (B, 3, S, S), channels last."""
    side = views.shape[2]
    scale = 1 / (255 * torch.tensor(std))
    shift = -torch.tensor(mean) / torch.tensor(std)
    rows = views.float().flatten(2)  # whole rows: broadcasting over threes would be slow
    shift, scale = (transfers.send(each.repeat(side), views.device) for each in (shift, scale))
    return torch.addcmul(shift, rows, scale).view(views.shape).permute(0, 3, 1, 2)


_GREY = torch.tensor([0.299, 0.587, 0.114])
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = torch.linalg.inv(_YIQ)


def _color_jitter(
    images: Tensor, draws: Sequence[AugmentParams], mean: Sequence[float], std: Sequence[float]
) -> Tensor:
    """Colours shifted and normalised. All of it is linear, so it is one matrix a photo:

    saturation s and hue h act on chrominance, a turn and scaling of (I, Q) in YIQ; brightness b
    scales; contrast c pulls towards the photo's own mean grey g: c x + (1 - c) g.
    """
    hue = torch.tensor([2 * math.pi * drawn.hue for drawn in draws])
    saturation = torch.tensor([drawn.saturation for drawn in draws])
    brightness = torch.tensor([drawn.brightness for drawn in draws]) / 255
    contrast = torch.tensor([drawn.contrast for drawn in draws])
    chroma = torch.zeros(len(draws), 3, 3)
    chroma[:, 0, 0] = 1
    chroma[:, 1, 1] = chroma[:, 2, 2] = saturation * torch.cos(hue)
    chroma[:, 2, 1] = saturation * torch.sin(hue)
    chroma[:, 1, 2] = -chroma[:, 2, 1]
    spread = 1 / torch.tensor(std)
    matrix = (_RGB @ chroma @ _YIQ) * (brightness * contrast).view(-1, 1, 1) * spread.view(3, 1)
    weights, pulling, middle, spread, matrix = (
        transfers.send(each, images.device)
        for each in (_GREY, brightness * (1 - contrast), torch.tensor(mean), spread, matrix)
    )
    grey = (images.mean((2, 3)) * weights).sum(1)
    shift = ((grey * pulling).view(-1, 1) - middle) * spread
    return torch.baddbmm(shift[:, :, None], matrix, images.flatten(2)).view_as(images)


def _rotate(images: Tensor, degrees: Sequence[float]) -> Tensor:
    """Each image turned clockwise by its angle; what comes in at the corners is mirrored."""
    angle = torch.deg2rad(torch.tensor(degrees))
    theta = torch.zeros(len(degrees), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.cos(angle)
    theta[:, 0, 1] = torch.sin(angle)
    theta[:, 1, 0] = -theta[:, 0, 1]
    theta = transfers.send(theta, images.device)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _random_erasing(images: Tensor, boxes: Sequence[tuple[float, float, float, float]]) -> Tensor:
    """Each image with its rectangle set to 0, the mean colour once normalised."""
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

    `mixup` and `cutmix` are the alphas of the Beta distributions that draw the share of the
    partner, 0 for off; where both are on, a coin decides batch by batch. A photo's partner is
    the one before it in the batch, which is shuffled anyway. Each row of targets sums to 1.
    mixup: Zhang et al. 2018, arXiv 1710.09412; CutMix: Yun et al. 2019, arXiv 1905.04899.
    """
    targets = functional.one_hot(labels, classes).to(images.dtype)
    chance = random.Random(derive_seed(seed, "mix", epoch, batch))
    pasted = cutmix > 0 and (mixup == 0 or chance.random() < 0.5)
    alpha = cutmix if pasted else mixup
    if alpha == 0:
        return images, targets
    share = chance.betavariate(alpha, alpha)
    partner = images.roll(1, 0)
    if pasted:
        high, wide = images.shape[2:]
        side = math.sqrt(share)
        x, y = chance.random() * wide, chance.random() * high
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
