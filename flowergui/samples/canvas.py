"""A drawing canvas in numpy: petals, fans, discs and dots with antialiased, shaded edges.

Shapes are drawn in a `Frame`, a coordinate system on the canvas: a tilted flower is a flower in a
squashed frame. Edges are antialiased by the distance in pixels, which looks like supersampling and
is several times faster.
"""

import math
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from flowergui.samples.frame import Coat, Color, Frame, Ramp

Plane = NDArray[np.float32]

_RAMP_STEPS = 256
"""Entries of a color table."""
_OUTLINE_STEPS = 1024
"""Entries of an outline table: fewer would be visible as steps at a blunt tip."""
_OUTLINE_MARGIN = 0.15
_SHADOW_REACH = 0.07
"""Width of a petal's shadow beyond its edge, in petal lengths."""
_EDGE_REACH_PX = 2.0
"""Distance outside an edge within which its slope is used: enough for antialiasing."""
_MAX_PARABOLA_BEND = 0.6
"""Arcs of less curvature are drawn as parabolas, which look the same."""
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


@dataclass(slots=True)
class Canvas:
    """A square image: `pixels` (3, size, size) is RGB from 0 to 1.

    `light` is the direction of the light, a unit vector on the screen with y downwards. `solid`
    (size, size) is the coverage by objects in focus, from 0 to 1: only these receive shadows.
    """

    size: int
    light: tuple[float, float] = (-0.6, -0.8)
    pixels: Plane = field(init=False)
    solid: Plane = field(init=False)

    def __post_init__(self) -> None:
        self.pixels = np.zeros((3, self.size, self.size), np.float32)
        self.solid = np.zeros((self.size, self.size), np.float32)

    def petal(
        self,
        frame: Frame,
        coat: Coat,
        *,
        width: float,
        base: float = 0.6,
        tip: float = 0.5,
        bend: float = 0.0,
        ruffle: float = 0.0,
        lobes: float = 0.0,
        lobe_depth: float = 0.0,
        gain: float = 1.0,
    ) -> None:
        """A long petal (or leaf, or stem) from the frame's origin to 1 along its first axis.

        It is `width` to either side at its widest; `base` and `tip` are the exponents of the
        outline u^base (1-u)^tip, so that 0.3 is blunt, 0.5 round and 1 pointed. Its middle
        line is an arc of curvature `bend`. `lobes` cut the edge that often, `lobe_depth` deep;
        `ruffle` makes it wavy. `gain` is the light it stands in.
        """
        table, slope = _outline(base, tip, lobes, lobe_depth)
        reach = width * (1 + ruffle) + 0.02
        if abs(bend) > _MAX_PARABOLA_BEND:
            turns = [step * bend / 6 for step in range(7)]
            middle = [(math.sin(a) / bend, (1 - math.cos(a)) / bend, a) for a in turns]
        else:
            middle = [(t, t * t * bend / 2, t * bend) for t in (0.0, 0.5, 1.0)]
        corners = [
            frame.point(x - side * math.sin(turn), y + side * math.cos(turn))
            for x, y, turn in middle
            for side in (-reach, reach)
        ]
        box = self._box(corners, 0.04 * frame.scale + 1)
        if box is None:
            return
        along, across = self._local(frame, box)
        if abs(bend) > _MAX_PARABOLA_BEND:
            side = math.copysign(1.0, bend)
            radius = 1 / abs(bend)
            inward = radius - across * side
            along, across = (
                np.arctan2(along, inward) * radius,
                (radius - np.hypot(along, inward)) * side,
            )
        elif bend:
            across = across - along * along * np.float32(bend / 2)
        index = ((along + np.float32(_OUTLINE_MARGIN)) * np.float32(_OUTLINE_STEPS)).astype(np.intp)
        # No place is more than half - |across| inside, so the rest needs no looking at.
        near = np.flatnonzero(
            (table.take(index, mode="clip") * np.float32(width * (1 + ruffle)) - np.abs(across))
            > np.float32(-_SHADOW_REACH)
        )
        along, across, index = along.take(near), across.take(near), index.take(near)
        np.clip(index, 0, len(table) - 1, out=index)
        half = table.take(index) * np.float32(width)
        crinkle = None
        if ruffle:
            wave = np.sin(along * 16 + np.where(across > 0, 2.0, 0.0) + frame.x)
            half *= 1 + wave * along * ruffle
            crinkle = wave * np.float32(ruffle)
        half -= _beyond().take(index)
        distance = half - np.abs(across)
        # Where the outline is steep its edge is nearer than half - |across|; see _EDGE_REACH_PX.
        rise = slope.take(index) * np.float32(width)
        steep = np.maximum(1 / np.sqrt(1 + rise * rise), np.float32(0.25))
        by_the_edge = distance > -_EDGE_REACH_PX / frame.scale
        distance = np.where(by_the_edge, distance * steep, distance)
        sideways = (across / np.maximum(half, np.float32(0.02))).clip(-1, 1)
        if crinkle is not None:
            crinkle *= sideways * sideways
        thread = 2 * width * frame.scale / max(coat.veins, 1)
        t = along.clip(0, 1)
        self._paint(box, near, frame, coat, t, sideways, distance, thread, gain, crinkle)

    def fan(
        self,
        frame: Frame,
        coat: Coat,
        *,
        half_angle: float,
        fullness: float = 3.0,
        point: float = 0.0,
        waves: Plane | None = None,
        gain: float = 1.0,
    ) -> None:
        """A broad petal that opens from the frame's origin by `half_angle` to either side of
        its first axis and reaches to 1. `fullness` squares its shoulders, `point` draws out
        its tip, and `waves`, some numbers around 0 from one side to the other, crinkles it."""
        side = np.linspace(-1, 1, _OUTLINE_STEPS, dtype=np.float32)
        reach = (1 - np.abs(side) ** fullness) ** 0.5 * (1 + point * np.exp(-((side / 0.22) ** 2)))
        ripple = np.zeros(_OUTLINE_STEPS, np.float32)
        if waves is not None:
            knots = np.linspace(-1, 1, len(waves))
            ripple = np.interp(side, knots, waves).astype(np.float32)
            reach = reach * (1 + ripple)
        reach = reach.astype(np.float32)
        slope = np.gradient(reach) * (_OUTLINE_STEPS / 2 / half_angle) / np.maximum(reach, 0.05)
        steep = np.maximum(1 / np.sqrt(1 + slope**2), 0.35).astype(np.float32)
        span = math.sin(min(half_angle, math.pi / 2)) * 1.15
        back = -0.1 if half_angle < math.pi / 2 else math.cos(half_angle) * 1.2
        top = float(reach.max()) + 0.05
        corners = [frame.point(x, y) for x in (back, top) for y in (-span, span)]
        box = self._box(corners, 1)
        if box is None:
            return
        along, across = self._local(frame, box)
        far = np.hypot(along, across)
        near = np.flatnonzero((far < top) & (along > back - _SHADOW_REACH))
        along, across, far = along.take(near), across.take(near), far.take(near)
        sideways = np.arctan2(across, along) * np.float32(1 / half_angle)
        index = ((sideways + 1) * np.float32(_OUTLINE_STEPS / 2)).astype(np.intp)
        edge = reach.take(index, mode="clip")
        # Near the sides the outline runs towards the origin: measure across it, not along.
        beside = (1 - np.abs(sideways)) * (far + np.float32(0.02)) * np.float32(half_angle)
        distance = np.minimum((edge - far) * steep.take(index, mode="clip"), beside)
        crinkle = None
        if waves is not None:
            crinkle = ripple.take(index, mode="clip") * np.float32(2.2)
        t = (far / np.maximum(edge, np.float32(0.05))).clip(0, 1)
        s = sideways.clip(-1, 1)
        thread = 2 * half_angle * 0.7 * frame.scale / max(coat.veins, 1)
        self._paint(box, near, frame, coat, t, s, distance, thread, gain, crinkle)

    def disc(self, frame: Frame, ramp: Ramp, *, seeds: int = 0, depth: float = 0.5) -> None:
        """A domed disc of radius 1, colored from its middle outwards, with `seeds` florets in
        the spirals of a sunflower (0: smooth)."""
        corners = [frame.point(x, y) for x in (-1.15, 1.15) for y in (-1.15, 1.15)]
        box = self._box(corners, 2)
        if box is None:
            return
        x, y = self._local(frame, box)
        far = np.hypot(x, y)
        color = _table(ramp)[:, (far * (_RAMP_STEPS - 1)).clip(0, _RAMP_STEPS - 1).astype(np.intp)]
        lx, ly = self._light_in(frame)
        shine = 1 + 0.28 * (x * lx + y * ly) - 0.25 * np.maximum(far - 0.6, 0)
        if seeds:
            bumps = _spiral(seeds)
            half = len(bumps) / 2
            column = ((x * 0.96 + 1) * half).clip(0, len(bumps) - 1).astype(np.intp)
            row = ((y * 0.96 + 1) * half).clip(0, len(bumps) - 1).astype(np.intp)
            step = max(1, len(bumps) // 80)
            lit_column = (column + round(lx * step)).clip(0, len(bumps) - 1)
            lit_row = (row + round(ly * step)).clip(0, len(bumps) - 1)
            height = bumps[row, column]
            relief = height - bumps[lit_row, lit_column]
            shine = shine * (1 - depth * 0.55 + depth * height + depth * 0.9 * relief)
        part = self._part(box)
        top, bottom, left, right = box
        solid = self.solid[top:bottom, left:right]
        part *= 1 - ((1.15 - far) * 2.2).clip(0, 0.4) * solid
        cover = ((1 - far) * frame.scale + 0.5).clip(0, 1)
        np.maximum(solid, cover, out=solid)
        part += (color * shine - part) * cover

    def dots(self, places: NDArray[np.float64], radius: float, color: Color) -> None:
        """Small balls of `radius` pixels at `places` (n, 2), in pixels, all painted at once."""
        reach = math.ceil(radius + 1)
        steps = np.arange(-reach, reach + 1)
        column, row = np.meshgrid(steps, steps)
        x = np.rint(places[:, :1]).astype(np.intp) + column.reshape(1, -1)
        y = np.rint(places[:, 1:]).astype(np.intp) + row.reshape(1, -1)
        dx, dy = x - places[:, :1], y - places[:, 1:]
        cover = radius + 0.5 - np.hypot(dx, dy)
        seen = (cover > 0) & (x >= 0) & (x < self.size) & (y >= 0) & (y < self.size)
        light = 1 + (dx * self.light[0] + dy * self.light[1]) * (0.35 / radius)
        tint = np.array(color, np.float32)[:, None] * light[seen].astype(np.float32)
        flat, place = self.pixels.reshape(3, -1), (y * self.size + x)[seen]
        part = flat.take(place, axis=1)
        flat[:, place] = part + (tint - part) * np.minimum(cover[seen], 1).astype(np.float32)

    def blur(self, radius: float) -> None:
        """Puts all that has been drawn so far out of focus, by `radius` pixels."""
        soft = self.picture().filter(ImageFilter.GaussianBlur(radius))
        self.pixels = np.asarray(soft, np.float32).transpose(2, 0, 1)
        self.pixels = np.ascontiguousarray(self.pixels) / np.float32(255)
        self.solid[:] = 0

    def enlarged(self, times: int) -> "Canvas":
        """The same picture on a canvas `times` as large, with nothing solid on it yet."""
        larger = Canvas(self.size * times, self.light)
        for plane, small in zip(larger.pixels, self.pixels, strict=True):
            plane[:] = np.asarray(
                Image.fromarray(small).resize((larger.size,) * 2, Image.Resampling.BICUBIC)
            )
        return larger

    def picture(self) -> Image.Image:
        """What has been drawn, as an RGB image."""
        levels = (self.pixels * 255 + 0.5).clip(0, 255).astype(np.uint8)
        return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))

    def _box(
        self, corners: list[tuple[float, float]], margin: float
    ) -> tuple[int, int, int, int] | None:
        """The rows and columns around `corners`, or None where all of it is off the canvas."""
        xs, ys = zip(*corners, strict=True)
        left, right = max(0, int(min(xs) - margin)), min(self.size, int(max(xs) + margin) + 2)
        top, bottom = max(0, int(min(ys) - margin)), min(self.size, int(max(ys) + margin) + 2)
        return (top, bottom, left, right) if left < right and top < bottom else None

    def _part(self, box: tuple[int, int, int, int]) -> Plane:
        top, bottom, left, right = box
        return self.pixels[:, top:bottom, left:right]

    def _local(self, frame: Frame, box: tuple[int, int, int, int]) -> tuple[Plane, Plane]:
        """The frame's coordinates (along, across) of the pixels in `box`."""
        top, bottom, left, right = box
        x = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(frame.x)
        y = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(frame.y)
        (ax, ay), (bx, by) = frame.along, frame.across
        size = ax * by - ay * bx
        u = x * np.float32(by / size) - y * np.float32(bx / size)
        return u, y * np.float32(ax / size) - x * np.float32(ay / size)

    def _light_in(self, frame: Frame) -> tuple[float, float]:
        """How much the frame's axes point into the light, from -1 to 1 each."""
        lx, ly = self.light
        (ax, ay), (bx, by) = frame.along, frame.across
        return (
            (ax * lx + ay * ly) / (math.hypot(ax, ay) + 1e-6),
            (bx * lx + by * ly) / (math.hypot(bx, by) + 1e-6),
        )

    def _paint(
        self,
        box: tuple[int, int, int, int],
        near: NDArray[np.intp],
        frame: Frame,
        coat: Coat,
        t: Plane,
        s: Plane,
        distance: Plane,
        thread: float,
        gain: float,
        crinkle: Plane | None,
    ) -> None:
        """Lays a coat on the pixels `near` (their numbers in `box`): for each, `t` runs from
        base to tip, `s` from side to side (-1 to 1), and `distance` to the edge is in units of
        the frame, inside above 0. `thread` is how many pixels lie between two veins."""
        top, _, left, right = box
        row, column = np.divmod(near, right - left)
        place = (row + top) * self.size + (column + left)
        pixels, ground = self.pixels.reshape(3, -1), self.solid.reshape(-1)
        part, solid = pixels.take(place, axis=1), ground.take(place)
        if coat.shadow:
            soft = (distance * np.float32(1 / _SHADOW_REACH) + 1).clip(0, 1)
            part *= 1 - soft * soft * solid * np.float32(coat.shadow)
        cover = (distance * np.float32(frame.scale) + np.float32(0.5)).clip(0, 1)
        ground[place] = np.maximum(solid, cover)
        towards, sidelight = self._light_in(frame)
        sides = np.abs(s)
        shine = s * np.float32(coat.round * sidelight) + np.float32(1 + coat.facing * towards)
        if coat.rim:
            square = s * s
            shine += square * square * np.float32(coat.rim)
        if coat.ridge:
            shine -= (1 - t) * np.maximum(1 - sides * 5, 0) * np.float32(coat.ridge)
        # Veins finer than the pixels would only flicker.
        depth = np.float32(coat.vein_depth * min(1.0, max(0.0, (thread - 1.8) / 2.5)))
        if coat.pinnate:
            veins = 1 - np.abs(np.sin((t - sides * np.float32(0.22)) * (coat.pinnate * math.pi)))
            shine += veins * veins * veins * (depth * 2)
        elif depth:
            shine -= (1 + np.cos(s * np.float32(coat.veins * math.pi))) * (depth / 2)
        if crinkle is not None:
            shine += crinkle * t
        color = _table(coat.ramp).take((t * (_RAMP_STEPS - 1)).astype(np.intp), axis=1)
        if coat.stripe is not None:
            share = np.exp(-((s / coat.stripe_width) ** 2)) * np.sqrt(1 - t)
            stripe = np.array(coat.stripe, np.float32)[:, None]
            color += (stripe - color) * share
        color *= shine * np.float32(gain)
        color -= part
        color *= cover
        pixels[:, place] = part + color


@lru_cache(maxsize=256)
def _outline(base: float, tip: float, lobes: float, lobe_depth: float) -> tuple[Plane, Plane]:
    """Half the width of a petal, with a maximum of 1, and its slope, both sampled from
    -_OUTLINE_MARGIN to 1 + _OUTLINE_MARGIN; the width is 0 outside 0 to 1."""
    u = np.linspace(0, 1, _OUTLINE_STEPS, dtype=np.float32)
    peak = base / (base + tip)
    half = u**base * (1 - u) ** tip / (peak**base * (1 - peak) ** tip)
    if lobes:
        half *= 1 - lobe_depth * np.abs(np.sin(u * (lobes * math.pi)))
    margin = np.zeros(round(_OUTLINE_MARGIN * _OUTLINE_STEPS))
    table = np.concatenate([margin, half, margin]).astype(np.float32)
    slope = np.concatenate([margin, np.gradient(half) * _OUTLINE_STEPS, margin]).astype(np.float32)
    return table, slope


@cache
def _beyond() -> Plane:
    """How far a place along a petal is before its base or past its tip; see `_outline`."""
    past = np.linspace(0, _OUTLINE_MARGIN, round(_OUTLINE_MARGIN * _OUTLINE_STEPS))
    return np.concatenate([past[::-1], np.zeros(_OUTLINE_STEPS), past]).astype(np.float32)


@lru_cache(maxsize=256)
def _table(ramp: Ramp) -> Plane:
    places = [place for place, _ in ramp]
    steps = np.linspace(0, 1, _RAMP_STEPS)
    rows = [np.interp(steps, places, [color[i] for _, color in ramp]) for i in range(3)]
    return np.array(rows, np.float32)


@cache
def _spiral(seeds: int) -> Plane:
    """Heights (0 to 1) of florets in Fermat's spiral, as Vogel (1979) places them: the i-th at
    the golden angle times i, at the square root of i from the middle."""
    side = 160
    heights = np.zeros((side, side), np.float32)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / (side / 2) - 1
    size = 1.05 / math.sqrt(seeds)
    for i in range(seeds + seeds // 8):
        far = math.sqrt((i + 0.5) / seeds)
        dx, dy = x - far * math.cos(i * _GOLDEN_ANGLE), y - far * math.sin(i * _GOLDEN_ANGLE)
        np.maximum(heights, 1 - (dx * dx + dy * dy) / (size * size), out=heights)
    return heights
