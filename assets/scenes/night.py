"""A frog pond, crickets at night, birds singing at dawn."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, hsv, lighter, mix, oval, turned, vary
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    DAY,
    DUSK,
    MORNING,
    NIGHT,
    OVERCAST,
    Light,
    clouds,
    grass,
    light,
    moon,
    pine,
    ridge,
    sky,
    stars,
    sun,
    tree,
)  # fmt: skip
from assets.scenes.synth import Signal, Synth, arch, bend, bump

_croaks = regular((0.2, 0.5), (1.1, 1.6), 0.15)


def _draw_frog(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, MORNING, DUSK, OVERCAST, NIGHT)
    sky(c, hour, 0.4)
    green = hour.on(choose(rng, (92, 146, 74), (110, 152, 66), (70, 130, 84)))
    ridge(c, rng, 0.14, 0.05, hour.on((96, 136, 104), 0.2))
    for x, r in rng.uniform((0, 0.06), (c.w, 0.13), (14, 2)):
        c.ellipse(x, 0.24, r, r * 0.8, Ball(lighter(green, 0.08), darker(green, 0.4)))
    c.soften(0.008)
    water = hour.on(choose(rng, (66, 122, 128), (58, 112, 140), (84, 124, 104)))
    c.rect(-0.1, 0.28, c.w + 0.1, 1.1, Fade(mix(water, hour.low, 0.45), darker(water, 0.35)))
    for x, y, w in rng.uniform((0, 0.3, 0.04), (c.w, 0.98, 0.16), (50, 3)):
        c.ellipse(x + 0.012 * np.sin(t + y * 60), y, w, 0.003 * (0.4 + y), lighter(water, 0.4), 0.35)
    for side in (-1, 1):
        for _ in range(7):
            _cattail(c, rng, c.w / 2 + side * rng.uniform(0.45, 0.68), rng.uniform(0.34, 0.5), t, hour)
    x, y, size = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.78, 0.82), rng.uniform(0.3, 0.36)
    leaf = hour.on(choose(rng, (86, 156, 70), (104, 164, 84), (64, 140, 90)))
    for px, py in zip(
        np.linspace(0.05, c.w, 9) + rng.normal(0, 0.05, 9), rng.permutation(np.linspace(0.38, 0.96, 9)), strict=True
    ):
        bloom = rng.random() < 0.5 and abs(px - x) > 0.28
        _pad(c, rng, px, py, 0.05 + 0.1 * (py - 0.3), vary(rng, leaf, 0.06), bloom)
    ago = since(cues, t)
    for k in range(3):  # rings on the water go out from the singer
        ring = (ago * 0.5 + k / 3) % 1.0 if ago < 9 else k / 3
        loop = oval(x, y + 0.05, size * (0.95 + 0.5 * ring), size * (0.3 + 0.17 * ring))
        c.line(np.vstack([loop, loop[:1]]), 0.004, lighter(water, 0.6), 0.5 * (1 - ring))
    _pad(c, rng, x, y + 0.05, size * 0.95, leaf, False)
    puff = float(np.sin(np.pi * min(ago / 0.55, 1.0)))
    skin = choose(rng, (112, 176, 62), (86, 156, 74), (148, 160, 70), (146, 122, 78))
    _frog(c, rng, x, y, size, mix(skin, hour.land, hour.amount * 0.45), puff)
    for px, py in rng.uniform((0.1, 0.3), (c.w - 0.1, 0.6), (2, 2)):
        _dragonfly(
            c,
            px + 0.05 * np.sin(t * 1.3 + px * 9),
            py + 0.02 * np.sin(t * 2.1),
            t,
            hsv(rng.uniform(0.45, 0.62), 0.7, 0.8),
        )


def _pad(c: Canvas, rng: Rng, x: float, y: float, r: float, color: Color, bloom: bool) -> None:
    turn = rng.uniform(0, 2 * np.pi)
    a = turn + np.linspace(0.18, 2 * np.pi - 0.18, 40)
    rim = np.vstack([np.stack([x + r * np.cos(a), y + r * 0.36 * np.sin(a)], 1), [(x, y)]])
    c.poly(rim + np.array([0, r * 0.06]), darker(color, 0.6), 0.7)
    c.poly(rim, Ball(lighter(color, 0.2), darker(color, 0.2)))
    for b in np.linspace(turn + 0.5, turn + 5.8, 8):
        c.line([(x, y), (x + r * 0.85 * np.cos(b), y + r * 0.3 * np.sin(b))], 0.003, lighter(color, 0.3), 0.5)
    petal = choose(rng, (255, 236, 244), (246, 160, 190), (255, 250, 214))
    if not bloom:
        return
    for reach, tone in ((0.55, 0.12), (0.4, 0.0)):
        for b in np.linspace(-1.3, 1.3, 7):
            tip = (x + np.sin(b) * r * reach, y - np.cos(b) * r * reach * 0.9)
            c.stroke(
                [(x, y), (x + np.sin(b) * r * reach * 0.6, y - np.cos(b) * r * reach * 0.5), tip],
                r * 0.2,
                darker(petal, tone),
                r * 0.02,
            )
    c.ellipse(x, y - r * 0.12, r * 0.12, r * 0.1, (250, 200, 70))


def _cattail(c: Canvas, rng: Rng, x: float, y: float, t: float, hour: Light) -> None:
    h, lean, stem = (
        rng.uniform(0.26, 0.42),
        rng.normal(0, 0.03) + 0.012 * float(np.sin(t * 1.4 + x * 9)),
        hour.on((92, 128, 60)),
    )
    for side in (-1, 1):
        c.stroke(
            [(x, y), (x + side * 0.015, y - h * 0.5), (x + side * rng.uniform(0.04, 0.08) + lean, y - h * 0.95)],
            0.014,
            vary(rng, stem, 0.1),
            0.002,
        )
    c.stroke([(x, y), (x + lean * 0.4, y - h * 0.5), (x + lean, y - h)], 0.007, darker(stem, 0.2), 0.004)
    c.stroke([(x + lean * 0.82, y - h * 0.84), (x + lean, y - h)], 0.024, hour.on((112, 70, 42)), 0.02)


def _dragonfly(c: Canvas, x: float, y: float, t: float, color: Color) -> None:
    beat = 0.25 * float(np.sin(t * 40))
    for a in (-0.5 + beat, 0.35 - beat, np.pi + 0.5 - beat, np.pi - 0.35 + beat):
        c.ellipse(x + 0.026 * np.cos(a), y + 0.026 * np.sin(a) - 0.004, 0.027, 0.0065, (236, 246, 255), 0.65, a)
    c.stroke([(x, y - 0.012), (x, y + 0.05)], 0.009, color, 0.004)
    c.ellipse(x, y - 0.014, 0.009, 0.007, darker(color, 0.4))


def _frog(c: Canvas, rng: Rng, x: float, y: float, h: float, skin: Color, puff: float) -> None:
    """A frog that faces us, seated at (x, y); `puff` (0 to 1) fills its throat."""
    pale, dark = mix(lighter(skin, 0.6), (250, 240, 190), 0.4), darker(skin, 0.3)
    c.glow(x, y + h * 0.06, h * 0.75, (10, 30, 20), 0.7, h * 0.16)
    for side in (-1, 1):
        c.ellipse(
            x + side * h * 0.44, y - h * 0.17, h * 0.21, h * 0.25, Ball(skin, darker(skin, 0.45)), 1.0, side * 0.35
        )
        for k in (-0.9, 0.0, 0.9):
            c.stroke(
                [(x + side * h * 0.46, y + h * 0.02), (x + side * h * (0.6 + 0.07 * k), y + h * (0.09 - 0.02 * k))],
                h * 0.07,
                dark,
                h * 0.04,
            )
    body = [
        (0, -0.62),
        (0.26, -0.5),
        (0.36, -0.2),
        (0.28, 0.04),
        (0, 0.08),
        (-0.28, 0.04),
        (-0.36, -0.2),
        (-0.26, -0.5),
    ]
    c.blob(np.array(body) * h + (x, y), Fade(lighter(skin, 0.05), darker(skin, 0.25)))
    c.ellipse(x, y - h * 0.16, h * 0.23, h * 0.22, Ball(lighter(pale, 0.2), darker(pale, 0.12)))
    for side in (-1, 1):
        c.stroke(
            [
                (x + side * h * 0.25, y - h * 0.32),
                (x + side * h * 0.27, y - h * 0.12),
                (x + side * h * 0.19, y + h * 0.05),
            ],
            h * 0.12,
            darker(skin, 0.12),
            h * 0.08,
        )
        for k in (-1, 0, 1):
            c.stroke(
                [(x + side * h * 0.19, y + h * 0.05), (x + side * h * (0.19 + 0.07 * k), y + h * 0.12)],
                h * 0.045,
                dark,
                h * 0.03,
            )
            c.ellipse(x + side * h * (0.19 + 0.07 * k), y + h * 0.12, h * 0.022, h * 0.018, dark)
        c.ellipse(x + side * h * 0.23, y - h * 0.8, h * 0.13, h * 0.13, Ball(lighter(skin, 0.12), darker(skin, 0.2)))
    head = [
        (0, -0.82),
        (0.26, -0.79),
        (0.41, -0.6),
        (0.3, -0.44),
        (0, -0.39),
        (-0.3, -0.44),
        (-0.41, -0.6),
        (-0.26, -0.79),
    ]
    c.blob(np.array(head) * h + (x, y), Fade(lighter(skin, 0.16), skin))
    c.blob(
        [
            (x - h * 0.37, y - h * 0.56),
            (x, y - h * 0.5),
            (x + h * 0.37, y - h * 0.56),
            (x + h * 0.25, y - h * 0.42),
            (x, y - h * 0.38),
            (x - h * 0.25, y - h * 0.42),
        ],
        pale,
    )
    for dx, dy, r in rng.uniform((-0.24, -0.78, 0.012), (0.24, -0.62, 0.03), (9, 3)):
        c.ellipse(x + dx * h, y + dy * h, r * h * 1.3, r * h, dark, 0.6)
    for dx, dy, r in rng.uniform((0.36, -0.3, 0.02), (0.52, -0.1, 0.04), (6, 3)):
        c.ellipse(x + dx * h * rng.choice((-1, 1)), y + dy * h, r * h, r * h, dark, 0.6)
    c.stroke(
        [
            (x - h * 0.38, y - h * 0.6),
            (x - h * 0.2, y - h * 0.52),
            (x, y - h * 0.5),
            (x + h * 0.2, y - h * 0.52),
            (x + h * 0.38, y - h * 0.6),
        ],
        h * 0.018,
        darker(skin, 0.65),
    )
    for side in (-1, 1):
        ex, ey = x + side * h * 0.235, y - h * 0.815
        c.ellipse(ex, ey, h * 0.092, h * 0.092, (30, 28, 24))
        c.ellipse(ex, ey, h * 0.082, h * 0.082, Ball((255, 214, 96), (206, 130, 30)))
        c.ellipse(ex, ey + h * 0.004, h * 0.06, h * 0.034, (20, 18, 18))
        c.ellipse(ex - h * 0.028, ey - h * 0.034, h * 0.02, h * 0.02, (255, 255, 255))
        c.ellipse(x + side * h * 0.05, y - h * 0.66, h * 0.014, h * 0.009, darker(skin, 0.65))
    if puff > 0.03:
        r = h * (0.1 + 0.17 * puff)
        c.ellipse(x, y - h * 0.44 + r * 0.75, r * 1.12, r, Ball(lighter(pale, 0.65), darker(pale, 0.22), 0.38, 0.3))
        c.ellipse(x - r * 0.4, y - h * 0.44 + r * 0.4, r * 0.2, r * 0.13, (255, 255, 255), 0.7, -0.5)


def _croak(s: Synth, kind: int, pitch: float) -> Signal:
    """One call: 0 a tree frog's two-part ribbit, 1 a bullfrog's bellow, 2 a marsh frog's laugh."""
    if kind == 1:
        n = len(s.time(0.62))
        throat = (
            s.pulses(bend(n, (0, 88 * pitch), (0.3, 112 * pitch), (1, 96 * pitch)), 30.0) + 0.05 * s.white(0.62)[:n]
        )
        return s.formants(throat, [(280, 120, 0), (620, 200, -5), (1_500, 300, -12)], -50) * arch(n, 0.2, 0.35) * 1.6
    if kind == 2:
        n = len(s.time(0.6))
        knock: Signal = np.clip(np.sin(s.phase(bend(n, (0, 17), (1, 13)), n)), 0, 1) ** np.float32(1.5)
        throat = (
            s.pulses(bend(n, (0, 330 * pitch), (0.5, 430 * pitch), (1, 350 * pitch)), 12.0) + 0.35 * s.white(0.6)[:n]
        )
        return (
            s.formants(throat, [(1_100 * pitch, 320, 0), (2_100 * pitch, 420, -3), (3_400, 700, -14)], -44)
            * knock
            * arch(n, 0.1, 0.2)
        )
    out = np.zeros(len(s.time(0.55)), np.float32)
    for at, length, low, high in ((0.0, 0.17, 54, 70), (0.21, 0.24, 66, 98)):
        n = len(s.time(length))
        throat = s.pulses(bend(n, (0, low * pitch), (1, high * pitch)), 70.0) + 0.04 * s.white(length)[:n]
        formed = s.formants(throat, [(820 * pitch, 200, 0), (1_750 * pitch, 320, -4), (2_900, 500, -13)], -48)
        s.place(out, formed * arch(n, 0.2, 0.25), at, 2.0)
    return out


def _sound_frog(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-3, 300, 3_500) * 0.012 * s.wander(2, 0.5, 1.0)
    kind, pitch = int(s.rng.integers(3)), s.rng.uniform(0.85, 1.2)
    for at in cues:
        s.place(out, _croak(s, kind, pitch * s.rng.uniform(0.97, 1.03)), at, s.rng.uniform(0.9, 1.1))
    for other in (0, 0, 2, 1):  # others answer from across the water
        call, gain = _croak(s, other, s.rng.uniform(0.8, 1.3)), s.rng.uniform(0.08, 0.26)
        for at in np.arange(s.rng.uniform(0, 1.5), s.duration_s, s.rng.uniform(0.7, 1.7)):
            s.place(out, call, at + s.rng.uniform(0, 0.2), gain * s.rng.uniform(0.7, 1.1))
    for at in s.rng.uniform(0, s.duration_s, int(s.duration_s * 0.7)):  # a plop now and then
        n = len(s.time(0.09))
        s.place(
            out,
            np.sin(s.phase(bend(n, (0, 500), (1, 1_100)))) * bump(s.time(0.09), 0.004, 0.08),
            at,
            s.rng.uniform(0.05, 0.16),
        )
    return s.room(out, 0.5, 0.15, 4_000)


_chirps = regular((0.15, 0.4), (0.55, 0.9), 0.08)


def _draw_cricket(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, NIGHT)
    sky(c, hour, 0.8)
    stars(c, rng, t, 110, 0.6)
    moon(c, rng.uniform(0.15, c.w - 0.15), rng.uniform(0.12, 0.26), rng.uniform(0.06, 0.09))
    far = hour.on((70, 100, 110), -0.1)
    ridge(c, rng, 0.58, 0.05, far)
    for x in rng.uniform(0, c.w, 6):
        if rng.random() < 0.5:
            pine(c, x, 0.67, rng.uniform(0.14, 0.26), darker(far, 0.35))
        else:
            tree(c, rng, x, 0.67, rng.uniform(0.16, 0.26), darker(far, 0.3), darker(far, 0.55))
    ridge(c, rng, 0.66, 0.02, Fade(darker(far, 0.2), darker(far, 0.6)))
    meadow = choose(rng, (40, 82, 74), (48, 88, 62), (36, 74, 86))
    grass(c, rng, 0.66, 0.3, meadow, count=230, height=0.13, sway=0.15 * float(np.sin(t * 1.1)))
    for x, y, phase, r in rng.uniform((0, 0.42, 0, 0.003), (c.w, 0.8, 6.3, 0.006), (22, 4)):
        fx, fy = x + 0.03 * np.sin(t * 0.8 + phase), y + 0.02 * np.sin(t * 1.1 + phase * 2)
        shine = max(float(np.sin(t * 1.6 + phase)), 0.0)
        c.glow(fx, fy, r * 7, (214, 255, 110), 0.7 * shine)
        c.ellipse(fx, fy, r, r, (246, 255, 190), 0.3 + 0.7 * shine)
    c.soften(0.002)
    x, y, size = c.w * rng.uniform(0.44, 0.56), 0.8, rng.uniform(0.34, 0.42)
    leaf = choose(rng, (84, 148, 92), (108, 150, 84), (74, 136, 112))
    blade = np.array(
        [(-0.85, 0.2), (-0.4, 0.06), (0.2, 0.05), (0.8, 0.16), (1.05, 0.34), (0.6, 0.32), (0.0, 0.26), (-0.5, 0.3)]
    )
    c.blob(blade * (0.6, 0.5) + (x, y - 0.02), Fade(lighter(leaf, 0.1), darker(leaf, 0.6)))
    c.stroke([(x - 0.5, y + 0.1), (x, y + 0.055), (x + 0.6, y + 0.14)], 0.008, lighter(leaf, 0.3), 0.003)
    ago = since(cues, t)
    _cricket(c, x, y, size, choose(rng, (86, 58, 40), (60, 44, 40), (112, 78, 46)), ago if ago < 0.3 else None, t)
    grass(c, rng, 0.95, 0.14, darker(meadow, 0.35), count=60, height=0.16, sway=0.2 * float(np.sin(t * 1.1 + 1)))


def _cricket(c: Canvas, x: float, y: float, h: float, brown: Color, sings: float | None, t: float) -> None:
    """A cricket with its feet on y, looking to the right; while it sings its raised wings shiver."""
    lift = 0.0 if sings is None else 0.3 + 0.1 * float(np.sin(sings * 190))
    rim, dark = mix(lighter(brown, 0.35), (190, 205, 255), 0.25), darker(brown, 0.4)

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + u * h, y + v * h) for u, v in points]

    for far_leg in (
        at((0.12, -0.16), (0.2, -0.06), (0.16, 0.08)),
        at((0.32, -0.18), (0.46, -0.08), (0.5, 0.08)),
        at((-0.1, -0.16), (-0.02, -0.08), (-0.1, 0.08)),
    ):
        c.stroke(far_leg, h * 0.035, darker(brown, 0.55), h * 0.014)
    for du, dv in ((-0.86, -0.02), (-0.84, -0.2)):
        c.stroke(at((-0.42, -0.2), (-0.62, -0.16), (du, dv)), h * 0.025, dark, h * 0.005)
    c.blob(
        at((-0.52, -0.2), (-0.3, -0.32), (0.1, -0.35), (0.32, -0.3), (0.32, -0.14), (0.0, -0.09), (-0.3, -0.11)),
        Fade(lighter(brown, 0.12), darker(brown, 0.5)),
    )
    for u in np.linspace(-0.4, 0.0, 6):
        c.line(at((u, -0.24), (u + 0.02, -0.11)), h * 0.008, dark, 0.8)
    wing = turned(
        at((0.24, -0.35), (0.0, -0.4), (-0.34, -0.35), (-0.56, -0.24), (-0.3, -0.24), (0.2, -0.25)),
        lift,
        x + 0.2 * h,
        y - 0.32 * h,
    )
    c.blob(wing, Fade(lighter(brown, 0.4), brown), 0.96)
    for k in range(4):
        vein = turned(
            at((0.18, -0.33 + 0.018 * k), (-0.18, -0.36 + 0.03 * k), (-0.46, -0.27 + 0.006 * k)),
            lift,
            x + 0.2 * h,
            y - 0.32 * h,
        )
        c.stroke(vein, h * 0.008, dark, h * 0.004)
    c.blob(at((0.18, -0.36), (0.38, -0.38), (0.44, -0.28), (0.4, -0.14), (0.2, -0.12), (0.14, -0.24)), Fade(rim, dark))
    c.ellipse(x + h * 0.49, y - h * 0.25, h * 0.12, h * 0.135, Ball(lighter(brown, 0.35), darker(brown, 0.3), 0.6, 0.2))
    c.ellipse(x + h * 0.53, y - h * 0.29, h * 0.036, h * 0.045, (14, 12, 16))
    c.ellipse(x + h * 0.54, y - h * 0.305, h * 0.011, h * 0.011, (255, 255, 255))
    sway = 0.05 * float(np.sin(t * 2.2))
    for bow in (0.0, 0.14):
        c.stroke(
            at((0.55, -0.35), (0.74, -0.66 + bow), (0.98 + sway, -0.78 + bow), (1.2 + sway, -0.7 + 2.2 * bow)),
            h * 0.016,
            dark,
            h * 0.005,
        )
    for leg in (at((0.24, -0.14), (0.3, -0.03), (0.22, 0.1)), at((0.38, -0.16), (0.52, -0.04), (0.6, 0.1))):
        c.stroke(leg, h * 0.045, brown, h * 0.018)
    c.stroke(at((0.0, -0.16), (-0.22, -0.4), (-0.42, -0.62)), h * 0.16, Fade(rim, dark), h * 0.045)
    c.stroke(at((-0.42, -0.62), (-0.5, -0.28), (-0.56, 0.07), (-0.66, 0.1)), h * 0.04, brown, h * 0.018)
    for v in np.linspace(-0.4, 0.0, 6):
        c.line(at((-0.48 - 0.06 * (v + 0.4) * 2.4, v), (-0.53 - 0.06 * (v + 0.4) * 2.4, v + 0.03)), h * 0.01, dark)


def _sound_cricket(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-5, 80, 1_200) * 0.02
    for hz in s.rng.uniform(3_300, 6_200, 3):  # others trill without a pause, far off
        beat = 0.5 + 0.5 * np.sin(np.float32(2 * np.pi * s.rng.uniform(24, 52)) * s.t)
        gate = np.clip(s.wander(s.rng.uniform(0.5, 3.5), -0.3, 1.3), 0, 1) * np.float32(s.rng.uniform(0.03, 0.1))
        trill: Signal = np.sin(np.float32(2 * np.pi * hz) * s.t) * beat * beat * gate
        out += trill
    pitch, pulses, rate = s.rng.uniform(3_900, 5_000), int(s.rng.integers(3, 6)), s.rng.uniform(24, 34)
    t = s.time(0.75 / rate)
    wing = np.sin(s.phase(bend(len(t), (0, pitch * 1.02), (1, pitch * 0.97)))) * arch(len(t), 0.3, 0.35)
    wing = wing + 0.12 * np.sin(s.phase(pitch * 2, len(t))) * arch(len(t), 0.3, 0.35)
    second = s.rng.uniform(0.84, 1.15)
    later = np.sin(s.phase(pitch * second, len(t))) * arch(len(t), 0.3, 0.4)
    for at in cues:
        for k in range(pulses):
            s.place(out, wing, at + k / rate, 0.6 + 0.4 * k / pulses)
            s.place(out, later, at + 0.27 + k / rate * 1.05, 0.22)
    return s.room(out, 0.4, 0.12, 9_000)


_songs = regular((0.2, 0.4), (1.6, 2.2), 0.1)

# back, breast, belly, wing, beak
_PLUMAGES: tuple[tuple[Color, Color, Color, Color, Color], ...] = (
    ((134, 104, 78), (228, 104, 48), (240, 232, 218), (112, 84, 62), (70, 56, 48)),  # robin
    ((74, 130, 190), (250, 216, 84), (250, 226, 120), (60, 104, 164), (60, 60, 66)),  # blue tit
    ((42, 40, 46), (50, 48, 54), (58, 54, 60), (32, 30, 36), (250, 170, 40)),  # blackbird
    ((150, 106, 70), (224, 206, 182), (242, 234, 222), (116, 78, 52), (84, 72, 62)),  # sparrow
    ((196, 156, 112), (238, 196, 150), (248, 238, 226), (40, 38, 40), (224, 180, 140)),  # goldfinch
)


def _draw_birds(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, MORNING)
    horizon = rng.uniform(0.62, 0.72)
    blush = choose(rng, (255, 206, 150), (255, 186, 160), (255, 222, 160), (250, 196, 190))
    c.rect(-0.1, -0.1, c.w + 0.1, horizon + 0.05, Fade(hour.top, blush))
    sun(c, rng.uniform(0.2, c.w - 0.2), horizon - rng.uniform(0.02, 0.1), 0.07, hour)
    clouds(c, rng, t, mix((255, 255, 255), blush, 0.5), count=4, bottom=0.3, size=0.13, alpha=0.7)
    mist = mix(blush, (150, 160, 180), 0.45)
    for k in range(4):
        ridge(
            c,
            rng,
            horizon + 0.08 * k,
            0.05,
            Fade(mix((92, 124, 96), mist, 0.8 - 0.2 * k), mix(mist, (110, 136, 104), 0.25 * k)),
        )
        if k in (1, 2):
            for x in rng.uniform(0, c.w, 5):
                tree(
                    c,
                    rng,
                    x,
                    horizon + 0.08 * k + 0.03,
                    0.08 + 0.05 * k,
                    mix((84, 120, 84), mist, 0.65 - 0.2 * k),
                    mix((90, 70, 60), mist, 0.5),
                )
    for px, py, size in rng.uniform((0, 0.08, 0.01), (c.w, 0.35, 0.02), (7, 3)):
        flap = float(np.sin(t * 9 + px * 30)) * 0.6
        flier = np.array([(-1, -flap), (-0.3, -0.2), (0, 0.1), (0.3, -0.2), (1, -flap)]) * size
        c.stroke(flier + ((px + t * 0.05) % c.w, py), size * 0.25, (84, 70, 88), size * 0.1)
    c.soften(0.004)
    bark, rise = choose(rng, (110, 78, 60), (84, 66, 62), (130, 98, 74)), rng.uniform(-0.08, 0.04)
    bough = [(-0.2, 0.8 - rise), (c.w * 0.3, 0.76), (c.w * 0.65, 0.75 + rise), (c.w + 0.1, 0.68 + rise)]
    leafy = choose(rng, (120, 164, 74), (250, 190, 206), (255, 240, 240), (150, 172, 70))
    for px, side, h in rng.uniform((0.05, -1, 0.1), (c.w - 0.05, 1, 0.24), (9, 3)):
        foot = 0.76 + (rise - 0.02) * max(px / c.w - 0.4, 0)
        tip = (px + 0.08, foot + np.sign(side) * h)
        c.stroke([(px, foot), (px + 0.03, foot + np.sign(side) * h * 0.5), tip], 0.012, darker(bark, 0.15), 0.004)
        for _ in range(7):
            u = rng.uniform(0.3, 1.05)
            lx, ly = px + 0.08 * u + rng.normal(0, 0.018), foot + np.sign(side) * h * u + rng.normal(0, 0.014)
            c.ellipse(lx, ly, 0.023, 0.012, vary(rng, leafy, 0.07), 0.95, rng.uniform(0, 3.1))
    c.stroke(bough, 0.06, Fade(lighter(bark, 0.25), darker(bark, 0.45)), 0.026)
    count, ago = int(rng.integers(1, 4)), since(cues, t)
    spots = {1: (0.5,), 2: (0.33, 0.68), 3: (0.22, 0.5, 0.78)}[count]
    first = int(rng.integers(len(_PLUMAGES)))
    for k, place in enumerate(spots):
        x = c.w * (place + rng.uniform(-0.03, 0.03))
        y = float(np.interp(x, [p[0] for p in bough], [p[1] for p in bough])) - 0.018
        size = rng.uniform(0.92, 1.08) * (0.44, 0.34, 0.28)[count - 1]
        sings = max(float(np.sin(ago * 34)) * 0.5 + 0.5, 0.25) if ago < 1.1 and k != 1 else 0.0
        _bird(
            c,
            x,
            y,
            size,
            _PLUMAGES[(first + k * int(rng.integers(1, 3))) % len(_PLUMAGES)],
            bool(rng.random() < 0.5),
            sings,
        )


def _bird(
    c: Canvas, x: float, y: float, h: float, coat: tuple[Color, Color, Color, Color, Color], left: bool, sings: float
) -> None:
    """A songbird perched at (x, y); `sings` (0 to 1) opens its beak."""
    back, breast, belly, wing, beak = coat
    flip = -1 if left else 1

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + flip * u * h, y + v * h) for u, v in points]

    up = 0.04 if sings else 0.0
    c.poly(at((-0.3, -0.3), (-0.62, 0.1), (-0.52, 0.16), (-0.2, -0.14)), Fade(wing, darker(wing, 0.3)))
    for u in (-0.02, 0.08):
        c.line(at((u, -0.14), (u + 0.02, 0.0), (u + 0.07, 0.02)), h * 0.022, darker(beak, 0.2))
    c.blob(
        at(
            (-0.36, -0.22),
            (-0.28, -0.46),
            (-0.05, -0.64),
            (0.2, -0.56),
            (0.32, -0.36),
            (0.22, -0.16),
            (0.0, -0.08),
            (-0.22, -0.12),
        ),
        Fade(back, darker(belly, 0.06)),
    )
    c.blob(
        at((0.06, -0.6), (0.24, -0.54), (0.32, -0.36), (0.22, -0.17), (0.0, -0.1), (-0.06, -0.2), (0.08, -0.36)),
        Fade(breast, belly),
    )
    jaw = 0.16 * sings
    c.poly(at((0.3, -0.74 - up), (0.5, -0.72 - up * 2 - jaw * 0.6), (0.3, -0.66 - up)), lighter(beak, 0.1))
    c.poly(at((0.28, -0.68 - up), (0.46, -0.68 - up + jaw * 0.5), (0.27, -0.62 - up)), darker(beak, 0.1))
    c.ellipse(*at((0.14, -0.7 - up))[0], h * 0.2, h * 0.185, Ball(lighter(back, 0.16), darker(back, 0.08)))
    c.blob(
        at((0.14, -0.66 - up), (0.28, -0.7 - up), (0.33, -0.62 - up), (0.26, -0.5), (0.1, -0.48), (0.02, -0.56)), breast
    )
    c.blob(
        at((0.04, -0.46), (-0.12, -0.52), (-0.34, -0.3), (-0.54, -0.04), (-0.26, -0.14), (0.0, -0.24)),
        Fade(lighter(wing, 0.18), darker(wing, 0.12)),
    )
    for k in range(3):
        c.stroke(
            at((-0.04 - 0.04 * k, -0.26 - 0.05 * k), (-0.26, -0.2 - 0.035 * k), (-0.46, -0.08 - 0.02 * k)),
            h * 0.014,
            darker(wing, 0.35),
            h * 0.006,
        )
    ex, ey = at((0.2, -0.74 - up))[0]
    c.ellipse(ex, ey, h * 0.042, h * 0.042, lighter(beak, 0.2) if back == (42, 40, 46) else darker(back, 0.35))
    c.ellipse(ex, ey, h * 0.034, h * 0.034, (16, 14, 18))
    c.ellipse(ex - h * 0.01, ey - h * 0.014, h * 0.011, h * 0.011, (255, 255, 255))


def _phrase(s: Synth, kind: int, pitch: float) -> Signal:
    """About a second of song: 0 fluted notes, 1 a fast trill, 2 two notes again and again, 3 a tumbling warble."""
    out = np.zeros(len(s.time(1.25)), np.float32)
    if kind == 0:
        steps = [
            (at, s.rng.uniform(0.12, 0.24), *(pitch * s.rng.uniform(0.6, 1.05, 3))) for at in (0.0, 0.24, 0.5, 0.78)
        ]
    elif kind == 1:
        steps = [(k * 0.062, 0.05, 1.5 * pitch, 1.25 * pitch, 1.1 * pitch) for k in range(16)]
    elif kind == 2:
        steps = [
            (k * 0.17, 0.12, *((1.75 * pitch,) * 3 if k % 2 else (1.35 * pitch, 1.3 * pitch, 1.3 * pitch)))
            for k in range(7)
        ]
    else:
        steps = [(k * 0.082, 0.075, *(pitch * (1.9 - 0.07 * k) * s.rng.uniform(0.75, 1.25, 3))) for k in range(13)]
    for at, length, a, b, d in steps:
        n = len(s.time(length))
        phase = s.phase(bend(n, (0, a), (0.45, b), (1, d)))
        s.place(out, (np.sin(phase) + 0.14 * np.sin(2 * phase)) * arch(n, 0.2, 0.35), at, s.rng.uniform(0.75, 1.0))
    return out


def _sound_birds(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-4, 150, 3_000) * 0.012
    kind, pitch = int(s.rng.integers(4)), s.rng.uniform(2_300, 3_400)
    for at in cues:
        s.place(out, _phrase(s, kind, pitch), at, s.rng.uniform(0.85, 1.0))
    for other in s.rng.permutation(4)[:3]:  # the rest of the dawn chorus
        song, gain = _phrase(s, int(other), s.rng.uniform(2_000, 4_000)), s.rng.uniform(0.08, 0.3)
        for at in np.arange(s.rng.uniform(-0.5, 1.2), s.duration_s, s.rng.uniform(1.4, 2.6)):
            s.place(out, song, at, gain)
    return s.room(out, 0.9, 0.25, 7_000)


SCENES = (
    Scene(
        "frog pond",
        (
            "A green frog sits on a lily pad in the pond and puffs up its throat.",
            "Frogs croak loudly around the pond.",
            "A pond with water lilies, cattails and a frog.",
            "The frog calls out: ribbit, ribbit.",
            "A chorus of frogs by the water.",
            "A croaking frog among floating leaves.",
        ),
        _draw_frog,
        _sound_frog,
        _croaks,
        still_s=0.25,
    ),
    Scene(
        "crickets at night",
        (
            "A cricket sits on a leaf in a meadow under the moon.",
            "Crickets chirp through a warm summer night.",
            "Fireflies glow over the dark grass while crickets sing.",
            "The steady high chirping of crickets after dark.",
            "A moonlit field with stars and a chirping insect.",
            "A quiet night in the country, with only the crickets to be heard.",
        ),
        _draw_cricket,
        _sound_cricket,
        _chirps,
    ),
    Scene(
        "birds singing at dawn",
        (
            "Small birds sing on a branch as the sun comes up.",
            "The dawn chorus: birds chirp and whistle in the early morning.",
            "A songbird with an open beak on a twig at sunrise.",
            "Bright birdsong on a misty morning.",
            "Birds perch among leaves and blossoms and greet the day.",
            "Twittering and trilling songbirds at daybreak.",
        ),
        _draw_birds,
        _sound_birds,
        _songs,
    ),
)
