"""Colors, coordinate systems of shapes, and their shading."""

import math
from dataclasses import dataclass
from typing import Self

Color = tuple[float, float, float]
"""Red, green, blue from 0 to 1."""
Ramp = tuple[tuple[float, Color], ...]
"""Colors at places from 0 to 1, in rising order."""


def mix(first: Color, second: Color, share: float) -> Color:
    """`first` with `share` (0 to 1) of `second` in it."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a shape stands: its origin in pixels and its two axes, in pixels a unit."""

    x: float
    y: float
    along: tuple[float, float]
    across: tuple[float, float]

    @classmethod
    def at(cls, x: float, y: float, size: float, turn: float = 0.0, squash: float = 1.0) -> Self:
        """A frame of `size` pixels a unit, turned by `turn` radians (clockwise on screen); the
        second axis is `squash` times as long, as of a disc that is looked at from the side."""
        cos, sin = math.cos(turn) * size, math.sin(turn) * size
        return cls(x, y, (cos, sin), (-sin * squash, cos * squash))

    def point(self, u: float, v: float) -> tuple[float, float]:
        """The pixel at `u` along and `v` across."""
        return (
            self.x + u * self.along[0] + v * self.across[0],
            self.y + u * self.along[1] + v * self.across[1],
        )

    def inner(self, turn: float, u: float = 0.0, v: float = 0.0, size: float = 1.0) -> "Frame":
        """A frame within this one: its origin at (u, v), turned and scaled."""
        x, y = self.point(u, v)
        cos, sin = math.cos(turn) * size, math.sin(turn) * size
        (ax, ay), (bx, by) = self.along, self.across
        along = (ax * cos + bx * sin, ay * cos + by * sin)
        return Frame(x, y, along, (bx * cos - ax * sin, by * cos - ay * sin))

    @property
    def scale(self) -> float:
        """Pixels a unit, the mean of both axes."""
        (ax, ay), (bx, by) = self.along, self.across
        return math.sqrt(abs(ax * by - ay * bx)) + 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Coat:
    """How a petal is colored: `ramp` from its base to its tip, and the shading over it.

    `round` is how much it bulges, `facing` how much brighter it is for
    pointing into the light, `veins` how many fine lines run along it and `vein_depth`
    how dark they are, `ridge` the darkness (or, below 0, the lightness) of its middle line,
    `rim` the light in its edge, `shadow` the shade it casts, `stripe` a color that runs up
    its middle, `pinnate` how many pairs of side veins a leaf has.
    """

    ramp: Ramp
    round: float = 0.22
    facing: float = 0.07
    veins: float = 7.0
    vein_depth: float = 0.05
    ridge: float = 0.1
    rim: float = 0.08
    shadow: float = 0.4
    stripe: Color | None = None
    stripe_width: float = 0.4
    pinnate: float = 0.0
