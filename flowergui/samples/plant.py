"""What all plants share: a palette, a place to stand, a stem and a green for the leaves.

The palette is one for all species, as gardens have it: there are white, yellow, red, pink and
purple daisies, poppies, roses and tulips, so color alone names none of them.
"""

import math
from dataclasses import dataclass

import numpy as np

from flowergui.samples.canvas import Canvas, Plane
from flowergui.samples.frame import Coat, Color, Frame, mix

Rng = np.random.Generator
Hue = tuple[Color, Color, Color]
"""A petal's color in its depths, on its face, and where light shines through."""

HUES: dict[str, Hue] = {
    "white": ((0.74, 0.76, 0.70), (0.95, 0.94, 0.91), (1.0, 1.0, 0.98)),
    "cream": ((0.84, 0.62, 0.44), (0.98, 0.84, 0.68), (1.0, 0.95, 0.86)),
    "yellow": ((0.88, 0.56, 0.05), (0.99, 0.80, 0.14), (1.0, 0.93, 0.45)),
    "orange": ((0.78, 0.28, 0.05), (0.97, 0.52, 0.14), (1.0, 0.76, 0.36)),
    "red": ((0.46, 0.02, 0.06), (0.82, 0.10, 0.12), (0.97, 0.38, 0.30)),
    "wine": ((0.24, 0.02, 0.10), (0.50, 0.08, 0.20), (0.76, 0.34, 0.42)),
    "pink": ((0.74, 0.22, 0.42), (0.95, 0.52, 0.66), (1.0, 0.82, 0.88)),
    "purple": ((0.28, 0.10, 0.45), (0.55, 0.30, 0.74), (0.80, 0.64, 0.94)),
    "mauve": ((0.50, 0.22, 0.50), (0.76, 0.52, 0.76), (0.94, 0.82, 0.94)),
    "blue": ((0.14, 0.20, 0.55), (0.36, 0.46, 0.84), (0.70, 0.78, 0.97)),
}
UP = -math.pi / 2


@dataclass(frozen=True, slots=True)
class Plant:
    """One flower as it will stand in the picture: the middle of its bloom in pixels, its
    radius, how far it leans (radians), how far it is turned away (1: not at all), its petals'
    hue, its green, and whether it is near enough for its stem and leaves to be drawn well."""

    x: float
    y: float
    size: float
    lean: float
    squash: float
    hue: Hue
    green: Color


def between(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def leaf_coat(green: Color, *, pinnate: float = 0.0, veins: float = 9.0) -> Coat:
    dark, pale = mix(green, (0.02, 0.10, 0.06), 0.45), mix(green, (0.75, 0.85, 0.45), 0.35)
    ramp = ((0.0, dark), (0.5, green), (1.0, pale))
    return Coat(
        ramp=ramp,
        round=0.2,
        veins=veins,
        vein_depth=0.09,
        ridge=-0.25,
        rim=0.05,
        shadow=0.3,
        pinnate=pinnate,
    )


@dataclass(frozen=True, slots=True)
class Stem:
    """An arc from the bloom downwards, `length` pixels long, of curvature `bend` a length."""

    frame: Frame
    bend: float
    length: float

    def place(self, t: float) -> tuple[float, float, float]:
        """x, y and direction (downwards, in radians) at `t`, from 0 at the bloom to 1."""
        turn = t * self.bend
        x, y = self.frame.point(math.sin(turn) / self.bend, (1 - math.cos(turn)) / self.bend)
        ax, ay = self.frame.along
        return x, y, math.atan2(ay, ax) + turn


def stem_below(canvas: Canvas, rng: Rng, plant: Plant, thickness: float, drop: float = 0.0) -> Stem:
    """Draws a stem that begins `drop` radii below the bloom's middle and leaves the picture.
    `thickness` is in radii of the bloom."""
    down = math.pi / 2 + plant.lean
    x = plant.x + math.cos(down) * drop * plant.size
    y = plant.y + math.sin(down) * drop * plant.size
    length = max(canvas.size * 1.08 - y, plant.size) * 1.1
    bend = -plant.lean * between(rng, 0.7, 1.5) + between(rng, 0.02, 0.12)
    frame = Frame.at(x, y, length, down)
    dark, pale = mix(plant.green, (0, 0.05, 0), 0.4), mix(plant.green, (0.8, 0.9, 0.5), 0.15)
    coat = Coat(
        ramp=((0.0, dark), (0.25, pale), (1.0, plant.green)),
        round=0.4,
        vein_depth=0.0,
        ridge=0.0,
        rim=0.0,
        shadow=0.25,
    )
    width = thickness * plant.size / length
    canvas.petal(frame, coat, width=width, base=0.02, tip=0.02, bend=bend)
    return Stem(frame, bend, length)


def waves(rng: Rng, depth: float, knots: int = 15) -> Plane:
    return (rng.standard_normal(knots) * depth).astype(np.float32)
