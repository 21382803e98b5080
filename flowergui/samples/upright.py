"""Flowers seen from the side: tulip and iris."""

import math
from dataclasses import replace

import numpy as np

from flowergui.samples.canvas import Canvas
from flowergui.samples.frame import Coat, Color, Frame, mix
from flowergui.samples.plant import HUES, UP, Plant, Rng, between, leaf_coat, stem_below

# --- tulip: a cup of a few broad petals, upright on a bare stem, with long leaves ---------------


def tulip(canvas: Canvas, rng: Rng, plant: Plant) -> None:
    stem = stem_below(canvas, rng, plant, 0.085, drop=0.9)
    coat = leaf_coat(mix(plant.green, (0.30, 0.50, 0.42), 0.4), veins=11)
    for side in rng.permutation((-1, 1))[: int(rng.integers(1, 3))]:
        x, y, down = stem.place(between(rng, 0.75, 1.0))
        length = plant.size * between(rng, 1.9, 2.5)
        frame = Frame.at(x, y, length, down + math.pi - side * between(rng, 0.15, 0.35))
        canvas.petal(
            frame, coat, width=between(rng, 0.09, 0.13), base=0.35, tip=0.9, bend=-side * 0.5
        )

    deep, face, light = plant.hue
    base = mix(deep, (0.75, 0.78, 0.35), between(rng, 0.2, 0.7))
    coat = Coat(
        ramp=((0.0, base), (0.22, mix(deep, face, 0.5)), (0.6, face), (1.0, light)),
        round=0.3,
        veins=9,
        vein_depth=0.06,
        ridge=0.06,
        rim=0.14,
        shadow=0.45,
    )
    if rng.random() < 0.35:
        flame = HUES[str(rng.choice(("white", "yellow", "red", "purple", "cream")))][1]
        coat = replace(coat, stripe=mix(flame, face, 0.15), stripe_width=between(rng, 0.2, 0.45))
    frame = Frame.at(plant.x, plant.y, plant.size, UP + plant.lean)
    foot = frame.inner(0, -0.95)
    opening = between(rng, -0.05, 0.14)
    pointed = between(rng, 0.42, 0.62)
    petals = (
        (-0.16, 1.82, 0.3, 0.0, 0.72),
        (0.16, 1.82, 0.3, 0.0, 0.76),
        (-0.42 - opening, 1.86, 0.27, 0.62, 0.9),
        (0.42 + opening, 1.86, 0.27, -0.62, 0.88),
        (between(rng, -0.06, 0.06), 1.72, 0.345, 0.0, 1.0),
    )
    for turn, length, width, bend, gain in petals:
        canvas.petal(
            foot.inner(turn, size=length * between(rng, 0.96, 1.03)),
            coat,
            gain=gain,
            width=width,
            base=0.42,
            tip=pointed,
            bend=bend,
        )


# --- iris: three petals stand, three fall, each with a beard -------------------------------------


def iris(canvas: Canvas, rng: Rng, plant: Plant) -> None:
    stem = stem_below(canvas, rng, plant, 0.075, drop=0.1)
    coat = leaf_coat(mix(plant.green, (0.35, 0.55, 0.45), 0.3), veins=13)
    for _ in range(int(rng.integers(1, 4))):
        x, y, _ = stem.place(1.0)
        x += between(rng, -0.6, 0.6) * plant.size
        side = 1 if x > stem.place(1.0)[0] else -1
        frame = Frame.at(
            x, y, plant.size * between(rng, 2.0, 3.2), UP + side * between(rng, 0.0, 0.3)
        )
        canvas.petal(
            frame, coat, width=0.055, base=0.15, tip=0.6, bend=side * between(rng, -0.1, 0.3)
        )
    x, y, down = stem.place(0.05)
    spathe = Frame.at(x, y, plant.size * 0.8, down)
    canvas.petal(spathe, coat, width=0.17, base=0.4, tip=1.0)

    deep, face, light = plant.hue
    falls = plant.hue
    if rng.random() < 0.3:  # of two colors: pale above and dark below, or purple below yellow
        falls = HUES[str(rng.choice(("purple", "wine") if sum(face) > 1.9 else ("white", "cream")))]
    standard = Coat(
        ramp=(
            (0.0, deep),
            (0.35, mix(deep, face, 0.7)),
            (0.75, mix(face, light, 0.4)),
            (1.0, light),
        ),
        round=0.26,
        veins=11,
        vein_depth=0.09,
        ridge=0.14,
        rim=0.12,
        shadow=0.4,
    )
    pale = mix(falls[2], (1.0, 1.0, 0.9), 0.5)
    fall = Coat(
        ramp=(
            (0.0, pale),
            (0.22, mix(pale, falls[1], 0.35)),
            (0.5, falls[1]),
            (0.9, mix(falls[0], falls[1], 0.6)),
            (1.0, falls[2]),
        ),
        round=0.3,
        veins=13,
        vein_depth=0.22,
        ridge=0.1,
        rim=0.16,
        shadow=0.45,
    )
    frame = Frame.at(plant.x, plant.y, plant.size, UP + plant.lean)
    beard = mix((1.0, 0.72, 0.10), (0.98, 0.45, 0.05), between(rng, 0, 1))
    ruffle = between(rng, 0.04, 0.12)
    spread = between(rng, 1.15, 1.4)

    canvas.petal(
        frame.inner(between(rng, -0.1, 0.1), size=1.0),
        standard,
        gain=0.74,
        width=0.36,
        base=0.8,
        tip=0.4,
        ruffle=ruffle,
    )
    for side in (-1, 1):
        out = frame.inner(side * spread, size=1.25)
        bend = side * between(rng, 1.5, 1.9)
        canvas.petal(
            out, fall, gain=0.94, width=0.28, base=1.15, tip=0.36, bend=bend, ruffle=ruffle
        )
        _beard(canvas, rng, out, bend, beard, 0.4)
    for side in (-1, 1):
        up = frame.inner(side * 0.62, size=1.18)
        canvas.petal(
            up,
            standard,
            gain=0.95 + side * 0.04,
            width=0.27,
            base=0.75,
            tip=0.42,
            bend=-side * 1.15,
            ruffle=ruffle,
        )
    front = frame.inner(math.pi + between(rng, -0.2, 0.2), size=0.98)
    canvas.petal(front, fall, width=0.36, base=0.95, tip=0.36, ruffle=ruffle)
    arm = replace(standard, shadow=0.3)
    for turn in (-1.25, 1.25, math.pi):
        canvas.petal(frame.inner(turn, size=0.36), arm, width=0.3, base=0.5, tip=0.4)
    _beard(canvas, rng, front.inner(0, 0.2), 0.0, beard, 0.38)


def _beard(canvas: Canvas, rng: Rng, frame: Frame, bend: float, color: Color, end: float) -> None:
    """A strip of short hairs up the middle of a fall."""
    t = np.sort(rng.uniform(0.08, end, 26))
    off = rng.normal(0, 0.022, t.shape)
    along = np.sin(t * bend) / bend if bend else t
    across = (1 - np.cos(t * bend)) / bend + off if bend else off
    places = np.array([frame.point(u, v) for u, v in zip(along, across, strict=True)])
    canvas.dots(places, max(0.8, frame.scale * 0.022), color)
