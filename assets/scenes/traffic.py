"""A street and what drives on it: city traffic, an ambulance."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from assets.scenes.canvas import (
    Ball,
    Canvas,
    Color,
    Fade,
    Points,
    choose,
    darker,
    hsv,
    lighter,
    oval,
    smooth,
    turned,
    vary,
)
from assets.scenes.scene import Cues, Rng, Scene
from assets.scenes.scenery import DAY, DUSK, MORNING, NIGHT, OVERCAST, Light, clouds, light, sky
from assets.scenes.synth import Signal, Synth, arch, bend

RUBBER: Color = (34, 34, 40)
LAMP: Color = (255, 240, 190)


@dataclass(frozen=True)
class Place:
    """Where a vehicle stands: its own units, front towards +x, set at (x, y), scaled, turned; `facing` -1 is left."""

    x: float
    y: float
    size: float
    angle: float = 0.0
    facing: int = 1

    def __call__(self, points: Points) -> npt.NDArray[np.float64]:
        own = np.asarray(points, dtype=np.float64) * (self.size * self.facing, self.size) + (self.x, self.y)
        return turned(own, self.angle, self.x, self.y)

    def oval(self, x: float, y: float, rx: float, ry: float, steps: int = 32) -> npt.NDArray[np.float64]:
        return self(oval(x, y, rx, ry, 0.0, steps))

    def rect(self, x0: float, y0: float, x1: float, y1: float) -> npt.NDArray[np.float64]:
        return self([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def glow(self, c: Canvas, x: float, y: float, r: float, color: Color, alpha: float) -> None:
        px, py = self([(x, y)])[0]
        c.glow(px, py, r * self.size, color, alpha)


def wheel(c: Canvas, at: Place, x: float, y: float, r: float, roll: float, rim: Color, spokes: int = 5) -> None:
    """A tyre on a spoked rim, turned by `roll` radians."""
    c.poly(at.oval(x, y, r, r), RUBBER)
    c.poly(at.oval(x, y, r * 0.68, r * 0.68), Ball(lighter(rim, 0.3), darker(rim, 0.3)))
    c.poly(at.oval(x, y, r * 0.52, r * 0.52), darker(rim, 0.6))
    for a in roll + np.arange(spokes) * 2 * np.pi / spokes:
        tip = (x + np.cos(a) * r * 0.6, y + np.sin(a) * r * 0.6)
        c.line(at([(x, y), tip]), r * 0.16 * at.size, lighter(rim, 0.1))
    c.poly(at.oval(x, y, r * 0.15, r * 0.15, 12), darker(rim, 0.2))


def street(c: Canvas, rng: Rng, t: float, hour: Light, scroll: float) -> None:
    """A row of houses with shops, a pavement with lamps, and a road from y 0.68 down; all moved left by `scroll`."""
    dark = hour.amount > 0.3
    sky(c, hour, 0.62)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=3, bottom=0.2)
    widths, seeds = rng.uniform(0.24, 0.36, 8), rng.integers(1 << 30, size=8)
    starts, total = np.cumsum(widths) - widths, float(np.sum(widths))
    for start, w, seed in zip(starts, widths, seeds, strict=True):
        x = (start - scroll + 0.4) % total - 0.4
        if x < c.w:
            _facade(c, np.random.default_rng(seed), x, float(w), hour, dark)
    paving, tar = hour.on((186, 180, 172)), hour.on(vary(rng, (92, 94, 102), 0.05))
    c.rect(-0.1, 0.62, c.w + 0.1, 0.68, Fade(darker(paving, 0.12), paving))
    c.rect(-0.1, 0.675, c.w + 0.1, 0.69, Fade(lighter(paving, 0.25), darker(paving, 0.3)))
    c.rect(-0.1, 0.69, c.w + 0.1, 1.1, Fade(darker(tar, 0.2), lighter(tar, 0.06)))
    for k in range(7):
        x = (k * 0.3 - scroll) % 2.1 - 0.4
        c.poly([(x, 0.808), (x + 0.15, 0.808), (x + 0.145, 0.82), (x - 0.005, 0.82)], hour.on((238, 236, 226)))
    for k in range(3):
        x = (k * 0.75 + 0.2 - scroll) % 2.25 - 0.4
        c.rect(x, 0.3, x + 0.01, 0.665, hour.on((52, 58, 64)))
        c.stroke([(x + 0.005, 0.31), (x + 0.03, 0.285), (x + 0.075, 0.29)], 0.008, hour.on((52, 58, 64)))
        c.ellipse(x + 0.08, 0.297, 0.022, 0.009, LAMP)
        if dark:
            c.glow(x + 0.08, 0.31, 0.2, (255, 222, 150), 0.5)


def _facade(c: Canvas, rng: Rng, x: float, w: float, hour: Light, dark: bool) -> None:
    wall = choose(
        rng, (186, 110, 86), (226, 206, 170), (164, 170, 180), (142, 166, 182), (214, 160, 140), (198, 190, 130)
    )
    wall, floors, columns = hour.on(vary(rng, wall, 0.08)), int(rng.integers(2, 5)), int(rng.integers(3, 5))
    top = 0.49 - floors * 0.125 - 0.02
    c.rect(x, top, x + w, 0.62, Fade(lighter(wall, 0.1), darker(wall, 0.16)))
    c.rect(x - 0.008, top - 0.018, x + w + 0.008, top + 0.006, Fade(lighter(wall, 0.4), darker(wall, 0.05)))
    lit, cold, step = (255, 214, 132), hour.on((84, 108, 134)), w / columns
    for k, on in enumerate(rng.random(floors * columns) < 0.5):
        wx, wy = x + (k % columns + 0.24) * step, top + 0.035 + k // columns * 0.125
        c.rect(wx - 0.006, wy - 0.006, wx + step * 0.52 + 0.006, wy + 0.084, lighter(wall, 0.45))
        c.rect(wx, wy, wx + step * 0.52, wy + 0.075, lit if dark and on else cold)
        c.line([(wx + step * 0.26, wy), (wx + step * 0.26, wy + 0.075)], 0.004, lighter(wall, 0.45))
    sign = hour.on(hsv(rng.random(), 0.6, 0.72))
    c.rect(x + 0.02, 0.5, x + w * 0.68, 0.62, darker(wall, 0.45))
    c.rect(
        x + 0.027,
        0.507,
        x + w * 0.68 - 0.007,
        0.61,
        Fade((255, 232, 170), (240, 190, 120)) if dark else Fade(lighter(cold, 0.35), cold),
    )
    c.rect(x + w * 0.75, 0.51, x + w * 0.93, 0.62, darker(sign, 0.35))
    c.rect(x + w * 0.78, 0.52, x + w * 0.9, 0.565, lighter(cold, 0.2))
    stripes = np.linspace(x + 0.012, x + w * 0.7, 9)
    for k, (a, b) in enumerate(pairwise(stripes)):
        color = sign if k % 2 else hour.on((246, 242, 232))
        c.poly([(a, 0.478), (b, 0.478), (b + 0.002, 0.53), (a - 0.002, 0.53)], color)


SHAPES = {  # outline, then windows; one unit is the length of the car, y 0 the road
    "saloon": (
        [(-0.49, -0.09), (-0.5, -0.2), (-0.41, -0.245), (-0.31, -0.255), (-0.2, -0.36), (-0.05, -0.385), (0.08, -0.36),
         (0.22, -0.255), (0.4, -0.225), (0.485, -0.175), (0.5, -0.09), (0.4, -0.055), (-0.4, -0.055)],
        [[(-0.26, -0.255), (-0.17, -0.345), (-0.05, -0.36), (-0.05, -0.255)],
         [(-0.03, -0.255), (-0.03, -0.36), (0.07, -0.335), (0.165, -0.255)]],
    ),
    "hatchback": (
        [(-0.46, -0.09), (-0.48, -0.22), (-0.45, -0.3), (-0.37, -0.4), (-0.1, -0.43), (0.07, -0.4), (0.23, -0.28),
         (0.41, -0.24), (0.48, -0.18), (0.485, -0.09), (0.4, -0.055), (-0.4, -0.055)],
        [[(-0.41, -0.28), (-0.34, -0.375), (-0.11, -0.4), (-0.11, -0.275)],
         [(-0.08, -0.275), (-0.08, -0.4), (0.05, -0.375), (0.17, -0.275)]],
    ),
    "van": (
        [(-0.49, -0.07), (-0.5, -0.3), (-0.49, -0.5), (-0.42, -0.525), (0.0, -0.53), (0.2, -0.52), (0.3, -0.43),
         (0.38, -0.29), (0.48, -0.24), (0.5, -0.1), (0.4, -0.055), (-0.4, -0.055)],
        [[(0.08, -0.3), (0.08, -0.46), (0.2, -0.455), (0.3, -0.3)]],
    ),
    "bus": (
        [(-0.495, -0.06), (-0.5, -0.2), (-0.495, -0.41), (-0.46, -0.43), (0.0, -0.435), (0.46, -0.43), (0.49, -0.4),
         (0.5, -0.2), (0.495, -0.06), (0.4, -0.045), (-0.4, -0.045)],
        [[(x, -0.38), (x + 0.12, -0.38), (x + 0.12, -0.22), (x, -0.22)]
         for x in (-0.47, -0.33, -0.19, -0.05, 0.09, 0.23)]
        + [[(0.4, -0.38), (0.485, -0.38), (0.49, -0.22), (0.4, -0.22)]],
    ),
}  # fmt: skip


def _car(c: Canvas, at: Place, hour: Light, kind: str, paint: Color, roll: float, *, taxi: bool = False) -> None:
    outline, windows = SHAPES[kind]
    dark, glass, s = hour.amount > 0.3, hour.on((72, 96, 122)), at.size
    c.glow(at.x, at.y + 0.005, 0.58 * s, (10, 12, 20), 0.75, 0.05 * s)
    c.poly(at(smooth(outline)), Fade(lighter(paint, 0.28), darker(paint, 0.4)))
    for pane in windows:
        c.poly(at(pane), Fade(lighter(glass, 0.45), darker(glass, 0.2)))
    c.line(at([(-0.47, -0.19), (0.44, -0.185)]), 0.008 * s, lighter(paint, 0.4), 0.7)
    c.poly(at.rect(-0.49, -0.1, 0.49, -0.062), darker(paint, 0.55))
    radius = 0.075 if kind == "bus" else 0.09
    for x in (-0.31, 0.31):
        c.poly(at.oval(x, -radius, radius * 1.18, radius * 1.18), darker(paint, 0.65))
        wheel(c, at, x, -radius, radius, roll / (s * radius), hour.on((190, 194, 200)))
    if taxi:
        c.poly(at.rect(-0.12, -0.425, 0.03, -0.375), (255, 236, 150))
        for k, x in enumerate(np.arange(-0.4, 0.36, 0.04)):
            c.poly(at.rect(x, -0.17 + 0.02 * (k % 2), x + 0.04, -0.15 + 0.02 * (k % 2)), (30, 30, 34))
    c.poly(at.oval(0.468, -0.175, 0.026, 0.022, 14), (255, 250, 226))
    c.poly(at.oval(-0.478, -0.185, 0.016, 0.026, 14), (224, 36, 34))
    if dark:
        at.glow(c, 0.5, -0.175, 0.2, LAMP, 0.8)
        at.glow(c, -0.49, -0.185, 0.13, (255, 50, 40), 0.7)
        c.poly(at([(0.48, -0.18), (1.1, -0.12), (1.1, 0.04), (0.48, -0.14)]), LAMP, 0.13)


def _draw_traffic(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST, NIGHT)
    street(c, rng, t, hour, 0.0)
    lit = replace(hour, amount=hour.amount * 0.55)  # under the lamps, paint keeps more of its colour
    for y, size, facing, count in ((0.79, 0.36, -1, 4), (0.93, 0.46, 1, 4)):
        speed, phase = rng.uniform(0.22, 0.38) * facing, rng.uniform(0, 2.4)
        large = "bus" if rng.random() < 0.4 else "van"
        kinds, hues = rng.permutation(["saloon", "hatchback", "saloon", large]), rng.random((count, 3))
        for k in range(count):
            x = (phase + k * 2.4 / count + rng.uniform(-0.04, 0.04) + speed * t) % 2.4 - 0.5
            plain = choose(rng, (232, 232, 234), (58, 62, 72), (158, 164, 172))
            paint = hsv(hues[k, 0], 0.72, 0.5 + 0.35 * hues[k, 1]) if hues[k, 2] < 0.65 else plain
            taxi, kind = kinds[k] == "saloon" and rng.random() < 0.3, str(kinds[k])
            length = size * (1.36 if kind == "bus" else 1.0)
            if -0.4 < x < c.w + 0.4:
                at = Place(x, y, length, facing=facing)
                _car(c, at, hour, kind, lit.on((246, 196, 40) if taxi else paint), abs(speed) * t, taxi=taxi)
    x, pole, go = rng.uniform(0.1, 0.2) + (0.9 if rng.random() < 0.5 else 0.0), hour.on((58, 62, 70)), rng.integers(3)
    c.rect(x - 0.008, 0.34, x + 0.008, 1.1, Fade(lighter(pole, 0.2), darker(pole, 0.2), sideways=True))
    c.rect(x - 0.036, 0.17, x + 0.036, 0.37, hour.on((36, 40, 46)), radius=0.014)
    for k, color in enumerate(((240, 50, 44), (250, 186, 50), (60, 214, 110))):
        y = 0.206 + k * 0.063
        c.ellipse(x, y, 0.023, 0.023, color if k == go else darker(color, 0.75))
        if k == go:
            c.glow(x, y, 0.09, color, 0.7)


def _sound_traffic(s: Synth, cues: Cues) -> Signal:
    rush = s.noise(-3, 120, 4_000)
    out: Signal = s.noise(-5, 45, 900) * 0.5 * s.wander(1, 0.7, 1.0) + rush * 0.05
    times = np.sort(s.rng.uniform(0, s.duration_s, max(int(s.duration_s * 0.8), 2)))
    for at in times:
        u = (s.t - np.float32(at)) / np.float32(s.rng.uniform(0.3, 0.75))
        passing = 1 / (1 + u * u) ** 1.5
        level = s.rng.uniform(0.35, 0.95)
        out += np.roll(rush, int(s.rng.integers(s.n))) * passing * np.float32(level * 0.5)
        if at in times[:2]:
            hum = s.pulses(s.rng.uniform(55, 105) * (1 - 0.07 * np.tanh(u * 1.2)), 6.0)
            out += hum * passing * np.float32(level * 1.6)
    for hz in s.rng.uniform(32, 62, 3):  # others wait with their engines running
        out += (
            s.formants(
                s.pulses(hz * s.wander(6, 0.97, 1.03), 30.0), [(110, 90, 0), (320, 200, -5), (800, 500, -12)], -36
            )
            * 0.9
        )
    for at in s.rng.uniform(0.3, max(s.duration_s - 0.8, 0.4), int(s.rng.integers(1, 4))):
        hz, length = s.rng.uniform(340, 470), s.rng.uniform(0.13, 0.55)
        n = int(length * s.rate)
        honk = (s.pulses(np.full(n, hz), 7.0) + s.pulses(np.full(n, hz * 1.26), 7.0)) * arch(n, 0.08, 0.15)
        for again in range(2 if length < 0.3 else 1):
            s.place(out, honk, at + again * (length + 0.09), s.rng.uniform(0.6, 1.0))
    return out


def _draw_ambulance(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, DUSK, OVERCAST, NIGHT)
    speed = rng.uniform(0.5, 0.8)
    street(c, rng, t, hour, speed * t)
    parked = (rng.uniform(0, 1.9) - speed * t) % 2.9 - 0.7
    _car(c, Place(parked, 0.765, 0.34), hour, "hatchback", hour.on(hsv(rng.random(), 0.6, 0.7)), 0.0)
    at = Place(
        c.w * rng.uniform(0.46, 0.54) + 0.04 * float(np.sin(t)),
        0.915 + 0.003 * float(np.sin(t * 19)),
        rng.uniform(0.78, 0.88),
    )
    base, mark, second = [
        ((246, 246, 246), (214, 36, 40), (214, 36, 40)),
        ((246, 246, 246), (240, 110, 30), (30, 70, 150)),
        ((250, 220, 40), (24, 128, 72), (24, 128, 72)),
        ((246, 246, 246), (32, 84, 170), (220, 40, 44)),
    ][int(rng.integers(4))]
    lit = replace(hour, amount=hour.amount * 0.55)
    white, stripe, s, blue = lit.on(base), lit.on(mark), at.size, (70, 130, 255)
    beacon = blue if rng.random() < 0.7 else (255, 60, 56)
    flash = float(np.sin(t * 13) > 0)
    c.glow(at.x, at.y + 0.005, 0.56 * s, (10, 12, 20), 0.8, 0.05)
    cab = [
        (0.14, -0.5),
        (0.24, -0.48),
        (0.29, -0.44),
        (0.375, -0.29),
        (0.47, -0.25),
        (0.5, -0.2),
        (0.5, -0.07),
        (0.14, -0.07),
    ]
    c.poly(at(cab), Fade(lighter(white, 0.2), darker(white, 0.25)))
    c.poly(
        at([(-0.5, -0.07), (-0.5, -0.56), (-0.485, -0.575), (0.15, -0.575), (0.19, -0.5), (0.19, -0.07)]),
        Fade(lighter(white, 0.3), darker(white, 0.2)),
    )
    c.poly(at.rect(-0.5, -0.24, 0.5, -0.175), stripe)
    for k, x in enumerate(np.arange(-0.5, 0.19, 0.0575)):
        if k % 2:
            c.poly(
                at.rect(x, -0.24, x + 0.0575, -0.175), hour.on((250, 232, 90) if sum(base) > 700 else (250, 250, 240))
            )
    glass = hour.on((64, 88, 114))
    c.poly(
        at([(0.215, -0.29), (0.215, -0.44), (0.265, -0.435), (0.345, -0.29)]),
        Fade(lighter(glass, 0.5), darker(glass, 0.2)),
    )
    c.poly(at.rect(-0.43, -0.5, -0.3, -0.37), Fade(lighter(glass, 0.3), darker(glass, 0.2)))
    for dx, dy in ((0.018, 0.06), (0.06, 0.018)):
        c.poly(at.rect(0.07 - dx, -0.37 - dy, 0.07 + dx, -0.37 + dy), lit.on(second))
    for x in (-0.21, 0.195):
        c.line(at([(x, -0.54 if x < 0 else -0.46), (x, -0.1)]), 0.005 * s, darker(white, 0.3))
    for x in (-0.18, 0.235):
        c.line(at([(x, -0.275), (x + 0.045, -0.275)]), 0.012 * s, darker(white, 0.5))
    x, y = at([(-0.1, -0.505)])[0]
    c.text(x, y, "AMBULANCE", 0.068 * s, lit.on(second))
    c.poly(at.rect(-0.5, -0.1, 0.5, -0.065), hour.on((70, 74, 84)))
    for x in (-0.3, 0.34):
        c.poly(at.oval(x, -0.085, 0.105, 0.105), hour.on((48, 50, 58)))
        wheel(c, at, x, -0.085, 0.088, speed * t / (0.088 * s), hour.on((196, 200, 206)))
    c.poly(at.oval(0.478, -0.205, 0.022, 0.025, 14), (255, 252, 232))
    c.poly(at.rect(-0.5, -0.32, -0.488, -0.25), (224, 36, 34))
    for x, y, w, on in ((0.2, -0.53, 0.07, flash), (-0.46, -0.6, 0.07, 1 - flash), (0.08, -0.6, 0.06, 1 - flash)):
        c.poly(
            at(smooth([(x - 0.01, y + 0.035), (x, y - 0.005), (x + w, y - 0.005), (x + w + 0.01, y + 0.035)])),
            lighter(beacon, 0.75) if on else darker(beacon, 0.25),
        )
        at.glow(c, x + w / 2, y + 0.01, 0.36, beacon, 0.8 * on + 0.05)
        at.glow(c, x + w / 2, y + 0.01, 0.1, (255, 255, 255), 0.95 * on)
    if hour.amount > 0.3:
        at.glow(c, 0.5, -0.2, 0.2, LAMP, 0.8)
        c.poly(at([(0.49, -0.21), (0.95, -0.12), (0.95, 0.05), (0.49, -0.17)]), LAMP, 0.15)
        c.tint(beacon, 0.07 * flash)


def _sound_ambulance(s: Synth, cues: Cues) -> Signal:
    style, at = s.rng.random(), s.t + np.float32(s.rng.uniform(0, 4))
    if style < 0.45:  # two tones a fourth apart
        low, beat = s.rng.uniform(410, 480), s.rng.uniform(0.45, 0.75)
        hz = np.where((at / beat).astype(int) % 2, low * 4 / 3, low)
    else:  # a wail that rises and falls, or the same hurried to a yelp
        period = s.rng.uniform(3.0, 4.5) if style < 0.8 else s.rng.uniform(0.28, 0.4)
        low, high = s.rng.uniform(560, 680), s.rng.uniform(1_150, 1_500)
        hz = low * (high / low) ** (0.5 - 0.5 * np.cos(2 * np.pi * at / period))
    doppler = bend(s.n, (0, 1.025), (s.rng.uniform(0.3, 0.5), 1.02), (s.rng.uniform(0.55, 0.75), 0.965), (1, 0.96))
    near = bend(s.n, (0, 0.45), (0.5, 1.0), (1, 0.5))
    horn = np.tanh(s.pulses(hz * doppler, 2.2) * 3.0) * near
    road = s.noise(-4, 50, 2_500) * 0.1 * near
    return s.room(horn, 0.5, 0.3, 3_500.0) + road


SCENES = (
    Scene(
        "car traffic on a city street",
        (
            "Cars drive in both directions along a busy city street.",
            "Traffic noise in the city: engines, passing cars and a honking horn.",
            "A street with cars, shops and a traffic light.",
            "Rush hour traffic between rows of town houses.",
            "Cars whoosh by on the road and drivers honk.",
            "Vehicles pass the traffic light downtown.",
        ),
        _draw_traffic,
        _sound_traffic,
    ),
    Scene(
        "ambulance with siren",
        (
            "An ambulance speeds through the city with flashing lights.",
            "The siren of an ambulance wails through the streets.",
            "An emergency vehicle drives by with its beacons on.",
            "A loud emergency siren comes nearer and passes.",
            "An ambulance on its way to an accident.",
            "Blue lights and a siren: the rescue service is on its way.",
        ),
        _draw_ambulance,
        _sound_ambulance,
    ),
)
