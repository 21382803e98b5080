"""The six species: the functions that draw them, their hues and their sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowergui.samples.canvas import Canvas
from flowergui.samples.open_faced import daisy, poppy, rose, sunflower
from flowergui.samples.plant import Plant, Rng
from flowergui.samples.upright import iris, tulip


@dataclass(frozen=True, slots=True)
class Species:
    """The function that draws a species, the weights of its hues, its relative size, and how far
    its bloom may be tilted (1: not at all)."""

    paint: Callable[[Canvas, Rng, Plant], None]
    hues: Mapping[str, float]
    size: float
    flattest: float


SPECIES: dict[str, Species] = {
    "daisy": Species(
        daisy,
        {
            "white": 3,
            "yellow": 1.5,
            "pink": 2,
            "purple": 1.5,
            "red": 1,
            "wine": 0.4,
            "orange": 1,
            "blue": 0.5,
        },
        size=1.0,
        flattest=0.5,
    ),
    "iris": Species(
        iris,
        {
            "purple": 6,
            "blue": 3,
            "yellow": 2,
            "white": 1.5,
            "wine": 0.8,
            "cream": 1,
            "pink": 1,
            "orange": 0.6,
            "red": 0.4,
        },
        size=0.9,
        flattest=1.0,
    ),
    "poppy": Species(
        poppy,
        {
            "red": 6,
            "orange": 2,
            "pink": 1.7,
            "white": 1,
            "yellow": 1.2,
            "purple": 1,
            "cream": 0.7,
            "blue": 0.4,
        },
        size=1.0,
        flattest=0.55,
    ),
    "rose": Species(
        rose,
        {
            "red": 1.8,
            "wine": 0.6,
            "pink": 2,
            "white": 1.5,
            "yellow": 1.5,
            "cream": 1.2,
            "orange": 1,
            "mauve": 1.2,
        },
        size=0.92,
        flattest=0.8,
    ),
    "sunflower": Species(
        sunflower,
        {"yellow": 6, "orange": 2, "wine": 1, "red": 0.6, "cream": 1.2, "white": 0.4},
        size=1.05,
        flattest=0.55,
    ),
    "tulip": Species(
        tulip,
        {
            "red": 2,
            "yellow": 2,
            "pink": 2,
            "purple": 1.5,
            "white": 1.2,
            "orange": 1.3,
            "cream": 0.6,
        },
        size=0.85,
        flattest=1.0,
    ),
}
