"""A cow mooing, a sheep bleating."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, mix
from assets.scenes.faces import blinking, eye
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    DAY,
    DUSK,
    MORNING,
    OVERCAST,
    Light,
    clouds,
    fur,
    grass,
    house,
    light,
    ridge,
    sky,
    sun,
    tree,
)
from assets.scenes.synth import Signal, Synth, arch, bend


def pasture(c: Canvas, rng: Rng, t: float, *hours: Light) -> Light:
    """A hilly meadow with trees, some of it out of focus; returns the light that falls on it."""
    hour = light(rng, *hours)
    sky(c, hour, 0.6)
    if rng.random() < 0.6:
        sun(c, rng.uniform(0.1, c.w - 0.1), rng.uniform(0.1, 0.3), 0.045, hour)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=4, bottom=0.24)
    green = hour.on(choose(rng, (122, 176, 80), (142, 180, 88), (104, 160, 82)))
    ridge(c, rng, 0.47, 0.06, mix(hour.on((110, 146, 120), 0.3), hour.low, 0.25))
    ridge(c, rng, 0.54, 0.04, darker(green, 0.15))
    for x in rng.uniform(0, c.w, 3):
        tree(c, rng, x, 0.6, rng.uniform(0.14, 0.22), hour.on((76, 124, 66), 0.1), hour.on((96, 72, 52)))
    if rng.random() < 0.55:
        house(c, rng.uniform(0.0, c.w - 0.2), 0.59, 0.17, 0.1, hour.on((176, 66, 54)), hour.on((104, 92, 92)))
    ridge(c, rng, 0.61, 0.02, Fade(lighter(green, 0.14), darker(green, 0.3)))
    grass(c, rng, 0.62, 0.4, green, count=150, height=0.045)
    c.soften(0.004)
    return hour


def fence(c: Canvas, y: float, wood: Color) -> None:
    """A wooden fence whose posts stand on y."""
    for x in np.arange(0.05, c.w, 0.27):
        c.rect(x, y - 0.16, x + 0.03, y + 0.02, Fade(lighter(wood, 0.2), darker(wood, 0.3), sideways=True))
    for dy in (-0.13, -0.06):
        c.rect(-0.1, y + dy, c.w + 0.1, y + dy + 0.022, Fade(lighter(wood, 0.2), darker(wood, 0.25)))


_moos = regular((0.2, 0.4), (2.7, 3.3))


def _draw_cow(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = pasture(c, rng, t, DAY, DAY, MORNING, DUSK)
    fence(c, 0.7, hour.on((150, 120, 92)))
    kind = int(rng.integers(3))
    hide = hour.on(((246, 244, 240), (156, 96, 58), (240, 232, 220))[kind])
    patch = hour.on(((40, 38, 44), (120, 70, 42), (150, 84, 50))[kind])
    x, y, s = c.w * rng.uniform(0.42, 0.5), rng.uniform(0.58, 0.62), rng.uniform(0.8, 0.98)
    ago = since(cues, t)
    moo = float(np.sin(np.pi * min(ago / 1.7, 1.0)) ** 0.5) if ago < 1.7 else 0.0
    shade = darker(hide, 0.25)
    c.glow(x, y + 0.33 * s, 0.44 * s, (20, 40, 20), 0.75, 0.06)
    for dx, tone in ((-0.22, 0.3), (0.16, 0.3), (-0.28, 0.0), (0.22, 0.0)):
        leg = darker(hide, tone + 0.05)
        c.stroke(
            [(x + dx * s, y + 0.05 * s), (x + dx * s, y + 0.32 * s)], 0.075 * s, Fade(leg, darker(leg, 0.15)), 0.05 * s
        )
        c.rect(x + (dx - 0.03) * s, y + 0.3 * s, x + (dx + 0.03) * s, y + 0.335 * s, (52, 42, 40), radius=0.008)
    swish = float(np.sin(t * 2.4)) * 0.05
    c.stroke(
        [(x - 0.32 * s, y - 0.1 * s), (x - 0.39 * s, y + 0.02 * s), (x + (-0.38 + swish) * s, y + 0.18 * s)],
        0.022 * s,
        shade,
        0.012 * s,
    )
    c.ellipse(x + (-0.38 + swish) * s, y + 0.21 * s, 0.02 * s, 0.04 * s, patch)
    body = [
        (-0.33, -0.12),
        (-0.2, -0.175),
        (0.1, -0.16),
        (0.28, -0.17),
        (0.34, -0.02),
        (0.26, 0.1),
        (0.0, 0.15),
        (-0.24, 0.12),
        (-0.34, 0.0),
    ]
    c.blob(np.array(body) * s + (x, y), Fade(lighter(hide, 0.15), darker(hide, 0.2)))
    c.ellipse(x - 0.17 * s, y + 0.13 * s, 0.06 * s, 0.045 * s, hour.on((242, 180, 172)))
    for px, py, r in ((-0.24, -0.06, 0.085), (-0.03, -0.05, 0.11), (0.19, -0.08, 0.07), (0.1, 0.07, 0.05)):
        ring = rng.uniform(0.7, 1.25, 8)
        a = np.linspace(0, 2 * np.pi, 8, endpoint=False)
        c.blob(
            np.stack([x + (px + r * ring * np.cos(a)) * s, y + (py + r * 0.8 * ring * np.sin(a)) * s], 1),
            Fade(lighter(patch, 0.1), patch),
        )
    fur(c, rng, x, y - 0.02 * s, 0.3 * s, 0.13 * s, hide, count=140, length=0.02, down=1.0)
    _cow_head(c, x + 0.4 * s, y - (0.19 + 0.035 * moo) * s, s, hide, patch, hour, moo, blinking(t, 1.2))


def _cow_head(
    c: Canvas, x: float, y: float, s: float, hide: Color, patch: Color, hour: Light, moo: float, blink: float
) -> None:
    c.blob(
        [
            (x - 0.17 * s, y + 0.0 * s),
            (x - 0.05 * s, y - 0.03 * s),
            (x + 0.02 * s, y + 0.1 * s),
            (x - 0.06 * s, y + 0.24 * s),
            (x - 0.18 * s, y + 0.24 * s),
        ],
        Fade(patch, darker(hide, 0.1)),
    )
    for side in (-1, 1):
        c.stroke(
            [
                (x + side * 0.06 * s, y - 0.1 * s),
                (x + side * 0.12 * s, y - 0.14 * s),
                (x + side * 0.125 * s, y - 0.2 * s),
            ],
            0.035 * s,
            hour.on((236, 224, 196)),
            0.006,
        )
        c.ellipse(
            x + side * 0.155 * s, y - 0.05 * s, 0.07 * s, 0.034 * s, Ball(lighter(patch, 0.2), patch), 1.0, side * 0.25
        )
        c.ellipse(x + side * 0.16 * s, y - 0.045 * s, 0.045 * s, 0.018 * s, hour.on((226, 158, 146)), 1.0, side * 0.25)
    c.blob(
        [
            (x - 0.085 * s, y - 0.11 * s),
            (x, y - 0.135 * s),
            (x + 0.085 * s, y - 0.11 * s),
            (x + 0.1 * s, y),
            (x + 0.07 * s, y + 0.15 * s),
            (x - 0.07 * s, y + 0.15 * s),
            (x - 0.1 * s, y),
        ],
        Ball(lighter(patch, 0.16), darker(patch, 0.2)),
    )
    c.blob(
        [
            (x - 0.025 * s, y - 0.12 * s),
            (x + 0.025 * s, y - 0.12 * s),
            (x + 0.045 * s, y + 0.1 * s),
            (x - 0.045 * s, y + 0.1 * s),
        ],
        lighter(hide, 0.1),
    )
    pink = hour.on((240, 186, 176))
    c.ellipse(x, y + (0.17 + 0.06 * moo) * s, 0.075 * s, 0.05 * s, darker(pink, 0.15))
    if moo > 0.02:
        c.ellipse(x, y + (0.165 + 0.035 * moo) * s, 0.066 * s, (0.02 + 0.045 * moo) * s, (104, 36, 46))
        c.ellipse(x, y + (0.175 + 0.055 * moo) * s, 0.04 * s, 0.024 * s * moo, (226, 120, 126))
    c.ellipse(x, y + 0.14 * s, 0.1 * s, 0.062 * s, Ball(lighter(pink, 0.35), darker(pink, 0.08)))
    for side in (-1, 1):
        c.ellipse(x + side * 0.045 * s, y + 0.13 * s, 0.016 * s, 0.022 * s, (110, 60, 62), 1.0, side * 0.4)
        eye(c, x + side * 0.068 * s, y - 0.015 * s, 0.019 * s, (60, 40, 34), 0.75, blink)


def _sound_cow(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-5, 80, 1_200) * 0.012 + s.noise(-1, 2_500, 7_000) * 0.0025
    base = s.rng.uniform(120, 190)
    for at in cues:
        length = s.rng.uniform(1.6, 1.9)
        n, pitch = len(s.time(length)), base * s.rng.uniform(0.95, 1.05)
        hz = bend(
            n, (0, pitch * 0.7), (0.3, pitch * 0.95), (0.62, pitch * 1.45), (0.85, pitch * 1.3), (1, pitch * 0.75)
        ) * (1 + 0.012 * s.wander(24, -1, 1, length)[:n])
        rasp = 0.75 + 0.25 * np.sin(s.phase(hz) / 2 + s.wander(9, 0, 3, length)[:n])
        throat = s.pulses(hz, 120.0) * rasp * (1 + 0.35 * s.wander(90, -1, 1, length)[:n]) + 0.06 * s.white(length)[:n]
        closed = s.formants(throat, [(230, 160, 0), (1_000, 300, -26)], -52)
        wide = s.formants(
            throat, [(420, 150, 0), (900, 220, -1), (1_650, 300, -5), (2_600, 450, -9), (3_600, 600, -14)], -46
        )
        mouth = bend(n, (0, 0), (0.12, 0.05), (0.5, 1), (0.9, 1), (1, 0.5))
        s.place(out, (closed * (1 - mouth) * 0.9 + wide * mouth) * arch(n, 0.15, 0.2), at, 3.0)
    return s.room(out, 0.7, 0.2, 2_500)


_bleats = regular((0.2, 0.4), (1.5, 2.0), 0.1)


def _draw_sheep(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = pasture(c, rng, t, DAY, MORNING, OVERCAST, DUSK)
    ago = since(cues, t)
    baa = float(np.sin(np.pi * min(ago / 0.95, 1.0)) ** 0.5) if ago < 0.95 else 0.0
    wool = hour.on(choose(rng, (246, 240, 228), (232, 222, 204), (252, 250, 246)))
    face = hour.on(choose(rng, (52, 48, 52), (222, 200, 180), (78, 64, 58)))
    for x, size in ((rng.uniform(0.05, 0.3), 0.3), (c.w - rng.uniform(0.05, 0.3), 0.24)):
        _sheep(c, rng, x, 0.64, size, wool, face, 0.0, 0.0)
    s = rng.uniform(0.78, 0.98)
    _sheep(c, rng, c.w * rng.uniform(0.42, 0.5), 0.62, s, wool, face, baa, blinking(t, 2.0))
    grass(c, rng, 0.93, 0.12, hour.on((104, 156, 72)), count=60, height=0.07)


def _sheep(
    c: Canvas, rng: Rng, x: float, y: float, s: float, wool: Color, face: Color, baa: float, blink: float
) -> None:
    c.glow(x, y + 0.32 * s, 0.38 * s, (20, 40, 20), 0.7, 0.05)
    for dx, tone in ((-0.15, 0.25), (0.11, 0.25), (-0.2, 0.0), (0.16, 0.0)):
        c.stroke([(x + dx * s, y + 0.08 * s), (x + dx * s, y + 0.31 * s)], 0.05 * s, darker(face, tone), 0.036 * s)
    a = np.linspace(0, 2 * np.pi, 17, endpoint=False)
    for k in range(17):
        c.ellipse(
            x + 0.26 * np.cos(a[k]) * s,
            y + 0.155 * np.sin(a[k]) * s,
            0.075 * s,
            0.07 * s,
            Ball(wool, darker(wool, 0.22 + 0.1 * np.sin(a[k]))),
        )
    c.ellipse(x, y, 0.27 * s, 0.165 * s, darker(wool, 0.1))
    curls = rng.uniform((-1, -1), (1, 1), (70, 2))
    for u, v in curls[np.argsort(-curls[:, 1])]:
        if u * u + v * v < 1:
            c.ellipse(
                x + u * 0.26 * s,
                y + v * 0.16 * s,
                0.05 * s,
                0.044 * s,
                Ball(lighter(wool, 0.3 - 0.2 * v), darker(wool, 0.08 + 0.1 * (v + 0.5))),
                0.9,
            )
    c.ellipse(x - 0.3 * s, y, 0.045 * s, 0.035 * s, darker(wool, 0.12))
    hx, hy = x + 0.31 * s, y - (0.1 + 0.03 * baa) * s
    for side in (-1, 1):
        c.ellipse(hx + side * 0.105 * s, hy - 0.01 * s, 0.06 * s, 0.024 * s, darker(face, 0.12), 1.0, side * 0.35)
    c.ellipse(hx, hy + (0.12 + 0.04 * baa) * s, 0.042 * s, 0.04 * s, darker(face, 0.1))
    if baa > 0.02:
        c.ellipse(hx, hy + (0.115 + 0.03 * baa) * s, 0.034 * s, (0.012 + 0.034 * baa) * s, (98, 34, 44))
        c.ellipse(hx, hy + (0.12 + 0.045 * baa) * s, 0.022 * s, 0.016 * s * baa, (226, 124, 130))
    c.blob(
        [
            (hx - 0.07 * s, hy - 0.09 * s),
            (hx + 0.07 * s, hy - 0.09 * s),
            (hx + 0.075 * s, hy),
            (hx + 0.045 * s, hy + 0.125 * s),
            (hx - 0.045 * s, hy + 0.125 * s),
            (hx - 0.075 * s, hy),
        ],
        Ball(lighter(face, 0.2), darker(face, 0.12)),
    )
    for dx, dy, r in (
        (0, -0.1, 0.055),
        (-0.05, -0.085, 0.042),
        (0.05, -0.085, 0.042),
        (-0.025, -0.13, 0.038),
        (0.03, -0.13, 0.038),
    ):
        c.ellipse(hx + dx * s, hy + dy * s, r * s, r * 0.85 * s, Ball(lighter(wool, 0.2), darker(wool, 0.14)))
    for side in (-1, 1):
        eye(c, hx + side * 0.045 * s, hy - 0.01 * s, 0.016 * s, (222, 180, 90), 0.55, blink)
        c.ellipse(hx + side * 0.018 * s, hy + 0.09 * s, 0.007 * s, 0.011 * s, darker(face, 0.7), 1.0, side * 0.5)


def _sound_sheep(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-4, 200, 3_000) * 0.008
    base = s.rng.uniform(190, 330)
    for at in cues:
        length = s.rng.uniform(0.8, 1.1)
        n, pitch, beat = len(s.time(length)), base * s.rng.uniform(0.95, 1.06), s.rng.uniform(7.5, 9.5)
        quaver = np.sin(s.phase(beat, n))
        hz = bend(n, (0, pitch * 0.9), (0.15, pitch * 1.06), (0.7, pitch), (1, pitch * 0.85)) * (1 + 0.045 * quaver)
        throat = s.pulses(hz, 34.0) + 0.1 * s.white(length)[:n]
        bleat = s.formants(throat, [(750, 260, 0), (1_600, 320, -2), (2_700, 450, -8), (3_800, 600, -15)], -46)
        loudness = (0.62 + 0.38 * quaver).astype(np.float32) * arch(n, 0.08, 0.3)
        s.place(out, bleat * loudness, at, s.rng.uniform(0.8, 1.1) * 3)
    return s.room(out, 0.6, 0.16, 3_500)


SCENES = (
    Scene(
        "cow mooing",
        (
            "A cow stands in a green pasture and moos.",
            "The long, deep moo of a cow.",
            "A spotted cow with horns beside a wooden fence.",
            "Cattle lowing on a farm.",
            "A dairy cow on a meadow in front of rolling hills.",
            "Moo: a cow calls across the field.",
        ),
        _draw_cow,
        _sound_cow,
        _moos,
        still_s=0.8,
    ),
    Scene(
        "sheep bleating",
        (
            "Woolly sheep graze on a hillside, one of them calling.",
            "Baa: a sheep bleats with a trembling voice.",
            "A fluffy white sheep looks at us from the meadow.",
            "The bleating of sheep on a farm.",
            "A small flock of sheep in the grass.",
            "A lamb cries baa, baa across the pasture.",
        ),
        _draw_sheep,
        _sound_sheep,
        _bleats,
        still_s=0.4,
    ),
)
