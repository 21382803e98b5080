"""Flowers that show their face: daisy, sunflower, rose and poppy."""

import math
from dataclasses import replace

import numpy as np

from flowergui.samples.canvas import Canvas
from flowergui.samples.frame import Coat, Frame, mix
from flowergui.samples.plant import UP, Plant, Rng, between, leaf_coat, stem_below, waves

# --- daisy: many narrow, blunt petals around a small yellow cushion -----------------------------


def daisy(canvas: Canvas, rng: Rng, plant: Plant) -> None:
    stem = stem_below(canvas, rng, plant, 0.055)
    for t in rng.uniform(0.35, 0.95, int(rng.integers(1, 4))):
        x, y, down = stem.place(float(t))
        side = rng.choice((-1, 1))
        size = plant.size * between(rng, 0.7, 1.1)
        frame = Frame.at(x, y, size, down + math.pi - side * between(rng, 0.5, 1.0))
        coat = leaf_coat(plant.green, pinnate=6)
        canvas.petal(
            frame, coat, width=0.17, base=1.3, tip=0.6, bend=side * 0.6, lobes=5, lobe_depth=0.3
        )

    frame = Frame.at(plant.x, plant.y, plant.size, plant.lean, plant.squash)
    deep, face, light = plant.hue
    blush = mix(face, deep, between(rng, 0, 0.6))
    coat = Coat(
        ramp=(
            (0.0, deep),
            (0.3, mix(deep, face, 0.75)),
            (0.75, face),
            (1.0, mix(light, blush, 0.3)),
        ),
        round=0.16,
        veins=3,
        vein_depth=0.07,
        ridge=0.08,
        shadow=0.3,
    )
    count = int(rng.integers(15, 25))
    start = between(rng, 0, math.tau)
    for ring, reach in ((0, 1.0), (1, 0.95)):
        for i in range(count):
            turn = start + (i + ring * 0.5) * math.tau / count + between(rng, -0.06, 0.06)
            length = reach * between(rng, 0.9, 1.02)
            canvas.petal(
                frame.inner(turn, size=length),
                coat,
                gain=(0.88, 1.0)[ring] * between(rng, 0.93, 1.04),
                width=between(rng, 1.7, 2.1) / count,
                base=0.75,
                tip=0.28,
                bend=between(rng, -0.25, 0.25),
            )
    radius = between(rng, 0.25, 0.32)
    yolk = mix((0.98, 0.76, 0.10), (0.90, 0.52, 0.06), between(rng, 0, 0.8))
    ramp = (
        (0.0, mix(yolk, (0.75, 0.75, 0.15), 0.45)),
        (0.5, yolk),
        (1.0, mix(yolk, (0.5, 0.25, 0.0), 0.45)),
    )
    canvas.disc(frame.inner(start, size=radius), ramp, seeds=110, depth=0.4)


# --- sunflower: two rows of pointed petals around a great dark head of seeds --------------------


def sunflower(canvas: Canvas, rng: Rng, plant: Plant) -> None:
    stem = stem_below(canvas, rng, plant, 0.085)
    for t, side in zip((0.35, 0.6, 0.85), rng.permutation((-1, 1, -1)), strict=True):
        x, y, down = stem.place(t + between(rng, -0.1, 0.1))
        frame = Frame.at(x, y, plant.size * between(rng, 0.9, 1.3), down + math.pi - side * 1.2)
        coat = leaf_coat(plant.green, pinnate=5)
        canvas.petal(frame, coat, width=0.34, base=0.42, tip=0.95, bend=side * 0.6)

    frame = Frame.at(plant.x, plant.y, plant.size, plant.lean, plant.squash)
    radius = between(rng, 0.42, 0.5)
    deep, face, light = plant.hue
    coat = Coat(
        ramp=((0.0, mix(deep, (0.3, 0.12, 0.0), 0.35)), (0.35, deep), (0.65, face), (1.0, light)),
        round=0.2,
        veins=5,
        vein_depth=0.1,
        ridge=0.15,
        shadow=0.35,
    )
    count = int(rng.integers(15, 20))
    start = between(rng, 0, math.tau)
    sepals = leaf_coat(plant.green)
    for i in range(11):
        turn = start + (i + 0.3) * math.tau / 11
        canvas.petal(
            frame.inner(turn, size=between(rng, 0.85, 0.95)), sepals, width=0.13, base=0.8, tip=1.2
        )
    root = radius * 0.7
    for ring, gain in ((0, 0.84), (1, 1.0)):
        for i in range(count):
            turn = start + (i + ring * 0.5) * math.tau / count + between(rng, -0.09, 0.09)
            length = (1 - root) * between(rng, 0.9, 1.06)
            u, v = root * math.cos(turn), root * math.sin(turn)
            canvas.petal(
                frame.inner(turn, u, v, length),
                coat,
                gain=gain * between(rng, 0.93, 1.05),
                width=between(rng, 0.22, 0.27),
                base=0.6,
                tip=0.95,
                bend=between(rng, -0.35, 0.35),
            )
    brown = mix((0.26, 0.14, 0.07), (0.46, 0.28, 0.10), between(rng, 0, 1))
    heart = mix(brown, (0.45, 0.50, 0.18), between(rng, 0.2, 0.8))
    gold = mix(brown, (0.85, 0.52, 0.10), 0.5)
    ramp = ((0.0, heart), (0.35, mix(heart, brown, 0.6)), (0.55, brown), (0.8, gold), (1.0, brown))
    canvas.disc(frame.inner(start, size=radius), ramp, seeds=300, depth=0.6)


# --- rose: rings of broad petals that close into a spiral ----------------------------------------


def rose(canvas: Canvas, rng: Rng, plant: Plant) -> None:
    stem = stem_below(canvas, rng, plant, 0.06)
    green = mix(plant.green, (0.05, 0.22, 0.10), 0.35)
    coat = leaf_coat(green, pinnate=7)
    for t in (0.42, 0.75):
        x, y, down = stem.place(t + between(rng, -0.12, 0.12))
        side = rng.choice((-1, 1))
        twig = down + math.pi - side * between(rng, 0.7, 1.2)
        for turn, far, size in ((-0.9, 0.45, 0.6), (0.9, 0.5, 0.6), (0.0, 0.6, 0.8)):
            frame = Frame.at(x, y, plant.size, twig).inner(turn, far, 0, size)
            canvas.petal(frame, coat, width=0.27, base=0.55, tip=0.7, lobes=11, lobe_depth=0.12)
        twig_frame = Frame.at(x, y, plant.size * 0.7, twig)
        canvas.petal(twig_frame, coat, width=0.03, base=0.05, tip=0.05)

    frame = Frame.at(plant.x, plant.y, plant.size, plant.lean, max(plant.squash, 0.78))
    for i in range(5):
        turn = i * math.tau / 5 + plant.x
        canvas.petal(frame.inner(turn, size=1.12), coat, width=0.12, base=0.5, tip=1.1)
    deep, face, light = plant.hue
    dark = mix(deep, (0.15, 0.0, 0.03), 0.3)
    coat = Coat(
        ramp=(
            (0.0, dark),
            (0.3, dark),
            (0.62, mix(deep, face, 0.6)),
            (0.86, face),
            (0.97, mix(face, light, 0.45)),
            (1.0, mix(face, light, 0.8)),
        ),
        round=0.14,
        facing=0.14,
        veins=9,
        vein_depth=0.03,
        ridge=0.0,
        rim=0.0,
        shadow=0.5,
    )
    start = between(rng, 0, math.tau)
    lift = between(rng, 0.0, 0.3)
    handed = rng.choice((-1, 1))
    # Each petal stands at the golden angle from the last, smaller and wrapped further around.
    count, turn = 26, start
    for i in range(count):
        inwards = i / (count - 1)
        reach = 1 - 0.9 * inwards**0.85
        turn += handed * 2.39996
        canvas.fan(
            frame.inner(turn, 0.0, -lift * inwards, reach * between(rng, 0.95, 1.05)),
            coat,
            gain=(0.9 + 0.1 * min(1.0, 3 * inwards)) * between(rng, 0.95, 1.05),
            half_angle=0.88 + 0.85 * inwards,
            fullness=3.4,
            point=between(rng, 0.0, 0.13) * (1 - inwards),
            waves=waves(rng, 0.014, 9),
        )


# --- poppy: four to six crinkled petals, dark at their feet, around a ribbed capsule ------------


def poppy(canvas: Canvas, rng: Rng, plant: Plant) -> None:
    stem = stem_below(canvas, rng, plant, 0.04)
    coat = leaf_coat(mix(plant.green, (0.45, 0.60, 0.50), 0.3), pinnate=7)
    for _ in range(int(rng.integers(1, 3))):
        x, y, down = stem.place(between(rng, 0.6, 1.0))
        side = rng.choice((-1, 1))
        frame = Frame.at(x, y, plant.size * between(rng, 1.0, 1.4), down + math.pi - side * 0.7)
        canvas.petal(
            frame, coat, width=0.2, base=0.8, tip=0.8, bend=side * 0.5, lobes=6, lobe_depth=0.65
        )

    if rng.random() < 0.5:
        _nodding_bud(canvas, rng, plant, coat)
    frame = Frame.at(plant.x, plant.y, plant.size, plant.lean, plant.squash)
    deep, face, light = plant.hue
    blotch = mix((0.10, 0.03, 0.10), deep, 0.15)
    if rng.random() < 0.25:
        blotch = mix(deep, (0.85, 0.80, 0.35), 0.4)
    reach = between(rng, 0.2, 0.36)
    coat = Coat(
        ramp=(
            (0.0, blotch),
            (reach, blotch),
            (reach + 0.09, mix(deep, face, 0.35)),
            (0.7, face),
            (0.93, mix(face, light, 0.5)),
            (1.0, light),
        ),
        round=0.2,
        facing=0.1,
        veins=27,
        vein_depth=0.09,
        ridge=0.0,
        rim=0.0,
        shadow=0.42,
    )
    start = between(rng, 0, math.tau)
    count = int(rng.choice((4, 4, 4, 6)))
    order = [*range(0, count, 2), *range(1, count, 2)]
    for k, i in enumerate(order):
        behind = k < count // 2
        turn = start + i * math.tau / count + between(rng, -0.1, 0.1)
        canvas.fan(
            frame.inner(turn, size=(1.0 if behind else 0.92) * between(rng, 0.95, 1.05)),
            coat,
            gain=(0.84 if behind else 1.0) * between(rng, 0.95, 1.05),
            half_angle=1.25 if count == 4 else 0.9,
            fullness=3.6,
            waves=waves(rng, 0.03, 23),
        )
    turns = rng.uniform(0, math.tau, 60)
    far = rng.uniform(0.17, 0.31, 60)
    pollen = mix((0.12, 0.06, 0.12), (0.90, 0.75, 0.20), float(rng.choice((0.0, 0.1, 0.85))))
    places = [
        frame.point(r * math.cos(a), r * math.sin(a)) for a, r in zip(turns, far, strict=True)
    ]
    canvas.dots(np.array(places), max(0.8, plant.size * 0.022), pollen)
    jade = mix((0.55, 0.66, 0.34), (0.78, 0.80, 0.50), between(rng, 0, 1))
    canvas.disc(
        frame.inner(start, size=0.15), ((0.0, jade), (1.0, mix(jade, (0.1, 0.2, 0.05), 0.5)))
    )
    ray = Coat(ramp=((0.0, (0.25, 0.16, 0.14)), (1.0, (0.32, 0.2, 0.2))), shadow=0.0, round=0.0)
    for i in range(9):
        canvas.petal(
            frame.inner(start + i * math.tau / 9, size=0.14), ray, width=0.11, base=0.2, tip=0.3
        )


def _nodding_bud(canvas: Canvas, rng: Rng, plant: Plant, coat: Coat) -> None:
    """A bud that hangs from a hooked stalk beside the bloom."""
    side = int(rng.choice((-1, 1)))
    x = plant.x + side * plant.size * between(rng, 0.9, 1.5)
    y = plant.y + plant.size * between(rng, 0.2, 1.2)
    stalk = max(canvas.size * 1.05 - y, plant.size)
    foot = Frame.at(x, y + stalk, stalk, UP)
    thin = replace(coat, pinnate=0.0, vein_depth=0.0, ridge=0.0)
    canvas.petal(foot, thin, width=0.025 * plant.size / stalk, base=0.02, tip=0.02)
    hook = Frame.at(x, y + 1, plant.size * 0.5, UP)
    canvas.petal(hook, thin, width=0.05, base=0.02, tip=0.02, bend=side * 3.0)
    tip_x, tip_y = hook.point(math.sin(3.0) / 3, side * (1 - math.cos(3.0)) / 3)
    bud = Frame.at(tip_x, tip_y, plant.size * 0.42, -UP - side * 0.15)
    canvas.petal(bud, replace(coat, pinnate=0.0, veins=5), width=0.3, base=0.45, tip=0.55)
