"""A sample image: a background, flowers in and out of focus, and lighting."""

import math
import zlib

import numpy as np
from PIL import Image

from flowergui.samples.canvas import Canvas, Plane
from flowergui.samples.frame import Coat, Color, Frame, mix
from flowergui.samples.plant import HUES, UP, Hue, Plant, Rng
from flowergui.samples.species import SPECIES, Species

SIDE_PX = 192
"""Width and height of a sample picture in pixels."""

_GREENS: tuple[Color, ...] = (
    (0.22, 0.42, 0.16),
    (0.32, 0.50, 0.20),
    (0.16, 0.36, 0.20),
    (0.40, 0.52, 0.24),
    (0.20, 0.40, 0.28),
)
# Top, middle and bottom of what lies far behind.
_BACKDROPS: tuple[tuple[Color, Color, Color], ...] = (
    ((0.45, 0.66, 0.90), (0.80, 0.90, 0.97), (0.42, 0.60, 0.34)),  # a summer sky over grass
    ((0.55, 0.70, 0.38), (0.36, 0.55, 0.26), (0.16, 0.32, 0.14)),  # a meadow
    ((0.12, 0.24, 0.16), (0.10, 0.20, 0.12), (0.05, 0.11, 0.07)),  # the deep of a garden
    ((0.98, 0.80, 0.58), (0.92, 0.62, 0.48), (0.40, 0.34, 0.26)),  # evening
    ((0.95, 0.93, 0.88), (0.92, 0.89, 0.82), (0.82, 0.78, 0.70)),  # paper in a studio
    ((0.15, 0.14, 0.18), (0.22, 0.20, 0.25), (0.08, 0.07, 0.10)),  # velvet in a studio
    ((0.72, 0.80, 0.86), (0.86, 0.88, 0.90), (0.58, 0.68, 0.62)),  # morning mist
    ((0.62, 0.54, 0.72), (0.82, 0.68, 0.78), (0.38, 0.40, 0.42)),  # dusk
    ((0.24, 0.42, 0.48), (0.34, 0.55, 0.56), (0.14, 0.28, 0.30)),  # by the water
    ((0.78, 0.84, 0.55), (0.62, 0.74, 0.40), (0.34, 0.48, 0.22)),  # spring light
)


def picture(species: str, seed: int, index: int) -> Image.Image:
    """The `index`-th image of a species, SIDE_PX x SIDE_PX: a function of the three arguments."""
    rng = np.random.default_rng([seed, zlib.crc32(species.encode()), index])
    angle = UP + float(rng.uniform(-1.0, 1.0))
    light = (math.cos(angle), math.sin(angle))
    kind = SPECIES[species]
    green = _GREENS[int(rng.integers(len(_GREENS)))]
    hue = _hue(rng, kind)
    # What is out of focus shows no detail: half the size is enough, and four times faster.
    far = Canvas(SIDE_PX // 2, light)
    _backdrop(far, rng)
    _far_away(far, rng, kind, hue, green)
    canvas = far.enlarged(2)
    for plant in _arranged(rng, kind, hue, green):
        kind.paint(canvas, rng, plant)
    if rng.random() < 0.15:
        _blade_in_front(canvas, rng, green)
    _develop(canvas, rng)
    return canvas.picture()


def _hue(rng: Rng, kind: Species) -> Hue:
    """One of the species' hues, shifted a little as no two flowers are alike."""
    weights = np.array(list(kind.hues.values()))
    name = str(rng.choice(list(kind.hues), p=weights / weights.sum()))
    shift = rng.normal(0, 0.025, 3)

    def shifted(color: Color) -> Color:
        red, green, blue = (
            float(min(1.0, max(0.0, c + d))) for c, d in zip(color, shift, strict=True)
        )
        return red, green, blue

    deep, face, light = HUES[name]
    return shifted(deep), shifted(face), shifted(light)


def _backdrop(canvas: Canvas, rng: Rng) -> None:
    """A gradient, clouded by two sizes of soft blots, and rings of light out of focus."""
    top, middle, bottom = _BACKDROPS[int(rng.integers(len(_BACKDROPS)))]
    horizon = float(rng.uniform(0.35, 0.75))
    y = np.linspace(0, 1, canvas.size)
    rows = [
        np.interp(y, (0, horizon, 1), colors) for colors in zip(top, middle, bottom, strict=True)
    ]
    canvas.pixels[:] = np.array(rows, np.float32)[:, :, None]
    canvas.pixels *= 1 + 0.10 * _clouds(rng, canvas.size, 4) + 0.05 * _clouds(rng, canvas.size, 9)
    warm = np.array((0.03, 0.0, -0.03), np.float32)[:, None, None]
    canvas.pixels += warm * _clouds(rng, canvas.size, 4)
    # The brightest clouds keep some color.
    canvas.pixels[:] = np.tanh(canvas.pixels * 0.9) * np.float32(1.28)
    lightness = sum(middle) / 3
    for _ in range(int(rng.integers(0, 12))):
        glow = mix(mix(top, middle, float(rng.random())), (1.0, 0.97, 0.85), 0.35)
        radius = float(rng.uniform(0.02, 0.11) * canvas.size)
        place = rng.uniform(0, canvas.size, 2)
        _ring_of_light(
            canvas, float(place[0]), float(place[1]), radius, glow, 0.12 + 0.26 * (1 - lightness)
        )


def _clouds(rng: Rng, size: int, cells: int) -> Plane:
    """Smooth noise around 0, about 1 in size, in blots of 1/cells of the picture."""
    noise = rng.standard_normal((cells, cells)).astype(np.float32)
    image = Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def _ring_of_light(
    canvas: Canvas, x: float, y: float, radius: float, glow: Color, strength: float
) -> None:
    top, bottom = max(0, int(y - radius - 2)), min(canvas.size, int(y + radius + 4))
    left, right = max(0, int(x - radius - 2)), min(canvas.size, int(x + radius + 4))
    if top >= bottom or left >= right:
        return
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] - y
    dx = np.arange(left, right, dtype=np.float32)[None, :] - x
    far = np.hypot(dx, dy)
    cover = ((radius - far) / 2 + 0.5).clip(0, 1) * (0.7 + 0.3 * (far / radius) ** 3) * strength
    part = canvas.pixels[:, top:bottom, left:right]
    part += (np.array(glow, np.float32)[:, None, None] - part) * cover


def _far_away(canvas: Canvas, rng: Rng, kind: Species, hue: Hue, green: Color) -> None:
    """Grass, leaves and a few of the same flowers, out of focus."""
    if rng.random() < 0.6:
        coat = Coat(ramp=((0.0, mix(green, (0, 0, 0), 0.5)), (1.0, green)), shadow=0.1)
        for _ in range(int(rng.integers(4, 12))):
            length = float(rng.uniform(0.25, 0.7) * canvas.size)
            frame = Frame.at(
                float(rng.uniform(0, canvas.size)),
                canvas.size * 1.05,
                length,
                UP + float(rng.normal(0, 0.3)),
            )
            canvas.petal(frame, coat, width=0.05, base=0.3, tip=0.9, bend=float(rng.normal(0, 0.5)))
    for _ in range(int(rng.choice((0, 0, 1, 1, 2)))):
        plant = Plant(
            x=float(rng.uniform(0, canvas.size)),
            y=float(rng.uniform(0.15, 0.85)) * canvas.size,
            size=float(rng.uniform(0.06, 0.13)) * canvas.size * kind.size,
            lean=float(rng.normal(0, 0.2)),
            squash=float(rng.uniform(kind.flattest, 1)),
            hue=hue,
            green=green,
        )
        kind.paint(canvas, rng, plant)
    canvas.blur(float(rng.uniform(0.8, 1.8)))


def _arranged(rng: Rng, kind: Species, hue: Hue, green: Color) -> list[Plant]:
    """One to three flowers in focus, the farthest (and smallest) first."""
    count = int(rng.choice((1, 1, 1, 2, 2, 3)))
    largest = {1: 0.42, 2: 0.31, 3: 0.26}[count] * SIDE_PX
    size = float(rng.uniform(0.72, 1)) * largest * kind.size
    plants = []
    columns = rng.permutation(count)
    for i in range(count):
        if count == 1:
            x, y = rng.normal(0.5, 0.09), rng.normal(0.46, 0.08)
        else:
            x = (columns[i] + 0.5) / count + rng.normal(0, 0.05)
            y = rng.uniform(0.26, 0.62)
        share = 1 - 0.12 * (count - 1 - i)
        other = _hue(rng, kind) if rng.random() < 0.3 else hue
        plants.append(
            Plant(
                x=float(x) * SIDE_PX,
                y=float(y) * SIDE_PX,
                size=size * share,
                lean=float(rng.normal(0, 0.2)),
                squash=float(rng.uniform(kind.flattest, 1)),
                hue=other,
                green=green,
            )
        )
    return plants


def _blade_in_front(canvas: Canvas, rng: Rng, green: Color) -> None:
    coat = Coat(
        ramp=((0.0, mix(green, (0, 0.05, 0), 0.4)), (1.0, mix(green, (0.8, 0.9, 0.5), 0.3)))
    )
    frame = Frame.at(
        float(rng.uniform(0, SIDE_PX)),
        SIDE_PX * 1.04,
        float(rng.uniform(0.3, 0.65)) * SIDE_PX,
        UP + float(rng.normal(0, 0.35)),
    )
    canvas.petal(frame, coat, width=0.03, base=0.2, tip=0.9, bend=float(rng.normal(0, 0.5)))


def _develop(canvas: Canvas, rng: Rng) -> None:
    """Exposure, the warmth of the light, its fall across the picture, focus and grain."""
    pixels = canvas.pixels
    y, x = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j].astype(np.float32)
    lx, ly = canvas.light
    fall = 1 + 0.10 * (x * lx + y * ly) - float(rng.uniform(0.02, 0.12)) * (x * x + y * y)
    warmth = float(rng.normal(0, 0.05))
    tint = np.array((1 + warmth, 1, 1 - warmth), np.float32) * float(rng.uniform(0.9, 1.1))
    pixels *= fall * tint[:, None, None]
    # Highlights are compressed, as film does, so that white petals keep their shades.
    bright = np.maximum(pixels - np.float32(0.7), 0)
    pixels += np.tanh(bright / np.float32(0.3)) * np.float32(0.3) - bright
    if rng.random() < 0.25:
        canvas.blur(float(rng.uniform(0.4, 0.9)))
    canvas.pixels += (rng.standard_normal((SIDE_PX, SIDE_PX)) * rng.uniform(0.003, 0.010)).astype(
        np.float32
    )
