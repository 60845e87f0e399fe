"""Sea waves on a beach, a frog pond."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, mix, vary
from assets.scenes.faces import blinking, eye
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import DAY, DUSK, MORNING, NIGHT, OVERCAST, clouds, light, moon, ridge, sky, stars, sun
from assets.scenes.synth import Signal, Synth, arch, bend

_swells = regular((0.3, 1.0), (3.0, 4.4), 0.1)


def _draw_waves(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DAY, DAY, DUSK, MORNING, OVERCAST)
    horizon = rng.uniform(0.36, 0.44)
    sky(c, hour, horizon)
    sx = rng.uniform(0.2, c.w - 0.2)
    sun(c, sx, horizon - rng.uniform(0.06, 0.28), 0.05, hour)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=5, top=0.03, bottom=0.24, size=0.12)
    if rng.random() < 0.5:
        ridge(c, rng, horizon + 0.005, 0.02, hour.on((96, 120, 140), 0.3))
    sea = hour.on(choose(rng, (30, 110, 150), (26, 128, 150), (44, 100, 140)))
    c.rect(-0.1, horizon, c.w + 0.1, 0.8, Fade(mix(sea, hour.low, 0.35), lighter(sea, 0.12)))
    for k in range(70):
        u = (k / 70) ** 1.5
        y, drift = horizon + 0.008 + u * 0.34, rng.uniform(0, 6.3)
        x = (rng.uniform(-0.1, c.w) + 0.02 * np.sin(t + drift)) % c.w
        long = 0.03 + 0.14 * u
        tone = lighter(sea, 0.35) if k % 2 else darker(sea, 0.2)
        c.stroke([(x - long, y), (x, y - 0.004 - 0.008 * u), (x + long, y)], 0.003 + 0.007 * u, tone, 0.001, 0.5)
        shine = sx + rng.normal(0, 0.03 + 0.08 * u)
        c.line([(shine - 0.02 - 0.03 * u, y), (shine + 0.02 + 0.03 * u, y)], 0.003, hour.sun, 0.5)
    sand = hour.on(choose(rng, (236, 208, 158), (226, 196, 150), (240, 220, 184)))
    c.rect(-0.1, 0.76, c.w + 0.1, 1.1, Fade(darker(sand, 0.1), lighter(sand, 0.15)))
    for x, y, r in rng.uniform((0, 0.8, 0.001), (c.w, 1, 0.004), (160, 3)):
        c.ellipse(x, y, r, r * 0.6, darker(sand, 0.28), 0.5)
    ago = min(since(cues, t), 4.0)
    _breaker(c, rng, t, horizon, sea, sand, ago)
    if rng.random() < 0.6:
        x, y = rng.uniform(0.15, c.w - 0.15), 0.95
        shell = hour.on(choose(rng, (250, 214, 190), (240, 150, 110)))
        for a in np.linspace(-1.2, 1.2, 7):
            c.poly(
                [
                    (x, y),
                    (x + 0.04 * np.sin(a - 0.2), y - 0.04 * np.cos(a - 0.2)),
                    (x + 0.04 * np.sin(a + 0.2), y - 0.04 * np.cos(a + 0.2)),
                ],
                darker(shell, 0.1 + 0.12 * (int(a * 3) % 2)),
            )


def _breaker(c: Canvas, rng: Rng, t: float, horizon: float, sea: Color, sand: Color, ago: float) -> None:
    """A wave that rises, breaks and runs up the sand, then slips back."""
    x = np.linspace(-0.1, c.w + 0.1, 48)
    shape = sum((0.02 / k * np.sin(x * k * 3.1 + rng.uniform(0, 6.3)) for k in (1, 2, 3)), np.zeros(48))
    reach = 0.79 + 0.1 * float(np.sin(np.clip(ago / 3.4, 0, 1) * np.pi))
    wet = np.stack([x, 0.9 + shape * 1.2], 1)
    c.poly(np.vstack([wet, [(c.w + 0.1, 0.6), (-0.1, 0.6)]]), darker(sand, 0.22), 0.75)
    edge = np.stack([x, reach + shape], 1)
    c.poly(np.vstack([edge, [(c.w + 0.1, 0.66), (-0.1, 0.66)]]), Fade(lighter(sea, 0.12), lighter(sea, 0.6)), 0.88)
    crest_y = 0.68 + 0.02 * float(np.sin(t * 1.6))
    crest = np.stack([x, crest_y + 0.7 * shape], 1)
    height = 0.07 + 0.04 * float(np.exp(-((ago - 0.4) ** 2) / 0.4))
    c.poly(
        np.vstack([crest - (0, height), crest[::-1] + np.array((0, 0.03))]), Fade(lighter(sea, 0.3), darker(sea, 0.22))
    )
    c.poly(np.vstack([crest - (0, height), crest[::-1] - (0, height * 0.7)]), lighter(sea, 0.6), 0.6)
    for line, depth, size, count in (
        (crest + np.array((0, 0.02)), 0.03, 0.026, 150),
        (crest - (0, height), 0.012, 0.014, 90),
        (edge, 0.02, 0.017, 150),
    ):
        at = rng.uniform(0, 47, count).astype(int)
        offs = rng.uniform((-0.03, -depth, 0.4), (0.03, depth * 0.5, 1.0), (count, 3))
        for (px, py), (dx, dy, r) in zip(line[at], offs, strict=True):
            c.ellipse(
                px + dx, py + dy + 0.004 * np.sin(t * 4 + dx * 200), r * size, r * size * 0.62, (255, 255, 255), 0.85
            )
    for k in range(3):
        lace = np.stack([x, reach - 0.03 - 0.028 * k + shape * (0.8 - 0.2 * k) + 0.006 * np.sin(x * 30 + k)], 1)
        c.line(lace, 0.005, (255, 255, 255), 0.5)


def _sound_waves(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-4, 50, 1_200) * 0.22
    hiss, body = s.noise(-1.5, 600, 9_000), s.noise(-4, 60, 1_800)
    times = np.concatenate([[cues[0] - 3.6] if len(cues) else [], cues])
    for at in times:
        n = len(s.time(4.4))
        build = bend(n, (0, 0), (0.18, 0.35), (0.3, 1), (0.45, 0.55), (1, 0))
        wash = bend(n, (0, 0), (0.25, 0.1), (0.4, 0.9), (0.65, 0.6), (1, 0))
        gain = s.rng.uniform(0.75, 1.1)
        start = round((at - 0.9) * s.rate)
        lo, hi = max(start, 0), min(start + n, s.n)
        if hi > lo:
            out[lo:hi] += gain * (
                body[lo:hi] * build[lo - start : hi - start] + 0.65 * hiss[lo:hi] * wash[lo - start : hi - start]
            )
    return out


_croaks = regular((0.2, 0.5), (0.8, 1.2), 0.2)


def _draw_pond(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = light(rng, DUSK, DAY, MORNING, NIGHT)
    sky(c, hour, 0.4)
    if hour.amount > 0.6:
        stars(c, rng, t, 60, 0.3)
        moon(c, rng.uniform(0.2, c.w - 0.2), 0.12, 0.05)
    ridge(c, rng, 0.3, 0.05, hour.on((70, 110, 84), 0.15))
    pond = hour.on(choose(rng, (70, 124, 128), (60, 112, 120), (88, 132, 112)))
    c.rect(-0.1, 0.38, c.w + 0.1, 1.1, Fade(mix(pond, hour.low, 0.55), darker(pond, 0.3)))
    for x, y, w in rng.uniform((0, 0.42, 0.03), (c.w, 1, 0.14), (44, 3)):
        c.line([(x - w, y), (x + w, y)], 0.003, lighter(pond, 0.4), 0.25 + 0.2 * float(np.sin(t * 2 + x * 9)))
    reed = hour.on((88, 122, 58))
    for x in np.concatenate([rng.uniform(-0.02, 0.3, 14), rng.uniform(c.w - 0.3, c.w + 0.02, 14)]):
        h, lean = rng.uniform(0.25, 0.5), rng.normal(0, 0.05) + 0.012 * float(np.sin(t * 1.5 + x * 5))
        c.stroke(
            [(x, 0.62), (x + lean * 0.4, 0.62 - h * 0.5), (x + lean, 0.62 - h)], 0.012, vary(rng, reed, 0.08), 0.002
        )
        if rng.random() < 0.4:
            c.stroke([(x + lean * 0.85, 0.62 - h * 0.98), (x + lean, 0.62 - h * 0.8)], 0.024, hour.on((110, 72, 44)))
    c.soften(0.003)
    for x, y, r in rng.uniform((0.05, 0.55, 0.05), (c.w - 0.05, 0.97, 0.11), (9, 3)):
        _pad(c, rng, x, y, r, hour.on(vary(rng, (92, 150, 70), 0.08)))
    x, y, s = c.w * rng.uniform(0.42, 0.58), rng.uniform(0.72, 0.77), rng.uniform(0.95, 1.2)
    _pad(c, rng, x, y + 0.06 * s, 0.4 * s, hour.on((98, 156, 72)))
    ago = since(cues, t)
    swell = float(np.sin(np.pi * min(ago / 0.42, 1.0))) if ago < 0.42 else 0.0
    _frog(
        c,
        rng,
        x,
        y,
        s,
        hour.on(choose(rng, (112, 178, 60), (86, 160, 74), (140, 172, 70), (126, 140, 62))),
        swell,
        blinking(t, 0.4),
    )
    if rng.random() < 0.7:
        fx, fy = x + 0.36 * s, y + 0.03
        for k in range(9):
            a = 2 * np.pi * k / 9
            c.ellipse(
                fx + 0.04 * np.cos(a),
                fy - 0.02 + 0.018 * np.sin(a),
                0.034,
                0.017,
                Ball((255, 244, 250), hour.on((240, 150, 190))),
                1.0,
                a,
            )
        c.ellipse(fx, fy - 0.025, 0.02, 0.014, (255, 214, 90))


def _pad(c: Canvas, rng: Rng, x: float, y: float, r: float, green: Color) -> None:
    notch = rng.uniform(0, 6.3)
    a = np.linspace(notch + 0.2, notch + 6.1, 40)
    rim = np.stack([x + r * np.cos(a), y + r * 0.36 * np.sin(a)], 1)
    c.poly(np.vstack([rim + np.array((0.0, 0.012)), [(x, y + 0.012)]]), darker(green, 0.5), 0.8)
    c.poly(np.vstack([rim, [(x, y)]]), Fade(lighter(green, 0.2), darker(green, 0.15)))
    for k in range(0, 40, 5):
        c.line([(x, y), tuple(rim[k] * 0.92 + np.array((x, y)) * 0.08)], 0.003, lighter(green, 0.35), 0.6)


def _frog(c: Canvas, rng: Rng, x: float, y: float, s: float, green: Color, swell: float, blink: float) -> None:
    belly, dark = lighter(mix(green, (240, 236, 170), 0.65), 0.15), darker(green, 0.35)
    c.glow(x, y + 0.1 * s, 0.3 * s, (10, 30, 20), 0.7, 0.06)
    for side in (-1, 1):
        c.blob(
            np.array(
                [(side * 0.1, 0.0), (side * 0.22, -0.04), (side * 0.27, 0.04), (side * 0.2, 0.1), (side * 0.1, 0.1)]
            )
            * s
            + (x, y),
            Ball(lighter(green, 0.15), dark),
        )
        for toe in (0.03, 0.0, -0.035):
            c.stroke(
                [(x + side * 0.18 * s, y + 0.085 * s), (x + side * (0.29 + toe) * s, y + (0.1 - toe * 0.6) * s)],
                0.024 * s,
                green,
                0.016 * s,
            )
    c.blob(
        np.array([(-0.16, -0.08), (0, -0.13), (0.16, -0.08), (0.18, 0.05), (0.1, 0.11), (-0.1, 0.11), (-0.18, 0.05)])
        * s
        + (x, y),
        Ball(lighter(green, 0.22), darker(green, 0.22)),
    )
    c.ellipse(x, y + 0.045 * s, 0.12 * s, 0.07 * s, belly)
    c.ellipse(
        x,
        y + 0.01 * s,
        (0.11 + 0.055 * swell) * s,
        (0.05 + 0.06 * swell) * s,
        Ball(lighter(belly, 0.5), darker(belly, 0.1)),
    )
    for side in (-1, 1):
        c.stroke(
            [
                (x + side * 0.12 * s, y + 0.02 * s),
                (x + side * 0.14 * s, y + 0.07 * s),
                (x + side * 0.1 * s, y + 0.115 * s),
            ],
            0.05 * s,
            green,
            0.03 * s,
        )
        for toe in (-0.035, 0.0, 0.03):
            c.ellipse(x + (side * 0.1 + toe) * s, y + 0.122 * s, 0.02 * s, 0.01 * s, lighter(green, 0.12))
    c.blob(
        np.array(
            [
                (-0.15, -0.1),
                (-0.08, -0.17),
                (0, -0.175),
                (0.08, -0.17),
                (0.15, -0.1),
                (0.1, -0.04),
                (0, -0.025),
                (-0.1, -0.04),
            ]
        )
        * s
        + (x, y),
        Ball(lighter(green, 0.28), darker(green, 0.12), 0.42, 0.15),
    )
    c.stroke(
        [
            (x - 0.135 * s, y - 0.09 * s),
            (x - 0.06 * s, y - 0.06 * s),
            (x + 0.06 * s, y - 0.06 * s),
            (x + 0.135 * s, y - 0.09 * s),
        ],
        0.008 * s,
        dark,
    )
    for px, py, r in rng.uniform((-0.12, -0.16, 0.005), (0.12, -0.1, 0.013), (12, 3)):
        c.ellipse(x + px * s, y + py * s, r * s, r * 0.7 * s, darker(green, 0.28), 0.6)
    for side in (-1, 1):
        c.ellipse(x + side * 0.085 * s, y - 0.175 * s, 0.05 * s, 0.048 * s, Ball(lighter(green, 0.25), green))
        eye(c, x + side * 0.088 * s, y - 0.178 * s, 0.032 * s, (236, 190, 60), 0.8, blink)
        c.ellipse(x + side * 0.02 * s, y - 0.12 * s, 0.005 * s, 0.004 * s, dark)


def _sound_pond(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-3, 300, 4_000) * 0.012
    voice = s.rng.uniform(0.85, 1.2)
    for at in cues:  # ribbit: two bursts of fast pulses, the second higher and rising
        for start, length, low, high, rate in ((0.0, 0.15, 620, 760, 46), (0.19, 0.24, 760, 1_150, 62)):
            n = len(s.time(length))
            pulse = np.exp(5 * (np.cos(s.phase(bend(n, (0, rate * 0.8), (1, rate * 1.1)) * voice)) - 1))
            tone = bend(n, (0, low), (1, high)) * voice
            rib = (
                np.sin(s.phase(tone)) + 0.6 * np.sin(s.phase(tone * 2.02)) + 0.35 * np.sin(s.phase(tone * 3.1))
            ) * pulse
            s.place(
                out,
                (rib + 0.12 * s.white(length)[:n] * pulse) * arch(n, 0.12, 0.25),
                at + start,
                s.rng.uniform(0.85, 1.1),
            )
    for _ in range(int(s.duration_s * s.rng.uniform(3, 6))):  # the others across the water
        hz, length = s.rng.choice((430, 620, 980, 1_500, 2_300)) * s.rng.uniform(0.9, 1.1), s.rng.uniform(0.12, 0.35)
        n = len(s.time(length))
        pulse = np.exp(4 * (np.cos(s.phase(s.rng.uniform(28, 70), n)) - 1))
        s.place(
            out,
            np.sin(s.phase(bend(n, (0, hz), (1, hz * 1.15)))) * pulse * arch(n),
            s.rng.uniform(0, s.duration_s),
            s.rng.uniform(0.05, 0.22),
        )
    return s.room(out, 0.8, 0.25, 4_500)


SCENES = (
    Scene(
        "sea waves on a beach",
        (
            "Waves roll onto a sandy beach under a wide sky.",
            "The surf rushes in, breaks and draws back with a hiss.",
            "White foam on the shore of a blue ocean.",
            "The sound of ocean waves breaking on the sand.",
            "A calm seaside view with the sun above the water.",
            "The sea washes up the beach again and again.",
        ),
        _draw_waves,
        _sound_waves,
        _swells,
        still_s=1.3,
    ),
    Scene(
        "frog pond",
        (
            "A green frog sits on a lily pad in a pond.",
            "Frogs croak by the water in the evening: ribbit, ribbit.",
            "A frog with a swollen throat among reeds and water lilies.",
            "A chorus of croaking frogs.",
            "A quiet pond full of frogs and floating leaves.",
            "The ribbit of a frog answers from across the pond.",
        ),
        _draw_pond,
        _sound_pond,
        _croaks,
        still_s=0.21,
    ),
)
