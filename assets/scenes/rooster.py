"""A rooster crowing."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Fade, choose, darker, lighter, mix
from assets.scenes.faces import blinking, eye
from assets.scenes.farm import fence, pasture
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    DAY,
    MORNING,
    fur,
)
from assets.scenes.synth import Signal, Synth, arch, bend

_crows = regular((0.25, 0.5), (3.0, 3.6))


def _draw_rooster(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    hour = pasture(c, rng, t, MORNING, MORNING, DAY)
    c.glow(c.w * 0.2, 0.55, 0.6, (255, 226, 150), 0.5)
    wood = hour.on((146, 110, 80))
    fence(c, 0.92, wood)
    ago = since(cues, t)
    crow = float(min(ago / 0.12, 1.0) * np.clip((2.1 - ago) / 0.3, 0, 1)) if ago < 2.1 else 0.0
    x, y, s = c.w * rng.uniform(0.44, 0.52), 0.54, rng.uniform(0.98, 1.15)
    body = hour.on(choose(rng, (176, 76, 36), (206, 128, 50), (238, 232, 220), (120, 56, 34)))
    hackle = hour.on(choose(rng, (240, 180, 70), (226, 140, 50), (250, 214, 130)))
    tail = hour.on(choose(rng, (24, 70, 66), (30, 44, 70), (40, 36, 44)))
    for dx in (-0.02, 0.07):
        c.stroke([(x + dx * s, y + 0.14 * s), (x + (dx + 0.01) * s, y + 0.245 * s)], 0.022 * s, hour.on((236, 176, 60)))
        for toe in (-0.04, 0.0, 0.045):
            c.stroke(
                [(x + (dx + 0.01) * s, y + 0.24 * s), (x + (dx + 0.015 + toe) * s, y + 0.262 * s)],
                0.013 * s,
                hour.on((226, 160, 50)),
                0.005,
            )
    sway = 0.02 * float(np.sin(t * 2))
    for k in range(9):
        a = 1.15 + k * 0.17
        reach = (0.4 - 0.012 * k) * s
        root = (x - 0.15 * s, y - 0.02 * s)
        mid = (root[0] - np.sin(a - 0.55) * reach * 0.55 - 0.02, root[1] - reach * 0.75 * np.cos(a - 1.2) + 0.05 * s)
        tip = (
            root[0] - np.sin(a * 0.8 + 0.25 + sway) * reach,
            root[1] - np.cos(a * 0.9 - 0.45) * reach * 0.7 + k * 0.028 * s,
        )
        c.stroke([root, mid, tip], 0.05 * s, lighter(tail, 0.05 + 0.03 * (k % 4)), 0.008)
    c.blob(
        [
            (x - 0.2 * s, y - 0.08 * s),
            (x - 0.02 * s, y - 0.06 * s),
            (x + 0.12 * s, y - 0.2 * s),
            (x + 0.2 * s, y - 0.04 * s),
            (x + 0.14 * s, y + 0.12 * s),
            (x, y + 0.17 * s),
            (x - 0.14 * s, y + 0.12 * s),
        ],
        Ball(lighter(body, 0.2), darker(body, 0.35), 0.6, 0.25),
    )
    fur(c, rng, x, y + 0.02 * s, 0.15 * s, 0.12 * s, body, count=160, length=0.035 * s, down=0.8)
    for k in range(7):
        c.stroke(
            [(x + (0.06 - 0.02 * k) * s, y - 0.02 * s), (x - (0.08 + 0.02 * k) * s, y + (0.1 - 0.018 * k) * s)],
            0.045 * s,
            mix(darker(body, 0.25), tail, 0.12 * k),
            0.01,
        )
    lift = 0.35 + 0.65 * crow
    hx, hy = x + (0.2 - 0.03 * lift) * s, y - (0.24 + 0.08 * lift) * s
    c.blob(
        [
            (x + 0.02 * s, y - 0.06 * s),
            (hx - 0.055 * s, hy),
            (hx + 0.05 * s, hy),
            (x + 0.21 * s, y - 0.02 * s),
            (x + 0.14 * s, y + 0.05 * s),
        ],
        Fade(lighter(hackle, 0.1), darker(hackle, 0.25)),
    )
    for k in range(16):
        u = k / 15
        top = (hx - 0.045 * s + u * 0.09 * s, hy + 0.03 * s)
        c.stroke(
            [top, (x + (0.02 + 0.2 * u) * s, y + (0.03 - 0.03 * abs(u - 0.5)) * s)],
            0.016 * s,
            lighter(hackle, 0.3) if k % 2 else darker(hackle, 0.12),
            0.004,
        )
    red = hour.on((216, 36, 40))
    for dx, r in ((-0.05, 0.026), (-0.02, 0.034), (0.014, 0.036), (0.045, 0.028)):
        c.ellipse(
            hx + dx * s,
            hy - 0.07 * s - r * s * 0.5,
            r * 0.72 * s,
            r * 1.35 * s,
            Ball(lighter(red, 0.2), darker(red, 0.12)),
            1.0,
            -0.15,
        )
    c.ellipse(hx, hy - 0.02 * s, 0.062 * s, 0.06 * s, Ball(lighter(hackle, 0.15), darker(hackle, 0.15)))
    c.ellipse(hx + 0.025 * s, hy - 0.01 * s, 0.038 * s, 0.038 * s, red)
    up, gap = -0.35 * crow, 0.24 * crow
    for angle, tone in ((up - gap, 0.15), (up + gap, -0.1)):
        tip = (hx + (0.05 + 0.075 * np.cos(angle)) * s, hy + 0.075 * np.sin(angle) * s)
        beak = hour.on((240, 186, 70))
        c.poly(
            [(hx + 0.05 * s, hy - 0.022 * s), tip, (hx + 0.05 * s, hy + 0.02 * s)],
            lighter(beak, tone) if tone > 0 else darker(beak, -tone),
        )
    c.ellipse(hx + 0.04 * s, hy + 0.062 * s, 0.02 * s, 0.042 * s, Ball(lighter(red, 0.15), darker(red, 0.15)))
    eye(c, hx + 0.022 * s, hy - 0.022 * s, 0.013 * s, (240, 170, 50), 0.5, blinking(t, 0.9))


def _sound_rooster(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-4, 200, 3_000) * 0.006
    for _ in range(int(s.duration_s * 1.2)):
        hz = s.rng.uniform(3_000, 5_000)
        n = len(s.time(0.1))
        chirp = np.sin(s.phase(bend(n, (0, hz), (1, hz * 0.8)))) * arch(n)
        s.place(out, chirp, s.rng.uniform(0, s.duration_s), 0.006)
    base = s.rng.uniform(0.9, 1.12)
    for at in cues:
        syllables = (
            (0.0, 0.2, ((0, 420), (0.4, 640), (1, 600)), 0.7),
            (0.27, 0.13, ((0, 640), (0.5, 760), (1, 700)), 0.75),
            (0.44, 0.26, ((0, 700), (0.4, 880), (1, 830)), 0.9),
            (0.74, 1.2, ((0, 740), (0.12, 960), (0.5, 900), (0.8, 700), (1, 430)), 1.0),
        )
        for start, length, knots, gain in syllables:
            n = len(s.time(length))
            glide = bend(n, *knots) * base * (1 + 0.01 * s.wander(50, -1, 1, length)[:n])
            throat = s.pulses(glide, 40.0) * (1 + 0.2 * s.wander(160, -1, 1, length)[:n]) + 0.04 * s.white(length)[:n]
            crow = s.formants(throat, [(900, 500, -4), (1_800, 600, 0), (2_900, 700, 0), (4_500, 1_000, -8)], -42)
            s.place(out, crow * arch(n, 0.12 if length < 0.5 else 0.04, 0.25), at + start, gain * 3)
    return s.room(out, 0.9, 0.28, 4_000)


SCENES = (
    Scene(
        "rooster crowing",
        (
            "A rooster with a red comb stands on the fence and greets the sunrise.",
            "Cock-a-doodle-doo: a cockerel crows in the early morning.",
            "A colourful cock with long tail feathers.",
            "A rooster crows on the farm at daybreak.",
            "The loud call of a cockerel wakes everybody.",
            "A proud farmyard rooster throws back its head.",
        ),
        _draw_rooster,
        _sound_rooster,
        _crows,
        still_s=1.1,
    ),
)
