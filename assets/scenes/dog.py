"""A dog barking."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Color, Fade, choose, darker, lighter, mix
from assets.scenes.faces import blinking, eye
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    DAY,
    DUSK,
    MORNING,
    clouds,
    fur,
    grass,
    house,
    light,
    ridge,
    sky,
    tree,
)
from assets.scenes.synth import Signal, Synth, arch, bend, bump


def _garden(c: Canvas, rng: Rng, t: float) -> None:
    hour = light(rng, DAY, DAY, MORNING, DUSK)
    sky(c, hour, 0.6)
    clouds(c, rng, t, hour.on((255, 255, 255)), count=3, bottom=0.22)
    lawn = hour.on(choose(rng, (104, 160, 72), (124, 168, 82), (92, 146, 84)))
    ridge(c, rng, 0.56, 0.03, darker(lawn, 0.2))
    if rng.random() < 0.5:
        house(c, rng.uniform(0.0, c.w - 0.4), 0.64, 0.34, 0.24, hour.on((232, 214, 184)), hour.on((160, 78, 60)))
    else:
        tree(
            c,
            rng,
            rng.uniform(0.1, c.w - 0.1),
            0.66,
            0.6,
            hour.on((84, 136, 66)),
            hour.on((98, 72, 50)),
            0.1 * float(np.sin(t)),
        )
    ridge(c, rng, 0.66, 0.015, Fade(lighter(lawn, 0.1), darker(lawn, 0.25)))
    grass(c, rng, 0.66, 0.36, lawn, count=160, height=0.05)
    c.soften(0.007)


_barks = regular((0.2, 0.5), (0.42, 0.75), 0.25)


def _draw_dog(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    _garden(c, rng, t)
    coat = choose(rng, (196, 142, 82), (150, 98, 60), (222, 186, 132), (92, 66, 52), (178, 116, 66), (226, 206, 176))
    dark, pale = darker(coat, 0.35), lighter(coat, 0.55)
    s, x, base = rng.uniform(0.86, 1.06), c.w * rng.uniform(0.4, 0.6), rng.uniform(0.97, 1.02)
    ago = since(cues, t)
    bark = float(bump(np.array([ago]), 0.05, 0.45)[0]) if ago < 1 else 0.0
    wag = float(np.sin(t * 14)) * 0.3
    c.glow(x, base - 0.02, 0.42 * s, (20, 36, 20), 0.7, 0.08)
    c.stroke(
        [
            (x + 0.15 * s, base - 0.1 * s),
            (x + 0.31 * s, base - 0.17 * s),
            (x + (0.36 + 0.12 * wag) * s, base - 0.36 * s),
        ],
        0.08 * s,
        coat,
        0.03 * s,
    )
    c.blob(
        [
            (x - 0.19 * s, base - 0.02),
            (x - 0.17 * s, base - 0.3 * s),
            (x - 0.1 * s, base - 0.5 * s),
            (x + 0.1 * s, base - 0.5 * s),
            (x + 0.18 * s, base - 0.3 * s),
            (x + 0.22 * s, base - 0.02),
        ],
        Ball(lighter(coat, 0.12), dark, 0.4, 0.2),
    )
    for side in (-1, 1):
        c.ellipse(x + side * 0.17 * s, base - 0.11 * s, 0.1 * s, 0.12 * s, Ball(lighter(coat, 0.1), dark))
        c.ellipse(x + side * 0.22 * s, base - 0.01, 0.08 * s, 0.035 * s, coat)
    c.blob(
        [
            (x - 0.09 * s, base - 0.48 * s),
            (x + 0.09 * s, base - 0.48 * s),
            (x + 0.1 * s, base - 0.28 * s),
            (x, base - 0.16 * s),
            (x - 0.1 * s, base - 0.28 * s),
        ],
        Fade(pale, mix(pale, coat, 0.6)),
    )
    for side in (-1, 1):
        c.stroke(
            [(x + side * 0.075 * s, base - 0.32 * s), (x + side * 0.08 * s, base - 0.02)],
            0.09 * s,
            Fade(coat, lighter(coat, 0.1)),
            0.075 * s,
        )
        c.ellipse(x + side * 0.085 * s, base - 0.012, 0.055 * s, 0.03 * s, lighter(coat, 0.25))
        for toe in (-0.02, 0.0, 0.02):
            c.line(
                [(x + (side * 0.085 + toe) * s, base - 0.02), (x + (side * 0.085 + toe) * s, base + 0.006)],
                0.004,
                dark,
                0.7,
            )
    fur(c, rng, x, base - 0.3 * s, 0.16 * s, 0.2 * s, coat, count=170, length=0.035 * s)
    c.rect(
        x - 0.1 * s,
        base - 0.53 * s,
        x + 0.1 * s,
        base - 0.485 * s,
        choose(rng, (206, 50, 46), (40, 96, 180), (40, 140, 90), (240, 180, 40)),
        radius=0.02,
    )
    c.ellipse(x, base - 0.47 * s, 0.02 * s, 0.02 * s, Ball((255, 236, 160), (190, 140, 40)))
    _dog_head(c, rng, x, base - (0.66 + 0.03 * bark) * s, s, coat, bark, blinking(t, 0.0))


def _dog_head(c: Canvas, rng: Rng, x: float, y: float, s: float, coat: Color, bark: float, blink: float) -> None:
    dark, pale = darker(coat, 0.42), lighter(coat, 0.55)
    floppy, mask = rng.random() < 0.65, rng.random() < 0.5
    if not floppy:
        for side in (-1, 1):
            c.blob(
                [
                    (x + side * 0.06 * s, y - 0.12 * s),
                    (x + side * 0.15 * s, y - 0.27 * s),
                    (x + side * 0.18 * s, y - 0.06 * s),
                ],
                Fade(coat, dark),
            )
            c.blob(
                [
                    (x + side * 0.09 * s, y - 0.12 * s),
                    (x + side * 0.145 * s, y - 0.22 * s),
                    (x + side * 0.155 * s, y - 0.08 * s),
                ],
                (206, 150, 136),
            )
    c.blob(
        [
            (x - 0.12 * s, y - 0.15 * s),
            (x, y - 0.185 * s),
            (x + 0.12 * s, y - 0.15 * s),
            (x + 0.17 * s, y - 0.02 * s),
            (x + 0.11 * s, y + 0.13 * s),
            (x, y + 0.17 * s),
            (x - 0.11 * s, y + 0.13 * s),
            (x - 0.17 * s, y - 0.02 * s),
        ],
        Ball(lighter(coat, 0.2), darker(coat, 0.25), 0.42, 0.2),
    )
    fur(c, rng, x, y - 0.01 * s, 0.145 * s, 0.14 * s, coat, count=170, length=0.03 * s, down=0.2)
    if mask:
        c.blob(
            [
                (x - 0.025 * s, y - 0.17 * s),
                (x + 0.025 * s, y - 0.17 * s),
                (x + 0.05 * s, y + 0.05 * s),
                (x - 0.05 * s, y + 0.05 * s),
            ],
            pale,
            0.9,
        )
    drop = bark * 0.075 * s
    c.ellipse(x, y + 0.125 * s + drop * 0.8, 0.062 * s, 0.05 * s, mix(coat, pale, 0.6))
    if bark > 0.03:
        c.ellipse(x, y + 0.115 * s + drop * 0.6, 0.056 * s, 0.025 * s + drop * 0.8, (92, 26, 32))
        c.ellipse(x, y + 0.13 * s + drop * 1.05, 0.038 * s, 0.016 * s + drop * 0.35, (232, 118, 124))
        for side in (-1, 1):
            c.poly(
                [
                    (x + (side * 0.036 - 0.008) * s, y + 0.1 * s),
                    (x + (side * 0.036 + 0.008) * s, y + 0.1 * s),
                    (x + side * 0.036 * s, y + 0.128 * s),
                ],
                (255, 250, 240),
            )
    else:
        c.blob(
            [
                (x - 0.025 * s, y + 0.14 * s),
                (x + 0.025 * s, y + 0.14 * s),
                (x + 0.028 * s, y + 0.2 * s),
                (x, y + 0.225 * s),
                (x - 0.028 * s, y + 0.2 * s),
            ],
            Fade((214, 90, 100), (240, 136, 140)),
        )
    for side in (-1, 1):
        c.ellipse(
            x + side * 0.042 * s, y + 0.085 * s, 0.066 * s, 0.052 * s, Ball(lighter(pale, 0.3), mix(pale, coat, 0.5))
        )
        for k in range(3):
            c.ellipse(x + side * (0.045 + 0.014 * k) * s, y + (0.085 + 0.01 * (k % 2)) * s, 0.003 * s, 0.003 * s, dark)
    c.ellipse(x, y + 0.045 * s, 0.06 * s, 0.042 * s, mix(pale, coat, 0.25))
    c.blob(
        [
            (x - 0.042 * s, y + 0.022 * s),
            (x, y + 0.014 * s),
            (x + 0.042 * s, y + 0.022 * s),
            (x + 0.02 * s, y + 0.06 * s),
            (x, y + 0.068 * s),
            (x - 0.02 * s, y + 0.06 * s),
        ],
        Ball((84, 76, 80), (16, 12, 16), 0.4, 0.1),
    )
    for side in (-1, 1):
        c.ellipse(x + side * 0.018 * s, y + 0.042 * s, 0.008 * s, 0.006 * s, (4, 4, 6))
        c.ellipse(x + side * 0.075 * s, y - 0.045 * s, 0.036 * s, 0.034 * s, darker(coat, 0.22))
        eye(c, x + side * 0.073 * s, y - 0.04 * s, 0.025 * s, (112, 66, 34), 0.66, blink)
        c.stroke(
            [(x + side * 0.045 * s, y - 0.085 * s), (x + side * 0.09 * s, y - 0.095 * s)], 0.012 * s, pale, 0.006 * s
        )
    c.line([(x, y + 0.065 * s), (x, y + 0.1 * s)], 0.005, dark)
    if floppy:
        ear = dark if rng.random() < 0.7 else coat
        for side in (-1, 1):
            flap = 0.02 * bark
            c.blob(
                [
                    (x + side * 0.1 * s, y - 0.155 * s),
                    (x + side * 0.165 * s, y - 0.12 * s),
                    (x + side * (0.215 + flap) * s, y + 0.03 * s),
                    (x + side * (0.195 + flap) * s, y + 0.13 * s),
                    (x + side * 0.145 * s, y + 0.1 * s),
                    (x + side * 0.13 * s, y - 0.03 * s),
                ],
                Ball(lighter(ear, 0.16), darker(ear, 0.2)),
            )
            fur(c, rng, x + side * 0.17 * s, y + 0.01 * s, 0.03 * s, 0.09 * s, ear, count=40, length=0.03 * s, down=1.0)


def _sound_dog(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-5, 80, 1_500) * 0.006
    pitch, big = s.rng.uniform(300, 620), s.rng.uniform(0.8, 1.25)
    for at in cues:
        length = s.rng.uniform(0.16, 0.23)
        n = len(s.time(length))
        top = pitch * s.rng.uniform(0.93, 1.08)
        hz = bend(n, (0, top * 0.62), (0.22, top * 1.12), (0.55, top), (1, top * 0.5)) * (
            1 + 0.05 * s.wander(90, -1, 1, length)[:n]
        )
        rough = 1 + 0.5 * s.wander(160, -1, 1, length)[:n]
        throat = s.pulses(hz, 9.0) * rough + 0.16 * s.white(length)[:n]
        bark = s.formants(
            throat, [(620 / big, 380, 0), (1_250 / big, 420, -3), (2_300 / big, 600, -11), (3_600 / big, 900, -19)], -44
        )
        env = bump(s.time(length), 0.022, 0.34)[:n] * arch(n, 0.02, 0.3)
        s.place(out, bark * env, at, s.rng.uniform(0.8, 1.05) * 3)
        growl = s.band(s.white(length), 250, 1_100)[:n] * env
        s.place(out, growl, at, 0.35)
    return s.room(out, 0.5, 0.2, 3_500)


SCENES = (
    Scene(
        "dog barking",
        (
            "A dog sits in the garden and barks at somebody.",
            "Woof, woof: the short sharp barks of a dog.",
            "A friendly brown dog with a collar on the lawn.",
            "A dog barks again and again.",
            "The neighbour's dog is barking loudly.",
            "A pet dog looks into the camera with its mouth open.",
        ),
        _draw_dog,
        _sound_dog,
        _barks,
        still_s=0.07,
    ),
)
