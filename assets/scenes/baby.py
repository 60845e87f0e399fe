"""A baby crying."""

import numpy as np

from assets.scenes.canvas import Ball, Canvas, Fade, choose, darker, lighter, mix
from assets.scenes.scene import Cues, Rng, Scene, regular, since
from assets.scenes.scenery import (
    wallpaper,
)
from assets.scenes.synth import Signal, Synth, arch, bend

_cries = regular((0.15, 0.35), (1.15, 1.45), 0.05)


def _draw_baby(c: Canvas, rng: Rng, t: float, cues: Cues) -> None:
    wall = choose(rng, (214, 228, 240), (246, 226, 206), (224, 236, 214), (240, 216, 222))
    wallpaper(c, rng, wall, 0.8, (196, 164, 130))
    for x, y in rng.uniform((0, 0.02), (c.w, 0.5), (26, 2)):
        c.ellipse(x, y, 0.012, 0.012, lighter(wall, 0.55), 0.8)
    wood = choose(rng, (236, 228, 214), (176, 130, 88), (206, 172, 128))
    blanket = choose(rng, (150, 196, 226), (244, 190, 170), (176, 214, 168), (250, 216, 140))
    for x in np.arange(0.0, c.w + 0.1, 0.115):
        c.rect(x, 0.3, x + 0.03, 1.0, Fade(lighter(wood, 0.2), darker(wood, 0.2), sideways=True))
    c.rect(-0.1, 0.26, c.w + 0.1, 0.32, Fade(lighter(wood, 0.2), darker(wood, 0.15)), radius=0.02)
    c.soften(0.006)
    c.rect(-0.1, 0.62, c.w + 0.1, 1.1, Fade((252, 250, 246), (214, 218, 228)))
    ago = since(cues, t)
    cry = 0.35 + 0.65 * float(np.sin(np.pi * min(ago / 0.95, 1.0)) ** 0.5) if ago < 0.95 else 0.25
    x, y, s = c.w * rng.uniform(0.44, 0.56), rng.uniform(0.47, 0.5), rng.uniform(0.95, 1.12)
    skin = choose(rng, (246, 206, 180), (232, 184, 150), (178, 124, 88), (126, 84, 62), (250, 214, 194))
    hair = choose(rng, (92, 62, 42), (52, 40, 36), (196, 150, 90), (150, 98, 58))
    shake = 0.004 * float(np.sin(t * 40)) * cry
    c.blob(
        [
            (x - 0.34 * s, y + 0.14),
            (x, y + 0.02),
            (x + 0.34 * s, y + 0.14),
            (x + 0.34 * s, y + 0.32),
            (x - 0.34 * s, y + 0.32),
        ],
        Ball((255, 255, 255), (216, 222, 234), 0.5, 0.2),
    )
    suit = lighter(blanket, 0.4)
    c.blob(
        [
            (x - 0.2 * s, y + 0.26 * s),
            (x, y + 0.2 * s),
            (x + 0.2 * s, y + 0.26 * s),
            (x + 0.25 * s, y + 0.6),
            (x - 0.25 * s, y + 0.6),
        ],
        Ball(lighter(suit, 0.3), darker(suit, 0.15)),
    )
    for side in (-1, 1):
        lift = (0.06 * float(np.sin(t * 7 + side)) + 0.03) * s
        hand = (x + side * 0.3 * s, y + 0.18 * s - lift)
        c.stroke(
            [(x + side * 0.17 * s, y + 0.34 * s), (x + side * 0.28 * s, y + 0.32 * s), hand], 0.1 * s, suit, 0.075 * s
        )
        c.ellipse(*hand, 0.048 * s, 0.045 * s, Ball(lighter(skin, 0.2), darker(skin, 0.1)))
        c.ellipse(
            x + side * 0.205 * s + shake,
            y + 0.02 * s,
            0.038 * s,
            0.05 * s,
            Ball(lighter(skin, 0.1), darker(skin, 0.16)),
        )
    x += shake
    flush = mix(skin, (232, 88, 80), 0.16 + 0.16 * cry)
    c.blob(
        [
            (x, y - 0.2 * s),
            (x + 0.15 * s, y - 0.15 * s),
            (x + 0.2 * s, y + 0.0 * s),
            (x + 0.18 * s, y + 0.13 * s),
            (x, y + 0.235 * s),
            (x - 0.18 * s, y + 0.13 * s),
            (x - 0.2 * s, y + 0.0 * s),
            (x - 0.15 * s, y - 0.15 * s),
        ],
        Ball(lighter(flush, 0.28), darker(flush, 0.08), 0.42, 0.25),
    )
    for angle in np.linspace(-0.9, 0.9, 9):
        tip = (x + np.sin(angle) * 0.14 * s, y - 0.19 * s + abs(angle) * 0.05 * s)
        c.stroke([(x + np.sin(angle) * 0.04 * s, y - 0.205 * s), tip], 0.02 * s, hair, 0.004)
    for side in (-1, 1):
        c.glow(x + side * 0.12 * s, y + 0.07 * s, 0.07 * s, (236, 90, 90), 0.5)
        c.stroke(
            [
                (x + side * 0.13 * s, y - 0.035 * s),
                (x + side * 0.085 * s, y - 0.02 * s),
                (x + side * 0.045 * s, y - 0.025 * s),
            ],
            0.013 * s,
            darker(flush, 0.62),
            0.009 * s,
        )
        c.stroke(
            [(x + side * 0.13 * s, y - 0.09 * s), (x + side * 0.05 * s, y - 0.07 * s)],
            0.012 * s,
            darker(hair, 0.1),
            0.007 * s,
        )
        drop = (t * 0.5 + 0.5 * (side > 0)) % 1.0
        c.ellipse(
            x + side * (0.105 + 0.02 * drop) * s,
            y + (0.0 + 0.14 * drop) * s,
            0.013 * s,
            0.019 * s,
            Ball((255, 255, 255), (120, 186, 236)),
            0.95,
        )
    c.ellipse(x, y + 0.04 * s, 0.026 * s, 0.018 * s, Ball(lighter(flush, 0.25), darker(flush, 0.14)))
    tall = (0.016 + 0.05 * cry) * s
    c.ellipse(x, y + 0.125 * s, 0.075 * s, tall + 0.008, darker(flush, 0.3))
    c.ellipse(x, y + 0.125 * s, 0.067 * s, tall, (116, 26, 36))
    c.ellipse(x, y + 0.125 * s + tall * 0.5, 0.042 * s, tall * 0.45, (232, 112, 116))
    c.blob(
        [(x - 0.4, 0.84), (x, 0.8), (x + 0.4, 0.84), (x + 0.55, 1.05), (x - 0.55, 1.05)],
        Fade(blanket, darker(blanket, 0.2)),
    )
    for fx in np.linspace(-0.3, 0.3, 5):
        c.stroke([(x + fx, 0.84), (x + fx * 1.2, 1.02)], 0.012, lighter(blanket, 0.3), 0.004, 0.6)


def _sound_baby(s: Synth, cues: Cues) -> Signal:
    out = s.noise(-6, 60, 800) * 0.004
    base = s.rng.uniform(400, 500)
    for at in cues:
        length = s.rng.uniform(0.85, 1.0)
        n, pitch = len(s.time(length)), base * s.rng.uniform(0.96, 1.08)
        shake = 1 + 0.018 * np.sin(s.phase(s.rng.uniform(5, 7), n)) + 0.012 * s.wander(40, -1, 1, length)[:n]
        hz = (
            bend(n, (0, pitch * 0.8), (0.15, pitch * 1.15), (0.5, pitch * 1.22), (0.85, pitch), (1, pitch * 0.7))
            * shake
        )
        throat = s.pulses(hz, 60.0) * (1 + 0.12 * s.wander(70, -1, 1, length)[:n]) + 0.02 * s.white(length)[:n]
        cry = s.formants(throat, [(1_150, 350, 0), (1_900, 400, 0), (3_500, 600, 2), (4_900, 900, -4)], -40)
        s.place(out, cry * arch(n, 0.09, 0.2), at, 3.0)
        gasp = s.band(s.white(0.16), 900, 3_600) * arch(len(s.time(0.16)), 0.6, 0.2)
        s.place(out, gasp, at - 0.2, 0.16)
    return s.room(out, 0.4, 0.14)


SCENES = (
    Scene(
        "crying baby",
        (
            "A baby lies in its cot and cries, tears on its cheeks.",
            "The wailing of a newborn, breath after breath.",
            "An upset infant with a wide open mouth.",
            "A baby is crying loudly in the nursery.",
            "A little child screams and sobs.",
            "Tears run down the face of a small baby under a blanket.",
        ),
        _draw_baby,
        _sound_baby,
        _cries,
        still_s=0.4,
    ),
)
