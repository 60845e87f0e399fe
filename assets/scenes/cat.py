"""A cat meowing."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, mix
from assets.scenes.faces import blinking, eye
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    fur,
    wallpaper,
)
from assets.scenes.synth import Signal, Synth, arch, bend

_meows = regular((0.2, 0.5), (1.5, 2.1), 0.1)


def _draw_cat(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wall = choose(rng, (176, 196, 190), (214, 192, 168), (158, 176, 206), (206, 172, 166), (196, 200, 158))
    wallpaper(c, rng, wall, 0.74, choose(rng, (150, 104, 68), (172, 132, 92), (112, 82, 66)))
    wx = rng.uniform(0.12, 0.4)
    c.rect(wx - 0.02, 0.08, wx + 0.37, 0.56, (244, 240, 230))
    c.rect(wx, 0.1, wx + 0.35, 0.54, Fade((134, 190, 232), (220, 236, 240)))
    c.rect(wx + 0.168, 0.1, wx + 0.182, 0.54, (244, 240, 230))
    rug = choose(rng, (176, 66, 62), (66, 92, 140), (82, 120, 96), (196, 148, 76))
    c.ellipse(c.w / 2, 0.93, 0.58, 0.12, darker(rug, 0.2))
    c.ellipse(c.w / 2, 0.92, 0.55, 0.105, rug)
    c.ellipse(c.w / 2, 0.92, 0.46, 0.085, lighter(rug, 0.25))
    c.soften(0.006)
    coat = choose(rng, (226, 148, 72), (138, 132, 128), (62, 58, 60), (196, 170, 138), (236, 226, 212), (120, 98, 80))
    stripes = rng.random() < 0.75
    band, pale = darker(coat, 0.42), lighter(coat, 0.62)
    s, x, base = rng.uniform(0.9, 1.08), c.w * rng.uniform(0.42, 0.58), 0.955
    ago = since(cues, t)
    mew = float(np.sin(np.pi * min(ago / 0.9, 1.0)) ** 0.7) if ago < 0.9 else 0.0
    flick = float(np.sin(t * 2.2)) * 0.06
    c.glow(x, base, 0.36 * s, (30, 16, 10), 0.7, 0.07)
    tail = [
        (x + 0.14 * s, base - 0.06 * s),
        (x + 0.3 * s, base - 0.05 * s),
        (x + 0.36 * s, base - 0.2 * s),
        (x + (0.3 + flick) * s, base - 0.34 * s),
        (x + (0.36 + flick * 1.5) * s, base - 0.44 * s),
    ]
    c.stroke(tail, 0.07 * s, coat, 0.04 * s)
    c.blob(
        [
            (x - 0.17 * s, base),
            (x - 0.17 * s, base - 0.2 * s),
            (x - 0.085 * s, base - 0.44 * s),
            (x + 0.085 * s, base - 0.44 * s),
            (x + 0.17 * s, base - 0.2 * s),
            (x + 0.17 * s, base),
        ],
        Ball(lighter(coat, 0.14), darker(coat, 0.32), 0.4, 0.2),
    )
    if stripes:
        for k in range(5):
            for side in (-1, 1):
                yy = base - (0.1 + 0.06 * k) * s
                edge = 0.165 - 0.016 * k
                c.stroke(
                    [(x + side * edge * s, yy - 0.01 * s), (x + side * (edge - 0.08) * s, yy + 0.012 * s)],
                    0.024 * s,
                    band,
                    0.003,
                    0.8,
                )
    c.blob(
        [
            (x - 0.07 * s, base - 0.42 * s),
            (x + 0.07 * s, base - 0.42 * s),
            (x + 0.075 * s, base - 0.22 * s),
            (x, base - 0.12 * s),
            (x - 0.075 * s, base - 0.22 * s),
        ],
        pale,
        0.92,
    )
    fur(c, rng, x, base - 0.24 * s, 0.14 * s, 0.18 * s, coat, count=150, length=0.026 * s, down=1.0)
    for side in (-1, 1):
        c.ellipse(
            x + side * 0.125 * s, base - 0.09 * s, 0.075 * s, 0.1 * s, Ball(lighter(coat, 0.1), darker(coat, 0.25))
        )
        c.stroke(
            [(x + side * 0.05 * s, base - 0.26 * s), (x + side * 0.05 * s, base - 0.02 * s)],
            0.068 * s,
            Fade(coat, pale),
            0.06 * s,
        )
        c.ellipse(x + side * 0.055 * s, base - 0.012 * s, 0.046 * s, 0.028 * s, pale)
        for toe in (-0.015, 0.012):
            c.line(
                [(x + (side * 0.055 + toe) * s, base - 0.025 * s), (x + (side * 0.055 + toe) * s, base + 0.004)],
                0.004,
                darker(pale, 0.4),
                0.8,
            )
    _cat_head(c, rng, x, base - (0.545 + 0.012 * mew) * s, s, coat, band if stripes else None, mew, blinking(t, 0.0))


def _cat_head(
    c: Canvas, rng: Rng, x: float, y: float, s: float, coat: Color, band: Color | None, mew: float, blink: float
) -> None:
    pale = lighter(coat, 0.62)
    for side in (-1, 1):
        c.poly(
            [
                (x + side * 0.045 * s, y - 0.115 * s),
                (x + side * 0.148 * s, y - 0.235 * s),
                (x + side * 0.172 * s, y - 0.03 * s),
            ],
            Fade(darker(coat, 0.12), coat),
        )
        c.poly(
            [
                (x + side * 0.075 * s, y - 0.125 * s),
                (x + side * 0.14 * s, y - 0.2 * s),
                (x + side * 0.152 * s, y - 0.06 * s),
            ],
            Fade((206, 134, 128), (236, 178, 166)),
        )
    c.blob(
        [
            (x, y - 0.135 * s),
            (x + 0.11 * s, y - 0.11 * s),
            (x + 0.175 * s, y + 0.01 * s),
            (x + 0.13 * s, y + 0.11 * s),
            (x, y + 0.15 * s),
            (x - 0.13 * s, y + 0.11 * s),
            (x - 0.175 * s, y + 0.01 * s),
            (x - 0.11 * s, y - 0.11 * s),
        ],
        Ball(lighter(coat, 0.2), darker(coat, 0.22), 0.42, 0.2),
    )
    if band:
        for dx in (-0.045, 0.0, 0.045):
            c.stroke([(x + dx * s, y - 0.13 * s), (x + dx * 0.7 * s, y - 0.065 * s)], 0.018 * s, band, 0.005)
        for side in (-1, 1):
            for k in range(3):
                c.stroke(
                    [
                        (x + side * 0.165 * s, y + (0.0 + 0.035 * k) * s),
                        (x + side * 0.105 * s, y + (0.02 + 0.025 * k) * s),
                    ],
                    0.014 * s,
                    band,
                    0.003,
                )
    fur(c, rng, x, y, 0.145 * s, 0.115 * s, coat, count=190, length=0.025 * s, down=0.2)
    jaw = mew * 0.05 * s
    c.ellipse(x, y + 0.105 * s + jaw * 0.7, 0.05 * s, 0.036 * s + jaw * 0.3, pale)
    if mew > 0.03:
        c.ellipse(x, y + 0.098 * s + jaw * 0.45, 0.034 * s, 0.008 * s + jaw * 0.7, (120, 36, 44))
        c.ellipse(x, y + 0.106 * s + jaw * 0.9, 0.022 * s, 0.006 * s + jaw * 0.28, (240, 136, 142))
    for side in (-1, 1):
        c.ellipse(
            x + side * 0.034 * s, y + 0.078 * s, 0.045 * s, 0.036 * s, Ball(lighter(pale, 0.4), mix(pale, coat, 0.3))
        )
    c.poly([(x - 0.02 * s, y + 0.042 * s), (x + 0.02 * s, y + 0.042 * s), (x, y + 0.064 * s)], (222, 126, 128))
    c.line([(x, y + 0.06 * s), (x, y + 0.08 * s)], 0.004, darker(coat, 0.5))
    iris = choose(rng, (150, 190, 70), (226, 180, 60), (100, 170, 180), (120, 176, 110))
    for side in (-1, 1):
        eye(c, x + side * 0.073 * s, y - 0.01 * s, 0.034 * s, iris, 0.3, max(blink, 0.35 * mew))
        for k in (-1, 0, 1):
            tip = (x + side * 0.23 * s, y + (0.075 + 0.035 * k) * s)
            c.stroke(
                [
                    (x + side * 0.05 * s, y + (0.078 + 0.008 * k) * s),
                    (x + side * 0.14 * s, y + (0.07 + 0.02 * k) * s),
                    tip,
                ],
                0.0035,
                (255, 252, 246),
                0.001,
            )


def _sound_cat(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-6, 60, 800) * 0.004
    base = s.rng.uniform(430, 640)
    for at in cues:
        length = s.rng.uniform(0.8, 1.1)
        n, pitch = len(s.time(length)), base * s.rng.uniform(0.94, 1.07)
        hz = bend(n, (0, pitch * 0.8), (0.22, pitch * 1.25), (0.5, pitch * 1.3), (1, pitch * 0.72)) * (
            1 + 0.012 * np.sin(s.phase(6.5, n))
        )
        throat = s.pulses(hz, bend(n, (0, 3.0), (0.3, 14.0), (0.7, 10.0), (1, 3.0))) + 0.03 * s.white(length)[:n]
        closed = s.formants(throat, [(450, 300, 0), (1_300, 500, -24)], -54)
        front = s.formants(throat, [(850, 300, -4), (2_300, 500, -2), (3_400, 600, -8)], -48)
        wide = s.formants(throat, [(1_150, 350, 0), (1_800, 450, -3), (3_300, 700, -12)], -48)
        mouth = bend(n, (0, 0), (0.16, 0), (0.34, 1), (0.72, 1), (1, 0))
        turn = bend(n, (0, 0), (0.3, 0), (0.55, 1), (1, 1))
        mew = closed * (1 - mouth) * 0.8 + mouth * (front * (1 - turn) + wide * turn)
        s.place(out, mew * arch(n, 0.12, 0.4), at, s.rng.uniform(0.9, 1.1) * 3)
    return s.room(out, 0.45, 0.16)


SCENES = (
    Scene(
        "cat meowing",
        (
            "A cat sits on the rug and looks up, mewing for food.",
            "Meow: a cat calls in a plaintive voice.",
            "A house cat with bright eyes and long whiskers.",
            "A hungry cat is meowing indoors.",
            "The drawn-out miaow of a cat.",
            "A striped kitten sits on the carpet in front of a window.",
        ),
        _draw_cat,
        _sound_cat,
        _meows,
        still_s=0.25,
    ),
)
