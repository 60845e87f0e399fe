"""Crickets at night, birds singing at dawn."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, mix, turned, vary
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    MORNING,
    NIGHT,
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
)
from assets.scenes.synth import Signal, Synth, arch, bend

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
    wing: Signal = np.sin(s.phase(bend(len(t), (0, pitch * 1.02), (1, pitch * 0.97)))) * arch(len(t), 0.3, 0.35)
    wing = wing + np.float32(0.12) * np.sin(s.phase(pitch * 2, len(t))) * arch(len(t), 0.3, 0.35)
    second = s.rng.uniform(0.84, 1.15)
    later: Signal = np.sin(s.phase(pitch * second, len(t))) * arch(len(t), 0.3, 0.4)
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
            for x in rng.uniform(0, c.w, 3):
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
        at = np.array([(px + t * 0.05) % c.w, py])
        c.stroke(
            at + size * np.array([(-1, -flap), (-0.3, -0.2), (0, 0.1), (0.3, -0.2), (1, -flap)]),
            size * 0.25,
            (84, 70, 88),
            size * 0.1,
        )
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
        note: Signal = (np.sin(phase) + np.float32(0.14) * np.sin(2 * phase)) * arch(n, 0.2, 0.35)
        s.place(out, note, at, s.rng.uniform(0.75, 1.0))
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
